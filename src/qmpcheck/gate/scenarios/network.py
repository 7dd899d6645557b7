"""VNC, stream network back ends, and memory dumps."""

from __future__ import annotations

import socket

from qmpcheck.gate.scenario import ANYTHING, QUIT, Scenario, expected
from qmpcheck.gate.stage import Stage


def _vnc(stage: Stage) -> None:
    with stage.bare("-vnc", "unix:vnc.sock") as vm:
        with stage.connect("vnc.sock") as client:
            vm.wait("VNC_CONNECTED")
            _shake_hands(client)
            vm.wait("VNC_INITIALIZED")
        vm.wait("VNC_DISCONNECTED")


def _shake_hands(client: socket.socket) -> None:
    """Version 3.8, no authentication, a shared desktop."""
    with client.makefile("rb") as answers:
        answers.read(12)
        client.sendall(b"RFB 003.008\n")
        answers.read(answers.read(1)[0])
        client.sendall(b"\1")
        answers.read(4)
        client.sendall(b"\1")


def _netdev_stream(stage: Stage) -> None:
    back_end = "stream,id=net0,server=on,addr.type=unix,addr.path=net.sock"
    with stage.bare("-netdev", back_end) as vm:
        with stage.connect("net.sock"):
            vm.wait("NETDEV_STREAM_CONNECTED")
        vm.wait("NETDEV_STREAM_DISCONNECTED")


def _dump(stage: Stage) -> None:
    """One machine for each dump: the next may not begin when DUMP_COMPLETED says that one is done."""
    for file, name in (("dump.elf", ""), ("/dev/full", "full")):
        with stage.pc(name=name) as (vm, _):
            vm.command("dump-guest-memory", paging=False, protocol=f"file:{file}", detach=True)
            vm.wait("DUMP_COMPLETED")
            vm.wait("RESUME")


SCENARIOS = (
    Scenario(
        "vnc",
        "a VNC client connects, shakes hands and leaves",
        (expected("VNC_CONNECTED"), expected("VNC_INITIALIZED"), expected("VNC_DISCONNECTED"), QUIT),
        _vnc,
    ),
    Scenario(
        "netdev-stream",
        "a peer of a stream network back end connects and leaves",
        (
            expected("NETDEV_STREAM_CONNECTED", netdev_id="net0"),
            expected("NETDEV_STREAM_DISCONNECTED", netdev_id="net0"),
            QUIT,
        ),
        _netdev_stream,
    ),
    Scenario(
        "dump",
        "the guest's memory is dumped, then dumped to a full device",
        (
            *(expected(event) for event in ("STOP", "RESUME", "STOP", "RESUME")),
            expected("DUMP_COMPLETED", error=ANYTHING),
            expected("DUMP_COMPLETED"),
            QUIT,
            QUIT,
        ),
        _dump,
    ),
)
"""Scenarios about connections from outside, and about dumps."""
