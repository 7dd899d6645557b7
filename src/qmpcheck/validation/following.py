"""Check a file while it is written, and report findings at once."""

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

OnFindings = Callable[[Choice, str, Sequence[Finding], Sequence[Finding]], object]
"""Takes a stream's spec and its VM, new findings, and findings on triggers whose bound has passed."""


def follow_file(
    checker: FileChecker, path: str, on_findings: OnFindings | None, on_rotation: OnRotation
) -> tuple[list[StreamResult], bool]:
    """Check a file as it is written, until it ends or the user interrupts; a file never ends by itself.

    A stream without a greeting is checked by the release that its first events fit.

    Args:
        checker: checks it. If it names no format, the first lines decide which one the file has.
        path: a file, or `-` for standard input.
        on_findings: takes findings at once, and the results do not list these; None lists all in the results.
        on_rotation: takes the path and the number of lines so far when the file is replaced by another one;
            line numbers go on.

    Returns:
        The results, and whether the user interrupted.
    """
    streams = checker.streams(waits_for_end=False)
    unreadable = ""
    with Interrupts(growing.SIGNALS) as interrupts:
        try:
            blocks = growing.blocks(path, interrupts, on_rotation)
            # The format is known before anything is checked, so wait for the first lines.
            first = next(blocks, [])
            head = b"\n".join(first)[: formats.HEAD]
            found = formats.named(checker.format) if checker.format else formats.recognised(head, path)
            streams.begin(found)
            for part in demultiplex.parts(chain([first] if first else [], blocks), found):
                stream = streams.take(part)
                if on_findings and stream.checker and stream.choice:
                    findings = stream.checker.take()
                    on_findings(stream.choice, stream.source.vm, findings, stream.checker.overdue())
        except source.Unreadable as error:
            unreadable = str(error)
    return streams.results(path, unreadable), interrupts.came
