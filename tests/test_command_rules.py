"""The rules about commands that come with qmpcheck: tiny transcripts, real ones, and the sentences that they cite."""

import functools
import json
import re
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from checking import check

from qmpcheck.checking import command_rules
from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.command_rules import CommandRule
from qmpcheck.checking.temporal_rule import Level
from qmpcheck.cli import main
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.specs import catalogue

ROOT = Path(__file__).parents[1]
SPECS = ROOT.parent / "shared" / "specs"
RULES = catalogue.find("7.2").rule_base
ALL = command_rules.all_rules()


def sent(command: str, number: object = 1, /, oob: bool = False, **arguments: object) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in arguments.items()}
    return {"exec-oob" if oob else "execute": command, "arguments": named, "id": number}


def ok(id: object = 1) -> dict[str, Any]:
    return {"return": {}, "id": id}


def error(id: object = 1) -> dict[str, Any]:
    return {"id": id, "error": {"class": "GenericError", "desc": "no"}}


def event(name: str, /, **data: object) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in data.items()}
    message: dict[str, Any] = {"timestamp": {"seconds": 1, "microseconds": 2}, "event": name}
    return message | ({"data": named} if named else {})


def status(id: str, value: str) -> dict[str, Any]:
    return event("JOB_STATUS_CHANGE", id=id, status=value)


def block_job(name: str, device: str) -> dict[str, Any]:
    return event(f"BLOCK_JOB_{name}", type="mirror", device=device, len=0, offset=0, speed=0)


def tray(open: bool, id: str = "cd") -> dict[str, Any]:
    return event("DEVICE_TRAY_MOVED", device="", id=id, tray_open=open)


STOP, RESUME, SUSPEND, DELETED = (
    event("STOP"),
    event("RESUME"),
    event("SUSPEND"),
    event("DEVICE_DELETED", device="d", path="/d"),
)
RESET = event("RESET", guest=False, reason="host-qmp-system-reset")
SHUTDOWN = event("SHUTDOWN", guest=False, reason="host-qmp-quit")
FIRST, DONE = sent("qmp_capabilities", 0), ok(0)
EVENTS_ON = [
    sent("migrate-set-capabilities", 9, capabilities=[{"capability": "events", "state": True}]),
    ok(9),
]


def said(
    *messages: dict[str, Any],
    complete: bool = True,
    level: Level = "strict",
    rule_base: RuleBase = RULES,
    **options: Any,
) -> list[str]:
    """The findings, as line, code and the name of the rule; the lines begin after `qmp_capabilities` and its reply."""
    stream = "".join(json.dumps(each) + "\n" for each in (FIRST, DONE, *messages))
    found = check(rule_base, stream, complete, command_rules=level, **({"series": (7, 2)} | options)).listed
    return [f"{each.line - 2} {each.code} {each.rule}" for each in found]


Transcripts = list[tuple[list[dict[str, Any]], list[str]]]

TRANSCRIPTS: Transcripts = [
    # the machine
    ([RESUME, sent("stop"), STOP, ok()], []),
    ([RESUME, sent("stop"), ok()], ["2 QMP301 stop-stops"]),
    ([sent("stop"), ok()], []),  # whether it runs is not known
    ([RESUME, STOP, sent("stop"), ok()], []),
    ([RESUME, SUSPEND, sent("stop"), ok()], []),
    ([RESUME, sent("stop"), error()], []),
    ([STOP, sent("cont"), RESUME, ok()], []),
    ([STOP, sent("cont"), ok()], ["2 QMP301 cont-resumes"]),
    ([STOP, sent("cont"), error()], []),
    ([sent("cont"), ok()], []),
    ([sent("system_reset"), RESET, ok()], []),
    (
        [sent("system_reset"), ok(), event("RESET", guest=True, reason="guest-reset")],
        ["1 QMP301 system-reset-resets"],
    ),
    ([sent("system_reset"), ok(), event("SHUTDOWN", guest=False, reason="host-qmp-system-reset")], []),
    ([sent("system_powerdown"), ok()], ["1 QMP301 powerdown-presses-button"]),
    ([sent("system_powerdown"), ok(), event("POWERDOWN")], []),
    ([STOP, sent("quit"), SHUTDOWN, ok()], []),
    ([STOP, sent("quit"), ok()], ["2 QMP301 quit-shuts-down"]),
    ([sent("quit"), ok()], ["1 QMP302 quit-may-shut-down"]),  # it may be a storage daemon
    ([STOP, sent("quit"), SHUTDOWN, ok(), sent("quit", 2), ok(2)], []),
    # a process that ends
    ([sent("system_reset"), ok(), SHUTDOWN], ["1 QMP302 system-reset-resets"]),
    ([sent("system_reset"), SHUTDOWN], ["1 QMP302 system-reset-resets"]),
    ([sent("system_reset"), ok(), sent("quit", 2), SHUTDOWN, ok(2)], ["1 QMP301 system-reset-resets"]),
    ([STOP, sent("quit"), SHUTDOWN, sent("system_reset", 2), ok(2)], []),
    ([sent("system_reset")], ["1 QMP301 system-reset-resets"]),  # no reply
    # jobs
    ([sent("block-job-cancel", device="a"), block_job("CANCELLED", "a"), ok()], []),
    (
        [sent("block-job-cancel", device="a"), block_job("CANCELLED", "b"), ok()],
        ["1 QMP301 block-job-cancel-ends"],
    ),
    (
        [
            block_job("READY", "a"),
            sent("block-job-cancel", device="a"),
            ok(),
            block_job("COMPLETED", "a"),
        ],
        [],
    ),
    (
        [
            block_job("READY", "a"),
            sent("block-job-cancel", device="a"),
            ok(),
            block_job("CANCELLED", "a"),
        ],
        ["2 QMP301 block-job-cancel-after-ready"],
    ),
    (
        [
            block_job("READY", "a"),
            sent("block-job-cancel", device="a", force=True),
            ok(),
            block_job("CANCELLED", "a"),
        ],
        [],
    ),
    (
        [
            block_job("READY", "b"),
            sent("block-job-cancel", device="a"),
            ok(),
            block_job("CANCELLED", "a"),
        ],
        [],
    ),
    (
        [
            block_job("READY", "a"),
            block_job("CANCELLED", "a"),
            sent("block-job-cancel", device="a"),
            ok(),
            block_job("CANCELLED", "a"),
        ],
        [],
    ),
    ([sent("block-job-complete", device="a"), ok()], ["1 QMP301 block-job-complete-completes"]),
    (
        [
            sent("blockdev-mirror", job_id="j", device="a", target="b", sync="full"),
            status("j", "created"),
            ok(),
        ],
        [],
    ),
    (
        [sent("blockdev-mirror", job_id="j", device="a", target="b", sync="full"), ok()],
        ["1 QMP301 job-is-created"],
    ),
    ([sent("blockdev-mirror", job_id="j", device="a", target="b", sync="full"), error()], []),
    ([sent("blockdev-mirror", device="a", target="b", sync="full"), ok()], []),  # its id is not known
    ([sent("job-cancel", id="j") | {"arguments": {"id": "j"}}, ok(), status("j", "aborting")], []),
    (
        [{"execute": "job-cancel", "arguments": {"id": "j"}, "id": 1}, ok(), status("j", "running")],
        ["1 QMP301 job-cancel-ends"],
    ),
    ([{"execute": "job-pause", "arguments": {"id": "j"}, "id": 1}, ok()], ["1 QMP302 job-pause-pauses"]),
    # a transaction's actions
    (
        [
            sent(
                "transaction",
                actions=[
                    {
                        "type": "blockdev-backup",
                        "data": {"job-id": j, "device": "d", "target": "t", "sync": "full"},
                    }
                    for j in "ab"
                ],
            ),
            status("a", "created"),
            ok(),
        ],
        ["1 QMP301 job-is-created"],
    ),
    # devices
    ([{"execute": "device_del", "arguments": {"id": "d"}, "id": 1}, ok(), DELETED], []),
    (
        [{"execute": "device_del", "arguments": {"id": "e"}, "id": 1}, ok(), DELETED],
        ["1 QMP302 device-del-deletes"],
    ),
    (
        [
            {"execute": "device_del", "arguments": {"id": "d"}, "id": 1},
            ok(),
            event("DEVICE_UNPLUG_GUEST_ERROR", device="d", path="/d"),
        ],
        [],
    ),
    (
        [{"execute": "eject", "arguments": {"id": "cd"}, "id": 1}, ok()],
        [],
    ),  # whether it has a tray is not known
    ([tray(False), {"execute": "eject", "arguments": {"id": "cd"}, "id": 1}, tray(True), ok()], []),
    (
        [tray(False), {"execute": "eject", "arguments": {"id": "cd"}, "id": 1}, ok()],
        ["2 QMP301 eject-opens-tray"],
    ),
    ([tray(True), {"execute": "eject", "arguments": {"id": "cd"}, "id": 1}, ok()], []),
    (
        [tray(True), {"execute": "blockdev-close-tray", "arguments": {"id": "cd"}, "id": 1}, ok()],
        ["2 QMP301 close-tray-closes"],
    ),
    # a reset closes a SCSI drive's tray without an event
    ([tray(True), RESET, sent("blockdev-close-tray", id="cd"), ok()], []),
    (
        [RESET, tray(True), sent("blockdev-close-tray", id="cd"), ok()],
        ["3 QMP301 close-tray-closes"],
    ),
    (
        [tray(False), {"execute": "blockdev-open-tray", "arguments": {"id": "cd"}, "id": 1}, ok()],
        [],
    ),  # the guest may hold it
    (
        [
            tray(False),
            {"execute": "blockdev-open-tray", "arguments": {"id": "cd", "force": True}, "id": 1},
            ok(),
        ],
        ["2 QMP301 open-tray-opens"],
    ),
    # exports, migration, dumps
    (
        [{"execute": "block-export-del", "arguments": {"id": "e"}, "id": 1}, ok()],
        ["1 QMP301 export-del-deletes"],
    ),
    (
        [
            {"execute": "block-export-del", "arguments": {"id": "e"}, "id": 1},
            event("BLOCK_EXPORT_DELETED", id="e"),
            ok(),
        ],
        [],
    ),
    ([sent("migrate", uri="tcp:h:1"), ok()], []),  # whether events are on is not known
    (
        [*EVENTS_ON, sent("migrate", uri="tcp:h:1"), ok()],
        ["3 QMP301 migrate-begins", "3 QMP301 migrate-ends"],
    ),
    ([*EVENTS_ON, sent("migrate", uri="tcp:h:1"), event("MIGRATION", status="setup"), error()], []),
    (
        [
            *EVENTS_ON,
            sent("migrate", uri="tcp:h:1"),
            event("MIGRATION", status="setup"),
            ok(),
            event("MIGRATION", status="completed"),
        ],
        [],
    ),
    ([EVENTS_ON[0], error(9), sent("migrate", uri="tcp:h:1"), ok()], []),
    (
        [sent("dump-guest-memory", protocol="file:f", paging=False, detach=True), ok()],
        ["1 QMP301 dump-completes"],
    ),
    ([sent("dump-guest-memory", protocol="file:f", paging=False), ok()], []),
    (
        [
            sent("dump-guest-memory", protocol="file:f", paging=False, detach=True),
            ok(),
            sent("quit", 2),
            ok(2),
            SHUTDOWN,
        ],
        ["1 QMP302 dump-completes"],
    ),
    # jobs of block devices
    ([sent("block-stream", job_id="j"), status("j", "created"), block_job("COMPLETED", "j"), ok()], []),
    ([sent("block-stream", job_id="j"), status("j", "created"), ok()], ["1 QMP301 block-stream-ends"]),
    ([sent("block-job-pause", device="j"), ok(), status("j", "running"), status("j", "paused")], []),
    (
        [sent("block-job-pause", device="j"), ok(), status("j", "paused")],
        ["3 QMP307 block-job-pause-is-silent"],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), TRANSCRIPTS)
def test_tiny_transcripts(messages: list[dict[str, Any]], expected: list[str]) -> None:
    assert said(*messages) == expected


FILTER, THRESHOLD = (
    event("NIC_RX_FILTER_CHANGED", name="n", path="/n"),
    event("BLOCK_WRITE_THRESHOLD", node_name="n", amount_exceeded=1, write_threshold=1),
)


ONCE: Transcripts = [
    ([FILTER, FILTER], []),  # another client may have asked
    ([sent("query-rx-filter"), ok(), FILTER, FILTER], ["4 QMP307 rx-filter-once"]),
    ([sent("query-rx-filter"), ok(), FILTER, sent("query-rx-filter"), ok(), FILTER], []),
    (
        [
            sent("query-rx-filter"),
            ok(),
            FILTER,
            {"execute": "query-rx-filter", "arguments": {"name": "m"}},
            FILTER,
        ],
        ["5 QMP307 rx-filter-once"],
    ),
    (
        [sent("query-rx-filter"), ok(), sent("query-rx-filter"), FILTER, ok(), FILTER],
        [],
    ),  # the first is older than the command
    (
        [
            {"execute": "block-set-write-threshold", "arguments": {"node-name": "n"}},
            {"return": {}},
            THRESHOLD,
            THRESHOLD,
        ],
        ["4 QMP307 write-threshold-once"],
    ),
    (
        [
            {"execute": "block-set-write-threshold", "arguments": {"node-name": "m"}},
            {"return": {}},
            THRESHOLD,
            THRESHOLD,
        ],
        [],
    ),
]


@pytest.mark.parametrize(("messages", "expected"), ONCE)
def test_events_that_come_once_for_each_command(messages: list[dict[str, Any]], expected: list[str]) -> None:
    assert [each for each in said(*messages) if "QMP304" not in each] == expected


def test_every_rule_is_broken_by_a_transcript() -> None:
    broken = {said.split()[2] for _, expected in TRANSCRIPTS + ONCE for said in expected}
    strict = {rule.name for rule in ALL if rule.level == "strict" and rule.is_of((7, 2))}
    assert strict <= broken, "the tables above lack a transcript that breaks these rules"


def test_replies_overtake_one_another_and_some_have_no_id() -> None:
    assert said(sent("system_reset", "a"), sent("query-status", "b", oob=True), ok("b"), error("a")) == []
    assert said({"execute": "system_reset"}, {"return": {}}, {"execute": "stop"}, {"error": {}}) == [
        "1 QMP301 system-reset-resets"
    ]
    assert said({"execute": "system_reset"}, {"error": {}}) == []
    assert said({"execute": "system_reset"}, {"return": {}}, complete=False) == [
        "1 QMP302 system-reset-resets"
    ]


def test_a_client_that_comes_back_may_have_missed_everything() -> None:
    greeting = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}, "capabilities": []}}
    assert said(greeting, RESUME, sent("system_reset"), ok(), greeting, sent("stop"), ok()) == [
        "3 QMP302 system-reset-resets"
    ]


def test_which_rules_count() -> None:
    dismissed = [{"execute": "job-dismiss", "arguments": {"id": "j"}, "id": 1}, ok()]
    assert said(*dismissed) == []
    assert said(*dismissed, level="all") == ["1 QMP301 job-dismiss-deletes"]
    assert said(sent("system_reset"), ok(), level="none") == []


def test_a_snapshot_that_cannot_be_saved_need_not_stop_the_machine() -> None:
    saved = sent("snapshot-save", job_id="j", tag="t", vmstate="a", devices=["a"])
    started = [RESUME, saved, status("j", "created"), status("j", "running"), ok()]
    assert said(*started, status("j", "aborting"), level="all") == []
    assert said(*started, status("j", "concluded"), level="all") == ["2 QMP301 snapshot-stops"]


def test_rules_are_selected_and_ignored_by_name() -> None:
    assert said(sent("system_reset"), ok(), ignored=frozenset(["system-reset-resets"])) == []
    only: dict[str, Any] = {"codes": frozenset(["QMP101"]), "selected": frozenset(["system-reset-resets"])}
    assert said(sent("system_reset"), ok(), sent("system_powerdown"), ok(), **only) == [
        "1 QMP301 system-reset-resets"
    ]


def test_the_release_and_the_spec_decide_which_rules_there_are() -> None:
    messages = [sent("system_reset"), ok(), event("RESET")]
    old = catalogue.find("2.5").rule_base
    assert said(*messages, rule_base=old, series=(2, 5)) == []
    assert said(*messages[:2], rule_base=old, series=(2, 5)) == ["1 QMP301 system-reset-resets"]
    assert said(*messages[:2], rule_base=RULES, series=None) == []  # of no release that is known
    without = RuleBase({name: rule for name, rule in RULES.events.items() if name != "SHUTDOWN"}, "build")
    assert said(STOP, sent("quit"), ok(), rule_base=without) == []
    assert said(*messages[:2], rule_base=catalogue.find("v6").rule_base) == []


def test_a_finding_says_the_command_and_how_far_the_search_went() -> None:
    hostile = "\x1b[31m" + "x" * 500
    stream = [
        FIRST,
        DONE,
        {"execute": "device_del", "arguments": {"id": hostile}, "id": 5},
        {"return": {}, "id": 5},
        STOP,
    ]
    [finding] = check(RULES, "".join(json.dumps(each) + "\n" for each in stream), series=(7, 2)).listed
    assert finding.event == "device_del"
    assert finding.text.startswith(
        "device-del-deletes: after device_del, DEVICE_DELETED, DEVICE_UNPLUG_GUEST_ERROR or MEM_UNPLUG_ERROR whose device is "
        "its id follows, but none has come yet (its reply is on line 4); its arguments are "
    )
    assert finding.text.endswith(" (searched up to line 5)")
    assert "\x1b" not in finding.text
    assert len(finding.text) < 500


@pytest.mark.parametrize(
    "spec", ["2.1", "2.5", "2.8", "3.0", "4.0", "5.2", "6.2", "7.2", "8.2", "9.0", "9.1", "10.0"]
)
def test_no_rule_of_a_release_is_lost_to_its_spec(spec: str) -> None:
    series = command_rules.release(spec)
    found = {rule.name for rule in command_rules.of_release(catalogue.find(spec).rule_base, series, "all")}
    assert found == {each.name for each in ALL if each.is_of(series)}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{rule.name}-{rule.since}")
def test_each_rule_is_as_it_should_be(rule: CommandRule) -> None:
    assert re.fullmatch(r"[a-z-]+", rule.name), "a name has small letters and hyphens"
    assert bool(rule.cites) == (rule.level != "conventional"), (
        "strict rules cite a sentence, and no others do"
    )
    ranges = [
        (each.since, each.before)
        for each in ALL
        if each.name == rule.name and each.command == rule.command and each.has == rule.has
    ]
    releases = sorted(
        (command_rules.release(since), command_rules.release(before) if before else (99, 0))
        for since, before in ranges
    )
    assert all(first[1] <= second[0] for first, second in pairwise(releases))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "explain cpu-unplug-silent",
            ["(erratum about DEVICE_DELETED)", "The last release that shows it: 10.0"],
        ),
        (
            "explain cont-resumes",
            [
                "after cont, RESUME follows",
                "qapi/run-state.json:217 of 10.0",
                "shows that this is so: stopped",
            ],
        ),
        ("explain job-dismiss-deletes", ["no document states it"]),
        ("explain device-del-deletes", ["since 9.1", "since 2.1, before 2.4", "never missing, only pending"]),
        (
            "show 7.2 DEVICE_DELETED",
            [
                "device-del-deletes (since 6.2, qapi/qdev.json:99 of 10.0): after device_del",
                "cpu-unplug-silent: ",
            ],
        ),
        (
            "show 11.0 RESUME",
            ["cont-resumes (since 2.1, qapi/run-state.json:217 of 10.0): after cont, RESUME"],
        ),
    ],
)
def test_what_commands_promise_can_be_looked_up(
    arguments: str, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments.split()) == 0
    out = capsys.readouterr().out
    assert [each for each in expected if each not in " ".join(out.split())] == []


def test_an_erratum_that_is_over_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "11.0", "DEVICE_DELETED"]) == 0
    assert "cpu-unplug-silent" not in capsys.readouterr().out


def test_a_mistyped_name_has_a_suggestion(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["explain", "cont-resume"]) == 2
    assert "did you mean cont-resumes" in capsys.readouterr().err
    stream = tmp_path / "s.jsonl"
    stream.write_text(json.dumps(STOP) + "\n")
    assert main(["validate", str(stream), "--spec", "7.2", "--ignore", "cont-resume"]) == 2
    assert (
        'ignore: "cont-resume" is neither a code nor the name of a rule (did you mean cont-resumes'
        in capsys.readouterr().err
    )


def test_names_select_and_ignore_rules_of_both_kinds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[rule]]\nname = "no stop here"\nevent = "STOP"\nkind = "never"\n')
    stream = tmp_path / "s.jsonl"
    stream.write_text(
        "".join(json.dumps(each) + "\n" for each in (STOP, sent("cont"), ok(), sent("system_reset"), ok()))
    )

    def found(*options: str) -> list[str]:
        main(
            [
                "validate",
                str(stream),
                "--spec",
                "7.2",
                "--complete",
                "--rules",
                str(own),
                "--format",
                "json",
                *options,
            ]
        )
        return [
            f"{each['line']} {each['code']}" for each in json.loads(capsys.readouterr().out)["diagnostics"]
        ]

    assert found() == ["1 QMP307", "2 QMP301", "4 QMP301"]
    assert found("--ignore", "no stop here,cont-resumes") == ["4 QMP301"]
    assert found("--select", "cont-resumes") == ["2 QMP301"]
    assert found("--select", "QMP307,system-reset-resets") == ["1 QMP307", "4 QMP301"]
    assert found("--command-rules", "none") == ["1 QMP307"]


def test_formats_that_keep_only_one_side_are_not_checked_by_what_they_lack(tmp_path: Path) -> None:
    """Incus logs commands without their replies: whether one failed is not known."""
    lines = [
        "[2026-01-01T00:00:00Z] QUERY: " + json.dumps({"execute": "system_reset"}),
        "[2026-01-01T00:00:00Z] QUERY: " + json.dumps(sent("stop")),
    ]
    log = tmp_path / "qemu.qmp-0.log"
    log.write_text("\n".join([*lines, "[2026-01-01T00:00:00Z] EVENT: " + json.dumps(STOP), ""]))
    assert main(["validate", str(log), "--spec", "7.2", "--complete", "--input", "incus"]) == 0


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('event = "STOP"\nkind = "never"', ["1 QMP307"]),
        ('event = "STOP"\nkind = "absence"\nthen = "RESET"', ["2 QMP307"]),
        ('event = "STOP"\nkind = "absence"\nthen = "RESET"\nuntil = "RESUME"', []),  # it may have come
        ('event = "STOP"\nthen = "RESUME"', []),
        ('event = "RESET"\nkind = "precedence"\nthen = "RESUME"', []),
        ('command = "stop"\nkind = "absence"\nthen = "RESET"', []),  # it may have failed
        ('command = "stop"\nkind = "never"', ["3 QMP307"]),
    ],
)
@pytest.mark.parametrize("selected", [[], ["--select", "own"]], ids=["all", "selected"])
def test_a_log_without_some_events_and_replies_shows_what_came_and_not_what_did_not(
    rule: str,
    expected: list[str],
    selected: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    events = (STOP, {**STOP, "event": "RESET", "data": {"guest": False, "reason": "guest-reset"}})
    log, rules = tmp_path / "qemu.qmp-0.log", tmp_path / "own.toml"
    lines = [f"[2026-01-01T00:00:00Z] EVENT: {json.dumps(each)}\n" for each in events]
    log.write_text("".join([*lines, f"[2026-01-01T00:00:00Z] QUERY: {json.dumps(sent('stop'))}\n"]))
    rules.write_text(f'[[rule]]\nname = "own"\n{rule}\n')
    options = ["--spec", "7.2", "--complete", "--input", "incus", "--rules", str(rules), *selected]
    main(["validate", str(log), *options, "--format", "json"])
    said = capsys.readouterr()
    found = json.loads(said.out)["diagnostics"]
    assert [f"{each['line']} {each['code']}" for each in found] == expected
    assert ('can lack the greeting, replies and some events: rule "own"' in said.err) == (not expected)


def test_the_same_however_a_stream_is_cut() -> None:
    path = ROOT / "corpora" / "commands-7.2.22" / "mirror.jsonl"
    lines = [line for line in path.read_bytes().split(b"\n") if b"CANCELLED" not in line]
    whole = Checker(RULES)
    whole.feed(lines)
    expected = whole.finish(complete=True)
    assert expected.counts
    for size in (1, 2, 3, 7):
        cut = Checker(RULES)
        for at in range(0, len(lines), size):
            cut.feed(lines[at : at + size])
        assert cut.finish(complete=True) == expected


def test_a_stream_without_commands_knows_nothing_of_one_before_it() -> None:
    """The same checker, or another one, finds the same in a stream."""
    first = [FIRST, DONE, RESUME]
    second = [FIRST, DONE, sent("stop"), ok()]
    checker = Checker(RULES, CheckOptions(series=(7, 2)))
    for stream, expected in (
        (first, []),
        (second, []),
        ([RESUME, *second], ["QMP301"]),
        ([FIRST, RESUME, *second[2:]], ["QMP301"]),
    ):
        checker.feed([json.dumps(each).encode() for each in stream])
        assert [each.code for each in checker.finish(complete=True).listed] == expected


@functools.cache
def comments(release: str) -> dict[str, str]:
    """The comment on each definition of a release's schema, without its signs."""
    text = "\n".join(path.read_text() for path in sorted((SPECS / "qapi" / release).rglob("*.json")))
    found = re.findall(r"^##\n((?:#.*\n)*?)##$", text, re.MULTILINE)
    return {each.split()[1].strip("@:"): plain(each) for each in found if each.startswith("# @")}


def plain(text: str) -> str:
    return " ".join(re.sub(r"[@'`]|^#", "", text, flags=re.MULTILINE).split())


def sentence(words: tuple[str, ...]) -> re.Pattern[str]:
    """Matches a sentence that has these words in their order."""
    return re.compile(r"(?:(?!\. ).)*?".join(rf"\b{re.escape(word)}" for word in words), re.IGNORECASE)


@pytest.mark.skipif(not SPECS.exists(), reason="no schemas at ../shared/specs")
@pytest.mark.parametrize(
    "rule", [each for each in ALL if each.cites], ids=lambda rule: f"{rule.name}-{rule.since}"
)
def test_the_sentence_that_a_rule_cites_is_in_every_release_since(rule: CommandRule) -> None:
    assert rule.cites
    pattern = sentence(rule.cites.words)
    releases = [each["release"] for each in json.loads((SPECS / "qapi.json").read_text())]
    concerned = [each for each in releases if rule.is_of(command_rules.release(each.rpartition(".")[0]))]
    assert concerned
    assert [each for each in concerned if not pattern.search(comments(each)[rule.cites.definition])] == []
    cited = (SPECS / "qapi" / f"{rule.cites.release}.0" / rule.cites.file).read_text().split("\n")
    assert pattern.search(plain("\n".join(cited[rule.cites.line - 1 : rule.cites.line + 3])))


def test_a_mistake_in_the_shipped_rules_names_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[state]\n[[rule]]\nname = "a bell rings"\ncommand = "ring"\nsinse = "7.2"\n'
    monkeypatch.setattr(catalogue, "rules_file", lambda _: text.encode())
    command_rules.all_rules.cache_clear()
    command_rules._file.cache_clear()
    try:
        with pytest.raises(SpecError, match='"a bell rings": unknown key "sinse"'):
            command_rules.all_rules()
    finally:
        command_rules._file.cache_clear()


def test_memory_does_not_grow_with_commands_that_fail() -> None:
    checker = Checker(RULES, CheckOptions(series=(7, 2)))

    def feed(begin: int) -> int:
        for at in range(begin, begin + 4000):
            command = sent("block-stream", device="d", job_id=f"job-{at}")
            checker.feed([json.dumps(each).encode() for each in (command, error())])
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = feed(0)
        assert feed(4000) - first < 100_000
    finally:
        tracemalloc.stop()
