"""Which specs could have written a stream: one pass, however many specs there are.

What a spec says of an event depends on few things in it: which of the known keys it has, the JSON types of
their values, which of the known values stand there, how large the integers are. These are its *shape*; all
lines of one shape are judged once. And few specs differ in what they say of an event: those that agree judge
together.
"""

from __future__ import annotations

import functools
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from qmpcheck import rulebase
from qmpcheck.checking import decoder, errata, json_schema
from qmpcheck.checking.explain import Explainer
from qmpcheck.codes import CODES, Evidence, Severity
from qmpcheck.drift.release_ranges import Stretch, stretches
from qmpcheck.finding import Finding
from qmpcheck.keypath import of_any_item
from qmpcheck.rulebase import EventRule, RuleBase, Source
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import demultiplex, jsontext, messages, source
from qmpcheck.streams.formats.message import Stream
from qmpcheck.vendors import is_vendors
from qmpcheck.version import Version, of_greeting


class SpecFit(NamedTuple):
    """One spec: how many of the events conform, and the first lines that do not, one for each reason."""

    spec: str
    conforming: int
    reasons: tuple[Finding, ...]


class Fit(NamedTuple):
    """How well the specs fit a stream. What could have written it is given as releases.

    Attributes:
        lines: of the stream.
        events: how many of them are events.
        strange: how many are neither blank nor a message of the protocol; nothing judges them.
        versions: those that greetings tell, each once, in their order; of many, the first.
        releases: oldest first.
        texts: the revisions of the event document, oldest first, if they were asked about.
    """

    lines: int
    events: int
    strange: int
    versions: tuple[Version, ...]
    releases: tuple[SpecFit, ...]
    texts: tuple[SpecFit, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the releases."""
        return [row.spec for row in self.releases]

    @property
    def conforming(self) -> int:
        """How many events the best releases fit."""
        return max(row.conforming for row in self.releases)

    @property
    def best(self) -> list[bool]:
        """For each release whether none fits more of the events."""
        most = self.conforming
        return [row.conforming == most for row in self.releases]

    @property
    def is_whole(self) -> bool:
        """Whether the best fit all events."""
        return self.conforming == self.events

    @property
    def oldest(self) -> str:
        """The oldest of the best."""
        return self.releases[self._bounds.first].spec

    @property
    def newest(self) -> str:
        """The newest of the best."""
        return self.releases[self._bounds.last].spec

    @property
    def _bounds(self) -> Stretch:
        found = [*stretches(self.best)]
        return Stretch(found[0].first, found[-1].last)

    @property
    def too_old(self) -> tuple[Finding, ...]:
        """The strongest findings of the release before all that fit: each says that the stream is newer."""
        first = self._bounds.first
        return _strongest(self.releases[first - 1]) if self.is_whole and first else ()

    @property
    def too_new(self) -> tuple[Finding, ...]:
        """The strongest findings of the release after all that fit: each says that the stream is older."""
        after = self._bounds.last + 1
        return _strongest(self.releases[after]) if self.is_whole and after < len(self.releases) else ()


_MOST_SHOWN = 3


def _strongest(row: SpecFit) -> tuple[Finding, ...]:
    in_order = sorted(row.reasons, key=lambda finding: (evidence(finding).strength, finding.line))
    return tuple(in_order[:_MOST_SHOWN])


def evidence(finding: Finding) -> Evidence:
    """What an error in a payload says about the release that wrote it."""
    found = CODES[finding.code].evidence
    assert found is not None, "the code of an error in a payload"
    return found


class StreamFit(NamedTuple):
    """One stream of a file: the VM that it is of, "" where nothing tells it, and how the specs fit it."""

    vm: str
    fit: Fit


def fit(
    path: str, texts: Sequence[Spec] = (), format: str | None = None, size: int | None = None
) -> list[StreamFit]:
    """Fit the streams in a file, in the order of their begins; those that hold events, if one does.

    Args:
        path: a file, or `-` for standard input.
        texts: specs beside the releases.
        format: the name of its format; None where it is to be recognised.
        size: how many bytes are stored, if that is known.

    Raises:
        Unreadable: it cannot be read to its end.
    """
    fittings: dict[Stream, Fitting] = {}
    with source.opened(path, size=size) as file:
        for part in demultiplex.opened_parts(file, format, path=path)[1]:
            if part.stream not in fittings:
                fittings[part.stream] = Fitting(texts)
            fittings[part.stream].add(part.lines, part.numbers)
    found = [StreamFit(each.vm, fitting.result()) for each, fitting in fittings.items() if not each.probe]
    return (
        [each for each in found if each.fit.events] or found[:1] or [StreamFit("", Fitting(texts).result())]
    )


class _EventLine(msgspec.Struct, gc=False):
    """What is read of a line that holds an object."""

    event: str | msgspec.UnsetType = msgspec.UNSET
    data: Any = msgspec.UNSET


_BLANKS = b" \t\r\n"

_decode = msgspec.json.Decoder(_EventLine).decode


class Fitting:
    """Takes blocks of a stream and judges them by all releases, and by `texts`."""

    def __init__(self, texts: Sequence[Spec] = ()) -> None:
        self._specs = (*catalogue.releases(), *texts)
        self._described = frozenset(event for spec in self._specs for event in spec.rule_base.events)
        self._known_of = functools.cache(self._all_known_of)
        self._refused: dict[Hashable, int] = {}
        """The specs that refuse a shape, a bit for each."""
        self._counts: Counter[int] = Counter()
        """How many events the same specs refuse."""
        self._reasons: list[dict[Hashable, Finding]] = [{} for _ in self._specs]
        self._lines = self._strange = 0
        self._versions: dict[Version, None] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there was anything that distinguishes releases."""
        return bool(self._counts or self._versions)

    def add(self, lines: Sequence[bytes], numbers: Sequence[int] | None = None) -> None:
        """Judge the next lines; `numbers` are theirs, if they do not just go on."""
        known_of, described, refused, counts = self._known_of, self._described, self._refused, self._counts
        if numbers is None:
            numbers = range(self._lines + 1, self._lines + 1 + len(lines))
        for number, text in zip(numbers, lines, strict=True):
            line = self._read(text)
            if line is None or not isinstance(line.event, str):
                continue
            known = known_of(line.event if line.event in described else _VENDORS[0] * is_vendors(line.event))
            shape = known.name, _shape(line.data, known.words, _DEEPEST)
            specs = refused.get(shape)
            if specs is None:
                specs = self._judge(line.event, line.data, known, number)
                if len(refused) < _MOST_SHAPES:
                    refused[shape] = specs
            counts[specs] += 1
        self._lines += len(lines)

    def result(self) -> Fit:
        """How well each spec fits what was taken."""
        events = self._counts.total()
        rows = []
        for at, spec in enumerate(self._specs):
            refused = sum(count for specs, count in self._counts.items() if specs >> at & 1)
            rows.append(SpecFit(spec.name, events - refused, tuple(self._reasons[at].values())))
        releases = len(catalogue.releases())
        split = tuple(rows[:releases]), tuple(rows[releases:])
        return Fit(self._lines, events, self._strange, tuple(self._versions), *split)

    def _read(self, text: bytes) -> _EventLine | None:
        """The event in a line; None where it holds none."""
        try:
            line = _decode(text)
        except decoder.REFUSALS:
            return self._look_at(text)
        return line if line.event is not msgspec.UNSET else self._look_at(text)

    def _look_at(self, text: bytes) -> _EventLine | None:
        """The event in a line that the fast decoder refused; None where it holds none."""
        if not text.strip(_BLANKS):
            return None
        try:
            value = jsontext.parse(text)
        except jsontext.Malformed:
            value = None
        if isinstance(value, dict):
            if messages.is_event(value):
                return _EventLine(value["event"], value.get("data", msgspec.UNSET))
            if messages.is_greeting(value):
                self._hear(of_greeting(value))
            if messages.is_other(value):
                return None
        self._strange += 1
        return None

    def _hear(self, version: Version | None) -> None:
        if version and len(self._versions) < _MOST_VERSIONS:
            self._versions.setdefault(version)

    def _judge(self, event: str, data: Any, known: _Known, number: int) -> int:
        """The specs that refuse an event, a bit for each; the reasons are remembered."""
        value = {"event": event} if data is msgspec.UNSET else {"event": event, "data": data}
        refused = 0
        for specs, judge in known.judges:
            errors = (found for found in judge.payload(value) if found.severity is Severity.ERROR)
            findings = [*islice((found for found in errors if not _is_vendors(found)), _MOST_REASONS)]
            if findings:
                refused |= specs
                self._remember(specs, findings, number)
        return refused

    def _remember(self, specs: int, findings: Sequence[Finding], number: int) -> None:
        for at, reasons in enumerate(self._reasons):
            if specs >> at & 1:
                for finding in findings:
                    if len(reasons) < _MOST_REASONS:
                        placed = msgspec.structs.replace(finding, line=number)
                        reasons.setdefault(_reason(finding), placed)

    def _all_known_of(self, event: str) -> _Known:
        """What the specs know of an event; "" and "__" mean all that none of them has."""
        rules = [spec.rule_base.events.get(event) for spec in self._specs]
        specs: dict[str, int] = {}
        stated: dict[str, tuple[EventRule | None, Source]] = {}
        for at, rule in enumerate(rules):
            source = self._specs[at].rule_base.source
            said = json.dumps([source, rule.needs_data, json_schema.of_type(rule.data)]) if rule else ""
            stated.setdefault(said, (rule, source))
            specs[said] = specs.get(said, 0) | 1 << at
        judges = [(specs[said], _judge_by(event, *each)) for said, each in stated.items()]
        words = {word for rule in rules if rule for word in _words(rule.data)}
        return _Known(event, frozenset(words) | _errata_values(), judges)


class _Known(NamedTuple):
    """What the specs know of an event.

    Attributes:
        name: of the event.
        words: the names of its members, and the values that any of them may have.
        judges: the different things they say, with the specs that say them, a bit for each.
    """

    name: str
    words: frozenset[str]
    judges: list[tuple[int, Explainer]]


_MOST_SHAPES = 20_000
"""Shapes that are remembered; lines of others are judged one by one."""

_MOST_VERSIONS = 1000
"""Versions that are remembered of the greetings, more than QEMU ever had."""

_MOST_REASONS = 16
"""Reasons that are remembered of each spec."""


def _is_vendors(finding: Finding) -> bool:
    """Whether a finding is about a name or a value that a vendor added, which no release has to know."""
    if finding.code == "QMP201":
        return is_vendors(finding.event)
    if finding.code == "QMP205":
        return is_vendors(finding.got.strip('"'))
    return finding.code == "QMP203" and is_vendors(str(finding.path[-1]))


def _reason(finding: Finding) -> Hashable:
    return finding.code, finding.event, of_any_item(finding.path), finding.got


def _judge_by(event: str, rule: EventRule | None, source: Source) -> Explainer:
    rule_base = RuleBase({event: rule} if rule else {}, source)
    return Explainer(rule_base, errata.of_spec(rule_base))


def _errata_values() -> frozenset[str]:
    return frozenset(value for each in errata.all_errata() for value in each.values)


def _words(described: rulebase.Type) -> Iterator[str]:
    """The names of members and the values of enums in a type."""
    for each in rulebase.walk(described):
        if isinstance(each.type, rulebase.Enum):
            yield from each.type.values
        if each.member:
            yield each.member.name


_DEEPEST = 16
"""Levels of nesting that a shape goes into; no spec describes as many."""

_BOUNDS = sorted(
    {0} | {1 << bits for bits in (7, 8, 15, 16, 31, 32, 63, 64)} | {-(1 << bits) for bits in (7, 15, 31, 63)}
)
"""Where the sizes of integers begin and end."""

_UNKNOWN, _VENDORS = ("", None), ("__", None)


def _unknown(key: str) -> Hashable:
    return _VENDORS if is_vendors(key) else _UNKNOWN


def _shape(value: Any, words: frozenset[str], deeper: int) -> Hashable:
    """All of a value that any spec's judgement can depend on."""
    kind: type = type(value)
    if kind is str:
        return value if value in words else _VENDORS if is_vendors(value) else str
    if kind is dict:
        return deeper and frozenset(
            [
                (key, _shape(inner, words, deeper - 1)) if key in words else _unknown(key)
                for key, inner in value.items()
            ]
        )
    if kind is list:
        return deeper and (list, frozenset([_shape(item, words, deeper - 1) for item in value]))
    if kind in _KINDS:
        return kind
    return bisect_right(_BOUNDS, value)


_KINDS = frozenset({bool, float, type(None), msgspec.UnsetType})
