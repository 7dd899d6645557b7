"""Keep results from one run to the next (`--state`), so that only what is new or changed is checked."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice

from qmpcheck import atomicfile
from qmpcheck.checking.result import StreamResult
from qmpcheck.streams.stored_file import scheme
from qmpcheck.validation import rows
from qmpcheck.validation.recording import Recording
from qmpcheck.validation.tasks import CheckedRecording


class KeptResults:
    """Rows in a folder or at a URL, each with a key of a recording and its results.

    Each task adds a file, and never a part of one: whatever ends a run, the next one continues from there.
    Results of recordings that could not be read to their end are not kept.

    Args:
        place: the folder, which is created if necessary, or the URL.
        edition: a digest of what results depend on beside the recordings; rows of others are not touched.

    Attributes:
        damaged: the files of rows that could not be read; their recordings are checked again.

    Raises:
        OSError: the place cannot be read.
    """

    def __init__(self, place: str, edition: str) -> None:
        import sqlite3

        self.damaged: list[str] = []
        self._folder = f"{place.rstrip('/')}/{edition}"
        # In a temporary file that SQLite removes: the rows of a large fleet's year do not fit into memory.
        self._rows = sqlite3.connect("", check_same_thread=False)
        self._rows.execute("CREATE TABLE rows (key TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID")
        self._files = self._listed()
        for path in self._files:
            self._load(path)

    def known(self, recording: Recording) -> list[StreamResult] | None:
        """Return the results of a recording; None if it is new, or has changed since they were kept."""
        key = _key(recording)
        found = self._rows.execute("SELECT row FROM rows WHERE key = ?", (key,)).fetchone() if key else None
        return rows.load(found[0]) if found else None

    def keep(self, done: Iterable[CheckedRecording]) -> None:
        """Keep the results of recordings that were checked.

        Raises:
            OSError: they cannot be written.
        """
        new = [
            (key, rows.dump(each.results))
            for each in done
            if each.is_new and (key := _key(each.recording)) and all(map(_is_kept, each.results))
        ]
        if new:
            self._rows.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", new)
            self._files.append(self._write(new))

    def close(self) -> None:
        """Let go of the rows; the files stay."""
        self._rows.close()

    def compact(self) -> None:
        """Put many small files together in fewer large ones, at the end of a run.

        Raises:
            OSError: they cannot be written.
        """
        if len(self._files) > _MOST_FILES:
            old, self._files = self._files, []
            found = self._rows.execute("SELECT key, row FROM rows")
            while some := [*islice(found, _ROWS)]:
                self._files.append(self._write(some))
            for path in old:  # another run that is reading them checks again what it misses
                with suppress(FileNotFoundError):
                    _remove(path)

    def _listed(self) -> list[str]:
        try:
            if scheme(self._folder):
                from qmpcheck.streams import remote

                return [file.path for file in remote.listed(self._folder)]
            return [f"{self._folder}/{name}" for name in os.listdir(self._folder) if name.endswith(_SUFFIX)]
        except FileNotFoundError:
            return []

    def _load(self, path: str) -> None:
        try:
            lines = gzip.decompress(_read(path)).decode().splitlines()
            new = [line.split(" ", 1) for line in lines]
            self._rows.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", new)
        except FileNotFoundError:  # another run has put it together with others
            return
        # Whatever a damaged file contains, it must not stop the run: only a folder that cannot be read does.
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise
            self.damaged.append(path)

    def _write(self, new: Sequence[tuple[str, str]]) -> str:
        """Write a file of rows, and return its path, which no other run uses."""
        path = f"{self._folder}/{time.time_ns():x}-{os.urandom(4).hex()}{_SUFFIX}"
        data = gzip.compress("".join(f"{key} {row}\n" for key, row in new).encode(), 1)
        if scheme(path):
            from qmpcheck.streams import remote

            remote.write(path, data)
        else:
            os.makedirs(self._folder, exist_ok=True)
            with atomicfile.replacing(path) as file:
                file.write(data)
        return path


_SUFFIX = ".jsonl.gz"

_MOST_FILES, _ROWS = 100, 100_000
"""With more files than this, they are put together at the end of a run; rows in one file then."""


def _is_kept(result: StreamResult) -> bool:
    """Return whether to keep a result: not of a stream that another try may read, nor a timeline."""
    return not result.unreadable and result.timeline is None


def _read(path: str) -> bytes:
    if scheme(path):
        from qmpcheck.streams import remote

        return remote.read(path)
    with open(path, "rb") as file:
        return file.read()


def _remove(path: str) -> None:
    if scheme(path):
        from qmpcheck.streams import remote

        remote.remove(path)
    else:
        os.unlink(path)


def _key(recording: Recording) -> str:
    """Return the key of a recording; "" if nothing would show that one of its files changed."""
    if not all(file.mark for file in recording.files):
        return ""
    return digest([[(file.path, file.mark) for file in recording.files], recording.vm, recording.gaps])


def digest(value: object) -> str:
    """Return a short name for a JSON value, the same in each run."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
