"""The mainframe, `s390-ccw-virtio`, the only guest whose CPU runs code of ours.

Its channels are driven by instructions, not by registers in memory. So the CPU waits for code that qtest
writes to memory, and runs it. All that it uses is in the first page.
"""

from __future__ import annotations

import struct
import time

from qmpcheck.gate.board import Ability, Board, Feature, Guest, having
from qmpcheck.gate.failure import HUNG, Failure
from qmpcheck.gate.qtest import ANSWER, QTest

_CODE, _DONE = 0x200, 0x20C
"""Where the loop that waits for code begins, and where code goes when it is done."""

_GO, _NEXT, _IDLE, _BACK = 0x300, 0x310, 0x320, 0x330
"""The word that says go, and three PSWs: the one to load, that of a CPU that waits, and the way back."""

_RUN = 0x500
"""Where code for the CPU is written."""

RUNNING = 0x0000_0001_8000_0000
WAITING = 0x0302_0000_0000_0000 | RUNNING
DISABLED_WAIT = 0x0002_0000_0000_0000 | RUNNING
"""Masks of PSWs: a CPU that runs, one that waits for interrupts, and one that is in a disabled wait."""

_POLL = bytes.fromhex(
    "bf1f0300"  # poll: icm %r1,15,_GO
    "a784fffe"  # jz poll
    "b2b20310"  # lpswe _NEXT
    "d70303000300"  # done: xc _GO(4),_GO
    "a7f4fff7"  # j poll
)
"""The loop itself clears _GO when code is done: from then on the code may be overwritten."""

_REST = bytes.fromhex("b2b20320")  # lpswe _IDLE


def psw(mask: int, address: int = 0) -> bytes:
    """A program status word."""
    return struct.pack(">QQ", mask, address)


def _image(code: bytes) -> bytes:
    """The first page of memory, with code to begin with; every interrupt makes the CPU wait."""
    page = bytearray(_BACK + 16)
    page[:8] = struct.pack(">II", 0x0008_0000, 0x8000_0000 | _CODE)
    for at in (*range(0x1A0, 0x200, 16), _IDLE):
        page[at : at + 16] = psw(WAITING)
    page[_BACK : _BACK + 16] = psw(RUNNING, _DONE)
    page[_CODE : _CODE + len(code)] = code
    return bytes(page)


IDLE, OBEDIENT = _image(_REST), _image(_POLL)
"""The first page for a CPU that only waits, and for one that runs what it is given."""


def go(guest: QTest, mask: int, address: int = 0) -> None:
    """Make the CPU load a PSW."""
    guest.write(_NEXT, psw(mask, address))
    guest.write(_GO, b"\0\0\0\1")


def begin(guest: QTest, code: bytes) -> None:
    """Make the CPU run code from which it does not return."""
    guest.write(_RUN, code + _REST)
    go(guest, RUNNING, _RUN)


_RETURN = bytes.fromhex("b2b20330")  # lpswe _BACK


def run(guest: QTest, code: bytes) -> None:
    """Make the CPU run code; `settle` waits for its end.

    The code may stop the machine, and so the CPU, before its end: so this does not wait.
    """
    guest.write(_RUN, code + _RETURN)
    go(guest, RUNNING, _RUN)


def settle(guest: QTest) -> None:
    """Wait until the CPU has run what it was given.

    Raises:
        Failure: the code does not end in time.
    """
    end = time.monotonic() + ANSWER
    while any(guest.read(_GO, 4)):
        if time.monotonic() >= end:
            raise Failure(HUNG, f"the guest's code did not end within {ANSWER:g} s")


_SUBCHANNEL = 0x0001_0000
"""The first subchannel, which the only channel device has."""

_REQUEST, _COMMAND, _STATUS, _CONTROL, _DATA = 0x380, 0x3A0, 0x400, 0x480, 0x600
"""Where a channel program's operation request block and command are, the channel's answers, and data."""

_FORMAT_1, _ALL_PATHS = 0x0080, 0xFF

_LOAD_SUBCHANNEL = struct.pack(">HI", 0xC01F, _SUBCHANNEL)  # llilf %r1,_SUBCHANNEL
_ENABLE = _LOAD_SUBCHANNEL + bytes.fromhex(
    "b2340480"  # stsch _CONTROL
    "96800485"  # oi _CONTROL+5,0x80
    "b2320480"  # msch _CONTROL
)
_START = _LOAD_SUBCHANNEL + bytes.fromhex(
    "b2330380"  # ssch _REQUEST
    "b2350400"  # tsch _STATUS
)


def enable_channel(guest: QTest) -> None:
    """Enable the subchannel."""
    run(guest, _ENABLE)
    settle(guest)


def channel(guest: QTest, command: int, data: bytes) -> None:
    """Send a channel command, with data for the device."""
    guest.write(_DATA, data)
    guest.write(_COMMAND, struct.pack(">BBHI", command, 0, len(data), _DATA))
    guest.write(_REQUEST, struct.pack(">IHBBI20x", 0, _FORMAT_1, _ALL_PATHS, 0, _COMMAND))
    run(guest, _START)
    settle(guest)


_LARGE_DATA = 0x3000
"""Where the service processor takes data from, which must not be in the first two pages."""

_WRITE_EVENT = 0x0076_0005


def send_to_service(guest: QTest, kind: int, data: bytes) -> None:
    """Send an event to the service processor."""
    event = struct.pack(">HBBH", 6 + len(data), kind, 0, 0) + data
    guest.write(_LARGE_DATA, struct.pack(">HB3xH", 8 + len(event), 0, 0) + event)
    load = struct.pack(">HIHI", 0xC01F, _WRITE_EVENT, 0xC02F, _LARGE_DATA)  # llilf %r1 and %r2
    run(guest, load + bytes.fromhex("b2200012"))  # servc %r1,%r2


def notify(guest: QTest, queue: int) -> None:
    """Notify a virtio device of a request in a queue, by a hypercall."""
    load = struct.pack(">HIHIHI", 0xC01F, 3, 0xC02F, _SUBCHANNEL, 0xC03F, queue)  # llilf %r1 to %r3
    run(guest, load + bytes.fromhex("a749000083240500"))  # lghi %r4,0; diag 0x500


# The board

CRASHED, _OFF = 0xDEAD, 0xFFF
"""The addresses of the disabled wait of a CPU that has crashed, and of one that is switched off."""


def _stop(address: int) -> Feature:
    return Feature(lambda guest: go(guest, DISABLED_WAIT, address), firmware=OBEDIENT)


_LOAD_AGAIN = bytes.fromhex("a739000383130308")  # lghi %r3,3; diag %r1,%r3,0x308


def _reset(guest: Guest, _: int = 0) -> None:
    begin(guest, _LOAD_AGAIN)


_START_WATCHDOG = bytes.fromhex(
    "a7290000"  # lghi %r2,0
    "a739000f"  # lghi %r3,15
    "a7490000"  # lghi %r4,0
    "83240288"  # diag %r2,%r4,0x288
)
"""The least timeout is fifteen seconds. They pass at once, as -icount lets the CPU's clock run ahead."""

_IDENTITY = 0x0B


def _identify(guest: Guest) -> None:
    """Send the names and the level of the control program, all of them blank."""
    send_to_service(guest, _IDENTITY, bytes(74))


S390 = Board(
    "s390-ccw-virtio",
    frozenset({"s390x"}),
    having(
        *(Ability.MEMORY, Ability.CPU, Ability.DUMP),
        *(Ability.MORE_MEMORY, Ability.CHANNELS, Ability.NETWORK),
    )
    | {
        Ability.DISABLED_WAIT: (_stop(CRASHED),),
        Ability.OFF: (_stop(_OFF),),
        Ability.RESET: (Feature(_reset, firmware=OBEDIENT),),
        Ability.VIRTIO: (Feature(firmware=OBEDIENT),),
        Ability.IDENTIFY: (Feature(_identify, firmware=OBEDIENT),),
        Ability.WATCHDOG: (
            Feature(
                lambda guest: begin(guest, _START_WATCHDOG),
                device="diag288",
                options=("-icount", "shift=auto,sleep=off"),
                firmware=OBEDIENT,
            ),
        ),
    },
    firmware="-kernel",
    idle=IDLE,
    bus="ccw",
)
