"""Find the files that a command reads, by the paths, folders, patterns and URLs on its command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from qmpcheck.cli.messages import notify
from qmpcheck.rulebase import SpecError
from qmpcheck.streams import listing
from qmpcheck.streams.stored_file import StoredFile
from qmpcheck.text import reason_of, safe
from qmpcheck.wording import MOST_NAMED, first_of


def files(path: str) -> Iterator[StoredFile]:
    """Yield the files that a path means; at the end, print the names of those in a folder that were skipped.

    Raises:
        SpecError: the path means no file, or a folder or a URL cannot be read.
    """
    skipped: dict[str, list[str]] = {}
    number: Counter[str] = Counter()

    def skip(other: str, kind: str) -> None:
        number[kind] += 1
        some = skipped.setdefault(kind, [])
        if len(some) < MOST_NAMED:
            some.append(safe(other))

    def notify_of_skipped() -> None:
        for kind, some in skipped.items():
            notify(f"{safe(path)}: skipped {kind}: {first_of(some, number[kind] - len(some))}")

    try:
        yield from listing.listed(path, skip)
    except listing.NothingListed as error:
        notify_of_skipped()
        raise SpecError(f"{safe(path)}: {error}") from None
    except OSError as error:
        raise SpecError(f"{safe(path)}: {reason_of(error)}") from None
    notify_of_skipped()
