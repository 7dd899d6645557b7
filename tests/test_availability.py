"""Findings that tell since or until when other releases allow what is found."""

import json
from pathlib import Path

import pytest
from releases import NEWEST

from qmpcheck.checking.explain import Explainer
from qmpcheck.cli import main
from qmpcheck.drift.availability import Availability
from qmpcheck.finding import Finding
from qmpcheck.specs import catalogue

CLOCK = {"seconds": 1, "microseconds": 5}


def drifts(name: str, event: str, data: object = None) -> list[str | None]:
    spec = catalogue.find(name)
    line = json.dumps({"event": event, "timestamp": CLOCK} | ({} if data is None else {"data": data}))
    findings = Explainer(spec.rule_base).explain(line.encode()).findings
    return [finding.drift for finding in Availability(spec.id).with_drift(findings)]


IO_ERROR = {"device": "d", "operation": "read", "action": "stop", "nospace": False, "reason": "r"}


@pytest.mark.parametrize(
    ("spec", "event", "data", "drift"),
    [
        ("1.1", "GUEST_CRASHLOADED", {}, "event since 5.0"),
        ("v1", "RESUME", {}, "event since 0.13"),
        ("1.1", "NEWS", {}, None),
        ("2.9", "SHUTDOWN", {"guest": True}, "member since 2.10"),
        ("v4", "SHUTDOWN", {"guest": True}, "member since 2.10"),
        ("1.1", "SHUTDOWN", {"new": True}, None),
        ("1.1", "SHUTDOWN", {"a b": True}, None),
        ("3.1", "SHUTDOWN", {"guest": True, "reason": "guest-panic"}, "member since 4.0"),
        ("4.0", "SHUTDOWN", {"guest": True}, "mandatory since 4.0"),
        ("4.0", "SHUTDOWN", None, "mandatory since 2.10"),
        ("10.0", "BLOCK_IO_ERROR", IO_ERROR, "mandatory since 9.2"),
        ("2.3", "WATCHDOG", {"action": "inject-nmi"}, "value since 2.4"),
        ("2.3", "WATCHDOG", {"action": "dance"}, None),
        ("2.8:txt", "WATCHDOG", {"action": "inject-nmi"}, f"value in 2.4 to {NEWEST}"),
        ("2.3", "STOP", 1, None),
        ("2.0", "NIC_RX_FILTER_CHANGED", {"path": "p"}, "optional since 2.1"),
        ("2.11", "BLOCK_IO_ERROR", IO_ERROR, f"may be absent in 0.13 to 2.7 and 2.12 to {NEWEST}"),
    ],
)
def test_drift(spec: str, event: str, data: object, drift: str | None) -> None:
    assert drifts(spec, event, data) == [drift]


def test_events_that_are_gone() -> None:
    newest = catalogue.releases()[-1].rule_base
    gone = [
        (spec.name, event)
        for spec in catalogue.releases()
        for event in spec.rule_base.events
        if event not in newest.events
    ]
    last = {event: name for name, event in gone}
    assert last
    names = [spec.name for spec in catalogue.releases()]
    for event, name in last.items():
        assert drifts("latest", event) == [f"removed in {names[names.index(name) + 1]}"]


def test_a_build_that_is_newer_than_the_catalogue() -> None:
    newer = Availability(NEWEST, "99.0")
    assert newer.drift(Finding("QMP201", 1, "", "NEWS", ("event",))) == "may be new in 99.0"
    assert (
        newer.drift(Finding("QMP205", 1, "", "WATCHDOG", ("data", "action"), got='"dance"'))
        == "may be new in 99.0"
    )
    assert newer.drift(Finding("QMP201", 1, "", "MEM_UNPLUG_ERROR", ("event",))) == "removed in 9.1"
    assert newer.drift(Finding("QMP202", 1, "", "WATCHDOG", ("data", "action"))) is None


def test_a_file_stands_in_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, stream = tmp_path / "s.json", tmp_path / "s.jsonl"
    spec.write_text('{"events": {"MINE": {}}}')
    stream.write_text(json.dumps({"event": "POWERDOWN", "timestamp": CLOCK}))
    main(["validate", str(stream), "--spec", str(spec), "--format", "json"])
    [finding] = json.loads(capsys.readouterr().out)["diagnostics"]
    assert finding["drift"] == f"event in 2.1 to {NEWEST}"


def test_types_and_sizes(tmp_path: Path) -> None:
    guest = {"name": "guest", "type": {"type": "integer"}}
    actual = {"name": "actual", "type": {"type": "integer", "size": "int8"}}
    members = {"SHUTDOWN": guest, "BALLOON_CHANGE": actual}
    path = tmp_path / "s.json"
    path.write_text(
        json.dumps({"events": {event: {"data": {"members": [each]}} for event, each in members.items()}})
    )
    assert drifts(str(path), "SHUTDOWN", {"guest": True}) == [f"boolean in 2.10 to {NEWEST}"]
    assert drifts(str(path), "SHUTDOWN", {"guest": "x"}) == [None]
    assert drifts(str(path), "BALLOON_CHANGE", {"actual": 128}) == [f"value in 1.2 to {NEWEST}"]
    assert drifts(str(path), "BALLOON_CHANGE", {"actual": 10**30}) == ["value in 1.2 to 2.0"]


def test_the_text_report_and_the_clean_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = tmp_path / "s.jsonl"
    stream.write_text(json.dumps({"event": "POWERDOWN", "timestamp": CLOCK}) + "\n")
    main(["validate", str(stream), "--spec", "1.1"])
    assert (
        f"{stream}:1:11: QMP201 POWERDOWN event: unknown event; the spec has none of this name (event since 2.1)\n"
        in capsys.readouterr().out
    )
    monkeypatch.setattr(catalogue, "releases", None)  # never asked for
    assert main(["validate", str(stream), "--spec", "2.1"]) == 0


def test_an_item_of_a_list_is_not_in_a_release_that_has_no_list_there(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    members = [{"name": "guest", "type": {"type": "array", "items": {"type": "boolean"}}}]
    path.write_text(json.dumps({"events": {"SHUTDOWN": {"data": {"members": members}}}}))
    assert drifts(str(path), "SHUTDOWN", {"guest": [True, 1]}) == [None]
