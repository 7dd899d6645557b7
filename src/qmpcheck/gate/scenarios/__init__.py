"""The scenarios, by theme."""

from __future__ import annotations

from qmpcheck.gate.scenario import Scenario
from qmpcheck.gate.scenarios import blocks, devices, jobs, migration, network, power

ALL: tuple[Scenario, ...] = (
    *power.SCENARIOS,
    *devices.SCENARIOS,
    *blocks.SCENARIOS,
    *jobs.SCENARIOS,
    *network.SCENARIOS,
    *migration.SCENARIOS,
)
"""All scenarios, in the order of reports."""
