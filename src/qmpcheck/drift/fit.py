"""Find the specs that a stream fits, in one pass, however many specs there are.

What a spec says about an event depends on few things: which of the known keys it has, the JSON types of their
values, which of the known values are there, and how large the integers are. These are its *shape*, and events
of the same shape are checked once. Specs that describe an event in the same way share that check.
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
from qmpcheck.codes import CODES, Allowance, Evidence, Severity
from qmpcheck.finding import Finding
from qmpcheck.keypath import is_vendors, of_any_item
from qmpcheck.rulebase import EventRule, RuleBase, Source
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams import demultiplex, jsontext, messages, source
from qmpcheck.streams.formats.message import Stream
from qmpcheck.version import Version, of_greeting
from qmpcheck.wording import ReleaseRange, release_ranges


class SpecFit(NamedTuple):
    """A spec: how many of the events conform, and the first lines that do not, one for each reason."""

    spec: str
    conforming: int
    reasons: tuple[Finding, ...]


class Fit(NamedTuple):
    """How well the specs fit a stream.

    Attributes:
        lines: how many lines the stream has.
        events: how many of them are events.
        strange: how many lines are neither blank nor a message; they are not checked.
        versions: the first versions in greetings, each once.
        releases: the releases, oldest first.
        texts: the revisions of the event document, oldest first, if the caller asked for them.
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
        """How many events conform to the best releases."""
        return max(row.conforming for row in self.releases)

    @property
    def best(self) -> list[bool]:
        """For each release, whether no other one fits more events."""
        most = self.conforming
        return [row.conforming == most for row in self.releases]

    @property
    def is_whole(self) -> bool:
        """Whether the best releases fit all events."""
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
    def _bounds(self) -> ReleaseRange:
        found = [*release_ranges(self.best)]
        return ReleaseRange(found[0].first, found[-1].last)

    @property
    def too_old(self) -> tuple[Finding, ...]:
        """The strongest findings by the release before those that fit: each says that the stream is newer."""
        first = self._bounds.first
        return _strongest(self.releases[first - 1]) if self.is_whole and first else ()

    @property
    def too_new(self) -> tuple[Finding, ...]:
        """The strongest findings by the release after those that fit: each says that the stream is older."""
        after = self._bounds.last + 1
        return _strongest(self.releases[after]) if self.is_whole and after < len(self.releases) else ()


_MOST_SHOWN = 3


def _strongest(row: SpecFit) -> tuple[Finding, ...]:
    in_order = sorted(row.reasons, key=lambda finding: (evidence(finding).strength, finding.line))
    return tuple(in_order[:_MOST_SHOWN])


def evidence(finding: Finding) -> Evidence:
    """Return what an error in a payload says about the release that sent it."""
    found = CODES[finding.code].evidence
    assert found is not None, "the code of an error in a payload"
    return found


class StreamFit(NamedTuple):
    """A stream of a file: its VM, "" if that is unknown, and how the specs fit it."""

    vm: str
    fit: Fit


def fit(
    path: str, texts: Sequence[Spec] = (), format: str | None = None, size: int | None = None
) -> list[StreamFit]:
    """Fit the streams in a file, in their order; if one has events, leave out those without.

    Args:
        path: a file, or `-` for standard input.
        texts: specs to check beside the releases.
        format: the name of its format; None to recognise it.
        size: how many bytes are stored; None if that is unknown.

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
    """The keys that are read of an object on a line."""

    event: str | msgspec.UnsetType = msgspec.UNSET
    data: Any = msgspec.UNSET


_BLANKS = b" \t\r\n"

_decode = msgspec.json.Decoder(_EventLine).decode


class Fitting:
    """Checks blocks of a stream by all releases, and by `texts`."""

    def __init__(self, texts: Sequence[Spec] = ()) -> None:
        self._specs = (*catalogue.releases(), *texts)
        self._described = frozenset(event for spec in self._specs for event in spec.rule_base.events)
        self._known_of = functools.cache(self._all_known_of)
        self._refused: dict[Hashable, int] = {}
        """By shape, the specs that reject it, a bit for each."""
        self._counts: Counter[int] = Counter()
        """How many events were rejected by the same specs."""
        self._reasons: list[dict[Hashable, Finding]] = [{} for _ in self._specs]
        self._lines = self._strange = 0
        self._versions: dict[Version, None] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there was anything yet that distinguishes releases."""
        return bool(self._counts or self._versions)

    def add(self, lines: Sequence[bytes], numbers: Sequence[int] | None = None) -> None:
        """Check the next lines; `numbers` are their line numbers, if they are not consecutive."""
        known_of, described, refused, counts = self._known_of, self._described, self._refused, self._counts
        if numbers is None:
            numbers = range(self._lines + 1, self._lines + 1 + len(lines))
        for number, text in zip(numbers, lines, strict=True):
            line = self._read(text)
            if line is None or not isinstance(line.event, str):
                continue
            known = known_of(line.event if line.event in described else _VENDORS[0] * is_vendors(line.event))
            # A stream of millions of events has some hundreds of shapes, so most events were checked before.
            shape = known.name, _shape(line.data, known.words, _DEEPEST)
            specs = refused.get(shape)
            if specs is None:
                specs = self._judge(line.event, line.data, known, number)
                # A hostile stream could have a new shape on each line.
                if len(refused) < _MOST_SHAPES:
                    refused[shape] = specs
            # Few sets of specs reject the same events, so this takes less than a count for each spec.
            counts[specs] += 1
        self._lines += len(lines)

    def result(self) -> Fit:
        """Return how well each spec fits the lines so far."""
        events = self._counts.total()
        rows = []
        for at, spec in enumerate(self._specs):
            refused = sum(count for specs, count in self._counts.items() if specs >> at & 1)
            rows.append(SpecFit(spec.name, events - refused, tuple(self._reasons[at].values())))
        releases = len(catalogue.releases())
        split = tuple(rows[:releases]), tuple(rows[releases:])
        return Fit(self._lines, events, self._strange, tuple(self._versions), *split)

    def _read(self, text: bytes) -> _EventLine | None:
        """Return the event on a line; None if there is none."""
        try:
            line = _decode(text)
        except decoder.REFUSALS:
            return self._look_at(text)
        return line if line.event is not msgspec.UNSET else self._look_at(text)

    def _look_at(self, text: bytes) -> _EventLine | None:
        """Return the event on a line that the fast decoder refused; None if there is none."""
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
                version = of_greeting(value)
                if version and len(self._versions) < _MOST_VERSIONS:
                    self._versions.setdefault(version)
            if messages.is_other(value):
                return None
        self._strange += 1
        return None

    def _judge(self, event: str, data: Any, known: _KnownEvent, number: int) -> int:
        """Return the specs that reject an event, a bit for each, and remember their reasons."""
        value = {"event": event} if data is msgspec.UNSET else {"event": event, "data": data}
        refused = 0
        for specs, judge in known.judges:
            # Deprecation says nothing about the release: deprecated events are still sent.
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
                        # One line is enough for each thing that a spec does not allow.
                        reason = finding.code, finding.event, of_any_item(finding.path), finding.got
                        reasons.setdefault(reason, msgspec.structs.replace(finding, line=number))

    def _all_known_of(self, event: str) -> _KnownEvent:
        """Return what the specs know about an event; "" is any unknown one, and "__" a vendor's."""
        rules = [spec.rule_base.events.get(event) for spec in self._specs]
        specs: dict[str, int] = {}
        stated: dict[str, tuple[EventRule | None, Source]] = {}
        for at, rule in enumerate(rules):
            source = self._specs[at].rule_base.source
            # The JSON Schema has no line numbers, so releases with the same description share one check.
            said = json.dumps([source, rule.needs_data, json_schema.of_type(rule.data)]) if rule else ""
            stated.setdefault(said, (rule, source))
            specs[said] = specs.get(said, 0) | 1 << at
        judges = []
        for said, (rule, source) in stated.items():
            rule_base = RuleBase({event: rule} if rule else {}, source)
            judges.append((specs[said], Explainer(rule_base, errata.of_spec(rule_base))))
        words = {word for rule in rules if rule for word in _words(rule.data)}
        # Whether an erratum excuses an event may depend on its values, too.
        words.update(value for each in errata.all_errata() for value in each.values)
        return _KnownEvent(event, frozenset(words), judges)


class _KnownEvent(NamedTuple):
    """What the specs know about an event.

    Attributes:
        name: the name of the event.
        words: the names of its members, and the values that any of them may have.
        judges: the different descriptions, each with the specs that share it, a bit for each.
    """

    name: str
    words: frozenset[str]
    judges: list[tuple[int, Explainer]]


_MOST_SHAPES = 20_000
"""How many shapes are remembered; events of other shapes are checked one by one."""

_MOST_VERSIONS = 1000
"""How many versions of greetings are remembered; QEMU never had as many."""

_MOST_REASONS = 16
"""How many reasons are remembered for each spec."""


def _is_vendors(finding: Finding) -> bool:
    """Whether a finding is about a name or a value that a vendor added: it says nothing about the release."""
    evidence = CODES[finding.code].evidence
    match evidence and evidence.allowed_by:
        case Allowance.EVENT:
            return is_vendors(finding.event)
        case Allowance.VALUE:
            return is_vendors(finding.got.strip('"'))
        case Allowance.MEMBER:
            return is_vendors(str(finding.path[-1]))
        case _:
            return False


def _words(described: rulebase.Type) -> Iterator[str]:
    """Yield the names of members and the values of enums in a type."""
    for each in rulebase.walk(described):
        if isinstance(each.type, rulebase.Enum):
            yield from each.type.values
        if each.member:
            yield each.member.name


_DEEPEST = 16
"""How many levels of nesting a shape has; no spec describes as many."""

_BOUNDS = sorted(
    {0} | {1 << bits for bits in (7, 8, 15, 16, 31, 32, 63, 64)} | {-(1 << bits) for bits in (7, 15, 31, 63)}
)
"""The bounds of the integer types, and 0."""

_UNKNOWN, _VENDORS = ("", None), ("__", None)
"""In place of a key that no spec has: one that a vendor may add is no reason against a release."""


def _shape(value: Any, words: frozenset[str], deeper: int) -> Hashable:
    """Return everything in a value that the result of a check can depend on."""
    kind: type = type(value)
    if kind is str:
        return value if value in words else _VENDORS if is_vendors(value) else str
    if kind is dict:
        return deeper and frozenset(
            [
                (key, _shape(inner, words, deeper - 1))
                if key in words
                else (_VENDORS if is_vendors(key) else _UNKNOWN)
                for key, inner in value.items()
            ]
        )
    if kind is list:
        return deeper and (list, frozenset([_shape(item, words, deeper - 1) for item in value]))
    if kind in _KINDS:
        return kind
    return bisect_right(_BOUNDS, value)


_KINDS = frozenset({bool, float, type(None), msgspec.UnsetType})
