"""The page of `fit`: which releases could have written a stream, and the stream, checked against the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from qmpcheck.codes import CODES, Severity
from qmpcheck.drift.fit import Fit, StreamFit
from qmpcheck.finding import Excerpt
from qmpcheck.reports import fitreport, streamsreport
from qmpcheck.reports.html import page
from qmpcheck.reports.html.streams import SCRIPTS, StreamView, view
from qmpcheck.reports.html.timelines import MOST
from qmpcheck.reports.report import Report
from qmpcheck.validation import excerpt
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path


class FitSource(msgspec.Struct, frozen=True):
    """What `fit` found: the file, its format if the user named one, and how its streams fit."""

    path: str
    format: str | None
    streams: Sequence[StreamFit]


class EvidenceView(msgspec.Struct, frozen=True):
    """What in a stream says which releases it is of: `7.0 or later`, what it has, and its line."""

    side: str
    what: str
    line: int
    excerpt: Excerpt | None


class FitView(msgspec.Struct, frozen=True):
    """A stream: its VM, how the specs fit, in words and in rows, and what in it says so."""

    vm: str
    fit: Fit
    answer: str
    counts: str
    evidence: tuple[EvidenceView, ...]

    @property
    def releases(self) -> list[fitreport.FitRow]:
        """The releases, neighbours with one result together."""
        return [*fitreport.release_rows(self.fit)]

    @property
    def texts(self) -> list[fitreport.FitRow]:
        """The revisions of the event document, neighbours with one result together."""
        return [*fitreport.text_rows(self.fit)]


def render(report: Report) -> str:
    """The page of `fit`."""
    source: FitSource = report.source
    evidence = [found for each in source.streams for _, side in fitreport.sides(each.fit) for found in side]
    lines = excerpt.lines_again(source.path, {found.line for found in evidence})
    # Where no line can be read again, it is standard input or a pipe: then nothing is left to check, either.
    streams = _checked(source) if lines or not evidence else []
    return page.render(
        "fit.html.j2",
        SCRIPTS,
        [stream.data for stream in streams],
        path=source.path,
        fits=[_fit(each, lines) for each in source.streams],
        streams=streams,
        codes={code: CODES[code] for code in sorted({code for each in streams for code, _ in each.codes})},
    )


def _fit(stream: StreamFit, lines: Mapping[int, bytes]) -> FitView:
    fit = stream.fit
    return FitView(
        stream.vm, fit, fitreport.answer(fit), ", ".join(fitreport.counts(fit)), tuple(_evidence(fit, lines))
    )


def _evidence(fit: Fit, lines: Mapping[int, bytes]) -> Iterator[EvidenceView]:
    for side, findings in fitreport.sides(fit):
        for each in findings:
            raw = lines.get(each.line)
            found = None if raw is None else excerpt.of_line(raw, each, MOST)
            yield EvidenceView(side, fitreport.carried(each), each.line, found)


def _checked(source: FitSource) -> list[StreamView]:
    """The streams, checked against what their greetings name, or what fits; the file is read once more."""
    results = FileChecker(Recipe(timeline=True), None, source.format).check(of_path(source.path))
    suites = streamsreport.report(results, Severity.ERROR).suites
    return [
        view(f"s{at}", *each) for at, each in enumerate(zip(results, suites, strict=True)) if each[0].timeline
    ]
