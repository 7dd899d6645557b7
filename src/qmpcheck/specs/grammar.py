"""The one way a grammar is loaded: LALR, its tree shaped on the way up."""

from __future__ import annotations

import functools
from typing import Any

from lark import Lark, Transformer


@functools.cache
def load(name: str, start: str, shape: type[Transformer[Any, Any]]) -> Lark:
    """The parser of a grammar, such as `documents/member`; it returns what `shape` makes of the start rule.

    Shaping runs while parsing, so that no tree is kept and no depth of nesting can exhaust the stack.
    """
    return Lark.open(
        f"{name}.lark", rel_to=__file__, parser="lalr", lexer="contextual", start=start, transformer=shape()
    )
