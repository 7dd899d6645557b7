"""The life of events, members and values, as the catalogue's specs tell it."""

import pytest

from qmpcheck.cli import main
from qmpcheck.codes import Impact
from qmpcheck.drift.history import history, spec_line
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue

LIVES = {
    "SHUTDOWN.guest": ["2.10 safe introduced: boolean (qapi/event.json:28)"],
    "SHUTDOWN.reason": [
        '4.0 safe introduced: "none", "host-error", "host-qmp-quit", "host-qmp-system-reset", "host-signal", "host-ui", '
        '"guest-shutdown", "guest-reset", "guest-panic" or "subsystem-reset" (qapi/run-state.json:159)',
        '7.2 risky value "snapshot-load" added (qapi/run-state.json:162)',
    ],
    "SHUTDOWN.reason.none": ["4.0 safe introduced (qapi/run-state.json:159)"],
    "SHUTDOWN.data.reason.snapshot-load": ["7.2 risky introduced (qapi/run-state.json:162)"],
    "BLOCK_IO_ERROR.qom-path": ["9.2 safe introduced: string (qapi/block-core.json:5630)"],
    "BLOCK_IO_ERROR.node-name": [
        "2.8 safe introduced: string (qapi/block-core.json:2703)",
        "2.12 breaking became optional (qapi/block-core.json:4449)",
    ],
    "MEM_UNPLUG_ERROR": [
        "2.4 safe introduced with device, msg (qapi/event.json:357)",
        "6.2 risky event deprecated (qapi/machine.json:1383)",
        "9.1 breaking removed (was qapi/machine.json:1567)",
    ],
    "MEM_UNPLUG_ERROR.msg": [
        "2.4 safe introduced: string (qapi/event.json:358)",
        "6.2 risky event deprecated (qapi/machine.json:1383)",
        "9.1 breaking removed (was qapi/machine.json:1568)",
    ],
    "DEBUG": ["0.12 safe introduced, without data (line 22)", "0.13 breaking removed (was line 22)"],
    "STOP": ["0.12 safe introduced, without data (line 16)"],
    "QUORUM_REPORT_BAD.ret": ["2.0 safe introduced: any (line 528)", "2.0 breaking removed (was line 528)"],
    # the first text leaves both to another one: naming them is no news on the wire
    "VNC_CONNECTED.server.host": ["0.13 doc introduced: string (line 76)"],
    "VNC_CONNECTED.server.family.vsock": ["2.8 risky introduced (qapi-schema.json:1099)"],
    "BLOCK_JOB_COMPLETED.type.commit": [
        "1.3 doc introduced, as an example of a string (line 77)",
        '2.1 doc described as string, now as "commit", "stream", "mirror" or "backup" (qapi/block-core.json:1569)',
    ],
    # in the release in which its event no longer depends on the build
    "RTC_CHANGE.qom-path": ["7.0 safe introduced: string (qapi/misc.json:555)"],
    "SPICE_MIGRATE_COMPLETED": [
        "2.1 safe introduced, without data (qapi/event.json:243)",
        "3.0 doc event depends on the build: CONFIG_SPICE (qapi/ui.json:362)",
    ],
    "GUEST_PANICKED.info.core": [
        '2.12 None introduced: integer (uint32) (where type is "s390") (qapi/run-state.json:409)',
    ],
    "GUEST_PANICKED.info": [
        "2.9 safe introduced: optional union by type (qapi/event.json:502)",
        '2.12 risky data.info.type: value "s390" added, with the members core, psw-mask, psw-addr, reason (qapi/run-state.json:351)',
    ],
}  # fmt: skip


@pytest.mark.parametrize("subject", LIVES)
def test_a_life(subject: str) -> None:
    """Up to 10.0: what a later release does to it changes nothing of that."""
    steps = [step for step in history(subject) if tuple(map(int, step.release.split("."))) <= (10, 0)]
    assert [f"{step.release} {step.level} {step.what} ({step.place})" for step in steps] == LIVES[subject]


def test_a_revision_of_the_text_is_told_with_the_release_that_first_had_it() -> None:
    first, second, *_ = history("BLOCK_IO_ERROR")
    assert (first.release, first.date, first.revision) == ("0.13", "2010-02-10", "aa1db6edaf")
    assert (second.release, second.date, second.revision) == ("0.13", "2010-03-08", "d74c7dfd1b")
    assert second.what == 'follow-up added: if action is "stop", STOP follows'


def test_the_line_is_the_text_up_to_2_0_and_then_a_schema_a_release() -> None:
    line = spec_line()
    assert [stage.release for stage in line][:6] == ["0.12", *["0.13"] * 5]
    after = [stage for stage in line if stage.rule_base.source == "schema"]
    assert after == list(line[-len(after) :])
    assert line[-len(after) - 1].entry.releases == ("2.0",)
    assert [stage.release for stage in (after[0], after[-1])] == ["2.1", catalogue.find("latest").id]
    assert all(stage.entry.releases == (stage.release,) for stage in after)


def test_every_event_ever_has_a_life_that_begins_and_ends() -> None:
    newest = spec_line()[-1]
    for event in {event for stage in spec_line() for event in stage.rule_base.events}:
        steps = history(event)
        assert steps[0].what.startswith("introduced")
        assert (steps[-1].what == f"still in {newest.release}") == (event in newest.rule_base.events)
        assert (steps[-1].what == "removed") == (event not in newest.rule_base.events)
        assert steps[0].level is Impact.SAFE
        assert [step.date for step in steps] == sorted(step.date for step in steps)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("10.0", "10.0 is a release: `qmpcheck diff OLD 10.0` shows what it changed"),
        ("SHUTDWN", 'no spec has an event "SHUTDWN" (did you mean SHUTDOWN?)'),
        ("SHUTDOWN.reson", 'SHUTDOWN has no member "reson" in any spec (did you mean reason?)'),
        ("SHUTDOWN.reson.none", 'SHUTDOWN has no member "reson" in any spec (did you mean reason?)'),
        ("SHUTDOWN.reason.guest-panik", 'SHUTDOWN.reason has no member or value "guest-panik" in any spec (did you mean guest-panic?)'),
        ("VNC_CONNECTED.server.hots", 'VNC_CONNECTED.server has no member or value "hots" in any spec (did you mean host?)'),
        ("GUEST_PANICKED.info.psw-maks", 'GUEST_PANICKED.info has no member or value "psw-maks" in any spec (did you mean psw-mask?)'),
        ("STOP.\x1b", 'STOP has no member "\\x1b" in any spec'),
        ("BLOCK_IO_ERROR.__com.redhat_reason", 'BLOCK_IO_ERROR has no member "__com.redhat_reason" in any spec'),
        ("SHUTDOWN.reason.none.x", "SHUTDOWN.reason.none is a value: nothing is inside it"),
        ("SHUTDOWN.reason.none.", "SHUTDOWN.reason.none is a value: nothing is inside it"),
        ("SHUTDOWN.reason=", 'SHUTDOWN.reason has no member or value "" in any spec'),
        ("SHUTDOWN.guest-reset", 'SHUTDOWN has no member "guest-reset" in any spec (did you mean SHUTDOWN.reason.guest-reset?)'),
        ("SHUTDOWN.", 'SHUTDOWN has no member "" in any spec'),
        ("", 'no spec has an event ""'),
    ],
)  # fmt: skip
def test_what_no_spec_has_is_told_with_what_is_near(subject: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        history(subject)
    assert str(error.value) == message


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "DEBUG"]) == 0
    assert (
        capsys.readouterr().out
        == """\
release    date        revision    level     what                      place
---------  ----------  ----------  --------  ------------------------  -----------
0.12       2009-12-03  e2419113dd  safe      introduced, without data  line 22
0.13       2010-03-08  51a3bd71b3  breaking  removed                   was line 22
"""
    )
    assert main(["history", "DEBUGGED"]) == 2
    assert capsys.readouterr().err == 'qmpcheck: no spec has an event "DEBUGGED" (did you mean DEBUG?)\n'
