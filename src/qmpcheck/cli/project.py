"""Find out whether a project may have a configuration.

Apart from `config`, which takes longer to import than most commands to run, and is imported only if there is
a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

FILE, PROJECT = "qmpcheck.toml", "pyproject.toml"


def folders() -> Iterator[str]:
    """Yield the current directory and those above, up to the one with a `.git`."""
    try:
        folder = os.getcwd()
    except OSError:  # it was removed
        return
    above = ""
    while folder != above:
        yield folder
        if os.path.exists(os.path.join(folder, ".git")):
            return
        folder, above = os.path.dirname(folder), folder


def may_be_configured() -> bool:
    """Return whether there is a file that may have a configuration."""
    return any(
        os.path.lexists(os.path.join(folder, name)) for folder in folders() for name in (FILE, PROJECT)
    )
