"""HTML reports without a browser: what a reader without script and style gets, and what the policy allows."""

import base64
import html
import random
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import NASTY, STORY, Page, digest, event, gate_page, io_error, page, story
from real_qemu import real

from qmpcheck.cli import main
from qmpcheck.reports import formats, gatereport
from qmpcheck.reports.html import page as html_page
from qmpcheck.reports.html import streams
from qmpcheck.reports.html.timelines import packed

VALIDATE = ("validate", "--spec", "7.2", "--complete", "--within", "5")


def validated(folder: Path, *recordings: str) -> Page:
    return Page(page(folder, *VALIDATE, *recordings))


def test_the_policy_allows_the_page_s_own_script_and_style_alone(tmp_path: Path) -> None:
    found = validated(tmp_path, story(tmp_path))
    [_, script], [style] = found.contents["script"], found.contents["style"]
    assert found.policy == {
        "default-src": "'none'",
        "script-src": digest(script),
        "style-src": digest(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_links_lead_to_places_in_the_page_alone(tmp_path: Path) -> None:
    recording = story(tmp_path)
    pages = [
        page(tmp_path, *VALIDATE, recording),
        page(tmp_path, *VALIDATE, recording, story(tmp_path, STORY[:9], "other.jsonl")),
        page(tmp_path, "fit", recording),
        page(tmp_path, "diff", "4.0", "9.2"),
        page(tmp_path, "history", "BLOCK_IO_ERROR"),
        gate_page(tmp_path),
    ]
    for found in map(Page, pages):
        ids = {value for _, name, value in found.attributes if name == "id"}
        links = {value for _, name, value in found.attributes if name in {"href", "src"}} - {"data:,"}
        lines = {each for each in links if re.fullmatch(r"#s\d+(m\d+)?L\d+", each)}  # the script finds these
        assert {each.removeprefix("#") for each in links - lines} <= ids
        assert any(each.startswith("#QMP") for each in links)


def test_what_a_reader_without_script_gets(tmp_path: Path) -> None:
    text = validated(tmp_path, story(tmp_path)).text
    assert "violations 5 errors and 1 warning in 19 events, checked against 7.2" in text
    assert "error QMP203 unknown-member BLOCK_IO_ERROR data.nodename 1 time" in text
    assert "line 14 unknown member; the spec has" in text
    assert '"nodename": "disk0"' in text
    assert "spec: qapi/block-core.json:5206" in text
    assert 'if action is "stop", STOP follows' in text


def test_nothing_was_found(tmp_path: Path) -> None:
    text = validated(tmp_path, story(tmp_path, STORY[:4])).text
    assert "conforms 0 errors and 0 warnings in 3 events" in text
    assert "Nothing was found." in text


def test_a_stream_without_events_is_not_green(tmp_path: Path) -> None:
    text = validated(tmp_path, story(tmp_path, STORY[:1])).text
    assert "unchecked 0 errors" in text
    assert "Not checked: no event in it" in text
    assert "Nothing was found in what was read." in text


def test_many_streams_the_worst_first(tmp_path: Path) -> None:
    good, bad = story(tmp_path, STORY[:4], "good.jsonl"), story(tmp_path, STORY, "bad.jsonl")
    none = story(tmp_path, STORY[:1], "none.jsonl")
    text = validated(tmp_path, good, bad, none).text
    assert "3 streams 2 of 3 fail 1 with violations" not in text
    assert "3 streams 2 of 3 fail 1 violations, 1 unchecked, 1 conforms; checked against 7.2" in text
    assert "none.jsonl unchecked no event in it" in text
    assert (
        text.index("none.jsonl unchecked")
        < text.index("bad.jsonl violations")
        < text.index("good.jsonl conforms")
    )


def test_the_strip_of_each_stream_has_its_events_but_not_its_commands(tmp_path: Path) -> None:
    asked = ['{"execute": "cont"}', '{"return": {}}']
    transcript = story(tmp_path, [*STORY[:1], *asked, *STORY[1:4], *asked], "transcript.jsonl")
    page = validated(tmp_path, transcript, story(tmp_path, STORY[:3], "two.jsonl"))
    strips = dict.fromkeys(value for tag, name, value in page.attributes if (tag, name) == ("path", "d"))
    assert [each.count("v10") for each in strips if "v10" in each] == [3, 2]


def test_a_log_of_several_machines_names_each_by_its_vm_alone(tmp_path: Path) -> None:
    """The file is in the title; beside each machine is its spec, and why that was taken."""
    lines = [
        "event STOP at 1790000001.5 for domain 'web': <null>",
        "event RESUME at 1790000002.5 for domain 'web': <null>",
        "event BELL at 1790000003.5 for domain 'db': <null>",
    ]
    log = story(tmp_path, lines, "virsh.txt")
    found = Page(page(tmp_path, "validate", log))
    assert f"{log}: 2 streams" in found.text
    assert "web conforms 2 lines, 2 events, checked against" in found.text
    assert "(no greeting: checked against" in found.text
    assert [each["name"] for each in found.data] == ["web", "db"]
    assert "Format virsh: such a file can lack QEMU's timestamps" in found.text


def test_each_code_is_explained_with_its_examples(tmp_path: Path) -> None:
    text = validated(tmp_path, story(tmp_path)).text
    assert "QMP203 unknown-member The spec has no member of this name at this place." in text
    assert 'Examples Bad (a stream, --spec v2):{"timestamp"' in text
    assert '"sector": 9' in text


@pytest.mark.parametrize(
    ("text", "unbroken"),
    [
        ("a reset on 2018-04-24, by host-qmp-quit", ["2018-04-24,", "host-qmp-quit"]),
        ("/ci/2026-11-30T23-59-59Z/a-b.jsonl", ["2026-11-30T23-59-59Z/", "a-b.jsonl"]),
        ("data.node-name of qapi/block-core.json:5607", ["data.node-name", "block-core.json:5607"]),
        ("--no-shutdown was given", ["--no-shutdown"]),
        ("plain words", []),
        ("a-b" * 100, []),  # from a guest: it must break, or the page is as wide as it
    ],
)
def test_what_lines_do_not_break_in(text: str, unbroken: list[str]) -> None:
    written = html_page.whole(text)
    assert re.findall('<span class="whole">(.*?)</span>', written) == unbroken
    assert html.unescape(re.sub("<[^>]*>", "", written)) == text


def test_accepted_findings_are_counted(tmp_path: Path) -> None:
    recording, baseline = story(tmp_path), str(tmp_path / "baseline.json")
    page(tmp_path, *VALIDATE, recording, "--baseline", baseline, "--update-baseline")
    text = Page(page(tmp_path, *VALIDATE, recording, "--baseline", baseline)).text
    assert "1 time, in the baseline" in text
    assert "the baseline has 6 of them" in text


def test_findings_that_are_not_written_out_are_counted(tmp_path: Path) -> None:
    stream = [*STORY[:1], *(event("STOP", second, odd=1) for second in range(70))]
    text = validated(tmp_path, story(tmp_path, stream)).text
    assert "STOP data 70 times" in text or "STOP data.odd 70 times" in text
    assert "20 more like these" in text


def unpacked(column: str) -> list[int]:
    planes = zlib.decompress(base64.b64decode(column))
    count = len(planes) // 8
    values, value = [], 0
    for at in range(count):
        value += int.from_bytes(planes[at::count], "little", signed=True)
        values.append(value)
    return values


@given(st.lists(st.integers(-(2**52), 2**52)))
def test_columns(column: list[int]) -> None:
    assert unpacked(packed(column)) == column


def test_the_timeline_s_data(tmp_path: Path) -> None:
    [stream] = validated(tmp_path, story(tmp_path)).data
    names = [stream["names"][kind] for kind in unpacked(stream["kinds"])]
    assert names[:3] == ["BLOCK_IO_ERROR", "STOP", "RESUME"]
    assert unpacked(stream["lines"]) == [*range(2, 17), *range(18, 22)]
    outcomes = [stream["outcomes"][each] for each in unpacked(stream["decisions"]["outcomes"])]
    assert outcomes == ["met", "late", "met", "met", "missing", "missing", "missing"]
    assert unpacked(stream["decisions"]["responses"])[3] < unpacked(stream["decisions"]["events"])[3]
    states = [stream["stateNames"][each] for each in unpacked(stream["states"])]
    assert states == ["stopped", "running"] * 4 + ["off", "running", "suspended", "running"]
    assert stream["text"]["2"] == STORY[1]
    assert len(unpacked(stream["late"])) == 1


def test_columns_are_small() -> None:
    clock = random.Random(1)
    times, time = [], 0
    for _ in range(100_000):
        time += clock.choice((31, 59, 74, 120_345, 1_002_003))
        times.append(time)
    assert len(packed(times)) < 150_000


def hostile() -> list[str]:
    """Events with names, members and values that try to break out of a page."""
    return [
        STORY[0],
        *(event(name, at, **{name: name}) for at, name in enumerate(NASTY)),
        *(io_error(20 + at, **{name: {name: [name]}}) for at, name in enumerate(NASTY)),
        *(event("RESET", 50 + at, guest=True, reason=name) for at, name in enumerate(NASTY)),
    ]


@pytest.mark.parametrize("spec", ["7.2", "v4"])
def test_nothing_in_a_recording_becomes_markup(tmp_path: Path, spec: str) -> None:
    plain = validated(tmp_path, story(tmp_path))
    recording = story(tmp_path, hostile(), "<script>alert(1)<script>.jsonl")
    found = Page(page(tmp_path, "validate", "--spec", spec, recording))
    assert len(found.contents["script"]) == 2
    assert {*found.tags} <= {*plain.tags} | {"mark"}
    assert not [each for each in found.attributes if each[1].startswith("on") or each[1] == "style"]
    assert found.source.replace("\n", "").isprintable()
    assert "</script><script>window.pwned = 1</script>" in found.text


def test_lines_of_standard_input_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(story(tmp_path), "rb") as file:
        monkeypatch.setattr("sys.stdin", _Input(file))
        found = validated(tmp_path, "-")
    assert found.data[0]["text"] == {}
    assert "Standard input and pipes can be read only once" in found.text


class _Input:
    def __init__(self, file: Any) -> None:
        self.buffer = file

    def fileno(self) -> int:
        return int(self.buffer.fileno())


def test_a_diff_without_script(tmp_path: Path) -> None:
    text = Page(page(tmp_path, "diff", "4.0", "9.2")).text
    assert "4.0 → 9.2 2 breaking 22 risky 16 safe 2 in documents alone" in text
    assert "event removed concerns libvirt" in text
    assert "Behaviour that QEMU does not document is not covered." in text


def test_a_diff_for_one_client(tmp_path: Path) -> None:
    found = Page(page(tmp_path, "diff", "4.0", "9.2", "--used-by", "libvirt"))
    assert "libvirt receives" in found.text
    assert not [each for each in found.attributes if each[2] == "filter-client"]


def test_a_diff_of_two_equal_specs(tmp_path: Path) -> None:
    assert "nothing changes 56 events compared" in Page(page(tmp_path, "diff", "10.0", "10.0")).text


def test_the_history_of_all_events(tmp_path: Path) -> None:
    found = Page(page(tmp_path, "history"))
    assert "QMP events, 0.12 to" in found.text
    assert "BLOCK_IO_ERROR, 2.11 → 2.12 breaking QMP506 data.node-name" in found.text
    marks = [value for tag, name, value in found.attributes if tag == "a" and name == "href" and "-" in value]
    articles = [value for tag, name, value in found.attributes if tag == "article" and name == "id"]
    assert [f"#{each}" for each in articles] == marks
    assert len({*articles}) == len(articles)


def test_the_history_of_one_member(tmp_path: Path) -> None:
    text = Page(page(tmp_path, "history", "BLOCK_IO_ERROR.node-name")).text
    assert "BLOCK_IO_ERROR.node-name, 0.12 to" in text
    assert "2.122018-04-24breakingbecame optionalqapi/block-core.json:4449" in text.replace(" ", "").replace(
        "becameoptional", "became optional"
    )


@pytest.mark.parametrize(
    ("command", "wrong"), [(["lint", "x"], "html"), (["history"], "junit"), (["diff", "x", "y"], "pdf")]
)
def test_formats_that_a_command_does_not_have_are_refused(
    command: list[str], wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main([*command, "--report", f"{wrong}=x"])
    assert exit.value.code == 2
    assert f'unknown format "{wrong}"' in capsys.readouterr().err


def test_a_gate_without_script(tmp_path: Path) -> None:
    text = Page(gate_page(tmp_path)).text
    assert "failed 6 scenarios and the introspection: 4 failed, 2 passed, 1 skipped" in text
    assert "checked against 7.2" in text
    assert text.index("failed misses") < text.index("passed passes") < text.index("skipped skips")
    assert "lacks a disk" in text
    assert "error QMP407 STOP: out of order" in text
    assert "QMP406 POWERDOWN: unexpected" in text
    assert "What the build says about itself It does not differ from 7.2." in text


@pytest.mark.parametrize(
    ("scenario", "rows"),
    [
        (
            "misses",
            ['=|WATCHDOG (action "pause")|WATCHDOG {"action": "pause"}', "\N{MINUS SIGN}|STOP|missing"],
        ),
        ("differs", ['≠|RESET (guest true)|RESET {«"guest": false»']),
        ("swaps", ["↕|STOP|STOP out of order", "=|RESUME|RESUME"]),
        ("says-more", ["+||POWERDOWN extra"]),
    ],
)
def test_what_should_have_come_beside_what_came(tmp_path: Path, scenario: str, rows: list[str]) -> None:
    source = Page(gate_page(tmp_path)).source
    table = source[source.index(f'id="{scenario}"') :].split("</table>")[0].split("<tbody>")[1]
    cells = [
        [re.sub(r"\s+", " ", _plain(cell)).strip() for cell in row.split("</td>")]
        for row in table.split("</tr>")
    ]
    found = ["|".join(row[:3]) for row in cells]
    assert [row for row in rows if not any(each.startswith(row) for each in found)] == []


def _plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", text.replace("<mark>", "«").replace("</mark>", "»")))


def test_a_gate_that_could_not_be_played(tmp_path: Path) -> None:
    path = tmp_path / "gate.html"
    path.write_text(formats.render("html", gatereport.unplayed("/no<where>", "7.2", "it does not start")))
    assert "No verdict unchecked 7.2 (/no<where>) it does not start" in Page(path).text


def test_a_fit(tmp_path: Path) -> None:
    found = Page(page(tmp_path, "fit", story(tmp_path, STORY[:4])))
    assert "fits" in found.text
    assert "Checked against 7.2" in found.text
    assert found.data[0]["id"] == "s0"
    assert "of 3" in found.text


def test_a_fit_of_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(story(tmp_path), "rb") as file:
        monkeypatch.setattr("sys.stdin", _Input(file))
        found = Page(page(tmp_path, "fit", "-"))
    assert "Standard input and pipes can be read only once, so there is no timeline." in found.text
    assert found.data == []


def test_a_message_does_not_repeat_the_line_that_is_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = story(tmp_path)
    assert "STOP follows, but none came (searched up to line 17)" in validated(tmp_path, recording).text
    with open(recording, "rb") as file:  # what can be read only once: there are no lines
        monkeypatch.setattr("sys.stdin", _Input(file))
        text = validated(tmp_path, "-").text
    assert 'STOP follows, but none came; the event carries {"device": ""' in text


def test_lines_are_divided_among_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_LINES_IN_ALL", 12)
    few, many = story(tmp_path, STORY[:4], "few.jsonl"), story(tmp_path, STORY, "many.jsonl")
    first, second = validated(tmp_path, few, many).data
    assert [*first["text"]] == ["1", "2", "3", "4"]
    assert "3" not in second["text"]  # a line without a finding near it
    assert {"13", "14", "15"} <= {*second["text"]}


@pytest.mark.qemu
def test_the_gate_of_a_real_build(tmp_path: Path) -> None:
    found = Page(page(tmp_path, "gate", "--qemu", real(), "--only", "watchdog-pause"))
    assert "passed 1 scenario and the introspection: 2 passed" in found.text
    assert 'WATCHDOG (action "pause")' in found.text
    [stream] = found.data
    assert {"WATCHDOG", "STOP", "RESUME"} <= {*stream["names"]}
    outcomes = {stream["outcomes"][each] for each in unpacked(stream["decisions"]["outcomes"])}
    assert outcomes == {"met"}
