"""How well the releases fit a stream, as text, and as JSON by `fit.schema.json` beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import IO, Any

import qmpcheck
from qmpcheck.diagnostic import Diagnostic
from qmpcheck.drift import releases
from qmpcheck.drift.fit import Fit, Row
from qmpcheck.printable import safe
from qmpcheck.wording import plural


def write_text(path: str, fit: Fit, out: IO[str]) -> None:
    """The answer, what bounds it, and a table of the releases; neighbours with one result share a row."""
    from tabulate import tabulate

    out.write(f"{safe(path)}: {_answer(fit)}: {', '.join(_counts(fit))}\n")
    if fit.events:
        out.writelines(f"  {line}\n" for line in _evidence(fit))
        headers = ("releases", "conform", "", "first that does not")
        out.write("\n" + tabulate([*_rows(fit)], headers=headers, disable_numparse=True) + "\n")


def _answer(fit: Fit) -> str:
    if not fit.events:
        return "nothing to fit"
    best = releases.text(fit.best, fit.names)
    if fit.is_whole:
        return f"fits {best}"
    return f"fits no release wholly; best: {best} ({_percent(max(row.conforming for row in fit.rows), fit)})"


def _counts(fit: Fit) -> Iterator[str]:
    yield plural(fit.lines, "line")
    yield plural(fit.events, "event")
    if fit.strange:
        yield f"{plural(fit.strange, 'line')} that {'is' if fit.strange == 1 else 'are'} no message"
    if fit.version:
        yield f"the greeting says {fit.version}"


def _evidence(fit: Fit) -> Iterator[str]:
    for side, findings in _sides(fit):
        for finding in findings:
            yield f"{carried(finding)}: {side} (line {finding.line})"


def _sides(fit: Fit) -> list[tuple[str, tuple[Diagnostic, ...]]]:
    return [(f"{fit.oldest} or later", fit.too_old), (f"{fit.newest} or earlier", fit.too_new)]


def carried(finding: Diagnostic) -> str:
    """What the event does that the spec does not have, in a few words that are safe to print."""
    member = finding.path.removeprefix("data.")
    return _PHRASES[finding.code].format(event=finding.event, member=member, got=finding.got)


_PHRASES = {
    "QMP201": "{event} is sent",
    "QMP202": "{event} lacks {member}",
    "QMP203": "{event} carries {member}",
    "QMP204": "{event} has {member} of type {got}",
    "QMP205": "{event} has {got} as {member}",
}


def _rows(fit: Fit) -> Iterator[tuple[str, str, str, str]]:
    for result, group in groupby(fit.rows, _result):
        rows = [*group]
        span = releases.Stretch(0, -1).text([row.release for row in rows])
        conforming, line, why = result
        counts = f"{conforming} of {fit.events}"
        yield span, _percent(conforming, fit), counts, f"line {line}: {why}" if why else ""


def _result(row: Row) -> tuple[int, int, str]:
    """What is shown of a release."""
    first = next(iter(row.reasons), None)
    return (row.conforming, first.line, carried(first)) if first else (row.conforming, 0, "")


def _percent(conforming: int, fit: Fit) -> str:
    """Never rounded up: 100.0 % is all."""
    return f"{conforming * 1000 // fit.events / 10} %"


def write_json(path: str, fit: Fit, out: IO[str]) -> None:
    """Write one JSON object, in ASCII: nothing in it can steer a terminal."""
    json.dump(report(path, fit), out, indent=1)
    out.write("\n")


def report(path: str, fit: Fit) -> dict[str, Any]:
    """The report as a value."""
    return {
        "qmpcheck": qmpcheck.__version__,
        "stream": {
            "path": safe(path),
            "lines": fit.lines,
            "events": fit.events,
            "strange": fit.strange,
            "greeting": str(fit.version) if fit.version else None,
        },
        "fits": bool(fit.events) and fit.is_whole,
        "best": [row.release for row, best in zip(fit.rows, fit.best, strict=True) if best and fit.events],
        "evidence": [
            {"bound": side, **_finding(finding)} for side, findings in _sides(fit) for finding in findings
        ],
        "releases": [
            {
                "release": row.release,
                "conforming": row.conforming,
                "first": _finding(row.reasons[0]) if row.reasons else None,
            }
            for row in fit.rows
        ],
    }


def _finding(finding: Diagnostic) -> dict[str, Any]:
    return {
        "line": finding.line,
        "code": finding.code,
        "event": finding.event,
        "path": finding.path,
        "text": carried(finding),
    }
