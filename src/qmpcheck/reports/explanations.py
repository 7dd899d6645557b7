"""What each code means. The examples are run by the tests: the bad one gives the code, the good one none."""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    """One code explained.

    Attributes:
        means: what the finding says.
        why: why it matters.
        bad: text that gives the finding.
        good: text that gives no finding.
        against: what the examples are: a stream and how it is checked, or a document.
        rules: the user's own rules that they are held to.
        spec: the compiled rule base that they are held to, where it is none of the catalogue.
        old: the spec that they come after.
    """

    means: str
    why: str
    bad: str
    good: str
    against: str = "a stream, --spec v2"
    rules: str = ""
    spec: str = ""
    old: str = ""


_STOP = '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "STOP"}'


def _io_error(data: str) -> str:
    return _STOP.replace('"STOP"', f'"BLOCK_IO_ERROR", "data": {data}')


def _lamp(state: str) -> str:
    return _STOP.replace('"STOP"', f'"LAMP_SWITCHED", "data": {{"state": "{state}"}}')


_GREETING = '{"QMP": {"version": {}, "capabilities": []}}'
_STOPPING = _io_error('{"device": "disk0", "operation": "read", "action": "stop"}')


def _offsets(*offsets: str) -> str:
    return "\n".join(
        _STOP.replace('"STOP"', f'"RTC_CHANGE", "data": {{"offset": {offset}}}') for offset in offsets
    )


_GOOD_IO_ERROR = _io_error('{"device": "disk0", "operation": "read", "action": "report"}')

_DOCUMENT = "a document"


def _document(*lines: str) -> str:
    return "\n".join(lines)


_GOOD_DOCUMENT = _document(
    "LAMP_SWITCHED",
    "-------------",
    "",
    "Somebody moved the switch.",
    "",
    "Data:",
    "",
    '- "state": where it stands now (json-string, "on" or "off")',
    "",
    "Example:",
    "",
    '{ "event": "LAMP_SWITCHED",',
    '  "data": { "state": "on" },',
    '  "timestamp": { "seconds": 1, "microseconds": 2 } }',
)


def _defect(means: str, why: str, old: str, new: str) -> Explanation:
    """A defect that comes of one change to the good document."""
    return Explanation(means, why, _GOOD_DOCUMENT.replace(old, new), _GOOD_DOCUMENT, _DOCUMENT)


EXPLANATIONS: dict[str, Explanation] = {
    "QMP101": Explanation(
        "The line is not JSON, or not UTF-8. The column counts characters from 1.",
        "A client that reads line by line loses this message, and may lose the connection.",
        '{"event": "STOP", "timestamp": }',
        _STOP,
    ),
    "QMP102": Explanation(
        "The line is JSON, but not an object.",
        "Every message of the protocol is an object; something else wrote into the stream.",
        '["STOP"]',
        _STOP,
    ),
    "QMP103": Explanation(
        "The object is no event, greeting, reply or command: it has none of their keys, or a name that is "
        "not a string.",
        "A client cannot tell what to do with it.",
        '{"happened": "STOP"}',
        _STOP,
    ),
    "QMP104": Explanation(
        "An event's timestamp is missing, or is not two integers, or has microseconds outside 0 to 999999. "
        "Both at -1 is allowed: the host had no clock.",
        "Clients order events, and measure between them, by this value.",
        '{"event": "STOP", "timestamp": {"seconds": 1700000000, "microseconds": 1000000}}',
        _STOP,
    ),
    "QMP105": Explanation(
        "An event has a key beside event, data and timestamp.",
        "The protocol names these three; a strict client rejects the message.",
        '{"event": "STOP", "vm": 7, "timestamp": {"seconds": 1700000000, "microseconds": 5}}',
        _STOP,
    ),
    "QMP106": Explanation(
        "The last line has no newline and is not whole: the recording stops in its middle.",
        "Usually the process or the recorder was killed. What the line would have said is lost.",
        f"{_STOP}\n{_STOP[:40]}",
        _STOP,
    ),
    "QMP201": Explanation(
        "The spec has no event of this name.",
        "A client written for that spec does not know it. The build is newer or older than the spec, or "
        "the event was never documented.",
        '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "HALT"}',
        _STOP,
    ),
    "QMP202": Explanation(
        "A member that the spec makes mandatory is absent; where all of data is absent, it is said once.",
        "Clients read mandatory members without asking whether they are there.",
        _io_error('{"device": "disk0", "operation": "read"}'),
        _GOOD_IO_ERROR,
    ),
    "QMP203": Explanation(
        "The spec has no such member at this place.",
        "The member is undocumented, or belongs to another version of the spec.",
        _io_error('{"device": "disk0", "operation": "read", "action": "report", "sector": 9}'),
        _GOOD_IO_ERROR,
    ),
    "QMP204": Explanation(
        "A value has another JSON type than the spec says. true is no integer, and neither is 1.0.",
        "A client in a typed language fails to decode the whole message.",
        _io_error('{"device": 0, "operation": "read", "action": "report"}'),
        _GOOD_IO_ERROR,
    ),
    "QMP205": Explanation(
        "A value lies outside the closed set, or the range, that the spec gives.",
        "A client that handles each value has no case for this one.",
        _io_error('{"device": "disk0", "operation": "erase", "action": "report"}'),
        _GOOD_IO_ERROR,
    ),
    "QMP206": Explanation(
        "The spec marks the event, the member or the value as deprecated.",
        "A later version may do without it; clients should move to what takes its place.",
        _lamp("dim"),
        _lamp("on"),
        "a stream, --spec own.json",
        spec='{"events": {"LAMP_SWITCHED": {"data": {"type": "object", "members": [{"name": "state",\n'
        '"type": {"type": "enum", "values": ["on", "off", "dim"],\n'
        '"marks": {"dim": {"deprecated": true}}}}]}}}}',
    ),
    "QMP301": Explanation(
        "A follow-up that the spec states can no longer come: the session is over, or its bound has passed.",
        "Clients wait for the second event and would wait forever.",
        f"{_STOPPING}\n{_GREETING}\n{_STOP}",
        f"{_STOPPING}\n{_STOP}\n{_GREETING}\n{_STOP}",
    ),
    "QMP302": Explanation(
        "A follow-up has not come by the end of the stream. It may still: a recording can end anywhere. "
        "--complete says that the session is over.",
        "It tells what a client of this stream is still waiting for.",
        _STOPPING,
        f"{_STOPPING}\n{_STOP}",
    ),
    "QMP303": Explanation(
        "A follow-up came, but later than --within allows.",
        "A client with that patience has given up by then.",
        f"{_STOPPING}\n{_STOP.replace('0000000, ', '0000009, ')}",
        f"{_STOPPING}\n{_STOP}",
        "a stream, --spec v2 --within 5",
    ),
    "QMP304": Explanation(
        "Three rate-limited events of one kind happened within a second. The spec says that such events are "
        "sent at most once a second, so the first and the third of any three are at least that far apart.",
        "Clients rely on the limit to be safe from floods.",
        _offsets("1", "2", "3"),
        _offsets("1", "2"),
        "a stream, --spec 2.8:txt",
    ),
    "QMP305": Explanation(
        "An event happened more than a second before the one that it stands behind. Events that are "
        "rate-limited may, because they are sent late, and are not meant.",
        "The host's clock was set back, or the recording is not in the order of sending.",
        f"{_STOP}\n{_STOP.replace('17000', '16000')}",
        f"{_STOP}\n{_STOP}",
    ),
    "QMP306": Explanation(
        "A rule of yours says that another event comes before this one, and in this session none did.",
        "Whatever prepares for the event was not told to.",
        _GOOD_IO_ERROR,
        f"{_STOP}\n{_GOOD_IO_ERROR}",
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "precedence"\nthen = "STOP"',
    ),
    "QMP307": Explanation(
        "A rule of yours says that this event does not come until another one did.",
        "Whoever relies on the pause between them is wrong.",
        f"{_STOPPING}\n{_STOP}",
        _STOP,
        "a stream, --spec v2 --rules own.toml",
        '[[rule]]\nevent = "BLOCK_IO_ERROR"\nkind = "absence"\nthen = "STOP"\nuntil = "RESET"',
    ),
    "QMP901": _defect(
        "A line, a sentence or words that may state a rule and are not understood.",
        "Nothing in a document may be passed over in silence: it might state a rule.",
        "Example:\n",
        "Note: the lamp prefers to be on.\n\nExample:\n",
    ),
    "QMP902": _defect(
        "An example is not JSON.",
        "Authors of clients copy examples into their tests.",
        '"LAMP_SWITCHED",\n',
        '"LAMP_SWITCHED"\n',
    ),
    "QMP903": _defect(
        "An example is an event that breaks the document's own rules.",
        "Either the example or the rule is wrong, and readers cannot tell which.",
        '"state": "on"',
        '"state": "dim"',
    ),
    "QMP904": _defect(
        "An example shows another event than the one it stands under.",
        "Readers look for an event's example under its heading.",
        '"event": "LAMP_SWITCHED"',
        '"event": "LAMP_BROKEN"',
    ),
    "QMP905": _defect(
        "The text says that the event has no data, and then describes members.",
        "A reader who stops at the first line takes the event for an empty one.",
        "Data:\n",
        "Data: None.\n",
    ),
    "QMP906": Explanation(
        "Two headings have the same number.",
        "References by number are ambiguous.",
        _GOOD_DOCUMENT.replace("LAMP_SWITCHED\n-", "1 LAMP_SWITCHED\n---")
        + "\n\n1 LAMP_BROKEN\n-------------\n\nData: None.",
        _GOOD_DOCUMENT.replace("LAMP_SWITCHED\n-", "1 LAMP_SWITCHED\n---"),
        _DOCUMENT,
    ),
    "QMP907": _defect(
        "An underline is longer or shorter than its heading.",
        "A matter of looks; other tools that read such headings may miss it.",
        "LAMP_SWITCHED\n-",
        "LAMP_SWITCHED\n---",
    ),
    "QMP908": _defect(
        "A member has no type note.",
        "Nothing can be checked about its value.",
        ' (json-string, "on" or "off")',
        "",
    ),
    "QMP909": _defect(
        "A note makes a rule depend on a member that the event does not have.",
        "The rule can never apply; it was probably copied from another event.",
        "Example:\n",
        'Note: If colour is "red", a LAMP_SWITCHED event will eventually follow the '
        "LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP910": _defect(
        "A note states a rule for another event than the one it stands under.",
        "Readers look for an event's rules under its heading, and only those become rules.",
        "Example:\n",
        "Note: A LAMP_SWITCHED event will eventually follow the LAMP_BROKEN event.\n\nExample:\n",
    ),
    "QMP911": _defect(
        "A note names an event that the document does not describe.",
        "A client cannot look up what it is told to wait for.",
        "Example:\n",
        "Note: A LAMP_BROKEN event will eventually follow the LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP912": Explanation(
        "An event has two entries. The first one counts.",
        "They may contradict each other.",
        f"{_GOOD_DOCUMENT}\n\n{_GOOD_DOCUMENT}",
        _GOOD_DOCUMENT,
        _DOCUMENT,
    ),
    "QMP913": _defect(
        "An object has two members of one name. The first one counts.",
        "JSON objects do not keep both.",
        "\nExample:\n",
        '- "state": the same again (json-string)\n\nExample:\n',
    ),
    "QMP914": _defect(
        "A type note names a JSON type that is not known.",
        "Nothing can be checked about the value.",
        'json-string, "on" or "off"',
        "json-text",
    ),
    "QMP915": _defect(
        "An example stands without a line that says so.",
        "Tools that look for the label miss the example.",
        "Example:\n\n",
        "",
    ),
    "QMP916": _defect(
        "An entry does not say whether its event has data.",
        "Readers cannot tell an event without data from one whose data was forgotten.",
        'Data:\n\n- "state": where it stands now (json-string, "on" or "off")\n\n',
        "",
    ),
    "QMP917": _defect(
        "A note makes a rule depend on a value that the member cannot take.",
        "The rule can never apply.",
        "Example:\n",
        'Note: If state is "dim", a LAMP_SWITCHED event will eventually follow the '
        "LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP918": Explanation(
        "An event's name stands on a line of its own, but is not underlined.",
        "Readers, people and tools, may take what follows for a part of the event above.",
        f"{_GOOD_DOCUMENT}\n\nLAMP_BROKEN\n\nData: None.",
        _GOOD_DOCUMENT,
        _DOCUMENT,
    ),
    "QMP919": _defect(
        "A member is indented below one whose type holds no members. It counts as the next member beside it.",
        "Either the type or the indentation is wrong, and clients look for the member in the wrong place.",
        "\nExample:\n",
        '  - "by": who moved it (json-string, optional)\n\nExample:\n',
    ),
}
