"""The streams of recorded files, each checked by its own spec."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import IO, cast

import msgspec

from qmpcheck import rulebase
from qmpcheck.checking.checker import Checker
from qmpcheck.checking.result import StreamResult
from qmpcheck.rulebase import SpecError
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import demultiplex, source
from qmpcheck.streams.blocks import Advance
from qmpcheck.streams.demultiplex import Part
from qmpcheck.streams.formats import Format
from qmpcheck.streams.formats.message import Stream
from qmpcheck.streams.joined import JoinedFiles, Seam
from qmpcheck.streams.stored_file import scheme
from qmpcheck.validation import joined_result, spec_choice
from qmpcheck.validation.checker_pool import CheckerPool
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import Recording, by_release
from qmpcheck.validation.spec_choice import Choice, SpecSearch
from qmpcheck.wording import plural


class FileChecker:
    """Checks files, one after the other.

    Args:
        recipe: how streams are checked.
        spec: what they are checked by; None for what each stream tells.
        format: the name of the files' format; None where it is to be recognised.
        excerpts: whether findings get excerpts of their lines; those at URLs always do.

    Raises:
        SpecError: an option of the recipe does not fit the spec.
    """

    def __init__(
        self, recipe: Recipe, spec: Spec | None, format: str | None = None, excerpts: bool = False
    ) -> None:
        self._spec, self.format, self._excerpts = spec, format, excerpts
        self._pool = CheckerPool(recipe)
        if spec:
            self._pool.give_back(spec, None, self._pool.take(spec))

    def __reduce__(self) -> tuple[object, ...]:
        """It travels to another process as what it is made from."""
        return FileChecker, (self._pool.recipe.whole(), self._spec, self.format, self._excerpts)

    def identity(self) -> object:
        """What results depend on beside the recordings, as a value of JSON."""
        spec = self._spec and [self._spec.name, self._spec.id, rulebase.dump(self._spec.rule_base).decode()]
        recipe = msgspec.to_builtins(self._pool.recipe.whole(), order="sorted")
        return [recipe, spec, self.format]

    def streams(self, waits: bool = True) -> StreamsOfFile:
        """The streams of the next file, none so far; see `StreamsOfFile`."""
        return StreamsOfFile(self._pool, self._spec, waits)

    def check(self, recording: Recording, advance: Advance = int) -> list[StreamResult]:
        """The results of the streams in a recording, in the order of their begins.

        It is read once more where a stream in it has no greeting: its spec depends on all of it.

        Args:
            recording: a file, standard input (`-`), or files to be joined.
            advance: takes how many bytes more were checked.
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
            if streams.are_undecided():
                _expect_two_reads(recording.path)
                with _opened(recording) as file:
                    parts = demultiplex.opened_parts(file, format.name)[1]
                    _feed(streams, format, parts, file)
        except source.Unreadable as error:
            unreadable = str(error)
        results = streams.results(recording.path, unreadable)
        if recording.files[1:]:
            if not unreadable and not self._spec and any(each.unreadable for each in results):
                with suppress(source.Unreadable):  # it was readable just now
                    apart = by_release(recording)
                    if apart[1:]:
                        return [result for each in apart for result in self.check(each)]
            results = [joined_result.placed(each, recording, file) for each in results]
        if self._excerpts or scheme(recording.path):
            results = [_with_excerpts(each) for each in results]
        return results


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


def _expect_two_reads(path: str) -> None:
    if path != source.STANDARD_INPUT and source.is_pipe(path):
        raise source.Unreadable(
            "a pipe can be read only once; name the spec with --spec, or read the pipe as standard input (-)"
        )


class StreamsOfFile:
    """The streams of one file while it is read: each is checked as soon as its spec is known.

    Args:
        pool: gives checkers.
        spec: what the streams are checked by; None for what each one tells.
        waits: whether a stream without a greeting waits for its end; otherwise its first events decide.
    """

    def __init__(self, pool: CheckerPool, spec: Spec | None, waits: bool = True) -> None:
        self._pool, self._spec, self._waits = pool, spec, waits
        self._format: Format | None = None
        self._of_source: dict[Stream, StreamOfFile] = {}
        self._begun = 0
        self._streams: list[StreamOfFile] = []

    def begin(self, format: Format) -> None:
        """The file, in that format, is read from its begin, perhaps once more."""
        self._format, self._of_source, self._begun = format, {}, 0

    def take(self, part: Part, seams: Sequence[Seam] = ()) -> StreamOfFile:
        """Check the next part of a stream; returns the stream.

        Args:
            part: what comes next.
            seams: those of the file so far, in order.
        """
        stream = self._of_source.get(part.stream)
        if stream is None:
            if self._begun == len(self._streams):
                self._streams.append(StreamOfFile(self._pool, self._spec, self._format, self._waits))
            stream = self._of_source[part.stream] = self._streams[self._begun]
            stream.source = part.stream
            self._begun += 1
        stream.take(part, seams)
        if part.ended:
            if not stream.is_undecided:
                stream.finish(is_whole=True)
            del self._of_source[part.stream]
        return stream

    def are_undecided(self) -> bool:
        """Whether a stream had no greeting; it is checked if it comes once more, the others are finished."""
        undecided = [stream for stream in self._streams if stream.is_undecided]
        for stream in self._streams:
            if not stream.is_undecided:
                stream.finish(is_whole=True)
        for stream in undecided:
            stream.decide()
        return any(stream.checker for stream in undecided)

    def results(self, path: str, unreadable: str = "") -> list[StreamResult]:
        """The results of all streams; of those alone that hold something, if one does."""
        for stream in self._streams:
            stream.finish(is_whole=not unreadable)
        found = [stream.result(path, unreadable) for stream in self._streams if not stream.is_probe]
        filled = [each for each in found if each.events or each.counts]
        return filled or found[:1] or [StreamResult.unread(path, unreadable)]


class StreamOfFile:
    """One stream of a file: its spec is being looked for, or it is being checked, or it is finished.

    Attributes:
        source: what the file says of it.
        checker: checks it; None where its spec is not known so far, or it is finished.
        choice: its spec; None where that is not known.
    """

    def __init__(self, pool: CheckerPool, spec: Spec | None, format: Format | None, waits: bool) -> None:
        self.source = Stream()
        self.checker: Checker | None = None
        self.choice: Choice | None = None
        self._pool, self._format = pool, format
        self._search = None if spec else SpecSearch(waits)
        self._is_named = spec is not None
        self._held: list[Part] = []
        self._passed = self._lost = 0
        self._failure = ""
        self._result: StreamResult | None = None
        if spec:
            self._check_by(Choice(spec))

    @property
    def is_probe(self) -> bool:
        """Whether it is libvirt asking a QEMU what it can do, and no VM."""
        return self.source.probe

    @property
    def is_undecided(self) -> bool:
        """Whether its spec is still looked for."""
        return self._search is not None

    def take(self, part: Part, seams: Sequence[Seam] = ()) -> None:
        """Check the next part, or look for its spec in it; see `StreamsOfFile.take` for the seams."""
        if self._search:
            self._look_into(part, self._search)
        if self.checker:
            for each in (*self._held, part):
                self._feed(each, seams)
                self.checker.feed_cut(each.cut)
                self._lost += each.lost
            self._held = []

    def _feed(self, part: Part, seams: Sequence[Seam]) -> None:
        """Check a part; the checker learns of each seam before the first message after it."""
        assert self.checker
        begin = 0
        for seam in seams[self._passed :]:
            at = bisect_right(part.numbers, seam.line)
            if at == len(part.lines):
                break
            is_cut = seam.is_cut and at > begin and part.numbers[at - 1] == seam.line
            self.checker.feed(part.lines[begin:at], part.numbers[begin:at], is_cut)
            if seam.is_gap:
                self.checker.skip()
            self._passed += 1
            begin = at
        self.checker.feed(part.lines[begin:], part.numbers[begin:], part.is_cut)

    def _look_into(self, part: Part, search: SpecSearch) -> None:
        try:
            if choice := search.look_into(part.lines, part.numbers):
                self._check_by(choice)
            elif search.holds_parts:
                self._held.append(part)
        except SpecError as error:
            self._search, self._failure = None, str(error)

    def decide(self) -> None:
        """Choose the spec by all that came, if it shows one: the stream is checked if it comes once more."""
        assert self._search
        try:
            self._check_by(self._search.at_end())
        except SpecError as error:
            self._search, self._failure = None, str(error)

    def _check_by(self, choice: Choice) -> None:
        self._search, self.choice = None, choice
        self.checker = self._pool.take(choice.spec, self._format)

    def finish(self, is_whole: bool) -> None:
        """The stream is over; `is_whole` if it was read to its end."""
        if self.checker and self.choice:
            self._result = self.checker.finish(self._pool.recipe.complete and is_whole)
            self._pool.give_back(self.choice.spec, self._format, self.checker)
            self.checker = None

    def result(self, path: str, unreadable: str) -> StreamResult:
        """The result of the stream when it is finished."""
        result = self._result or StreamResult.unread(path, self._failure)
        reason = result.unreadable or unreadable
        if not self._is_named:
            reason = reason or spec_choice.several_releases(result.versions)
        if not reason and self._lost:
            reason = f"the log cuts off {plural(self._lost, 'message')} that may have been events"
        format, choice = self._format, self.choice
        return result._replace(
            path=path,
            unreadable=reason,
            vm=self.source.vm,
            format=format.name if format else "",
            may_lack=format.may_lack if format else "",
            spec=choice.spec.named if choice else None,
            why=choice.why if choice else "",
        )
