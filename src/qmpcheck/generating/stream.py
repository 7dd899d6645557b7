"""Generate a stream that a QEMU of a release could send, and that shows all its spec allows, early.

The same spec, seed and number of events give the same bytes, in every version of Python.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from qmpcheck.checking.temporal_rule import RESUME, STOP, TemporalRule, follow_ups, options_with_follow_ups
from qmpcheck.checking.timestamps import PERIOD, sent_late
from qmpcheck.generating.choices import Coverage, usable_data, without
from qmpcheck.generating.greeting import greeting
from qmpcheck.generating.stories import COMPANIONS, Story, StoryStep, stories
from qmpcheck.generating.values import Cast, Values
from qmpcheck.rate_limits import keyed
from qmpcheck.rulebase import SCHEMA, TEXT, EventRule, Object, RateLimit, RuleBase, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.streams.messages import MICROSECONDS
from qmpcheck.text import name, quoted
from qmpcheck.wording import did_you_mean

GeneratedMessage = dict[str, Any]

_START = 1_700_000_000 * MICROSECONDS
"""When the first event happens."""


def encoded(message: GeneratedMessage) -> bytes:
    """Return the line of a message, without its newline."""
    return json.dumps(message).encode()


class Generation:
    """One generated stream.

    Attributes:
        coverage: what was shown so far, out of everything that there is to show.
        left_out: the events, and the values of members, that are not generated, each with the reason.
        events, sessions: how many were made so far.
        added: the events that were not asked for, but that others need.

    Args:
        spec: the spec.
        seed: decides what the spec leaves open.
        only: the events that are wanted; none for all.

    Raises:
        SpecError: the spec has no such event, or none can be generated.
    """

    def __init__(self, spec: Spec, seed: int = 0, only: Collection[str] = ()) -> None:
        self._rules = spec.rule_base.events
        for event in only:
            if event not in self._rules:
                raise SpecError(f"the spec has no event {quoted(event)}{did_you_mean(event, self._rules)}")
        self._greeting = greeting(spec)
        self._random = random.Random(seed)  # noqa: S311 -- no secret
        self._follow_ups = _by_trigger(spec.rule_base)
        self.left_out: dict[str, str] = {}
        makeable = self._makeable(spec.rule_base, only)
        chosen = _with_companions(only, makeable, self._follow_ups) if only else [*makeable]
        self._data = {event: makeable[event] for event in makeable if event in chosen}
        if self._data.keys().isdisjoint(only or self._data):
            reasons = "; ".join(f"{name(event)}: {reason}" for event, reason in self.left_out.items())
            raise SpecError(f"none of the events can be generated: {reasons}")
        self.added = tuple(event for event in self._data if only and event not in only)
        self.events = self.sessions = 0
        self.coverage = Coverage()
        for event, data in self._data.items():
            self.coverage.add(event, data, self._rules[event].needs_data)
        self._values = Values(self.coverage, self._random)
        self._stories = self._in_order(stories(self._data))
        self._lengths = {story: self._longest(story.steps) for story in self._stories}
        self._unplayed = {story for story in self._stories if len(story.steps) > 1}
        self._clock = _StreamClock(spec.rule_base, self._random)
        self._is_stopped = False

    def messages(self, events: int | None = None) -> Iterator[GeneratedMessage]:
        """Yield the messages of the stream: greetings and events.

        Args:
            events: how many events in all; None for as many as it takes to show everything. They are fewer
                where a story, or what must follow, would be cut.
        """
        for story in self.by_story(events):
            yield from story

    def by_story(self, events: int | None = None) -> Iterator[list[GeneratedMessage]]:
        """Yield the same messages as `messages`, story by story; a greeting belongs to the story after it."""
        needs_greeting = True
        while events is None or self.events < events:
            story = self._next(None if events is None else events - self.events)
            if story is None:
                return
            found = [*self._perform(story)]
            self._unplayed.discard(story)
            self.events += len(found)
            self.sessions += needs_greeting
            yield [self._greeting, *found] if needs_greeting else found
            needs_greeting = story.ends

    # Which events there are

    def _makeable(self, rule_base: RuleBase, only: Collection[str]) -> dict[str, Object]:
        """Return the events that can be generated, with their data."""
        found: dict[str, Object] = {}
        for event, rule in rule_base.events.items():
            data = usable_data(rule, _elsewhere(event, rule) if rule_base.source == TEXT else None)
            if rule.marks.deprecated and event not in only:
                self.left_out[event] = "it is deprecated, which would be a warning"
            elif data is None:
                self.left_out[event] = "something mandatory in it is deprecated, or has no value"
            else:
                found[event] = data
        # What must follow an event has to be possible, too.
        for event in [*found]:
            for each in self._follow_ups[event]:
                if event in found and not self._ends(each, found):
                    self._leave_out(each, found)
        return found

    def _ends(self, rule: TemporalRule, known: Collection[str], before: tuple[str, ...] = ()) -> bool:
        """Whether the response to an event is known, and does not itself need the event again."""
        before = (*before, rule.trigger.name)
        response = rule.then[0].name
        return (
            response in known
            and response not in before
            and all(self._ends(each, known, before) for each in self._follow_ups[response])
        )

    def _leave_out(self, rule: TemporalRule, found: dict[str, Object]) -> None:
        """Leave out the values that trigger a rule, or if that is impossible, the event."""
        event = rule.trigger.name
        reason = f"{rule.then[0].name} must follow it, and cannot"
        when = rule.trigger.condition.when
        data = without(found[event], *when[0]) if len(when) == 1 else None
        if data is None:
            del found[event]
            self.left_out[event] = reason
        else:
            found[event] = data
            [(path, values)] = when
            self.left_out[f"{event}.{'.'.join(path)}={'|'.join(values)}"] = reason

    # Which story comes next

    def _in_order(self, found: list[Story]) -> list[Story]:
        """Return the stories, shuffled; those that end the process come last."""
        # Not by `shuffle`, whose results differ between versions of Python.
        left, shuffled = [*found], list[Story]()
        while left:
            shuffled.append(left.pop(int(self._random.random() * len(left))))
        return sorted(shuffled, key=lambda story: story.ends)

    def _next(self, room: int | None) -> Story | None:
        """Return the story that shows the most that is new, or else any; None if there is none."""
        fitting = [each for each in self._stories if room is None or self._lengths[each] <= room]
        if self.coverage.unmet():
            news = [self._news(each) for each in fitting]
            best = max(news, default=_NO_NEWS)
            if best > _NO_NEWS:
                return fitting[news.index(best)]
        if room is None or not fitting:
            return None
        # Nothing that fits shows anything new: go on with whole stories that do not end the process.
        best_kind = min((each.ends, each.fills) for each in fitting)
        likely = [each for each in fitting if (each.ends, each.fills) == best_kind]
        return likely[int(self._random.random() * len(likely))]

    def _news(self, story: Story) -> tuple[bool, float, bool, float]:
        """Return how much a story shows, as a value to compare: more is greater.

        What counts, in this order: that it shows anything without ending the process, so that clients see
        long sessions; the share of its events that did not come yet at all; that it was not played yet; the
        share of its events that show anything new.
        """
        steps = sum(map(self._has_news, story.steps))
        kinds = 0 if story.fills else len({step.event for step in story.steps} - self._clock.seen)
        is_unplayed = bool(steps) and story in self._unplayed
        return bool(steps) and not story.ends, kinds / len(story.steps), is_unplayed, steps / len(story.steps)

    def _has_news(self, step: StoryStep) -> bool:
        """Whether something that a step can show was not shown yet."""
        # What is left to show in the event, but for the values that the story does not give its members.
        unmet, place = self.coverage.unmet, (step.event, "data", "there")
        closed = 0
        for member, allowed in step.fixed:
            at = (*place, member)
            closed += unmet(at) - sum(unmet((*at, "there", value)) for value in allowed)
        return unmet((step.event,)) > closed

    def _longest(self, steps: Sequence[StoryStep]) -> int:
        """Return the most events that some steps can take, with what must follow them."""
        length = 0
        for at, step in enumerate(steps):
            later = {each.event for each in steps[at + 1 :]}
            length += 1 + sum(
                self._longest(_response_steps(rule, later))
                for rule in self._follow_ups[step.event]
                if _may_hold(rule, step) and not later.intersection(each.name for each in rule.then)
            )
        return length

    # What happens in it

    def _perform(self, story: Story) -> Iterator[GeneratedMessage]:
        """Yield the events of a story, with what must follow them."""
        cast: Cast = {}
        steps = [*story.steps]
        self._clock.pause()
        while steps:
            step = steps.pop(0)
            event = self._event(step, cast)
            self._is_stopped = step.event == STOP or (self._is_stopped and step.event != RESUME)
            yield event
            later = {each.event for each in steps}
            # The response to the first rule comes first: each is put before those that are already there.
            for rule in reversed(self._follow_ups[step.event]):
                is_needed = not (rule.needs_running and self._is_stopped)
                is_to_come = later.intersection(each.name for each in rule.then)
                if (
                    is_needed
                    and not is_to_come
                    and rule.trigger.condition.matches_data(event.get("data", {}))
                ):
                    steps[:0] = _response_steps(rule, later)
        if story.ends:
            self._is_stopped = False

    def _event(self, step: StoryStep, cast: Cast) -> GeneratedMessage:
        needs_data = self._rules[step.event].needs_data
        data = self._values.data(step.event, self._data[step.event], needs_data, cast, dict(step.fixed))
        message: GeneratedMessage = {
            "timestamp": self._clock.tick(step.event, data or {}),
            "event": step.event,
        }
        return message if data is None else message | {"data": data}


class _StreamClock:
    """The time of events: it never goes back, and rate-limited events keep their distance.

    Attributes:
        seen: the names of the events that it was asked about.
    """

    def __init__(self, rule_base: RuleBase, random: random.Random) -> None:
        self._now, self._random = _START, random
        # The limit that QEMU keeps for an event, whether or not its document states it.
        self._limits = {
            event: keyed(event, rule_base.events[event].rate_limit or RateLimit())
            for event in sent_late(rule_base)
            if event in rule_base.events
        }
        self._last: dict[tuple[str, ...], int] = {}
        self.seen: set[str] = set()

    def pause(self) -> None:
        """Let some time pass between two stories."""
        self._advance(_PAUSE)

    def tick(self, event: str, data: dict[str, Any]) -> dict[str, int]:
        """Return the timestamp of the next event."""
        self.seen.add(event)
        self._advance(_STEP)
        limit = self._limits.get(event)
        if limit:
            key = (event, *(json.dumps(data.get(member)) for member in limit.key))
            self._now = max(self._now, self._last.get(key, 0) + PERIOD)
            self._last[key] = self._now
        seconds, microseconds = divmod(self._now, MICROSECONDS)
        return {"seconds": seconds, "microseconds": microseconds}

    def _advance(self, most: int) -> None:
        self._now += 1 + int(self._random.random() * most)


_NO_NEWS = (False, 0.0, False, 0.0)

_STEP, _PAUSE = 20_000, 500_000
"""The most microseconds between two events of a story, and the most more between two stories."""


def _by_trigger(rule_base: RuleBase) -> defaultdict[str, list[TemporalRule]]:
    """Return the follow-ups of each event, as if QEMU had been given every option that one depends on."""
    found: defaultdict[str, list[TemporalRule]] = defaultdict(list)
    for rule in follow_ups(rule_base, options_with_follow_ups(rule_base)):
        found[rule.trigger.name].append(rule)
    return found


def _response_steps(rule: TemporalRule, later: Collection[str]) -> list[StoryStep]:
    """Return the response to a trigger. A machine that stops runs again, unless the story says so later."""
    response = rule.then[0].name
    return (
        [StoryStep(response), StoryStep(RESUME)]
        if response == STOP and RESUME not in later
        else [StoryStep(response)]
    )


def _may_hold(rule: TemporalRule, step: StoryStep) -> bool:
    """Whether the events of a step can trigger a rule."""
    for path, values in rule.trigger.condition.when:
        allowed = dict(step.fixed).get(path[0])
        if allowed is not None and len(path) == 1 and not set(allowed).intersection(values):
            return False
    return True


def _with_companions(
    only: Collection[str], known: Collection[str], follow_ups: dict[str, list[TemporalRule]]
) -> set[str]:
    """Return some events, those that must follow them, and those that they cannot come without."""
    found, new = set[str](), set(only)
    while new:
        found |= new
        responses = {rule.then[0].name for event in new for rule in follow_ups.get(event, ())}
        new = (responses | {COMPANIONS[event] for event in new if event in COMPANIONS}) - found
    return found.intersection(known)


def _elsewhere(event: str, rule: EventRule) -> EventRule | None:
    """Return what the first schema with an event says about it, if a document leaves a part of it open."""
    if b'"any"' not in msgspec.json.encode(rule) and b'"open"' not in msgspec.json.encode(rule):
        return None
    schemas = (each.rule_base for each in catalogue.releases() if each.rule_base.source == SCHEMA)
    return next((each.events[event] for each in schemas if event in each.events), None)
