"""One JSON message a line: what `qmpcheck record` writes and what QEMU itself sends."""

from __future__ import annotations

import re

from qmpcheck.streams.messages import is_sent

_LOOKED_AT = 1000
"""How many lines are looked at."""


_MOST_STRANGE = 0.1
"""How many lines of other text there may be for each message: another program may write to the file."""


def recognises(head: bytes) -> bool:
    """Whether there are whole messages on a line each, perhaps damaged ones, and hardly anything else.

    A line of printable text that neither begins nor ends like a message was never one, and a line that ends
    with a comma or an opening bracket continues on the next one. A file with many such lines is no JSONL, but
    a terminal's session, a text with remarks, or messages over several lines.
    """
    return _is_plainly(head[:_SAMPLE]) or _is_on_the_whole(head)


_SAMPLE = 1 << 12
"""How many bytes suffice for most files, as they contain nothing but whole messages."""


def _is_plainly(sample: bytes) -> bool:
    *lines, _ = sample.split(b"\n")  # the last one may be cut
    filled = [*filter(None, map(bytes.rstrip, lines))]
    return (
        {line[:1] for line in filled} == {b"{"}
        and {line[-1:] for line in filled} == {b"}"}
        and is_sent(filled[0]) is not None
        and b'"data": "{' not in sample
        and b'"data":"{' not in sample  # virt-qemu-qmp-proxy's
    )


def _is_on_the_whole(head: bytes) -> bool:
    lines = head.split(b"\n")
    whole = lines[:-1] or lines  # the head may end within a line
    filled = [line.rstrip() for line in whole[:_LOOKED_AT] if line and not line.isspace()]
    return not filled or (
        any(map(_is_message, filled))
        and _has_few_strange(filled)
        and re.search(_OF_ANOTHER_FORMAT, head) is None
    )


_REMARK = rb'[^\s{}\[\]"\x00-\x1f][^\x00-\x08\x0e-\x1f]*(?<!\})'

# A trace among the messages that it shows again, and the events of virt-qemu-qmp-proxy.
_OF_ANOTHER_FORMAT = rb'(?m)^(?:\d+@\d+\.\d+:)?monitor_qmp_respond mon 0x|"data": ?"\{'


def _has_few_strange(filled: list[bytes]) -> bool:
    strange = sum(map(_is_no_whole_line, filled))
    return strange <= _MOST_STRANGE * sum(map(_is_message, filled))


def _is_no_whole_line(line: bytes) -> bool:
    return line.endswith((b",", b"{", b"[")) or re.fullmatch(_REMARK, line) is not None


def _is_message(line: bytes) -> bool:
    return line.startswith(b"{") and line.endswith(b"}") and is_sent(line) is not None
