"""QMP5xx: changes between two specs."""

from __future__ import annotations

from qmpcheck.codes.code import ChangeDirection as Direction
from qmpcheck.codes.code import ChangeKind, Code, Impact
from qmpcheck.codes.code import ChangeSubject as Subject

_AGAINST = "the new spec"

_MEMBER = '- "state": where it stands now (json-string, "on" or "off")'
_OPTIONAL = '- "room": where it hangs (json-string, optional)'
_FOLLOW_UP = 'Note: If state is "off", a STOP event will eventually follow the LAMP_SWITCHED event.'
_LIMIT = "Note: this event is rate-limited."
_DIMMED = "LAMP_DIMMED\n-----------\n\nData: None."


def _spec(*members: str, after: str = "", prose: str = "Somebody moved the switch.") -> str:
    data = "\n".join(members)
    text = f"LAMP_SWITCHED\n-------------\n\n{prose}\n\nData:\n\n{data}"
    return f"{text}\n\n{after}" if after else text


def _change(slug: str, change: ChangeKind, means: str, why: str, old: str, new: str, good: str = "") -> Code:
    """A change. Without a good example, that is the old spec in other words."""
    good = good or old.replace("Somebody moved the switch.", "The switch\nwas moved.")
    return Code(slug, change.tolerant.severity, means, why, new, good, _AGAINST, old=old, change=change)


def _built(values: str) -> str:
    return (
        '{"source": "schema", "events": {"LAMP_SWITCHED": {"data": {"type": "object", "members": [\n'
        f' {{"name": "state", "type": {{"type": "enum", {values}}}}}]}}}}}}}}'
    )


_UNMARKED = _built('"values": ["on", "off"]')
_MARKED = _built('"values": ["on", "off"], "marks": {"off": {"deprecated": true}}')
_REORDERED = _built('"values": ["off", "on"]')
_MARKED_REORDERED = _built('"values": ["off", "on"], "marks": {"off": {"deprecated": true}}')

_PLAIN = _spec(_MEMBER)
_BOTH = _spec(_MEMBER, _OPTIONAL)
_TWO_EVENTS = _spec(_MEMBER, after=_DIMMED)

CODES: dict[str, Code] = {
    "QMP501": _change(
        "event-removed",
        ChangeKind(Subject.EVENT, Direction.REMOVED, Impact.BREAKING, Impact.BREAKING),
        "The new spec has no such event. Where another one of the same data came, it is named: likely the "
        "event was renamed.",
        "A client that waits for the event waits forever.",
        _TWO_EVENTS,
        _PLAIN,
    ),
    "QMP502": _change(
        "event-added",
        ChangeKind(Subject.EVENT, Direction.ADDED, Impact.SAFE, Impact.BREAKING),
        "The new spec has an event that the old one had not.",
        "A client must ignore events that it does not know; one that rejects them breaks.",
        _PLAIN,
        _TWO_EVENTS,
    ),
    "QMP503": _change(
        "member-removed",
        ChangeKind(Subject.MEMBER, Direction.REMOVED, Impact.BREAKING, Impact.BREAKING),
        "A mandatory member is gone. Where another one of the same type came, it is named: likely the "
        "member was renamed.",
        "Clients read mandatory members without asking whether they are there.",
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
        _PLAIN,
    ),
    "QMP504": _change(
        "optional-member-removed",
        ChangeKind(Subject.MEMBER, Direction.REMOVED, Impact.RISKY, Impact.RISKY),
        "A member that could be absent is gone.",
        "A client works without the member, but may have done more with it.",
        _BOTH,
        _PLAIN,
    ),
    "QMP505": _change(
        "member-added",
        ChangeKind(Subject.MEMBER, Direction.ADDED, Impact.SAFE, Impact.BREAKING, concerns_object=True),
        "An object has a new member.",
        "A client must ignore members that it does not know; one that rejects them breaks.",
        _PLAIN,
        _BOTH,
    ),
    "QMP506": _change(
        "member-became-optional",
        ChangeKind(Subject.MEMBER, Direction.CHANGED, Impact.BREAKING, Impact.BREAKING),
        "A member that always was there may now be absent.",
        "Clients that read it without asking break on the first event that lacks it.",
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
        _BOTH,
    ),
    "QMP507": _change(
        "member-became-mandatory",
        ChangeKind(Subject.MEMBER, Direction.CHANGED, Impact.SAFE, Impact.SAFE, concerns_object=True),
        "A member that could be absent now always comes.",
        "Clients need not ask for it any more; nothing breaks.",
        _BOTH,
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
    ),
    "QMP508": _change(
        "type-changed",
        ChangeKind(Subject.TYPE, Direction.CHANGED, Impact.BREAKING, Impact.BREAKING),
        "A value may be of a type that it could not be of before: another one, or a wider one.",
        "A client in a typed language fails to decode the whole message.",
        _PLAIN,
        _spec(_MEMBER.replace('json-string, "on" or "off"', "json-bool")),
    ),
    "QMP509": _change(
        "type-narrowed",
        ChangeKind(Subject.TYPE, Direction.CHANGED, Impact.SAFE, Impact.SAFE),
        "A value has a narrower type: all that it may be now, it could be before.",
        "Clients that read the wider type read this one; nothing breaks.",
        _spec('- "level": how bright it is (json-number)'),
        _spec('- "level": how bright it is (json-int)'),
    ),
    "QMP510": _change(
        "value-added",
        ChangeKind(Subject.VALUE, Direction.ADDED, Impact.RISKY, Impact.BREAKING),
        "A closed set has a new value. Where it comes with a branch of a union, the members there are named.",
        "A client that handles each value has no case for this one.",
        _PLAIN,
        _spec(_MEMBER.replace('"on" or "off"', '"on", "off" or "dim"')),
    ),
    "QMP511": _change(
        "value-removed",
        ChangeKind(Subject.VALUE, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "A closed set has lost a value.",
        "A client's case for it is never met any more; nothing breaks.",
        _spec(_MEMBER.replace('"on" or "off"', '"on", "off" or "dim"')),
        _PLAIN,
    ),
    "QMP512": _change(
        "follow-up-removed",
        ChangeKind(Subject.FOLLOW_UP, Direction.REMOVED, Impact.BREAKING, Impact.BREAKING),
        "The new spec no longer says that another event follows this one.",
        "Clients that wait for the second event may wait forever.",
        _spec(_MEMBER, after=_FOLLOW_UP),
        _PLAIN,
    ),
    "QMP513": _change(
        "follow-up-added",
        ChangeKind(Subject.FOLLOW_UP, Direction.ADDED, Impact.SAFE, Impact.SAFE),
        "The new spec says that another event follows this one; the old one did not.",
        "Clients may rely on it; nothing breaks.",
        _PLAIN,
        _spec(_MEMBER, after=_FOLLOW_UP),
    ),
    "QMP514": _change(
        "rate-limit-added",
        ChangeKind(Subject.RATE_LIMIT, Direction.ADDED, Impact.RISKY, Impact.RISKY),
        "The event is now sent at most once a second, or a limit that it had now covers more of it; what "
        "happens in between is not told. (A limit that QEMU had all along is QMP517 where a document begins "
        "to state it.)",
        "A client that counts events, or waits for each, misses some.",
        _PLAIN,
        _spec(_MEMBER, after=_LIMIT),
    ),
    "QMP515": _change(
        "rate-limit-removed",
        ChangeKind(Subject.RATE_LIMIT, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "The new spec no longer limits how often the event is sent, or exempts more of it.",
        "No event is missed any more; there may be more of them.",
        _spec(_MEMBER, after=_LIMIT),
        _PLAIN,
    ),
    "QMP516": _change(
        "became-deprecated",
        ChangeKind(Subject.DEPRECATION, Direction.ADDED, Impact.RISKY, Impact.RISKY),
        "The new spec marks the event, the member or the value as deprecated.",
        "A later version may do without it; clients should move to what takes its place.",
        _UNMARKED,
        _MARKED,
        _REORDERED,
    ),
    "QMP517": _change(
        "documents-differ",
        ChangeKind(Subject.WORDING, Direction.CHANGED, Impact.DOC, Impact.DOC, concerns_object=True),
        "The two specs say different things, but can mean the same events: one is more precise, as texts and "
        "schemas of one release are, or speaks of what a build may lack. (A member that always was there and "
        "may be absent now is QMP506.)",
        "Nothing changes on the wire. It says which spec to read for the details.",
        _spec('- "state": where it stands now (json-string)'),
        _PLAIN,
    ),
    "QMP518": _change(
        "no-longer-deprecated",
        ChangeKind(Subject.DEPRECATION, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "The new spec no longer marks the event, the member or the value as deprecated.",
        "Clients may go on using it; nothing breaks.",
        _MARKED,
        _UNMARKED,
        _MARKED_REORDERED,
    ),
}
