"""Checking a stream that a test holds in its hand."""

from typing import Any

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import STREAM_CODES, TIME_CODES
from qmpcheck.rulebase import RuleBase

EACH_LINE = STREAM_CODES - TIME_CODES
"""The codes of findings about single lines."""

_CHECKERS: dict[object, Checker] = {}
"""By rule base and options, as compiling a rule base takes longer than checking most streams of tests. A checker begins
anew after each stream, as it does for the files of one command. It keeps its rule base, so that the `id` stays its own.
"""


def check(
    rule_base: RuleBase, stream: str | bytes, complete: bool = False, judged: Any = None, **options: Any
) -> StreamResult:
    """The result of a stream; the options are those of `CheckOptions`."""
    key = (id(rule_base), *sorted(options.items()))
    checker = None if judged else _CHECKERS.pop(key, None)
    checker = checker or Checker(rule_base, CheckOptions(**options), judged)
    result = checker.check(stream if isinstance(stream, bytes) else stream.encode(), complete)
    if not judged:  # nor if it raised an exception: it would not be at its beginning
        _CHECKERS[key] = checker
    return result
