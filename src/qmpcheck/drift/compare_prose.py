"""Compare what only the prose of specs states: follow-ups and rate limits."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from qmpcheck import rate_limits
from qmpcheck.codes import CODES, Impact
from qmpcheck.drift.change import Change, ComparedPlace, SpecKinds
from qmpcheck.rulebase import EventRule, Place, RateLimit
from qmpcheck.wording import follow_up_text, rate_limit_text


def follow_ups(old: EventRule, new: EventRule, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    """Yield the changes of what must follow an event."""
    # Compare without line numbers, which differ between any two documents.
    stated = [[msgspec.structs.replace(rule, line=None) for rule in side.follow_ups] for side in (old, new)]
    removed, added = ("QMP517", "QMP517") if sides.untimed else ("QMP512", "QMP513")
    for rule, plain in zip(old.follow_ups, stated[0], strict=True):
        if plain not in stated[1]:
            here = at._replace(old=Place(rule.line, at.old.file))
            yield _removed(removed, "follow-up", follow_up_text(rule), here, new)
    for rule, plain in zip(new.follow_ups, stated[1], strict=True):
        if plain not in stated[0]:
            here = at._replace(new=Place(rule.line, at.new.file))
            yield _added(added, "follow-up", follow_up_text(rule), here, old)


def _removed(code: str, what: str, said: str, at: ComparedPlace, new: EventRule) -> Change:
    """Return the change that the new spec lacks a sentence of the old one.

    Args:
        code: of the change; QMP517 if only the documents changed, not QEMU.
        what: a follow-up or a rate limit.
        said: what the old spec says of it.
        at: where it is.
        new: the event in the new spec. If not all of that was understood, the sentence may still be there.
    """
    if new.not_understood:
        here = at._replace(new=Place(new.not_understood[0], at.new.file))
        return here.change(_if_unclear(code), f"{what} not found in the new spec, {_gap(new)}: {said}")
    verb = "no longer documented" if code == "QMP517" else "removed"
    return at.change(code, f"{what} {verb}: {said}")


def _added(code: str, what: str, said: str, at: ComparedPlace, old: EventRule) -> Change:
    """Return the change that the new spec has a sentence that the old one lacks; the mirror of `_removed`."""
    if old.not_understood:
        here = at._replace(old=Place(old.not_understood[0], at.old.file))
        return here.change(_if_unclear(code), f"{what} not found in the old spec, {_gap(old)}: {said}")
    verb = "now documented" if code == "QMP517" else "added"
    return at.change(code, f"{what} {verb}: {said}")


def _if_unclear(code: str) -> str:
    """Return the code of a change that may be none: it is a risk only if the change would be one."""
    about = CODES[code].change
    return "QMP519" if about and about.tolerant >= Impact.RISKY else "QMP517"


def _gap(rule: EventRule) -> str:
    return f"whose line {rule.not_understood[0]} was not understood"


def rate_limit(old: EventRule, new: EventRule, at: ComparedPlace, sides: SpecKinds) -> Iterator[Change]:
    """Yield the change of how often an event is sent."""
    a, b = old.rate_limit, new.rate_limit
    here = at._replace(
        old=Place(a.line, at.old.file) if a else at.old, new=Place(b.line, at.new.file) if b else at.new
    )
    if a and b:
        yield from _other_limit(a, b, here)
    elif stated := a or b:
        # Documents began to state limits years after QEMU kept them: then nothing changes on the wire.
        is_real = rate_limits.is_real(at.event, not sides.differ) and not sides.untimed
        # Say what QEMU does where QEMU changed, as for a limit that both have; else what the document says.
        limit = rate_limits.keyed(at.event, stated) if is_real else stated
        if a:
            code = "QMP515" if is_real else "QMP517"
            yield _removed(code, "rate limit", rate_limit_text(limit), here, new)
        else:
            code = "QMP514" if is_real else "QMP517"
            yield _added(code, "rate limit", rate_limit_text(limit), here, old)


def _other_limit(old: RateLimit, new: RateLimit, here: ComparedPlace) -> Iterator[Change]:
    stated = [(limit.key, limit.unless) for limit in (old, new)]
    before, after = (rate_limits.keyed(here.event, limit) for limit in (old, new))
    if (before.key, before.unless) != (after.key, after.unless):
        code, what = ("QMP515", "narrowed") if rate_limits.is_laxer(after, before) else ("QMP514", "widened")
        text = f"rate limit {what} to {rate_limit_text(after)} (it was {rate_limit_text(before)})"
        yield here.change(code, text)
    elif stated[0] != stated[1]:
        text = f"rate limit described as {rate_limit_text(old)}, now as {rate_limit_text(new)}"
        yield here.change("QMP517", text)
