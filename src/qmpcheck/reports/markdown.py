"""Render a job's summary in Markdown. Text from streams is in code spans, so none of it is markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qmpcheck.codes import Severity
from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.report import Report, count, levels, worst_first
from qmpcheck.text import safe, shortened
from qmpcheck.wording import plural

MOST_ROWS, MOST_PLACES = 50, 3
"""How many rows a table has, and how many places a row lists: GitHub takes a summary of at most 1 MiB."""


def render(report: Report) -> str:
    """Render the verdict, what was not checked, the findings, what was skipped, and how to repeat it."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"### qmpcheck {report.command}: {_verdict(report)}"
    yield ""
    yield f"Against {code(report.against)}: {_counts(report)}."
    if report.counts:
        yield ""
        yield f"{code(report.counts)}{f', recordings in {code(report.kept)}' if report.kept else ''}."
    if report.unchecked:
        yield ""
        yield from _table(
            ("not checked", "why"), [(code(s.name), code(s.unchecked)) for s in report.unchecked]
        )
    rows = [_row(group) for group in fingerprint.groups(worst_first(report.findings))]
    if rows:
        yield ""
        yield from _table(
            ("code", "finding", "level", "event and path", "message", "count", "first places"), rows
        )
    # One row for each reason: many scenarios may lack the same thing.
    skipped: dict[str, list[str]] = {}
    for suite in report.suites:
        if suite.skipped:
            skipped.setdefault(suite.skipped, []).append(suite.name)
    if skipped:
        yield ""
        yield from _table(
            ("skipped as the build", "scenarios"),
            [(code(why), ", ".join(map(code, names))) for why, names in skipped.items()],
        )
    for suite in report.suites:
        if suite.by_hand:
            yield ""
            yield f"{code(suite.name)} by hand:"
            yield ""
            # Four spaces begin a block of code, in which nothing is markup.
            yield from (f"    {safe(line)}" for line in suite.by_hand)


def _verdict(report: Report) -> str:
    if report.unchecked:
        return f"{len(report.unchecked)} of {len(report.suites)} not checked"
    return "failed" if any(map(report.fails, report.findings)) else "passed"


def _counts(report: Report) -> str:
    counts = levels(report.findings)
    said = [plural(counts[level], str(level)) for level in (Severity.ERROR, Severity.WARNING)]
    if counts[Severity.NOTE]:
        said.append(plural(counts[Severity.NOTE], "note"))
    known = count(finding for finding in report.findings if finding.known)
    return ", ".join(said) + (f", {known} of them in the baseline" if known else "")


def _row(group: Sequence[Finding]) -> tuple[str, ...]:
    first = group[0]
    level = f"{first.severity}, in the baseline" if first.known else str(first.severity)
    subject = " ".join(filter(None, fingerprint.of_finding(first)[1:3]))
    message = code(shortened(first.full_message, _LONGEST))
    return (first.code, first.slug, level, code(subject), message, str(count(group)), _places(group))


_LONGEST = 200


def _places(group: Sequence[Finding]) -> str:
    places = [code(each.place) for each in group[:MOST_PLACES]]
    return ", ".join(places) + (", …" if len(group) > MOST_PLACES else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    for row in rows[:MOST_ROWS]:
        yield _line(row)
    if len(rows) > MOST_ROWS:
        yield ""
        yield f"{plural(len(rows) - MOST_ROWS, 'row')} more."


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """Return the text as a code span, in which nothing is markup, a link or a mention.

    Characters that would end the span, or the cell of the table, are escaped.
    """
    held = safe(text).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{held}`" if held.strip() else ""
