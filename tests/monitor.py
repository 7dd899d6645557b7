"""A plain monitor: it reads a whole stream at once, and finds what the checker finds, only slower."""

from itertools import takewhile
from typing import Any, NamedTuple

import msgspec

from qmpcheck.checking.temporal_rule import Excuse, Pattern, State, TemporalRule

LOOK_BACK = 16
"""How many events of a name a rate-limited trigger can be sent after."""

BEFORE = 100_000
"""Microseconds: how long before its situation a trigger may come."""


class Message(msgspec.Struct, frozen=True):
    """A message of a stream.

    Attributes:
        kind: `event`, `greeting`, `command` or `reply`.
        name: of an event or a command.
        data: an event's data, or a command's arguments.
        time: of an event, in microseconds; None without a clock.
        version: that a greeting names.
        id: of a command or a reply.
        failed: whether a reply is an error.
    """

    kind: str
    name: str = ""
    data: dict[str, Any] = {}
    time: int | None = None
    version: Any = None
    id: Any = None
    failed: bool = False


Numbered = tuple[int, Message]


class Session(NamedTuple):
    """The messages of one process, with their lines; where clients connected again; whether it is over."""

    messages: list[Numbered]
    reconnected: list[int]
    over: bool


def sessions(stream: list[Message], complete: bool) -> list[Session]:
    """A greeting is that of a new process after SHUTDOWN, or with another version; else a client came back."""
    found = [Session([], [], complete)]
    version, last, started = None, "", False
    for line, message in enumerate(stream, 1):
        if message.kind != "greeting":
            found[-1].messages.append((line, message))
            if message.kind == "event" and message.name in ("SHUTDOWN", "RESUME", "RESET"):
                last = message.name
        else:
            differs = None not in (version, message.version) and version != message.version
            if last == "SHUTDOWN" or differs:
                found[-1] = found[-1]._replace(over=True)
                found.append(Session([], [], complete))
                last = ""
            elif started:
                found[-1].reconnected.append(line)
            if differs or version is None:
                version = message.version
        started = started or message.kind != "reply"  # a reply to nothing is passed over
    return found


Finding = tuple[int, str, str]
"""A line, a code, and the erratum that covers it."""


def monitor(
    stream: list[Message], rules: list[TemporalRule], complete: bool
) -> set[tuple[int, str, str, str]]:
    """The findings about temporal rules, as (line, code, erratum, rule)."""
    watch = {"response": responses, "precedence": precedences, "absence": absences, "never": nevers}
    return {
        (*found, rule.text)
        for session in sessions(stream, complete)
        for rule in rules
        for found in watch[rule.kind](rule, session)
    }


def matching(patterns: tuple[Pattern, ...], session: Session) -> list[Numbered]:
    return [each for each in session.messages if any(is_of(pattern, each[1]) for pattern in patterns)]


def is_of(pattern: Pattern, message: Message) -> bool:
    kind = "command" if pattern.is_command else "event"
    return (
        message.kind == kind and message.name == pattern.name and pattern.condition.matches_data(message.data)
    )


def key(message: Message, paths: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """What must be the same; None where a part of it is missing, which is the same as nothing."""
    values = [message.data.get(path[0], KeyError) for path in paths]
    return None if KeyError in values else tuple(map(repr, values))


def trigger_key(rule: TemporalRule, message: Message) -> tuple[str, ...] | None:
    return key(message, [path for path, _ in rule.same])


def response_key(rule: TemporalRule, message: Message) -> tuple[str, ...] | None:
    return key(message, [path for _, path in rule.same])


def triggers(rule: TemporalRule, session: Session) -> list[Numbered]:
    """The messages that the rule is about, in the states that it is about."""
    return [
        (line, message)
        for line, message in matching((rule.trigger,), session)
        if rule.during is None or holds(rule.during, session, line, message)
        if not any(holds(state, session, line, message) for state in rule.unless)
    ]


def holds(state: State, session: Session, line: int, trigger: Message) -> bool:
    """Whether the last message before a line that begins or ends a state, for the trigger's key, begins it."""
    wanted = key(trigger, [path for path, _ in state.same])
    since = max((at for at in session.reconnected if at < line), default=0)
    changes = [(at, 0, each) for at, each in matching(state.ends, session)]
    for at, each in matching(state.begins, session):
        begin = succeeded_at(session, at) if each.kind == "command" else at
        changes += [(begin, 1, each)] if begin else []
    known = [
        (at, begins)
        for at, begins, each in changes
        if since < at < line and key(each, [path for _, path in state.same]) == wanted is not None
    ]
    return bool(known) and max(known)[1] == 1


def meets(rule: TemporalRule, response: Message, trigger: Message) -> bool:
    wanted = trigger_key(rule, trigger)
    return wanted is not None and response_key(rule, response) == wanted


def precedences(rule: TemporalRule, session: Session) -> set[Finding]:
    return {
        (line, "QMP306", "")
        for line, trigger in triggers(rule, session)
        if not any(at < line for at in session.reconnected)
        if not any(at < line and meets(rule, each, trigger) for at, each in matching(rule.then, session))
    }


def absences(rule: TemporalRule, session: Session) -> set[Finding]:
    lifting: list[tuple[int, tuple[str, ...] | None]] = []
    lifting += [(at, None) for at in session.reconnected if rule.until or rule.until_all]
    lifting += [(at, response_key(rule, each)) for at, each in lifts(rule.until, session)]
    return {
        (line, "QMP307", "")
        for line, present in matching(rule.then, session)
        for since, trigger in triggers(rule, session)
        if since < line and meets(rule, present, trigger)
        if not (trigger.kind == "command" and rule.error_closes and failed_before(session, since, line))
        if not any(
            since < at < line and (at in session.reconnected or lifted == trigger_key(rule, trigger))
            for at, lifted in lifting
        )
        if not any(since < at < line for at, _ in lifts(rule.until_all, session))
    }


def lifts(patterns: tuple[Pattern, ...], session: Session) -> list[Numbered]:
    """What lifts an absence: a command does twice, when it is sent and when it has succeeded."""
    found = matching(patterns, session)
    commands = [(succeeded_at(session, at), each) for at, each in found if each.kind == "command"]
    return found + [(at, each) for at, each in commands if at]


def nevers(rule: TemporalRule, session: Session) -> set[Finding]:
    return {(line, "QMP307", "") for line, _ in triggers(rule, session)}


def responses(rule: TemporalRule, session: Session) -> set[Finding]:
    found = set()
    for trigger in triggers(rule, session):
        code, until = response(rule, session, trigger)
        if code:
            found.add((trigger[0], code, erratum(rule, session, trigger, until)))
    return found


def response(rule: TemporalRule, session: Session, trigger: Numbered) -> tuple[str, float]:
    """What a trigger comes to, and the line with which it is decided."""
    line, message = trigger
    if rule.needs_running:
        changes = last(("STOP", "RESUME"), session, line)
        known = [each for each in changes if not (rule.is_limited and is_younger(each[1], message))]
        if [each.name for _, each in sorted(known, key=lambda each: each[0])][-1:] == ["STOP"]:
            return "", 0
    bound = None if rule.within is None or message.time is None else message.time + rule.within
    early = [
        each.time
        for pattern in rule.then
        for _, each in takewhile(
            lambda each: not is_younger(message, each[1]), reversed(last((pattern.name,), session, line))
        )
        if rule.is_limited and message.time is not None and each.time is not None
        if is_of(pattern, each) and meets(rule, each, message)
    ]
    if early:
        names = {each.name for each in rule.then} | ({"RESUME"} if rule.needs_running else set())
        recent = [last((name,), session, line) for name in names]
        is_out_of_sight = any(len(each) == LOOK_BACK and is_younger(each[0][1], message) for each in recent)
        if bound is None or min(early) <= bound or is_out_of_sight:
            return "", 0
    after = [
        (at, each) for at, each in matching(rule.then, session) if at > line and meets(rule, each, message)
    ]
    cancelled = failed_at(session, line) if rule.error_closes and message.kind == "command" else None
    if cancelled and not any(at < cancelled for at, _ in after):
        return "", 0
    if after:
        at, first = after[0]
        is_certain = not any(line < each < at for each in session.reconnected)
        is_late = is_certain and bound is not None and first.time is not None and first.time > bound
        return "QMP303" if is_late else "", at
    if early:
        return "QMP303", float("inf")
    past = bound is not None and any(
        each.time is not None and each.time > bound for at, each in session.messages if at > line
    )
    certain = not any(at > line for at in session.reconnected) and not rule.never_missing
    certain = certain and not (message.kind == "command" and is_dropped(rule, session, line))
    return "QMP301" if certain and (session.over or past) else "QMP302", float("inf")


def last(names: tuple[str, ...], session: Session, line: int) -> list[Numbered]:
    """The last events of each of these names before a line."""
    found = []
    for name in names:
        events = [each for each in matching((Pattern(name),), session) if each[0] < line]
        found += events[-LOOK_BACK:]
    return found


def is_younger(a: Message, b: Message) -> bool:
    return a.time is not None and b.time is not None and a.time > b.time


def is_dropped(rule: TemporalRule, session: Session, line: int) -> bool:
    """Whether the process ended before it had time for the command on a line."""
    reply = reply_to(session, line)
    last = ""
    for at, message in session.messages:
        if message.kind == "event" and message.name in ("SHUTDOWN", "RESUME", "RESET"):
            last = message.name
        if at > line and message.kind == "event" and message.name == "SHUTDOWN":
            sent = [each for each, other in session.messages if other.kind == "command" and each < at]
            had_time = reply is not None and reply[0] < at and max(sent) > reply[0]
            if rule.ends_with_process or not had_time:
                return True
    return reply is None and last == "SHUTDOWN"


def failed_at(session: Session, line: int) -> int | None:
    """The line of the error reply to the command on a line; None where there is none."""
    reply = reply_to(session, line)
    return reply[0] if reply and reply[1].failed else None


def failed_before(session: Session, line: int, other: int) -> bool:
    """Whether the error reply to the command on a line came before another line: it then forbids nothing."""
    failed = failed_at(session, line)
    return failed is not None and failed < other


def succeeded_at(session: Session, line: int) -> int | None:
    """The line of the reply to the command on a line which says that it succeeded; None where there is none."""
    reply = reply_to(session, line)
    return reply[0] if reply and not reply[1].failed else None


def reply_to(session: Session, line: int) -> Numbered | None:
    """The reply to the command on a line; None where there is none."""
    waiting: list[Numbered] = []
    for at, message in session.messages:
        since = max((each for each in session.reconnected if each < at), default=0)
        waiting = [each for each in waiting if each[0] > since]
        if message.kind == "command":
            waiting.append((at, message))
        elif message.kind == "reply":
            sent = next((each for each in waiting if each[1].id == message.id), None)
            if sent and sent[0] == line:
                return at, message
            waiting = [each for each in waiting if each is not sent]
    return None


def erratum(rule: TemporalRule, session: Session, trigger: Numbered, until: float) -> str:
    """The erratum that covers a trigger: when it comes, or when a situation begins before it is decided."""
    for excuse in rule.excuses:
        if not excuse.trigger.matches_data(trigger[1].data):
            continue
        if excuse.situation is None:
            return excuse.erratum
        events = matching((Pattern(excuse.situation.begin.name),), session)
        for begin in reversed([each for each in events if each[0] < trigger[0]]):
            ended = first(session, excuse.situation.ends, begin[0])
            if ended and ended[0] < trigger[0] and not precedes(rule, trigger, ended):
                break
            if covers(rule, session, excuse, begin, trigger):
                return excuse.erratum
    for begin in session.messages:
        for excuse in rule.excuses if trigger[0] <= begin[0] < until else ():
            is_begin = excuse.situation and excuse.situation.begin.name == begin[1].name
            if (
                is_begin
                and excuse.trigger.matches_data(trigger[1].data)
                and covers(rule, session, excuse, begin, trigger)
            ):
                return excuse.erratum
    return ""


def covers(rule: TemporalRule, session: Session, excuse: Excuse, begin: Numbered, trigger: Numbered) -> bool:
    situation = excuse.situation
    assert situation
    ends = [each for each in session.messages if each[1].name in situation.ends and each[0] < begin[0]]
    times = begin[1].time, trigger[1].time
    ahead = 0 if times[0] is None or times[1] is None else times[0] - times[1]
    return (
        is_of(situation.begin, begin[1])
        and ahead <= BEFORE
        and not (ends and precedes(rule, trigger, ends[-1]))
    )


def first(session: Session, names: frozenset[str], after: int) -> Numbered | None:
    return next((each for each in session.messages if each[0] > after and each[1].name in names), None)


def precedes(rule: TemporalRule, trigger: Numbered, other: Numbered) -> bool:
    """Whether a trigger comes before another message: by their times where it can be sent late."""
    times = trigger[1].time, other[1].time
    if rule.is_limited and None not in times and times[0] != times[1]:
        return (times[0] or 0) < (times[1] or 0)
    return trigger[0] < other[0]
