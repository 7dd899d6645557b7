"""`--spec auto`: the release that the streams themselves name."""

from __future__ import annotations

from collections.abc import Sequence

from qmpcheck import catalogue
from qmpcheck.catalogue import Spec
from qmpcheck.printable import safe
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import greeting
from qmpcheck.streams.source import Unreadable
from qmpcheck.version import Version


def spec(paths: Sequence[str], follow: bool) -> Spec:
    """The spec of the one release that all streams' first greetings are of.

    Args:
        paths: of the streams.
        follow: whether they are still being written: then the first line is waited for, and decides.

    Raises:
        SpecError: one tells no version, they tell several, or the catalogue does not have the release.
    """
    versions = [(path, _version(path, follow)) for path in paths]
    if len({version.release for _, version in versions}) > 1:
        each = ", ".join(f"{safe(path)}: {version}" for path, version in versions)
        raise SpecError(f"the streams are of several releases ({each}); name a spec")
    return catalogue.of_version(versions[0][1])


def _version(path: str, follow: bool) -> Version:
    try:
        version = greeting.of_first_line(path) if follow else greeting.of_stream(path)
    except Unreadable as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    if version is None:
        raise SpecError(f"{safe(path)}: no greeting that tells the version; name a spec")
    return version
