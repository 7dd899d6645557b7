"""Recordings of QEMU checked against QEMU's own spec: they are healthy, each erratum shows, and nothing else is excused."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from checking import check

from qmpcheck.checking import errata
from qmpcheck.checking.errata import Erratum
from qmpcheck.checking.monitors import Judgement
from qmpcheck.checking.result import StreamResult
from qmpcheck.checking.temporal_rule import TemporalRule
from qmpcheck.codes import Severity
from qmpcheck.specs import catalogue
from qmpcheck.streams import greeting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CORPORA = Path(__file__).parents[1] / "corpora"
RECORDINGS = sorted(path for path in CORPORA.rglob("*.jsonl") if greeting.version(path.read_bytes()))
KNOWN = errata.all_errata()


def checked(path: Path, text: bytes | None = None, **options: Any) -> StreamResult:
    """A recording, or what was made of it, against the release that wrote it, with what its command line says."""
    version = greeting.version(path.read_bytes())
    assert version
    spec = catalogue.at_or_before(version)
    assert spec
    described = tomllib.loads(path.with_suffix(".toml").read_text())
    assumed = ("no-shutdown",) if "-no-shutdown" in described["command"] else ()
    text = path.read_bytes() if text is None else text
    return check(spec.rule_base, text, complete=True, assumed=assumed, **options)


def errors(result: StreamResult) -> list[str]:
    return [f"{each.line} {each.code}" for each in result.listed if each.severity is Severity.ERROR]


def is_response(rule: TemporalRule, line: bytes) -> bool:
    message = json.loads(line) if line.strip() else {}
    data = message.get("data", {})
    return any(message.get("event") == each.name and each.condition.matches_data(data) for each in rule.then)


HEALTHY = [path for path in RECORDINGS if path.parent.name != "gate-11.1.3"]
"""11.1 is newer than the catalogue."""


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_healthy_recording_has_no_error_and_without_responses_every_trigger_is_one(path: Path) -> None:
    """The responses of one rule after the other are cut out; the lines keep their numbers."""
    judged: list[Judgement] = []
    assert errors(checked(path, judged=judged.append)) == []
    lines = path.read_bytes().split(b"\n")
    met = [each for each in judged if each.outcome == "met"]
    for rule in {each.rule for each in met}:
        left = [b"" if is_response(rule, line) else line for line in lines]
        found = checked(path, b"\n".join(left), codes=frozenset(["QMP301", "QMP302"])).listed
        triggers = {each.line for each in met if each.rule == rule and left[each.line - 1]}
        triggers -= {line for stem, line in FAILED if stem == path.stem}
        unmet = {
            (each.line, each.code, each.erratum)
            for each in found
            if each.line in triggers and each.rule == rule.title
        }
        can_be_missing = not rule.never_missing and not rule.ends_with_process and path.stem != "pipelined"
        usual = ("QMP301" if can_be_missing else "QMP302", "")
        assert unmet == {(line, *NOT_MISSING.get((path.stem, line), usual)) for line in triggers}


FAILED = {("transaction", 24)}
"""The command failed after its event had come: without the event nothing is missing."""

NOT_MISSING = {("two-sessions-io-error", 3): ("QMP302", "")}
"""The process was killed, and nothing shows that the greeting after it is not of the same one."""

SHOWN = [
    each for each in KNOWN if (each.then or each.rule) and not each.instead and each.id != "watchdog-poweroff"
]
"""Of poweroff no release says that anything follows: only a text of one's own could."""


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.id)
def test_a_recording_shows_the_erratum(entry: Erratum) -> None:
    recording = CORPORA / entry.seen.recording
    [finding] = [each for each in checked(recording).listed if each.erratum == entry.id][:1]
    assert finding.severity is Severity.WARNING
    literal = checked(recording, literal=True)
    [same] = [each for each in literal.listed if (each.line, each.code) == (finding.line, finding.code)]
    assert not same.erratum
    assert same.severity is (Severity.WARNING if same.code == "QMP302" else Severity.ERROR)


EVENTS: dict[str, tuple[str, dict[str, object]]] = {
    "E": (
        "BLOCK_IO_ERROR",
        {"device": "d", "operation": "read", "action": "stop", "nospace": False, "reason": "r"},
    ),
    "H": ("SHUTDOWN", {"guest": False, "reason": "host-qmp-quit"}),
    "U": ("SHUTDOWN", {"guest": False, "reason": "host-ui"}),
    "R": ("RESUME", {}),
    "X": ("RESET", {"guest": True, "reason": "guest-reset"}),
    "Z": ("SUSPEND", {}),
    "A": ("WAKEUP", {}),
    "W": ("WATCHDOG", {"action": "shutdown"}),
    "P": ("POWERDOWN", {}),
}
"""By letter; a number after it is the time in seconds."""


def line(token: str) -> str:
    if token.startswith("G"):
        major, minor = map(int, token[1:].split("."))
        version = {"qemu": {"major": major, "minor": minor, "micro": 0}, "package": ""}
        return json.dumps({"QMP": {"version": version, "capabilities": []}})
    event, data = EVENTS[token[0]]
    seconds, microseconds = divmod(round(float(token[1:]) * 1_000_000), 1_000_000)
    timestamp = {"seconds": seconds, "microseconds": microseconds}
    return json.dumps({"timestamp": timestamp, "event": event, "data": data})


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        # At the exit, or at most a tenth of a second before it.
        ("E1 H1.05", "io-error-at-exit"),
        ("E1 H1.2", ""),
        ("H1 E1.1 E9", "io-error-at-exit io-error-at-exit"),
        ("U1 E1.1", ""),
        # The process did not end: it goes on after RESUME or RESET.
        ("H1 X2 E3", ""),
        ("H1 R2 E3", ""),
        ("E1 R1.01 H1.02", ""),
        # While the machine is suspended, and no longer.
        ("Z1 E2", "io-error-suspended"),
        ("E1 Z1.05", "io-error-suspended"),
        ("E1 Z1.2", ""),
        ("Z1 A2 E3", ""),
        ("Z1 X2 E3", ""),
        # Mended since 9.0; a greeting tells the release, else the spec does.
        ("G8.2 Z1 E2", "io-error-suspended"),
        ("G9.0 Z1 E2", ""),
    ],
)
def test_an_erratum_covers_a_trigger_in_its_situation_alone(stream: str, expected: str) -> None:
    rules = catalogue.find("7.2").rule_base
    found = check(rules, "\n".join(map(line, stream.split())) + "\n", complete=True, series=(7, 2)).listed
    assert [each.code for each in found] == ["QMP301"] * stream.count("E")
    assert " ".join(each.erratum for each in found).strip() == expected


def test_a_rate_limited_trigger_lies_where_its_timestamp_is() -> None:
    """From 9.2 on BLOCK_IO_ERROR may be sent late: of the first, SUSPEND came long after it."""
    rules = catalogue.find("9.2").rule_base
    error = json.loads(line("E1"))
    error["data"] |= {"qom-path": "/d", "node-name": "n"}
    stream = "".join(f"{each}\n" for each in (line("H3"), json.dumps(error)))
    [finding] = check(rules, stream, complete=True).listed
    assert (finding.code, finding.erratum) == ("QMP301", "")


@pytest.mark.parametrize(
    ("stream", "expected"), [("W1 P1.1", []), ("W1 U1.1", []), ("W1 H9", []), ("W1", ["1 QMP301"])]
)
def test_a_watchdog_that_shuts_down_is_answered_by_powerdown_too(stream: str, expected: list[str]) -> None:
    rules = catalogue.find("7.2").rule_base
    text = "\n".join(map(line, stream.split())) + "\n"
    assert errors(check(rules, text, complete=True)) == expected


def test_what_an_erratum_says_of_its_specs_is_kept_to() -> None:
    panicked = '{"timestamp": {"seconds": 1, "microseconds": 0}, "event": "GUEST_PANICKED", "data": {"action": "run"}}\n'
    found = {name: check(catalogue.find(name).rule_base, panicked).listed[0] for name in ("2.8", "2.8:txt")}
    assert {name: (each.code, each.erratum) for name, each in found.items()} == {
        "2.8": ("QMP205", ""),
        "2.8:txt": ("QMP205", "guest-panicked-action"),
    }
