"""What users should know about a run of `validate` beside its findings, such as how specs were chosen."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import Severity
from qmpcheck.text import name, quoted, safe
from qmpcheck.wording import MOST_NAMED, alternatives, first_of

if TYPE_CHECKING:
    from qmpcheck.specs.catalogue import Spec


def of(results: Collection[StreamResult], spec: Spec | None) -> list[str]:
    """Return what the user should know about a run beside the findings.

    Args:
        results: the streams.
        spec: the spec that the user named; None if that of each stream was found.
    """
    return [*_choices(results), *(_other_releases(results, spec) if spec else [])]


def _choices(results: Collection[StreamResult]) -> list[str]:
    """Return why streams were checked by a spec that nobody named, and which rules were not checked."""
    by_reason: dict[str, list[str]] = {}
    more: Counter[str] = Counter()
    for result in results:
        paths = by_reason.setdefault(result.why, []) if result.why else []
        path = label(result.path, result.vm)
        if len(paths) < MOST_NAMED:
            paths += [path] * (path not in paths)
        elif path != paths[-1]:
            more[result.why] += 1
    chosen = [f"{first_of(paths, more[why])}: {why}" for why, paths in by_reason.items()]
    notes = dict.fromkeys(result.spec.note for result in results if result.spec and result.spec.note)
    unchecked = dict.fromkeys(_unchecked_rules(result) for result in results if result.unchecked_rules)
    return [*chosen, *notes, *unchecked]


def _other_releases(results: Collection[StreamResult], spec: Spec) -> list[str]:
    """Return a note if streams with errors are of another release than the spec that the user named."""
    from qmpcheck.validation.spec_choice import is_of_another_release

    is_other = functools.cache(functools.partial(is_of_another_release, spec))
    paths: list[str] = []
    more = 0
    versions: dict[str, None] = {}
    for result in results:
        others = [str(each) for each in result.versions if is_other(each)]
        if others and result.count(Severity.ERROR):
            versions.update(dict.fromkeys(others))
            path = label(result.path, result.vm)
            paths, more = ([*paths, path], more) if len(paths) < MOST_NAMED else (paths, more + 1)
    if not paths:
        return []
    say = "greetings name" if paths[1:] else "greeting names"
    return [
        f"{first_of(paths, more)}: checked by {safe(spec.name)}, but the {say} {first_of([*versions])}: "
        "errors may be about that difference only"
    ]


def _unchecked_rules(result: StreamResult) -> str:
    rules = alternatives([*map(quoted, result.unchecked_rules)], "and")
    return f"not checked in the format {result.format}, which can lack {result.may_lack}: rule {rules}"


def label(path: str, vm: str) -> str:
    """Return the name of a stream: its file, and its VM if the file has several."""
    return f"{safe(path)}: {name(vm)}" if vm else safe(path)
