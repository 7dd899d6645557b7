"""Load a schema's definitions, from its root file and all files that it includes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from qmpcheck.specs.qapi import expressions
from qmpcheck.specs.qapi.expressions import Expression, Node, ObjectNode, SchemaError, StringNode
from qmpcheck.text import quoted, reason_of

ENUM, STRUCT, UNION, ALTERNATE, EVENT, COMMAND = "enum", "struct", "union", "alternate", "event", "command"

_KINDS = {kind: kind for kind in (ENUM, STRUCT, UNION, ALTERNATE, EVENT, COMMAND)} | {"type": STRUCT}
"""What each key defines; a struct was called a type up to QEMU 2.3."""

INTEGERS = ("int", "size", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
_NEVER_SENT = ("**", "dict", "visitor")  # by commands that were not generated, up to QEMU 2.9

SENT = frozenset([*INTEGERS, "str", "number", "bool", "null", "any", "QType"])
BUILT_IN = SENT.union(_NEVER_SENT)
"""The types that need no definition."""

LARGEST_FILE = 1 << 22
"""The largest size of a file, in bytes; QEMU's largest has a fifteenth of that."""


class Definition(NamedTuple):
    """One definition.

    Attributes:
        kind: what it defines.
        name: the name that it defines.
        table: the whole expression.
        file: the file that it is in, relative to the schema's `folder`.
        comment: its documentation, with comment signs.
        comment_line: the first line of the comment.
    """

    kind: str
    name: StringNode
    table: ObjectNode
    file: str
    comment: str
    comment_line: int

    def wrong(self, where: Node | None, reason: str, member: str = "") -> SchemaError:
        """Return an error about the definition, or about one of its members, values or branches.

        It is at the place of `where`, or if that has none, at the name of the definition.
        """
        place = self.name if where is None or isinstance(where, bool) else where
        inside = f", {quoted(member)}" if member else ""
        said = f"{self.kind} {quoted(self.name)}{inside}: {reason}"
        return SchemaError(self.file, place.line, place.column, said)


def load(root: str) -> dict[str, Definition]:
    """Return the definitions of a schema by name, in their order.

    Args:
        root: the path of its root file.

    Raises:
        SchemaError: the schema is incomplete or invalid.
        OSError: the root file cannot be read.
    """
    definitions: dict[str, Definition] = {}
    for each in _read(os.path.abspath(root), os.path.abspath(folder(root)), (), set()):
        before = definitions.setdefault(each.name, each)
        if before is not each:
            place = f"{before.file}:{before.name.line}"
            raise each.wrong(each.name, f"{quoted(each.name)} is defined already, at {place}")
    return definitions


def folder(root: str) -> str:
    """Return the folder that the names of a schema's files are relative to, as in `qapi/job.json`."""
    holder = os.path.dirname(os.path.abspath(root))
    # Since 3.1 the root file is in qapi/ itself, and errors name files from the folder above.
    above = os.path.dirname(holder) if os.path.basename(holder) == "qapi" else holder
    return above if os.path.isabs(root) else os.path.relpath(above)


def _read(path: str, base: str, within: tuple[str, ...], done: set[str]) -> Iterator[Definition]:
    """Yield the definitions of a file; those of an included file come where it is first included."""
    done.add(path)
    file = os.path.relpath(path, base)
    for expression in expressions.parse(_text(path, file), file):
        table = expression.table
        _expect_alone(table, file)
        if "include" in table:
            included = _included(table["include"], path, file, table, (*within, path))
            if included not in done:  # what is included again adds nothing
                try:
                    yield from _read(included, base, (*within, path), done)
                except (OSError, ValueError) as error:
                    if isinstance(error, SchemaError):
                        raise
                    reason = f"{quoted(str(table['include']))}: {reason_of(error)}"
                    raise SchemaError(file, table.line, table.column, reason) from None
        elif "pragma" not in table:
            yield _definition(expression, file)


def _expect_alone(table: ObjectNode, file: str) -> None:
    """Raise SchemaError if there is another key next to `include` or `pragma`."""
    for single in ("include", "pragma"):
        if single in table and len(table) > 1:
            other = next(key for key, _ in table.pairs() if key != single)
            raise SchemaError(file, other.line, other.column, f"unknown key {quoted(other)} next to {single}")


def _text(path: str, name: str) -> str:
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError("not a file")
    with open(path, "rb") as file:
        text = file.read(LARGEST_FILE + 1)
    if len(text) > LARGEST_FILE:
        raise OSError(f"larger than {LARGEST_FILE >> 20} MiB: not a schema file")
    try:
        return text.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        begin = text.rfind(b"\n", 0, error.start) + 1
        line = text.count(b"\n", 0, error.start) + 1
        raise SchemaError(name, line, error.start - begin + 1, "not UTF-8") from None


def _included(name: Node, path: str, file: str, table: ObjectNode, within: tuple[str, ...]) -> str:
    if not isinstance(name, StringNode):
        raise SchemaError(file, table.line, table.column, "include: expected the name of a file")
    included = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if included in within:
        raise SchemaError(file, name.line, name.column, f"{quoted(name)} includes itself")
    return included


def _definition(expression: Expression, file: str) -> Definition:
    table = expression.table
    for key, kind in _KINDS.items():
        name = table.get(key)
        if isinstance(name, StringNode):
            return Definition(kind, name, table, file, expression.comment, expression.comment_line)
    wanted = "include, pragma, enum, struct, union, alternate, event and command"
    raise SchemaError(file, table.line, table.column, f"expected a definition with one of the keys {wanted}")


def description(value: Node) -> ObjectNode:
    """Return a member's value if it is a table with the type and more; otherwise an empty table."""
    return value if isinstance(value, ObjectNode) and "type" in value else ObjectNode()
