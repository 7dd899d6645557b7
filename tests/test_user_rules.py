"""Rules of the user's own."""

import json
import re
import textwrap
from pathlib import Path

import pytest
from checking import check
from rulebases import QAPI

from qmpcheck.checking import user_rules
from qmpcheck.rulebase import BUILD, EventRule, Member, Object, RuleBase, SpecError, String
from qmpcheck.specs import catalogue

RULES = catalogue.find("2.8:txt").rule_base
ROOT = Path(__file__).parents[1]


def line(event: str, seconds: float, **data: object) -> str:
    timestamp = {"seconds": int(seconds), "microseconds": round(seconds % 1 * 1_000_000)}
    return json.dumps({"timestamp": timestamp, "event": event, "data": data}) + "\n"


def job(event: str, seconds: float, device: str) -> str:
    return line(event, seconds, type="mirror", device=device, len=0, offset=0, speed=0)


def said(path: Path, stream: str) -> list[str]:
    own = user_rules.load(str(path), RULES)
    findings = check(RULES, stream, rules=tuple(own)).listed
    return [
        f"{each.line} {each.code} {each.message.split(', but ')[0]}"
        for each in findings
        if each.code > "QMP3"
    ]


def vnc(event: str, service: str) -> str:
    return line(event, 1, server={}, client={"host": "h", "service": service})


def test_a_member_that_another_vendor_added(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[rule]]\nevent = "X"\nthen = "Y"\nwhen."__com.redhat_reason" = "enospc"\n')
    vendors = Object((Member("__com.redhat_reason", String()),))
    [rule] = user_rules.load(str(path), RuleBase({"X": EventRule(vendors), "Y": EventRule()}, BUILD))
    assert rule.trigger.condition.when == ((("__com.redhat_reason",), ("enospc",)),)


def ost(seconds: float, **info: object) -> str:
    return line("ACPI_DEVICE_OST", seconds, info={"slot": "0", "slot-type": "DIMM", "status": 1} | info)


EJECTED = "ACPI_DEVICE_OST with info.source 3 and info.status 0 and info.device"
READY, COMPLETED = "BLOCK_JOB_READY", "BLOCK_JOB_COMPLETED"


@pytest.mark.parametrize(
    ("example", "stream", "expected"),
    [
        ("powerdown", line("POWERDOWN", 1) + line("SHUTDOWN", 100), []),
        ("powerdown", line("POWERDOWN", 1), ["1 QMP302 after POWERDOWN, SHUTDOWN follows"]),
        (
            "powerdown",
            line("POWERDOWN", 1) + line("SHUTDOWN", 122),
            ["1 QMP303 after POWERDOWN, SHUTDOWN follows"],
        ),
        (
            "powerdown",
            line("POWERDOWN", 1) + line("STOP", 122),
            ["1 QMP301 after POWERDOWN, SHUTDOWN follows"],
        ),
        ("block-jobs", job(READY, 1, "a") + job(COMPLETED, 2, "a"), []),
        (
            "block-jobs",
            job(READY, 1, "a") + job(READY, 1, "b") + job(COMPLETED, 2, "b"),
            [
                "1 QMP302 after BLOCK_JOB_READY, BLOCK_JOB_COMPLETED or BLOCK_JOB_CANCELLED of the same device follows"
            ],
        ),
        (
            "vnc-clients",
            vnc("VNC_CONNECTED", "1") + vnc("VNC_INITIALIZED", "1") + vnc("VNC_DISCONNECTED", "2"),
            [
                "3 QMP306 before VNC_DISCONNECTED, VNC_CONNECTED of the same client.host and client.service comes"
            ],
        ),
        (
            "device-removal",
            line("DEVICE_DELETED", 1, device="d", path="/d")
            + line("DEVICE_TRAY_MOVED", 2, device="c", id="c", **{"tray-open": True})
            + line("DEVICE_TRAY_MOVED", 2, device="d", id="d", **{"tray-open": True})
            + line("RESET", 3)
            + line("DEVICE_TRAY_MOVED", 4, device="d", id="d", **{"tray-open": True}),
            [
                "3 QMP307 after DEVICE_DELETED, BLOCK_IO_ERROR or DEVICE_TRAY_MOVED of the same device does not come until RESET"
            ],
        ),
        (
            "device-removal",
            ost(1, device="dimm3", source=3, status=0)
            + ost(2, device="dimm3", source=1)
            + ost(3, source=3, status=0)
            + line("DEVICE_DELETED", 4, device="net7", path="/machine/peripheral/net7"),
            [f"1 QMP302 after {EJECTED}, DEVICE_DELETED whose device is its info.device follows"],
        ),
        (
            "device-removal",
            ost(1, device="dimm3", source=3, status=0)
            + line("DEVICE_DELETED", 2, device="dimm3", path="/machine/peripheral/dimm3"),
            [],
        ),
    ],
)
def test_the_examples(example: str, stream: str, expected: list[str]) -> None:
    assert said(ROOT / "rules" / "examples" / f"{example}.toml", stream) == expected


@pytest.mark.parametrize("path", sorted((ROOT / "corpora").rglob("*.jsonl")), ids=lambda path: path.stem)
def test_the_examples_hold_for_jobs_and_devices_of_a_real_qemu(path: Path) -> None:
    for example in ("block-jobs", "device-removal", "vnc-clients"):
        stream = path.read_text()
        assert [
            each
            for each in said(ROOT / "rules" / "examples" / f"{example}.toml", stream)
            if "QMP302" not in each
        ] == []


GOOD = '[[rule]]\nevent = "POWERDOWN"\nthen = "SHUTDOWN"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: expected only [[rule]] tables"),
        ("rule = 1\n", "1: expected only [[rule]] tables"),
        ("rule = []\n", "1: expected only [[rule]] tables"),
        ("rule = [1, 2]\n", "1: expected only [[rule]] tables"),
        (
            '[[rule]]\nevent = "BLOCK_JOB_READY"\nthen = "STOP"\nwhen = { len = true }\n',
            '4: "len" cannot be true',
        ),
        (
            '[[rule]]\nevent = "BLOCK_JOB_READY"\nthen = "STOP"\nwhen = { device = 2020-01-01 }\n',
            '4: "device" cannot be',
        ),
        (
            '[[rule]]\nevent = "BLOCK_JOB_READY"\nthen = "STOP"\nwhen = { device = [] }\n',
            '4: "device": expected at least one value',
        ),
        ("[[rule]\n", "1:7: Expected ']]' at the end of an array declaration"),
        (GOOD + "[options]\n", "4: expected only [[rule]] tables"),
        (GOOD + '[rule.when]\nreason = "x"\n', '4: POWERDOWN has no member "reason"'),
        (GOOD + "[[rule]]\n", "4: a rule needs an event or a command"),
        (
            GOOD.replace("POWERDOWN", "POWERDOWNS"),
            '2: the spec has no event "POWERDOWNS" (did you mean POWERDOWN?)',
        ),
        (GOOD + GOOD.replace("SHUTDOWN", "OFF"), '6: the spec has no event "OFF"'),
        (
            GOOD + "then_ = 1\n",
            '4: unknown key "then_" (did you mean then?); a rule has the keys name, event, command, when, has, lacks, then, same, within, kind, until',
        ),
        (GOOD + "within = -1\n", "4: within: expected a number of seconds, 0 or more"),
        (GOOD + 'kind = "maybe"\n', '4: kind: expected "response", "precedence", "absence" or "never"'),
        (GOOD + 'until = "RESET"\n', '4: until: a rule of the kind "response" has none'),
        (GOOD + 'kind = "absence"\nwithin = 1\n', '5: within: a rule of the kind "absence" has none'),
        (GOOD + 'kind = "precedence"\nwithin = 1\n', '5: within: a rule of the kind "precedence" has none'),
        (GOOD + "when = { reason = 1 }\n", '4: POWERDOWN has no member "reason"'),
        (GOOD + 'same = "device"\n', '4: POWERDOWN has no member "device"'),
        (
            '[[rule]]\nevent = "WATCHDOG"\nthen = "STOP"\nwhen.action = "stop"\n',
            '4: "action" cannot be "stop"',
        ),
        (
            '[[rule]]\nevent = "WATCHDOG"\nthen = []\n',
            "3: then: expected the name of an event, a table { event = …, when = … }, or a list of these",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        user_rules.load(str(path), RULES)
    assert str(caught.value).removeprefix(f"{path}:").strip().startswith(message)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("port = 5000000000", '"port" cannot be 5000000000'),
        ("colour = 1", 'UNION has no member "colour"'),
        ('type = "tcp"', '"type" cannot be "tcp"'),
    ],
)
def test_a_condition_that_no_branch_of_a_union_can_meet(when: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f'[[rule]]\nevent = "UNION"\nthen = "OLD_VALUE"\nwhen = {{ {when} }}\n')
    with pytest.raises(SpecError, match=re.escape(f":4: {message}")):
        user_rules.load(str(path), QAPI)


NEW = catalogue.find("7.2")
"""A spec whose release has commands."""


def found(text: str, *messages: dict[str, object], tmp_path: Path) -> list[str]:
    path = tmp_path / "own.toml"
    path.write_text(text)
    own = tuple(user_rules.load(str(path), NEW.rule_base, (7, 2)))
    stream = "".join(json.dumps(each) + "\n" for each in messages)
    listed = check(NEW.rule_base, stream, complete=True, rules=own, command_rules="none").listed
    return [f"{each.line} {each.code} {each.message.split(', but ')[0]}" for each in listed]


def status(id: str, value: str) -> dict[str, object]:
    return json.loads(line("JOB_STATUS_CHANGE", 1, id=id, status=value))  # type: ignore[no-any-return]


def happened(event: str, **data: object) -> dict[str, object]:
    return json.loads(line(event, 1, **data) if data else line(event, 1).replace(', "data": {}', ""))  # type: ignore[no-any-return]


def command(name: str, **arguments: object) -> dict[str, object]:
    return {"execute": name, "arguments": arguments, "id": 1}


DONE: dict[str, object] = {"return": {}, "id": 1}

DISMISSED = """[[rule]]
name = "dismissed"
event = "JOB_STATUS_CHANGE"
when = { status = "created" }
then = { event = "JOB_STATUS_CHANGE", when = { status = "null" } }
same = "id"
"""
REMOVED = """[[rule]]
command = "device_del"
then = ["DEVICE_DELETED", { event = "DEVICE_UNPLUG_GUEST_ERROR", has = ["path"] }]
same = { id = "device" }
"""
DISMISSED_TEXT = 'dismissed: after JOB_STATUS_CHANGE with status "created", JOB_STATUS_CHANGE with status "null" of the same id follows'
REMOVED_TEXT = (
    "after device_del, DEVICE_DELETED or DEVICE_UNPLUG_GUEST_ERROR with path whose device is its id follows"
)


@pytest.mark.parametrize(
    ("text", "messages", "expected"),
    [
        (DISMISSED, [status("a", "created"), status("a", "running"), status("a", "null")], []),
        (DISMISSED, [status("a", "created"), status("a", "running")], [f"1 QMP301 {DISMISSED_TEXT}"]),
        (DISMISSED, [status("a", "created"), status("b", "null")], [f"1 QMP301 {DISMISSED_TEXT}"]),
        (
            REMOVED,
            [command("device_del", id="d"), DONE, happened("DEVICE_DELETED", device="d", path="/d")],
            [],
        ),
        (
            REMOVED,
            [command("device_del", id="d"), DONE, happened("DEVICE_DELETED", path="/d/backend")],
            [f"1 QMP301 {REMOVED_TEXT}"],
        ),
        (REMOVED, [command("device_del", id="d"), {"error": {}, "id": 1}], []),
        (
            '[[rule]]\nevent = "GUEST_PANICKED"\nkind = "never"\n',
            [happened("GUEST_PANICKED", action="pause")],
            ["1 QMP307 GUEST_PANICKED does not come"],
        ),
        (
            '[[rule]]\nevent = "GUEST_PANICKED"\nhas = ["info"]\nkind = "never"\n',
            [happened("GUEST_PANICKED", action="pause")],
            [],
        ),
        (
            '[[rule]]\ncommand = "quit"\nkind = "never"\n',
            [command("query-status"), DONE, command("quit")],
            ["3 QMP307 quit does not come"],
        ),
        (
            '[[rule]]\ncommand = "block-job-complete"\nthen = { event = "BLOCK_JOB_COMPLETED", lacks = ["error"] }\nsame = "device"\n',
            [
                command("block-job-complete", device="a"),
                DONE,
                happened(
                    "BLOCK_JOB_COMPLETED", type="mirror", device="a", len=0, offset=0, speed=0, error="no"
                ),
            ],
            [
                "1 QMP301 after block-job-complete, BLOCK_JOB_COMPLETED with no error of the same device follows"
            ],
        ),
    ],
)
def test_what_responses_carry_commands_and_what_never_comes(
    text: str, messages: list[dict[str, object]], expected: list[str], tmp_path: Path
) -> None:
    assert found(text, *messages, tmp_path=tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[rule]]\ncommand = "device-del"\nthen = "STOP"\n',
            '2: the release has no command "device-del" (did you mean device_del',
        ),
        (
            '[[rule]]\ncommand = "change"\nthen = "STOP"\n',
            '2: the release has no command "change"',
        ),  # gone since 6.0
        (
            '[[rule]]\ncommand = "device_del"\nwhen = { ids = "a" }\nthen = "STOP"\n',
            '3: device_del has no argument "ids" (did you mean id?)',
        ),
        ('[[rule]]\ncommand = "eject"\nwhen = { force = 1 }\nthen = "STOP"\n', '3: "force" cannot be 1'),
        ('[[rule]]\ncommand = "stop"\nthen = "STOP"\nwithin = 1\n', "4: within: a command has no timestamp"),
        (
            '[[rule]]\ncommand = "stop"\nevent = "STOP"\nthen = "STOP"\n',
            "2: a rule has an event or a command, not both",
        ),
        (
            '[[rule]]\nevent = "STOP"\nkind = "never"\nthen = "RESUME"\n',
            '4: then: a rule of the kind "never" has none',
        ),
        (
            '[[rule]]\nevent = "STOP"\n\nthen = [\n  { event = "RESUMED" },\n]\n',
            '4: the spec has no event "RESUMED" (did you mean RESUME',
        ),
        (
            '[[rule]]\nevent = "STOP"\nthen = { event = "RESET", wen = { guest = true } }\n',
            '3: unknown key "wen" (did you mean when',
        ),
        (
            '[[rule]]\nevent = "STOP"\nthen = { event = "RESET", when = { gues = true } }\n',
            '3: RESET has no member "gues" (did you mean guest?)',
        ),
        (
            '[[rule]]\nevent = "STOP"\nthen = { event = "RESET", when = { reason = "guest-rest" } }\n',
            '3: "reason" cannot be "guest-rest" (did you mean guest-reset',
        ),
        ('[[rule]]\nevent = "STOP"\nthen = { command = "cont" }\n', "3: then: expected the name of an event"),
        ('[[rule]]\nevent = "STOP"\nthen = "RESUME"\nhas = ["x"]\n', '4: STOP has no member "x"'),
        (
            '[[rule]]\nevent = "DEVICE_DELETED"\nthen = "RESET"\nsame = { device = "id" }\n',
            '4: RESET has no member "id"',
        ),
        (
            '[[rule]]\nname = "a,b"\nevent = "STOP"\nthen = "RESUME"\n',
            '2: name: expected printable characters, no comma, and no "QMP"',
        ),
        (
            '[[rule]]\nname = "qmp1"\nevent = "STOP"\nthen = "RESUME"\n',
            '2: name: expected printable characters, no comma, and no "QMP"',
        ),
        (DISMISSED + DISMISSED, '8: name: another rule is called "dismissed"'),
        ('[[rule]]\nname = 1\nevent = "STOP"\nthen = "RESUME"\n', "2: name: expected a string"),
        ('rule = [{ event = "STOP", then = "RESUMED" }]\n', '1: the spec has no event "RESUMED"'),
    ],
)
def test_what_is_wrong_with_the_new_keys_is_told_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        user_rules.load(str(path), NEW.rule_base, (7, 2))
    assert str(caught.value).removeprefix(f"{path}:").startswith(message)


def test_the_rules_in_the_documentation_are_rules(tmp_path: Path) -> None:
    rules = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "rules.md").read_text(), re.DOTALL)
    assert len(rules) == 11
    for text in rules:
        path = tmp_path / "own.toml"
        path.write_text(textwrap.dedent(text.replace("\n   ", "\n")))
        assert user_rules.load(str(path), NEW.rule_base, (7, 2))


def test_all_examples_can_be_read() -> None:
    for path in (ROOT / "rules" / "examples").glob("*.toml"):
        assert user_rules.load(str(path), NEW.rule_base, (7, 2))


def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(GOOD.encode() + b"# \xff\n")
    with pytest.raises(SpecError, match=r":4:3: not UTF-8$"):
        user_rules.load(str(path), RULES)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SpecError):
        user_rules.load("no/such/file.toml", RULES)
