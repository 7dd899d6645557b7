"""Which specs could have written a stream."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from checking import check
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from releases import NEWEST
from strategies import anything, events, faults

from qmpcheck import reports, rulebase
from qmpcheck.checking import errata
from qmpcheck.checking.explain import Explainer
from qmpcheck.cli import main
from qmpcheck.codes import Severity
from qmpcheck.drift import fit
from qmpcheck.drift.fit import Fit, Fitting
from qmpcheck.reports import fitreport
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.version import Version

RECORDINGS = sorted((Path(__file__).parents[1] / "corpora").rglob("*.jsonl"))
RELEASES, TEXTS = catalogue.releases(), catalogue.text_revisions()
EXPLAIN = {
    spec.name: Explainer(spec.rule_base, errata.of_spec(spec.rule_base)).explain for spec in RELEASES + TEXTS
}

CLOCK = '"timestamp": {"seconds": 1, "microseconds": 5}'
STOP = f'{{{CLOCK}, "event": "STOP"}}\n'


IO_ERROR = '{"device": "d", "operation": "read", "action": "stop", "nospace": false, "reason": "r"}'


def event(name: str, data: str = "{}") -> str:
    return f'{{{CLOCK}, "event": "{name}", "data": {data}}}\n'


def fitted(stream: str | bytes, texts: Sequence[Spec] = ()) -> Fit:
    fitting = Fitting(texts)
    fitting.add((stream if isinstance(stream, bytes) else stream.encode()).splitlines())
    return fitting.result()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["fit", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def first_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str) -> tuple[int, str]:
    path = tmp_path / "s"
    path.write_text(content)
    status, out, _ = run(capsys, path)
    return status, out.partition("\n")[0].removeprefix(f"{path}: ")


def test_the_line_of_releases() -> None:
    names = [spec.name for spec in RELEASES]
    assert names[0] == "0.12"
    assert names[names.index("2.0") + 1] == "2.1"
    assert not any(":" in name for name in names)
    assert [spec.rule_base for spec in RELEASES] == [catalogue.find(name).rule_base for name in names]


def test_every_spec_is_a_release_or_a_text() -> None:
    assert {spec.id for spec in RELEASES + TEXTS} == {entry.id for entry in catalogue.entries()}
    assert [spec.rule_base for spec in TEXTS] == [catalogue.find(spec.name).rule_base for spec in TEXTS]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_fits_the_release_that_wrote_it(path: Path) -> None:
    version = path.parent.name.split("-")[1]
    release = version.rpartition(".")[0]
    [(_, found)] = fit.fit(str(path))
    assert [*map(str, found.versions)] == [version]
    assert found.strange == 0
    if found.events and release in found.names:
        assert found.is_whole
        assert found.best[found.names.index(release)]


def errors(spec: str, line: bytes) -> list[str]:
    """What the slow half finds wrong with a payload."""
    findings = EXPLAIN[spec](line).findings
    return [f.code for f in findings if f.code.startswith("QMP2") and f.severity is Severity.ERROR]


@st.composite
def lines_of_events(draw: st.DrawFn) -> list[bytes]:
    """Events of any spec, some with a fault, and some twice, with another value in one place."""
    messages: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 6))):
        rules = draw(st.sampled_from(RELEASES + TEXTS)).rule_base
        message = draw(events(rules) | faults(rules).map(lambda fault: fault.message))
        messages.append(message)
        kept = message.get("data")
        if isinstance(kept, dict) and kept:
            key = draw(st.sampled_from(sorted(kept)))
            value = draw(anything | st.sampled_from(["pause", "read", 127, 128, 2**31, 2**32, -1, 2**64]))
            messages.append(message | {"data": kept | {key: value}})
    return [json.dumps(message).encode() for message in messages]


@given(lines_of_events(), st.lists(st.sampled_from(TEXTS), max_size=20, unique_by=lambda spec: spec.id))
@examples(60)
def test_every_spec_judges_as_the_slow_half_does(lines: list[bytes], texts: list[Spec]) -> None:
    """All lines in one stream, so that lines of one shape share a judgement."""
    found = fitted(b"\n".join(lines), texts)
    assert (found.events, found.strange) == (len(lines), 0)
    assert [row.spec for row in found.texts] == [spec.name for spec in texts]
    for row in found.releases + found.texts:
        wrong = [number for number, line in enumerate(lines, 1) if errors(row.spec, line)]
        assert row.conforming == len(lines) - len(wrong)
        assert [reason.line for reason in row.reasons][:1] == wrong[:1]
        if wrong:
            assert row.reasons[0].code == errors(row.spec, lines[wrong[0] - 1])[0]


FINDINGS_OF_FIT = {"QMP201", "QMP202", "QMP203", "QMP204", "QMP205"}


@given(lines_of_events(), st.sampled_from(RELEASES + TEXTS))
def test_what_conforms_is_what_validating_finds_nothing_in(lines: list[bytes], spec: Spec) -> None:
    stream = b"\n".join(lines) + b"\n"
    listed = check(spec.rule_base, stream).listed
    errors = [each for each in listed if each.severity is Severity.ERROR]
    refused = {each.line for each in errors if each.code in FINDINGS_OF_FIT}
    found = fitted(stream, TEXTS)
    [row] = {row for row in found.releases + found.texts if row.spec == spec.name}
    assert row.conforming == len(lines) - len(refused)
    assert {reason.line for reason in row.reasons} <= refused


def _depth(described: rulebase.Type) -> int:
    match described:
        case rulebase.Array(items):
            return 1 + _depth(items)
        case rulebase.Alternate(types):
            return max(map(_depth, types))
        case rulebase.Object(members, branches=branches):
            inside = [_depth(member.type) for member in members]
            return max([1, *(1 + depth for depth in inside), *map(_depth, branches.values())])
        case _:
            return 0


def test_no_spec_describes_deeper_than_shapes_go() -> None:
    rules = [rule for spec in RELEASES + TEXTS for rule in spec.rule_base.events.values()]
    assert max(_depth(rule.data) for rule in rules) < fit._DEEPEST


def test_sizes_of_integers() -> None:
    for size in get_args(rulebase.Size):
        least, greatest = rulebase.Integer(size).range or (0, 127)
        assert {least, greatest + 1} <= set(fit._BOUNDS)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (STOP, f"fits 0.12 to {NEWEST}: 1 line, 1 event"),
        (
            event("NEWS") + STOP,
            f"fits no release completely; best: 0.12 to {NEWEST} (50.0 %): 2 lines, 2 events",
        ),
        (event("NEWS") * 2, "fits no release at all: 2 lines, 2 events"),
        (event("SHUTDOWN", '{"guest": true}'), "fits 2.10 to 3.1: 1 line, 1 event"),
        (
            event("BLOCK_IO_ERROR", '{"device": "d", "operation": "read", "action": "stop"}'),
            "fits 0.13 to 2.1: 1 line, 1 event",
        ),
        (
            event("NIC_RX_FILTER_CHANGED", '{"path": "p"}') + event("BLOCK_IO_ERROR", IO_ERROR),
            "fits 2.2 to 2.7 and 2.12 to 9.1: 2 lines, 2 events",
        ),
        (event("SHUTDOWN") * 2, "fits 0.12 to 2.9: 2 lines, 2 events"),
        (
            "rubbish\n[]\n{}\n\n" + STOP * 20,
            f"fits 0.12 to {NEWEST}: 24 lines, 20 events, 3 lines that are not messages",
        ),
        ('{"event": 1}\n' + STOP, f"fits 0.12 to {NEWEST}: 2 lines, 1 event, 1 line that is not a message"),
        ('{"return": {}}\n{"execute": "x"}\n' + STOP, f"fits 0.12 to {NEWEST}: 3 lines, 1 event"),
        (
            STOP.replace("5", '"?"'),
            f"fits 0.12 to {NEWEST}: 1 line, 1 event",
        ),  # timestamps are validate's matter
        (
            event("GUEST_PANICKED", '{"action": "run"}'),
            f"fits 1.5 to 2.0 and 5.0 to {NEWEST}: 1 line, 1 event",
        ),  # an erratum
        (
            event("POWERDOWN", f'{{"x": {"[" * 1000}1{"]" * 1000}}}') + STOP,
            f"fits no release completely; best: 0.12 to {NEWEST} (50.0 %): 2 lines, 2 events",
        ),
    ],
)
def test_answers(stream: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, line = first_line(capsys, tmp_path, stream)
    assert line == said
    assert status == ("no release" in said)


def greeting(*version: int) -> str:
    return json.dumps({"QMP": {"version": {"qemu": dict(zip(Version._fields, version, strict=True))}}}) + "\n"


OLD, NEW = greeting(2, 0, 0), greeting(7, 2, 22)


@pytest.mark.parametrize(
    ("stream", "said", "told"),
    [
        (STOP, "", []),
        (greeting(-1, 0, 0) + STOP + NEW + NEW, "the greeting says 7.2.22", ["7.2.22"]),
        (NEW + STOP + OLD + NEW, "the greetings say 7.2.22 and 2.0.0", ["7.2.22", "2.0.0"]),
        (
            STOP + "".join(greeting(4, minor, 0) for minor in range(5)),
            "the greetings say 4.0.0, 4.1.0, 4.2.0 and 2 more",
            ["4.0.0", "4.1.0", "4.2.0", "4.3.0", "4.4.0"],
        ),
    ],
)
def test_versions_of_greetings(
    stream: str, said: str, told: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, line = first_line(capsys, tmp_path, stream + STOP)
    assert line.partition(" events")[2].removeprefix(", ") == said
    _, out, _ = run(capsys, tmp_path / "s", "--format", "json")
    stated = json.loads(out)["stream"]
    assert (stated["greeting"], stated["greetings"]) == (told[0] if told else None, told)


def test_a_greeting_that_the_events_contradict(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    old = event("SHUTDOWN", '{"guest": true}')
    for version, said in (
        (greeting(3, 1, 0), ", the greeting says 3.1.0"),
        (greeting(4, 0, 0), ", but the greeting says 4.0.0"),
    ):
        line = first_line(capsys, tmp_path, version + old)[1]
        assert line == f"fits 2.10 to 3.1: 2 lines, 1 event{said}"


REDHAT = '{"device": "d", "operation": "write", "action": "report", "__com.redhat_reason": "enospc"}'


def test_what_a_vendor_added_is_left_out_of_account(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plain = event("BLOCK_IO_ERROR", REDHAT.replace("__com.redhat_", "com_"))
    ours = event("BLOCK_IO_ERROR", REDHAT)
    assert first_line(capsys, tmp_path, ours)[1] == "fits 0.13 to 2.1: 1 line, 1 event"
    assert first_line(capsys, tmp_path, ours + plain)[1].startswith(
        "fits no release completely; best: 0.13 to 2.1"
    )
    assert first_line(capsys, tmp_path, plain + ours)[1].startswith(
        "fits no release completely; best: 0.13 to 2.1"
    )
    for other in (event("__com.redhat_NEWS", '{"a": 1}'), event("WATCHDOG", '{"action": "__org.x_bark"}')):
        assert first_line(capsys, tmp_path, other)[1].startswith("fits 0.1")
    assert first_line(capsys, tmp_path, event("__com_NEWS"))[1].startswith("fits no release at all")


def test_a_version_that_is_no_release_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text(greeting(999, 0, 0) + greeting(0, 1, 0) + greeting(9, 1, 91) + NEW + STOP)
    newer, old, candidate = run(capsys, path)[2].splitlines()
    assert f"checked against {NEWEST}, and what may be new in 999.0 is a warning" in newer
    assert "the catalogue has no release 0.1" in old
    assert "9.1.91 is a release candidate of 9.2" in candidate


def test_evidence_and_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text(
        STOP + event("SHUTDOWN", '{"guest": true}') * 2 + event("WATCHDOG", '{"action": "inject-nmi"}')
    )
    status, out, err = run(capsys, path)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"{path}: fits 2.10 to 3.1: 4 lines, 4 events",
        "  SHUTDOWN carries guest: 2.10 or later (line 2)",
        "  SHUTDOWN lacks reason: 3.1 or earlier (line 2)",
        "",
        "releases     conform            first that does not",
        "-----------  ---------  ------  ------------------------------",
        "0.12 to 2.3  25.0 %     1 of 4  line 2: SHUTDOWN carries guest",
        "2.4 to 2.9   50.0 %     2 of 4  line 2: SHUTDOWN carries guest",
        "2.10 to 3.1  100.0 %    4 of 4",
        f"{f'4.0 to {NEWEST}':<11}  50.0 %     2 of 4  line 2: SHUTDOWN lacks reason",
        "",
        "qmp-events.txt: no revision fits as well (at most 25.0 %)",
    ]


def test_a_table_of_the_event_document_if_it_fits_as_well(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "s"
    path.write_text(STOP + event("WATCHDOG", '{"action": "debug"}'))
    *_, texts = run(capsys, path)[1].split("\n\n")
    assert texts.splitlines()[:4] == [
        "qmp-events.txt            dated                     among them          conform            first that does not",
        "------------------------  ------------------------  ------------------  ---------  ------  ------------------------",
        "e2419113dd to 80cd34787f  2009-12-03 to 2010-03-08  v1 to v2            50.0 %     1 of 2  line 2: WATCHDOG is sent",
        "9eedeb3b88 to a6330785f0  2010-03-09 to 2014-06-23  v3 to v4            100.0 %    2 of 2",
    ]  # fmt: skip


def test_all_but_a_few_is_not_all() -> None:
    found = fitted(STOP * 9_999 + event("NEWS"))
    assert "(99.9 %)" in fitreport.answer(found)


def test_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    schema = json.loads(Path(reports.__file__).with_name("fit.schema.json").read_text())
    path = tmp_path / "s\x1b"
    for content, expected in (
        ("", 2),
        (event("NEWS\\u001b"), 1),
        (RECORDINGS[0].read_text(), 0),
        (event("SHUTDOWN", '{"guest": 5}'), 1),
    ):
        path.write_text(content)
        status, out, _ = run(capsys, path, "--format", "json")
        assert status == expected
        assert "\x1b" not in out
        value = json.loads(out)
        jsonschema.validate(value, schema)
        assert value["fits"] == (status == 0)
        assert bool(value["best"]) == (status != 2)
        assert [each["revision"] for each in value["texts"]] == [spec.name for spec in TEXTS]


def test_a_text_in_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text(STOP + event("WATCHDOG", '{"action": "debug"}'))
    texts = json.loads(run(capsys, path, "--format", "json")[1])["texts"]
    lacking = {"line": 2, "code": "QMP201", "event": "WATCHDOG", "path": "event", "text": "WATCHDOG is sent"}
    assert [text for text in texts if "v2" in text["names"] or "v3" in text["names"]] == [
        {
            "revision": "d74c7dfd1b",
            "date": "2010-03-08",
            "names": ["v2", "d74c7dfd1b"],
            "conforming": 1,
            "first": lacking,
        },
        {
            "revision": "6f8c63fbd7",
            "date": "2010-12-09",
            "names": ["v3", "0.14", "0.15", "1.0", "6f8c63fbd7"],
            "conforming": 2,
            "first": None,
        },
    ]


@pytest.mark.parametrize("format", ["text", "json"])
def test_hostile_strings_are_shown_safely(
    format: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "s"
    path.write_text(event("NE\\u001bWS") + event("WATCHDOG", '{"action": "\\u001b", "\\u001b": "\\u202e"}'))
    status, out, err = run(capsys, path, "--format", format)
    assert status == 1
    assert (out + err).replace("\n", "").isprintable()


def test_unusable_streams(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert run(capsys, path) == (2, "", f"qmpcheck: {path}: No such file or directory\n")
    path.write_text("\n")
    status, out, err = run(capsys, path)
    assert (status, err) == (2, f"qmpcheck: {path}: no event in it\n")
    assert out == f"{path}: nothing to fit: 1 line, 0 events\n"


def test_more_shapes_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [event("SHUTDOWN", f'{{"guest": {value}}}') for value in ("true", "1", '"x"', "[1]", "true")]
    before = fitted("".join(streams))
    monkeypatch.setattr(fit, "_MOST_SHAPES", 2)
    assert fitted("".join(streams)) == before


def test_many_names_and_reasons_take_no_memory() -> None:
    fitting = Fitting()
    fitting.add([event(f"NEWS{n}").encode() for n in range(3000)])
    assert len(fitting._refused) == 1
    fitting.add([event("WATCHDOG", f'{{"action": "x{n}", "k{n}": {n}}}').encode() for n in range(300)])
    assert len(fitting._refused) < 10
    fitting.add([greeting(4, 0, micro).encode() for micro in range(2000)])
    assert max(len(row.reasons) for row in fitting.result().releases) <= 16
    assert len(fitting.result().versions) == 1000


def validated(capsys: pytest.CaptureFixture[str], *streams: object) -> tuple[int, str]:
    status = main(["validate", *map(str, streams), "--spec", "auto"])
    captured = capsys.readouterr()
    return status, captured.err + captured.out


def test_spec_auto_without_greeting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_text(event("SHUTDOWN", '{"guest": true}'))
    status, said = validated(capsys, path)
    taken = "checked against 3.1, the newest of 2.10 to 3.1 that fit"
    assert said.startswith(
        f"qmpcheck: {path}: no greeting: {taken}\n{path}: conforms to 3.1: 1 line, 1 event"
    )
    assert status == 0
    other.write_text(event("NEWS"))
    status, said = validated(capsys, path, other)
    assert said.splitlines()[:2] == [
        f"qmpcheck: {path}: no greeting: {taken}",
        f"qmpcheck: {other}: no greeting: checked against {NEWEST}, the newest; none fits any event",
    ]
    assert status == 1
    path.write_text(path.read_text() + event("NEWS"))
    _, said = validated(capsys, path)
    taken = "checked against 3.1, which fits best; none fits completely"
    assert said.startswith(f"qmpcheck: {path}: no greeting: {taken}\n")
    assert status == 1
