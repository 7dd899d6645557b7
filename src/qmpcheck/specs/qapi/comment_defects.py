"""Compare the comment of a schema's event with its definition, and find the examples in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qmpcheck.finding import Finding
from qmpcheck.specs.documents.entries import Example
from qmpcheck.specs.qapi import comments
from qmpcheck.specs.qapi.definitions import Definition
from qmpcheck.specs.qapi.expressions import ListNode, ObjectNode
from qmpcheck.text import name, quoted
from qmpcheck.wording import did_you_mean


def members(event: Definition) -> Iterator[Finding]:
    """Yield how the members that a comment describes differ from those that the event has."""
    if not event.comment:
        return
    passages = comments.parse(event.comment, event.comment_line)
    heading = passages[0].text.strip().removeprefix("@").removesuffix(":") if passages else ""
    if heading != event.name:
        line = passages[0].line if passages else event.comment_line
        message = f"the comment must begin with @{name(event.name)}: on a line of its own"
        yield Finding("QMP921", line, message, name(event.name))
    described = {found[1]: each.line for each in passages[1:] if (found := _DESCRIBES.match(each.text))}
    data = event.table.get("data", ObjectNode())
    if not isinstance(data, ObjectNode):
        return  # the comment of that type describes the members
    has = {str(member).removeprefix("*"): member.line for member, _ in data.pairs()}
    for member in described.keys() - has.keys() - _features(event):
        hint = did_you_mean(member, has)
        message = f"the comment describes {quoted(member)}, which the event does not have{hint}"
        yield Finding("QMP921", described[member], message, name(event.name), ("data", member))
    for member in has.keys() - described.keys():
        message = "the comment does not describe this member"
        yield Finding("QMP920", has[member], message, name(event.name), ("data", member))


_DESCRIBES = re.compile(r"[ \t]*@([^\s:]+)[ \t]*:")
"""The beginning of what a comment says about a member or a feature."""


def _features(event: Definition) -> set[str]:
    listed = event.table.get("features", ListNode())
    several = listed if isinstance(listed, ListNode) else ListNode()
    return {str(each.get("name")) if isinstance(each, ObjectNode) else str(each) for each in several}


def examples(event: Definition) -> Iterator[Example]:
    """Yield the events that are sent in the examples of a comment."""
    text = _SIGN.sub(r"\1 ", event.comment) + "\n"  # columns stay the same
    for found in _SENT.finditer(text):
        indent = " " * (found.start("sent") - found.start())
        # "..." leaves something out.
        if re.search(r"""["']event["']""", found["sent"]) and "..." not in found["sent"]:
            line = event.comment_line + text.count("\n", 0, found.start())
            yield Example(line, indent + found["sent"], (event.name,), True)


_SIGN = re.compile(r"^([ \t]*)#", re.MULTILINE)
_SENT = re.compile(r"^(?P<margin>[ \t]*)<-[ \t]*(?P<sent>\{.*\n(?:(?P=margin)[ \t]+\S.*\n)*)", re.MULTILINE)
"""What QEMU sends in an example: an arrow and an object, whose further lines are indented more."""
