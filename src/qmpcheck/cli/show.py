"""Show the rules of a spec, each with its line in the spec's document."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from tabulate import tabulate

from qmpcheck import catalogue, rulebase
from qmpcheck.catalogue import SpecError
from qmpcheck.printable import name, quoted, safe, step
from qmpcheck.rulebase import EventRule, RuleBase
from qmpcheck.wording import alternatives, follow_up_text

_Row = tuple[str, str, str, int | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC")
    parser.add_argument("event", nargs="?", metavar="EVENT")


def run(options: argparse.Namespace) -> int:
    spec = catalogue.find(options.spec)
    events = _chosen(spec.rule_base, options.event) if options.event else spec.rule_base.events
    rows = [row for event, rule in events.items() for row in _event_rows(event, rule)]
    print(tabulate(rows, headers=("event", "what", "rule", "line"), disable_numparse=True))
    return 0


def _chosen(rule_base: RuleBase, event: str) -> dict[str, EventRule]:
    if event in rule_base.events:
        return {event: rule_base.events[event]}
    near = catalogue.near_names(event, rule_base.events)
    raise SpecError(
        f"the spec has no event {quoted(event)}" + (f" (near: {', '.join(near)})" if near else "")
    )


def _event_rows(event: str, rule: EventRule) -> Iterator[_Row]:
    payload = [*_member_rows(rule.data, "data")]
    said = "" if payload else _type(rule.data) if rule.data.open else "no data"
    yield name(event), "event", said, rule.line
    yield from payload
    for follow_up in rule.follow_ups:
        yield "", "follow-up", follow_up_text(follow_up), follow_up.line
    if rule.rate_limit:
        each = " and ".join(map(name, rule.rate_limit.key))
        yield "", "rate limit", "once a second" + (f" for each {each}" if each else ""), rule.rate_limit.line


def _member_rows(payload: rulebase.Object, above: str) -> Iterator[_Row]:
    for member in payload.members:
        path = step(above, member.name)
        yield "", path, _type(member.type) + (", optional" if member.optional else ""), member.line
        if isinstance(member.type, rulebase.Object):
            yield from _member_rows(member.type, path)


def _type(described: rulebase.Type) -> str:
    match described:
        case rulebase.Enum(values):
            return alternatives([*map(quoted, values)])
        case rulebase.String(known):
            return f"string, such as {', '.join(map(quoted, known))}" if known else "string"
        case rulebase.Any(of):
            return f"any ({safe(of)} is described elsewhere)" if of else "any"
        case rulebase.Object(_, True, of):
            return (
                f"object of any members ({safe(of)} is described elsewhere)"
                if of
                else "object of any members"
            )
        case rulebase.Array(items):
            return f"list of {_type(items)}"
        case _:
            return type(described).__name__.lower()
