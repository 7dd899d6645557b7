"""QEMU source trees: a folder, a tarball, or a revision in a git repository.

From a tarball or a revision, only the files that a spec is read from are unpacked, into a temporary folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import NamedTuple

from qmpcheck.rulebase import SpecError
from qmpcheck.text import one_line, quoted, reason_of, safe
from qmpcheck.version import Version, of_name

SCHEMA = "qapi-schema.json"
"""The name of a schema's root file, in `qapi/` or, up to 3.0, at the top of the tree."""

SCHEMAS = (f"qapi/{SCHEMA}", SCHEMA)
TEXTS = ("docs/qmp-events.txt", "docs/qmp/qmp-events.txt", "QMP/qmp-events.txt")
"""Where the root file and the event document were at any time."""

FIRST_WITH_EVENTS = Version(2, 1)
"""The first version whose schema describes events; earlier ones were written in an older language."""

GIT = "git:"
"""What the name of a revision in a git repository begins with."""

TARBALL = re.compile(r"\.(?:tar(?:\.(?:gz|bz2|xz))?|tgz|tbz2?|txz)$")

_FILE = rf"(?:VERSION|qapi/[^/]+\.json|{'|'.join(map(re.escape, (SCHEMA, *TEXTS)))})"
"""The path of a file that a spec or the version is read from."""

_WANTED = re.compile(rf"(?:\./)?((?:(?!\.\.?/)[^/]+/)?{_FILE})")
"""The path of such a file in a tarball; most have a folder around the tree."""

_LARGEST = 1 << 22
"""The largest size of a file, in bytes; QEMU's largest has a fifteenth of that."""


class Tree(NamedTuple):
    """A source tree.

    Attributes:
        folder: where its files are, or at least those that a spec is read from.
        date: when its revision was committed, or else when its file VERSION was made, YYYY-MM-DD; "" if
            neither is known.
        commit: its revision's full name; "" if that is not known.
    """

    folder: str
    date: str = ""
    commit: str = ""

    @property
    def version(self) -> Version | None:
        """The version in its file VERSION; None if there is none."""
        try:
            with open(os.path.join(self.folder, "VERSION"), encoding="utf-8", errors="replace") as file:
                return of_name(file.read(_LARGEST).strip())
        except OSError:
            return None

    def roots(self) -> list[str]:
        """Return the paths of its schema's root file and its event document, as far as they have a spec."""
        names = TEXTS if self.version and self.version < FIRST_WITH_EVENTS else (*SCHEMAS, *TEXTS)
        return [path for name in names if os.path.isfile(path := os.path.join(self.folder, name))]


@contextmanager
def opened(name: str) -> Iterator[Tree | None]:
    """Yield the source tree that a name means; None if it means something else.

    Args:
        name: a folder, a tarball, or `git:REV` or `git:REPO@REV`.

    Raises:
        SpecError: the tree cannot be read.
    """
    if name.startswith(GIT):
        with _of_git(name.removeprefix(GIT)) as tree:
            yield tree
    elif os.path.isdir(name):
        yield of_folder(name)
    elif TARBALL.search(name):
        with _of_tarball(name) as tree:
            yield tree
    else:
        yield None


def of_folder(folder: str) -> Tree:
    """Return the source tree in a folder; its `qapi` folder will do, too."""
    above = os.path.join(folder, os.pardir)
    if os.path.basename(os.path.abspath(folder)) == "qapi" and Tree(above).roots():
        folder = above
    if os.path.exists(os.path.join(folder, ".git")) and shutil.which("git"):
        try:
            commit, date = _commit(folder, "HEAD")
        except SpecError:  # no commit yet, or a repository of somebody else's
            return Tree(folder)
        return Tree(folder, date, commit)
    return Tree(folder, _date_of(os.path.join(folder, "VERSION")))


def _date_of(path: str) -> str:
    if not os.path.exists(path):
        return ""
    return datetime.fromtimestamp(os.stat(path).st_mtime, timezone.utc).date().isoformat()


@contextmanager
def _of_tarball(path: str) -> Iterator[Tree]:
    """Yield the source tree in a tarball.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        with tarfile.open(path) as tar, _unpacked(tar) as folder:
            # Most tarballs have a folder around the tree.
            top = folder if Tree(folder).roots() else os.path.join(folder, *os.listdir(folder)[:1])
            yield Tree(top, _date_of(os.path.join(top, "VERSION")))
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SpecError(f"{safe(path)}: {one_line(reason_of(error))}") from None


@contextmanager
def _of_git(name: str) -> Iterator[Tree]:
    """Yield the source tree of a git revision.

    Args:
        name: `REV` in the repository of the current directory, or `REPO@REV`.

    Raises:
        SpecError: there is no such revision, or it has no file with a spec.
    """
    repository, revision = _parted(name)
    commit, date = _commit(repository, revision)
    listed = _git(repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    names = [each for each in listed.decode("utf-8", "replace").split("\0") if re.fullmatch(_FILE, each)]
    if not names:
        raise SpecError(f"git:{safe(name)}: no QEMU source tree: it has neither {SCHEMA} nor qmp-events.txt")
    archive = _git(repository, "-C", _top(repository), "archive", "--format=tar", commit, "--", *names)
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        file.seek(0)
        with tarfile.open(fileobj=file) as tar, _unpacked(tar) as folder:
            yield Tree(folder, date, commit)


def _parted(name: str) -> tuple[str, str]:
    """Return the repository and the revision; both may have `@` in their names."""
    # The folder ends at the first @ before which there is one.
    for at in (match.start() for match in re.finditer("@", name)):
        if at and os.path.isdir(name[:at]):
            return name[:at], name[at + 1 :] or "HEAD"
    return os.curdir, name


def _top(repository: str) -> str:
    """Return the folder that paths in an archive are relative to."""
    bare = _git(repository, "rev-parse", "--is-bare-repository").strip() == b"true"
    return os.curdir if bare else os.fsdecode(_git(repository, "rev-parse", "--show-toplevel")).strip("\n")


def _commit(repository: str, revision: str) -> tuple[str, str]:
    """Return the full name of a revision's commit, and its date."""
    output = _git(
        repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    commit = output.decode().strip()
    return commit, _git(repository, "show", "-s", "--format=%cs", commit).decode().strip()


def _git(repository: str, *arguments: str) -> bytes:
    """Run git, and return what it prints.

    Raises:
        SpecError: it fails, or is not installed.
    """
    command = ["git", "-C", repository, *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 -- not through a shell; a revision is no option of git's
    except FileNotFoundError:
        raise SpecError("git is not installed; name a source tree or a tarball") from None
    except ValueError as error:  # a null character
        raise SpecError(str(error)) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        what = arguments[-1].removesuffix("^{commit}")
        hint = ", and no folder of a repository before the @" * ("@" in what)
        if said.startswith("not a git repository"):
            said += "; run it in a QEMU checkout, or name one: git:~/src/qemu@master"
        reason = said or f"there is no revision {quoted(what)}{hint}"
        raise SpecError(f"git, in {safe(os.path.abspath(repository))}: {one_line(reason)}")
    return done.stdout


@contextmanager
def _unpacked(tar: tarfile.TarFile) -> Iterator[str]:
    """Yield a temporary folder with the files of an archive that a spec is read from."""
    with tempfile.TemporaryDirectory(prefix="qmpcheck-") as folder:
        for member in tar:
            match = _WANTED.fullmatch(member.name)
            file = tar.extractfile(member) if match and member.isfile() and member.size <= _LARGEST else None
            if match and file:
                path = os.path.join(folder, match[1])
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as copy:
                    shutil.copyfileobj(file, copy)
                os.utime(path, (member.mtime, member.mtime))  # the time of VERSION dates the spec
        yield folder
