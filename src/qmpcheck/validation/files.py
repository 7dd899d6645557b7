"""Check recordings: read the files of each, and give the results of the streams in them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from typing import IO, cast

import msgspec

from qmpcheck import rulebase
from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import demultiplex, source
from qmpcheck.streams.blocks import Advance
from qmpcheck.streams.demultiplex import Part
from qmpcheck.streams.formats import Format
from qmpcheck.streams.joined import JoinedFiles
from qmpcheck.streams.stored_file import scheme
from qmpcheck.text import safe
from qmpcheck.validation.checker_pool import CheckerPool
from qmpcheck.validation.file_streams import StreamsOfFile
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import Recording, by_release


class FileChecker:
    """Checks files, one after the other.

    Args:
        recipe: how streams are checked.
        spec: the spec of all streams; None to find that of each stream.
        format: the name of the files' format; None to recognise it.
        excerpts: whether findings get excerpts of their lines. Those at URLs always do: a report cannot read
            these files again.

    Raises:
        SpecError: an option of the recipe does not fit the spec.
    """

    def __init__(
        self, recipe: Recipe, spec: Spec | None, format: str | None = None, excerpts: bool = False
    ) -> None:
        self._spec, self.format, self._excerpts = spec, format, excerpts
        self._pool = CheckerPool(recipe)
        if spec:  # an option that does not fit must be an error now, and not for each stream
            self._pool.give_back(spec, None, self._pool.take(spec))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the arguments: another process makes its own decoders, which cannot be sent."""
        return FileChecker, (self._pool.recipe.whole(), self._spec, self.format, self._excerpts)

    def identity(self) -> object:
        """Return what results depend on beside the recordings, as a JSON value."""
        spec = self._spec and [self._spec.name, self._spec.id, rulebase.dump(self._spec.rule_base).decode()]
        recipe = msgspec.to_builtins(self._pool.recipe.whole(), order="sorted")
        return [recipe, spec, self.format]

    def streams(self, waits_for_end: bool = True) -> StreamsOfFile:
        """Return the streams of the next file, none so far; `waits_for_end` is as for `StreamsOfFile`."""
        return StreamsOfFile(self._pool, self._spec, waits_for_end)

    def check(self, recording: Recording, advance: Advance = int) -> list[StreamResult]:
        """Check a recording, and return the results of its streams, in the order in which they begin.

        A recording is read twice if one of its streams has no greeting: which release fits best is known only
        at the end, and keeping all lines until then would take the memory of the whole file.

        Args:
            recording: a file, standard input (`-`), or files to be joined.
            advance: takes how many more bytes were checked.
        """
        streams = self.streams()
        if recording.fault:
            return streams.results(recording.path, recording.fault)
        file: IO[bytes] | JoinedFiles | None = None
        unreadable = ""
        try:
            with _opened(recording, ahead=self._spec is None) as file:
                format, parts = demultiplex.opened_parts(file, self.format, advance, recording.path)
                _feed(streams, format, parts, file)
            if streams.end_first_read():  # the second read counts no progress: `advance` has all bytes
                _expect_rereadable(recording.path)
                with _opened(recording) as file:
                    parts = demultiplex.opened_parts(file, format.name)[1]
                    _feed(streams, format, parts, file)
        except source.Unreadable as error:
            unreadable = str(error)
        results = streams.results(recording.path, unreadable)
        if recording.files[1:]:
            # QEMU was upgraded while the log was written: no single spec fits, but one for each part does.
            if not unreadable and not self._spec and any(each.unreadable for each in results):
                with suppress(source.Unreadable):  # it was readable just now
                    apart = by_release(recording)
                    if apart[1:]:
                        return [result for each in apart for result in self.check(each)]
            results = [_of_joined_files(each, recording, file) for each in results]
        if self._excerpts or scheme(recording.path):
            results = [_with_excerpts(each) for each in results]
        return results


def _of_joined_files(result: StreamResult, recording: Recording, file: object) -> StreamResult:
    """Return the result of joined files, each finding with its file and its line there.

    Args:
        result: its lines are counted through all files.
        recording: the files.
        file: the files as they were read; None if they could not be opened.
    """
    why = result.why
    if isinstance(file, JoinedFiles):
        result = result._replace(listed=tuple(_in_its_file(each, file) for each in result.listed))
        if result.timeline:
            result = result._replace(timeline=result.timeline._replace(files=file.begins))
        if any(seam.is_gap for seam in file.seams):
            why = "; ".join(filter(None, (why, _MAY_LACK_FILES)))
    vm = result.vm or recording.vm
    return result._replace(files=tuple(each.path for each in recording.files), vm=vm, why=why)


_MAY_LACK_FILES = (
    "files may be missing between those that were joined: what was open there can only be pending"
)


def _in_its_file(finding: Finding, files: JoinedFiles) -> Finding:
    """Return a finding with the file that it is in and its line there."""
    path, line = files.place(finding.line)
    message, carries, reply, searched = finding.message, finding.carries, finding.reply, finding.searched
    # A finding has one file. Where another line that it names is in another file, words say in which.
    if reply is not None:
        other, reply = files.place(reply)
        if other != path:
            message, reply = f"{message} (its reply is on line {reply} of {safe(other)})", None
    if searched is not None:
        other, searched = files.place(searched)
        if other != path:
            carries, searched = f"{carries} (searched up to line {searched} of {safe(other)})", None
    return msgspec.structs.replace(
        finding, file=path, line=line, message=message, carries=carries, reply=reply, searched=searched
    )


def _with_excerpts(result: StreamResult) -> StreamResult:
    if not result.listed:
        return result
    from qmpcheck.validation import excerpt

    return excerpt.attached(result)


def _opened(recording: Recording, ahead: bool = False) -> AbstractContextManager[IO[bytes]]:
    if recording.files[1:]:
        return cast(IO[bytes], JoinedFiles(recording.files, recording.gaps, ahead))
    [file] = recording.files
    return source.opened(file.path, ahead, file.size)


def _feed(streams: StreamsOfFile, format: Format, parts: Iterable[Part], file: object) -> None:
    streams.begin(format)
    for part in parts:
        streams.take(part, file.seams if isinstance(file, JoinedFiles) else ())


def _expect_rereadable(path: str) -> None:
    if path != source.STANDARD_INPUT and source.is_pipe(path):
        # Standard input is no problem: `source` keeps a copy of what it reads from there.
        raise source.Unreadable(
            "a pipe can be read only once; name the spec with --spec, or read the pipe as standard input (-)"
        )
