"""Begin a log format: python tests/scaffold_log_format.py NAME

It writes a module that works, its row in the list of formats, and a case, and prints what is left to do.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FORMATS, CASES = Path("src/qmpcheck/streams/formats"), Path("tests/cases/formats")
ROWS = FORMATS / "__init__.py"

MODULE = '''"""The log of NAME: its name, a colon and the message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qmpcheck.streams.blocks import Block
from qmpcheck.streams.formats import json
from qmpcheck.streams.formats.message import Batch
from qmpcheck.streams.formats.objects import at_line_start

_BEFORE = re.compile(rb"NAME: \\{")
_HEAD = re.compile(rb'^NAME: \\{"', re.MULTILINE)


def recognises(head: bytes) -> bool:
    """Return whether a line has the name and an object."""
    return _HEAD.search(head) is not None


def messages(blocks: Iterable[Block]) -> Iterator[Batch]:
    """Yield the messages of each block."""
    return json.found_by(at_line_start(b": {", _BEFORE), blocks)
'''

MESSAGES = (
    ("<", '{"QMP": {"version": {"qemu": {"micro": 2, "minor": 1, "major": 9}}, "capabilities": []}}'),
    (">", '{"execute": "stop"}'),
    ("<", '{"timestamp": {"seconds": 1700000000, "microseconds": 1}, "event": "STOP"}'),
    ("<", '{"return": {}}'),
)
"""What a session consists of, received or sent."""

NEXT = """
Next ("A log format" in CONTRIBUTING.md says more):

1. Put lines of a real log into {case}/input.log, and write by hand what is in them into {case}/expected.
2. Read them in {module}.
3. Say in the row of {rows} what the format loses.
4. Add a section and a row to docs/logs.md, and an entry to CHANGELOG.md.
5. .venv/bin/pytest tests/test_formats.py tests/test_formats_fuzz.py
"""


def main(name: str, root: Path = ROOT) -> str | None:
    """Create the files in a checkout; return what is wrong, or None."""
    module, case = FORMATS / f"{name.replace('-', '_')}.py", CASES / name
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return f"{name}: expected lower-case words with dashes between them"
    for path in (module, case):
        if (root / path).exists():
            return f"{path}: exists already"
    (root / module).write_text(MODULE.replace("NAME", name))
    (root / case).mkdir(parents=True)
    (root / case / "input.log").write_text("".join(f"{name}: {text}\n" for _, text in MESSAGES))
    lines = [f"{at} {way} [] {text}\n" for at, (way, text) in enumerate(MESSAGES, 1)]
    (root / case / "expected").write_text("".join([f"{name}\n", *lines]))
    rows = (root / ROWS).read_text()
    last = (
        '    Format("prefixed", '  # it and the one after it find messages in any text, so they stay the last
    )
    (root / ROWS).write_text(rows.replace(last, f'    Format("{name}", "the log of {name}"),\n{last}'))
    print(f"created {module} and {case}, and added a row to {ROWS}")
    print(NEXT.format(module=module, case=case, rows=ROWS), end="")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
