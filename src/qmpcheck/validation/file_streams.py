"""The streams of one file while it is read: find the spec of each, and check it.

`StreamsOfFile` gives each message to its stream: a log can have several VMs, and so several streams at once.
`StreamOfFile` finds the spec of one stream, and has a `Checker` check it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from qmpcheck.checking.checker import Checker
from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.rulebase import SpecError
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.demultiplex import Part
from qmpcheck.streams.formats import Format
from qmpcheck.streams.formats.message import Stream
from qmpcheck.streams.joined import Seam
from qmpcheck.validation import spec_choice
from qmpcheck.validation.checker_pool import CheckerPool
from qmpcheck.validation.spec_choice import Choice, SpecSearch
from qmpcheck.wording import plural


class StreamsOfFile:
    """The streams of one file while it is read: each is checked as soon as its spec is known.

    Args:
        pool: has the checkers.
        spec: the spec of all streams; None to find that of each.
        waits_for_end: whether the spec of a stream without a greeting is chosen at its end, by all its
        events;
            otherwise the first events decide.
    """

    def __init__(self, pool: CheckerPool, spec: Spec | None, waits_for_end: bool = True) -> None:
        self._pool, self._spec, self._waits_for_end = pool, spec, waits_for_end
        self._format: Format | None = None
        self._of_source: dict[Stream, StreamOfFile] = {}
        self._number_begun = 0
        self._streams: list[StreamOfFile] = []

    def begin(self, format: Format) -> None:
        """Begin to read the file, which has that format, for the first or the second time."""
        self._format, self._of_source, self._number_begun = format, {}, 0

    def take(self, part: Part, seams: Sequence[Seam] = ()) -> StreamOfFile:
        """Check the next part of a stream, and return the stream.

        Args:
            part: the next part.
            seams: where joined files meet, as far as they were read, in order.
        """
        stream = self._of_source.get(part.stream)
        if stream is None:
            # The second read meets the streams in the order of the first, and finds them by their number.
            if self._number_begun == len(self._streams):
                self._streams.append(StreamOfFile(self._pool, self._spec, self._format, self._waits_for_end))
            stream = self._of_source[part.stream] = self._streams[self._number_begun]
            stream.source = part.stream
            self._number_begun += 1
        stream.take(part, seams)
        if part.ended:
            if not stream.is_undecided:
                stream.finish(is_whole=True)
            del self._of_source[part.stream]
        return stream

    def end_first_read(self) -> bool:
        """Finish the streams whose spec is known, and choose that of the others.

        Returns:
            Whether the file must be read once more, to check these.
        """
        undecided = [stream for stream in self._streams if stream.is_undecided]
        for stream in self._streams:
            if not stream.is_undecided:
                stream.finish(is_whole=True)
        for stream in undecided:
            stream.decide()
        return any(stream.checker for stream in undecided)

    def results(self, path: str, unreadable: str = "") -> list[StreamResult]:
        """Finish all streams, and return their results.

        Args:
            path: the file.
            unreadable: why it could not be read to its end; "" if it could.
        """
        for stream in self._streams:
            stream.finish(is_whole=not unreadable)
        found = [stream.result(path, unreadable) for stream in self._streams if not stream.is_probe]
        # A log often has streams without any event, such as monitors that a tool only asked something.
        filled = [each for each in found if each.events or each.counts]
        return filled or found[:1] or [StreamResult.unread(path, unreadable)]


class StreamOfFile:
    """One stream of a file. First its spec is searched for, then it is checked, then it is finished.

    Attributes:
        source: what the file says about the stream, such as the name of its VM.
        checker: checks it; None before its spec is known, and after it is finished.
        choice: its spec; None before that is known.
    """

    def __init__(
        self, pool: CheckerPool, spec: Spec | None, format: Format | None, waits_for_end: bool
    ) -> None:
        self.source = Stream()
        self.checker: Checker | None = None
        self.choice: Choice | None = None
        self._pool, self._format = pool, format
        self._search = None if spec else SpecSearch(waits_for_end)
        self._is_named = spec is not None
        self._kept_parts: list[Part] = []
        self._seams_passed = self._lost_messages = 0
        self._failure = ""
        self._result: StreamResult | None = None
        if spec:
            self._check_by(Choice(spec))

    @property
    def is_probe(self) -> bool:
        """Whether it is from a QEMU that libvirt only starts to ask for its features, and so is no VM."""
        return self.source.probe

    @property
    def is_undecided(self) -> bool:
        """Whether its spec is still unknown."""
        return self._search is not None

    def take(self, part: Part, seams: Sequence[Seam] = ()) -> None:
        """Check the next part, or search it for the spec; `seams` are as for `StreamsOfFile.take`."""
        if self._search:
            self._search_spec(part, self._search)
        if self.checker:
            for each in (*self._kept_parts, part):
                self._feed(each, seams)
                self.checker.feed_cut(each.cut)
                self._lost_messages += each.lost
            self._kept_parts = []

    def _feed(self, part: Part, seams: Sequence[Seam]) -> None:
        """Check a part. At each seam of joined files, the part is cut: messages may be missing there."""
        assert self.checker
        begin = 0
        for seam in seams[self._seams_passed :]:
            at = bisect_right(part.numbers, seam.line)
            if at == len(part.lines):
                break
            is_cut = seam.is_cut and at > begin and part.numbers[at - 1] == seam.line
            self.checker.feed(part.lines[begin:at], part.numbers[begin:at], is_cut)
            if seam.is_gap:
                self.checker.skip()
            self._seams_passed += 1
            begin = at
        self.checker.feed(part.lines[begin:], part.numbers[begin:], part.is_cut)

    def _search_spec(self, part: Part, search: SpecSearch) -> None:
        try:
            if choice := search.add(part.lines, part.numbers):
                self._check_by(choice)
            elif search.needs_parts:
                self._kept_parts.append(part)
        except SpecError as error:
            self._search, self._failure = None, str(error)

    def decide(self) -> None:
        """Choose the spec by the whole stream, if it shows one; the second read then checks it."""
        assert self._search
        try:
            self._check_by(self._search.finish())
        except SpecError as error:
            self._search, self._failure = None, str(error)

    def _check_by(self, choice: Choice) -> None:
        self._search, self.choice = None, choice
        self.checker = self._pool.take(choice.spec, self._format)

    def finish(self, is_whole: bool) -> None:
        """End the stream; `is_whole` says whether it was read to its end."""
        if self.checker and self.choice:
            # What was not read may have the missing responses, whatever the user says.
            self._result = self.checker.finish(self._pool.recipe.complete and is_whole)
            self._pool.give_back(self.choice.spec, self._format, self.checker)
            self.checker = None

    def result(self, path: str, unreadable: str) -> StreamResult:
        """Return the result of the finished stream; the arguments are as for `StreamsOfFile.results`."""
        result = self._result or StreamResult.unread(path, self._failure)
        reason = result.unreadable or unreadable
        if not self._is_named:
            reason = reason or spec_choice.several_releases(result.versions)
        # What was cut off can be a response, or an event that breaks a rule: the stream is not clean.
        if not reason and self._lost_messages:
            reason = f"the log cuts off {plural(self._lost_messages, 'message')} that may have been events"
        format, choice = self._format, self.choice
        return result._replace(
            path=path,
            listed=with_drift(result.listed, choice.spec) if choice else (),
            unreadable=reason,
            vm=self.source.vm,
            format=format.name if format else "",
            may_lack=format.may_lack if format else "",
            spec=choice.spec.named if choice else None,
            why=choice.why if choice else "",
        )


def with_drift(findings: Sequence[Finding], spec: Spec) -> tuple[Finding, ...]:
    """Return findings with what other releases' specs say about each.

    Args:
        findings: what was found in a stream.
        spec: the spec that it was checked by.
    """
    if not findings:
        return tuple(findings)
    from qmpcheck.drift import availability  # a clean stream does not need it

    return availability.availability_for(spec.id, spec.newer).with_drift(findings)
