"""Columns of integers for a page: compressed, in base64; `columns.js` reads them."""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import chain
from operator import sub


def packed(column: Sequence[int]) -> str:
    """The column as text: differences in 64 bits, the lowest bytes of all first, as that compresses well."""
    differences = array("q", map(sub, column, chain((0,), column)))
    if sys.byteorder == "big":
        differences.byteswap()
    whole = differences.tobytes()
    planes = b"".join(whole[plane::8] for plane in range(8))
    return base64.b64encode(zlib.compress(planes)).decode("ascii")
