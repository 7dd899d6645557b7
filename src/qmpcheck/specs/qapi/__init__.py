"""Compile QAPI schemas to rule bases."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from qmpcheck.finding import Finding
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs.documents import defects
from qmpcheck.specs.qapi import definitions, rules
from qmpcheck.specs.qapi.definitions import folder
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


def lint(root: str) -> tuple[RuleBase, list[Finding]]:
    """Read a schema, and find what is wrong in the notes of its events.

    Returns:
        The rules, and the defects, each with its file, relative to the root's folder.

    Raises:
        SchemaError, OSError: as `read` does.
    """
    defined = definitions.load(root)
    rule_base = rules.rule_base(defined)
    return rule_base, [*_defects(defined, rule_base)]


def _defects(defined: dict[str, definitions.Definition], rule_base: RuleBase) -> Iterator[Finding]:
    for event, rule in rule_base.events.items():
        for defect in defects.notes(
            rules.sentences(defined[event], rule.data, rule_base.events), [event], rule.data, rule_base.events
        ):
            yield msgspec.structs.replace(defect, file=rule.file)
