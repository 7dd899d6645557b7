"""Where QEMU's own documents stand, for the tests that need them."""

import json
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "shared" / "specs"

needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason=f"QEMU's spec documents are not at {SPECS}")


def revisions() -> list[Path]:
    """All revisions of qmp-events.txt, oldest first."""
    return sorted((SPECS / "events-txt").glob("*.txt"))


def pages() -> list[tuple[str, Path, str]]:
    """Each document inside a saved page: its edition, the page, the plain file it was made from."""
    listed = json.loads((SPECS / "pages.json").read_text()) if SPECS.is_dir() else []
    return [
        (edition, SPECS / page["page"], original)
        for page in listed
        for edition, original in page["editions"].items()
    ]


def schemas() -> list[Path]:
    """The root files of all releases' schemas."""
    listed = json.loads((SPECS / "qapi.json").read_text()) if SPECS.is_dir() else []
    return [SPECS / "qapi" / shipped["release"] / shipped["root"] for shipped in listed]
