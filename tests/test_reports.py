"""The reports for CI: each is what its readers take, whatever names and values stand in it."""

import functools
import io
import json
import os
import posixpath
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
import published
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from markdown_it import MarkdownIt

from qmpcheck.checking.result import FindingKind
from qmpcheck.cli import main
from qmpcheck.codes import CODES, DRIFT_CODES, Severity
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.finding import Finding
from qmpcheck.keypath import ITEMS
from qmpcheck.reports import changesreport, fingerprint, formats, report, streamstext
from qmpcheck.reports.changes import Changes
from qmpcheck.reports.report import Report, Suite
from qmpcheck.specs import catalogue
from qmpcheck.text import safe

HERE = Path(__file__).parent


@functools.cache
def junit() -> Any:
    import xmlschema  # takes as long to import as a hundred tests to run

    return xmlschema.XMLSchema(str(HERE / "junit.xsd"))


SARIF = Draft7Validator(published.schema("sarif-2.1.0"))
GITLAB = Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": {"type": "string"},
                "check_name": {"type": "string"},
                "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}(-[0-9]+)?$"},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    }
)

TRICKS = [
    "\n", "\r", "\r\n::error::forged", "\u2028", "\x85", "::", ",", "%", "%0A", "##[error]forged", "##vso[task.x]",
    "]]>", "<!--", "<script>alert(1)</script>", "&amp;", "&#0;", '"', "'", "\x00", "\x1b[31m", "\ud800", "\udcff",
    "\ufffe", "\U0001ffff", "\u202e", "|", "\\", "\\|", "`", "``", "@admin", "![i](http://e/x.png)", "[a](http://e)",
    "<http://e>", "www.example.com", "a@b.example", "*", "_", "# ", "- ", "{0}", "{", "}", "data[2]", "/", "..", "é", " ",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(TRICKS) | st.text(max_size=5), max_size=6).map("".join)
FILES = HOSTILE.filter(bool)
FOUND_CODES = st.sampled_from(sorted(CODES))


@st.composite
def findings(draw: st.DrawFn, file: str) -> Finding:
    code = draw(FOUND_CODES)
    path = draw(HOSTILE)
    return Finding(
        code=code,
        message=draw(HOSTILE.filter(bool)),
        file=file,
        line=draw(st.integers(0, 99)),
        event=draw(HOSTILE),
        path=(path,) if path else (),
        known=draw(st.booleans()),
    )


@st.composite
def suites(draw: st.DrawFn) -> Suite:
    name = draw(FILES)
    return Suite(name, "violations", tuple(draw(st.lists(findings(name), max_size=4))), draw(HOSTILE))


REPORTS = st.builds(
    Report,
    command=st.just("validate"),
    against=FILES,
    suites=st.lists(suites(), max_size=3).map(tuple),
    fail_on=st.sampled_from(Severity),
    document=st.just(dict),
    has_baseline=st.booleans(),
    source=st.none(),
)


@given(REPORTS)
def test_junit(found: Report) -> None:
    text = formats.render("junit", found)
    assert text.isascii()
    junit().validate(text)
    root = ET.fromstring(text)
    assert [suite.get("name") for suite in root] == [safe(suite.name) for suite in found.suites]
    for element, suite in zip(root, found.suites, strict=True):
        grouped = fingerprint.groups(suite.findings)
        assert len(element) == max(1, len(grouped) + bool(suite.unchecked))
        assert element.get("tests") == str(len(element))
        assert element.get("failures") == str(sum(any(map(found.fails, group)) for group in grouped))
        assert element.get("errors") == str(int(bool(suite.unchecked)))
        assert element.get("skipped") == str(sum(group[0].known for group in grouped))
        said = [each.text or "" for each in element.iter() if each.tag in ("failure", "system-out")]
        written = [line for each in said for line in each.split("\n")]
        assert sorted(written) == sorted(
            safe(f"{finding.file}:{finding.line}" if finding.line else finding.file)
            + f": {safe(finding.full_text)}"
            for finding in suite.findings
        )
    assert root.get("tests") == str(sum(map(len, root)))


@given(HOSTILE.filter(bool))
def test_what_was_skipped_has_not_passed_in_junit(reason: str) -> None:
    suites = (Suite("vnc", "skipped", (), skipped=reason), Suite("rtc", "played", ()))
    text = formats.render("junit", REPORT._replace(suites=suites))
    junit().validate(text)
    root = ET.fromstring(text)
    assert (root.get("tests"), root.get("skipped")) == ("2", "1")
    assert [each.get("message") for each in root.findall("testsuite[@name='vnc']/testcase/skipped")] == [
        safe(reason)
    ]


COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:]*)(?:,[a-z]+=[^,:]*)*)::(.*)")


def unescaped(text: str) -> str:
    for escape, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


@given(REPORTS)
def test_github(found: Report) -> None:
    lines = formats.render("github", found).splitlines()
    commands = [COMMAND.fullmatch(line) for line in lines]
    assert all(commands)
    told = [
        (each[1], dict(pair.split("=", 1) for pair in each[2].split(",")), each[3])
        for each in commands
        if each
    ]
    expected = [f"{suite.name}: {suite.unchecked}" for suite in found.unchecked]
    everything = report.worst_first(found.findings)
    expected += [finding.full_text + " (in the baseline)" * finding.known for finding in everything]
    expected += [found.counts] if found.counts else []
    if len(expected) <= 9:
        assert [unescaped(message) for _, _, message in told] == [*map(safe, expected)]
        assert [level for level, _, _ in told] == sorted(
            (level for level, _, _ in told), key=["error", "warning", "notice"].index
        )
    names = {safe(suite.name) for suite in found.suites}
    assert {unescaped(about["file"]) for _, about, _ in told if "file" in about} <= names


def test_github_shows_the_worst_first_and_says_how_many_more() -> None:
    suite = Suite("s.jsonl", "violations", tuple(example(code) for code in ["QMP206"] * 12 + ["QMP203"] * 15))
    lines = formats.render("github", REPORT._replace(suites=(suite,))).splitlines()
    assert [line.split()[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"]
    assert lines[-1] == "::notice title=qmpcheck::20 of 27 findings are annotated; the log has the others"


@given(REPORTS)
def test_gitlab(found: Report) -> None:
    text = formats.render("gitlab", found)
    entries = json.loads(text)
    assert text.isascii()
    GITLAB.validate(entries)
    assert len(entries) == len(found.unchecked) + len([*found.findings])
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    assert all(entry["description"].isprintable() for entry in entries)


def message(text: str) -> str:
    """What a reader of SARIF shows for a message."""
    if "](" in text:
        assert not re.search(r"(?<!\\)\[", text)
        text = text.replace("\\[", "[").replace("\\]", "]")
    assert not re.search(r"(?<!\{)\{(\{\{)*(?!\{)", text)
    return text.replace("{{", "{").replace("}}", "}")


@given(REPORTS)
def test_sarif(found: Report) -> None:
    text = formats.render("sarif", found)
    assert text.isascii()
    log = json.loads(text)
    SARIF.validate(log)
    [run] = log["runs"]
    assert run["invocations"][0]["executionSuccessful"] is not bool(found.unchecked)
    rules = run["tool"]["driver"]["rules"]
    assert all({"name", "shortDescription", "fullDescription", "help"} <= rule.keys() for rule in rules)
    for result, finding in zip(run["results"], found.findings, strict=True):
        assert {"level", "partialFingerprints"} <= result.keys()
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        if "](" not in safe(finding.full_text):
            assert message(result["message"]["text"]) == safe(finding.full_text)
        assert "](" not in result["message"]["text"].replace("\\](", "")
        assert ("suppressions" in result) == finding.known
        assert ("baselineState" in result) == found.has_baseline


def test_sarif_explains_its_rules_with_examples() -> None:
    """Without an address to lead to, all that `qmpcheck explain` says is in the file."""
    found = example("QMP203")
    log = json.loads(formats.render("sarif", REPORT._replace(suites=(Suite("s", "violations", (found,)),))))
    [rule] = log["runs"][0]["tool"]["driver"]["rules"]
    assert "helpUri" not in rule
    assert rule["fullDescription"]["text"] == CODES["QMP203"].means
    fences = [token.content for token in MARKDOWN.parse(rule["help"]["markdown"]) if token.type == "fence"]
    assert [json.loads(each) for each in fences] == [
        json.loads(CODES["QMP203"].bad),
        json.loads(CODES["QMP203"].good),
    ]


@given(FILES)
def test_a_uri_is_the_path(path: str) -> None:
    from qmpcheck.reports.sarif import uri

    try:
        raw = os.fsencode(posixpath.normpath(path))
    except UnicodeEncodeError:
        return  # no file has such a name
    back = unquote_to_bytes(uri(path))
    assert back.removeprefix(b"file:///").lstrip(b"/") == raw.lstrip(b"/")
    assert back.startswith(b"file:///") == path.startswith("/")


MARKDOWN = MarkdownIt("commonmark").enable("table")
OWN = re.compile(r"[\w ,.:()…&-]*")


@given(REPORTS)
def test_markdown(found: Report) -> None:
    tokens = MARKDOWN.parse(formats.render("markdown", found))
    assert {token.type.rsplit("_", 1)[0] for token in tokens} <= {
        "heading", "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    inner = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inner} <= {"text", "code_inline"}
    assert all(OWN.fullmatch(child.content) for child in inner if child.type == "text")
    rows = [token for token in tokens if token.type == "tr_open"]
    grouped = fingerprint.groups(found.findings)
    unchecked = len(found.unchecked)
    assert len(rows) == bool(unchecked) + unchecked + bool(grouped) + len(grouped)
    cells = [token for token in tokens if token.type == "td_open"]
    assert len(cells) == 2 * unchecked + 7 * len(grouped)


def example(code: str, **about: Any) -> Finding:
    finding = Finding(code, 3, "it is wrong", "STOP", ("data", "why"), file="s.jsonl")
    return msgspec.structs.replace(finding, **about)


REPORT = Report("validate", "v2", (), Severity.ERROR, dict)

STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'
BAD = STOP.replace("}\n", ', "data": {"why": 1, "`|<b>@a](x)##[error]\\n::error::": 2}}\n')
NAME = "a\n::error::x|`<b>]]>%0A,:@admin\udcff.jsonl"


@pytest.mark.parametrize("format", formats.FORMATS)
def test_hostile_streams_and_names(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(NAME).write_text(STOP + BAD * 2)
    Path("empty.jsonl").write_text("")
    arguments = [
        "validate",
        NAME,
        "empty.jsonl",
        "--spec",
        "v2",
        "--output",
        "text",
        "--report",
        f"{format}=report",
    ]
    assert main(arguments) == 2
    text = Path("report").read_text("utf-8")
    assert text.replace("\n", "").isprintable()
    lines = text.splitlines()
    match format:
        case "github":
            assert len(lines) == 5
            assert all(COMMAND.fullmatch(line) for line in lines)
        case "gitlab":
            GITLAB.validate(json.loads(text))
            assert len(json.loads(text)) == 5
        case "junit":
            junit().validate(text)
            assert len(ET.fromstring(text).findall(".//failure")) == 2
        case "sarif":
            SARIF.validate(json.loads(text))
            assert len(json.loads(text)["runs"][0]["results"]) == 4
        case "markdown":
            inner = [child for token in MARKDOWN.parse(text) for child in token.children or ()]
            assert {child.type for child in inner} <= {"text", "code_inline"}
        case "json":
            assert len(json.loads(text)["diagnostics"]) == 4
    assert "##[" not in Path("text").read_text("utf-8")


def test_several_reports_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP + BAD)
    asked = [part for format in formats.FORMATS for part in ("--report", f"{format}={format}.out")]
    assert (
        main(["validate", "s.jsonl", "--spec", "v2", *asked, "--report", "github=-", "--max-findings", "1"])
        == 1
    )
    captured = capsys.readouterr()
    assert captured.out.startswith("s.jsonl: violations")
    assert captured.out.endswith(Path("github.out").read_text())
    for format in formats.FORMATS:
        assert Path(f"{format}.out").stat().st_size
    results = json.loads(Path("sarif.out").read_text())["runs"][0]["results"]
    assert [result["message"]["text"] for result in results][1:] == ["STOP: 1 more finding not listed"]


@pytest.mark.parametrize("command", ["validate s.jsonl --spec v2", "diff v2 v3"])
@pytest.mark.parametrize("place", ["-", "/dev/stdout"])
@pytest.mark.parametrize("format", formats.FORMATS)
def test_a_document_on_standard_output_stands_alone(
    format: str, place: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP + BAD)
    status = main(command.split())
    text = capsys.readouterr().out
    report = f"{format}={place}"
    assert main([*command.split(), "--report", f"{format}=x"]) == status
    document = Path("x").read_text()
    capsys.readouterr()
    assert main([*command.split(), "--report", report]) == status
    captured = capsys.readouterr()
    expected = (text + document, "") if format == "github" else (document, text)
    assert (captured.out, captured.err) == expected
    assert main([*command.split(), "--report", report, "-o", "y"]) == status
    assert (capsys.readouterr().out, Path("y").read_text()) == (document, text)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("--report json=- --report sarif=-", 2),
        ("--report json=- --report json=/dev/stdout", 2),
        ("--report github=- --report markdown=-", 2),
        ("--format json --report sarif=-", 2),
        ("--format json --report github=-", 2),
        ("--format json -o x --report sarif=-", 1),
        ("--format json --report sarif=x", 1),
        ("--report github=- --report github=-", 1),
    ],
)
def test_one_document_on_standard_output(
    options: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(BAD)
    assert main(["validate", "s.jsonl", "--spec", "v2", *options.split()]) == status
    captured = capsys.readouterr()
    assert ("cannot both go to standard output: name a file" in captured.err) == (status == 2)
    assert bool(captured.out) == (status == 1)


def test_text_has_nowhere_to_go(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(BAD)
    command = f"exec {sys.executable} -m qmpcheck validate {path} --spec v2 --report json=- 2>&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["diagnostics"]) == 2


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("validate s.jsonl --spec v2", 0),
        ("validate s.jsonl --spec none", 2),
        ("validate s.jsonl s.jsonl --spec auto", 0),
        ("validate none.jsonl --spec auto", 2),
        ("validate none.jsonl --spec v2", 2),
        ("validate none.jsonl nor.jsonl --spec v2 -o text", 2),
        ("validate --follow none.jsonl --spec v2 -o text", 2),
        ("validate s.jsonl --spec v2 --rules none.toml -o text", 2),
        ("validate s.jsonl --spec v2 --assume sun", 2),
        ("validate s.jsonl --spec v2 --baseline none", 2),
        ("diff v2 v3 -o text", 0),
        ("diff v2 none", 2),
        ("diff v2 v3 --used-by none -o text", 2),
    ],
)
def test_reports_of_an_earlier_run_are_replaced_if_the_inputs_are_right(
    command: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP)
    files = [Path(name) for name in ("x", "linked", "text") if name != "text" or "text" in command]
    for path in files:
        path.write_text("old")
    Path("y").symlink_to("linked")
    os.mkfifo("pipe")  # which would wait for a reader
    reports = ["--report=junit=x", "--report=sarif=y", "--report=json=/dev/null"]
    assert main([*command.split(), *reports]) == status
    for path in files:
        assert (path.read_text() == "old") == (status == 2)
    said = capsys.readouterr().err
    for name in ("x", "y", *["text"] * ("text" in command)):
        assert (f"qmpcheck: {name} was not changed: it is not of this run\n" in said) == (status == 2)
    assert Path("y").is_symlink()
    if status == 2 and "none.jsonl" not in command:
        assert main([*command.split(), "--report=junit=pipe"]) == status


def test_a_report_of_a_run_that_could_read_nothing_is_written_where_none_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["validate", "none.jsonl", "--spec", "v2", "--report=junit=x"]) == 2
    assert "No such file" in Path("x").read_text()
    Path("s.jsonl").write_text(STOP)
    assert main(["validate", "none.jsonl", "s.jsonl", "--spec", "v2", "--report=junit=x"]) == 2
    assert "s.jsonl" in Path("x").read_text()


@pytest.mark.parametrize(
    "command",
    [
        "validate s.jsonl --spec v2 --report junit=x --report sarif=s.jsonl",
        "validate s.jsonl --spec v2 --report junit=x --report sarif=- --report json=-",
        "validate s.jsonl --spec v2 --report junit=x --no-such-option",
        "diff s.jsonl v2 --report junit=s.jsonl",
    ],
)
def test_a_wrong_command_line_touches_nothing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("x", "s.jsonl"):
        Path(name).write_text(STOP)
    done = subprocess.run([sys.executable, "-m", "qmpcheck", *command.split()], check=False)
    assert done.returncode == 2
    assert [Path(name).read_text() for name in ("x", "s.jsonl")] == [STOP, STOP]


@pytest.mark.parametrize(
    ("reports", "status", "told"),
    [
        (["xml=x"], 2, ", ".join(formats.FOR_CI[:-1])),
        (["junit"], 2, "junit names no file: write junit=FILE, where - is standard output"),
        (["junit="], 2, "junit names no file: write junit=FILE, where - is standard output"),
        (["junit=no/such/folder", "sarif=x.sarif"], 2, "--report junit=no/such/folder: there is no folder "),
        (["junit=no-folder/x", "sarif=y"], 2, "--report junit=no-folder/x: there is no folder "),
        (["junit=."], 2, "--report junit=.: it is a folder"),
        (["junit=s.jsonl"], 2, "s.jsonl"),
        (["junit=x", "sarif=./x"], 2, "named twice"),
        (["junit=known.json"], 2, "named twice"),
        (["junit=x", "sarif=y"], 0, ""),
    ],
)
def test_where_reports_go(
    reports: list[str], status: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP)
    arguments = ["validate", "s.jsonl", "--spec", "v2", *(f"--report={each}" for each in reports)]
    arguments += ["--baseline", "known.json", "--update-baseline"]
    try:
        found = main(arguments)
    except SystemExit as exit:
        found = int(exit.code or 0)
    assert found == status
    assert told in capsys.readouterr().err
    assert Path("s.jsonl").read_text() == STOP
    assert not Path("x.sarif").exists()


def test_help_names_all_formats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["validate", "--help"])
    help = " ".join(capsys.readouterr().out.split())
    named = help.partition("also write a report to a file (- is standard output): ")[2].partition(";")[0]
    assert {*named.split(", ")} == formats.FORMATS.keys()


def test_changes() -> None:
    old, new = catalogue.find("10.0"), catalogue.find("2.1")
    found = changesreport.report(Changes(old, new, compare(old.rule_base, new.rule_base), strict=False))
    SARIF.validate(json.loads(formats.render("sarif", found)))
    junit().validate(formats.render("junit", found))
    GITLAB.validate(json.loads(formats.render("gitlab", found)))
    [suite] = found.suites
    assert {finding.severity for finding in suite.findings} == set(Severity)
    assert sum(map(found.fails, suite.findings)) > 10
    assert len(fingerprint.groups(suite.findings)) == len(suite.findings) > 50
    assert len(json.loads(formats.render("json", found))["changes"]) == len(suite.findings)


def test_a_change_is_known_by_its_value_and_branch() -> None:
    changes = [
        Change(code, "X", ("data", ITEMS), "", value=value)
        for code in DRIFT_CODES
        for value in ("", "p", "q")
    ]
    found = [fingerprint.of_finding(changesreport.of_change(each, "new")) for each in changes]
    assert len(set(map(fingerprint.fingerprint, found))) == len(changes)


def test_rules_that_are_not_understood_any_more_are_changes_of_their_own() -> None:
    rules = ('if action is "stop", STOP follows', 'if action is "reset", RESET follows')
    changes = [Change("QMP519", "X", (), f"follow-up not found in the new spec: {rule}") for rule in rules]
    found = fingerprint.groups(changesreport.of_change(each, "new") for each in changes)
    assert [each.message for [each] in found] == [each.text for each in changes]


def test_findings_are_as_bad_as_the_user_holds_them_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP + BAD)
    Path("qmpcheck.toml").write_text('severities = { QMP203 = "warning" }')
    for most in ("0", "9"):
        arguments = ["validate", "s.jsonl", "--spec", "v2", "--output", "text", "--max-findings", most]
        assert main([*arguments, "--report", "junit=j", "--report", "sarif=s"]) == 0
        assert "<failure" not in Path("j").read_text()
        results = json.loads(Path("s").read_text())["runs"][0]["results"]
        assert {result["level"] for result in results} == {"warning"}


def test_the_table_sums_what_looks_the_same() -> None:
    findings = Counter(
        {
            FindingKind("QMP301", "X", "one-case"): 1,
            FindingKind("QMP301", "X", "other-case"): 2,
            FindingKind("QMP301", "X", ""): 4,
        }
    )
    assert [
        line.split() for line in streamstext.findings_table(findings, io.StringIO()).splitlines()[3:]
    ] == [
        ["QMP301", "follow-up-missing", "error", "X", "4"],
        ["QMP301", "follow-up-missing", "warning", "X", "3"],
    ]
