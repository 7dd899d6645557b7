"""Measure qmpcheck against other ways to look at the same lines, and write reports/benchmark.md.

    python reports/benchmark.py [EVENTS]

Every side runs in turn, many times over; figures are medians of the ratio to parsing each line with orjson
just before, because machines are shared and noisy. EVENTS, of the long streams, is a million if not given.
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
from typing import Any

import fastjsonschema
import jsonschema
import jsonschema_rs
import orjson

from qmpcheck import catalogue, rulebase
from qmpcheck.checking import errata, rules, schema
from qmpcheck.checking.check import Checker
from qmpcheck.checking.fold import check_stream
from qmpcheck.checking.session import Timing
from qmpcheck.checking.summary import Terms
from qmpcheck.streams.blocks import blocks

HERE = Path(__file__).parent
SPEC, MODERN, RECORDED = map(catalogue.find, ("v4", "10.0", "7.2"))
TURNS, LONG_TURNS = 25, 5
SHORT = 20_000
"""Events of a stream that is looked at many times: neighbours in time see the machine in the same mood."""

Side = Callable[[Path], object]


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


def recorded(conforming: bool = False) -> list[bytes]:
    """The lines of the recordings in `corpora`; or of those that leave nothing to say."""
    paths = sorted((HERE.parent / "corpora").glob("*-7.2.22/*.jsonl"))
    held = checker(RECORDED.rule_base)
    if conforming:
        paths = [path for path in paths if not check_stream(held, str(path), int).summary.findings]
    return [line for path in paths for line in path.read_bytes().splitlines(keepends=True)]


def again(lines: list[bytes], number: int) -> list[bytes]:
    """At least so many lines, by repetition."""
    return lines * (number // len(lines) + 1)


def is_event_or_greeting(line: bytes) -> bool:
    message = orjson.loads(line)
    return "event" in message or "QMP" in message


def each_second(events: int, name: str, key: str = "", keys: int = 1) -> Iterator[bytes]:
    """As many events of one name a second as its rate limit allows: one for each value of the key."""
    pick = random.Random(0)
    for at in range(events):
        seconds, nth = divmod(at, keys)
        data = value(MODERN.rule_base.events[name].data, pick) | ({key: f"/{nth}"} if key else {})
        clock = {"seconds": 1_700_000_000 + seconds, "microseconds": nth * 1_000_000 // keys}
        yield json.dumps({"timestamp": clock, "event": name, "data": data}).encode() + b"\r\n"


def only_parse(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def checker(rule_base: rulebase.RuleBase, follow_ups: bool = True) -> Checker:
    known = errata.entries()
    timing = rules.timing(rule_base, errata=errata.follow_ups(known)) if follow_ups else Timing()
    return Checker(rule_base, Terms(timing=timing), known)


def qmpcheck_with(jobs: int, follow_ups: bool = True, rule_base: rulebase.RuleBase = SPEC.rule_base) -> Side:
    held = checker(rule_base, follow_ups)
    return lambda path: check_stream(held, str(path), int, jobs)


def payload_by(compiled: Mapping[str, Callable[[Any], object]]) -> Side:
    def side(path: Path) -> None:
        with path.open("rb") as file:
            for line in file:
                message = orjson.loads(line)
                compiled[message["event"]](message.get("data", {}))

    return side


def schemas() -> dict[str, schema.Schema]:
    return {name: schema.of_type(rule.data) for name, rule in SPEC.rule_base.events.items()}


def seconds_per_event(side: Side, path: Path, events: int) -> float:
    begin = time.perf_counter()
    side(path)
    return (time.perf_counter() - begin) / events


def ratios(
    sides: dict[str, tuple[Side, Path, int]], base: tuple[Side, Path, int], turns: int = TURNS
) -> dict[str, list[float]]:
    """For each side its time per event, relative to the base's just before."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            unit = seconds_per_event(*base)
            measured[name].append(seconds_per_event(*side) / unit)
    return measured


def peak_megabytes(*arguments: str) -> float:
    """Peak memory of one `qmpcheck validate`, in MB."""
    program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    program += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", program, sys.executable, "-m", "qmpcheck", "validate", *arguments]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def startup_ratio(ten_lines: Path) -> float:
    """Processor time of `validate` on ten lines, relative to an interpreter that imports msgspec.

    Both find their modules compiled, as where they are installed.
    """
    validate = [sys.executable, "-m", "qmpcheck", "validate", str(ten_lines), "--spec", SPEC.name]
    importing = [sys.executable, "-c", "import msgspec"]
    processor_seconds(validate)
    turns = [processor_seconds(validate) / processor_seconds(importing) for _ in range(25)]
    return statistics.median(turns)


def processor_seconds(command: list[str]) -> float:
    keeping = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=keeping)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write(path: Path, lines: Iterator[bytes]) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def table(measured: dict[str, list[float]]) -> list[str]:
    rows = ["| | median | lower quartile | upper quartile |", "| --- | --- | --- | --- |"]
    rows.append("| orjson alone | 1.00 | | |")
    for name, ratios in measured.items():
        low, median, high = statistics.quantiles(ratios)
        rows.append(f"| {name} | {median:.2f} | {low:.2f} | {high:.2f} |")
    return rows


def follow_up_cost(rule_base: rulebase.RuleBase, path: Path) -> list[float]:
    """What the check of each block takes with follow-ups, relative to the same without, in turn."""
    checkers = checker(rule_base), checker(rule_base, follow_ups=False)
    totals = [each.begin() for each in checkers]
    ratios: list[float] = []
    with path.open("rb") as file:
        for nth, block in enumerate(blocks(file)):
            text, taken = b"\n".join(block), [0.0, 0.0]
            for side in (0, 1) if nth % 2 else (1, 0):  # the second one finds the text in the cache
                begin = time.perf_counter()
                totals[side] += checkers[side].check(text)
                taken[side] = time.perf_counter() - begin
            ratios.append(taken[0] / taken[1])
    return ratios


def costs(events: int, folder: Path) -> list[str]:
    """What follow-ups cost, by the kind of stream."""
    sent = recorded()
    conforming = recorded(conforming=True)
    streams: dict[str, tuple[catalogue.Spec, Iterable[bytes]]] = {
        "made up, v4": (SPEC, stream(events, True, 0)),
        "made up, 10.0": (MODERN, stream(events, True, 0, MODERN.rule_base)),
        "recorded from 7.2, what conforms": (RECORDED, again(conforming, events)),
        "the same, known errata among it": (RECORDED, again(sent, events)),
        "what conforms, without replies": (
            RECORDED,
            again([*filter(is_event_or_greeting, conforming)], events),
        ),
        "a BALLOON_CHANGE each second": (MODERN, each_second(events, "BALLOON_CHANGE")),
        "a VSERPORT_CHANGE of two ports each second": (
            MODERN,
            each_second(events, "VSERPORT_CHANGE", "id", 2),
        ),
        "one of 300 ports": (MODERN, each_second(events, "VSERPORT_CHANGE", "id", 300)),
    }
    rows = ["| stream | median | lower quartile | upper quartile |", "| --- | --- | --- | --- |"]
    for name, (spec, lines) in streams.items():
        path = write(folder / "cost.jsonl", iter(lines))
        low, median, high = statistics.quantiles(follow_up_cost(spec.rule_base, path))
        rows.append(f"| {name} | {median:.2f} | {low:.2f} | {high:.2f} |")
    return rows


def measure(events: int, folder: Path) -> list[str]:
    report: list[str] = []
    jsonschema_rs_side = {
        name: jsonschema_rs.validator_for(made).validate for name, made in schemas().items()
    }
    fastjsonschema_side = {name: fastjsonschema.compile(made) for name, made in schemas().items()}
    jsonschema_side = {
        name: jsonschema.Draft202012Validator(made).validate for name, made in schemas().items()
    }
    for layout in ("compact", "QEMU's own layout"):
        qemu = layout != "compact"
        good = write(folder / "good.jsonl", stream(events, qemu, 0))
        bad = write(folder / "bad.jsonl", stream(events, qemu, 100))
        short = write(folder / "short.jsonl", stream(SHORT, qemu, 0))
        short_bad = write(folder / "short-bad.jsonl", stream(SHORT, qemu, 100))
        sides: dict[str, tuple[Side, Path, int]] = {
            "qmpcheck": (qmpcheck_with(1), short, SHORT),
            "qmpcheck without follow-ups": (qmpcheck_with(1, follow_ups=False), short, SHORT),
            "qmpcheck, a finding in every hundredth line": (qmpcheck_with(1), short_bad, SHORT),
            "orjson + jsonschema-rs, payload only": (payload_by(jsonschema_rs_side), short, SHORT),
            "orjson + fastjsonschema, payload only": (payload_by(fastjsonschema_side), short, SHORT),
            "orjson + jsonschema, payload only": (payload_by(jsonschema_side), short, SHORT),
        }
        several = {f"qmpcheck --jobs 2, {events} events": (qmpcheck_with(2), good, events)}
        report.append(f"\n## Events of {SPEC.name}, {layout}\n")
        report += table(
            ratios(sides, (only_parse, short, SHORT))
            | ratios(several, (only_parse, good, events), LONG_TURNS)
        )
        report += ["", "Peak memory of the largest process, MB:\n"]
        for name, path in (("conforming", good), ("with findings", bad)):
            arguments = [str(path), "--spec", SPEC.name]
            one, two = peak_megabytes(*arguments), peak_megabytes(*arguments, "--jobs", "2")
            report.append(f"- {name}: {one:.0f}; with `--jobs 2`: {two:.0f}")
    modern: dict[str, tuple[catalogue.Spec, Iterable[bytes]]] = {
        f"Events of {MODERN.name}, rate-limited ones among them": (
            MODERN,
            stream(SHORT, True, 0, MODERN.rule_base),
        ),
        "Recorded from 7.2, replies among them": (RECORDED, again(recorded(), SHORT)),
    }
    for name, (spec, lines) in modern.items():
        path = write(folder / "modern.jsonl", iter(lines))
        number = path.read_bytes().count(b"\n")
        side = qmpcheck_with(1, rule_base=spec.rule_base), path, number
        report.append(f"\n## {name}, QEMU's own layout\n")
        report += table(ratios({"qmpcheck": side}, (only_parse, path, number)))
    report.append("\n## What follow-ups cost: each block with them, without = 1\n")
    report += costs(events, folder)
    ten = write(folder / "ten.jsonl", stream(10, True, 0))
    report += [
        "\n## Start-up\n",
        "Processor time of `validate` on ten lines, `python -c 'import msgspec'` = 1:",
    ]
    report += [f"{startup_ratio(ten):.2f}"]
    return report


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = f"Made by `reports/benchmark.py` with Python {python}."
    heading = f"# Benchmark\n\n{made} Time per event, orjson parsing each line = 1."
    with tempfile.TemporaryDirectory() as folder:
        report = measure(events, Path(folder))
    (HERE / "benchmark.md").write_text("\n".join([heading, *report]) + "\n")
    print((HERE / "benchmark.md").read_text())


if __name__ == "__main__":
    main()
