"""The result of a stream that was joined from several files: findings with the file that they are in."""

from __future__ import annotations

import re

import msgspec

from qmpcheck.checking.monitors import REPLY_ON
from qmpcheck.checking.result import StreamResult
from qmpcheck.finding import Finding
from qmpcheck.streams.joined import JoinedFiles
from qmpcheck.text import safe
from qmpcheck.validation.recording import Recording


def placed(result: StreamResult, recording: Recording, file: object) -> StreamResult:
    """The result of files that were joined, each finding with its file and its line there."""
    why = result.why
    if isinstance(file, JoinedFiles):
        result = result._replace(listed=tuple(_placed(each, file) for each in result.listed))
        if result.timeline:
            result = result._replace(timeline=result.timeline._replace(files=file.begins))
        if any(seam.is_gap for seam in file.seams):
            why = "; ".join(filter(None, (why, _MAY_LACK_FILES)))
    vm = result.vm or recording.vm
    return result._replace(files=tuple(each.path for each in recording.files), vm=vm, why=why)


_MAY_LACK_FILES = (
    "files may be missing between those that were joined: what was open there can only be pending"
)


def _placed(finding: Finding, files: JoinedFiles) -> Finding:
    """A finding, with the file that it is in and its line there."""
    path, line = files.place(finding.line)
    message, searched = finding.message, finding.searched
    if searched:
        other, searched = files.place(searched)
        if other != path:
            message, searched = f"{message} (searched up to line {searched} of {safe(other)})", None
    message = _REPLY.sub(lambda match: match[1] + _named_line(files, path, int(match[2])), message, count=1)
    return msgspec.structs.replace(finding, file=path, line=line, message=message, searched=searched)


_REPLY = re.compile(rf"(\({REPLY_ON})(\d{{1,15}})(?=\))")
"""What findings about commands say of another line."""


def _named_line(files: JoinedFiles, path: str, line: int) -> str:
    """A line of the whole by its number in its file, which is named if it is not the one at `path`."""
    other, number = files.place(line)
    return str(number) if other == path else f"{number} of {safe(other)}"
