"""Checking a stream that a test holds in its hand."""

from typing import Any

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import StreamResult
from qmpcheck.diagnostic import STREAM_CODES, TIME_CODES
from qmpcheck.rulebase import RuleBase

EACH_LINE = STREAM_CODES - TIME_CODES
"""The codes of findings about single lines."""

_CHECKERS: dict[object, Checker] = {}
"""By rule base and options, as compiling a rule base takes longer than checking most streams of tests. A checker begins
anew after each stream, as it does for the files of one command."""


def check(
    rule_base: RuleBase, stream: str | bytes, complete: bool = False, judged: Any = None, **options: Any
) -> StreamResult:
    """The result of a stream; the options are those of `CheckOptions`."""
    key = (
        id(rule_base),
        *sorted(options.items()),
    )  # a checker keeps its rule base, and so the id stays its own
    checker = None if judged else _CHECKERS.pop(key, None)
    checker = checker or Checker(rule_base, CheckOptions(**options), judged)
    checker.feed((stream if isinstance(stream, bytes) else stream.encode()).split(b"\n"))
    result = checker.finish(complete)
    if not judged:
        _CHECKERS[key] = checker  # not if it raised an exception: it would not be at the beginning
    return result
