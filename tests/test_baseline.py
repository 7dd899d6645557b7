"""Known findings: accepted by what they are, never by where they stand; and nothing else accepted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.cli import main
from qmpcheck.finding import Finding
from qmpcheck.keypath import KeyPath
from qmpcheck.reports import baseline, fingerprint
from qmpcheck.reports.fingerprint import Identity

STOP = '{"timestamp": {"seconds": 1, "microseconds": 5}, "event": "STOP"}\n'
BAD = STOP.replace("}\n", ', "data": {"why": 1}}\n')
HALT = STOP.replace("STOP", "HALT")
UPDATE = "--baseline known.json --update-baseline"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.jsonl").write_text(STOP + BAD + BAD)
    Path("empty.jsonl").write_text("")


def run(capsys: pytest.CaptureFixture[str], options: str, stream: str = "s.jsonl") -> tuple[int, str, str]:
    try:
        status = main(["validate", stream, "--spec", "v2", *options.split()])
    except SystemExit as exit:
        status = int(exit.code or 0)
    return status, *capsys.readouterr()


def test_what_is_known_does_not_fail_and_what_is_new_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "")[0] == 1
    status, out, err = run(capsys, UPDATE)
    assert (status, err) == (0, "qmpcheck: known.json: 1 entry, 1 new, 0 gone\n")
    assert "QMP203 STOP" not in out
    assert "2 accepted by the baseline" in out
    written = Path("known.json").read_text()
    assert len(written.splitlines()) == 4

    Path("s.jsonl").write_text(BAD + STOP + STOP + BAD * 3)  # other lines, more of the same
    status, out, err = run(capsys, "--baseline known.json")
    assert (status, err) == (0, "")
    assert "4 errors, 0 warnings, 4 accepted by the baseline" in out

    Path("s.jsonl").write_text(BAD + HALT)
    status, out, _ = run(capsys, "--baseline known.json")
    assert status == 1
    assert [line.split()[:3] for line in out.splitlines() if ": QMP" in line] == [
        ["s.jsonl:2:59:", "QMP201", "HALT"]
    ]
    assert Path("known.json").read_text() == written, "only --update-baseline writes it"


WATCHDOG = STOP.replace('"STOP"}', '"WATCHDOG", "data": {"action": "%s"}}')
OWN = """[[rule]]
event = "STOP"
then = "RESUME"
[[rule]]
event = "STOP"
then = "RESET"
"""


@pytest.mark.parametrize(
    ("spec", "known", "new", "kind"),
    [
        ("v3", WATCHDOG % "reset", WATCHDOG % "pause", 'if action is "reset", RESET follows'),
        ("v3 --rules own.toml", STOP + STOP.replace("STOP", "RESET"), STOP + STOP.replace("STOP", "RESUME"), "after STOP, RESUME follows"),
    ],
)  # fmt: skip
def test_a_follow_up_that_is_known_hides_no_other_of_the_same_event(
    spec: str, known: str, new: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.toml").write_text(OWN)
    Path("s.jsonl").write_text(known)
    options = f"--spec {spec} --complete"
    assert run(capsys, f"{options} {UPDATE}")[0] == 0
    [entry] = json.loads(Path("known.json").read_text())["findings"]
    assert (entry["code"], entry["kind"]) == ("QMP301", kind)
    assert run(capsys, f"{options} --baseline known.json")[0] == 0
    Path("s.jsonl").write_text(new)
    assert run(capsys, f"{options} --baseline known.json")[0] == 1


def test_what_a_guest_wrote_makes_no_other_finding(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.jsonl").write_text(WATCHDOG % "fly")
    run(capsys, f"--spec v3 {UPDATE}")
    for value in ('"fry"', "5", "null", '{"a": 1}'):
        Path("s.jsonl").write_text(WATCHDOG.replace('"%s"', value))
        run(capsys, f"--spec v3 {UPDATE.replace('known', 'now')}")
        kinds = {entry["kind"] for entry in json.loads(Path("now.json").read_text())["findings"]}
        assert kinds == {""}


def test_what_no_longer_occurs_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.jsonl").write_text(BAD + HALT)
    run(capsys, UPDATE)
    Path("s.jsonl").write_text(STOP)
    assert run(capsys, "--baseline known.json")[::2] == (
        0,
        "qmpcheck: 2 entries of the baseline no longer occur\n",
    )
    assert (
        run(capsys, "--baseline known.json --select QMP203")[2]
        == "qmpcheck: 1 entry of the baseline no longer occurs\n"
    )
    assert run(capsys, UPDATE)[::2] == (0, "qmpcheck: known.json: 0 entries, 0 new, 2 gone\n")
    assert baseline.load("known.json") == frozenset()


def test_what_is_only_counted_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, UPDATE)
    assert run(capsys, "--baseline known.json")[0] == 0
    assert run(capsys, "--baseline known.json --max-findings 1")[0] == 1
    assert run(capsys, "--baseline known.json --max-findings 0")[0] == 1
    written = Path("known.json").read_text()
    status, _, err = run(capsys, f"{UPDATE} --max-findings 1")
    assert (status, Path("known.json").read_text()) == (2, written)
    assert "was not changed: s.jsonl: 1 finding not listed" in err
    assert run(capsys, UPDATE, "empty.jsonl")[0] == 2
    assert Path("known.json").read_text() == written


def test_a_baseline_makes_no_stream_checked(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, UPDATE)
    assert run(capsys, "--baseline known.json", "empty.jsonl")[0] == 2
    assert run(capsys, "--baseline known.json", "none.jsonl")[0] == 2


def test_in_the_reports(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, UPDATE)
    Path("s.jsonl").write_text(BAD + HALT)
    asked = " ".join(
        f"--report {format}={format}" for format in ("github", "gitlab", "junit", "markdown", "sarif")
    )
    assert run(capsys, f"--baseline known.json {asked}")[0] == 1
    assert [line.split()[0] for line in Path("github").read_text().splitlines()] == ["::error", "::notice"]
    assert [entry["severity"] for entry in json.loads(Path("gitlab").read_text())] == ["info", "major"]
    assert '<skipped message="in the baseline" />' in Path("junit").read_text()
    assert "1 of them in the baseline" in Path("markdown").read_text()
    results = json.loads(Path("sarif").read_text())["runs"][0]["results"]
    assert [result["baselineState"] for result in results] == ["unchanged", "new"]


def test_while_following(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, UPDATE)
    command = [sys.executable, "-m", "qmpcheck", "validate", "--follow", "-", "--spec", "v2"]
    command += ["--baseline", "known.json", "--report", "junit=report.xml"]
    for stream, status, failures in ((BAD * 2, 0, 0), (BAD + HALT, 1, 1)):
        done = subprocess.run(command, input=stream, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert done.stdout.count(": QMP") == status, "what is accepted is not printed"
        report = Path("report.xml").read_text()
        assert (report.count("<failure"), report.count("<skipped")) == (failures, 1)


ENTRY = '{"fingerprint": "%s", "code": "QMP203", "event": "STOP", "path": "data.why", "kind": ""}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "known.json: not a baseline: Input data was truncated"),
        ("{not\njson", "known.json:1: not a baseline: JSON is malformed"),
        ('{"baseline": 1,\n "findings": [,]}', "known.json:2: not a baseline: JSON is malformed"),
        ("[]", "known.json: not a baseline: Expected `object`"),
        ('{"baseline": 2, "findings": []}', "known.json: not a baseline: "),
        ('{"baseline": 1,\n"findings": [\n1]}', "known.json:3: Expected `object`"),
        ('{"baseline": 1, "findings": [\n' + ENTRY % "00" + "]}", "known.json:2: the fingerprint does not match"),
        ('{"baseline": 1, "findings": [\n{"code": "\x1b"}]}', "known.json:2: not a baseline: JSON is malformed"),
        ("[" * 100_000, "known.json: not a baseline: "),
        ("\xff", "known.json:1: not a baseline: JSON is malformed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("update", ["", " --update-baseline"])
def test_a_broken_baseline(text: str, told: str, update: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("known.json").write_bytes(text.encode("latin-1"))
    status, out, err = run(capsys, f"--baseline known.json{update}")
    assert (status, out, err[: len(told) + 10]) == (2, "", f"qmpcheck: {told}")
    assert Path("known.json").read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--baseline none.json", "none.json: no such file; --update-baseline creates it"),
        ("--baseline .", ".: Is a directory"),
        ("--update-baseline", "--update-baseline needs --baseline FILE"),
        ("--baseline no/such/folder --update-baseline", "--baseline no/such/folder: there is no folder"),
        ("--baseline s.jsonl --update-baseline", "s.jsonl:"),
    ],
)
def test_no_baseline(options: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, options)
    assert status == 2
    assert told in err


NAMES = st.text(max_size=9) | st.sampled_from(['"', "],", "\n", "\ud800", "\\"])
IDENTITIES = st.builds(Identity, st.sampled_from(["QMP203", "QMP301"]), NAMES, NAMES, NAMES)


@given(st.frozensets(IDENTITIES.filter(lambda each: "\ud800" not in "".join(each)), max_size=5))
def test_what_is_written_is_read(accepted: frozenset[Identity]) -> None:
    Path("any.json").write_text(baseline.dump(accepted))
    assert baseline.load("any.json") == accepted
    assert Path("any.json").read_text().count("\n") == len(accepted) + 3


@given(st.lists(IDENTITIES, unique=True))
def test_fingerprints_are_told_apart(identities: list[Identity]) -> None:
    assert len({*map(fingerprint.fingerprint, identities)}) == len(identities)


@pytest.mark.parametrize(
    ("path", "known_by"),
    [
        (("data", "a", 0, "b", 17), "data.a[].b[]"),
        (("data", "a[3]", 4), 'data["a[3]"][]'),
        (("data", '"[3]', "]", 4), 'data["\\"[3]"]["]"][]'),
        ((), ""),
    ],
)
def test_an_item_is_known_by_its_list(path: KeyPath, known_by: str) -> None:
    found = fingerprint.of_finding(Finding("QMP204", 7, "message", "X", path, erratum="e"))
    assert found == Identity("QMP204", "X", known_by, "e")


def test_the_fingerprint_stays_what_it_is() -> None:
    """Baselines written by one version are read by the next."""
    assert (
        fingerprint.fingerprint(Identity("QMP203", "STOP", "data.why")) == "6fd3dd8123f2e116cebe2e4394bae6dc"
    )


def test_a_defect_of_a_document_is_the_same_whatever_else_the_document_has() -> None:
    before = Finding("QMP909", 7, "line 12: not a member (did you mean lamp or bell?); no rule", "X")
    after = Finding("QMP909", 9, "line 14: not a member; no rule", "X")
    assert fingerprint.of_finding(before) == fingerprint.of_finding(after)
