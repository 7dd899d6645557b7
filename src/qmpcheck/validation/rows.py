"""Write and read results as text, one line for each recording.

As JSON, not as pickles: to read a folder of results must not run code from it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import msgspec

from qmpcheck.checking.result import FindingKind, StreamResult
from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.specs.catalogue import SpecName
from qmpcheck.version import Version


class _Row(msgspec.Struct, array_like=True):
    path: str
    lines: int
    events: int
    counts: list[tuple[FindingKind, int]]
    listed: tuple[Finding, ...]
    severities: dict[str, Severity]
    unreadable: str
    versions: tuple[Version, ...]
    format: str
    vm: str
    spec: SpecName | None
    why: str
    may_lack: str
    files: tuple[str, ...]
    unchecked_rules: tuple[str, ...] = ()


def dump(results: Sequence[StreamResult]) -> str:
    """Return the results of one recording as a line, without a newline."""
    # Strings may have lone surrogates, which only the standard library's JSON can write.
    return json.dumps([msgspec.to_builtins(_row(each)) for each in results], separators=(",", ":"))


def load(text: str | bytes) -> list[StreamResult]:
    """Return the results in a line.

    Raises:
        ValueError: `dump` did not write it.
    """
    return [_result(each) for each in msgspec.convert(json.loads(text), list[_Row])]


def _row(result: StreamResult) -> _Row:
    fields = {**result._asdict(), "counts": [*result.counts.items()]}
    del fields["taken"], fields["timeline"]  # only streams that are followed or drawn have these
    return _Row(**fields)


def _result(row: _Row) -> StreamResult:
    return StreamResult(**{**msgspec.structs.asdict(row), "counts": Counter(dict(row.counts))})
