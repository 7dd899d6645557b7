"""What commands cause: events that their release allows."""

import json

import pytest

import qmpcheck
from qmpcheck.replaying import machine
from qmpcheck.replaying.machine import ReplayedMachine
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec

ARGUMENTS = {
    **dict.fromkeys(("id", "device", "job-id", "name", "node-name", "path"), "a"),
    "property": "requested-size",
    "detach": True,
    "force": True,
}


@pytest.mark.parametrize("spec", catalogue.releases()[-24::3], ids=lambda spec: spec.name)
def test_what_a_command_causes_conforms_to_its_release(spec: Spec) -> None:
    series = catalogue.series(spec)
    assert series
    rules = machine.rules(spec.rule_base, series)
    lines = []
    for rule in rules:
        fresh = ReplayedMachine(spec.rule_base, rules)
        fresh.take_event("STOP", {})
        events = fresh.caused(rule.trigger.name, ARGUMENTS)
        lines += [json.dumps({"timestamp": {"seconds": -1, "microseconds": -1}, "event": each.name, "data": each.data}) for each in events]  # fmt: skip
    assert len(lines) > 20
    [result] = qmpcheck.check(lines, spec)
    payload = [
        each for each in result.listed if each.code.startswith(("QMP1", "QMP2")) and each.code != "QMP206"
    ]
    assert payload == []


def test_a_machine_knows_whether_it_runs() -> None:
    spec = catalogue.find("7.2")
    one = ReplayedMachine(spec.rule_base, machine.rules(spec.rule_base, (7, 2)))
    assert [each.name for each in one.caused("stop", {})] == ["STOP"]
    one.take_event("STOP", {})
    assert (one.status, one.caused("stop", {})) == ("paused", [])
    assert [each.name for each in one.caused("cont", {})] == ["RESUME"]


def test_a_job_and_the_actions_of_a_transaction_are_seen() -> None:
    spec = catalogue.find("7.2")
    one = ReplayedMachine(spec.rule_base, machine.rules(spec.rule_base, (7, 2)))
    action = {"type": "blockdev-backup", "data": {"job-id": "backup", "device": "a", "target": "b"}}
    [created] = one.caused("transaction", {"actions": [action]})
    assert (created.name, created.data) == ("JOB_STATUS_CHANGE", {"id": "backup", "status": "created"})
