"""HTML reports in a real browser: they look, they work, they ask for nothing, and nothing breaks out of them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import DESKTOP, PHONE, launched, opened
from pages import STORY, event, gate_page, page, story
from test_html import VALIDATE, hostile

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    recordings = [story(folder, STORY[: 4 * at], f"{at}.jsonl") for at in range(1, 6)]
    return {
        "stream": page(folder, *VALIDATE, story(folder)),
        "streams": page(folder, *VALIDATE, *recordings),
        "fit": page(folder, "fit", story(folder)),
        "gate": gate_page(folder),
        "diff": page(folder, "diff", "4.0", "9.2"),
        "history": page(folder, "history"),
        "history-of-one": page(folder, "history", "BLOCK_IO_ERROR.node-name"),
        "hostile": page(
            folder, "validate", "--spec", "7.2", story(folder, hostile(), "<script>alert(1)<script>.jsonl")
        ),
    }


KINDS = ["stream", "streams", "hostile", "fit", "gate", "diff", "history", "history-of-one"]
OF_STREAMS = KINDS[:3]


def detail(window: Any) -> str:
    """What is said of the chosen event."""
    return re.sub(r"\s+", " ", window.inner_text("#detail"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads(
    browser: Any, pages: dict[str, Path], kind: str, viewport: dict[str, int], scheme: str
) -> None:
    with opened(browser, pages[kind], viewport=viewport, color_scheme=scheme):
        pass


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        (kind, scheme)
        for kind in KINDS
        for scheme in ("light", "dark")
        if (kind, scheme) != ("history", "dark")
    ],
)  # the history of one event is like that of all, and smaller
def test_it_can_be_used_by_everybody(browser: Any, pages: dict[str, Path], kind: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    address = "#s0" if kind == "streams" else ""
    with opened(browser, pages[kind], address, color_scheme=scheme, bypass_csp=True) as window:
        window.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found = axe.Axe().run(window).response["violations"]
        assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("kind", OF_STREAMS)
def test_without_script_everything_is_there_but_the_timeline(
    browser: Any, pages: dict[str, Path], kind: str
) -> None:
    with opened(browser, pages[kind], java_script_enabled=False) as window:
        assert not window.is_visible("#canvas")
        assert not window.is_visible("button")
        window.locator("details.group summary").last.click()
        assert window.locator("details.group pre").last.is_visible()
        assert window.locator("#QMP203, #QMP201").first.is_visible()


@pytest.mark.parametrize("bypass", [False, True], ids=["policy", "no-policy"])
def test_hostile_names_do_not_break_out(browser: Any, pages: dict[str, Path], bypass: bool) -> None:
    with opened(browser, pages["hostile"], bypass_csp=bypass, viewport=PHONE) as window:
        window.focus("#canvas")
        for _ in range(len(hostile()) - 1):
            window.keyboard.press("ArrowRight")
            assert "line" in detail(window)
        for link in window.locator("a.line").all()[:20]:
            link.evaluate("(each) => each.click()")
        window.fill("#lanes", "script")
        assert window.locator("script").count() == 2
        assert window.locator("img, svg").count() == 0


def test_it_works_in_a_frame_without_an_origin(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<body data-ready><iframe sandbox="allow-scripts" src="{pages["stream"].as_uri()}"></iframe>'
    )
    context = browser.new_context()
    window = context.new_page()
    window.goto(outer.as_uri())
    window.frame_locator("iframe").locator("body[data-ready]").wait_for(timeout=30_000)
    context.close()


def test_from_a_finding_to_its_event(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"]) as window:
        window.click("text=line 14")
        assert detail(window).startswith(
            "BLOCK_IO_ERROR · line 14 · 2026-09-21 14:13:34.000000 UTC · 1 s after the event"
        )
        assert 'missing: if action is "stop", STOP follows (qapi/block-core.json:5190)' in detail(window)
        assert "error QMP203" in detail(window)
        assert window.locator("li.chosen").inner_text().startswith("line 14")
        assert re.fullmatch(r"#s0f\d+-0", window.evaluate("location.hash"))
        address = window.evaluate("location.hash")
    with opened(browser, pages["stream"], address) as window:
        assert "line 14" in detail(window)
    with opened(browser, pages["stream"], "#s0L14") as window:
        assert "line 14" in detail(window)


def test_all_that_is_said_of_the_chosen_event_is_in_view(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"], "#s0L14") as window:
        assert window.evaluate("byId('detail').scrollHeight <= byId('detail').clientHeight")
        window.click("#all-lanes, #zoom-in")
        bottom = window.locator("#detail").bounding_box()
        assert bottom["y"] + bottom["height"] <= DESKTOP["height"]


@pytest.mark.parametrize("kind", KINDS)
def test_dates_codes_and_names_are_not_broken(browser: Any, pages: dict[str, Path], kind: str) -> None:
    """On a phone, where lines are short, each is in one piece, and inside of its cell or paragraph."""
    address = "#s0L14" if kind == "stream" else ""
    with opened(browser, pages[kind], address, viewport=PHONE) as window:
        window.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        broken = window.evaluate(
            "[...document.querySelectorAll('.whole')]"
            ".filter((each) => new Set([...each.getClientRects()].map((part) => Math.round(part.top))).size > 1)"
            ".map((each) => each.textContent)"
        )
        assert broken == []
        assert window.locator(".whole").count() > 0
        if address:
            assert {"2026-09-21", "14:13:34.000000"} <= {*window.locator("#detail .whole").all_inner_texts()}


def test_from_a_trigger_to_its_response_and_back(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"], "#s0L5") as window:
        assert "late: if action is" in detail(window)
        window.click("text=response: STOP, line 6, 6 s later")
        assert detail(window).startswith("STOP · line 6")
        window.click("text=answers BLOCK_IO_ERROR, line 5, 6 s earlier")
        assert detail(window).startswith("BLOCK_IO_ERROR · line 5")


def test_an_event_that_was_sent_late(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"], "#s0L12") as window:
        assert "100 µs before the event before it" in detail(window)
        assert "Sent late, as its rate is limited: it happened before line 11." in detail(window)
        assert "response: STOP, line 11, 100 µs later" in detail(window)


def test_a_known_erratum(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"], "#s0L16") as window:
        assert "known erratum io-error-at-exit" in detail(window)


def test_keys(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"]) as window:
        window.focus("#canvas")
        seen = []
        for key in (
            "ArrowRight",
            "ArrowRight",
            "Shift+ArrowRight",
            "ArrowLeft",
            "n",
            "n",
            "p",
            "t",
            "+",
            "-",
            "a",
            "d",
            "0",
            "o",
        ):
            window.keyboard.press(key)
            seen.append(re.sub(r" ·.*?line (\d+).*", r" \1", detail(window)))
        assert seen[:4] == ["BLOCK_IO_ERROR 2", "STOP 3", "STOP 6", "BLOCK_IO_ERROR 5"]
        assert seen[4:7] == ["BLOCK_IO_ERROR 14", "BLOCK_IO_ERROR 16", "BLOCK_IO_ERROR 14"]
        assert seen[7:] == ["BLOCK_IO_ERROR 14"] * 7
        window.keyboard.press("?")
        assert window.is_visible("text=event before, after")
        window.keyboard.press("/")
        window.keyboard.type("io_err")
        assert window.input_value("#lanes") == "io_err"


def view(window: Any) -> tuple[float, float]:
    found = window.evaluate("[timeline.view.from, timeline.view.to]")
    return found[0], found[1]


def test_buttons_and_pointer(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"], has_touch=True) as window:
        everything = view(window)
        window.click("#zoom-in")
        closer = view(window)
        assert closer[1] - closer[0] < everything[1] - everything[0]
        box = window.locator("#canvas").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + 80
        window.mouse.move(x, y)
        window.mouse.down()
        window.mouse.move(x - 150, y, steps=3)
        window.mouse.up()
        assert view(window)[0] > closer[0]
        window.mouse.click(box["x"] + 30, box["y"] + 10)  # in the overview
        assert view(window)[0] == 0
        window.click("#show-all")
        assert view(window) == everything
        window.keyboard.down("Control")
        window.mouse.move(x, y)
        window.mouse.wheel(0, -300)
        window.keyboard.up("Control")
        assert view(window) != everything
        window.click("#show-all")
        window.click("#by-time")
        assert window.get_attribute("#by-time", "aria-pressed") == "true"
        assert view(window)[0] < 0
        window.click("#by-order")
        window.click("#next")
        assert "line 5" in detail(window)
        window.click("#previous")
        assert "line 5" in detail(window)
        window.touchscreen.tap(box["x"] + 230, box["y"] + 80)
        assert detail(window).startswith("BLOCK_IO_ERROR · line 2")


def test_the_longest_name_of_qemu_fits_beside_its_lane(browser: Any, tmp_path: Path) -> None:
    longest = "NETDEV_VHOST_USER_DISCONNECTED"
    path = page(tmp_path, *VALIDATE, story(tmp_path, [*STORY[:3], event(longest, 5)]))
    with opened(browser, path) as window:
        width = window.evaluate(f"timeline.pen.measureText('{longest}').width")
        assert window.evaluate("timeline.left") >= width + 20


def test_a_plain_wheel_scrolls_the_page(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["stream"]) as window:
        before = view(window)
        window.hover("#canvas")
        window.mouse.wheel(0, 200)
        window.wait_for_timeout(200)
        assert view(window) == before
        assert window.evaluate("scrollY") > 0


def test_from_the_overview_to_a_stream(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["streams"]) as window:
        assert not window.is_visible("#canvas")
        window.click("#overview tbody tr:first-child a")
        window.wait_for_selector("#canvas", timeout=5000)
        assert window.inner_text("#stream-name").endswith(".jsonl")
        first = window.inner_text("#stream-name")
        window.locator(".show-timeline").last.click()
        window.wait_for_timeout(200)
        assert window.inner_text("#stream-name") != first


def test_the_overview_is_sorted_by_pointer_and_by_keys(browser: Any, pages: dict[str, Path]) -> None:
    """Of numbers, the largest come first; a second time, the smallest. Equal ones stay in their order."""
    with opened(browser, pages["streams"]) as window:

        def column(at: int) -> list[str]:
            return [*window.locator(f"#overview tbody tr > :nth-child({at})").all_inner_texts()]

        def order() -> list[str]:
            return [head.get_attribute("aria-sort") for head in window.locator("#overview [aria-sort]").all()]

        names, events = column(1), [int(each) for each in column(5)]
        assert order() == []
        window.click("#overview >> text=events")
        assert ([int(each) for each in column(5)], order()) == (sorted(events, reverse=True), ["descending"])
        window.keyboard.press("Enter")
        assert ([int(each) for each in column(5)], order()) == (sorted(events), ["ascending"])
        window.locator("#overview thead button").first.focus()
        window.keyboard.press("Space")
        assert (column(1), order()) == (sorted(names), ["ascending"])
        window.keyboard.press("Tab")
        window.keyboard.press("Enter")
        assert (column(2), order()) == (sorted(column(2)), ["ascending"])
        assert window.locator("#overview thead button").count() == 5
        window.click("#overview tbody tr:first-child a")
        window.wait_for_selector("#canvas", timeout=5000)


def test_fifty_thousand_lines_can_be_used(browser: Any, tmp_path: Path) -> None:
    with open(tmp_path / "long.jsonl", "w") as file:
        for _ in range(2500):
            file.write("\n".join(STORY) + "\n")
    path = page(tmp_path, "validate", "--spec", "7.2", str(tmp_path / "long.jsonl"))
    assert path.stat().st_size < 5_000_000
    with opened(browser, path) as window:
        window.click("#next")
        window.click("#zoom-in")
        assert "line" in detail(window)
        window.click("#by-time")
        window.click("#show-all")


def test_changes_are_filtered(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["diff"]) as window:
        assert window.inner_text("#filter-count") == "27 events shown, 42 changes"
        window.select_option("#filter-level", "breaking")
        assert window.inner_text("#filter-count") == "2 events shown, 2 changes"
        assert window.locator("tbody:visible th").all_inner_texts() == [
            "RDMA_GID_STATUS_CHANGED",
            "MEM_UNPLUG_ERROR",
        ]
        window.select_option("#filter-client", "libvirt")
        assert window.locator("tbody:visible th").all_inner_texts() == ["RDMA_GID_STATUS_CHANGED"]
        window.select_option("#filter-client", "")
        window.select_option("#filter-level", "")
        window.keyboard.press("Tab")
        window.locator("h1").click()
        window.keyboard.press("/")
        window.keyboard.type("io_err")
        assert window.locator("tbody:visible th").all_inner_texts() == ["BLOCK_IO_ERROR"]


def test_the_story_of_a_change(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["history"]) as window:
        window.fill("#filter-event", "block_io")
        window.select_option("#filter-level", "breaking")
        window.click("a.mark:visible")
        story = window.inner_text("#story")
        assert "BLOCK_IO_ERROR, 2.11 → 2.12" in story
        assert "data.node-name became optional" in story
        assert "qmpcheck diff 2.11 2.12" in story
        assert window.evaluate("location.hash") == "#BLOCK_IO_ERROR-2.12"
    with opened(browser, pages["history"], "#BLOCK_IO_ERROR-2.12") as window:
        assert "BLOCK_IO_ERROR, 2.11 → 2.12" in window.inner_text("#story")
        assert (
            window.locator("a.mark.chosen").get_attribute("aria-label")
            == "BLOCK_IO_ERROR in 2.12: 1 change, breaking"
        )


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_matrix_begins_with_the_newest_releases(
    browser: Any, pages: dict[str, Path], viewport: dict[str, int]
) -> None:
    with opened(browser, pages["history"], viewport=viewport) as window:
        newest = window.locator(".matrix thead th").last.bounding_box()
        assert newest["x"] + newest["width"] <= viewport["width"]
    with opened(browser, pages["history"], "#SHUTDOWN-0.13", viewport=viewport) as window:
        box = window.locator("a.mark.chosen").bounding_box()
        assert 0 < box["x"] < viewport["width"]  # an address comes before that


def test_from_mark_to_mark(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["history"]) as window:
        window.focus("a.mark[href='#BLOCK_IO_ERROR-2.8']")
        heads = []
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
            window.keyboard.press(key)
            heads.append(window.inner_text("#story h4"))
        assert heads == [
            "BLOCK_IO_ERROR, 2.11 → 2.12",
            "RESUME, 0.12 → 0.13",
            "BLOCK_IO_ERROR, 10.2 → 11.0",
            "DEBUG, 0.12 → 0.13",
        ]


def test_every_mark_has_a_story(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["history"]) as window:
        click = (
            "(each) => { each.click(); return [each.hash, document.querySelector('#story h4').textContent]; }"
        )
        told = window.evaluate(f"[...document.querySelectorAll('a.mark')].map({click})")
        assert len(told) > 100
        assert [each for each in told if not each[1].startswith(each[0][1:].rpartition("-")[0] + ", ")] == []


def test_releases_are_filtered(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["history"]) as window:
        window.select_option("#filter-after", label="11.0")
        assert window.inner_text("#filter-count").startswith("0 events")
        window.select_option("#filter-after", label="10.2")
        assert window.locator(".matrix tbody tr:visible").count() == 5


def test_scenarios_are_filtered_and_have_timelines(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["gate"]) as window:
        assert window.inner_text("#filter-count") == "6 of 6 shown"
        window.select_option("#filter-result", "failed")
        assert window.inner_text("#filter-count") == "4 of 6 shown"
        window.fill("#filter-text", "powerdown")
        assert window.locator(".scenario:visible").get_attribute("id") == "says-more"
        window.click(".show-timeline:visible")
        window.wait_for_selector("#canvas")
        assert window.inner_text("#stream-name") == "says-more"
        window.focus("#canvas")
        window.keyboard.press("ArrowRight")
        assert detail(window).startswith("POWERDOWN · line 2")


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_read_where_neither_script_nor_style_is_allowed(
    browser: Any, pages: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    strict = tmp_path / "page.html"
    text = pages[kind].read_text(encoding="utf-8")
    strict.write_text(
        re.sub('content="default-src[^"]*"', "content=\"default-src 'none'\"", text), encoding="utf-8"
    )
    context = browser.new_context(viewport=DESKTOP)
    window = context.new_page()
    window.goto(strict.as_uri())
    assert window.evaluate("getComputedStyle(document.body).maxWidth") == "none"
    for control in ("button", "canvas", "input", "select", "output"):
        assert window.locator(f"{control}:visible").count() == 0
    assert window.locator("h1:visible").count() == 1
    assert len(window.inner_text("main")) > 300
    context.close()


@pytest.mark.parametrize("kind", ["stream", "history"])
@pytest.mark.parametrize(
    "address", ["#s0L999999", "#s7", "#%E0%A4%A", "#<img src=x>", "#constructor", "#timeline"]
)
def test_addresses_that_name_nothing(browser: Any, pages: dict[str, Path], kind: str, address: str) -> None:
    with opened(browser, pages[kind], address) as window:
        assert window.locator("li.chosen, .mark.chosen").count() == 0
