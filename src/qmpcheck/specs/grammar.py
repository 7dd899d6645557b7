"""Load a grammar: LALR, with a transformer that runs while parsing."""

from __future__ import annotations

import functools
from typing import Any

from lark import Lark, Transformer


@functools.cache
def load(name: str, start: str, shape: type[Transformer[Any, Any]]) -> Lark:
    """Return the parser of a grammar, such as `documents/member`; it returns what `shape` makes of `start`.

    `shape` runs while parsing, so that no tree is kept, and no depth of nesting can exhaust the stack.
    """
    return Lark.open(
        f"{name}.lark", rel_to=__file__, parser="lalr", lexer="contextual", start=start, transformer=shape()
    )
