"""Write a stream of events that a QEMU of a release could send, to test clients and checkers with.

It holds the greeting of the release, and shows all that the spec allows as early as possible: every event,
every optional member there and absent, every value, every branch of a union, the bounds of every integer.
Events come in stories, such as a job from created to null, with what must follow them, and rate limits are
kept. So `validate` finds nothing in it. What was shown, and what could not be, is printed on standard error.

The same spec, seed and number of events give the same bytes.

With --mutate, the stream goes to conforming.jsonl in the folder that -o names, and beside it are streams that
break one rule each: a test for checkers. Each line of index.jsonl there is about one of them: the file, the
code that `validate` must give and no other, the line, the event and the path that it is about, what was done,
and the options that `validate` needs.

Examples: qmpcheck generate --spec 11.1 --events 10000 --seed 7 -o stream.jsonl
          qmpcheck generate --spec 11.1 --mutate -o broken/

Exit status: 0, or 2 where nothing can be generated.

Example: qmpcheck generate --spec 11.1 --events 1000 -o stream.jsonl
"""

from __future__ import annotations

import argparse
import json
import os

from qmpcheck.cli import output
from qmpcheck.cli.messages import CLEAN, tell
from qmpcheck.generating.choices import KINDS, Coverage, shown
from qmpcheck.generating.mutants import Stories, mutants
from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.keypath import as_text
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import name, quoted, reason_of, safe
from qmpcheck.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spec", required=True, metavar="SPEC", help="the release or the spec to follow")
    parser.add_argument(
        "--events",
        type=_positive,
        metavar="N",
        help="how many events; as many as it takes to show all that the spec allows, if not given",
    )
    parser.add_argument(
        "--seed",
        type=_number,
        default=0,
        metavar="S",
        help="a number that decides what the spec leaves open (default: 0)",
    )
    parser.add_argument(
        "--only",
        type=_names,
        default=[],
        metavar="EVENT[,...]",
        help="generate only these events, and those that they need",
    )
    parser.add_argument(
        "--mutate",
        action="store_true",
        help="also write streams that break one rule each; -o names a new folder",
    )
    output.add_output(parser)


def run(options: argparse.Namespace) -> int:
    output.refuse_overwrite([options.spec], options.output)
    spec = catalogue.find(options.spec)
    generation = Generation(spec, options.seed, options.only)
    if options.mutate:
        _write_folder(options.output, spec, [*generation.by_story(options.events)])
    else:
        with output.opened(options.output) as out:
            for message in generation.messages(options.events):
                out.write(encoded(message).decode() + "\n")
    tell(f"generated {plural(generation.events, 'event')} in {plural(generation.sessions, 'session')}")
    _tell_coverage(generation.coverage)
    if generation.added:
        tell(f"added, as others need them: {', '.join(map(name, generation.added))}")
    for event, reason in generation.left_out.items():
        if not options.only or event.partition(".")[0] in options.only:
            tell(f"left out: {safe(event)}: {reason}")
    return CLEAN


def _write_folder(folder: str | None, spec: Spec, stories: Stories) -> None:
    """Write the conforming stream, those that break a rule, and the index.

    Raises:
        SpecError: there is no folder that is new or empty, or it cannot be written.
    """
    if folder is None:
        raise SpecError("--mutate writes many files: name a new folder with -o")
    try:
        os.makedirs(folder, exist_ok=True)
        is_empty = not os.listdir(folder)
        if is_empty:
            _write_files(folder, spec, stories)
    except (OSError, ValueError) as error:
        raise SpecError(f"{safe(folder)}: {reason_of(error)}") from None
    if not is_empty:
        raise SpecError(f"{safe(folder)} is not empty: name a new folder with -o")


def _write_files(folder: str, spec: Spec, stories: Stories) -> None:
    with open(os.path.join(folder, "conforming.jsonl"), "wb") as file:
        file.writelines(encoded(message) + b"\n" for story in stories for message in story)
    number = 0
    with open(os.path.join(folder, "index.jsonl"), "w", encoding="utf-8") as index:
        for number, mutant in enumerate(mutants(spec, stories), 1):
            path = f"{mutant.code}-{number:04}.jsonl"
            with open(os.path.join(folder, path), "wb") as file:
                file.write(mutant.text)
            row = {"file": path, "code": mutant.code, "line": mutant.line, "event": mutant.event}
            row |= {"path": as_text(mutant.path), "what": mutant.what, "options": mutant.options}
            index.write(json.dumps(row) + "\n")
    tell(f"wrote {plural(number, 'stream')} that break one rule each, and what breaks to index.jsonl")


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
        raise argparse.ArgumentTypeError(
            f"expected a whole number, {_DIGITS} digits at most, not {quoted(text)}"
        )
    return int(text)


def _positive(text: str) -> int:
    if not _number(text):
        raise argparse.ArgumentTypeError("expected at least 1 event")
    return int(text)


_DIGITS = 18


def _names(text: str) -> list[str]:
    return text.split(",")
