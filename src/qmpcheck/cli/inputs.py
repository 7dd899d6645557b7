"""The files that a command reads: what the paths, folders, patterns and URLs that it was given mean."""

from __future__ import annotations

from collections.abc import Iterator

from qmpcheck.cli.messages import tell
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import listing
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.text import reason_of, safe
from qmpcheck.wording import MOST_NAMED, first_of


def files(path: str) -> Iterator[StoredFile]:
    """The files that a path means, as they are found; then say which in a folder were not read.

    Raises:
        SpecError: it means no file, or a folder or a URL cannot be read.
    """
    others: list[str] = []
    number = 0

    def pass_over(other: str) -> None:
        nonlocal number
        number += 1
        if len(others) < MOST_NAMED:
            others.append(safe(other))

    try:
        yield from listing.listed(path, pass_over)
    except listing.NothingListed as error:
        raise SpecError(f"{safe(path)}: {error}") from None
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    if number:
        names = first_of(others, number - len(others))
        tell(f"{safe(path)}: skipped files whose names do not end like those of recordings or logs: {names}")
