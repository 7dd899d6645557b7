"""`qmpcheck diff` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

import qmpcheck
from qmpcheck import reports, rulebase
from qmpcheck.cli import main
from qmpcheck.rulebase import Any, Array, Boolean, Enum, EventRule, Integer, Member, Object, RuleBase, String
from qmpcheck.specs import catalogue

HOSTILE = "a|b`c`<img src=x>\x1b[2J\u202e*d*"

OLD = RuleBase(
    {
        "LAMP": EventRule(
            Object((Member("x509_dname", String(), line=3), Member("s", Enum(("on",)), line=4))), line=1
        ),
        "LOOSE": EventRule(Object((Member("any", Any(), line=9),)), line=8),
        "GONE": EventRule(line=12),
    }
)
NEW = RuleBase(
    {
        "LAMP": EventRule(
            Object((Member("x509-dname", String(), line=5), Member("s", Enum(("on", HOSTILE)), line=6))), line=1, file="q.json"
        ),
        "LOOSE": EventRule(Object((Member("any", Integer("int8"), line=9),)), line=8, file="q.json"),
        "CAME": EventRule(Object((Member("l", Array(Boolean())),)), line=20, file=HOSTILE),
    },
    "schema",
)  # fmt: skip

STREAM = '{"event": "LOOSE", "data": {"any": 1}}\n{"return": {}}\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.json").write_bytes(rulebase.dump(OLD))
    Path("new.json").write_bytes(rulebase.dump(NEW))
    Path("loose.jsonl").write_text(STREAM)
    Path("lamp.txt").write_text("LAMP\nGONE  # until last year\n")
    Path("wrong.txt").write_text("LAMP\nLAMPS\n")


def run(capsys: pytest.CaptureFixture[str], command: str) -> tuple[int, str, str]:
    try:
        status = main(command.split())
    except SystemExit as exit:
        status = int(exit.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "diff old.json new.json")
    assert (status, err) == (1, "")
    assert out == """\
old.json → new.json: 2 breaking, 1 risky, 1 safe; 1 differs only in the documents

event    code    level     path             what                                             old    new
-------  ------  --------  ---------------  -----------------------------------------------  -----  ------------------------------------
LAMP     QMP503  breaking  data.x509_dname  likely renamed to x509-dname (QMP505)            3      q.json:5
         QMP510  risky     data.s           value "a|b`c`<img src=x>\\x1b[2J\\u202e*d*" added  4      q.json:6
GONE     QMP501  breaking                   event removed                                    12
CAME     QMP502  safe                       event added                                             a|b`c`<img src=x>\\x1b[2J\\u202e*d*:20

Only in the documents, without a change on the wire:

event    code    level    path      what                                     old    new
-------  ------  -------  --------  ---------------------------------------  -----  --------
LOOSE    QMP517  doc      data.any  described as any, now as integer (int8)  9      q.json:9

Behaviour that QEMU does not document is not covered.
"""  # fmt: skip


def test_a_narrow_terminal_shows_places_with_what_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    lines = run(capsys, "diff old.json new.json")[1].splitlines()
    assert lines[2:6] == [
        "event    code    level     path             what",
        "-------  ------  --------  ---------------  -----------------------------------",
        "LAMP     QMP503  breaking  data.x509_dname  likely renamed to x509-dname",
        "                                            (QMP505) (line 3 → q.json:5)",
    ]
    assert max(map(len, lines[2:])) <= 80
    assert "qapi/run-state.json" in run(capsys, "history STOP")[1]


NOT_COVERED = "Behaviour that QEMU does not document is not covered."


def test_where_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, with how many events were compared: silence could be a comparison of nothing."""
    for format in ("text", "markdown"):
        status, out, err = run(capsys, f"diff v2 d74c7dfd1b --format {format}")
        assert (status, out, err) == (
            0,
            f"v2 → d74c7dfd1b: nothing changes (7 events compared)\n\n{NOT_COVERED}\n",
            "",
        )
    told = json.loads(run(capsys, "diff 7.2 7.2.22 --format json")[1])
    assert told["changes"] == []
    assert told["compared"] == len(catalogue.find("7.2").rule_base.events)
    assert told["notes"] == [NOT_COVERED]


@pytest.fixture
def build() -> None:
    """Two specs that differ as every binary does from its schema, and in a value."""
    members = (("size", Integer("int64"), Integer()), ("s", Enum(("on",)), Enum(("on", "off"))))
    for at, (name, source) in enumerate((("schema.json", "schema"), ("build.json", "build"))):
        data = Object(tuple(Member(key, types[at]) for key, *types in members))
        Path(name).write_bytes(rulebase.dump(RuleBase({"LAMP": EventRule(data)}, source)))  # type: ignore[arg-type]


@pytest.mark.usefixtures("build")
def test_what_every_binary_differs_in_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "diff schema.json build.json")[1]
    assert out.startswith("schema.json → build.json: 1 risky\n")
    assert "data.size" not in out
    assert "1 difference not listed (--all lists all): every binary says less about its types" in out
    out = run(capsys, "diff schema.json build.json --all")[1]
    assert "described as integer (int64), now as integer" in out
    assert "not listed" not in out
    told = json.loads(run(capsys, "diff build.json schema.json --format json")[1])
    assert ([change["code"] for change in told["changes"]], told["unlisted"]) == (["QMP511"], 1)
    assert run(capsys, "diff build.json build.json")[1].startswith(
        "build.json → build.json: nothing changes (1 event"
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "status"),
    [
        ("10.2", "10.2.2", "QMP515", 0),
        ("10.2.2", "10.2.0", "QMP514", 1),
        ("10.2", "11.0", "QMP515", 1),  # for other changes
        ("4.2", "5.2", "", 0),
        ("2.8", "2.9", "", 0),
        ("9.1", "9.2", "QMP514", 1),
    ],
)
def test_rate_limits(old: str, new: str, code: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """BLOCK_IO_ERROR's is new in 9.2, and a patch level changed it; others were there before they were stated."""
    Path("used.txt").write_text("VSERPORT_CHANGE\nBALLOON_CHANGE\nWATCHDOG\nBLOCK_IO_ERROR\nMIGRATION\n")
    found, out, _ = run(capsys, f"diff {old} {new} --used-by used.txt --fail-on risky --format json")
    codes = {each["code"] for each in json.loads(out)["changes"] if "rate limit" in each["message"]}
    assert codes - {"QMP517"} == ({code} if code else set())
    assert found == status


def test_documents_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.txt").write_text('X1\n--\nData:\n\n- "a": it (json-string)\n')
    Path("b.txt").write_text('X1\n--\nData:\n\n- "a": it (json-string, "p" or "q")\n')
    status, out, _ = run(capsys, "diff a.txt b.txt --fail-on safe")
    assert status == 0
    assert out.startswith(
        "a.txt → b.txt: nothing changes on the wire (1 event compared); 1 differs only in the documents\n\nOnly in the doc"
    )


@pytest.mark.parametrize(
    ("options", "status", "summary"),
    [
        ("--used-by loose.jsonl", 0, "your one event does not change; 1 differs only in the documents"),
        ("--used-by lamp.txt", 1, "2 of your 2 events change; 2 breaking, 1 risky"),
        ("--used-by lamp.txt --profile strict", 1, "2 of your 2 events change; 3 breaking"),
        ("--profile strict", 1, "4 breaking; 1 differs only in the documents"),
    ],
)
def test_the_summary_for_a_client(
    options: str, status: int, summary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, _ = run(capsys, f"diff old.json new.json {options}")
    assert (found, out.partition("\n")[0]) == (status, f"old.json → new.json: {summary}")


def test_events_in_neither_spec_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("both.jsonl").write_text(STREAM + '{"event": "\\u001b[2J"}\n')
    status, out, err = run(capsys, "diff old.json new.json --used-by both.jsonl")
    assert (status, err) == (0, "qmpcheck: both.jsonl: 1 name in neither spec: \\x1b[2J\n")
    assert "none of your 2 events changes" in out


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("new.json old.json --fail-on breaking", 1),
        ("7.2 10.0", 1),
        ("2.1 2.2 --fail-on breaking", 0),
        ("v1 v2 --fail-on doc", 2),
        ("v1", 2),
        ("v1 v22", 2),
        ("old.json new.json --used-by none", 2),
        ("old.json new.json --used-by wrong.txt", 2),
        ("7.2 10.0 --used-by loose.jsonl", 2),
        ("old.json new.json --used-by loose.jsonl -o loose.jsonl", 2),
        ("old.json new.json -o new.json", 2),
    ],
)
def test_exit_status(options: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, f"diff {options}")[0] == status


def test_json_keeps_to_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(Path(reports.__file__).with_name("changes.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    for options in (
        "old.json new.json",
        "new.json old.json --used-by lamp.txt",
        "2.8 7.2 --profile strict",
        "v2 v2",
    ):
        _, out, _ = run(capsys, f"diff {options} --format json")
        Draft202012Validator(schema).validate(json.loads(out))
        assert out.isascii()
        assert out.replace("\n", "").isprintable()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "diff old.json new.json --used-by lamp.txt --format json -o report.json")
    report = json.loads(Path("report.json").read_text())
    assert report["qmpcheck"] == qmpcheck.__version__
    assert report["used_by"] == {"path": "lamp.txt", "events": 2, "changed": 2}
    assert report["changes"][0] == {
        "code": "QMP503",
        "slug": "member-removed",
        "level": "breaking",
        "event": "LAMP",
        "path": "data.x509_dname",
        "message": "member removed, likely renamed to x509-dname",
        "old": {"file": None, "line": 3},
        "new": None,
        "value": None,
        "where": [],
        "counterpart": "x509-dname",
    }
    assert [change["code"] for change in report["changes"]] == ["QMP503", "QMP510", "QMP505", "QMP501"]


def test_markdown_takes_no_name_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff old.json new.json --format markdown")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert {len(row.replace("\\|", "").split("|")) for row in rows} == {9}
    assert "a\\|b\\`c\\`&lt;img src=x&gt;" in out
    assert "<" not in out
    assert "\\*d\\*" in out


def test_only_what_is_needed_is_loaded() -> None:
    program = (
        "import sys; from qmpcheck.cli import main; main(['diff', '2.1', '2.2', '--format', 'json']);"
        "print(*sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:])), file=sys.stderr)"
    )
    heavy = ["lark", "jsonschema", "tabulate", "tqdm", "gzip", "backports", "multiprocessing", "hashlib"]
    done = subprocess.run(
        [sys.executable, "-c", program, *heavy],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "\n"


def test_reports_for_ci_beside_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    status = main(
        ["diff", "9.0", "9.1", "--report", f"junit={junit}", "--report", "github=-", "-o", "/dev/null"]
    )
    assert status == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "::error file=qapi/rdma.json,line=34,title=QMP501 event-removed::RDMA_GID_STATUS_CHANGED: event removed"
    )
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "2"
    assert main(["diff", "9.0", "9.1", "--report", "junit=/no/such/folder/x", "-o", "/dev/null"]) == 2
