"""The identity of a finding across runs: independent of its line and of values that vary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from qmpcheck.codes import DOCUMENT_CODES
from qmpcheck.finding import Finding
from qmpcheck.keypath import as_text, of_any_item


class Identity(NamedTuple):
    """What makes two findings the same, in any stream and on any line.

    Attributes:
        code: of the finding.
        event: the event that it concerns, "" for none.
        path: the dotted path that it concerns, `[]` for any item of a list.
        kind: what else distinguishes findings of one code; "" for nothing. Of a stream, the temporal rule and
            the erratum, but nothing that a guest wrote, as each value would be a new finding; of a document,
            a digest of its words that are wrong; of a change, the value and the branches, or the follow-up.
    """

    code: str
    event: str
    path: str
    kind: str = ""


Baseline = frozenset[Identity]
"""The findings that are accepted."""


def of_finding(finding: Finding) -> Identity:
    """Return the identity of a finding."""
    if finding.code in DOCUMENT_CODES:
        kind = _digest(finding.kind)[:12] if finding.kind else ""  # a document's words are long
    else:
        kind = finding.kind or "; ".join(filter(None, (finding.rule, finding.erratum)))
    return Identity(finding.code, finding.event, as_text(of_any_item(finding.path)), kind)


def groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Group the findings that differ only in their places, in the order of the first ones."""
    found: dict[tuple[Identity, bool], list[Finding]] = {}
    for finding in findings:
        found.setdefault((of_finding(finding), finding.known), []).append(finding)
    return [*found.values()]


def fingerprint(identity: Identity) -> str:
    """Return the identity as 32 hexadecimal digits."""
    import json

    return _digest(json.dumps(identity))[:32]


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
