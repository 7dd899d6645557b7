"""Write down which members of events libvirt reads, and which values it handles, in the syntax of --used-by.

    python clients/libvirt.py SOURCE [VERSION]          prints the list
    python clients/libvirt.py SOURCE [VERSION] --write  writes it to clients/libvirt-VERSION.txt
    python clients/libvirt.py SOURCE [VERSION] --check  exits 1 if that file is not what it should be

SOURCE is libvirt's source tree, or a tarball of one, such as the .orig.tar.xz that `apt-get source libvirt`
fetches. It follows the table of event handlers, each handler, and every function that one hands a JSON value
to; it knows nothing of single events. Its limits:

- A handler may serve several events, so a member can be listed that the event at hand does not have. Where no
  release has it, it is marked with `?`, and so are values of libvirt's own.
- It knows values by the enums that a string is looked up in, and by comparisons with a constant.
"""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from qmpcheck.drift import client_usage_list

HERE = Path(__file__).parent

HANDLERS = "src/qemu/qemu_monitor_json.c"
FILES = (HANDLERS, "src/qemu/qemu_monitor.c")
"""The file with the handlers, and another one with enums that they use."""

WIDTH = 56
"""Of the column of items."""

_VERSION = re.compile(r"^project\([^)]*?version: '([0-9.]+)'", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"eventHandlers\[\] = \{(.*?)\n\};", re.DOTALL)
_ROW = re.compile(r'\{ "([A-Z0-9_]+)", (\w+)')
_FUNCTION = re.compile(
    r"^(?:static [^\n(]*?)?\b(qemuMonitorJSON\w+)\(([^;{]*?)\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_ENUM = re.compile(r"VIR_ENUM_IMPL\((\w+),(.*?)\)\s*;", re.DOTALL)
_READ = re.compile(r'virJSONValueObject(?:Get|Steal)(\w*)\((\w+),\s*"([^"]+)"')
_CALL = re.compile(r"\b(qemuMonitorJSON\w+)\(([^;]*?)\)")


class Source(NamedTuple):
    """The text of libvirt's files, by their paths in the tree, and its version; "" where that is not told."""

    files: dict[str, str]
    version: str


class Place(NamedTuple):
    """A line in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Function(NamedTuple):
    """A function: the names of its parameters that are JSON values, its body, and where that begins."""

    name: str
    values: tuple[str, ...]
    body: str
    start: int


class Read(NamedTuple):
    """A member that is read: the path to it, the function that reads it, and where in its body.

    `variable` is the one that it is put into, "" for none; `kind` is what it is read as.
    """

    path: tuple[str, ...]
    function: Function
    position: int
    kind: str
    variable: str


def source(path: Path) -> Source:
    """The files of a source tree, or of a tarball of one."""
    wanted = (*FILES, "meson.build")
    if path.is_dir():
        texts = {name: (path / name).read_text() for name in wanted if (path / name).exists()}
    else:
        with tarfile.open(path) as tar:
            texts = {
                name: file.read().decode()
                for member in tar
                if (name := member.name.partition("/")[2]) in wanted and (file := tar.extractfile(member))
            }
    version = _VERSION.search(texts.pop("meson.build", ""))
    return Source(texts, version[1] if version else "")


class Libvirt:
    """What the handlers in libvirt's source read."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        self._text = files[HANDLERS]
        self._functions = {each.name: each for each in map(_function, _FUNCTION.finditer(self._text))}
        self._enums = {
            match[1]: (
                [*filter(None, re.findall(r'"([^"]*)"', match[2]))],
                Place(name, _line(text, match.start())),
            )
            for name, text in files.items()
            for match in _ENUM.finditer(text)
        }

    def items(self) -> Iterator[tuple[str, str]]:
        """Each item of the list, with where libvirt reads it."""
        table = _TABLE.search(self._text)
        if not table:
            raise SystemExit(f"{HANDLERS}: no table of event handlers in it")
        for row in _ROW.finditer(table[1]):
            reads: dict[tuple[str, ...], Read] = {}
            for read in self._reads(row[2], (), frozenset()):
                reads.setdefault(read.path, read)
            leaves = [
                read for path, read in reads.items() if not any(_is_above(path, each) for each in reads)
            ]
            if not leaves:
                yield f"{row[1]}!", f"{Place(HANDLERS, self._line(table.start(1) + row.start()))} {row[2]}"
            for read in leaves:
                yield from self._of(f"{row[1]}.{'.'.join(read.path)}", read)

    def _of(self, item: str, read: Read) -> Iterator[tuple[str, str]]:
        """A member, and the values of it that are handled."""
        yield item, f"{self._place(read.function, read.position)} {read.function.name}"
        if read.kind == "String" and read.variable:
            values = dict.fromkeys(self._values(read))
            yield from ((f"{item}={value}", where) for value, where in values)

    def _reads(self, name: str, path: tuple[str, ...], inside: frozenset[object]) -> Iterator[Read]:
        """What a function reads, where its JSON value stands at a path of the event's data."""
        function = self._functions.get(name)
        if function is None or (name, path) in inside:
            return
        where = dict.fromkeys(function.values, path)
        for match in _READ.finditer(function.body):
            kind, variable, key = match.groups()
            if variable in where:
                into = re.search(r"(\w+)\s*=\s*$", function.body[: match.start()])
                if into and kind in {"", "Object", "Array"}:
                    where[into[1]] = (*where[variable], key)
                after = re.match(r"\s*,\s*&([\w>.-]+)", function.body[match.end() :])
                target = into[1] if into else after[1] if after else ""
                yield Read((*where[variable], key), function, match.start(), kind, target)
        for call in _CALL.finditer(function.body):
            for argument in map(str.strip, call[2].split(",")):
                if argument in where:
                    yield from self._reads(call[1], where[argument], inside | {(name, path)})

    def _values(self, read: Read) -> Iterator[tuple[str, str]]:
        """The values that a string is looked up among, or compared with, before its variable changes."""
        body, begin = read.function.body, read.position + 1
        again = re.compile(rf"\b{re.escape(read.variable)}\s*=\s*virJSON").search(body, begin)
        end = again.start() if again else len(body)
        looked_up = re.compile(rf"(\w+)TypeFromString\(\s*{re.escape(read.variable)}\b").search(
            body, begin, end
        )
        if looked_up and looked_up[1] in self._enums:
            values, place = self._enums[looked_up[1]]
            yield from ((value, f"{place} {looked_up[1]}") for value in values)
        compared = re.compile(rf'STREQ\w*\(\s*{re.escape(read.variable)},\s*"([^"]+)"')
        for match in compared.finditer(body, begin, end):
            yield match[1], str(self._place(read.function, match.start()))

    def _place(self, function: Function, position: int) -> Place:
        return Place(HANDLERS, self._line(function.start + position))

    def _line(self, position: int) -> int:
        return _line(self._text, position)


def _function(match: re.Match[str]) -> Function:
    parameters = [each.strip() for each in match[2].split(",") if "virJSONValue" in each]
    names = [re.findall(r"(\w+)(?:\s+G_GNUC_UNUSED|\s+ATTRIBUTE_UNUSED)?$", each) for each in parameters]
    return Function(match[1], tuple(name for found in names for name in found), match[3], match.start(3))


def _is_above(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return path != other and other[: len(path)] == path


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def written(version: str, files: dict[str, str]) -> str:
    """The whole list."""
    lines = [
        f"# libvirt {version}: the members of QMP events that its handlers read, and the values they handle.",
        f"# Made by clients/libvirt.py from {HANDLERS}; each item with the place in libvirt's source.",
    ]
    for item, where in Libvirt(files).items():
        marked = item if client_usage_list.is_known(item) else f"{item}?"
        lines.append(f"{marked:<{WIDTH}} # {where}")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("version", nargs="?")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    options = parser.parse_args()
    files, told = source(options.source)
    version = options.version or told
    if HANDLERS not in files or not version:
        lacking = "the version is not told; name it" if HANDLERS in files else f"{HANDLERS} is not in it"
        print(f"{options.source}: {lacking}", file=sys.stderr)
        return 2
    text, path = written(version, files), HERE / f"libvirt-{version}.txt"
    if options.check:
        is_right = path.exists() and path.read_text() == text
        print(f"{path.name} {'is up to date' if is_right else 'is not what it should be'}")
        return 0 if is_right else 1
    if options.write:
        path.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
