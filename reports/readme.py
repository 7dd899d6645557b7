"""Write the output of the README's examples anew, each as qmpcheck prints it now.

    python reports/readme.py [--check]

With --check nothing is written; exits 1 if an example is not what qmpcheck prints.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path

from qmpcheck.cli import main as qmpcheck

os.environ.update(XDG_DATA_HOME=os.devnull, QMPCHECK_RULES="")  # no releases that the user added

README = Path(__file__).parents[1] / "README.md"

_EXAMPLE = re.compile(r"(```console\n\$ qmpcheck (.*)\n)((?:.*\n)*?)```")


def printed(command: str) -> str:
    """What qmpcheck prints on standard output for a command."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        qmpcheck(command.split())
    return out.getvalue()


def main() -> int:
    os.chdir(README.parent)  # the examples name files from there
    text = README.read_text()
    made = _EXAMPLE.sub(lambda match: f"{match[1]}{printed(match[2])}```", text)
    if sys.argv[1:] == ["--check"]:
        print("README.md: an example is not up to date" if made != text else "README.md is up to date")
        return int(made != text)
    README.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
