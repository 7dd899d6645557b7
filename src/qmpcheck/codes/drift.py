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
    """Return the code of a change from the spec `old` to the spec `new`, as tolerant clients see it.

    Without `good`, the good example is the old spec in other words.
    """
    good = good or old.replace("Somebody moved the switch.", "The switch\nwas moved.")
    return Code(slug, change.tolerant.severity, means, why, new, good, _AGAINST, old=old, change=change)


def _built(values: str) -> str:
    """Return a compiled spec, as event documents mark nothing as deprecated."""
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
        "The new spec no longer has the event. If it has a new event with the same data, that is named: "
        "the event was probably renamed.",
        "A client that waits for the event waits forever.",
        _TWO_EVENTS,
        _PLAIN,
    ),
    "QMP502": _change(
        "event-added",
        ChangeKind(Subject.EVENT, Direction.ADDED, Impact.SAFE, Impact.BREAKING),
        "The new spec has an event that the old one does not have.",
        "A client must ignore events that it does not know; one that rejects them breaks.",
        _PLAIN,
        _TWO_EVENTS,
    ),
    "QMP503": _change(
        "member-removed",
        ChangeKind(Subject.MEMBER, Direction.REMOVED, Impact.BREAKING, Impact.BREAKING),
        "A mandatory member was removed. If there is a new member of the same type, that is named: the "
        "member was probably renamed.",
        "Clients read mandatory members without checking that they are there.",
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
        _PLAIN,
    ),
    "QMP504": _change(
        "optional-member-removed",
        ChangeKind(Subject.MEMBER, Direction.REMOVED, Impact.RISKY, Impact.RISKY),
        "An optional member was removed.",
        "Clients work without the member, but may do less.",
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
        "A mandatory member became optional: it may now be absent.",
        "Clients that read it without checking break on the first event that lacks it.",
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
        _BOTH,
    ),
    "QMP507": _change(
        "member-became-mandatory",
        ChangeKind(Subject.MEMBER, Direction.CHANGED, Impact.SAFE, Impact.SAFE, concerns_object=True),
        "An optional member became mandatory: it is now always there.",
        "Clients need not check for it any more; nothing breaks.",
        _BOTH,
        _spec(_MEMBER, _OPTIONAL.replace(", optional", "")),
    ),
    "QMP508": _change(
        "type-changed",
        ChangeKind(Subject.TYPE, Direction.CHANGED, Impact.BREAKING, Impact.BREAKING),
        "A value may have a type that it could not have before: a different one, or a wider one.",
        "A client in a typed language fails to decode the whole message.",
        _PLAIN,
        _spec(_MEMBER.replace('json-string, "on" or "off"', "json-bool")),
    ),
    "QMP509": _change(
        "type-narrowed",
        ChangeKind(Subject.TYPE, Direction.CHANGED, Impact.SAFE, Impact.SAFE),
        "A value has a narrower type: whatever it can be now, it could be before.",
        "Clients that read the wider type read this one; nothing breaks.",
        _spec('- "level": how bright it is (json-number)'),
        _spec('- "level": how bright it is (json-int)'),
    ),
    "QMP510": _change(
        "value-added",
        ChangeKind(Subject.VALUE, Direction.ADDED, Impact.RISKY, Impact.BREAKING),
        "A member can have a new value. If that comes with a new branch of a union, the members there are "
        "named.",
        "A client that handles each known value has no code for this one.",
        _PLAIN,
        _spec(_MEMBER.replace('"on" or "off"', '"on", "off" or "dim"')),
    ),
    "QMP511": _change(
        "value-removed",
        ChangeKind(Subject.VALUE, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "A member can no longer have a value that it could have before.",
        "A client's code for the value is never used any more; nothing breaks.",
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
        "The event is now sent at most once a second, or its limit covers more cases than before; what "
        "happens in between is not reported. (If QEMU had the limit all along and a document only begins "
        "to state it, that is QMP517.)",
        "A client that counts events, or waits for each, misses some.",
        _PLAIN,
        _spec(_MEMBER, after=_LIMIT),
    ),
    "QMP515": _change(
        "rate-limit-removed",
        ChangeKind(Subject.RATE_LIMIT, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "The new spec no longer limits how often the event is sent, or limits it in fewer cases.",
        "Clients miss no event any more, but may get more of them.",
        _spec(_MEMBER, after=_LIMIT),
        _PLAIN,
    ),
    "QMP516": _change(
        "became-deprecated",
        ChangeKind(Subject.DEPRECATION, Direction.ADDED, Impact.RISKY, Impact.RISKY),
        "The new spec marks the event, the member or the value as deprecated.",
        "A later release may remove it; clients should use its replacement.",
        _UNMARKED,
        _MARKED,
        _REORDERED,
    ),
    "QMP517": _change(
        "documents-differ",
        ChangeKind(Subject.WORDING, Direction.CHANGED, Impact.DOC, Impact.DOC, concerns_object=True),
        "The two specs say different things, but can describe the same events: one is more precise, as a "
        "schema often is than the text of the same release, or mentions what a build may lack. (A "
        "mandatory member that became optional is QMP506.)",
        "Nothing changes on the wire. The more precise spec is the one to read for details.",
        _spec('- "state": where it stands now (json-string)'),
        _PLAIN,
    ),
    "QMP518": _change(
        "no-longer-deprecated",
        ChangeKind(Subject.DEPRECATION, Direction.REMOVED, Impact.SAFE, Impact.SAFE),
        "The new spec no longer marks the event, the member or the value as deprecated.",
        "Clients can go on using it; nothing breaks.",
        _MARKED,
        _UNMARKED,
        _MARKED_REORDERED,
    ),
    "QMP519": _change(
        "rule-not-understood",
        ChangeKind(Subject.FOLLOW_UP, Direction.CHANGED, Impact.RISKY, Impact.RISKY),
        "The old spec says that another event follows this one. The new spec may still say so, in a sentence "
        "that is not understood. The same goes for a rate limit that is new, unless the old spec stated it.",
        "Perhaps clients can no longer rely on it. `qmpcheck lint` shows the sentence; say it in words that "
        "are understood.",
        _spec(_MEMBER, after=_FOLLOW_UP),
        _spec(_MEMBER, after='Note: If state is "on", sooner or later the LAMP_SWITCHED event comes again.'),
    ),
}
