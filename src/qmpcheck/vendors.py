"""Names that a vendor adds to the protocol, such as `__com.redhat_reason`.

QMP reserves names that begin with `__`, a reversed domain and `_` for downstreams. No spec lists them, and
none forbids them.
"""

from __future__ import annotations

import re

_VENDORS = re.compile(r"__[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+_.+", re.DOTALL)


def is_vendors(name: object) -> bool:
    """Whether a vendor may add an event, a member or a value of this name."""
    return isinstance(name, str) and name.startswith("__") and _VENDORS.fullmatch(name) is not None
