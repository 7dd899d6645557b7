"""Compile a spec to a rule base in JSON; with --install, add it to the releases that qmpcheck knows.

All commands then know the added release like any other. It is a file, such as 11.2.json, in
$XDG_DATA_HOME/qmpcheck/rules (by default ~/.local/share/qmpcheck/rules); to remove the release, delete the
file. Files that were written with --as can also be in the folders that QMPCHECK_RULES lists.

Exit status: 0, or 2 if the spec cannot be read.

Example: qmpcheck compile ~/src/qemu --as 11.2 --install
"""

from __future__ import annotations

import argparse
import os
import re

from qmpcheck import atomicfile, rulebase
from qmpcheck.cli import output, strictness
from qmpcheck.rulebase import SpecError
from qmpcheck.specs import catalogue, local_rules
from qmpcheck.specs.catalogue import Spec
from qmpcheck.text import quoted, reason_of, safe
from qmpcheck.wording import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "document",
        metavar="SPEC",
        help="a QEMU source tree, a tarball of one, git:REV, a schema's root file, qmp-events.txt, a saved "
        "page of it (PATH@old, PATH@new), qemu:PATH, or any other name that --spec takes",
    )
    parser.add_argument(
        "--as", dest="release", metavar="RELEASE", help="the release that the spec describes, such as 11.2"
    )
    parser.add_argument(
        "--install", action="store_true", help="add the release to those that qmpcheck knows; needs --as"
    )
    output.add_output(parser)
    strictness.add_strict_spec(parser)


def run(options: argparse.Namespace) -> int:
    output.prepare([options.document], options.output)
    if options.release is None:
        if options.install:
            raise SpecError("--install needs --as RELEASE, such as --as 11.2")
        text = rulebase.dump(_spec(options).rule_base)
    else:
        text = _release(options)
    if options.install:
        _install(options.release, text)
    if options.output or not options.install:
        with output.opened(options.output) as out:
            out.write(text.decode())
    return 0


def _spec(options: argparse.Namespace) -> Spec:
    spec = catalogue.find(options.document)
    strictness.check(options, spec)
    return spec


def _release(options: argparse.Namespace) -> bytes:
    """Return the rules of a release, and where they come from.

    Raises:
        SpecError: the name is not that of a release, qmpcheck has the release already, or the spec cannot be
            read.
    """
    name = options.release
    if not re.fullmatch(local_rules.RELEASE, name):
        raise SpecError(
            f"--as: {quoted(name)} is not the name of a release; expected one such as 11.2, or 11.2.1"
        )
    known = next((each for each in catalogue.entries() if name in each.releases and not each.path), None)
    if known and options.install:
        raise SpecError(
            f"--as: qmpcheck has {name}, and always uses its own; name the spec by its path instead"
        )
    spec = _spec(options)
    return local_rules.dump(spec.rule_base, spec.origin)


def _install(name: str, text: bytes) -> None:
    folder = local_rules.installed()
    path = os.path.join(folder, f"{name}.json")
    try:
        os.makedirs(folder, exist_ok=True)
        with atomicfile.replacing(path) as file:
            file.write(text)
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    rules = rulebase.load(text)  # as every command will load it
    print(f"installed {name}: {plural(len(rules.events), 'event')}, in {safe(path)}")
