"""What a script makes a client meet, and what is said about scripts that are wrong."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from qmp_talk import NEGOTIATE, Talk, connected
from test_replaying import FAST, GREETING, event

from qmpcheck.replaying import script, stream
from qmpcheck.replaying.background import QMPServer
from qmpcheck.replaying.release import ReplayedRelease
from qmpcheck.replaying.script import Script
from qmpcheck.replaying.stream import ReplayStream
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue


@contextmanager
def serving(tmp_path: Path, text: str, *lines: str) -> Iterator[QMPServer]:
    path = tmp_path / "script.toml"
    path.write_text(text)
    sessions = stream.sessions(line.encode() for line in (GREETING, *lines))
    played = ReplayStream("mine", ReplayedRelease(catalogue.find("7.2"), sessions[0].greeting), sessions)
    with QMPServer(played, Script(script.load(str(path))), FAST) as server:
        yield server


@contextmanager
def client(tmp_path: Path, text: str, *lines: str) -> Iterator[Talk]:
    with serving(tmp_path, text, *lines) as server, connected(server.path) as talk:
        yield talk


def names(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["event"] for line in lines]


def test_an_error_the_first_time(tmp_path: Path) -> None:
    text = """
[[meet]]
command = "query-block"
times = 1
error = { desc = "Device is busy" }
"""
    with client(tmp_path, text) as talk:
        assert talk.ask("query-block") == {"class": "GenericError", "desc": "Device is busy"}
        assert talk.ask("query-block") == []


def test_an_answer_and_events_after_it(tmp_path: Path) -> None:
    text = """
[[meet]]
command = "device_del"
return = { odd = 1 }
send = [{ event = "DEVICE_DELETED", data = { path = "/a" } }, { event = "NEWS" }]
"""
    with client(tmp_path, text) as talk:
        talk.send({"execute": "device_del", "arguments": {"id": "a"}, "id": 1})
        assert talk.read() == {"return": {"odd": 1}, "id": 1}
        events = [talk.read() for _ in range(3)]
        assert [each["event"] for each in events] == ["DEVICE_DELETED", "DEVICE_DELETED", "NEWS"]
        assert events[1]["data"] == {"path": "/a"}
        assert "data" not in events[2]


def test_a_command_that_no_release_knows_can_be_answered(tmp_path: Path) -> None:
    text = """
[[meet]]
command = "x-mine"
return = 7
"""
    with client(tmp_path, text) as talk:
        assert talk.ask("x-mine") == 7


def test_the_example_in_the_documentation_is_a_script(tmp_path: Path) -> None:
    page = Path(__file__).parent.parent / "docs" / "test-clients.md"
    [example] = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    path = tmp_path / "script.toml"
    path.write_text(example)
    assert len(script.load(str(path))) == example.count("[[meet]]")


def test_negotiation_can_fail(tmp_path: Path) -> None:
    text = """
[[meet]]
command = "qmp_capabilities"
times = 1
error = { desc = "not now" }
"""
    with (
        serving(tmp_path, text, event("STOP")) as server,
        connected(server.path, negotiate=False) as talk,
    ):
        talk.read()
        talk.send(NEGOTIATE, {"execute": "stop"}, NEGOTIATE)
        assert talk.read()["error"]["desc"] == "not now"
        assert talk.read()["error"]["class"] == "CommandNotFound"
        assert [talk.read(), talk.read()["event"]] == [{"return": {}}, "STOP"]


def test_a_hang_up_in_a_line(tmp_path: Path) -> None:
    text = """
[[meet]]
after = 1
hang-up = "in-a-line"
"""
    with client(tmp_path, text, event("STOP"), event("RESUME")) as talk:
        whole, half = talk.rest()
        assert names([whole]) == ["STOP"]
        assert event("RESUME").encode().startswith(half)
        assert 0 < len(half) < len(event("RESUME"))


def test_a_hang_up_between_lines(tmp_path: Path) -> None:
    text = """
[[meet]]
after = 1
hang-up = "between-lines"
"""
    with client(tmp_path, text, event("STOP"), event("RESUME")) as talk:
        assert names(talk.rest()) == ["STOP"]


def test_a_restart_once(tmp_path: Path) -> None:
    text = """
[[meet]]
after = 1
times = 1
restart = 0
"""
    lines = [event("STOP"), event("SHUTDOWN", guest=False, reason="host-qmp-quit")]
    with serving(tmp_path, text, *lines) as server:
        with connected(server.path) as talk:
            assert names(talk.rest()) == ["STOP"]
        while True:
            try:
                with connected(server.path) as talk:
                    assert names(talk.rest()) == ["STOP", "SHUTDOWN"]
            except OSError:  # nobody listens for a moment
                continue
            break


def test_an_event_before_the_greeting(tmp_path: Path) -> None:
    text = """
[[meet]]
connect = true
send = [{ event = "RESUME" }]
"""
    with serving(tmp_path, text) as server, connected(server.path, negotiate=False) as talk:
        assert talk.read()["event"] == "RESUME"
        assert "QMP" in talk.read()
        talk.send(NEGOTIATE)
        assert talk.read() == {"return": {}}


def test_an_event_of_a_newer_release(tmp_path: Path) -> None:
    text = """
[[meet]]
after = 0
send = [{ event = "BLOCK_IO_ERROR", spec = "11.1" }]
"""
    with client(tmp_path, text) as talk:
        assert "qom-path" in talk.read()["data"]


def test_a_delay_holds_up_the_answer_and_not_the_others(tmp_path: Path) -> None:
    text = """
[[meet]]
command = "query-block"
delay = 3600
"""
    with serving(tmp_path, text) as server, connected(server.path) as slow, connected(server.path) as other:
        slow.send({"execute": "query-block"})
        server.wait_for("query-block")
        assert other.ask("query-name") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: expected only [[meet]] tables"),
        ("a = 1", "1: expected only [[meet]] tables"),
        ("[[meet]]\ndelay = 1", "1: a step needs one of command, after and connect: when it happens"),
        ("[[meet]]\nafter = 1\nconnect = true\ndelay = 1", "1: a step needs one of command, after and connect: when it happens"),
        ("[[meet]]\nafter = 1", "1: a step needs at least one of error, return, delay, send, hang-up and restart: what happens"),
        ('[[meet]]\nafter = 1\nreturn = 1', "3: return answers a command: the step needs a command"),
        ('[[meet]]\ncommand = "a"\nreturn = 1\nerror = { desc = "b" }', "4: a step has an error or a return, not both"),
        ('[[meet]]\ncommand = "a"\ndelays = 1', '3: unknown key "delays" (did you mean delay?)'),
        ('[[meet]]\ncommand = "a"\nhangup = true', '3: unknown key "hangup" (did you mean hang-up?)'),
        ('[[meet]]\ncommand = "a"\n\nerror = { descr = "b" }', '4: unknown key "descr" (did you mean desc?)'),
        ('[[meet]]\ncommand = "a"\nerror = {}', '3: error: expected a table with desc, and perhaps class, such as { desc = "Device is busy" }'),
        ('[[meet]]\ncommand = 1\ndelay = 1', "2: command: expected the name of a command"),
        ('[[meet]]\ncommand = "a"\ndelay = -1', "3: delay: expected a number of seconds, 0 or more"),
        ('[[meet]]\ncommand = "a"\ndelay = nan', "3: delay: expected a number of seconds, 0 or more"),
        ('[[meet]]\ncommand = "a"\ndelay = 1\ntimes = 0', "4: times: expected a whole number, 1 or more"),
        ('[[meet]]\nafter = 0\nhang-up = "now"', '3: hang-up: expected "between-lines" or "in-a-line"'),
        ('[[meet]]\nafter = 0\nsend = [{ event = "STOPP", spec = "11.1" }]', '3: the spec has no event "STOPP" (did you mean STOP?)'),
        ('[[meet]]\nafter = 0\nsend = [{ event = "STOP", spec = "11.7" }]', '3: no spec is called "11.7"'),
        ('[[meet]]\nafter = 0\nsend = [{ event = "STOP", spec = "11.1", data = { a = 1 } }]', "3: an event has data, or a spec to take its data from, not both"),
        ("[[meet]]\nafter = ]", "2:9: Invalid value"),
    ],
)  # fmt: skip
def test_a_wrong_script_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "script.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as error:
        script.load(str(path))
    assert str(error.value).startswith(f"{path}:{message}")
