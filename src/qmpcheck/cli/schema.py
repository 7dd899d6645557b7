"""Write the events of a spec, or one of them, as JSON Schema (draft 2020-12).

JSON Schema cannot say which event must follow another, and takes 1.0 for an integer; validate checks both.

Example: qmpcheck schema 10.0 SHUTDOWN
"""

from __future__ import annotations

import argparse
import json

from qmpcheck.checking import json_schema
from qmpcheck.cli import arguments, output
from qmpcheck.specs import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    arguments.add_spec_and_event(parser)
    output.add_output(parser)


def run(options: argparse.Namespace) -> int:
    output.prepare([options.spec], options.output)
    rule_base = catalogue.find(options.spec).rule_base
    if options.event:
        [(event, rule)] = arguments.chosen_events(rule_base, options.event).items()
        described = {"$schema": json_schema.DIALECT, **json_schema.of_event(event, rule)}
    else:
        described = json_schema.of_rule_base(rule_base)
    with output.opened(options.output) as out:
        out.write(json.dumps(described, indent=2) + "\n")
    return 0
