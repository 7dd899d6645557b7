"""Rules of the user's own."""

import json
from pathlib import Path

import pytest
from checking import check

from qmpcheck import catalogue
from qmpcheck.checking import user_rules
from qmpcheck.rulebase import BUILD, EventRule, Member, Object, RuleBase, SpecError, String

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
        f"{each.line} {each.code} {each.message.split(':')[0]}" for each in findings if each.code > "QMP3"
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


EJECTED = "ACPI_DEVICE_OST with info.source is 3 and info.status is 0 and info.device"
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
        ("", "1: expected [[rule]] tables and nothing else"),
        ("rule = 1\n", "1: expected [[rule]] tables and nothing else"),
        ("rule = []\n", "1: expected [[rule]] tables and nothing else"),
        ("rule = [1, 2]\n", "1: expected [[rule]] tables and nothing else"),
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
            '4: "device" has no value',
        ),
        ("[[rule]\n", "1:7: Expected ']]' at the end of an array declaration"),
        (GOOD + "[options]\n", "4: expected [[rule]] tables and nothing else"),
        (GOOD + '[rule.when]\nreason = "x"\n', '4: POWERDOWN has no member "reason"'),
        (GOOD + "[[rule]]\n", "4: event names an event"),
        (
            GOOD.replace("POWERDOWN", "POWERDOWNS"),
            '2: the spec has no event "POWERDOWNS" (near: POWERDOWN)',
        ),
        (GOOD + GOOD.replace("SHUTDOWN", "OFF"), '6: the spec has no event "OFF"'),
        (
            GOOD + "then_ = 1\n",
            '4: unknown key "then_" (near: then, when, within); a rule has name, event, command, when, has, lacks, then, same, within, kind, until',
        ),
        (GOOD + "within = -1\n", "4: within is a number of seconds"),
        (GOOD + 'kind = "maybe"\n', '4: kind is "response", "precedence", "absence" or "never"'),
        (GOOD + 'until = "RESET"\n', '4: until does not go with kind "response"'),
        (GOOD + 'kind = "absence"\nwithin = 1\n', '5: within does not go with kind "absence"'),
        (GOOD + 'kind = "precedence"\nwithin = 1\n', '5: within does not go with kind "precedence"'),
        (GOOD + "when = { reason = 1 }\n", '4: POWERDOWN has no member "reason"'),
        (GOOD + 'same = "device"\n', '4: POWERDOWN has no member "device"'),
        (
            '[[rule]]\nevent = "WATCHDOG"\nthen = "STOP"\nwhen.action = "stop"\n',
            '4: "action" cannot be "stop"',
        ),
        ('[[rule]]\nevent = "WATCHDOG"\nthen = []\n', "3: then names an event, or several in a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        user_rules.load(str(path), RULES)
    assert str(caught.value).removeprefix(f"{path}:").strip().startswith(message)


def test_bytes_that_are_not_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(GOOD.encode() + b"# \xff\n")
    with pytest.raises(SpecError, match=r":4:3: not UTF-8$"):
        user_rules.load(str(path), RULES)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SpecError):
        user_rules.load("no/such/file.toml", RULES)
