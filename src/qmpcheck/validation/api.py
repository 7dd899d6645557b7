"""The public functions: open a spec, check a recording."""

from __future__ import annotations

import os
from collections.abc import Iterable

from qmpcheck.checking.result import StreamResult
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.demultiplex import Part
from qmpcheck.streams.formats import JSONL
from qmpcheck.streams.formats.message import Stream
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path
from qmpcheck.validation.spec_choice import AUTO


def open_spec(name: str) -> Spec:
    """Return the spec that a name means, such as `10.0`, `latest`, `v2`, `git:REV`, `qemu:PATH` or a path.

    Raises:
        SpecError: there is no such spec, or what it names cannot be read.
    """
    return catalogue.find(name)


def check(
    recording: str | os.PathLike[str] | Iterable[bytes | str],
    spec: str | Spec = AUTO,
    recipe: Recipe | None = None,
) -> list[StreamResult]:
    """Check a recording as `qmpcheck validate` does: follow-ups and errata are on.

    Args:
        recording: the path or URL of a file in a format that qmpcheck reads; or lines with one message each.
        spec: the spec or its name; `auto` for the release that each stream's greeting names, or that fits it.
        recipe: the other options; None for the defaults.

    Returns:
        The result of each stream; a log can have several. What could not be read is in `unreadable`.

    Raises:
        SpecError: there is no such spec, or the recipe does not fit it.
    """
    named = catalogue.find(spec) if isinstance(spec, str) and spec != AUTO else None
    checker = FileChecker(recipe or Recipe(), spec if isinstance(spec, Spec) else named)
    if isinstance(recording, str | os.PathLike):
        return checker.check(of_path(os.fspath(recording)))
    lines = [each.encode() if isinstance(each, str) else bytes(each) for each in recording]
    part = Part(Stream(), lines, range(1, len(lines) + 1), [], 0, False)
    streams = checker.streams()
    streams.begin(JSONL)
    streams.take(part)
    if streams.end_first_read():  # lines without a greeting: only now is their spec known
        streams.begin(JSONL)
        streams.take(part)
    return streams.results("")
