"""The boards, and which of them a scenario is played on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qmpcheck.gate.board import Ability, Board, Feature, Need, Setting
from qmpcheck.gate.boards import pc, pseries, s390, virt
from qmpcheck.gate.build import Build
from qmpcheck.gate.failure import LACKS, Failure
from qmpcheck.wording import alternatives

BOARDS = (pc.PC, pc.Q35, virt.ARM, virt.ARM_32, virt.RISCV, s390.S390, pseries.PSERIES, pc.MICROVM, pc.NONE)
"""All boards, in the order in which they are preferred."""


def choose(build: Build, needs: Sequence[Need]) -> Setting:
    """The first board that has what a scenario needs, by what the build says about itself.

    Raises:
        Failure: no board of the build has all that the scenario needs.
    """
    abilities = [need for need in needs if isinstance(need, Ability)]
    lacking: list[tuple[int, str]] = []
    for board in BOARDS:
        if board.type not in build.machines or (board.targets and build.target not in board.targets):
            continue
        # A board with a CPU needs something to run it, whatever the scenario.
        to_run = (_ACCELERATOR,) if board.firmware else ()
        lacks = [need for need in (*to_run, *needs) if not _has(build, board, need)]
        if not lacks:
            return Setting(build, board, {each: _ways(build, board, each)[0] for each in abilities})
        never = sum(each not in board.features for each in abilities)
        lacking.append((never, _named(build, board, lacks[0])))
    a_board = f"the machine type {_any_of(each.type for each in BOARDS)}"
    # The reason is that of the board that would do if the build had all devices, or comes next to that.
    _, reason = min(lacking, key=lambda each: each[0], default=(0, a_board))
    raise Failure(LACKS, reason)


def bare(build: Build) -> Setting:
    """The setting of a scenario that needs no board."""
    return Setting(build, pc.NONE)


_ACCELERATOR = "tcg-accel"


def _has(build: Build, board: Board, need: Need) -> bool:
    if isinstance(need, Ability):
        return bool(_ways(build, board, need))
    return _type(board, need) in build.types


def _ways(build: Build, board: Board, ability: Ability) -> list[Feature]:
    """The ways in which a board of a build has an ability."""
    ways = board.features.get(ability, ())
    known = [feature for feature in ways if build.version >= feature.since]
    return [feature for feature in known if not feature.type or feature.type in build.types]


def _type(board: Board, need: str) -> str:
    return need.replace("{bus}", board.bus)


def _named(build: Build, board: Board, need: Need) -> str:
    """What a board of a build lacks, in the words of somebody who configures QEMU."""
    if isinstance(need, str):
        return "the accelerator tcg" if need == _ACCELERATOR else f"the device {_type(board, need)}"
    ways = board.features.get(need, ())
    late = [way for way in ways if build.version < way.since]
    others = [each for each in BOARDS if need in each.features]
    if late:
        return "{} on {} (since {}.{})".format(need.value, board.type, *late[0].since)
    if ways:
        return f"the device {_any_of(way.type for way in ways)}"
    if any(each.type in build.machines for each in others):  # of another target, or without a device
        return f"{need.value} on {board.type}"
    return f"the machine type {_any_of(each.type for each in others)}"


def _any_of(names: Iterable[str]) -> str:
    return alternatives([*dict.fromkeys(names)])
