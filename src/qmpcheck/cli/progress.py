"""Show a progress bar in bytes, with the number of files and of findings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm

from qmpcheck.validation.tasks import CheckedRecording


class ProgressBar:
    """A bar, and the counts that it shows.

    Attributes:
        advance: takes how many more bytes were checked.
    """

    def __init__(self, shown: tqdm[NoReturn]) -> None:
        self._shown = shown
        self.advance = shown.update
        self._files = self._findings = 0

    def done(self, done: CheckedRecording, counts_bytes: bool) -> None:
        """Count a recording that was checked.

        Args:
            done: the recording.
            counts_bytes: whether its bytes are counted now, as another process checked it; otherwise
            `advance`
                has counted them.
        """
        self._files += len(done.recording.files)
        self._findings += sum(each.counts.total() for each in done.results)
        self._shown.set_postfix_str(f"{self._files} files, {self._findings} findings", refresh=False)
        if counts_bytes or not done.is_new:
            self._shown.update(done.recording.size)


@contextmanager
def bar(total: int | None) -> Iterator[ProgressBar]:
    """Show a bar after a second, until the end; `total` is in bytes, None if it is unknown."""
    with tqdm(total=total, unit="B", unit_scale=True, delay=1, leave=False, file=sys.stderr) as shown:
        yield ProgressBar(shown)
