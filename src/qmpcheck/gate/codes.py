"""The codes of what the gate can find."""

from __future__ import annotations

from qmpcheck.codes import BUILD_CODES, CODES, DRIFT_CODES, STREAM_CODES, Impact
from qmpcheck.gate.failure import CRASHED, FAILED, HUNG

NOT_SEEN, REPEATED, UNEXPECTED, MISPLACED = "QMP401", "QMP405", "QMP406", "QMP407"
UNTIMELY, KEY_TWICE = "QMP408", "QMP409"

_NOT_IN_INTROSPECTION = {"QMP512", "QMP513", "QMP514", "QMP515"}
"""Follow-ups and rate limits: introspection does not have them."""

_CHANGES = {code for code in DRIFT_CODES if CODES[code].tolerant is not Impact.DOC} - _NOT_IN_INTROSPECTION
"""The differences between a build and its spec that are more than build options."""

OF_GATE = STREAM_CODES | BUILD_CODES | _CHANGES
"""The codes of all that a gate can find."""

OF_FAILURE = {CRASHED: "QMP402", HUNG: "QMP403", FAILED: "QMP404"}
"""The code of each kind of failure. That a build lacks something is no finding, so `LACKS` has none."""
