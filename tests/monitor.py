"""A plain monitor: reads a whole stream at once, and says the same as the checker, only slower."""

from typing import Any

from qmpcheck.checking.followup import Rule

Event = dict[str, Any]


def monitor(stream: list[Event | None], rules: list[Rule], complete: bool) -> set[tuple[int, str, str]]:
    """The findings of follow-ups, as (line, code, rule); `None` stands for a greeting."""
    found: set[tuple[int, str, str]] = set()
    greetings = [at for at, event in enumerate(stream) if event is None]
    for begin, end in zip([0, *greetings], [*greetings, len(stream)], strict=True):
        session = [
            (at + 1, event) for at, event in enumerate(stream) if begin <= at < end and event is not None
        ]
        over = complete or end < len(stream)
        for rule in rules:
            found |= {(line, code, rule.text) for line, code in _watch(rule, session, over)}
    return found


def _watch(rule: Rule, session: list[tuple[int, Event]], over: bool) -> set[tuple[int, str]]:
    triggers = [(at, event) for at, event in session if _is_trigger(rule, event)]
    match rule.kind:
        case "precedence":
            return {
                (at, "QMP306") for at, event in triggers if not _among(rule.then, rule, event, session, 0, at)
            }
        case "absence":
            return {
                (at, "QMP307")
                for at, event in session
                for since, trigger in triggers
                if since < at and event["event"] in rule.then and _same(rule, event, trigger)
                if not any(each["event"] in rule.until for line, each in session if since < line < at)
            }
        case _:
            return {
                (at, code) for at, event in triggers if (code := _response(rule, at, event, session, over))
            }


def _is_trigger(rule: Rule, event: Event) -> bool:
    return event["event"] == rule.trigger and all(
        event["data"].get(path[0]) in values for path, values in rule.when
    )


def _same(rule: Rule, a: Event, b: Event) -> bool:
    return all(a["data"].get(path[0]) == b["data"].get(path[0]) for path in rule.same)


def _among(
    names: frozenset[str], rule: Rule, like: Event, session: list[tuple[int, Event]], begin: int, end: int
) -> bool:
    return any(
        event["event"] in names and _same(rule, event, like) for at, event in session if begin <= at < end
    )


def _response(rule: Rule, line: int, trigger: Event, session: list[tuple[int, Event]], over: bool) -> str:
    by_time = rule.limited and trigger["time"] is not None

    def is_after(at: int, event: Event) -> bool:
        return at > line or (by_time and event["time"] is not None and event["time"] >= trigger["time"])

    def is_before(at: int, event: Event) -> bool:
        return at < line and not (by_time and event["time"] is not None and event["time"] > trigger["time"])

    changes = [e["event"] for at, e in session if e["event"] in ("STOP", "RESUME") and is_before(at, e)]
    if rule.then == {"STOP"} and changes[-1:] == ["STOP"]:
        return ""
    answers = [
        (at, e["time"])
        for at, e in session
        if at != line and e["event"] in rule.then and _same(rule, e, trigger) and is_after(at, e)
    ]
    bound = None if rule.within is None or trigger["time"] is None else trigger["time"] + rule.within
    if any(bound is None or time <= bound for at, time in answers if at < line):
        return ""
    behind = [time for at, time in answers if at > line]
    if behind:
        return "QMP303" if bound is not None and behind[0] > bound else ""
    if answers:
        return "QMP303"
    passed = bound is not None and any(event["time"] > bound for at, event in session if at > line)
    return "QMP301" if over or passed else "QMP302"
