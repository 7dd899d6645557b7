"""Make streams that break one rule each, with what a checker must find in them: tests for checkers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qmpcheck.checking import errata
from qmpcheck.checking.temporal_rule import RESUME, STOP, TemporalRule, follow_ups, options_with_follow_ups
from qmpcheck.checking.timestamps import ALLOWANCE, PERIOD, limits_of, sent_late
from qmpcheck.generating.faults import faults
from qmpcheck.generating.stream import GeneratedMessage, Generation, encoded
from qmpcheck.keypath import KeyPath
from qmpcheck.rulebase import RateLimit, RuleBase
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.messages import MICROSECONDS

Stories = Sequence[Sequence[GeneratedMessage]]
"""The messages of a conforming stream, story by story."""


class Mutant(NamedTuple):
    """A stream that breaks one rule.

    Attributes:
        code: of the finding that `validate` must make; it must make no finding of another code.
        line: the line that the finding is about, from 1.
        event: the event that it is about, "" for none.
        path: the path of the finding.
        what: what was done to a conforming stream.
        lines: the stream; the last line ends with a newline, unless `is_cut`.
        options: the options that `validate` needs to find it.
        is_cut: whether the stream ends within its last line.
    """

    code: str
    line: int
    event: str
    path: KeyPath
    what: str
    lines: Sequence[bytes]
    options: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def text(self) -> bytes:
        """The whole stream."""
        return b"\n".join(self.lines) + (b"" if self.is_cut else b"\n")


def mutants(spec: Spec, stories: Stories) -> Iterator[Mutant]:
    """Yield streams that break one of the rules that some stories keep.

    Args:
        spec: the spec.
        stories: as `Generation.by_story` yields them, the first one with a greeting.
    """
    greeting = stories[0][0]
    stories = [[message for message in story if "event" in message] for story in stories]
    yield from _of_lines(greeting, stories, spec.rule_base)
    yield from _of_payloads(greeting, stories, spec.rule_base)
    yield from _of_deprecated(spec)
    yield from _of_follow_ups(greeting, stories, spec.rule_base)
    yield from _of_times(greeting, stories, spec.rule_base)


def _stream(*messages: GeneratedMessage) -> list[bytes]:
    return [*map(encoded, messages)]


# One line


def _of_lines(greeting: GeneratedMessage, stories: Stories, rules: RuleBase) -> Iterator[Mutant]:
    """Yield streams with a broken line between an event that nothing must follow and the same event again."""
    triggers = {event for event, rule in rules.events.items() if rule.follow_ups}
    alone = [story[0] for story in stories if len(story) == 1 and story[0]["event"] not in triggers]
    if not alone:
        return
    event = alone[0]
    name, line, clock = event["event"], encoded(event), event["timestamp"]
    without = {key: event[key] for key in event if key != "timestamp"}
    seconds, microseconds = ("timestamp", "seconds"), ("timestamp", "microseconds")
    for code, path, what, broken in (
        ("QMP101", (), "the line is cut in the middle", line[: len(line) // 2]),
        ("QMP101", (), "a comma after the last member", line[:-1] + b",}"),
        ("QMP101", (), "a byte that is not UTF-8", line.replace(b'"event"', b'"ev\xffent"')),
        ("QMP102", (), "the event is in a list", b"[" + line + b"]"),
        ("QMP103", (), "the key is called happened, not event", line.replace(b'"event"', b'"happened"')),
        ("QMP103", ("event",), "the event's name is a number", encoded(event | {"event": 7})),
        ("QMP104", ("timestamp",), "the timestamp is removed", encoded(without)),
        ("QMP104", ("timestamp",), "the timestamp is a number", encoded(event | {"timestamp": 1700000000})),
        *(
            ("QMP104", path, what, encoded(event | {"timestamp": clock | {path[-1]: value}}))
            for path, what, value in (
                (seconds, "the seconds are a string", "1700000000"),
                (seconds, "the seconds are null", None),
                (microseconds, "there are a million microseconds", MICROSECONDS),
                (microseconds, "there are -1 microseconds, though the host has a clock", -1),
                (("timestamp", "nanoseconds"), "a third member in the timestamp", 0),
            )
        ),
        ("QMP104", seconds, "the seconds are removed", encoded(event | {"timestamp": {"microseconds": 5}})),
        ("QMP105", ("severity",), "a fourth key beside event", encoded(event | {"severity": 1})),
        ("QMP107", ("QMP",), "a greeting that is a number", b'{"QMP": 5}'),
        (
            "QMP201",
            ("event",),
            "an event that the spec does not have",
            encoded(event | {"event": "NO_SUCH_EVENT"}),
        ),
    ):
        about = (
            ""
            if code in ("QMP101", "QMP102", "QMP103", "QMP107")
            else "NO_SUCH_EVENT"
            if code == "QMP201"
            else name
        )
        after = encoded(_shifted(event, PERIOD))  # where the event is rate-limited, it keeps its distance
        yield Mutant(code, 3, about, path, what, [*_stream(greeting, event), broken, after])
    lines = [*_stream(greeting, event), line[: len(line) // 2]]
    yield Mutant("QMP106", 3, "", (), "the stream ends within a line", lines, is_cut=True)


# Payloads


def _of_payloads(greeting: GeneratedMessage, stories: Stories, rules: RuleBase) -> Iterator[Mutant]:
    """Yield each way to break the payload of each event, once, in the first story that has the event."""
    seen: set[object] = set()
    for story in stories:
        for at, message in enumerate(story):
            event = message["event"]
            for fault in faults(rules.events[event], message):
                key = event, fault.kind
                if key not in seen:
                    seen.add(key)
                    lines = _stream(greeting, *story[:at], fault.message, *story[at + 1 :])
                    yield Mutant(fault.code, at + 2, event, fault.path, fault.what, lines)


def _of_deprecated(spec: Spec) -> Iterator[Mutant]:
    for event, rule in spec.rule_base.events.items():
        if rule.marks.deprecated:
            messages = [*Generation(spec, only=(event,)).messages(1)]
            yield Mutant("QMP206", 2, event, ("event",), "the event is deprecated", _stream(*messages))


# Follow-ups


def _of_follow_ups(greeting: GeneratedMessage, stories: Stories, rules: RuleBase) -> Iterator[Mutant]:
    options, known = options_with_follow_ups(rules), errata.of_spec(rules)
    free = [*follow_ups(rules)]
    for rule in follow_ups(rules, options):
        # A rule that depends on an option is checked only if the user says that it was given.
        needed = () if rule in free else tuple(f"--assume={option}" for option in sorted(options))
        for story in stories:
            found = _answered(story, errata.with_errata(rule, known))
            if found:
                yield from _without_response(greeting, story, rule, found, needed)
                break


def _answered(story: Sequence[GeneratedMessage], rule: TemporalRule) -> tuple[int, list[int]] | None:
    """Return where a rule's trigger and its responses are in a story; None if they are not in it."""
    places = [at for at, message in enumerate(story) if message["event"] == rule.trigger.name]
    if len(places) != 1 or not rule.trigger.condition.matches_data(story[places[0]].get("data", {})):
        return None
    names = {each.name for each in rule.then}
    responses = [at for at, message in enumerate(story) if message["event"] in names]
    return (places[0], responses) if responses and responses[0] > places[0] else None


def _without_response(
    greeting: GeneratedMessage,
    story: Sequence[GeneratedMessage],
    rule: TemporalRule,
    found: tuple[int, list[int]],
    needed: tuple[str, ...],
) -> Iterator[Mutant]:
    trigger, responses = found
    event, names = rule.trigger.name, " or ".join(each.name for each in rule.then)
    gone = {story[at]["event"] for at in responses}
    # A machine that never stopped cannot resume.
    gone |= {RESUME} if STOP in gone else set()
    left = [message for at, message in enumerate(story) if at <= trigger or message["event"] not in gone]
    lines = _stream(greeting, *left)
    what = f"the {names} that must follow is removed"
    yield Mutant(
        "QMP301", trigger + 2, event, (), f"{what}, and the session is over", lines, ("--complete", *needed)
    )
    yield Mutant("QMP302", trigger + 2, event, (), what, lines, needed)
    late = [message if at <= trigger else _shifted(message, _LATE) for at, message in enumerate(story)]
    # One second less than the response takes.
    bound = f"--within={_LATE // MICROSECONDS - 1}"
    yield Mutant(
        "QMP303",
        trigger + 2,
        event,
        (),
        f"the {names} that must follow comes {_LATE // MICROSECONDS} s later",
        _stream(greeting, *late),
        (bound, *needed),
    )


_LATE = 60 * MICROSECONDS
"""How many microseconds later a late event comes."""


def _shifted(message: GeneratedMessage, microseconds: int) -> GeneratedMessage:
    """Return the event, at another time."""
    clock = message["timestamp"]
    then = clock["seconds"] * MICROSECONDS + clock["microseconds"] + microseconds
    return message | {
        "timestamp": dict(zip(("seconds", "microseconds"), divmod(then, MICROSECONDS), strict=True))
    }


# Times


def _of_times(greeting: GeneratedMessage, stories: Stories, rules: RuleBase) -> Iterator[Mutant]:
    for event, limit in limits_of(rules).items():
        is_limited = functools.partial(_is_limited, event, limit)
        for story, at in _first(stories, is_limited):
            twice = [_shifted(story[at], later) for later in (1, 2)]
            lines = _stream(greeting, *story[: at + 1], *twice, *story[at + 1 :])
            what = "two more of the same key come within two microseconds"
            yield Mutant("QMP304", at + 4, event, ("timestamp",), what, lines)
    late = sent_late(rules)
    for story, at in _first(stories, lambda message: message["event"] not in late):
        event = story[at]["event"]
        again = _shifted(story[at], -ALLOWANCE - 1)
        lines = _stream(greeting, *story[: at + 1], again, *story[at + 1 :])
        what = "the same event comes again, with a clock more than a second behind"
        yield Mutant("QMP305", at + 3, event, ("timestamp",), what, lines)


def _is_limited(event: str, limit: RateLimit, message: GeneratedMessage) -> bool:
    data = message.get("data", {})
    is_exempt = any(data.get(member) in values for member, values in limit.unless.items())
    return bool(message["event"] == event) and not is_exempt


def _first(
    stories: Stories, holds: Callable[[GeneratedMessage], bool]
) -> Iterator[tuple[Sequence[GeneratedMessage], int]]:
    """Yield at most one event for which a condition holds: the first such story, and the last place in it."""
    for story in stories:
        for at in reversed(range(len(story))):
            if holds(story[at]):
                yield story, at
                return
