"""Render JUnit's XML: a suite for each stream, with a case for findings that differ only in their lines.

What is a test itself, such as a scenario of the gate, is one case with its time: so it has a history.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from qmpcheck.finding import Finding
from qmpcheck.reports import fingerprint
from qmpcheck.reports.report import Report, Suite, count
from qmpcheck.text import safe
from qmpcheck.wording import plural

MOST_LINES = 20
"""How many findings a case lists."""


def render(report: Report) -> str:
    """Render in ASCII, with references for all other characters, so that the encoding does not matter."""
    root = ET.Element("testsuites", name=_text(f"qmpcheck {report.command} against {report.against}"))
    tests = [suite for suite in report.suites if suite.seconds is not None]
    if tests:
        root.append(_of_cases(report.command, [_test(report, suite) for suite in tests]))
    for suite in report.suites:
        if suite.seconds is None:
            root.append(_of_cases(suite.name, [*_cases(report, suite)]))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root, " ")
    written: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _of_cases(name: str, cases: Sequence[ET.Element]) -> ET.Element:
    element = ET.Element("testsuite", name=_text(name), tests=str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(key, str(sum(case.find(tag) is not None for case in cases)))
    element.extend(cases)
    return element


def _test(report: Report, suite: Suite) -> ET.Element:
    """One test as one case, whose name is the same in each run."""
    case = ET.Element("testcase", classname=f"qmpcheck.{report.command}", name=_text(suite.name))
    case.set("time", f"{suite.seconds or 0:.3f}")
    failing = [*filter(report.fails, suite.findings)]
    others = [finding for finding in suite.findings if not report.fails(finding)]
    if failing:
        message = f"{plural(count(failing), 'finding')}: {failing[0].code} {failing[0].full_text}"
        failure = ET.SubElement(case, "failure", message=_text(message), type=_text(failing[0].code))
        # In CI, this is the only place where a reader finds it.
        by_hand = ["", "By hand:", *map(_text, suite.by_hand)] if suite.by_hand else []
        failure.text = "\n".join([_places(failing), *by_hand])
    elif suite.unchecked:
        ET.SubElement(case, "error", message=_text(suite.unchecked), type="unchecked")
    elif suite.skipped:
        ET.SubElement(case, "skipped", message=_text(suite.skipped))
    if others:
        ET.SubElement(case, "system-out").text = _places(others)
    return case


def _cases(report: Report, suite: Suite) -> Iterator[ET.Element]:
    if suite.unchecked:
        case = _case(suite, "checked")
        ET.SubElement(case, "error", message=_text(suite.unchecked), type="unchecked")
        yield case
    for group in fingerprint.groups(suite.findings):
        yield _group(report, suite, group)
    if suite.skipped:
        case = _case(suite, "checked")
        ET.SubElement(case, "skipped", message=_text(suite.skipped))
        yield case
    elif not suite.unchecked and not suite.findings:
        yield _case(suite, suite.verdict)


def _group(report: Report, suite: Suite, group: Sequence[Finding]) -> ET.Element:
    first = group[0]
    case = _case(suite, " ".join(filter(None, (first.code, first.slug, *fingerprint.of_finding(first)[1:]))))
    if first.known:
        ET.SubElement(case, "skipped", message="in the baseline")
    # A finding below --fail-on is no failure in CI, but is still shown as output.
    elif any(map(report.fails, group)):
        message = f"{plural(count(group), 'finding')}: {first.full_text}"
        failure = ET.SubElement(case, "failure", message=_text(message), type=_text(first.code))
        failure.text = _places(group)
        return case
    ET.SubElement(case, "system-out").text = _places(group)
    return case


def _case(suite: Suite, name: str) -> ET.Element:
    return ET.Element("testcase", classname=_text(suite.name), name=_text(name))


def _places(group: Sequence[Finding]) -> str:
    lines = [_text(f"{finding.place}: {finding.full_text}") for finding in group[:MOST_LINES]]
    if len(group) > MOST_LINES:
        lines.append(f"{len(group) - MOST_LINES} more")
    return "\n".join(lines)


def _text(text: str) -> str:
    """Escape what XML does not allow: all such characters are not printable."""
    return safe(text)
