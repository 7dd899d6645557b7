"""Splitting a stream anywhere never changes what is said of it."""

import json
from functools import reduce
from pathlib import Path
from typing import Optional, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import events, faults

from qmpcheck import catalogue
from qmpcheck.checking import fold
from qmpcheck.checking.check import Checker
from qmpcheck.checking.summary import Summary, Terms
from qmpcheck.diagnostic import Severity

RULES = catalogue.find("v4").rule_base
SEVERITIES = {"QMP101": Severity.WARNING, "QMP305": Severity.ERROR}

lines = st.one_of(
    events(RULES).map(lambda message: json.dumps(message).encode()),
    faults(RULES).map(lambda fault: json.dumps(fault.message).encode()),
    st.sampled_from(
        [
            b"",
            b"\r",
            b"nonsense",
            b"[]",
            b'{"return": {}}',
            b"\xff",
            b'{"QMP": {}}',
            b'{"return": 1, "QMP": 1}',
        ]
    ),
)
streams = st.builds(
    lambda body, end: b"".join(line + b"\n" for line in body) + end, st.lists(lines), st.just(b"") | lines
)
trees = st.recursive(st.just(None), lambda inner: st.tuples(inner, inner), max_leaves=12)


Tree: TypeAlias = Optional[tuple["Tree", "Tree"]]  # noqa: UP045 -- a name in quotes takes no |


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """The stream in parts of whole lines."""
    *ended, rest = content.split(b"\n")
    whole = [*(line + b"\n" for line in ended), rest]
    ends = sorted({place % (len(whole) + 1) for place in places})
    return [b"".join(whole[a:b]) for a, b in zip([0, *ends], [*ends, len(whole)], strict=True)]


def folded(parts: list[Summary], tree: Tree) -> Summary:
    """The parts added up in the order of a random tree."""
    if len(parts) <= 1 or tree is None:
        return reduce(lambda a, b: a + b, parts)
    left, right = tree
    half = len(parts) // 2
    return folded(parts[:half], left) + folded(parts[half:], right)


TOO_MANY_MICROSECONDS = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 9000000}}\n'
THAT_SECOND = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 0}}\n'


@given(streams, st.lists(st.integers(0, 100), max_size=6), trees, st.integers(0, 5))
@example(TOO_MANY_MICROSECONDS + THAT_SECOND, [1], (None, None), 5)
def test_any_split_and_any_order_of_adding(content: bytes, places: list[int], tree: Tree, most: int) -> None:
    checker = Checker(RULES, Terms(most=most, severities=SEVERITIES))
    parts = [checker.check(part) for part in cut(content, places)]
    split, whole = (
        (checker.begin() + part).ended(complete=False)
        for part in (folded(parts, tree), checker.check(content))
    )
    assert (split.lines, split.events) == (whole.lines, whole.events)
    assert (split.findings, split.listed) == (whole.findings, whole.listed)
    assert [*map(split.count, Severity)] == [*map(whole.count, Severity)]


def test_several_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "STRETCH", 1 << 10)
    stop = b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 5}}\n'
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + (stop * 37 + b"nonsense\n" + b"x" * 5000 + b"\n") * 20 + b"{")
    checker = Checker(RULES, Terms(severities=SEVERITIES))
    advanced: list[int] = []
    several = fold.check_stream(checker, str(path), advanced.append, jobs=2)
    assert several == fold.check_stream(checker, str(path), int)
    assert several.summary.lines == 37 * 20 + 2 * 20 + 1
    assert several.summary.count(Severity.ERROR) == 0
    assert sum(advanced) == path.stat().st_size
