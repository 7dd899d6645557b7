"""The mainframe, `s390-ccw-virtio`."""

from __future__ import annotations

from qmpcheck.gate import mainframe
from qmpcheck.gate.board import Ability, Board, Feature
from qmpcheck.gate.guest import Guest

CRASHED, _OFF = 0xDEAD, 0xFFF
"""The addresses of the disabled wait of a CPU that has crashed, and of one that is switched off."""


def _stop(address: int) -> Feature:
    return Feature(
        lambda guest: mainframe.go(guest, mainframe.DISABLED_WAIT, address), firmware=mainframe.OBEDIENT
    )


_LOAD_AGAIN = bytes.fromhex("a739000383130308")  # lghi %r3,3; diag %r1,%r3,0x308


def _reset(guest: Guest, _: int = 0) -> None:
    mainframe.begin(guest, _LOAD_AGAIN)


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
    mainframe.send_to_service(guest, _IDENTITY, bytes(74))


S390 = Board(
    "s390-ccw-virtio",
    frozenset({"s390x"}),
    {
        Ability.MEMORY: (Feature(),),
        Ability.CPU: (Feature(),),
        Ability.DUMP: (Feature(),),
        Ability.MORE_MEMORY: (Feature(),),
        Ability.CHANNELS: (Feature(),),
        Ability.DISABLED_WAIT: (_stop(CRASHED),),
        Ability.OFF: (_stop(_OFF),),
        Ability.RESET: (Feature(_reset, firmware=mainframe.OBEDIENT),),
        Ability.VIRTIO: (Feature(firmware=mainframe.OBEDIENT),),
        Ability.IDENTIFY: (Feature(_identify, firmware=mainframe.OBEDIENT),),
        Ability.NETWORK: (Feature(),),
        Ability.WATCHDOG: (
            Feature(
                lambda guest: mainframe.begin(guest, _START_WATCHDOG),
                device="diag288",
                options=("-icount", "shift=auto,sleep=off"),
                firmware=mainframe.OBEDIENT,
            ),
        ),
    },
    firmware="-kernel",
    idle=mainframe.IDLE,
    bus="ccw",
)
