"""Show the settings that commands in this folder use, and the configuration file that they come from.

That is the first qmpcheck.toml, or pyproject.toml with [tool.qmpcheck], in the current folder or above it, up
to the folder that has a .git. --schema writes the JSON Schema of qmpcheck.toml, for editors.

Example: qmpcheck show-settings
"""

from __future__ import annotations

import argparse
import json

import msgspec

from qmpcheck.cli import config
from qmpcheck.text import safe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--schema", action="store_true", help="write the JSON Schema of qmpcheck.toml, for editors"
    )


def run(options: argparse.Namespace) -> int:
    if options.schema:
        print(json.dumps(schema(), indent=1))
        return 0
    file = config.found()
    config.defaults(config.KEYS)  # raises an error if something in the file is wrong
    print(f"{safe(file.path)}:" if file else "no configuration file; the defaults:")
    settings = file.settings if file else {}
    defaults = msgspec.to_builtins(config.ConfigSettings())
    for key in config.KEYS:
        if key in settings:
            print(f"  {key:11}{safe(json.dumps(settings[key], ensure_ascii=False))}")
        else:
            print(f"  {key:11}{json.dumps(defaults[key]) if key in defaults else 'not set'} (default)")
    return 0


def schema() -> dict[str, object]:
    """Return the JSON Schema of a configuration file."""
    return msgspec.json.schema(config.ConfigSettings)
