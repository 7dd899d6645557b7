"""What a build sends beyond its own introspection.

A build is checked by the spec of its release, or by the newest spec if there is none. It must also keep to
what it says about itself, because clients that send `query-qmp-schema` rely on that. If both checks find
something in one place, it is one finding.
"""

from __future__ import annotations

import msgspec

from qmpcheck.checking.checker import Checker
from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import CODES
from qmpcheck.finding import Finding
from qmpcheck.gate.build import Build
from qmpcheck.keypath import KeyPath
from qmpcheck.specs.catalogue import Spec
from qmpcheck.validation.recipe import Recipe

_DECLARED = frozenset(code for code, each in CODES.items() if each.evidence)
"""What introspection can say: events, members, types and values."""


def checker(build: Build, recipe: Recipe) -> Checker:
    """A checker by what a build says about itself; rules over time are left to the spec of the release.

    Args:
        build: the build.
        recipe: how its events are checked by the spec.
    """
    only = msgspec.structs.replace(
        recipe,
        codes=recipe.codes & _DECLARED,
        rules=(),
        command_rules="none",
        selected=frozenset(),
        assume=(),
    )
    name = f"qemu:{build.path}"
    return only.checker(Spec(name, name, build.rule_base))


def apart(by_spec: StreamResult, by_build: StreamResult) -> tuple[StreamResult, StreamResult]:
    """The two results of one recording, with each place in only one of them: the worse, or else the first.

    What a known erratum excuses is also excused if the introspection says the same as the spec.

    Args:
        by_spec: the result by the spec of the release.
        by_build: the result by the build's own introspection.
    """
    known: dict[_Place, list[Finding]] = {}
    for finding in by_spec.listed:
        known.setdefault(_place(finding), []).append(finding)
    same = {finding for finding in by_build.listed if _place(finding) in known}
    worse = {
        finding
        for finding in same
        if all(each.severity < finding.severity and not each.erratum for each in known[_place(finding)])
    }
    milder = {finding for each in worse for finding in known[_place(each)]}
    left = by_build.without(same - worse)
    return by_spec.without(milder), left._replace(listed=tuple(map(_explained, left.listed)))


_Place = tuple[int, str, KeyPath]


def _place(finding: Finding) -> _Place:
    return finding.line, finding.event, finding.path


def _explained(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, message=f"{finding.message} (by its own introspection)")
