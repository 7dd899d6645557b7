"""What a server plays: a recording, or a generated stream of a release.

It consists of sessions, which say what one connection is sent, and how a recording answered its commands.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.replaying.release import ReplayedRelease
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import demultiplex, jsontext, source
from qmpcheck.streams.formats.message import Stream
from qmpcheck.streams.messages import is_command, is_greeting, is_reply, message, time_of
from qmpcheck.text import name, quoted, safe
from qmpcheck.version import of_greeting


class SentMessage(NamedTuple):
    """A line that is not a reply: an event, or whatever else the recording has there.

    Attributes:
        line: as it was recorded, without its end.
        event: the name of the event; "" if it is not an event.
        data: the data of the event; {} for none.
        time: when it happened, in microseconds since 1970; None if that is not known.
    """

    line: bytes
    event: str
    data: dict[str, Any]
    time: int | None


class ReplaySession:
    """The messages of one connection, which begins with a greeting.

    Attributes:
        greeting: its greeting; None if the recording has none.
        early: what was sent before the greeting.
        events: what was sent after it, except replies.
        replies: for each command, by `call`, the replies to it in their order, without `id`.
        ends: whether QEMU ends the connection after the last event.
    """

    def __init__(self) -> None:
        self.greeting: dict[str, Any] | None = None
        self.early: list[SentMessage] = []
        self.events: list[SentMessage] = []
        self.replies: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.ends = False


def call(name: str, arguments: dict[str, Any]) -> str:
    """Return a key for a command with its arguments."""
    return json.dumps([name, arguments], sort_keys=True, default=str)


class ReplayStream(NamedTuple):
    """A stream, and the release that sends it.

    Attributes:
        name: as reports call it.
        release: says how commands are answered.
        sessions: one for each connection; none if there is no event.
    """

    name: str
    release: ReplayedRelease
    sessions: Sequence[ReplaySession] = ()


def recorded(path: str, spec: str | None = None) -> ReplayStream:
    """Return the stream in a file, with its own greetings.

    Args:
        path: of the file, in any format that qmpcheck reads.
        spec: the name of the release; None for the one that the first greeting names.

    Raises:
        SpecError: it cannot be read, or nothing says which release wrote it.
    """
    found = read(path)
    greeting = next((each.greeting for each in found if each.greeting), None)
    if spec is not None:
        return ReplayStream(path, ReplayedRelease(catalogue.find(spec), greeting), found)
    version = of_greeting(greeting)
    if version is None:
        raise SpecError(f"{safe(path)}: no greeting that names the release; name it with --spec")
    return ReplayStream(path, ReplayedRelease(catalogue.of_version(version), greeting), found)


def generated(spec: Spec, events: int | None = None, seed: int = 0) -> ReplayStream:
    """Return a stream that shows what a release can send.

    Args:
        spec: the release.
        events: how many; None for as many as it takes to show everything.
        seed: decides what the spec leaves open.

    Raises:
        SpecError: nothing can be generated, or the spec is not that of a release.
    """
    messages = Generation(spec, seed).messages(events)
    return ReplayStream(spec.name, ReplayedRelease(spec), sessions(map(encoded, messages)))


def read(path: str) -> list[ReplaySession]:
    """Read the sessions in a recording, in any format that qmpcheck reads.

    Raises:
        SpecError: it cannot be read, has no message, or has those of several VMs.
    """
    lines: dict[Stream, list[bytes]] = defaultdict(list)
    try:
        with source.opened(path) as file:
            for part in demultiplex.opened_parts(file, path=path)[1]:
                lines[part.stream] += part.lines
    except source.Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    # What libvirt asked a QEMU for its capabilities is no session of a VM.
    found = {stream: sessions(each) for stream, each in lines.items() if not stream.probe}
    filled = {stream: each for stream, each in found.items() if each}
    if not filled:
        raise SpecError(f"{safe(path)}: no QMP message in it")
    if len(filled) > 1:
        vms = ", ".join(name(stream.vm) or "(not named)" for stream in filled)
        hint = f"choose one: qmpcheck convert {safe(path)} --vm NAME"
        raise SpecError(f"{safe(path)}: messages of several VMs ({vms}); {hint}")
    return next(iter(filled.values()))


def sessions(lines: Iterable[bytes]) -> list[ReplaySession]:
    """Return the sessions in the lines of a stream."""
    builder = _Builder()
    for line in lines:
        if text := line.strip():
            builder.add(text)
    found = builder.sessions
    for session in found:
        # The recording goes on with another connection, so each one but the last has ended.
        session.ends = session is not found[-1] or _is_end(session.events)
    return found


def _is_end(events: list[SentMessage]) -> bool:
    """Whether the process ends with these events: nothing comes after SHUTDOWN."""
    return bool(events) and events[-1].event == "SHUTDOWN"


class _Builder:
    """Takes the lines of a stream in their order."""

    def __init__(self) -> None:
        self.sessions: list[ReplaySession] = []
        self._open: dict[str, list[str]] = {}

    def add(self, line: bytes) -> None:
        try:
            value = jsontext.parse(line)
        except jsontext.Malformed:
            value = None
        if not isinstance(value, dict):
            self._session().events.append(SentMessage(line, "", {}, None))
        elif is_greeting(value):
            self._begin(value)
        elif is_command(value):
            arguments = value.get("arguments")
            key = call(str(value.get("execute", value.get("exec-oob"))), arguments or {})
            self._open.setdefault(_identity(value), []).append(key)
        elif is_reply(value):
            self._answer(value)
        else:
            event = message(value)
            time = time_of(event) if event else None
            name, data = getattr(event, "event", ""), getattr(event, "data", {})
            self._session().events.append(SentMessage(line, name, data, time))

    def _session(self) -> ReplaySession:
        if not self.sessions:
            self.sessions.append(ReplaySession())
        return self.sessions[-1]

    def _begin(self, greeting: dict[str, Any]) -> None:
        if not self.sessions or self.sessions[-1].greeting:
            self.sessions.append(ReplaySession())
        session = self.sessions[-1]
        session.greeting = greeting
        # A client that returns to a monitor may get events before the greeting.
        session.early, session.events = session.events, []
        self._open.clear()

    def _answer(self, reply: dict[str, Any]) -> None:
        calls = self._open.get(_identity(reply))
        if calls:
            self._session().replies[calls.pop(0)].append({k: v for k, v in reply.items() if k != "id"})


def _identity(value: dict[str, Any]) -> str:
    """Return what a command and its reply have in common; "" without an `id`."""
    return json.dumps(value["id"], sort_keys=True, default=str) if "id" in value else ""


def specs(name: str) -> list[Spec]:
    """Return the spec of a name, or the specs of the releases from one to another: `9.2..11.1`.

    Raises:
        SpecError: there is no such spec.
    """
    first, separator, last = name.partition("..")
    if re.fullmatch(r"[\d.]+-[\d.]+", name):
        raise SpecError(
            f"{quoted(name)}: write {name.replace('-', '..')} for these releases and those between"
        )
    if not separator or "/" in name:
        return [catalogue.find(name)]
    names = [each.name for each in catalogue.releases()]
    places = [_place(each, names, name) for each in (first, last)]
    found = list(catalogue.releases()[places[0] : places[1] + 1])
    if not found:
        raise SpecError(f"{quoted(name)}: {first} is newer than {last}")
    return found


def _place(release: str, names: list[str], name: str) -> int:
    try:
        spec = catalogue.find(release)
    except SpecError as error:
        raise SpecError(f"{quoted(name)}: {error}") from None
    for known in (spec.name, spec.id):  # a patch level has the id of its release
        if known in names:
            return names.index(known)
    raise SpecError(f"{quoted(name)}: {quoted(release)} is no release")
