"""The identity of a finding from one run to the next: independent of its line and of values that vary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from qmpcheck.keypath import as_text, of_any_item

if TYPE_CHECKING:
    from qmpcheck.drift.change import Change
    from qmpcheck.finding import Finding


class Identity(NamedTuple):
    """What a finding is known by, in any stream and on any line.

    Attributes:
        code: its rule.
        event: the event that it concerns, "" for none.
        path: the dotted path that it concerns, `[]` for any item of a list.
        kind: what else tells findings of one code apart; "" for nothing: of a stream, the rule over time that
            it is about, and the erratum that it is an instance of, but nothing that a guest wrote, or each
            value would be news; of a change, the value and the branches, or the follow-up, that it is about.
    """

    code: str
    event: str
    path: str
    kind: str = ""


Baseline = frozenset[Identity]
"""What is accepted: each finding by what it is known by."""


def of_finding(finding: Finding) -> Identity:
    """What a finding about a stream is known by."""
    kind = "; ".join(filter(None, (finding.rule, finding.erratum)))
    return Identity(finding.code, finding.event, as_text(of_any_item(finding.path)), kind)


def of_defect(finding: Finding) -> Identity:
    """What a defect of a spec document is known by: all that is said of it but numbers, which move."""
    import hashlib

    said = re.sub(r"\d+", "", finding.message)
    kind = hashlib.sha256(said.encode()).hexdigest()[:12]
    return Identity(finding.code, finding.event, as_text(of_any_item(finding.path)), kind)


def of_change(change: Change) -> Identity:
    """What a change between two specs is known by."""
    where = [f"in {as_text(each.within)} {each}" for each in change.where]
    text = change.text if change.code in _OF_FOLLOW_UPS else ""
    kind = "; ".join(filter(None, (change.value, *where, text)))
    return Identity(change.code, change.event, change.shown_path, kind)


_OF_FOLLOW_UPS = ("QMP512", "QMP513")
"""An event has several follow-ups, which are told apart by what they say."""


def fingerprint(identity: Identity) -> str:
    """The identity as 32 hexadecimal digits."""
    import hashlib
    import json

    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
