"""Folders of data files: in the installed package, or beside `src` in a checkout."""

import functools
import os


@functools.cache
def folder(name: str) -> str:
    """Return the path of the folder `rules` or `clients`."""
    package = os.path.dirname(__file__)
    installed = os.path.join(package, name)
    return installed if os.path.isdir(installed) else os.path.join(package, "..", "..", name)
