"""Builds that are newer than the catalogue: what could simply be new in them is no error."""

from __future__ import annotations

from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import Severities
from qmpcheck.specs.catalogue import Spec

MAY_BE_NEW = frozenset(code for code, each in CODES.items() if each.evidence and each.evidence.may_be_new)
"""The codes of what a newer spec may know: an event, a member, a value."""


def severities(spec: Spec, own: Severities) -> Severities:
    """How bad findings are, by their codes.

    Args:
        spec: that a build is checked against. If the build is newer, what may be new is a warning.
        own: how bad the user wants some to be, whatever the build is.
    """
    return {**dict.fromkeys(MAY_BE_NEW, Severity.WARNING), **own} if spec.newer else own
