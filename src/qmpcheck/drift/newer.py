"""Builds that are newer than the catalogue: what may simply be new in them is only a warning."""

from __future__ import annotations

from qmpcheck.codes import CODES, Severity
from qmpcheck.finding import Severities
from qmpcheck.specs.catalogue import Spec

MAY_BE_NEW = frozenset(code for code, each in CODES.items() if each.evidence and each.evidence.may_be_new)
"""The codes of findings that a newer spec may not have: an unknown event, member or value."""


def severities(spec: Spec, own: Severities) -> Severities:
    """Return the severities of codes that differ from the registry.

    Args:
        spec: the spec that a build is checked against. If the build is newer, what may be new is a warning.
        own: the severities that the user sets, whatever the build is.
    """
    return {**dict.fromkeys(MAY_BE_NEW, Severity.WARNING), **own} if spec.newer else own
