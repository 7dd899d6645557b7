"""Small streams, and what is found in them.

A line is an event's letter and its time in seconds: `E` a BLOCK_IO_ERROR that stops, `e` one that only
reports, `S` STOP, `R` RESUME, `H` SHUTDOWN, `W` a WATCHDOG that pauses, `w` one that resets, `X` RESET,
`P` POWERDOWN; `G` is a greeting. Without a time the host has no clock.
"""

import json

from checking import check

from qmpcheck.specs import catalogue

RULES = catalogue.find("2.8:txt").rule_base

DATA = {
    "E": ("BLOCK_IO_ERROR", {"device": "d", "node-name": "n", "operation": "read", "action": "stop"}),
    "e": ("BLOCK_IO_ERROR", {"device": "d", "node-name": "n", "operation": "read", "action": "report"}),
    "S": ("STOP", {}),
    "R": ("RESUME", {}),
    "H": ("SHUTDOWN", {}),
    "W": ("WATCHDOG", {"action": "pause"}),
    "w": ("WATCHDOG", {"action": "reset"}),
    "X": ("RESET", {}),
    "P": ("POWERDOWN", {}),
}


def line(token: str) -> str:
    if token == "G":
        return '{"QMP": {"version": {}, "capabilities": []}}\n'
    event, data = DATA[token[0]]
    time = round(float(token[1:]) * 1_000_000) if token[1:] else None
    seconds, microseconds = (-1, -1) if time is None else divmod(time, 1_000_000)
    message = {"timestamp": {"seconds": seconds, "microseconds": microseconds}, "event": event}
    return json.dumps(message | ({"data": data} if data else {})) + "\n"


def said(
    text: str, complete: bool = False, within: float | None = None, assumed: tuple[str, ...] = ()
) -> str:
    """The codes and lines of the findings at the stream's end."""
    stream = "".join(map(line, text.split()))
    findings = check(RULES, stream, complete, within=within, assumed=assumed).listed
    return " ".join(f"{finding.code[3:]}@{finding.line}" for finding in findings)
