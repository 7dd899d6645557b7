"""Checking a stream that a test holds in its hand."""

from typing import Any

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import StreamResult
from qmpcheck.codes import STREAM_CODES, TIME_CODES
from qmpcheck.rulebase import RuleBase

EACH_LINE = STREAM_CODES - TIME_CODES
"""The codes of findings about single lines."""


def check(
    rule_base: RuleBase, stream: str | bytes, complete: bool = False, judged: Any = None, **options: Any
) -> StreamResult:
    """The result of a stream; the options are those of `CheckOptions`."""
    checker = Checker(rule_base, CheckOptions(**options), judged)
    return checker.check(stream if isinstance(stream, bytes) else stream.encode(), complete)
