"""Read what a client uses from a file: a stream that it received, or a list of events and members.

Lists for some clients come with qmpcheck, in the folder `clients`.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from qmpcheck.drift import client_usage_list
from qmpcheck.drift.change import Change
from qmpcheck.drift.client_usage import ClientUsage, UsageBuilder, touches
from qmpcheck.drift.client_usage_list import Listed
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.streams import demultiplex, formats, jsontext, listing
from qmpcheck.streams.blocks import blocks, lines_of
from qmpcheck.streams.messages import is_event
from qmpcheck.streams.source import Unreadable, opened
from qmpcheck.text import safe
from qmpcheck.wording import did_you_mean


def load(name: str, specs: Sequence[RuleBase]) -> Listed:
    """Read a stream or a list; the file is a stream if one of its lines begins with a brace.

    Args:
        name: a path, a folder or a URL, `-` for standard input, or the name of a list that comes with
            qmpcheck: `libvirt` for the newest one for libvirt, `libvirt-7.0.0` for that version.
        specs: the specs that are compared.

    Raises:
        SpecError: the file cannot be read, has no event, or names an event that no release has.
    """
    path = _located(name)
    try:
        # Several files can only be recordings: a list is one file.
        path, *others = [file.path for file in listing.listed(path)]
        if others:
            lines = chain.from_iterable(map(_lines_of_log, [path, *others]))
            found = Listed(of_stream(lines, specs))
        elif _is_log(path):
            found = Listed(of_stream(_lines_of_log(path), specs))
        else:
            with opened(path) as file:
                found = _of_file(name, chain.from_iterable(map(lines_of, blocks(file))), specs)
    except (Unreadable, OSError, listing.NothingListed, ValueError) as error:
        raise error if isinstance(error, SpecError) else SpecError(f"{safe(name)}: {error}") from None
    if not found.uses and not found.elsewhere:
        raise SpecError(f"{safe(name)}: no event in it")
    return found


def _lines_of_log(path: str) -> Iterator[bytes]:
    try:
        with opened(path) as file:
            for part in demultiplex.opened_parts(file, path=path)[1]:
                yield from part.lines
    except Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _is_log(path: str) -> bool:
    """Whether a file is a log with messages among other text."""
    with opened(path, ahead=True) as file:
        try:
            return demultiplex.opened_parts(file, path=path)[0] is not formats.JSONL
        except Unreadable:  # in no format: a list
            return False


def _located(name: str) -> str:
    """Return the path of a file, or of a list that comes with qmpcheck."""
    if os.path.exists(name) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]*", name):
        return name
    lists = shipped()
    known = [each for each in lists if each == name or each.rpartition("-")[0] == name]
    if known:
        return lists[max(known, key=_version)]
    hint = did_you_mean(name, dict.fromkeys((*clients(), *lists)))
    known_as = f"known: {', '.join(clients())}"
    if _EVENT.match(name):
        known_as += f"; for an event: echo {name} | qmpcheck diff OLD NEW --used-by -"
    raise SpecError(f"{safe(name)}: no such file, and no client of this name{hint}; {known_as}")


_EVENT = re.compile(r"[A-Z_]{3,}(\.|$)")


_VERSIONED = re.compile(r"-[0-9][0-9.]*$")


def _version(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", (_VERSIONED.search(name) or [""])[0])]


def shipped() -> dict[str, str]:
    """Return the paths of the lists that come with qmpcheck, by names such as `libvirt-7.0.0`."""
    folder = catalogue.data_folder("clients")
    names = sorted(each for each in os.listdir(folder) if each.endswith(".txt"))
    return {each.removesuffix(".txt"): os.path.join(folder, each) for each in names}


def clients() -> tuple[str, ...]:
    """Return the clients that have such lists, without versions."""
    return tuple(dict.fromkeys(_VERSIONED.sub("", each) for each in shipped()))


class ClientNames:
    """Says which clients changes between specs concern.

    Args:
        specs: all of those.
    """

    def __init__(self, specs: Sequence[RuleBase]) -> None:
        self._usages = {name: load(name, specs).uses for name in clients()}

    def of(self, change: Change) -> list[str]:
        """The clients that a change concerns."""
        return [name for name, uses in self._usages.items() if touches(change, uses)]


_LONGEST_LIST = 1 << 22
"""How many bytes without a message show that a file is a list."""

_MESSAGE = re.compile(rb"[ \t]*\{")


def _of_file(path: str, lines: Iterator[bytes], specs: Sequence[RuleBase]) -> Listed:
    head: list[bytes] = []
    left = _LONGEST_LIST
    for line in lines:
        if _MESSAGE.match(line):
            return Listed(of_stream(chain([line], lines), specs))
        head.append(line)
        left -= len(line) + 1
        if left < 0:
            raise SpecError(f"{safe(path)}: {client_usage_list.NO_LIST}")
    return client_usage_list.read(b"\n".join(head).decode("utf-8", "replace"), specs, path)


_MOST_ALIKE, _SHORT = 1 << 14, 1 << 12
"""How many payloads are remembered, and the most bytes of each: most events repeat."""


class _EventMessage(msgspec.Struct, gc=False):
    event: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


def of_stream(lines: Iterable[bytes], specs: Sequence[RuleBase]) -> ClientUsage:
    """Return what the events in these lines carry; for events that no spec has, only that they came."""
    known = frozenset(event for spec in specs for event in spec.events)
    seen: dict[str, UsageBuilder] = defaultdict(UsageBuilder)
    alike: set[tuple[str, bytes]] = set()
    for event, data in _payloads(lines):
        if (event, data) in alike:
            continue
        if len(data) <= _SHORT:
            if len(alike) == _MOST_ALIKE:
                # Whatever repeats is soon there again.
                alike.clear()
            alike.add((event, data))
        builder = seen[event]
        if event in known:
            builder.add(_value(data), ("data",), 0)
    return {event: builder.result() for event, builder in seen.items()}


def _payloads(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the name of each event and its data, as written; other lines are skipped."""
    decode = msgspec.json.Decoder(_EventMessage).decode
    for line in lines:
        try:
            message = decode(line)
        except (msgspec.DecodeError, RecursionError):  # noqa: PERF203 -- of each line
            yield from _unusual(line)
        else:
            if message.event:
                yield message.event, bytes(message.data)


def _unusual(line: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the data of the event in a line that the decoder refused, if there is one."""
    if not line.lstrip().startswith(b"{"):
        return
    try:
        message = jsontext.parse(line)
    except jsontext.Malformed:
        return
    if isinstance(message, dict) and is_event(message):
        import json

        yield message["event"], json.dumps(message.get("data", {}), default=str).encode()


def _value(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return jsontext.parse(data)
