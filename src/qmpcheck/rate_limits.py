"""How QEMU limits the rate of its events: what its code does, where a spec does not say all of it.

The documents began to state most limits years after the code had them, and none says which member a limit
goes by. This is the one place that knows; checks, `diff` and `history` read it.
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
"""The members whose values tell the events apart that share a limit; of other events, all share one."""

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
"""The events that every QEMU limits whose spec is a schema: those that state it later only state it."""

LIMITED_SINCE = {"BLOCK_IO_ERROR": (9, 2)}
"""The events that QEMU limits only from a release on, which is also the first whose schema states it."""

_STOP: dict[str, tuple[str, ...]] = {"action": ("stop",)}
_STOP_EXEMPT_SINCE = {(10, 0): 9, (10, 2): 2}
"""The patch level of a series from which on BLOCK_IO_ERROR is sent at once if its action is "stop".

From 11.0 on the schema says so; the series before 10.0 ended earlier.
"""

_NOT_KNOWN_SINCE = {(10, 1): 4}
"""The patch level of a series from which on it is not known which of the two holds."""

KNOWN: dict[str, RateLimit] = {
    event: RateLimit(key, unless=_STOP if event == "BLOCK_IO_ERROR" else {}) for event, key in KEYS.items()
}
"""The limits of events that have a key, as the most lenient of QEMU's builds keeps them."""


def kept(event: str, stated: RateLimit | None) -> RateLimit | None:
    """The limit that a build certainly keeps: of an unknown patch level, what the most lenient keeps."""
    if stated is None or stated.known_by == "neighbour":
        return None
    return stated if stated.known_by == "build" else KNOWN.get(event, stated)


def is_real(event: str, are_alike: bool) -> bool:
    """Whether QEMU does something else, and not only its document, where one of two specs states a limit.

    Args:
        event: the event that the limit is stated of.
        are_alike: whether the specs are of the same kind, so that the silence of one says something.
    """
    return event in LIMITED_SINCE or (are_alike and event not in ALWAYS_LIMITED)


def keyed(event: str, stated: RateLimit) -> RateLimit:
    """A stated limit with the key that QEMU has for it, where the spec names none."""
    return stated if stated.key else msgspec.structs.replace(stated, key=KEYS.get(event, ()))


def is_laxer(limit: RateLimit, other: RateLimit) -> bool:
    """Whether one limit lets every event through that the other lets through."""
    exempts = all(set(values) <= set(limit.unless.get(member, ())) for member, values in other.unless.items())
    return exempts and set(other.key) <= set(limit.key)


def is_changed(version: Version) -> bool:
    """Whether a patch level changed what the document of its release says."""
    since = _STOP_EXEMPT_SINCE.get(version[:2])
    return since is not None and since <= version.micro and not version.is_development


def of_build(rule_base: RuleBase, version: Version) -> RuleBase:
    """The rules of a release with the limit of BLOCK_IO_ERROR as a build of that version keeps it."""
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
