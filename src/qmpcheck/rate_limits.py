"""How QEMU limits the rate of its events, as far as its code does more than its specs say.

The documents began to state most limits years after the code had them, and none says which member's value a
limit is kept for. This table is the only place that knows; the checks, `diff` and `history` read it.
"""

from __future__ import annotations

import msgspec

from qmpcheck.rulebase import RateLimit, RuleBase
from qmpcheck.version import Version

KEYS: dict[str, tuple[str, ...]] = {
    "BLOCK_IO_ERROR": ("qom-path",),
    "MEMORY_DEVICE_SIZE_CHANGE": ("qom-path",),
    "QUORUM_REPORT_BAD": ("node-name",),
    "VSERPORT_CHANGE": ("id",),
}
"""The members for whose values QEMU keeps a limit each; all events of any other name share one limit."""

ALWAYS_LIMITED = frozenset(
    {
        "BALLOON_CHANGE",
        "HV_BALLOON_STATUS_REPORT",
        "MEMORY_DEVICE_SIZE_CHANGE",
        "QUORUM_FAILURE",
        "QUORUM_REPORT_BAD",
        "RTC_CHANGE",
        "VSERPORT_CHANGE",
        "WATCHDOG",
    }
)
"""Events that every QEMU with a schema limits, whenever its schema began to say so."""

LIMITED_SINCE = {"BLOCK_IO_ERROR": (9, 2)}
"""Events that QEMU limits only since a release, which is also the first whose schema says so."""

_STOP: dict[str, tuple[str, ...]] = {"action": ("stop",)}
_STOP_EXEMPT_SINCE = {(10, 0): 9, (10, 2): 2}
"""By series, the first patch level that sends BLOCK_IO_ERROR at once if its action is "stop".

From 11.0 on the schema says so; the series before 10.0 ended earlier.
"""

_NOT_KNOWN_SINCE = {(10, 1): 4}
"""By series, the first patch level of which nobody knows whether it does."""

KNOWN: dict[str, RateLimit] = {
    event: RateLimit(key, unless=_STOP if event == "BLOCK_IO_ERROR" else {}) for event, key in KEYS.items()
}
"""The limits of events that have a key, as QEMU's most lenient build keeps them."""


def kept(event: str, stated: RateLimit | None) -> RateLimit | None:
    """Return the limit that a build certainly keeps; for an unknown patch level, the most lenient one."""
    if stated is None or stated.known_by == "neighbour":
        return None
    return stated if stated.known_by == "build" else KNOWN.get(event, stated)


def is_real(event: str, are_alike: bool) -> bool:
    """Whether QEMU itself changed, and not only its document, if just one of two specs states a limit.

    Args:
        event: the event with the limit.
        are_alike: whether the specs are of the same kind, so that the silence of one means something.
    """
    return event in LIMITED_SINCE or (are_alike and event not in ALWAYS_LIMITED)


def keyed(event: str, stated: RateLimit) -> RateLimit:
    """Return a limit of a spec with the key that QEMU has for it, if the spec names none."""
    return stated if stated.key else msgspec.structs.replace(stated, key=KEYS.get(event, ()))


def is_laxer(limit: RateLimit, other: RateLimit) -> bool:
    """Whether one limit lets through every event that the other lets through."""
    # A limit with more keys, or more exemptions, lets more events through.
    exempts = all(set(values) <= set(limit.unless.get(member, ())) for member, values in other.unless.items())
    return exempts and set(other.key) <= set(limit.key)


def is_changed(version: Version) -> bool:
    """Whether a patch level does something else than the document of its release says."""
    since = _STOP_EXEMPT_SINCE.get(version[:2])
    return since is not None and since <= version.micro and not version.is_development


def of_build(rule_base: RuleBase, version: Version) -> RuleBase:
    """Return the rules of a release, with BLOCK_IO_ERROR's limit as a build of that version keeps it."""
    rule = rule_base.events.get("BLOCK_IO_ERROR")
    is_known = version.micro < _NOT_KNOWN_SINCE.get(version[:2], version.micro + 1)
    if rule is None or rule.rate_limit is None or version.is_development or not is_known:
        return rule_base
    limit = msgspec.structs.replace(
        rule.rate_limit,
        key=KEYS["BLOCK_IO_ERROR"],
        unless=_STOP if is_changed(version) else rule.rate_limit.unless,
        known_by="build",
    )
    changed = msgspec.structs.replace(rule, rate_limit=limit)
    return msgspec.structs.replace(rule_base, events=rule_base.events | {"BLOCK_IO_ERROR": changed})
