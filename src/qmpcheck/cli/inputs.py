"""The files that a command reads: what the paths, folders, patterns and URLs that it was given mean."""

from __future__ import annotations

from collections.abc import Iterator

from qmpcheck.rulebase import SpecError
from qmpcheck.streams import listing
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.text import safe


def files(path: str) -> Iterator[StoredFile]:
    """The files that a path means, as they are found.

    Raises:
        SpecError: it means no file, or a folder or a URL cannot be read.
    """
    try:
        yield from listing.listed(path)
    except listing.NothingListed as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    except OSError as error:
        raise SpecError(f"{safe(path)}: {error.strerror or error}") from None
