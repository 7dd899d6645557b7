"""Write a stream of events that a QEMU of a release could send, to test clients and checkers with.

The stream begins with the greeting of the release, and shows what the spec allows as early as possible: every
event, every optional member present and absent, every value, every branch of a union, the bounds of every
integer. Events come in plausible sequences, such as a job from created to null, with what must follow them,
and keep rate limits, so `validate` finds nothing in the stream. What was shown, and what could not be, is
printed to standard error. The same spec, seed and number of events give the same bytes.

With --mutate, -o names a new folder. conforming.jsonl in it is the stream, and each other stream breaks one
rule, to test checkers with. For each of them a line of index.jsonl gives the file, the only code that
`validate` must report, the line, the event and the path, what was changed, and the options for `validate`.

Exit status: 0, or 2 if nothing can be generated.

Examples: qmpcheck generate --spec 11.1 --events 1000 --seed 7 -o stream.jsonl
          qmpcheck generate --spec 11.1 --mutate -o broken/
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from qmpcheck.cli import arguments, output
from qmpcheck.cli.messages import CLEAN, notify
from qmpcheck.generating.choices import KINDS, Coverage, shown
from qmpcheck.generating.mutants import Stories, mutants
from qmpcheck.generating.stream import Generation, encoded
from qmpcheck.keypath import as_text
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import name, reason_of, safe
from qmpcheck.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--spec", required=True, metavar="SPEC", help="the release, or any other spec; see `qmpcheck specs`"
    )
    parser.add_argument(
        "--events",
        type=_positive,
        metavar="N",
        help="the number of events (default: as many as it takes to show all that the spec allows)",
    )
    parser.add_argument(
        "--seed",
        type=arguments.whole_number,
        default=0,
        metavar="S",
        help="a number; each gives a different stream (default: 0)",
    )
    parser.add_argument(
        "--only",
        type=_names,
        default=[],
        metavar="EVENT[,...]",
        help="generate only these events, and the events that must come with them",
    )
    parser.add_argument(
        "--mutate",
        action="store_true",
        help="also write streams that break one rule each, to the new folder that -o names",
    )
    output.add_output(parser)


def run(options: argparse.Namespace) -> int:
    if not options.mutate:
        output.prepare([options.spec], options.output)
    spec = catalogue.find(options.spec)
    generation = Generation(spec, options.seed, options.only)
    if options.mutate:
        folder = _new_folder(options.output)
        stories = [*generation.by_story(options.events)]
        with _named_failures(folder):
            _write_files(folder, spec, stories)
    else:
        with output.opened(options.output) as out:
            for message in generation.messages(options.events):
                out.write(encoded(message).decode() + "\n")
    notify(f"generated {plural(generation.events, 'event')} in {plural(generation.sessions, 'session')}")
    _notify_of_coverage(generation.coverage)
    if generation.added:
        notify(f"also generated, because others need them: {', '.join(map(name, generation.added))}")
    for event, reason in generation.left_out.items():
        if not options.only or event.partition(".")[0] in options.only:
            notify(f"left out: {safe(event)}: {reason}")
    return CLEAN


def _new_folder(folder: str | None) -> str:
    """Make the folder for streams that break a rule, before any is made.

    Raises:
        SpecError: there is no folder that is new or empty, or it cannot be made.
    """
    if folder is None:
        raise SpecError("--mutate writes many files: name a new folder with -o")
    with _named_failures(folder):
        os.makedirs(folder, exist_ok=True)
        is_empty = not os.listdir(folder)
    # Files of an earlier run would be taken for mutants of this one.
    if not is_empty:
        raise SpecError(f"{safe(folder)} is not empty: name a new folder with -o")
    return folder


@contextmanager
def _named_failures(folder: str) -> Iterator[None]:
    """Raise what cannot be written in the block as `SpecError`, with the folder."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SpecError(f"{safe(folder)}: {reason_of(error)}") from None


def _write_files(folder: str, spec: Spec, stories: Stories) -> None:
    """Write the conforming stream, those that break a rule, and the index."""
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
    notify(f"wrote {plural(number, 'stream')} that break one rule each; index.jsonl says which")


def _notify_of_coverage(coverage: Coverage) -> None:
    counts = (f"{coverage.met[kind]} of {coverage.all[kind]} {kind}" for kind in KINDS if coverage.all[kind])
    notify(f"shown: {', '.join(counts)}")
    missing = [*coverage.missing()]
    for place in missing[:_MOST_MISSING]:
        notify(f"not shown: {shown(place)}")
    if len(missing) > _MOST_MISSING:
        notify(f"and {len(missing) - _MOST_MISSING} more; a longer stream shows them")


_MOST_MISSING = 10
"""How many of the choices that were not made are listed."""


def _positive(text: str) -> int:
    if not arguments.whole_number(text):
        raise argparse.ArgumentTypeError("expected at least 1 event")
    return int(text)


def _names(text: str) -> list[str]:
    return text.split(",")
