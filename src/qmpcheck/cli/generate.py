"""Write a stream of events that a QEMU of a release could send, to test clients and checkers with.

It holds the greeting of the release, and shows all that the spec allows as early as possible: every event,
every optional member there and absent, every value, every branch of a union, the bounds of every integer.
Events come in stories, such as a job from created to null, with what must follow them, and rate limits are
kept. So `validate` finds nothing in it. What was shown, and what could not be, is printed on standard error.

The same spec, seed and number of events give the same bytes.

Example: qmpcheck generate --spec 11.1 --events 10000 --seed 7 -o stream.jsonl

Exit status: 0, or 2 where nothing can be generated.
"""

from __future__ import annotations

import argparse

from qmpcheck.cli import output
from qmpcheck.cli.messages import tell
from qmpcheck.cli.status import CLEAN
from qmpcheck.generating.choices import KINDS, Coverage, shown
from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.specs import catalogue
from qmpcheck.text import name, safe
from qmpcheck.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spec", required=True, metavar="SPEC", help="the release or the spec to follow")
    parser.add_argument(
        "--events",
        type=_number,
        metavar="N",
        help="how many events; as many as it takes to show all that the spec allows, if not given",
    )
    parser.add_argument(
        "--seed",
        type=_number,
        default=0,
        metavar="S",
        help="a number that decides what is free; 0 by default",
    )
    parser.add_argument(
        "--only",
        type=_names,
        default=[],
        metavar="EVENT[,...]",
        help="these events, and those that they need",
    )
    output.add_output(parser)


def run(options: argparse.Namespace) -> int:
    output.refuse_overwrite([options.spec], options.output)
    generation = Generation(catalogue.find(options.spec), options.seed, options.only)
    events = sessions = 0
    with output.opened(options.output) as out:
        for message in generation.messages(options.events):
            out.write(encoded(message).decode() + "\n")
            events += "event" in message
            sessions += "event" not in message
    tell(f"generated {plural(events, 'event')} in {plural(sessions, 'session')}")
    _tell_coverage(generation.coverage)
    if generation.added:
        tell(f"added, as others need them: {', '.join(map(name, generation.added))}")
    for event, reason in generation.left_out.items():
        if not options.only or event.partition(".")[0] in options.only:
            tell(f"left out: {safe(event)}: {reason}")
    return CLEAN


def _tell_coverage(coverage: Coverage) -> None:
    counts = (f"{coverage.met[kind]} of {coverage.all[kind]} {kind}" for kind in KINDS if coverage.all[kind])
    tell(f"shown: {', '.join(counts)}")
    missing = [*coverage.missing()]
    for place in missing[:_MOST_MISSING]:
        tell(f"not shown: {shown(place)}")
    if len(missing) > _MOST_MISSING:
        tell(f"and {len(missing) - _MOST_MISSING} more; a longer stream shows them")


_MOST_MISSING = 10
"""Choices that were not made, of which each is listed."""


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at most {_DIGITS} digits")
    return int(text)


_DIGITS = 18


def _names(text: str) -> list[str]:
    return text.split(",")
