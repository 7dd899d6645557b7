"""Streams that break one rule each: the checker finds that, and nothing else; so do others, as far as they can."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from checking import check
from hypothesis import given, settings
from hypothesis import strategies as st
from real_qemu import real
from rulebases import QAPI
from strategies import rules_of_events

from qmpcheck.checking import json_schema
from qmpcheck.cli import main
from qmpcheck.codes import CODES, STREAM_CODES
from qmpcheck.generating.mutants import Mutant, mutants
from qmpcheck.generating.stream import Generation
from qmpcheck.qmp import introspect
from qmpcheck.rulebase import EventRule, RuleBase, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec

NAMES = [name for entry in catalogue.entries() for name in catalogue.names(entry)]
USER_RULES = {"QMP306", "QMP307"}
"""What only rules of users find."""


def mutants_of(spec: Spec, seed: int = 0) -> list[Mutant]:
    return [*mutants(spec, [*Generation(spec, seed).by_story()])]


def found(rules: RuleBase, mutant: Mutant) -> list[tuple[object, ...]]:
    """What the checker finds in a mutant, with the options that it needs."""
    values = dict(option.removeprefix("--").partition("=")[::2] for option in mutant.options)
    result = check(
        rules,
        mutant.text,
        complete="complete" in values,
        within=float(values["within"]) if "within" in values else None,
        assumed=(values["assume"],) if "assume" in values else (),
    )
    return [(each.code, each.line, each.event, each.path) for each in result.listed]


@given(st.sampled_from(NAMES), st.integers(0, 100))
@settings(max_examples=5)
def test_exactly_that_rule_is_broken(name: str, seed: int) -> None:
    spec = catalogue.find(name)
    for mutant in mutants_of(spec, seed):
        expected = (mutant.code, mutant.line, mutant.event, mutant.path)
        assert found(spec.rule_base, mutant) == [expected], mutant.what


def test_what_schemas_can_say() -> None:
    made = mutants_of(Spec("own", "own", QAPI))
    for mutant in made:
        assert found(QAPI, mutant) == [(mutant.code, mutant.line, mutant.event, mutant.path)], mutant.what
    assert len(
        {(mutant.code, mutant.event, mutant.path, mutant.what, mutant.lines[-1]) for mutant in made}
    ) == len(made)


@given(st.dictionaries(st.sampled_from("ABC"), rules_of_events, min_size=1), st.integers(0, 100))
def test_exactly_that_rule_is_broken_whatever_the_spec(events: dict[str, EventRule], seed: int) -> None:
    rules = RuleBase(events)
    with suppress(SpecError):  # no event of it can be generated
        for mutant in mutants_of(Spec("own", "own", rules), seed):
            assert found(rules, mutant) == [(mutant.code, mutant.line, mutant.event, mutant.path)], mutant


def test_every_rule_of_the_protocol_and_of_specs_is_broken() -> None:
    codes = {mutant.code for mutant in mutants_of(catalogue.find("8.0"))}
    assert codes == STREAM_CODES - USER_RULES, (
        "generating/faults.py (payloads) or generating/mutants.py (the rest) must break the rule of each code"
    )


@given(st.sampled_from(NAMES))
@settings(max_examples=3)
def test_jsonschema_refuses_the_same_payloads(name: str) -> None:
    spec = catalogue.find(name)
    validator = jsonschema.Draft202012Validator(json_schema.of_rule_base(spec.rule_base))
    for mutant in mutants_of(spec):
        is_integer_there = "1.0" in mutant.what
        if CODES[mutant.code].evidence and not is_integer_there:
            payload = json.loads(mutant.lines[mutant.line - 1])
            assert not validator.is_valid(payload), f"{mutant.what}: checking/json_schema.py accepts it"


# QEMU's own schema


class Introspected:
    """What a QEMU's answer to query-qmp-schema allows: a second opinion that shares no code with the checker."""

    def __init__(self, answer: list[dict[str, Any]]) -> None:
        self._types = {each["name"]: each for each in answer}

    def allows(self, event: dict[str, Any]) -> bool:
        described = self._types.get(event["event"], {"meta-type": "none"})
        return described["meta-type"] == "event" and self._is(described["arg-type"], event.get("data", {}))

    def _is(self, name: str, value: Any) -> bool:
        described = self._types[name]
        match described["meta-type"]:
            case "builtin":
                return self._is_builtin(described["json-type"], value)
            case "enum":
                return value in described["values"]
            case "array":
                return isinstance(value, list) and all(
                    self._is(described["element-type"], each) for each in value
                )
            case "alternate":
                return any(self._is(each["type"], value) for each in described["members"])
            case _:
                return isinstance(value, dict) and self._has_members(
                    value, [*self._members(described, value)]
                )

    def _members(self, described: dict[str, Any], value: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from described["members"]
        for variant in described.get("variants", ()):
            if variant["case"] == value.get(described["tag"]):
                yield from self._members(self._types[variant["type"]], value)

    def _has_members(self, value: dict[str, Any], members: list[dict[str, Any]]) -> bool:
        names = {member["name"] for member in members}
        return value.keys() <= names and all(
            self._is(member["type"], value[member["name"]])
            if member["name"] in value
            else "default" in member
            for member in members
        )

    def _is_builtin(self, kind: str, value: Any) -> bool:
        kinds = {
            "int": (int,),
            "number": (int, float),
            "string": (str,),
            "boolean": (bool,),
            "null": (type(None),),
        }
        return kind == "value" or type(value) in kinds[kind]


@pytest.mark.qemu
def test_qemu_itself_takes_the_events_and_refuses_the_mutants() -> None:
    path = real()
    schema = Introspected(introspect.ask(path).schema)
    spec = catalogue.find(f"qemu:{path}")
    stories = [*Generation(spec).by_story()]
    assert all(schema.allows(message) for story in stories for message in story if "event" in message)
    broken = [each for each in mutants(spec, stories) if "QMP201" <= each.code <= "QMP205"]
    assert len(broken) > 500
    for mutant in broken:
        assert schema.allows(json.loads(mutant.lines[mutant.line - 1])) == ("number" in mutant.what), mutant


# The command


def test_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    arguments = ["generate", "--spec", "7.2", "--only", "BLOCK_IO_ERROR", "--mutate", "-o", str(folder)]
    assert main(arguments) == 0
    rows = [*map(json.loads, (folder / "index.jsonl").read_text().splitlines())]
    assert {path.name for path in folder.iterdir()} == {
        "conforming.jsonl",
        "index.jsonl",
        *(row["file"] for row in rows),
    }
    assert main(["validate", "--spec", "7.2", "--fail-on=warning", str(folder / "conforming.jsonl")]) == 0
    [row] = [row for row in rows if row["code"] == "QMP301"]
    assert row["event"] == "BLOCK_IO_ERROR"
    assert row["what"] == "the STOP that must follow is removed, and the session is over"
    assert main(["validate", "--spec", "7.2", *row["options"], str(folder / row["file"])]) == 1
    capsys.readouterr()
    assert main(arguments) == 2
    assert f"{folder} is not empty: name a new folder with -o" in capsys.readouterr().err
    assert main(arguments[:-2]) == 2
    assert "--mutate writes many files: name a new folder with -o" in capsys.readouterr().err
