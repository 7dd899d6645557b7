"""The result of checking a stream: all findings are counted, and the first ones are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from qmpcheck.codes import RULE_CODES, Severity
from qmpcheck.finding import UNCHANGED, Finding, Severities, severity
from qmpcheck.specs.catalogue import SpecName
from qmpcheck.text import name
from qmpcheck.version import Version

if TYPE_CHECKING:
    from qmpcheck.checking.timeline import Timeline


class FindingKind(NamedTuple):
    """What findings that are counted together have in common.

    Attributes:
        code: the code.
        event: the event that they concern, safe to print; "" for none.
        erratum: the known erratum that covers them, "" for none.
    """

    code: str
    event: str
    erratum: str


OTHER_EVENTS = "(unknown events)"
"""The name for all events that the spec does not have: a hostile stream can have any number of names."""


StreamVerdict = Literal["conforms", "pending", "violations", "unchecked"]


class StreamResult(NamedTuple):
    """The result of one stream.

    Attributes:
        path: the file, or `-` for standard input; the newest of several that were joined.
        lines: how many lines it has; for a log, how many messages.
        events: how many of them are events.
        counts: how many findings there are of each kind.
        listed: the first findings, sorted by line, code and message.
        taken: how many findings of each kind `Checker.take` returned before; they are not in the list.
        severities: the severities that the user sets for some codes.
        unreadable: why it could not be read to its end; "" if it could.
        versions: the versions that its greetings name, each once.
        format: the name of the file's format.
        vm: the VM that the stream of a log belongs to, by its name if the log has it; "" if it is unknown.
        spec: the spec that it was checked by; None before `validation.files` sets it.
        why: why this spec was chosen, in words; "" if the user named it.
        may_lack: what the format does not keep, in words.
        timeline: what happened in it; None if the options did not ask for one.
        files: the paths of the files that were joined, in order; () for a single file.
        unchecked_rules: titles of the user's rules that such a stream cannot show broken.
    """

    path: str
    lines: int
    events: int
    counts: Counter[FindingKind]
    listed: tuple[Finding, ...]
    taken: Counter[FindingKind] = Counter()  # noqa: RUF012 -- never changed
    severities: Severities = UNCHANGED
    unreadable: str = ""
    versions: tuple[Version, ...] = ()
    format: str = "jsonl"
    vm: str = ""
    spec: SpecName | None = None
    why: str = ""
    may_lack: str = ""
    timeline: Timeline | None = None
    files: tuple[str, ...] = ()
    unchecked_rules: tuple[str, ...] = ()

    @classmethod
    def unread(cls, path: str, reason: str) -> StreamResult:
        """Return the result of a stream that could not be read at all."""
        return cls(path, 0, 0, Counter(), (), unreadable=reason)

    @property
    def verdict(self) -> StreamVerdict:
        """What the result says about the stream as a whole.

        `violations` if a finding is an error; `unchecked` if the stream was not read to its end or has no
        event; `pending` if a follow-up is open; otherwise `conforms`.
        """
        # What was found is certain, even if the rest was not read.
        if self.count(Severity.ERROR):
            return "violations"
        if self.unchecked:
            return "unchecked"
        return "pending" if any(kind.code == RULE_CODES["pending"] for kind in self.counts) else "conforms"

    @property
    def unchecked(self) -> str:
        """Why the stream was not checked, or not to its end; "" if it was, and has an event."""
        return self.unreadable or ("" if self.events else "no event in it")

    @property
    def unlisted(self) -> Counter[FindingKind]:
        """How many findings of each kind are counted, but neither listed nor taken."""
        return self.counts - self.taken - Counter(map(self._kind, self.listed))

    def without(self, findings: Set[Finding]) -> StreamResult:
        """Return the result without some of the findings that it lists."""
        kept = tuple(each for each in self.listed if each not in findings)
        gone = Counter(self._kind(each) for each in self.listed if each in findings)
        return self._replace(counts=self.counts - gone, listed=kept)

    def _kind(self, finding: Finding) -> FindingKind:
        kind = FindingKind(finding.code, finding.event, finding.erratum)
        return kind if kind in self.counts else kind._replace(event=OTHER_EVENTS)

    def count(self, at_least: Severity) -> int:
        """Return how many findings have this severity or a worse one."""
        return sum(
            number
            for kind, number in self.counts.items()
            if severity(kind.code, kind.erratum, self.severities) >= at_least
        )


class Selection(msgspec.Struct, frozen=True):
    """Which findings to report.

    Attributes:
        codes: their codes.
        rules: titles of temporal rules whose findings are reported, whatever their codes.
        ignored: what the user ignores: of that, only CODE:EVENT matters here.
    """

    codes: frozenset[str]
    rules: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def has(self, code: str, event: str, rule: str) -> bool:
        """Return whether to report a finding with that code, about that event and rule."""
        if code not in self.codes and rule not in self.rules:
            return False
        return not self.ignored or f"{code}:{event}" not in self.ignored


class Findings:
    """Collects the findings about one stream.

    Args:
        selection: which findings to report; the others are dropped.
        most: how many findings are listed; all are counted.
        events: the events that the spec has, safe to print; findings about others are counted together.
        severities: the severities that the user sets for some codes.
    """

    def __init__(
        self,
        selection: Selection,
        most: int,
        events: frozenset[str],
        severities: Severities,
    ) -> None:
        self._selection, self._most = selection, most
        self._severities, self._events = severities, events
        self.counts: Counter[FindingKind] = Counter()
        self.taken: Counter[FindingKind] = Counter()
        self._listed: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Add a finding."""
        if not self._selection.has(finding.code, finding.event, finding.rule):
            return
        self.counts[self._kind(finding.code, finding.event, finding.erratum)] += 1
        if finding.code in self._severities:
            # In the finding itself, so that all reports agree on it.
            level = severity(finding.code, finding.erratum, self._severities)
            finding = msgspec.structs.replace(finding, level=level)
        self._listed.append(finding)
        if len(self._listed) > 2 * self._most + _SOME:
            self._keep_first()

    def more(self, code: str, event: str, number: int, rule: str) -> None:
        """Count findings about one rule without listing them."""
        if self._selection.has(code, event, rule):
            self.counts[self._kind(code, name(event), "")] += number

    def take(self) -> tuple[Finding, ...]:
        """Return the findings since the last call, and remove them from the list."""
        taken, self._listed = tuple(sorted(self._listed, key=_place)), []
        self.taken.update(self._kind(each.code, each.event, each.erratum) for each in taken)
        return taken

    def listed(self) -> tuple[Finding, ...]:
        """Return the first findings, by line, code and message."""
        self._keep_first()
        return tuple(self._listed)

    def _keep_first(self) -> None:
        # By line, code and message, and not the first ones found: the same findings must be listed however
        # the stream was cut into blocks.
        self._listed.sort(key=_place)
        del self._listed[self._most :]

    def _kind(self, code: str, event: str, erratum: str) -> FindingKind:
        is_known = not event or event in self._events or code in _OF_RULES
        return FindingKind(code, event if is_known else OTHER_EVENTS, erratum)


_OF_RULES = frozenset(RULE_CODES.values())
"""The codes whose findings name events and commands of rules: there are only as many as the rules name."""

_SOME = 1000
"""How far the list may grow beyond twice its limit before it is sorted and cut: sorting takes time."""


def _place(finding: Finding) -> tuple[int, str, str]:
    """Return what to sort findings by: line and code, and for temporal rules the message.

    Other findings about one line and code are found in the order in which the line has them, and stay so.
    """
    return finding.line, finding.code, finding.message if finding.code > "QMP3" else ""
