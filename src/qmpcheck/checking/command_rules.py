"""The rules about commands that come with qmpcheck: `commands.toml` beside the rule bases.

They are written in the language of `user_rules`, with a few keys more, and are compiled for each release: it
has only the rules about its own commands and events.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from qmpcheck import keypath, rulebase
from qmpcheck.checking import command_info, user_rules
from qmpcheck.checking.session import Series
from qmpcheck.checking.temporal_rule import Level, Pattern, State, TemporalRule
from qmpcheck.checking.timestamps import sent_late
from qmpcheck.checking.user_rules import InvalidRule, Vocabulary
from qmpcheck.rulebase import RuleBase, SpecError
from qmpcheck.specs import catalogue
from qmpcheck.text import quoted
from qmpcheck.wording import alternatives

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Cites(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"definition": "in"}):
    """The sentence of a schema that states a rule.

    Attributes:
        file, line: where it is.
        release: the release of that schema.
        definition: the command, event or type that the sentence describes.
        words: some of its words, in order: a test looks them up, without a copy of the sentence.
    """

    file: str
    line: int
    definition: str
    words: tuple[str, ...]
    release: str = "10.0"

    def __str__(self) -> str:
        return f"{self.file}:{self.line} of {self.release}"


class CommandRule(user_rules.RuleTable, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[rule]]` of the file; the comment at the top of the file explains each key."""

    since: str
    level: Literal["strict", "conventional"] = "conventional"
    guest: bool = False
    commands: tuple[str, ...] = ()
    before: str = ""
    during: str = ""
    unless: str = ""
    ends_with_process: bool = False
    cites: Cites | None = None

    def is_of(self, series: Series | None) -> bool:
        """Return whether the rule applies to a release; to all releases, if the release is unknown."""
        known = series or (2, 1)  # the first release with a schema
        is_over = bool(self.before) and known >= release(self.before)
        return known >= release(self.since) and not is_over and not (series is None and self.before)


class _StateTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[state.NAME]`."""

    begins: user_rules.PatternTables
    ends: user_rules.PatternTables = ()
    same: str = ""


class _CommandRulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: dict[str, _StateTable]
    rule: tuple[dict[str, Any], ...]


@functools.cache
def all_rules() -> tuple[CommandRule, ...]:
    """Return all rules, of all releases.

    Raises:
        SpecError: a rule in the file is invalid.
    """
    return tuple(map(_rule, _file().rule))


def _rule(table: dict[str, Any]) -> CommandRule:
    try:
        return user_rules.read(table, CommandRule)
    except InvalidRule as error:
        # Whoever adds a rule knows its name, and not how many come before it.
        raise SpecError(f"rules/commands.toml: {quoted(str(table.get('name')))}: {error}") from None


@functools.cache
def _file() -> _CommandRulesFile:
    return msgspec.convert(tomllib.loads(catalogue.rules_file("commands.toml").decode()), _CommandRulesFile)


def of_release(rule_base: RuleBase, series: Series | None, level: Level) -> tuple[TemporalRule, ...]:
    """Return the temporal rules that apply to a release, and whose events its spec has.

    Args:
        rule_base: the spec. One from an event document gives no rules: it says nothing about commands.
        series: the release; None if it is unknown, so that only rules for all releases remain.
        level: which rules to return.
    """
    if level == "none" or rule_base.source == rulebase.TEXT:
        return ()
    found = (each for each in all_rules() if each.is_of(series))
    asked_for = (each for each in found if level == "all" or each.level != "conventional")
    return tuple(rule for each in asked_for for rule in compiled(each, rule_base, series))


def compiled(table: CommandRule, rule_base: RuleBase, series: Series | None) -> Iterator[TemporalRule]:
    """Yield a temporal rule for each command of a table, if the spec has the events that it needs.

    Args:
        table: one of `all_rules`.
        rule_base: the spec.
        series: the release of the spec or of the stream; None if it is unknown.
    """
    vocabulary = Vocabulary(rule_base.events, command_info.all_commands(), sent_late(rule_base))
    # In another release, the sentence is on another line.
    cites = table.cites if table.cites and release(table.cites.release) == series else None
    for command in table.commands or (table.command,):
        one = msgspec.structs.replace(table, command=command, commands=())
        try:
            rule = user_rules.temporal_rule(one, vocabulary)
            during = _state(table.during, vocabulary) if table.during else None
            states = filter(None, (table.unless, "ending" if command else ""))
            unless = tuple(_state(each, vocabulary) for each in states)
        except InvalidRule:
            continue  # a spec without that event, such as that of the storage daemon
        yield msgspec.structs.replace(
            rule,
            during=during,
            unless=unless,
            never_missing=table.guest,
            ends_with_process=table.ends_with_process,
            line=cites.line if cites else None,
            file=cites.file if cites else "",
        )


def _state(name: str, vocabulary: Vocabulary) -> State:
    """Return the state of this name, without the messages that the spec does not have."""
    state = _file().state[name]
    path = tuple(keypath.names(state.same)) if state.same else ()
    begins, ends = (_known(each, vocabulary) for each in (state.begins, state.ends))
    return State(begins, ends, ((path, path),) if path else ())


def _known(written: user_rules.PatternTables, vocabulary: Vocabulary) -> tuple[Pattern, ...]:
    """Return the patterns whose messages the spec has; a bare name that is no event is a command."""
    found: list[Pattern] = []
    for each in written if isinstance(written, tuple) else (written,):
        is_command = isinstance(each, str) and each not in vocabulary.events
        one = user_rules.PatternTable(command=each) if is_command and isinstance(each, str) else each
        with contextlib.suppress(InvalidRule):
            found += user_rules.patterns(one, "until", vocabulary)
    return tuple(found)


def release(text: str) -> Series:
    """Return a release as numbers: (2, 11) for `2.11`."""
    major, minor = map(int, text.split("."))
    return major, minor


def text(rules: Sequence[TemporalRule]) -> str:
    """Return the rules of one table in words, as one sentence: they differ only in their commands."""
    first = rules[0]
    names = list(dict.fromkeys(rule.trigger.name for rule in rules))
    return first.text.replace(first.trigger.name, alternatives(names), 1)


def of_newest(table: CommandRule) -> list[TemporalRule]:
    """Return the rules of a table for the newest release that it applies to and that has its events."""
    releases = sorted(release(entry.id) for entry in catalogue.entries() if entry.id in entry.releases)
    for series in filter(table.is_of, reversed(releases)):
        rule_base = catalogue.find(".".join(map(str, series))).rule_base
        if rules := [*compiled(table, rule_base, series)]:
            return rules
    raise AssertionError("each rule is about some release: the tests compile all of them")
