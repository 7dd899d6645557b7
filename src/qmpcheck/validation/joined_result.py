"""The result of a stream that was joined from several files: findings with the file that they are in."""

from __future__ import annotations

import msgspec

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
    message, carries, reply, searched = finding.message, finding.carries, finding.reply, finding.searched
    # A line in another file is named with that file, in words.
    if reply is not None:
        other, reply = files.place(reply)
        if other != path:
            message, reply = f"{message} (its reply is on line {reply} of {safe(other)})", None
    if searched is not None:
        other, searched = files.place(searched)
        if other != path:
            carries, searched = f"{carries} (searched up to line {searched} of {safe(other)})", None
    return msgspec.structs.replace(
        finding, file=path, line=line, message=message, carries=carries, reply=reply, searched=searched
    )
