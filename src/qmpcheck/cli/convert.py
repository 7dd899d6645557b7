"""Write the QMP messages in a log as JSONL, one VM's at a time, or list the VMs in it.

Messages are written as they were logged, each on one line. Messages that were cut in the log are left out,
with a note on standard error.

Example: qmpcheck convert libvirtd.log --vm web1 -o web1.jsonl
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any, cast

from qmpcheck.cli import inputs, output
from qmpcheck.cli.messages import CLEAN, notify
from qmpcheck.reports.terminal import table
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import demultiplex, formats, source
from qmpcheck.streams.formats.message import Stream
from qmpcheck.streams.messages import is_text_of_event
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import did_you_mean, plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a log (compressed by gzip or Zstandard, or not) or its URL; - is standard input",
    )
    output.add_output(parser)
    parser.add_argument(
        "--vm", metavar="NAME", help="write this VM's messages: its name, or what --list shows in parentheses"
    )
    parser.add_argument("--list", action="store_true", help="list the VMs in the log instead")
    formats.add_input(parser)


def run(options: argparse.Namespace) -> int:
    path, *others = [file.path for file in islice(inputs.files(options.file), 2)]
    if others:
        raise SpecError(f"{safe(options.file)}: several files; convert takes one")
    output.prepare([path], options.output)
    # Two reads: which VM to write, and whether there is only one, is known when the whole log was read.
    format, found = _summary(path, options.input)
    if options.list:
        with output.opened(options.output) as out:
            out.write(_table(format, found, out))
        return CLEAN
    chosen = _chosen(path, found, options.vm)
    with output.opened(options.output) as out, _parts(path, options.input) as (_, parts):
        _write(out, parts, chosen)
    if cut := sum(found[number].cut for number in chosen):
        notify(f"{safe(path)}: left out {plural(cut, 'message')} cut off in the log")
    return CLEAN


class _Contents:
    """Counts the events, messages and incomplete messages of one stream of a log, and finds their lines."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.events = self.messages = self.cut = 0
        self.first = self.last = 0

    def add(self, part: demultiplex.Part) -> None:
        self.events += sum(map(is_text_of_event, part.lines))
        self.messages += len(part.lines)
        self.cut += len(part.cut)
        lines = [*part.numbers[:1], *part.numbers[-1:], *part.cut]
        self.first = min([self.first or lines[0], *lines]) if lines else self.first
        self.last = max([self.last, *lines])


@contextmanager
def _parts(
    path: str, format: str | None, ahead: bool = False
) -> Iterator[tuple[formats.Format, Iterator[demultiplex.Part]]]:
    """Yield the parts of a file's streams.

    Raises:
        SpecError: the file cannot be read.
    """
    try:
        with source.opened(path, ahead) as file:
            yield demultiplex.opened_parts(file, format)
    except source.Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None


def _summary(path: str, format: str | None) -> tuple[formats.Format, list[_Contents]]:
    """Return the format of a file, and what it contains of each stream, in the order of the streams."""
    found: dict[Stream, _Contents] = {}
    with _parts(path, format, ahead=True) as (recognised, parts):
        for part in parts:
            found.setdefault(part.stream, _Contents(part.stream)).add(part)
    return recognised, list(found.values())


def _table(format: formats.Format, found: list[_Contents], out: IO[str]) -> str:
    headers = ("VM", "events", "messages", "incomplete", "lines")
    rows = [
        (_label(each.stream), each.events, each.messages, each.cut, f"{each.first}-{each.last}")
        for each in found
    ]
    lacks = f"It may lack {format.may_lack}.\n" if format.loses else ""
    return f"{format.name}: {format.summary}\n{lacks}\n{table(rows, headers, out)}\n"


def _label(stream: Stream) -> str:
    vm = name(stream.vm) or "(not named)"
    return f"{vm}, libvirt asking what QEMU can do" if stream.probe else vm


def _chosen(path: str, found: list[_Contents], vm: str | None) -> list[int]:
    """Return the positions of the streams to write.

    Raises:
        SpecError: there are none, or they belong to several VMs and the user named none.
    """
    filled = [number for number, each in enumerate(found) if each.messages]
    if not filled:
        raise SpecError(f"{safe(path)}: no QMP message in it")
    # A QEMU that libvirt only asks for its features is no VM, unless there is nothing else.
    vms = [number for number in filled if not found[number].stream.probe] or filled
    if vm is not None:
        chosen = [n for n in filled if vm in (found[n].stream.vm, found[n].stream.name, found[n].stream.key)]
    else:
        chosen = vms
    names = {found[number].stream.name or found[number].stream.key for number in chosen}
    if len(names) == 1:
        return chosen
    listed = ", ".join(dict.fromkeys(_label(found[number].stream) for number in vms))
    if vm is not None:
        known = {each for n in filled for each in (found[n].stream.vm, found[n].stream.name) if each}
        hint = did_you_mean(vm, sorted(known))
        raise SpecError(f"{safe(path)}: no VM {quoted(vm)} in it{hint}; it has {listed}")
    raise SpecError(f"{safe(path)}: messages of several VMs; name one with --vm: {listed}")


def _write(out: IO[str], parts: Iterator[demultiplex.Part], chosen: list[int]) -> None:
    numbers: dict[Stream, int] = {}  # the second read has new `Stream` objects, in the same order
    # As bytes: to decode and encode messages could change them.
    out.flush()
    binary = cast(Any, out).buffer
    for part in parts:
        if numbers.setdefault(part.stream, len(numbers)) in chosen and part.lines:
            binary.write(b"\n".join(part.lines) + b"\n")
