"""The history of an event, a member or a value: when it was added, how it changed, when it was removed.

What counts is the spec of the time: up to release 2.0 the text, revision by revision; from 2.1 on the QAPI
schema of each release. The revisions of the text after 2.0 are left out: they only repeated parts of the
schema, until the text was removed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from qmpcheck import keypath
from qmpcheck.codes import ChangeSubject, Impact
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.keypath import ITEMS, KeyPath
from qmpcheck.rulebase import DescribedValue, Object, Place, RuleBase, SpecError, String
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import TEXT_DOCUMENT, SpecEntry
from qmpcheck.text import name, quoted
from qmpcheck.version import of_name
from qmpcheck.wording import alternatives, did_you_mean, type_text


class SpecInForce(NamedTuple):
    """A spec, and the first release for which it was in force.

    Attributes:
        release: the first release that shipped it, or a later one.
        entry: its entry in the catalogue.
        rule_base: its rules.
    """

    release: str
    entry: SpecEntry
    rule_base: RuleBase


class HistoryEntry(NamedTuple):
    """One thing that happened.

    Attributes:
        release: the first release in which it had happened.
        date: of the revision in QEMU's main line, or of the release, YYYY-MM-DD; "" if it is not known.
        revision: the revision of the text; "" for a schema.
        level: what it means for a client; None if nothing happened, or a new branch of a union brought it.
        what: what happened, in one line that is safe to print.
        place: where the spec states it, or `was` and where the previous one did.
    """

    release: str
    date: str
    revision: str
    level: Impact | None
    what: str
    place: str


LAST_TEXT = "2.0"
"""The last release for which the text counts."""


@functools.cache
def spec_line() -> tuple[SpecInForce, ...]:
    """Return the specs, each in force until the next one, oldest first."""
    texts = [entry for entry in catalogue.entries() if entry.source == TEXT_DOCUMENT]
    last = next(at for at, entry in enumerate(texts) if LAST_TEXT in entry.releases)
    schemas = (entry for entry in catalogue.entries() if entry.id in entry.releases)
    return tuple(_specs_in_force([*texts[: last + 1], *schemas]))


def _specs_in_force(entries: Sequence[SpecEntry]) -> Iterator[SpecInForce]:
    for at, entry in enumerate(entries):
        release = next(name for later in entries[at:] for name in later.releases)
        yield SpecInForce(release, entry, catalogue.find(entry.id).rule_base)


def history(subject: str) -> tuple[HistoryEntry, ...]:
    """Return what happened to `EVENT`, `EVENT.member` or `EVENT.member.value`, oldest first.

    Raises:
        SpecError: no spec ever had it.
    """
    asked = _subject(subject)
    first, newest = spec_line()[0], spec_line()[-1]
    # Before the first spec there was none: then its events are additions like all others.
    nothing = first._replace(rule_base=RuleBase({}, first.rule_base.source))
    steps = [each for old, new in pairwise((nothing, *spec_line())) for each in _steps(asked, old, new)]
    last = next(iter(_seen(asked, newest.rule_base).values()), None)
    if last:
        steps.append(_step(newest, None, f"still in {newest.release}", _shown_place(last.place)))
    return tuple(steps)


class _Subject(NamedTuple):
    """What the history is about: an event, a member at any depth, or a value of a member."""

    event: str
    members: tuple[str, ...] = ()
    value: str = ""

    @property
    def path(self) -> KeyPath:
        return ("data", *self.members) if self.members else ()

    def holds(self, change: Change) -> bool:
        """Whether a change concerns this, or something inside of it."""
        path = _without_items(change.path)
        if change.event != self.event:
            return False
        if self.value:
            return path == self.path and change.value in {"", self.value}
        return path[: len(self.path)] == self.path

    def is_in(self, change: Change) -> bool:
        """Whether a change concerns this, or something around it."""
        above = {(), *(self._replace(members=self.members[:end]).path for end in range(len(self.members)))}
        path = _without_items(change.path)
        if change.event != self.event or change.value not in {"", self.value}:
            return False
        return path == self.path or (path in above and not change.value)


def _without_items(path: KeyPath) -> KeyPath:
    return tuple(key for key in path if key != ITEMS)


def _subject(text: str) -> _Subject:
    event, *members = keypath.names(text.replace("=", "."))
    events = dict.fromkeys(each for stage in spec_line() for each in stage.rule_base.events)
    if event not in events:
        if of_name(text):
            raise SpecError(f"{text} is a release: `qmpcheck diff OLD {text}` shows what it changed")
        raise SpecError(f"no spec has an event {quoted(event)}{did_you_mean(event, events)}")
    # Reports print paths with `data`, and users copy them from there.
    if members[:1] == ["data"]:
        del members[0]
    # The last name may be a member or a value; members come first, as they are more frequent.
    subjects = [_Subject(event, tuple(members))]
    if len(members) > 1 and members[-1]:
        subjects.append(_Subject(event, tuple(members[:-1]), members[-1]))
    known = next((each for each in subjects if _is_known(each)), None)
    return known or _unknown(subjects[0])


def _is_known(subject: _Subject) -> bool:
    return any(_seen(subject, stage.rule_base) for stage in spec_line())


def _unknown(subject: _Subject) -> _Subject:
    """Raise the error about the first part of the path that no spec has."""
    above = subject._replace(members=())
    for member in subject.members:
        below = above._replace(members=(*above.members, member))
        if not _is_known(below):
            holder = ".".join(map(name, (above.event, *above.members)))
            if above.members and member and _is_known(above._replace(value=member)):
                raise SpecError(f"{holder}.{name(member)} is a value: nothing is inside it")
            what = "member or value" if above.members else "member"
            deeper = dict.fromkeys(_deeper(above, member))
            hint = (
                f" (did you mean {alternatives([*map(name, deeper)])}?)"
                if deeper
                else did_you_mean(member, dict.fromkeys(_inside(above)))
            )
            raise SpecError(f"{holder} has no {what} {quoted(member)} in any spec{hint}")
        above = below
    raise AssertionError("every step is known, and so is the whole")


def _inside(subject: _Subject) -> Iterator[str]:
    """Yield the names of members and values in an event or a member, in all specs."""
    for stage in spec_line():
        rule = stage.rule_base.events.get(subject.event)
        for each in rule.walk() if rule else ():
            if each.names == subject.members:
                yield from each.values
            elif each.is_member and each.names[:-1] == subject.members:
                yield each.names[-1]


def _deeper(above: _Subject, wanted: str) -> Iterator[str]:
    """Yield the full names of the members and values with this name that are anywhere inside a member."""
    for stage in spec_line():
        rule = stage.rule_base.events.get(above.event)
        for each in rule.walk() if rule else ():
            if each.names[: len(above.members)] == above.members:
                if each.is_member and each.names[-1] == wanted:
                    yield ".".join((above.event, *each.names))
                if wanted in each.values:
                    yield ".".join((above.event, *each.names, wanted))


class _SubjectInSpec(NamedTuple):
    """The subject in one spec: what it is, in words that follow `introduced`, and its line in the spec."""

    text: str
    place: Place


def _seen(subject: _Subject, rule_base: RuleBase) -> dict[str, _SubjectInSpec]:
    """Return the subject in a spec, by the branch of a union that it is in; {} if the spec lacks it."""
    rule = rule_base.events.get(subject.event)
    if rule is None:
        return {}
    if not subject.members:
        return {"": _SubjectInSpec(_payload(rule.data), Place(rule.line, rule.file))}
    found = [each for each in rule.walk() if each.names == subject.members]
    return {
        " and ".join(map(str, each.branches)): _SubjectInSpec(text, each.place)
        for each in found
        if (text := _text(each, subject.value)) is not None
    }


def _payload(data: Object) -> str:
    if data.members:
        return f" with {', '.join(name(member.name) for member in data.members)}"
    return f": {type_text(data)}" if data.open else ", without data"


def _text(found: DescribedValue, value: str) -> str | None:
    """Say what a member or one of its values is; None if that is not what was found."""
    if value:
        as_example = ", as an example of a string" if isinstance(found.type, String) else ""
        return as_example if value in found.values else None
    if found.member is None:
        return None
    return f": {'optional ' if found.member.may_be_absent else ''}{type_text(found.member.type)}"


def _steps(subject: _Subject, old: SpecInForce, new: SpecInForce) -> Iterator[HistoryEntry]:
    before, after = _seen(subject, old.rule_base), _seen(subject, new.rule_base)
    if not before and not after:
        return
    changes = compare(old.rule_base, new.rule_base)
    cause = _cause(subject, changes)
    for where in dict.fromkeys((*before, *after)):
        branch = f" (where {where})" if where else ""
        if where not in after:
            what, place = (
                f"removed{_renamed(subject, cause, 'to')}",
                f"was {_shown_place(before[where].place)}",
            )
        elif where not in before:
            seen = after[where]
            what, place = f"introduced{seen.text}{_renamed(subject, cause, 'from')}", _shown_place(seen.place)
        else:
            continue
        yield _step(new, _level(subject, cause), what + branch, place)
    # If it was only now added or removed, the other changes are part of that.
    if before and after:
        yield from (_changed(subject, new, change) for change in changes if _has_own_entry(subject, change))


def _cause(subject: _Subject, changes: Iterable[Change]) -> Change | None:
    """Return the change that added or removed it: of itself, or of something around it."""
    for each in changes:
        # What is inside of something comes and goes with its type, too.
        may = each.kind.adds_or_removes or each.kind.subject in (ChangeSubject.TYPE, ChangeSubject.WORDING)
        if may and subject.is_in(each):
            return each
    return None


def _level(subject: _Subject, cause: Change | None) -> Impact | None:
    """Return the impact; a value without a cause is an example, so only the document changed."""
    return cause.level() if cause else Impact.DOC if subject.value else None


def _renamed(subject: _Subject, cause: Change | None, which: str) -> str:
    itself = cause is not None and _without_items(cause.path) == subject.path
    return (
        f", likely renamed {which} {name(cause.counterpart)}"
        if cause and itself and cause.counterpart
        else ""
    )


def _has_own_entry(subject: _Subject, change: Change) -> bool:
    """Whether a change has an entry of its own: it does not merely add or remove the subject."""
    if change.kind.subject is ChangeSubject.DEPRECATION and subject.is_in(change):
        return True
    own = _without_items(change.path) == subject.path and change.value == subject.value
    return subject.holds(change) and not (own and change.kind.adds_or_removes)


def _changed(subject: _Subject, new: SpecInForce, change: Change) -> HistoryEntry:
    shown = change.shown_path if _without_items(change.path) != subject.path else ""
    place = _shown_place(change.new) or f"was {_shown_place(change.old)}"
    return _step(new, change.level(), f"{shown}: {change.text}" if shown else change.text, place)


def _shown_place(place: Place) -> str:
    return str(place) if place.file else f"line {place.line}" if place.line else ""


def _step(stage: SpecInForce, level: Impact | None, what: str, place: str) -> HistoryEntry:
    entry = stage.entry
    revision = entry.id if entry.source == TEXT_DOCUMENT else ""
    return HistoryEntry(stage.release, entry.date, revision, level, what, place)
