r"""Hold recorded QMP events against the published descriptions of them.

>>> import qmpcheck
>>> checker = qmpcheck.Checker(qmpcheck.find("v2").rule_base)
>>> result = checker.check(b'{"event": "STOP"}\n')
>>> [(finding.line, finding.code, finding.path) for finding in result.listed]
[(1, 'QMP104', 'timestamp')]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qmpcheck.catalogue import Spec, find
    from qmpcheck.checking.checker import Checker, CheckOptions
    from qmpcheck.checking.result import StreamResult
    from qmpcheck.diagnostic import Diagnostic, Severity
    from qmpcheck.rulebase import RuleBase, SpecError

__version__ = "0.1.0"

__all__ = [
    "CheckOptions",
    "Checker",
    "Diagnostic",
    "RuleBase",
    "Severity",
    "Spec",
    "SpecError",
    "StreamResult",
    "find",
]

_HOMES = {
    "CheckOptions": "checking.checker",
    "Checker": "checking.checker",
    "Diagnostic": "diagnostic",
    "RuleBase": "rulebase",
    "Severity": "diagnostic",
    "Spec": "catalogue",
    "SpecError": "rulebase",
    "StreamResult": "checking.result",
    "find": "catalogue",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: no command needs them all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
