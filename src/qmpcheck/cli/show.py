"""Show the rules of a spec, each with its line in the spec's document.

For one event, also show what is promised about it after commands, and its known errata.

Example: qmpcheck show 10.0 BLOCK_IO_ERROR
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable, Iterator

from qmpcheck import rulebase
from qmpcheck.cli import arguments
from qmpcheck.keypath import as_text
from qmpcheck.reports.terminal import table
from qmpcheck.rulebase import DescribedValue, EventRule, LineNumber, Marks, Member, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import alternatives, follow_up_text, rate_limit_text, type_text

_Row = tuple[str, str, str, str | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    arguments.add_spec_and_event(parser)


def run(options: argparse.Namespace) -> int:
    try:
        spec = catalogue.find(options.spec)
    except SpecError as error:
        if options.event is None and options.spec in catalogue.find("latest").rule_base.events:
            raise SpecError(f"{error}; for the event, write: qmpcheck show latest {options.spec}") from None
        raise
    events = arguments.chosen_events(spec.rule_base, options.event)
    rows = [row for event, rule in events.items() for row in _event_rows(event, rule)]
    print(table(rows, ("event", "what", "rule", "line"), sys.stdout))
    if options.event is not None:
        _print_list("What commands promise about it", _promises(options.event, spec))
        _print_list("Known errata about it", _errata(options.event, spec))
    return 0


def _event_rows(event: str, rule: EventRule) -> Iterator[_Row]:
    payload = [_member_row(each, each.member) for each in rule.walk() if each.is_member and each.member]
    parts = [] if payload else [_type(rule.data) if rule.data.open else "no data"]
    yield name(event), "event", ", ".join([*parts, *_marks(rule.marks)]), _place(rule.file, rule.line)
    yield from payload
    for follow_up in rule.follow_ups:
        yield "", "follow-up", follow_up_text(follow_up), _place(rule.file, follow_up.line)
    if rule.rate_limit:
        limit = rule.rate_limit
        yield "", "rate limit", rate_limit_text(limit), _place(rule.file, limit.line)


def _print_list(title: str, items: Iterable[str]) -> None:
    listed = [*items]
    if listed:
        print(f"\n{title}:\n")
    for each in listed:
        print(textwrap.fill(each, 100, subsequent_indent="  ", break_on_hyphens=False))


def _promises(event: str, spec: catalogue.Spec) -> Iterator[str]:
    """Yield the rules about commands in which the event is the trigger or a response."""
    from qmpcheck.checking import command_rules  # the rules of a spec need none

    series = catalogue.series(spec)
    if spec.rule_base.source == rulebase.TEXT:
        return
    for rule_table in command_rules.all_rules():
        rules = (
            [*command_rules.compiled(rule_table, spec.rule_base, series)] if rule_table.is_of(series) else []
        )
        if any(event in {each.trigger.name, *(response.name for response in each.then)} for each in rules):
            where = rule_table.cites or "conventional"
            yield f"{rule_table.name} (since {rule_table.since}, {where}): {command_rules.text(rules)}"


def _errata(event: str, spec: catalogue.Spec) -> Iterator[str]:
    """Yield the known errata of the event that the spec's release still has."""
    from qmpcheck.checking import command_rules, errata

    series = catalogue.series(spec)
    for erratum in errata.of_spec(spec.rule_base):
        # An erratum that a release has fixed does not concern the ones after it.
        is_over = bool(erratum.until) and series is not None and series > command_rules.release(erratum.until)
        if event in {erratum.event, *erratum.then, *erratum.instead} and not is_over:
            until = f" (until {erratum.until})" if erratum.until else ""
            yield f"{erratum.id}: {erratum.happens}{until}"


def _member_row(value: DescribedValue, member: Member) -> _Row:
    where = f" ({' and '.join(map(str, value.branches))})" if value.branches else ""
    parts = [_type(member.type), *(["optional"] if member.optional else []), *_marks(member.marks)]
    return "", as_text(value.path) + where, ", ".join(parts), _place(value.place.file, value.place.line)


def _place(file: str, line: LineNumber) -> str | None:
    if line is None:
        return None
    return f"{safe(file)}:{line}" if file else str(line)


def _marks(marks: Marks) -> Iterator[str]:
    if marks.built_if:
        yield f"depends on the build: {safe(marks.built_if)}"
    if marks.deprecated:
        yield "deprecated"
    if marks.unstable:
        yield "unstable"


def _type(described: rulebase.Type) -> str:  # noqa: PLR0911 -- one for each type
    match described:
        case rulebase.Enum(values, marks):
            return alternatives([_value(value, marks.get(value, rulebase.UNMARKED)) for value in values])
        case rulebase.String(known):
            return f"string, such as {', '.join(map(quoted, known))}" if known else "string"
        case rulebase.Integer() if described.range:
            return "integer, {} to {}".format(*described.range)
        case rulebase.Object(_, True, of):
            elsewhere = f" ({safe(of)} is described elsewhere)" if of else ""
            return f"object of any members{elsewhere}"
        case rulebase.Array(items):
            return f"list of {_type(items)}"
        case rulebase.Alternate(types):
            return alternatives([*map(_type, types)])
        case rulebase.Object():
            return "object"
        case _:
            return type_text(described)


def _value(value: str, marks: Marks) -> str:
    parts = ", ".join(_marks(marks))
    return quoted(value) + (f" ({parts})" if parts else "")
