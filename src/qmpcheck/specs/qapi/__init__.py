"""Compile QAPI schemas to rule bases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.documents import defects
from qmpcheck.specs.documents.entries import Example
from qmpcheck.specs.qapi import comments, definitions, rules
from qmpcheck.specs.qapi.definitions import Definition, folder
from qmpcheck.specs.qapi.expressions import SchemaError

__all__ = ["SchemaError", "folder", "lint", "read"]


def read(root: str) -> RuleBase:
    """Read the schema with this root file, and all files that it includes.

    Args:
        root: the file's path.

    Raises:
        SchemaError: the schema is incomplete or invalid; the error says where and why.
        OSError: the file cannot be read.
    """
    return rules.rule_base(definitions.load(root))


class LintedSchema(NamedTuple):
    """A schema that was read.

    Attributes:
        rule_base: its rules.
        defects: what is wrong in its comments, apart from examples.
        examples: the examples in these comments, each with its file. Files are relative to the root's folder.
    """

    rule_base: RuleBase
    defects: tuple[Finding, ...]
    examples: tuple[tuple[str, Example], ...]


def lint(root: str) -> LintedSchema:
    """Read a schema, and find what is wrong in its comments.

    Raises:
        SchemaError, OSError: as `read` does.
    """
    defined = definitions.load(root)
    rule_base = rules.rule_base(defined)
    events = [defined[event] for event in rule_base.events]
    return LintedSchema(
        rule_base,
        (
            *_placed(events, lambda event: _about_notes(event, rule_base)),
            *_placed(defined.values(), comments.member_defects),
        ),
        tuple((event.file, example) for event in events for example in comments.examples(event)),
    )


def _placed(
    defined: Iterable[Definition], find: Callable[[Definition], Iterator[Finding]]
) -> Iterator[Finding]:
    for each in defined:
        for defect in find(each):
            yield msgspec.structs.replace(defect, file=each.file)


def _about_notes(event: Definition, rule_base: RuleBase) -> Iterator[Finding]:
    data = rule_base.events[event.name].data
    sentences = rules.sentences(event, data, rule_base.events)
    return defects.notes(sentences, [event.name], data, rule_base.events)
