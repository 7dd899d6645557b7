"""Scenarios about connections from outside: VNC, SPICE, network back ends; and memory dumps."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
from typing import Any

from qmpcheck.gate.board import Ability
from qmpcheck.gate.expectations import ANYTHING, QUIT, Expectations, Expected, expected
from qmpcheck.gate.scenario import Scenario, Stage


def _vnc(stage: Stage) -> None:
    with stage.bare("-vnc", "unix:vnc.sock") as vm:
        with stage.connect("vnc.sock") as client:
            vm.wait("VNC_CONNECTED")
            _shake_hands(client)
            vm.wait("VNC_INITIALIZED")
        vm.wait("VNC_DISCONNECTED")


def _shake_hands(client: socket.socket) -> None:
    """Open a VNC session: version 3.8, no authentication, a shared desktop."""
    with client.makefile("rb") as answers:
        answers.read(12)  # the server's version
        client.sendall(b"RFB 003.008\n")
        answers.read(answers.read(1)[0])  # as many types of security as the first byte says
        client.sendall(b"\1")  # no authentication
        answers.read(4)
        client.sendall(b"\1")  # a shared desktop, which initializes the session


_SPICE = ("-spice", "unix=on,addr=spice.sock,disable-ticketing=on")


def _spice(stage: Stage) -> None:
    with stage.bare(*_SPICE) as vm:
        with stage.connect("spice.sock") as client:
            vm.wait("SPICE_CONNECTED")
            _open_main_channel(client)
            vm.wait("SPICE_INITIALIZED")
        vm.wait("SPICE_DISCONNECTED")


# The smallest SPICE client that a server accepts

_MAGIC, _MAJOR, _MINOR = b"REDQ", 2, 2
_MAIN_CHANNEL = 1
_HEADER = struct.Struct("<4s3I")
_KEY_BYTES = 162
"""The size of the server's public key, a DER structure that ends with the modulus and five other bytes."""

_MODULUS_BYTES, _EXPONENT = 128, 65537


def _open_main_channel(peer: socket.socket) -> None:
    """Open the main channel. The protocol asks for an encrypted password, even if none is set.

    Raises:
        OSError: the server closes the connection.
    """
    # A new session, the type and number of the channel, no capabilities, and the offset of these.
    link = struct.pack("<IBB3I", 0, _MAIN_CHANNEL, 0, 0, 0, 18)
    peer.sendall(_HEADER.pack(_MAGIC, _MAJOR, _MINOR, len(link)) + link)
    with peer.makefile("rb") as answers:
        size = _HEADER.unpack(answers.read(_HEADER.size))[3]
        key = answers.read(size)[4 : 4 + _KEY_BYTES]
        modulus = int.from_bytes(key[-_MODULUS_BYTES - 5 : -5], "big")
        peer.sendall(_encrypted(b"\0", modulus))
        answers.read(4)


def _encrypted(text: bytes, modulus: int) -> bytes:
    """Encrypt a text by RSA with OAEP and SHA-1, as RFC 8017 defines it and SPICE prescribes it."""
    empty = hashlib.sha1(b"", usedforsecurity=False).digest()
    seed = os.urandom(len(empty))
    block = empty + bytes(_MODULUS_BYTES - 2 * len(empty) - 2 - len(text)) + b"\1" + text
    masked = _xor(block, _mask(seed, len(block)))
    padded = _xor(seed, _mask(masked, len(seed))) + masked
    return pow(int.from_bytes(padded, "big"), _EXPONENT, modulus).to_bytes(_MODULUS_BYTES, "big")


def _mask(seed: bytes, size: int) -> bytes:
    parts = (
        hashlib.sha1(seed + struct.pack(">I", at), usedforsecurity=False).digest()
        for at in range(size // 20 + 1)
    )
    return b"".join(parts)[:size]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _spice_migration(stage: Stage) -> None:
    with (
        stage.guest("-incoming", "unix:migration.sock", *_SPICE, name="incoming") as (target, _),
        stage.guest(*_SPICE) as (source, _),
    ):
        source.command("client_migrate_info", protocol="spice", hostname="127.0.0.1", port=5900)
        source.command("migrate", uri="unix:migration.sock")
        source.wait("SPICE_MIGRATE_COMPLETED")
        target.wait("RESUME")


def _netdev_stream(stage: Stage) -> None:
    back_end = "stream,id=net0,server=on,addr.type=unix,addr.path=net.sock"
    with stage.bare("-netdev", back_end) as vm:
        with stage.connect("net.sock"):
            vm.wait("NETDEV_STREAM_CONNECTED")
        vm.wait("NETDEV_STREAM_DISCONNECTED")


_FEATURES = struct.pack("<3IQ", 1, 5, 8, 0)
"""The answer of a vhost-user back end to the question for its features: it has none."""


def _vhost_user(stage: Stage) -> None:
    """The back end answers before it is asked, and too often: releases differ in how often they ask."""
    address = {"type": "unix", "data": {"path": "vhost.sock"}}
    with socket.socket(socket.AF_UNIX) as listener, stage.bare() as vm:
        listener.bind(stage.path("vhost.sock"))
        listener.listen()
        vm.command(
            "chardev-add", id="char0", backend={"type": "socket", "data": {"addr": address, "server": False}}
        )
        with listener.accept()[0] as peer:
            peer.sendall(_FEATURES * 4)
            vm.command("netdev_add", type="vhost-user", id="net0", chardev="char0")
            vm.wait("NETDEV_VHOST_USER_CONNECTED")
        vm.wait("NETDEV_VHOST_USER_DISCONNECTED")


def _dump(stage: Stage) -> None:
    """Each dump has its own machine: after DUMP_COMPLETED it may still be too early for the next one."""
    for file, name in (("dump.elf", ""), ("/dev/full", "full")):
        with stage.guest(name=name) as (vm, _):
            vm.command("dump-guest-memory", paging=False, protocol=f"file:{file}", detach=True)
            vm.wait("DUMP_COMPLETED")
            vm.wait("RESUME")


def _vnc_event(happened: str) -> Expected:
    client = {"family": "unix", "host": "", "service": "", "websocket": False}
    server = client | {"service": "vnc.sock", "auth": "none"}
    return expected(f"VNC_{happened}", server=server, client=client)


def _spice_event(happened: str) -> Expected:
    server, client = ({"family": "unix", "port": port} for port in ("spice.sock", ""))
    return expected(f"SPICE_{happened}", server=server, client=client)


def _dumped(status: str, **more: Any) -> Expectations:
    """The steps of a dump, for which the machine is stopped."""
    completed = expected("DUMP_COMPLETED", result={"status": status}, **more)
    return (expected("STOP"), completed, expected("RESUME"), QUIT)


SCENARIOS = (
    Scenario(
        "vnc",
        "a VNC client connects, shakes hands and leaves",
        (*(_vnc_event(happened) for happened in ("CONNECTED", "INITIALIZED", "DISCONNECTED")), QUIT),
        _vnc,
    ),
    Scenario(
        "spice",
        "a SPICE client connects, shakes hands and leaves",
        (*(_spice_event(happened) for happened in ("CONNECTED", "INITIALIZED", "DISCONNECTED")), QUIT),
        _spice,
    ),
    Scenario(
        "spice-migration",
        "a machine with SPICE migrates, and its clients learn where to",
        (expected("STOP"), expected("SPICE_MIGRATE_COMPLETED"), QUIT),
        _spice_migration,
        needs=(Ability.MEMORY,),
        others={"incoming": (expected("RESUME"), QUIT)},
    ),
    Scenario(
        "netdev-stream",
        "a peer of a stream network back end connects and leaves",
        (
            expected("NETDEV_STREAM_CONNECTED", netdev_id="net0", addr={"type": "unix", "path": "net.sock"}),
            expected("NETDEV_STREAM_DISCONNECTED", netdev_id="net0"),
            QUIT,
        ),
        _netdev_stream,
    ),
    Scenario(
        "vhost-user",
        "the back end of a vhost-user network connects and leaves",
        (
            expected("NETDEV_VHOST_USER_CONNECTED", netdev_id="net0", chardev_id="char0"),
            expected("NETDEV_VHOST_USER_DISCONNECTED", netdev_id="net0"),
            QUIT,
        ),
        _vhost_user,
    ),
    Scenario(
        "dump",
        "the guest's memory is dumped to a file, and to a full device",
        _dumped("completed"),
        _dump,
        needs=(Ability.DUMP,),
        others={"full": _dumped("failed", error=ANYTHING)},
    ),
)
"""In the order of reports."""
