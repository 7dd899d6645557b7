"""A client of qtest, QEMU's own test protocol, which drives devices from outside without guest code."""

from __future__ import annotations

import os
import socket
import time
from typing import TypeVar

from qmpcheck.gate.failure import FAILED, HUNG, Failure

ANSWER = 10.0
"""Seconds that an answer may take on a busy machine."""


def connected(path: str) -> socket.socket:
    """A connection to a Unix socket that may not exist yet.

    Raises:
        Failure: nobody accepts the connection in time.
    """
    end = time.monotonic() + ANSWER
    while True:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(ANSWER)
        try:
            peer.connect(path)
        except OSError as error:
            peer.close()
            if time.monotonic() >= end:
                what = f"no connection to {os.path.basename(path)} within {ANSWER:g} s"
                raise Failure(HUNG, f"{what}: {error.strerror}") from None
            time.sleep(0.02)  # QEMU makes the socket when it is ready, and says nothing about that
        else:
            return peer


Self = TypeVar("Self", bound="QTest")


class QTest:
    """A connection to a machine that was started with `-qtest`.

    Args:
        path: the path of the socket.
        sent: a list that each command is appended to.
    """

    def __init__(self, path: str, sent: list[str]) -> None:
        self.sent = sent
        self._peer: socket.socket = connected(path)
        self._lines = self._peer.makefile("rb")

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._peer.close()

    def out(self, width: str, port: int, value: int) -> None:
        """Write to an I/O port; the width is `b`, `w` or `l`, for one, two or four bytes."""
        self.ask(f"out{width} {port:#x} {value:#x}")

    def outb(self, port: int, value: int) -> None:
        """Write a byte to an I/O port."""
        self.out("b", port, value)

    def outw(self, port: int, value: int) -> None:
        """Write two bytes to an I/O port."""
        self.out("w", port, value)

    def outl(self, port: int, value: int) -> None:
        """Write four bytes to an I/O port."""
        self.out("l", port, value)

    def inl(self, port: int) -> int:
        """Read four bytes from an I/O port."""
        return int(self.ask(f"inl {port:#x}").split()[1], 0)

    def read(self, address: int, size: int) -> bytes:
        """Read bytes from a physical address."""
        answer = self.ask(f"read {address:#x} {size:#x}").split()[1]
        return bytes.fromhex(answer.removeprefix("0x")).ljust(size, b"\0")

    def write(self, address: int, data: bytes) -> None:
        """Write bytes to a physical address."""
        self.ask(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    def memset(self, address: int, size: int, value: int) -> None:
        """Fill memory with one byte."""
        self.ask(f"memset {address:#x} {size:#x} {value:#x}")

    def ask(self, command: str) -> str:
        """Send a command, and return its answer.

        Raises:
            Failure: it is not answered in time, or answered with an error.
        """
        self.sent.append(command)
        try:
            self._peer.sendall(command.encode() + b"\n")
            answer = self._answer()
        except TimeoutError:
            verb = command.partition(" ")[0]
            raise Failure(HUNG, f"no answer to {verb} over qtest within {ANSWER:g} s") from None
        except OSError:
            # The process has ended, perhaps as the command asked for; the scenario learns that over QMP.
            return "OK 00"
        if answer and not answer.startswith("OK"):
            raise Failure(FAILED, f"qtest {command[:40]}: {answer}")
        return answer or "OK 00"

    def _answer(self) -> str:
        """The next line that is no notice of an interrupt; "" at the end of the connection."""
        while True:
            line = self._lines.readline().decode(errors="replace").strip()
            if not line.startswith("IRQ"):
                return line
