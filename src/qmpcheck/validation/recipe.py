"""A user's options for checking, whatever the spec: the only way from a spec and options to a checker.

The command line, the configuration, the pytest plugin and the Python API all make a `Recipe`.
"""

from __future__ import annotations

import msgspec

from qmpcheck.checking.checker import Checker, CheckOptions
from qmpcheck.checking.result import Selection
from qmpcheck.checking.session import Series
from qmpcheck.checking.temporal_rule import Level, TemporalRule, assumed_options
from qmpcheck.codes import STREAM_CODES
from qmpcheck.finding import UNCHANGED, Severities
from qmpcheck.rulebase import RuleBase
from qmpcheck.specs import catalogue
from qmpcheck.specs.catalogue import Spec
from qmpcheck.specs.extra import extended
from qmpcheck.streams.formats import Loss


class Recipe(msgspec.Struct, frozen=True):
    """How streams are checked, whatever their spec.

    Attributes:
        codes: the codes of the findings to report.
        severities: severities that the user sets for some codes.
        max_findings: how many findings of a stream are listed; all are counted.
        assume: command-line options that QEMU was given, with or without dashes.
        within: seconds that the specs' follow-ups may take; None for any.
        literal: whether known errata are errors rather than warnings.
        rules: files with the user's temporal rules.
        command_rules: which of the shipped rules about commands are checked.
        selected: names of temporal rules whose findings are reported, whatever their codes.
        ignored: names of temporal rules that are not checked, and CODE:EVENT of findings not to report.
        extra: events and members that the project's QEMU has beside those of its spec.
        complete: whether the streams' last sessions are known to be over.
        timeline: whether results have a timeline.
        rule_texts: the contents of the files with rules; () to read the files.
    """

    codes: frozenset[str] = STREAM_CODES
    severities: Severities = UNCHANGED
    max_findings: int = 10_000
    assume: tuple[str, ...] = ()
    within: float | None = None
    literal: bool = False
    rules: tuple[str, ...] = ()
    command_rules: Level = "strict"
    selected: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    complete: bool = False
    timeline: bool = False
    rule_texts: tuple[bytes, ...] = ()

    def whole(self) -> Recipe:
        """Return the recipe with the contents of its files: another machine may not have these files.

        Raises:
            SpecError: a file of rules cannot be read.
        """
        from qmpcheck import toml_positions

        texts = [toml_positions.read(path)[0].encode() for path in self.rules]
        return msgspec.structs.replace(self, rule_texts=tuple(texts))

    @property
    def selection(self) -> Selection:
        """Which findings to report."""
        return Selection(self.codes, self.selected, self.ignored)

    def checker(self, spec: Spec, loses: Loss = Loss.NOTHING) -> Checker:
        """Return a checker for streams of a spec.

        Args:
            spec: the spec.
            loses: what the format of the streams does not keep.

        Raises:
            SpecError: an option, a rule or an extra name does not fit the spec.
        """
        rule_base, series = extended(spec.rule_base, self.extra), catalogue.series(spec)
        options = CheckOptions(
            codes=self.codes,
            severities=self._severities(spec),
            max_findings=self.max_findings,
            assumed=assumed_options(rule_base, self.assume),
            within=self.within,
            literal=self.literal,
            rules=self._rules(rule_base, series),
            command_rules=self.command_rules,
            selected=self.selected,
            ignored=self.ignored,
            series=series,
            timeline=self.timeline,
            lacks_events=Loss.EVENTS in loses,
            lacks_commands=bool(loses & (Loss.COMMANDS | Loss.REPLIES)),
        )
        return Checker(rule_base, options)

    def _severities(self, spec: Spec) -> Severities:
        # A build newer than the catalogue may simply have what its nearest spec lacks: that is no error.
        if not spec.newer:
            return self.severities
        from qmpcheck.drift.availability import severities_of_newer  # few builds need it

        return severities_of_newer(self.severities)

    def _rules(self, rule_base: RuleBase, series: Series | None) -> tuple[TemporalRule, ...]:
        if not self.rules:
            return ()
        from qmpcheck.checking import user_rules

        texts = self.rule_texts or [None] * len(self.rules)
        return tuple(
            rule
            for path, text in zip(self.rules, texts, strict=True)
            for rule in user_rules.load(path, rule_base, series, text)
        )
