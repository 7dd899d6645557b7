"""Measure qmpcheck against parsing the same lines with orjson, and write reports/benchmark.md.

    python reports/benchmark.py [LINES]

Figures are processor time, as ratios: machines are shared and noisy, so each side is measured right after
orjson on the same lines, many times over. LINES, of the whole-process rows, is 400,000 if not given.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import fastjsonschema
import jsonschema
import jsonschema_rs
import orjson

from qmpcheck import rulebase
from qmpcheck.checking import json_schema
from qmpcheck.codes import STREAM_CODES, TIME_CODES
from qmpcheck.specs import catalogue
from qmpcheck.validation.files import FileChecker
from qmpcheck.validation.recipe import Recipe
from qmpcheck.validation.recording import of_path
from qmpcheck.validation.tasks import all_checked

HERE = Path(__file__).parent
SPEC, MODERN, RECORDED = map(catalogue.find, ("v4", "10.0", "7.2"))
TURNS, PROCESS_TURNS = 15, 7
SHORT = 25_000
"""Lines of a stream that is looked at in process: neighbours in time see the machine in the same mood."""

FILES, LINES_A_FILE = 10_000, 20


def value(described: rulebase.Type, pick: random.Random) -> Any:  # noqa: PLR0911 -- a case each
    """A value of a type, of the size that QEMU sends."""
    match described:
        case rulebase.Enum(values):
            return pick.choice(values)
        case rulebase.Object(members):
            made = {
                member.name: value(member.type, pick)
                for member in members
                if not member.optional or pick.random() < 0.5
            }
            branch = described.branches.get(str(made.get(described.discriminator)))
            return made | value(branch, pick) if branch else made
        case rulebase.Array(items):
            return [value(items, pick) for _ in range(pick.randrange(4))]
        case rulebase.Alternate(types):
            return value(types[0], pick)
        case rulebase.Integer() | rulebase.Number():
            least, greatest = getattr(described, "range", None) or (0, 1 << 34)
            return pick.randrange(max(least, 0), min(greatest, 1 << 34))
        case rulebase.Boolean():
            return pick.random() < 0.5
        case _:
            return f"device-{pick.randrange(100)}"


EVENTS_A_SECOND = 1000
"""Of a stream, by its clock."""


def names(rules: rulebase.RuleBase, events: int, pick: random.Random) -> Iterator[str]:
    """The events of a stream, rate-limited ones at most once a second."""
    plain = [name for name, rule in rules.events.items() if not rule.rate_limit]
    last = dict.fromkeys(rules.events.keys() - plain, -EVENTS_A_SECOND)
    for at in range(events):
        name = pick.choice(list(rules.events))
        if at - last.get(name, -EVENTS_A_SECOND) < EVENTS_A_SECOND:
            name = pick.choice(plain)
        if name in last:
            last[name] = at
        yield name


def stream(
    events: int, qemu_layout: bool, faults: int, rules: rulebase.RuleBase = SPEC.rule_base
) -> Iterator[bytes]:
    """Lines of a stream; in QEMU's layout or compact, one in `faults` with a fault, none if 0."""
    pick = random.Random(0)
    for at, name in enumerate(names(rules, events, pick)):
        seconds, rest = divmod(at, EVENTS_A_SECOND)
        clock = {"seconds": 1_700_000_000 + seconds, "microseconds": rest * 1_000_000 // EVENTS_A_SECOND}
        data = value(rules.events[name].data, pick)
        if faults and at % faults == 0:
            data["no-such"] = 1
        timestamp, payload = (
            {"timestamp": clock},
            {"data": data} if data or rules.events[name].needs_data else {},
        )
        parts: list[dict[str, Any]] = (
            [timestamp, {"event": name}, payload] if qemu_layout else [{"event": name}, payload, timestamp]
        )
        message = {key: part[key] for part in parts for key in part}
        text = json.dumps(message, separators=None if qemu_layout else (",", ":"))
        yield text.encode() + (b"\r\n" if qemu_layout else b"\n")


def recorded() -> list[bytes]:
    """The lines of the recordings of 7.2 in `corpora`."""
    paths = sorted((HERE.parent / "corpora").glob("[gq]*-7.2.22/*.jsonl"))
    return [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]


def repeated(lines: list[bytes], number: int) -> list[bytes]:
    """So many lines, by repetition."""
    return (lines * (number // len(lines) + 1))[:number]


def is_command(line: bytes) -> bool:
    return not {"execute", "exec-oob"}.isdisjoint(orjson.loads(line))


def is_event(line: bytes) -> bool:
    return "event" in orjson.loads(line)


class Stream(NamedTuple):
    """A kind of stream: what it is called, its spec, and a function that makes so many lines of it."""

    name: str
    spec: catalogue.Spec
    lines: Callable[[int], Iterable[bytes]]


def streams() -> list[Stream]:
    transcripts = recorded()
    sent = [line for line in transcripts if not is_command(line)]
    events = [*filter(is_event, sent)]
    return [
        Stream("made up, v4, conforming", SPEC, lambda number: stream(number, True, 0)),
        Stream("the same in compact JSON", SPEC, lambda number: stream(number, False, 0)),
        Stream(
            "made up, 10.0, rate-limited events among them",
            MODERN,
            lambda number: stream(number, True, 0, MODERN.rule_base),
        ),
        Stream(
            "recorded transcripts of 7.2: greetings, replies, events",
            RECORDED,
            lambda number: repeated(sent, number),
        ),
        Stream("the same, with the commands", RECORDED, lambda number: repeated(transcripts, number)),
        Stream("the same, events only", RECORDED, lambda number: repeated(events, number)),
        Stream("made up, a finding in every hundredth line", SPEC, lambda number: stream(number, True, 100)),
        Stream("made up, a finding in every twentieth line", SPEC, lambda number: stream(number, True, 20)),
    ]


Side = Callable[[], object]


def parse(paths: Iterable[Path]) -> Side:
    """Parsing each line with orjson."""

    def side() -> None:
        for path in paths:
            with path.open("rb") as file:
                for line in file:
                    orjson.loads(line)

    return side


def check(spec: catalogue.Spec, paths: Iterable[Path], recipe: Recipe | None = None) -> Side:
    """Checking with qmpcheck."""
    checker = FileChecker(recipe or Recipe(), spec)
    return lambda: all_checked(checker, [of_path(str(path)) for path in paths])


NO_TIME = Recipe(codes=STREAM_CODES - TIME_CODES)
BOUNDED = Recipe(within=5.0)


def payload_by(compiled: Mapping[str, Callable[[Any], object]], path: Path) -> Side:
    """Parsing each line with orjson, and checking the data of each event with a compiled JSON Schema."""

    def side() -> None:
        with path.open("rb") as file:
            for line in file:
                message = orjson.loads(line)
                compiled[message["event"]](message.get("data", {}))

    return side


def processor_time(side: Side) -> float:
    begin = time.process_time()
    side()
    return time.process_time() - begin


def ratios(side: Side, base: Side, turns: int = TURNS) -> list[float]:
    """The processor time of one side relative to another's just before."""
    return [1 / processor_time(base) * processor_time(side) for _ in range(turns)]


ORJSON = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"


def of_processes(command: list[str], base: list[str], turns: int = PROCESS_TURNS) -> list[float]:
    """The processor time of one command relative to another's just before."""
    processor_seconds(command)  # modules are compiled, as where they are installed
    return [1 / processor_seconds(base) * processor_seconds(command) for _ in range(turns)]


def processor_seconds(command: list[str]) -> float:
    keeping = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False, env=keeping)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_megabytes(*arguments: str) -> float:
    """Peak memory of one `qmpcheck validate`, in MB."""
    program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    program += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", program, *validate(*arguments)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def validate(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "qmpcheck", "validate", *arguments]


def write(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def row(name: str, *measured: list[float]) -> str:
    """A row of a table: each median, with its quartiles."""
    cells = []
    for each in measured:
        low, median, high = statistics.quantiles(each)
        cells.append(f"{median:.2f} ({low:.2f} to {high:.2f})" if each else "")
    return f"| {' | '.join([name, *cells])} |"


def speed(lines: int, folder: Path) -> list[str]:
    rows = [
        f"| stream | in process, {SHORT:,} lines | no rules over time | `--within 5` "
        f"| whole process, {lines:,} lines |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind in streams():
        short = [write(folder / "short.jsonl", kind.lines(SHORT))]
        long = str(write(folder / "long.jsonl", kind.lines(lines)))
        rows.append(
            row(
                kind.name,
                ratios(check(kind.spec, short), parse(short)),
                ratios(check(kind.spec, short, NO_TIME), parse(short)),
                ratios(check(kind.spec, short, BOUNDED), parse(short)),
                of_processes(validate(long, "--spec", kind.spec.name), [sys.executable, "-c", ORJSON, long]),
            )
        )
    return rows


def many_files(folder: Path) -> list[str]:
    lines = [*streams()[3].lines(FILES * LINES_A_FILE)]
    parts = (lines[at : at + LINES_A_FILE] for at in range(0, len(lines), LINES_A_FILE))
    paths = [write(folder / f"{at}.jsonl", part) for at, part in enumerate(parts)]
    ratio = ratios(check(RECORDED, paths), parse(paths), PROCESS_TURNS)
    return [
        "| files | in process |",
        "| --- | --- |",
        row(f"{FILES:,} of {LINES_A_FILE} recorded lines", ratio),
    ]


def others(folder: Path) -> list[str]:
    path = write(folder / "short.jsonl", stream(SHORT, True, 0))
    made = {name: json_schema.of_type(rule.data) for name, rule in SPEC.rule_base.events.items()}
    compiled: dict[str, dict[str, Callable[[Any], object]]] = {
        "jsonschema-rs": {name: jsonschema_rs.validator_for(each).validate for name, each in made.items()},
        "fastjsonschema": {name: fastjsonschema.compile(each) for name, each in made.items()},
        "jsonschema": {name: jsonschema.Draft202012Validator(each).validate for name, each in made.items()},
    }
    rows = ["| orjson, and the payload by | in process |", "| --- | --- |"]
    return rows + [
        row(name, ratios(payload_by(each, path), parse([path]), PROCESS_TURNS))
        for name, each in compiled.items()
    ]


def memory(lines: int, folder: Path) -> list[str]:
    found = []
    for name, faults in (("conforming", 0), ("a finding in every hundredth line", 100)):
        for number in (lines // 4, lines):
            path = write(folder / "long.jsonl", stream(number, True, faults))
            peak = peak_megabytes(str(path), "--spec", SPEC.name)
            found.append(f"- {number:,} lines, {name}: {peak:.0f} MB")
    return found


def start_up(folder: Path) -> list[str]:
    ten = str(write(folder / "ten.jsonl", stream(10, True, 0)))
    ratio = of_processes(validate(ten, "--spec", SPEC.name), [sys.executable, "-c", "import msgspec"], 25)
    return [
        "| command | `python -c 'import msgspec'` = 1 |",
        "| --- | --- |",
        row("`validate` on ten lines", ratio),
    ]


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = [
            "# Benchmark",
            f"Made by `reports/benchmark.py` with Python {python}. Processor time; orjson parsing each line "
            "of the same file = 1. Medians, with the quartiles.",
            "## Checking\n",
            *speed(lines, folder),
            "\n## Many small files, one process\n",
            *many_files(folder),
            "\n## Start-up\n",
            *start_up(folder),
            "\n## Peak memory\n",
            *memory(lines, folder),
            "\n## Other ways to check the payload of made-up events of v4\n",
            *others(folder),
        ]
    (HERE / "benchmark.md").write_text(
        "\n".join(report).replace("\n## ", "\n\n## ").replace("\n\n\n", "\n\n") + "\n"
    )
    print((HERE / "benchmark.md").read_text())


if __name__ == "__main__":
    main()
