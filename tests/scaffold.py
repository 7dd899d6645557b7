"""Create the folders of a new case: python tests/scaffold.py CODE NAME

NAME is the name of the case. For the first case of a code, that is the code's slug; a good case comes with it. The
command prints what to do next.
"""

import re
import sys
from pathlib import Path

CASES = Path(__file__).parent / "cases"

DOCUMENT = """LAMP_SWITCHED
-------------

Somebody moved the switch of a lamp.

Data:

- "lamp": which lamp (json-string)
- "state": the new position of the switch (json-string, "on" or "off")
"""
STREAM = (
    '{"timestamp": {"seconds": 1700000000, "microseconds": 5}, "event": "LAMP_SWITCHED", '
    '"data": {"lamp": "desk", "state": "on"}}\n'
)
FILES = {
    "123": {"spec": DOCUMENT, "stream.jsonl": STREAM},
    "5": {"old": DOCUMENT, "new": DOCUMENT},
    "9": {"spec": DOCUMENT},
}
"""What is in a case, by the digit after QMP."""

REGISTRY = {"1": "lines.py", "2": "payload.py", "3": "temporal.py", "5": "drift.py", "9": "documents.py"}

ALSO = {
    "1": ", and the remedy",
    "2": ", the remedy, and of an error the evidence: what another release must have to allow it",
    "3": ", the remedy, and of a rule the outcome",
    "5": ", and what change it is",
}
"""What an entry has besides. tests/test_codes.py fails if it is missing."""

CHECK = {
    "1": "in src/qmpcheck/checking/explain.py, and refuse the line in decoder.py: only refused lines are explained",
    "2": "in src/qmpcheck/checking/explain.py and json_schema.py; decoder.py must refuse the line: only refused lines are explained",
    "3": "in src/qmpcheck/checking/timestamps.py or monitors.py",
    "5": "in src/qmpcheck/drift/compare.py",
    "9": "in the reader of the document, or of the schema",
}

NEXT = """
Next ("A new code" in CONTRIBUTING.md says more):

1. If the code is new, write its entry in src/qmpcheck/codes/{registry}: slug, severity, meaning, reason, bad and good
   example{also}.
2. Edit {folder}, so that it gives {code}.
3. Write the check: {check}.
4. .venv/bin/pytest tests/test_cases.py -k {code} --update
5. Read each `expected` that this wrote: it is what users will see.
6. Run all of tests/test_cases.py: other cases may give {code} now, too.
"""


def main(code: str, name: str) -> str | None:
    """Create the folders; return what is wrong, or None."""
    group = re.fullmatch(r"QMP(\d)\d\d", code)
    files = next((files for digits, files in FILES.items() if group and group[1] in digits), None)
    if not group or files is None:
        return f"{code}: cases are for QMP1xx, 2xx, 3xx, 5xx and 9xx; QMP4xx is tested in tests/test_gate.py"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        return f"{name}: expected lower-case words with dashes between them, such as value-not-allowed"
    folder = CASES / code / name
    if folder.exists():
        return f"{folder}: exists already"
    for each in (folder, *([] if any(CASES.glob(f"{code}/good*")) else [CASES / code / "good"])):
        each.mkdir(parents=True)
        for file, text in files.items():
            (each / file).write_text(text)
            print(f"created {each.relative_to(CASES.parents[1]) / file}")
    print(
        NEXT.format(
            code=code,
            registry=REGISTRY[group[1]],
            also=ALSO.get(group[1], ""),
            folder=folder.relative_to(CASES.parents[1]),
            check=CHECK[group[1]],
        ),
        end="",
    )
    return None


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
