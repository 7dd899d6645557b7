"""Write what is generated in README.md and docs/: the output of each example, and the reference pages.

    python reports/docs.py [--check]

With --check nothing is written; exits 1 if something is not up to date. An example is a block that begins
with "```console" and a command; what follows is what qmpcheck prints on standard output.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from argparse_manpage.manpage import Manpage

from qmpcheck.checking import command_rules, errata
from qmpcheck.cli import COMMANDS, full_parser
from qmpcheck.cli import main as qmpcheck
from qmpcheck.codes import CODES, Code

os.environ.update(XDG_DATA_HOME=os.devnull, QMPCHECK_RULES="")  # no releases that the user added

ROOT = Path(__file__).parents[1]

EXAMPLE = re.compile(r"(```console\n\$ qmpcheck (.*)\n)((?:.*\n)*?)```")


def with_output(page: str) -> str:
    """A page, with what qmpcheck prints now under each example."""
    return EXAMPLE.sub(lambda match: f"{match[1]}{_printed(match[2])}```", page)


def _printed(command: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):  # as a terminal shows it
        qmpcheck(shlex.split(command))
    return out.getvalue()


FAMILIES = {
    "QMP1": "Lines of a stream",
    "QMP2": "The payload of an event",
    "QMP3": "Messages over time",
    "QMP4": "A build in the gate",
    "QMP5": "Changes between specs",
    "QMP9": "Spec documents",
}


def codes_page() -> str:
    """The reference of codes, a section for each."""
    lines = [
        "# Codes",
        "",
        "`qmpcheck explain CODE` prints the same. A code is never reused.",
        "",
    ]
    family = ""
    for code, about in CODES.items():
        if FAMILIES[code[:4]] != family:
            family = FAMILIES[code[:4]]
            lines += [f"## {family}", ""]
        lines += [f"### {code}", "", *_code(about)]
    return "\n".join(lines)


def _code(about: Code) -> Iterator[str]:
    means, *others = about.paragraphs
    yield from (f"`{about.slug}`: {_level(about)}. {means}", "")
    for text in others:
        yield from (text, "")
    for title, text in about.examples:
        yield from (f"{title}:", "", "```", text.rstrip("\n"), "```", "")


def _level(about: Code) -> str:
    if about.change is None:
        return str(about.severity)
    return f"{about.change.tolerant} for a tolerant client, {about.change.strict} for a strict one"


def errata_page() -> str:
    """The known errata, and the rules about commands."""
    lines = [
        "# Errata and rules about commands",
        "",
        "In these situations, it is known that QEMU does not do what its spec says. A finding that an",
        "erratum covers is a warning that names the erratum; `--literal` switches errata off.",
        "[semantics.md](semantics.md#errata) says exactly what an erratum covers.",
        "",
    ]
    for each in errata.all_errata():
        recording = each.seen.recording
        lines += [f"## {each.id}", "", f"{each.event}. {each.happens}", ""]
        lines += [f"Seen in {each.seen.version}: [{recording}](../corpora/{recording}).", ""]
        if each.until:
            lines += [f"The last release that shows it is {each.until}.", ""]
    lines += ["# Rules about commands", "", "These are checked where a stream holds commands.", ""]
    lines += ["| rule | level | since | what |", "| --- | --- | --- | --- |"]
    for rule in command_rules.all_rules():
        text = command_rules.text(command_rules.of_newest(rule))
        lines.append(f"| `{rule.name}` | {rule.level} | {rule.since} | {text} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The help of each command."""
    lines = ["# Commands", "", "What `qmpcheck COMMAND --help` prints.", ""]
    for name, summary in COMMANDS.items():
        lines += [
            f"## {name}",
            "",
            f"{summary[0].upper()}{summary[1:]}.",
            "",
            "```",
            _help(name).rstrip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def _help(name: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        qmpcheck([name, "--help"])
    return out.getvalue()


def manual_page() -> str:
    """The manual page, for `man`."""
    text = str(Manpage(full_parser(), format="single-commands-section")) + "\n"
    return re.sub(r"^\.TH .*", '.TH QMPCHECK 1 "" qmpcheck "User commands"', text)


GENERATED = {
    "docs/codes.md": codes_page,
    "docs/errata.md": errata_page,
    "docs/commands.md": commands_page,
    "docs/qmpcheck.1": manual_page,
}


def _can_be_made(name: str) -> bool:
    """Whether this Python's argparse writes help as the one does that the pages were made with."""
    return name not in ("docs/commands.md", "docs/qmpcheck.1") or sys.version_info[:2] == (3, 11)


def made() -> dict[Path, str]:
    """What each page should hold."""
    pages = {ROOT / name: make() for name, make in GENERATED.items() if _can_be_made(name)}
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if str(path.relative_to(ROOT)) not in GENERATED:
            pages[path] = with_output(path.read_text())
    return pages


def main() -> int:
    os.chdir(ROOT)  # the examples name files from there
    is_check = sys.argv[1:] == ["--check"]
    old = {path: text for path, text in made().items() if not path.exists() or path.read_text() != text}
    for path, text in old.items():
        if is_check:
            print(f"{path.relative_to(ROOT)} is not up to date: run reports/docs.py")
        else:
            path.write_text(text)
    return int(bool(old) and is_check)


if __name__ == "__main__":
    sys.exit(main())
