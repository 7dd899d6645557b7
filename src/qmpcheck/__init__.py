r"""Check recorded QMP events against the published descriptions of them.

>>> import qmpcheck
>>> [result] = qmpcheck.check(['{"event": "STOP"}'], spec="v2")
>>> [(finding.line, finding.code, finding.shown_path) for finding in result.listed]
[(1, 'QMP104', 'timestamp')]

A `Checker` takes a stream in pieces, as it comes:

>>> checker = qmpcheck.Checker(qmpcheck.open_spec("v2").rule_base)
>>> checker.feed([b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 5}}'])
>>> checker.finish().listed
()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qmpcheck.checking.checker import Checker, CheckOptions
    from qmpcheck.checking.result import StreamResult
    from qmpcheck.codes import Severity
    from qmpcheck.finding import Finding
    from qmpcheck.rulebase import RuleBase, SpecError
    from qmpcheck.specs.catalogue import Spec
    from qmpcheck.validation.api import check, open_spec
    from qmpcheck.validation.recipe import Recipe

__version__ = "0.1.0"

__all__ = [
    "CheckOptions",
    "Checker",
    "Finding",
    "Recipe",
    "RuleBase",
    "Severity",
    "Spec",
    "SpecError",
    "StreamResult",
    "check",
    "open_spec",
]

_HOMES = {
    "CheckOptions": "checking.checker",
    "Checker": "checking.checker",
    "Finding": "finding",
    "Recipe": "validation.recipe",
    "RuleBase": "rulebase",
    "Severity": "codes",
    "Spec": "specs.catalogue",
    "SpecError": "rulebase",
    "StreamResult": "checking.result",
    "check": "validation.api",
    "open_spec": "validation.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: no command needs them all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, so that `pydoc` documents them, and completion in a shell finds them."""
    return sorted({*globals(), *__all__})
