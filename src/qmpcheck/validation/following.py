"""Checking a file while it is written: findings as they are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.interrupts import Interrupts
from qmpcheck.streams import demultiplex, formats, growing, source
from qmpcheck.streams.growing import OnRotation
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.spec_choice import Choice

Tell = Callable[[Choice, str, Sequence[Finding], Sequence[Finding]], object]
"""Takes a stream's spec and VM, findings as they are made, and triggers whose bound has passed."""


def follow_file(
    checker: FileChecker, path: str, tell: Tell | None, on_rotation: OnRotation
) -> tuple[list[StreamResult], bool]:
    """Check a file as it is written, until it ends or the user interrupts; a file never ends by itself.

    A stream without a greeting is checked by the release that its first events fit.

    Args:
        checker: checks it. The format is recognised by what is there first, if it is not named.
        path: a file, or `-` for standard input.
        tell: takes findings at once, and the results do not list them; None leaves them to the results.
        on_rotation: takes the path and the lines so far when another file has the path; lines count on.

    Returns:
        The results, and whether the user interrupted.
    """
    streams = checker.streams(waits=False)
    unreadable = ""
    with Interrupts(growing.SIGNALS) as interrupts:
        try:
            blocks = growing.blocks(path, interrupts, on_rotation)
            first = next(blocks, [])
            head = b"\n".join(first)[: formats.HEAD]
            found = formats.named(checker.format) if checker.format else formats.recognised(head, path)
            streams.begin(found)
            for part in demultiplex.parts(chain([first] if first else [], blocks), found):
                stream = streams.take(part)
                if tell and stream.checker and stream.choice:
                    findings = stream.checker.take()
                    tell(stream.choice, stream.source.vm, findings, stream.checker.overdue())
        except source.Unreadable as error:
            unreadable = str(error)
    return streams.results(path, unreadable), interrupts.came
