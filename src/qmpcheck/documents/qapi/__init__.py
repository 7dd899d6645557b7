"""QAPI schemas to rule bases."""

from __future__ import annotations

from qmpcheck.documents.qapi import definitions, rules
from qmpcheck.documents.qapi.expressions import SchemaError
from qmpcheck.rulebase import RuleBase

__all__ = ["SchemaError", "read"]


def read(root: str) -> RuleBase:
    """Read the schema with that root file, and all that it includes.

    Args:
        root: the file's path.

    Raises:
        SchemaError: it is not a whole and sound schema; the error says where, and why.
        OSError: the file cannot be read.
    """
    return rules.rule_base(definitions.load(root))
