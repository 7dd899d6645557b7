"""Read and write the file of findings that a project accepts for now; people can read and merge it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity
from qmpcheck.reports import fingerprint
from qmpcheck.reports.fingerprint import Baseline, Identity
from qmpcheck.rulebase import SpecError
from qmpcheck.text import reason_of, safe


class _BaselineEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry, which is one line of the file."""

    fingerprint: str
    code: str
    event: str
    path: str
    kind: str

    @property
    def identity(self) -> Identity:
        return Identity(self.code, self.event, self.path, self.kind)


class _BaselineFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    baseline: Literal[1]
    findings: list[msgspec.Raw]


LARGEST = 1 << 24
"""The largest size of a baseline, in bytes; an entry has about a hundred."""


def load(path: str) -> Baseline:
    """Read a baseline.

    Raises:
        SpecError: the file cannot be read, or is no baseline.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # a null character
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    if len(text) > LARGEST:
        raise SpecError(f"{safe(path)}: larger than {LARGEST >> 20} MiB: not a baseline")
    return read(path, text)


def read(path: str, text: bytes) -> Baseline:
    """Read a baseline from the content of a file.

    Raises:
        SpecError: it is no baseline.
    """
    return frozenset(_entries(path, text))


def _entries(path: str, text: bytes) -> Iterator[Identity]:
    try:
        entries = msgspec.json.decode(text, type=_BaselineFile).findings
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{safe(path)}{_line_of(error, text)}: not a baseline: {safe(str(error))}") from None
    at = max(0, text.find(b'"findings"'))
    for raw in entries:
        at = text.index(raw, at)
        line = text.count(b"\n", 0, at) + 1
        at += len(bytes(raw))
        try:
            entry = msgspec.json.decode(raw, type=_BaselineEntry)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"{safe(path)}:{line}: {safe(str(error))}") from None
        # An entry that was edited by hand would silently accept something else.
        if entry.fingerprint != fingerprint.fingerprint(entry.identity):
            raise SpecError(
                f"{safe(path)}:{line}: the fingerprint does not match the other fields; "
                "write this file with --update-baseline, not by hand"
            )
        yield entry.identity


def _line_of(error: Exception, text: bytes) -> str:
    """Return `:LINE` if the error has a position in the text; otherwise ""."""
    place = re.search(r"\(byte (\d+)\)$", str(error))
    return f":{text.count(bytes([10]), 0, int(place[1])) + 1}" if place else ""


def dump(baseline: Baseline) -> str:
    """Write a baseline: JSON, with a finding on each line, sorted, whatever the order of the streams."""
    import json

    lines = [
        json.dumps({"fingerprint": fingerprint.fingerprint(identity), **identity._asdict()})
        for identity in sorted(baseline)
    ]
    listed = ",\n".join(f"  {line}" for line in lines)
    return '{"baseline": 1,\n "findings": [\n' + (f"{listed}\n" if listed else "") + " ]}\n"


def found(results: Iterable[StreamResult]) -> Baseline:
    """Return the baseline of the listed findings about streams."""
    return frozenset(fingerprint.of_finding(finding) for checked in results for finding in checked.listed)


def new(checked: StreamResult, baseline: Baseline, at_least: Severity) -> int:
    """Return how many findings of this severity or worse are not in the baseline.

    Findings that are not listed are new: nobody knows their paths, so no baseline can have them.
    """
    bad_enough = (finding for finding in checked.listed if finding.severity >= at_least)
    known = sum(fingerprint.of_finding(finding) in baseline for finding in bad_enough)
    return checked.count(at_least) - known
