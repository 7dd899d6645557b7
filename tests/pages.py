"""HTML reports for the tests, and what is in them."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec

from qmpcheck.cli import main
from qmpcheck.gate.build import Build
from qmpcheck.gate.expectations import Expectations, expected
from qmpcheck.gate.failure import LACKS, Failure
from qmpcheck.gate.judge import FOR_BUILDS, judge
from qmpcheck.gate.recording import MachineRecording
from qmpcheck.gate.scenario import Scenario, ScenarioOutcome
from qmpcheck.reports import formats, gatereport
from qmpcheck.specs import catalogue
from qmpcheck.version import Version

FIRST_SECOND = 1_790_000_000

NASTY = [
    "</script><script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 2'>",
    '"><svg onload=window.pwned=3>',
    "{{ 7 * 7 }}{% raise %}",
    "__proto__",
    "constructor",
    "javascript:window.pwned=4//",
    "<!-- --><style>*{display:none}</style>",
    "&lt;b&gt;&#60;",
    "\u202egnp.exe\u2066\u200b",
    "\x00\x1b[31m\x7f\r\n",
    "x" * 5000,
    "]]>",
    "line\u2028separator",
    "`${window.pwned = 5}`",
]
"""Names that try to break out of a page, to hide in it or to stretch it."""


def event(name: str, second: float, **data: Any) -> str:
    """A line with an event, so many seconds after the first."""
    seconds, microseconds = divmod(round((FIRST_SECOND + second) * 1_000_000), 1_000_000)
    message = {"timestamp": {"seconds": seconds, "microseconds": microseconds}, "event": name}
    return json.dumps(message | ({"data": data} if data else {}))


GREETING = (
    '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}'
)


def io_error(second: float, **more: Any) -> str:
    """A BLOCK_IO_ERROR that stops the machine."""
    said = {"device": "", "node-name": "disk0", "operation": "read", "action": "stop", "reason": "EIO"}
    return event("BLOCK_IO_ERROR", second, **(said | more))


STORY = [
    GREETING,
    io_error(1),
    event("STOP", 1.0001),
    event("RESUME", 2),
    io_error(3),
    event("STOP", 9),  # late, where the bound is shorter
    event("RESUME", 10),
    event("WATCHDOG", 11, action="pause"),
    event("STOP", 11.0002),
    event("RESUME", 11.5),
    event("STOP", 12),
    event("WATCHDOG", 11.9999, action="pause"),  # sent late, as its rate is limited
    event("RESUME", 13),
    io_error(14, nodename="disk0"),
    event("SHUTDOWN", 15, guest=False, reason="host-qmp-quit"),
    io_error(15.0001),  # a known erratum: at exit nothing stops any more
    GREETING,
    event("RESET", 20, guest=True),  # lacks its reason
    event("SUSPEND", 21),
    event("WAKEUP", 22),
    io_error(23),  # nothing follows: missing, as the session is over
]
"""A recording with something of each: met, late, missing, excused and delayed events, states, two sessions."""


def page(folder: Path, *arguments: str) -> Path:
    """The HTML report of a command, written to a file in a folder."""
    path = folder / f"{arguments[0]}-{len([*folder.iterdir()])}.html"
    assert main([*arguments, "--report", f"html={path}"]) in {0, 1, 2}
    return path


def story(folder: Path, lines: list[str] | None = None, name: str = "story.jsonl") -> str:
    """The path of a recording."""
    path = folder / name
    path.write_text("\n".join(lines or STORY) + "\n")
    return str(path)


def gate_page(folder: Path) -> Path:
    """The page of a gate that was not played: one scenario of each result, on a build that has the rules of 7.2."""
    rules = catalogue.find("7.2")
    build = Build("/usr/bin/qemu<b>", Version(7, 2, 22), rules.rule_base, frozenset({"system_reset"}))
    pause, quit = expected("WATCHDOG", action="pause"), expected("SHUTDOWN", guest=False)
    end = event("SHUTDOWN", 9, guest=False, reason="host-qmp-quit")
    outcomes = [
        _played(
            "passes",
            (pause, expected("STOP"), quit),
            [event("WATCHDOG", 1, action="pause"), event("STOP", 2), end],
        ),
        _played("misses", (pause, expected("STOP"), quit), [event("WATCHDOG", 1, action="pause"), end]),
        _played(
            "differs",
            (expected("RESET", guest=True), quit),
            [event("RESET", 1, guest=False, reason=NASTY[0]), end],
        ),
        _played(
            "swaps", (expected("STOP"), expected("RESUME"), quit), [event("RESUME", 1), event("STOP", 2), end]
        ),
        _played("says-more", (quit,), [event("POWERDOWN", 1), end]),
        msgspec.structs.replace(_played("skips", (quit,), []), failure=Failure(LACKS, "a disk")),
    ]
    verdict = judge(build, rules, outcomes, msgspec.structs.replace(FOR_BUILDS, timeline=True))
    path = folder / "gate.html"
    path.write_text(formats.render("html", gatereport.report(verdict)))
    return path


def _played(name: str, expects: Expectations, lines: list[str]) -> ScenarioOutcome:
    recording = MachineRecording(name, (), "\n".join([GREETING, *lines, ""]).encode(), ended=True)
    return ScenarioOutcome(Scenario(name, f"what {name}", expects, lambda _: None), (recording,), None, 0.5)


class Page(HTMLParser):
    """What is in a page: its tags, the texts of its elements, its text as a reader sees it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.contents: dict[str, list[str]] = {"script": [], "style": []}
        self.shown: list[str] = []
        self._inside = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside in self.contents:
            self.contents[self._inside].append(data)
        else:
            self.shown.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.shown))

    @property
    def data(self) -> Any:
        return json.loads(self.contents["script"][0])

    @property
    def policy(self) -> dict[str, str]:
        [content] = [
            value
            for tag, name, value in self.attributes
            if (tag, name) == ("meta", "content") and "src" in value
        ]
        return dict(part.split(" ", 1) for part in content.split("; "))


def digest(text: str) -> str:
    """How a policy names a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
