"""QMP9xx: a spec document."""

from __future__ import annotations

from qmpcheck.codes.code import Code, Severity

_DOCUMENT, _SCHEMA = "a document", "a schema"


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


_GOOD_SCHEMA = _document(
    "##",
    "# @LAMP_SWITCHED:",
    "#",
    "# Somebody moved the switch.",
    "#",
    "# @state: the new position",
    "##",
    "{ 'event': 'LAMP_SWITCHED', 'data': { 'state': 'str' } }",
)


def _defect(slug: str, severity: Severity, means: str, why: str, old: str, new: str) -> Code:
    """Return the code of a defect. Its bad example is the good document with `old` replaced by `new`."""
    bad = _GOOD_DOCUMENT.replace(old, new)
    return Code(slug, severity, means, why, bad, _GOOD_DOCUMENT, _DOCUMENT)


CODES: dict[str, Code] = {
    "QMP901": _defect(
        "unknown-line",
        Severity.ERROR,
        "A line, a sentence or a phrase that may state a rule is not understood.",
        "qmpcheck would not check a rule that it does not understand, so it skips nothing silently.",
        "Example:\n",
        "Note: the lamp prefers to be on.\n\nExample:\n",
    ),
    "QMP902": _defect(
        "example-not-json",
        Severity.ERROR,
        "An example is not JSON.",
        "Authors of clients copy examples into their tests.",
        '"LAMP_SWITCHED",\n',
        '"LAMP_SWITCHED"\n',
    ),
    "QMP903": _defect(
        "example-breaks-rules",
        Severity.ERROR,
        "An example is an event that breaks the document's own rules.",
        "Either the example or the rule is wrong, and readers cannot tell which.",
        '"state": "on"',
        '"state": "dim"',
    ),
    "QMP904": _defect(
        "example-of-another-event",
        Severity.ERROR,
        "An example shows a different event from the one whose entry it is in.",
        "Readers look for an event's example under its heading.",
        '"event": "LAMP_SWITCHED"',
        '"event": "LAMP_BROKEN"',
    ),
    "QMP905": _defect(
        "none-with-members",
        Severity.WARNING,
        "The text says that the event has no data, and then describes members of it.",
        "A reader who stops at the first line takes the event for an empty one.",
        "Data:\n",
        "Data: None.\n",
    ),
    "QMP906": Code(
        "duplicate-heading-number",
        Severity.WARNING,
        "Two headings have the same number.",
        "References by number are ambiguous.",
        _GOOD_DOCUMENT.replace("LAMP_SWITCHED\n-", "1 LAMP_SWITCHED\n---")
        + "\n\n1 LAMP_BROKEN\n-------------\n\nData: None.",
        _GOOD_DOCUMENT.replace("LAMP_SWITCHED\n-", "1 LAMP_SWITCHED\n---"),
        _DOCUMENT,
    ),
    "QMP907": _defect(
        "underline-length",
        Severity.WARNING,
        "An underline is longer or shorter than its heading.",
        "Tools that read such headings may miss this one.",
        "LAMP_SWITCHED\n-",
        "LAMP_SWITCHED\n---",
    ),
    "QMP908": _defect(
        "member-without-type",
        Severity.WARNING,
        "A member has no type note.",
        "Nothing can be checked about its value.",
        ' (json-string, "on" or "off")',
        "",
    ),
    "QMP909": _defect(
        "note-about-missing-member",
        Severity.ERROR,
        "A note makes a rule depend on a member that the event does not have.",
        "The rule can never apply; it was probably copied from another event.",
        "Example:\n",
        'Note: If colour is "red", a LAMP_SWITCHED event will eventually follow the '
        "LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP910": _defect(
        "note-about-another-event",
        Severity.ERROR,
        "A note states a rule about a different event from the one whose entry it is in.",
        "Readers look for an event's rules under its heading, and qmpcheck takes rules only from there.",
        "Example:\n",
        "Note: A LAMP_SWITCHED event will eventually follow the LAMP_BROKEN event.\n\nExample:\n",
    ),
    "QMP911": _defect(
        "note-about-unknown-event",
        Severity.ERROR,
        "A note names an event that the document does not describe.",
        "Its rule cannot be kept: the event that must follow is itself an unknown one.",
        "Example:\n",
        "Note: A LAMP_BROKEN event will eventually follow the LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP912": Code(
        "duplicate-event",
        Severity.ERROR,
        "An event has two entries. Only the first one counts.",
        "They may contradict each other.",
        f"{_GOOD_DOCUMENT}\n\n{_GOOD_DOCUMENT}",
        _GOOD_DOCUMENT,
        _DOCUMENT,
    ),
    "QMP913": _defect(
        "duplicate-member",
        Severity.ERROR,
        "An object has two members of the same name. Only the first one counts.",
        "A JSON object cannot have both.",
        "\nExample:\n",
        '- "state": the same again (json-string)\n\nExample:\n',
    ),
    "QMP914": _defect(
        "unknown-type",
        Severity.ERROR,
        "A type note names an unknown JSON type.",
        "Nothing can be checked about the value.",
        'json-string, "on" or "off"',
        "json-text",
    ),
    "QMP915": _defect(
        "example-without-label",
        Severity.WARNING,
        'An example has no label, such as "Example:", before it.',
        "Tools that look for the label miss the example.",
        "Example:\n\n",
        "",
    ),
    "QMP916": _defect(
        "data-not-described",
        Severity.WARNING,
        "An entry does not say whether its event has data.",
        "Readers cannot tell an event without data from one whose data was forgotten.",
        'Data:\n\n- "state": where it stands now (json-string, "on" or "off")\n\n',
        "",
    ),
    "QMP917": _defect(
        "note-about-missing-value",
        Severity.ERROR,
        "A note makes a rule depend on a value that the member cannot take.",
        "The rule can never apply.",
        "Example:\n",
        'Note: If state is "dim", a LAMP_SWITCHED event will eventually follow the '
        "LAMP_SWITCHED event.\n\nExample:\n",
    ),
    "QMP918": Code(
        "heading-without-underline",
        Severity.ERROR,
        "An event's name is on a line of its own, but is not underlined.",
        "Readers and tools may take what follows for a part of the event above.",
        f"{_GOOD_DOCUMENT}\n\nLAMP_BROKEN\n\nData: None.",
        _GOOD_DOCUMENT,
        _DOCUMENT,
    ),
    "QMP919": _defect(
        "member-inside-a-value",
        Severity.ERROR,
        "A member is indented below one whose type cannot have members. It is read as a member of the "
        "same level.",
        "Either the type or the indentation is wrong, and clients may look for the member in the wrong "
        "place.",
        "\nExample:\n",
        '  - "by": who moved it (json-string, optional)\n\nExample:\n',
    ),
    "QMP920": Code(
        "member-not-described",
        Severity.WARNING,
        "An event of a schema has a member that the comment of the event does not describe.",
        "Clients do not learn what the member means. QEMU's build refuses such a schema since 9.0.",
        _GOOD_SCHEMA.replace("# @state: the new position\n", ""),
        _GOOD_SCHEMA,
        _SCHEMA,
    ),
    "QMP921": Code(
        "description-without-member",
        Severity.ERROR,
        "The comment of an event in a schema begins with another name, or the comment of a definition "
        "describes a member or a value that the definition does not have.",
        "Either the comment or the definition is wrong, and clients may wait for what never comes. QEMU's "
        "build refuses such a schema.",
        _GOOD_SCHEMA.replace(
            "# @state: the new position", "# @state: the new position\n#\n# @by: who moved it"
        ),
        _GOOD_SCHEMA,
        _SCHEMA,
    ),
}
