"""Results as two tables in Parquet, which DuckDB, pandas and others read.

`streams.parquet` has a row for each stream, `findings.parquet` one for each finding that is listed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from qmpcheck import atomicfile
from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.rulebase import SpecError
from qmpcheck.streams.stored_file import scheme
from qmpcheck.text import safe

_ROWS = 50_000
"""Rows that are written at once."""

_TEXT, _NUMBER, _LIST = "string", "int64", "list"

_STREAM: dict[str, tuple[str, Callable[[StreamResult], object]]] = {
    "stream": (_TEXT, lambda each: safe(each.path)),
    "files": (_LIST, lambda each: [*map(safe, each.files or (each.path,))]),
    "vm": (_TEXT, lambda each: safe(each.vm)),
    "format": (_TEXT, lambda each: each.format),
    "spec": (_TEXT, lambda each: safe(each.spec.name) if each.spec else None),
    "spec_id": (_TEXT, lambda each: each.spec.id if each.spec else None),
    "versions": (_LIST, lambda each: [*map(str, each.versions)]),
    "lines": (_NUMBER, lambda each: each.lines),
    "events": (_NUMBER, lambda each: each.events),
    "errors": (_NUMBER, lambda each: each.count(Severity.ERROR)),
    "warnings": (_NUMBER, lambda each: each.count(Severity.WARNING) - each.count(Severity.ERROR)),
    "not_listed": (_NUMBER, lambda each: each.unlisted.total()),
    "verdict": (_TEXT, lambda each: each.verdict),
    "unchecked": (_TEXT, lambda each: safe(each.unchecked) or None),
}
"""The columns of the table of streams, with their types and values."""

_FINDING: dict[str, tuple[str, Callable[[StreamResult, Finding], object]]] = {
    "stream": (_TEXT, lambda each, _: safe(each.path)),
    "file": (_TEXT, lambda each, finding: safe(finding.file or each.path)),
    "vm": (_TEXT, lambda each, _: safe(each.vm)),
    "line": (_NUMBER, lambda _, finding: finding.line),
    "position": (_NUMBER, lambda _, finding: finding.excerpt.column if finding.excerpt else None),
    "code": (_TEXT, lambda _, finding: finding.code),
    "slug": (_TEXT, lambda _, finding: finding.slug),
    "severity": (_TEXT, lambda _, finding: str(finding.severity)),
    "event": (_TEXT, lambda _, finding: finding.event or None),
    "path": (_TEXT, lambda _, finding: finding.shown_path),
    "message": (_TEXT, lambda _, finding: safe(finding.text)),
    "spec": (_TEXT, lambda each, _: safe(each.spec.name) if each.spec else None),
    "spec_file": (_TEXT, lambda _, finding: safe(finding.spec_file) or None),
    "spec_line": (_NUMBER, lambda _, finding: finding.spec_line),
    "drift": (_TEXT, lambda _, finding: finding.drift),
    "erratum": (_TEXT, lambda _, finding: finding.erratum or None),
    "rule": (_TEXT, lambda _, finding: finding.rule or None),
}


def expect_installed() -> None:
    """Raise SpecError if the library that writes Parquet is missing."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        needed = "pip install 'qmpcheck[parquet]'"
        raise SpecError(f"--report parquet needs more packages: {needed}") from None


def write(results: Iterable[StreamResult], place: str) -> None:
    """Write the tables into a folder, which is made if it is not there, or to a URL.

    Raises:
        OSError: one of them cannot be written.
    """
    streams = ([value(each) for _, value in _STREAM.values()] for each in results)
    findings = (
        [value(each, finding) for _, value in _FINDING.values()]
        for each in results
        for finding in each.listed
    )
    _write(f"{place.rstrip('/')}/streams.parquet", {key: type for key, (type, _) in _STREAM.items()}, streams)
    _write(
        f"{place.rstrip('/')}/findings.parquet", {key: type for key, (type, _) in _FINDING.items()}, findings
    )


def _write(path: str, columns: dict[str, str], rows: Iterator[list[Any]]) -> None:
    import pyarrow
    import pyarrow.parquet

    types = {_TEXT: pyarrow.string(), _NUMBER: pyarrow.int64(), _LIST: pyarrow.list_(pyarrow.string())}
    schema = pyarrow.schema([(name, types[type]) for name, type in columns.items()])
    with _opened(path) as file, pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while some := [*islice(rows, _ROWS)]:
            writer.write_table(pyarrow.table([*zip(*some, strict=True)], schema=schema))


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """A file to write, which is there when it is whole."""
    if not scheme(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with atomicfile.replacing(path) as file:
            yield file
        return
    from qmpcheck.streams import remote

    # A store of objects cannot rename, and takes a file as a whole.
    with tempfile.NamedTemporaryFile() as local:
        yield local
        local.flush()
        remote.upload(local.name, path)
