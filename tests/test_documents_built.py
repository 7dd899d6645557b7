"""Documents in any known form give back the rules they were made from, or lint reports what was broken."""

import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from documents_built import Line, documents, rule_bases, schemas
from effort import examples
from hypothesis import given, note
from hypothesis import strategies as st

from qmpcheck.checking.lint import findings
from qmpcheck.rulebase import EventRule, RuleBase, dump
from qmpcheck.specs import documents as reader
from qmpcheck.specs import qapi


def without_places(rules: RuleBase) -> Any:
    """The rules as JSON without lines; follow-ups in any order, and each once."""
    plain = msgspec.json.decode(dump(rules))
    for rule in plain["events"].values():
        stated = {str(_without_lines(each)) for each in rule.pop("follow_ups", [])}
        rule["follow_ups"] = sorted(stated)
    return _without_lines(plain["events"])


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_lines(v) for k, v in value.items() if k not in ("line", "not_understood")}
    return list(map(_without_lines, value)) if isinstance(value, list) else value


def text_of(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines) + "\n"


@examples(150)
@given(st.data())
def test_a_document_in_any_form_gives_back_its_rules(data: st.DataObject) -> None:
    rules = data.draw(rule_bases())
    text = text_of(data.draw(documents(rules)))
    note(text)
    read = reader.read(text)
    assert without_places(read.rule_base) == without_places(rules)
    assert [finding for finding in findings(read) if finding.code in ("QMP901", "QMP919")] == []
    assert read.rule_base.not_understood == 0


def quoted_in_a_mail(text: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


def indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


@examples(150)
@given(st.data())
def test_a_document_in_a_mail_or_indented_is_the_same(data: st.DataObject) -> None:
    text = text_of(data.draw(documents(data.draw(rule_bases()))))
    read = reader.read(text)
    for changed in (quoted_in_a_mail(text), indented(text), indented(quoted_in_a_mail(text))):
        assert reader.read(changed).rule_base == read.rule_base


def breaks(lines: list[Line]) -> st.SearchStrategy[tuple[int, str]]:
    """A line and what it becomes: without its bullet, one of its quotes, or a word of its sentence."""
    possible = []
    for at, (text, kind, _) in enumerate(lines):
        bare = text.lstrip()
        if kind in ("member", "value") and bare[0] in "-*":
            possible.append((at, text.replace(bare[0], " ", 1)))
        if kind in ("member", "value", "more", "sentence"):
            for quote in '"`':
                spots = [spot for spot, letter in enumerate(text) if letter == quote]
                possible += [(at, text[:spot] + text[spot + 1 :]) for spot in spots]
        if kind == "sentence":
            words = text.split(" ")
            possible += [
                (at, " ".join((*words[:n], *words[n + 1 :])))
                for n, word in enumerate(words)
                if not re.match("rate|limited|#", word)  # without which nobody could tell
            ]
    return st.sampled_from(possible) if possible else st.nothing()


@examples(150)
@given(st.data())
def test_what_is_broken_is_read_right_or_reported(data: st.DataObject) -> None:
    rules = data.draw(rule_bases().filter(lambda made: any(map(is_worth_breaking, made.events.values()))))
    lines = data.draw(documents(rules))
    at, changed = data.draw(breaks(lines))
    text = text_of([*lines[:at], lines[at]._replace(text=changed), *lines[at + 1 :]])
    note(f"line {at + 1}: {lines[at].text!r} became {changed!r}\n{text}")
    try:
        read = reader.read(text)
    except reader.NotADocument:
        return
    right = without_places(read.rule_base) == without_places(rules)
    found = findings(read)
    note("\n".join(map(str, found)))
    assert right or any(finding.line in section(lines, at) for finding in found)


def section(lines: list[Line], at: int) -> range:
    """The numbers of the lines of a section, of the one above and of the next line: it may run into these."""
    begin = at - lines[at].below
    above = begin - 1 - lines[begin - 1].below if begin else begin
    end = next((n for n in range(at + 1, len(lines)) if lines[n].below == 0), len(lines))
    return range(above + 1, end + 2)


def is_worth_breaking(rule: EventRule) -> bool:
    return bool(rule.data.members or rule.follow_ups or rule.rate_limit)


def read_schema(lines: list[Line]) -> tuple[RuleBase, list[int]]:
    """Its rules, and the lines with defects."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root.json"
        root.write_text(text_of(lines))
        rules, found, _ = qapi.lint(str(root))
    # Only the text of the notes is built, not that about members.
    return rules, [defect.line for defect in found if defect.code != "QMP920"]


def over_time(rules: RuleBase) -> Any:
    plain = without_places(rules)
    return {
        name: {key: rule.get(key) for key in ("follow_ups", "rate_limit")} for name, rule in plain.items()
    }


@examples(150)
@given(st.data())
def test_a_schema_in_any_form_gives_back_its_rules_over_time(data: st.DataObject) -> None:
    rules = data.draw(rule_bases())
    lines = data.draw(schemas(rules))
    note(text_of(lines))
    read, found = read_schema(lines)
    assert over_time(read) == over_time(rules)
    assert (found, read.not_understood) == ([], 0)


@examples(150)
@given(st.data())
def test_a_broken_note_of_a_schema_is_read_right_or_reported(data: st.DataObject) -> None:
    rules = data.draw(rule_bases().filter(states_something))
    lines = data.draw(schemas(rules))
    at, changed = data.draw(breaks(lines))
    broken = [*lines[:at], lines[at]._replace(text=changed), *lines[at + 1 :]]
    note(f"line {at + 1}: {lines[at].text!r} became {changed!r}\n{text_of(broken)}")
    read, found = read_schema(broken)
    assert over_time(read) == over_time(rules) or any(line in section(lines, at) for line in found)


def states_something(rules: RuleBase) -> bool:
    return any(rule.follow_ups or rule.rate_limit for rule in rules.events.values())
