"""Lines that the examples of several codes share."""

from __future__ import annotations

STOP = '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "STOP"}'


def io_error(data: str) -> str:
    """Return a BLOCK_IO_ERROR with this data, as JSON."""
    return STOP.replace('"STOP"', f'"BLOCK_IO_ERROR", "data": {data}')


GOOD_IO_ERROR = io_error('{"device": "disk0", "operation": "read", "action": "report"}')
