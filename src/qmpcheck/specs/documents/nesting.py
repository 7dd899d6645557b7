"""Find out which member is inside of which.

Indentation shows that. If a saved page has lost it, the event's own example does.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from qmpcheck import rulebase
from qmpcheck.specs.documents.member import MemberText

DEEPEST = 32
"""How many levels of nesting are kept; deeper members count as members of the deepest level."""

_TOP = -1


def nest(texts: Sequence[MemberText], example: dict[str, Any]) -> tuple[rulebase.Member, ...]:
    """Return the members as a tree.

    Args:
        texts: the members, in the document's order.
        example: the `data` of the event's example; {} if it has none.
    """
    # Trust the indentation, unless the example contradicts it.
    parents = _parents_by_indent(texts)
    if _lost_indentation(texts, parents, example):
        parents = _parents_by_example(texts, example)
    return _tree(texts, parents)


def _parents_by_indent(texts: Sequence[MemberText]) -> list[int]:
    parents: list[int] = []
    around: list[int] = []
    for at, text in enumerate(texts):
        # `around` has the objects that are open here, from the outermost to the innermost.
        while around and (text.indent <= texts[around[-1]].indent or len(around) >= DEEPEST):
            around.pop()
        parents.append(around[-1] if around else _TOP)
        if text.holds_members:
            around.append(at)
    return parents


def misplaced(texts: Sequence[MemberText]) -> Iterator[tuple[MemberText, MemberText]]:
    """Yield each member that is deeper than the one above, though that can have none, with the one above."""
    for above, text in itertools.pairwise(texts):
        if text.indent > above.indent and not above.holds_members and text.line != above.line:
            yield text, above


def _lost_indentation(texts: Sequence[MemberText], parents: list[int], example: dict[str, Any]) -> bool:
    """Whether an object has no members, though the example shows the next member inside of it."""
    return any(
        text.holds_members
        and parents[at] == parents[at + 1]
        and _shows(example, text.name, texts[at + 1].name)
        for at, text in enumerate(texts[:-1])
    )


def _shows(example: dict[str, Any], outer: str, inner: str) -> bool:
    shown = example.get(outer)
    first = shown[0] if isinstance(shown, list) and shown else shown
    return isinstance(first, dict) and inner in first


def _parents_by_example(texts: Sequence[MemberText], example: dict[str, Any]) -> list[int]:
    """Put into each object what follows, up to a name that it has already or that the example has outside."""
    parents: list[int] = []
    around, taken = _TOP, set[str]()
    for at, text in enumerate(texts):
        if around != _TOP:
            shown_inside = _shows(example, texts[around].name, text.name)
            if text.name in taken or (text.name in example and not shown_inside):
                around = _TOP
        parents.append(around)
        taken.add(text.name)
        if around == _TOP and text.holds_members:
            around, taken = at, set()
    return parents


def _tree(texts: Sequence[MemberText], parents: list[int]) -> tuple[rulebase.Member, ...]:
    """Build the members from the last to the first, so that each is complete before the one around it."""
    inside: defaultdict[int, list[rulebase.Member]] = defaultdict(list)
    # Types are frozen: a member must be complete before it goes into the one around it.
    for at in range(len(texts) - 1, -1, -1):
        inside[parents[at]].append(_member(texts[at], _in_order(inside.pop(at, []))))
    return _in_order(inside[_TOP])


def _in_order(backwards: list[rulebase.Member]) -> tuple[rulebase.Member, ...]:
    """Return the members in the document's order; of two with one name, only the first."""
    by_name = {member.name: member for member in backwards}
    return tuple(reversed([member for member in backwards if by_name[member.name] is member]))


def _member(text: MemberText, inside: tuple[rulebase.Member, ...]) -> rulebase.Member:
    type = text.type
    if inside:
        type = rulebase.Object(inside)
        type = rulebase.Array(type) if isinstance(text.type, rulebase.Array) else type
    return rulebase.Member(text.name, type, text.optional, text.line)
