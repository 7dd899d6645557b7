"""The greeting of a release: the first message of each connection."""

from __future__ import annotations

from typing import Any

from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.version import Version, of_name

_VERSION_SINCE = (0, 13)
"""The first release that names its version in its greeting."""

_OUT_OF_BAND_SINCE = (4, 0)
"""The first release that offers out-of-band commands to everybody."""


def greeting(spec: Spec) -> dict[str, Any]:
    """Return what a QEMU of that release sends first; without a version if the spec is not a release's."""
    version = _version(spec)
    if version is None or version < _VERSION_SINCE:
        return {"QMP": {"capabilities": []}}
    numbers = {"micro": version.micro, "minor": version.minor, "major": version.major}
    capabilities = ["oob"] if version >= _OUT_OF_BAND_SINCE else []
    return {"QMP": {"version": {"qemu": numbers, "package": ""}, "capabilities": capabilities}}


def _version(spec: Spec) -> Version | None:
    """Return the version of a spec: with the patch level, if its name has one."""
    named = of_name(spec.name.removesuffix(":txt")) or spec.origin.version
    series = catalogue.series(spec)
    return named or (Version(*series) if series else None)
