"""Rules in words."""

from __future__ import annotations

from qmpcheck.printable import name, quoted
from qmpcheck.rulebase import FollowUp


def alternatives(texts: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def plural(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def follow_up_text(rule: FollowUp) -> str:
    """`if action is "stop", STOP follows`."""
    conditions = [
        f"{name(member)} is {alternatives([*map(quoted, values)])}" for member, values in rule.when.items()
    ]
    if rule.option:
        conditions.append(f"-{name(rule.option)} was given")
    then = f"{alternatives([*map(name, rule.then)])} follows"
    return f"if {' and '.join(conditions)}, {then}" if conditions else then
