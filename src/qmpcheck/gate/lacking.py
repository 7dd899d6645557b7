"""What a build says that it was built without: for nothing else a scenario is skipped.

What a process writes when it refuses its options is no proof: a build that has lost a module writes the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from qmpcheck.gate.build import Build


def lacking(build: Build, options: Sequence[str]) -> str:
    """The first thing in options of a command line that a build says that it does not have; "" for none."""
    for option, value in pairwise(options):
        for kind, names, known in _needs(build, option, value):
            if known and known.isdisjoint(names):  # a build that lists nothing of a kind does not say
                return f"the {kind} {names[0].removesuffix(_ACCELERATOR)}"
    return ""


def _needs(build: Build, option: str, value: str) -> Iterator[tuple[str, Sequence[str], frozenset[str]]]:
    """What an option needs: of what kind, any of which names, and all that the build lists of the kind."""
    first, *properties = value.split(",")
    match option:
        case "-machine":
            yield "machine type", [first], build.machines
            for each in properties:
                if each.startswith("accel="):
                    names = each.removeprefix("accel=").split(":")
                    yield "accelerator", [f"{name}{_ACCELERATOR}" for name in names], build.types
        case "-device":
            yield "device", [first], build.types
        case "--blockdev":
            for driver in _drivers(json.loads(value)):
                yield "block driver", [driver], build.drivers


_ACCELERATOR = "-accel"
"""How the names of accelerators' types end."""


def _drivers(node: Any) -> Iterator[str]:
    """The drivers of a node and those below it."""
    if isinstance(node, dict):
        if "driver" in node:
            yield node["driver"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _drivers(each)
