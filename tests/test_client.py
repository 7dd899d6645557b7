"""A client of scripts that answer as they like."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from qmpcheck.qmp.client import Client, CommandError, DeadlinePassed, NoAnswer, SentTooMuch
from qmpcheck.qmp.connection import ConnectionFailed
from qmpcheck.qmp.process import ProcessGroup

GREETING = '{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}'


@contextmanager
def client(
    script: str, seconds: float = 60, patience: float = math.inf, strict: bool = True, most: int = 1 << 20
) -> Iterator[Client]:
    """A client of a Python script, in which `taken()` is the `id` of the next command."""
    text = f"""
import json, os, sys, time
def say(*lines): print(*lines, sep="\\n", flush=True)
def taken(): return json.loads(sys.stdin.readline())["id"]
def reply(number, **reply): say(json.dumps(reply | {{"id": number}}))
def greet():
    say('{GREETING}')
    reply(taken(), **{{"return": {{}}}})
{script}
"""
    with ProcessGroup() as group, group.started([sys.executable, "-c", text]) as process:
        yield Client(process, time.monotonic() + seconds, patience, strict, most=most)


def test_replies_and_events_in_any_order() -> None:
    script = """
greet()
first, second = taken(), taken()
say('{"event": "A"}')
reply(second, **{"return": 2})
say('{"return": {}}', '{"event": "B"}', '{"id": "x", "return": {}}')
reply(first, **{"return": 1})
reply(taken(), error={"class": "GenericError", "desc": "no"})
"""
    with client(script) as qmp:
        qmp.greet()
        qmp.send("first")
        assert qmp.command("second") == 2
        with pytest.raises(CommandError, match=r"^third: no$") as caught:
            qmp.command("third", of={"some": "arguments"})
        assert (caught.value.command, caught.value.kind) == ("third", "GenericError")
        assert [event["event"] for event in qmp.events] == ["A", "B"]
        assert str(qmp.version) == "7.2.22"
        kept = qmp.received.split(b"\n")
        assert b'{"execute": "third", "id": 4, "arguments": {"of": {"some": "arguments"}}}' in kept
        assert kept.index(b'{"execute": "second", "id": 3}') < kept.index(b'{"event": "A"}')


def test_what_is_no_qmp_is_kept_or_an_error() -> None:
    script = (
        "say('rubbish', '[1]', '', '{');greet();say('more', '{\"event\": \"A\"}');sys.stdout.write('{\"ev')"
    )
    with client(script, strict=False) as qmp:
        qmp.greet()
        assert qmp.until(lambda: qmp.is_closed, 60)
        assert qmp.events == [{"event": "A"}]
        assert qmp.received.startswith(b"rubbish\n[1]\n\n{\n{" + GREETING[1:].encode() + b"\n")
        assert qmp.received.endswith(b'more\n{"event": "A"}\n{"ev')
    with client(script) as qmp, pytest.raises(ConnectionFailed, match='its first line is "rubbish"'):
        qmp.greet()
    with client("greet(); taken(); say('[1]'); taken()") as qmp:
        qmp.greet()
        with pytest.raises(ConnectionFailed, match="not a JSON object"):
            qmp.command("first")


def test_arrivals_say_between_which_times_bytes_came() -> None:
    with client('greet(); time.sleep(0.5); say(\'{"event": "A"}\'); taken()') as qmp:
        qmp.greet()
        greeted = time.time()
        assert qmp.until(lambda: bool(qmp.events), 60)
        ends = [arrival.end for arrival in qmp.arrivals]
        assert ends == sorted(ends)
        assert ends[-1] == len(qmp.received)
        assert all(arrival.after <= arrival.before for arrival in qmp.arrivals)
        assert qmp.arrivals[0].before <= greeted
        assert qmp.arrivals[-1].after > greeted  # within a slice of the time at which it was sent


def greet_and_command(qmp: Client) -> None:
    qmp.greet()
    qmp.command("first")


@pytest.mark.parametrize(
    ("script", "options", "error", "message"),
    [
        ("time.sleep(60)", {"patience": 0.2}, NoAnswer, "^no QMP greeting within 0.2 s$"),
        ("greet(); time.sleep(60)", {"patience": 2}, NoAnswer, "no reply to first within 2 s"),
        ("greet(); time.sleep(60)", {"seconds": 2}, DeadlinePassed, "^no reply to first$"),
        ("greet()", {}, NoAnswer, "^no reply to first$"),
        ("greet(); taken(); os._exit(1)", {}, NoAnswer, "no reply to first"),
        ("greet()\nwhile True: say('{\"event\": \"A\"}')", {}, SentTooMuch, "it sent more than 1024 KiB"),
        # a child goes on and holds the socket
        ("greet(); os.fork() or time.sleep(60)", {}, NoAnswer, "no reply to first"),
    ],
)  # fmt: skip
def test_what_does_not_answer(
    script: str, options: dict[str, float], error: type[Exception], message: str
) -> None:
    begin = time.monotonic()
    with client(script, **options) as qmp, pytest.raises(error, match=message):  # type: ignore[arg-type]
        greet_and_command(qmp)
    assert time.monotonic() - begin < 30


def test_a_server_that_does_not_read() -> None:
    with client("greet(); time.sleep(60)", patience=1) as qmp:
        qmp.greet()
        with pytest.raises(NoAnswer, match=r"^it did not read first within 1 s$"):
            qmp.send("first", data="x" * 10_000_000)
