"""A server for clients: what it sends, answers and survives."""

import functools
import json
import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from qmp_talk import NEGOTIATE, Talk, connected

from qmpcheck.checking.command_info import all_commands
from qmpcheck.replaying import stream
from qmpcheck.replaying.background import QMPServer
from qmpcheck.replaying.conversation import Options
from qmpcheck.replaying.release import CommandFailed, ReplayedRelease
from qmpcheck.replaying.stream import ReplayStream
from qmpcheck.specs import catalogue, introspection
from qmpcheck.version import of_greeting

CORPORA = Path(__file__).parent.parent / "corpora"
FAST = Options(math.inf)

GREETING = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "mine"}, "capabilities": ["oob"]}}'


def event(name: str, second: float = 1, **data: Any) -> str:
    stamp = {"seconds": int(second), "microseconds": int(second % 1 * 1e6)}
    return json.dumps({"timestamp": stamp, "event": name, **({"data": data} if data else {})})


@contextmanager
def serving(*lines: str, spec: str = "7.2", options: Options = FAST) -> Iterator[QMPServer]:
    """A server of a recording that holds these lines."""
    sessions = stream.sessions(line.encode() for line in lines)
    greeting = next((each.greeting for each in sessions if each.greeting), None)
    with QMPServer(
        ReplayStream("mine", ReplayedRelease(catalogue.find(spec), greeting), sessions), options=options
    ) as server:
        yield server


@contextmanager
def client(*lines: str, spec: str = "7.2", negotiate: bool = True) -> Iterator[Talk]:
    """A client of a recording that holds these lines."""
    with serving(*lines, spec=spec) as server, connected(server.path, negotiate=negotiate) as talk:
        yield talk


# the protocol


def test_it_greets_as_the_recording_or_else_as_the_release() -> None:
    with client(GREETING, negotiate=False) as talk:
        assert talk.line() == GREETING.encode() + b"\r\n"
    with client(spec="2.9", negotiate=False) as talk:
        assert talk.line() == (
            b'{"QMP": {"version": {"qemu": {"micro": 0, "minor": 9, "major": 2}, "package": ""}, "capabilities": []}}\r\n'
        )


def test_nothing_comes_before_negotiation() -> None:
    with client(GREETING, event("STOP"), negotiate=False) as talk:
        talk.read()
        talk.send({"execute": "query-status", "id": 1}, {"execute": "nonsense"}, NEGOTIATE, NEGOTIATE)
        error = {
            "class": "CommandNotFound",
            "desc": "Expecting capabilities negotiation with 'qmp_capabilities'",
        }
        assert talk.read() == {"id": 1, "error": error}
        assert talk.read() == {"error": error}
        assert talk.read() == {"return": {}}
        rest = sorted(map(str, [talk.read(), talk.read()]))
        assert "Capabilities negotiation is already complete, command ignored" in rest[0]
        assert "STOP" in rest[1]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (b'{"execute": "system_reset", "id": [1, {"a": "\xc3\xa9"}]}', {"id": [1, {"a": "é"}], "return": {}}),
        ({"execute": "query-block"}, {"return": []}),
        ({"execute": "ringbuf-read", "arguments": {"device": "c", "size": 1}}, {"return": ""}),
        ({"execute": "nonsense"}, "The command nonsense has not been found"),
        ({"execute": "query-status", "arguments": {"a": 1}}, "Parameter 'a' is unexpected"),
        ({"execute": "balloon"}, "Parameter 'value' is missing"),
        ({"execute": "balloon", "arguments": {"value": "x"}}, "Invalid parameter type for 'value', expected: integer"),
        ({"exec-oob": "query-yank"}, "QMP input member 'exec-oob' is unexpected"),
        ({"id": 9}, "QMP input lacks member 'execute'"),
        (b"[1]", "QMP input must be a JSON object"),
        (b"{'execute': no}", "JSON parse error, invalid keyword 'no'"),
    ],
)  # fmt: skip
def test_a_command_is_answered(message: Any, answer: Any) -> None:
    with client(GREETING) as talk:
        talk.send(message)
        reply = talk.read()
        while "event" in reply:
            reply = talk.read()
        assert reply == answer or reply["error"]["desc"] == answer


def test_out_of_band_commands_are_taken_once_enabled() -> None:
    with client(GREETING, negotiate=False) as talk:
        talk.read()
        talk.send({"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}})
        talk.send({"exec-oob": "query-yank", "id": 1}, {"exec-oob": "query-status"}, {"exec-oob": "nonsense"})
        assert talk.read() == {"return": {}}
        assert talk.read() == {"return": [], "id": 1}
        assert talk.read()["error"]["desc"] == "The command query-status does not support OOB"
        assert talk.read()["error"]["desc"] == "The command nonsense has not been found"


def test_a_release_without_out_of_band_does_not_enable_it() -> None:
    with client(spec="2.9", negotiate=False) as talk:
        talk.read()
        talk.send({"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}})
        assert talk.read()["error"]["desc"] == "Capability oob not available"


# what a release says about itself


@pytest.mark.parametrize(("spec", "status"), [
    ("8.2", {"status": "running", "singlestep": False, "running": True}),
    ("9.0", {"status": "running", "running": True}),
])  # fmt: skip
def test_queries_are_answered_as_the_release_answers_them(spec: str, status: dict[str, Any]) -> None:
    major, minor = map(int, spec.split("."))
    with client(spec=spec) as talk:
        assert talk.ask("query-status") == status
        assert talk.ask("query-version") == {
            "qemu": {"micro": 0, "minor": minor, "major": major},
            "package": "",
        }
        schema = introspection.read(talk.ask("query-qmp-schema"))
    assert schema.events.keys() == catalogue.find(spec).rule_base.events.keys()


def test_commands_are_those_of_the_release() -> None:
    with client(spec="3.0") as old, client(spec="11.1") as new:
        names = [{each["name"] for each in talk.ask("query-commands")} for talk in (old, new)]
        assert "query-cpus" in names[0] - names[1]
        assert "yank" in names[1] - names[0]
        assert old.ask("yank", instances=[])["class"] == "CommandNotFound"
        assert {"name": "STOP"} in old.ask("query-events")


def test_no_argument_that_a_real_build_took_is_refused() -> None:
    """In the corpora, what was answered without an error had the right arguments."""
    taken = 0
    release = functools.cache(lambda version: ReplayedRelease(catalogue.of_version(version)))
    for path in sorted(CORPORA.glob("*/*.jsonl")):
        for each in stream.read(str(path)):
            for key, replies in each.replies.items():
                name, arguments = json.loads(key)
                if name in all_commands() and name != "qmp_capabilities" and "return" in replies[0]:
                    release(of_greeting(each.greeting)).answer(name, arguments, "running")
                    taken += 1
    assert taken > 50


def test_a_command_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(CommandFailed):
        ReplayedRelease(catalogue.find("7.2")).answer("balloon", {"value": True}, "running")


# events


def test_events_come_byte_for_byte_and_the_end_of_the_recording_is_the_end_of_qemu() -> None:
    lines = [
        event("STOP"),
        '{"event":"NEWS" ,  "data": {}}',
        "no JSON at all",
        event("SHUTDOWN", guest=False),
    ]
    with client(GREETING, *lines) as talk:
        assert talk.rest() == [line.encode() + b"\r\n" for line in lines]


def test_a_machine_that_did_not_end_stays() -> None:
    with client(GREETING, event("STOP")) as talk:
        assert talk.read()["event"] == "STOP"
        assert talk.ask("query-status")["status"] == "paused"


def test_each_session_of_a_recording_is_a_connection() -> None:
    other = GREETING.replace("mine", "other")
    with serving(GREETING, event("STOP"), other, event("RESUME")) as server:
        for package, name in [("mine", "STOP"), ("other", "RESUME"), ("mine", "STOP")]:
            with connected(server.path, negotiate=False) as talk:
                assert talk.read()["QMP"]["version"]["package"] == package
                talk.send(NEGOTIATE)
                assert [talk.read(), talk.read()["event"]] == [{"return": {}}, name]


def test_an_event_before_the_greeting_comes_before_it() -> None:
    with client(event("STOP"), GREETING, negotiate=False) as talk:
        assert talk.read()["event"] == "STOP"
        assert "QMP" in talk.read()


def test_commands_get_the_answers_of_the_recording_in_order_and_then_the_last_one() -> None:
    recording = [
        GREETING,
        '{"execute": "query-block", "id": 1}',
        '{"execute": "query-name", "id": 2}',
        '{"return": {"name": "vm"}, "id": 2}',
        '{"return": [1], "id": 1}',
        '{"execute": "query-block"}',
        '{"error": {"class": "GenericError", "desc": "busy"}}',
        '{"execute": "device_del", "arguments": {"id": "a"}}',
        '{"error": {"class": "DeviceNotFound", "desc": "none"}}',
    ]
    with client(*recording) as talk:
        assert talk.ask("query-name") == {"name": "vm"}
        assert talk.ask("query-block") == [1]
        assert talk.ask("query-block") == {"class": "GenericError", "desc": "busy"}
        assert talk.ask("query-block") == {"class": "GenericError", "desc": "busy"}
        assert talk.ask("device_del", id="a") == {"class": "DeviceNotFound", "desc": "none"}
        assert talk.ask("device_del", id="b") == {}


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["stop"], ["STOP", "stop"]),
        (["stop", "stop", "cont"], ["STOP", "stop", "stop", "RESUME", "cont"]),
        (["cont"], ["cont"]),
        (["system_reset"], ["RESET", "system_reset"]),
        (["quit"], ["SHUTDOWN", "quit", ""]),
    ],
)
def test_commands_cause_events(commands: list[str], expected: list[str]) -> None:
    with client(GREETING) as talk:
        talk.send(*({"execute": name, "id": name} for name in commands))
        found = [json.loads(talk.line() or b'{"id": ""}') for _ in expected]
        assert [each.get("event", each.get("id")) for each in found] == expected


def test_a_deleted_device_is_named_after_the_reply() -> None:
    with client(GREETING) as talk:
        talk.send({"execute": "device_del", "arguments": {"id": "net0"}, "id": 1})
        assert talk.read() == {"return": {}, "id": 1}
        deleted = talk.read()
        assert deleted["event"] == "DEVICE_DELETED"
        assert deleted["data"]["device"] == "net0"


def test_what_a_recording_answered_causes_nothing_more() -> None:
    answered = ['{"execute": "stop"}', '{"return": {}}']
    with client(GREETING, *answered) as talk:
        talk.send({"execute": "stop"}, {"execute": "query-status"})
        assert talk.read() == {"return": {}}
        assert talk.read()["return"]["status"] == "running"


def test_a_rate_limited_event_waits_and_the_last_one_comes() -> None:
    with serving(GREETING) as server, connected(server.path) as talk:
        for actual in (1, 2, 3):
            server.send("BALLOON_CHANGE", actual=actual)
        server.send("POWERDOWN")
        found = [talk.read() for _ in range(3)]
        assert [each["event"] for each in found] == ["BALLOON_CHANGE", "POWERDOWN", "BALLOON_CHANGE"]
        assert [found[0]["data"], found[2]["data"]] == [{"actual": 1}, {"actual": 3}]
        first, last = (
            each["timestamp"]["seconds"] * 10**6 + each["timestamp"]["microseconds"] for each in found[::2]
        )
        assert last - first >= 990_000


def test_a_limit_is_for_each_key() -> None:
    with serving(GREETING) as server, connected(server.path) as talk:
        for port in ("a", "b"):
            server.send("VSERPORT_CHANGE", id=port, open=True)
        assert [talk.read()["data"]["id"] for _ in range(2)] == ["a", "b"]


def test_events_keep_their_pace() -> None:
    """The second event comes an hour after the first: what is asked meanwhile is answered before it."""
    an_hour = [GREETING, event("STOP", 1), event("RESUME", 3601)]
    with serving(*an_hour, options=Options(1)) as server, connected(server.path) as talk:
        assert talk.read()["event"] == "STOP"
        talk.send({"execute": "query-status"})
        assert talk.read()["return"]["status"] == "paused"
    with serving(*an_hour, options=Options(36_000)) as server, connected(server.path) as talk:
        assert [talk.read()["event"] for _ in range(2)] == ["STOP", "RESUME"]


def test_strange_messages_in_a_recording_disturb_nobody() -> None:
    strange = [
        '{"QMP": 1}',
        event("DEVICE_TRAY_MOVED", id=["a"], **{"tray-open": True}),
        event("VSERPORT_CHANGE", id={"a": 1}),
        '{"event": "STOP", "timestamp": {"seconds": "soon"}, "data": []}',
        '{"execute": 1, "id": [2]}',
        '{"return": 1e999, "id": [2]}',
    ]
    with client(*strange) as talk:
        assert len([talk.line() for _ in range(3)]) == 3
        assert talk.ask("eject", id="a") == {}
        assert talk.ask("query-version") == {}


# a server in a test


def test_a_test_sees_what_the_client_sent_and_what_it_survives() -> None:
    with serving(GREETING) as server:
        with connected(server.path) as talk:
            talk.ask("query-status")
            assert server.wait_for("query-status") == {"execute": "query-status", "arguments": {}}
            assert server.commands[0] == NEGOTIATE
            server.hang_up()
            assert talk.rest() == []
        with connected(server.path) as talk:
            server.restart()
            assert talk.rest() == []
        with pytest.raises(
            TimeoutError, match="no stop within 0 s; the clients sent qmp_capabilities, query-status"
        ):
            server.wait_for("stop", 0)


# many and rude clients


def test_hundreds_of_clients_at_once_are_served_each_from_the_beginning() -> None:
    lines = [event("STOP", second) for second in range(20)]
    with serving(GREETING, *lines) as server, ExitStack() as stack:
        talks = [stack.enter_context(connected(server.path)) for _ in range(300)]
        for talk in talks:
            assert [talk.read()["timestamp"]["seconds"] for _ in lines] == [*range(20)]
        for talk in talks:
            talk.send({"execute": "query-name", "id": 1})
        assert all(talk.read() == {"return": {}, "id": 1} for talk in talks)


@pytest.mark.parametrize(
    "garbage",
    [b'{"execute": "query-', b"\xff\x00" * 1000, b"x" * (3 << 20), b'{"a": "' + b"x" * (3 << 20), b"[" * (1 << 20), b"}" * 10_000],
    ids=["half", "bytes", "word", "string", "brackets", "closing"],
)  # fmt: skip
def test_a_rude_client_hurts_nobody(garbage: bytes) -> None:
    with serving(GREETING) as server, connected(server.path) as rude, connected(server.path) as polite:
        sender = threading.Thread(target=sent_without_reading, args=(rude, garbage))
        sender.start()
        assert polite.ask("query-name") == {}
        rude.connection.shutdown(2)
        sender.join()
        assert polite.ask("query-name") == {}


def sent_without_reading(talk: Talk, text: bytes) -> None:
    with suppress(OSError):
        talk.send(text)


def test_a_client_that_never_reads_is_not_read_either() -> None:
    with serving(GREETING) as server, connected(server.path) as rude:
        command = b'{"execute": "query-qmp-schema"}\n'
        sender = threading.Thread(target=sent_without_reading, args=(rude, command * 100_000))
        sender.start()
        with connected(server.path) as polite:
            assert polite.ask("query-name") == {}
        taken = len(server.commands)
        rude.connection.shutdown(2)
        sender.join()
        assert taken < 5000


def test_a_client_that_closes_its_side_still_gets_its_answers() -> None:
    with client(GREETING) as talk:
        talk.send({"execute": "query-qmp-schema"}, {"execute": "query-name", "id": "last"})
        talk.connection.shutdown(1)
        assert json.loads(talk.rest()[-1]) == {"return": {}, "id": "last"}
