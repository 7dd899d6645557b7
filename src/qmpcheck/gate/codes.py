"""The codes of what the gate can find, in a module that is cheap to import."""

from __future__ import annotations

from qmpcheck.codes import BUILD_CODES, CODES, STREAM_CODES, ChangeKind, ChangeSubject, Impact
from qmpcheck.gate.failure import CRASHED, FAILED, HUNG

NOT_SEEN, REPEATED, UNEXPECTED, MISPLACED = "QMP401", "QMP405", "QMP406", "QMP407"
UNTIMELY, KEY_TWICE = "QMP408", "QMP409"
SCENARIO_LOST, EVENT_LOST = "QMP410", "QMP411"

OF_FAILURE = {CRASHED: "QMP402", HUNG: "QMP403", FAILED: "QMP404"}
"""The code of each kind of failure. `LACKS` has none, as it is no finding, nor has `STOPPED`."""

WORDS = {code: CODES[code].in_brief for code in BUILD_CODES}
"""What each code means, in a word or two."""


def _is_of_builds(kind: ChangeKind) -> bool:
    """Whether a build can differ from its spec in this way."""
    # Introspection has no prose, and so no follow-ups and no rate limits.
    is_prose = kind.subject in (ChangeSubject.FOLLOW_UP, ChangeSubject.RATE_LIMIT)
    return kind.tolerant is not Impact.DOC and not is_prose


_CHANGES = {code for code, each in CODES.items() if each.change and _is_of_builds(each.change)}
"""The differences between a build and its spec that concern clients."""

OF_GATE = STREAM_CODES | BUILD_CODES | _CHANGES
"""The codes of all that a gate can find."""
