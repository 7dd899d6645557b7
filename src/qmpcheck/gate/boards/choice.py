"""The board on which a scenario is played."""

from __future__ import annotations

from collections.abc import Sequence

from qmpcheck.gate.board import Ability, Board, Feature, Need, Setting
from qmpcheck.gate.boards import pc, pseries, s390, virt
from qmpcheck.gate.build import Build
from qmpcheck.gate.failure import LACKS, Failure

BOARDS = (pc.PC, pc.Q35, virt.ARM, virt.ARM_32, virt.RISCV, s390.S390, pseries.PSERIES, pc.MICROVM, pc.NONE)
"""All that are known; the first that has what a scenario needs is taken."""


def choose(build: Build, needs: Sequence[Need]) -> Setting:
    """The board that a scenario is played on, by what the build says of itself.

    Raises:
        Failure: no board of the build has all that the scenario needs.
    """
    reasons: list[str] = []
    for board in BOARDS:
        if _is_in(build, board):
            lacking = [need for need in (*_to_run(board), *needs) if not _has(build, board, need)]
            if not lacking:
                abilities = [need for need in needs if isinstance(need, Ability)]
                return Setting(build, board, {each: _ways(build, board, each)[0] for each in abilities})
            reasons.append(_named(board, lacking[0]))
    raise Failure(LACKS, reasons[0] if reasons else "a machine")


def bare(build: Build) -> Setting:
    """What a scenario is played on that needs no board."""
    return Setting(build, pc.NONE)


def _is_in(build: Build, board: Board) -> bool:
    return board.type in build.machines and (not board.targets or build.target in board.targets)


def _to_run(board: Board) -> tuple[Need, ...]:
    """What a board with a CPU needs."""
    return (_ACCELERATOR,) if board.firmware else ()


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


def _named(board: Board, need: Need) -> str:
    """What a board lacks, for a reader."""
    if isinstance(need, Ability):
        return f"{need.value} on {board.type}"
    return "the accelerator tcg" if need == _ACCELERATOR else f"the device {_type(board, need)}"
