"""Names that a vendor adds to the protocol, such as `__com.redhat_reason`.

QMP leaves names that begin with `__`, a reversed domain and `_` to downstreams. No spec lists them, and none
forbids them.
"""

from __future__ import annotations

import re

_VENDORS = re.compile(r"__[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+_.+", re.DOTALL)


def is_vendors(name: object) -> bool:
    """Whether a name of an event or a member, or a value, is one that a vendor may add."""
    return isinstance(name, str) and name.startswith("__") and _VENDORS.fullmatch(name) is not None
