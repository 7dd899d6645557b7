"""Two specs compared: each change by its code, its mirror, and what is none."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.codes import DRIFT_CODES
from qmpcheck.drift.change import Change
from qmpcheck.drift.compare import compare
from qmpcheck.rulebase import (
    BUILD,
    SCHEMA,
    TEXT,
    Alternate,
    Any,
    Array,
    Boolean,
    Enum,
    EventRule,
    FollowUp,
    Integer,
    Marks,
    Member,
    Null,
    Number,
    Object,
    RateLimit,
    RuleBase,
    Source,
    String,
    Type,
)
from qmpcheck.specs import catalogue


def base(*members: Member, source: Source = SCHEMA, **about: object) -> RuleBase:
    return RuleBase({"X": msgspec.structs.replace(EventRule(Object(members)), **about)}, source)


def named(event: str, source: Source = SCHEMA, **about: object) -> RuleBase:
    return RuleBase({event: msgspec.structs.replace(EventRule(), **about)}, source)


def typed(described: Type, source: Source = SCHEMA) -> RuleBase:
    return base(Member("a", described), source=source)


def union(*branch: Member) -> Member:
    tag = Member("t", Enum(("p", "q")))
    return Member("u", Object((tag,), discriminator="t", branches={"p": Object(branch)}))


def grown(*branch: Member) -> Member:
    """`union()` with one more value, and its branch."""
    tag = Member("t", Enum(("p", "q", "r")))
    return Member("u", Object((tag,), discriminator="t", branches={"p": Object(), "r": Object(branch)}))


A, B, MAYBE = Member("a", String()), Member("b", Boolean()), Member("a", String(), optional=True)
OLD, NEW = Member("a", String(), marks=Marks(deprecated=True)), Member("a", String())
WITH_A = Member("b", Boolean(), marks=Marks("A"))
COLOURS = Enum(("red", "blue"), {"blue": Marks("A")})
STOPS = FollowUp(("STOP",), {"a": ("stop",)})

CASES = [
    (base(), RuleBase({}, SCHEMA), "QMP501 X: event removed", "QMP502 X: event added"),
    (base(A), base(), "QMP503 X data.a: member removed", "QMP505 X data.a: member added: string"),
    (base(MAYBE), base(), "QMP504 X data.a: optional member removed", "QMP505 X data.a: optional member added: string"),
    (base(A), base(MAYBE), "QMP506 X data.a: became optional", "QMP507 X data.a: became mandatory"),
    (typed(String()), typed(Boolean()), "QMP508 X data.a: type changed: string became boolean", "QMP508 X data.a: type changed: boolean became string"),
    (typed(Integer()), typed(Number()), "QMP508 X data.a: type widened: integer became number", "QMP509 X data.a: type narrowed: number became integer"),
    (typed(Integer("uint8")), typed(Integer("int16")), "QMP508 X data.a: type widened: integer (uint8) became integer (int16)", "QMP509 X data.a: type narrowed: integer (int16) became integer (uint8)"),
    (typed(Array(Boolean())), typed(Array(String())), "QMP508 X data.a[]: type changed: boolean became string", "QMP508 X data.a[]: type changed: string became boolean"),
    (typed(Enum(("p",))), typed(Enum(("p", "q"))), 'QMP510 X data.a: value "q" added', 'QMP511 X data.a: value "q" removed'),
    (typed(Enum(())), typed(Array(Boolean())), "QMP508 X data.a: type changed: nothing became list of boolean", "QMP508 X data.a: type changed: list of boolean became nothing"),
    (base(A, follow_ups=(STOPS,)), base(A), 'QMP512 X: follow-up removed: if a is "stop", STOP follows', 'QMP513 X: follow-up added: if a is "stop", STOP follows'),
    (base(), base(rate_limit=RateLimit()), "QMP514 X: rate limit added: once a second", "QMP515 X: rate limit removed: once a second"),
    (base(rate_limit=RateLimit()), base(rate_limit=RateLimit(("a",), unless={"a": ("p",)})), 'QMP515 X: rate limit narrowed to once a second for each a, unless a is "p" (it was once a second)', 'QMP514 X: rate limit widened to once a second (it was once a second for each a, unless a is "p")'),
    (base(rate_limit=RateLimit(("a",))), base(rate_limit=RateLimit(("b",))), "QMP514 X: rate limit widened to once a second for each b (it was once a second for each a)", "QMP514 X: rate limit widened to once a second for each a (it was once a second for each b)"),
    # what QEMU did all along, and documents began to state
    (named("VSERPORT_CHANGE"), named("VSERPORT_CHANGE", rate_limit=RateLimit()), "QMP517 VSERPORT_CHANGE: rate limit now documented: once a second", "QMP517 VSERPORT_CHANGE: rate limit no longer documented: once a second"),
    (named("VSERPORT_CHANGE", rate_limit=RateLimit()), named("VSERPORT_CHANGE", rate_limit=RateLimit(("id",))), "QMP517 VSERPORT_CHANGE: rate limit described as once a second, now as once a second for each id", "QMP517 VSERPORT_CHANGE: rate limit described as once a second for each id, now as once a second"),
    # what it does only since a release, whatever the kind of document is
    (named("BLOCK_IO_ERROR", TEXT), named("BLOCK_IO_ERROR", rate_limit=RateLimit()), "QMP514 BLOCK_IO_ERROR: rate limit added: once a second for each qom-path", "QMP515 BLOCK_IO_ERROR: rate limit removed: once a second for each qom-path"),
    (base(NEW), base(OLD), "QMP516 X data.a: member deprecated", "QMP518 X data.a: member no longer deprecated"),
    (base(), base(marks=Marks(deprecated=True)), "QMP516 X: event deprecated", "QMP518 X: event no longer deprecated"),
    (typed(Enum(("p",))), typed(Enum(("p",), {"p": Marks(deprecated=True)})), 'QMP516 X data.a: value "p" deprecated', 'QMP518 X data.a: value "p" no longer deprecated'),
    # in a branch of a union
    (base(union(A)), base(union(A, B)), 'QMP505 X data.u.b: member added: boolean (where t is "p")', 'QMP503 X data.u.b: member removed (where t is "p")'),
    # a value with its branch
    (base(union()), base(grown(MAYBE, B)), 'QMP510 X data.u.t: value "r" added, with the members a, b', 'QMP511 X data.u.t: value "r" removed, with the members a, b'),
    (base(union()), base(grown()), 'QMP510 X data.u.t: value "r" added', 'QMP511 X data.u.t: value "r" removed'),
    # in a type of an alternate
    (typed(Alternate((Boolean(), Enum(("p",))))), typed(Alternate((Enum(("p", "q")), Boolean()))), 'QMP510 X data.a: value "q" added', 'QMP511 X data.a: value "q" removed'),
    # renamed
    (base(Member("x509_dname", String())), base(Member("x509-dname", String())), "QMP503 X data.x509_dname: member removed, likely renamed to x509-dname; QMP505 X data.x509-dname: member added: string, likely renamed from x509_dname", "QMP503 X data.x509-dname: member removed, likely renamed to x509_dname; QMP505 X data.x509_dname: member added: string, likely renamed from x509-dname"),
    # renamed and retyped within the same JSON type; of two, the nearest
    (base(Member("sector-count", Any("T"))), base(Member("sectors-count", Integer())), "QMP503 X data.sector-count: member removed, likely renamed to sectors-count; QMP505 X data.sectors-count: member added: integer, likely renamed from sector-count", "QMP503 X data.sectors-count: member removed, likely renamed to sector-count; QMP505 X data.sector-count: member added: any (T is described elsewhere), likely renamed from sectors-count"),
    (base(Member("path", String()), Member("paths", String())), base(Member("path2", Enum(("p",)))), "QMP503 X data.path: member removed, likely renamed to path2; QMP503 X data.paths: member removed; QMP505 X data.path2: member added: \"p\", likely renamed from path", "QMP503 X data.path2: member removed, likely renamed to path; QMP505 X data.path: member added: string, likely renamed from path2; QMP505 X data.paths: member added: string"),
    # what only one kind of spec spells out
    (typed(String(), TEXT), typed(Enum(("p",))), 'QMP517 X data.a: described as string, now as "p"', 'QMP517 X data.a: described as "p", now as string'),
    (typed(String(), TEXT), typed(Enum(("p",)), TEXT), 'QMP517 X data.a: described as string, now as "p"', 'QMP517 X data.a: described as "p", now as string'),
    (typed(Any("T"), TEXT), typed(Boolean()), "QMP517 X data.a: described as any (T is described elsewhere), now as boolean", "QMP517 X data.a: described as boolean, now as any (T is described elsewhere)"),
    (typed(Number(), TEXT), typed(Integer("int64")), "QMP517 X data.a: described as number, now as integer (int64)", "QMP517 X data.a: described as integer (int64), now as number"),
    (base(Member("a", String(), marks=Marks("CONFIG_A"))), base(source=BUILD), "QMP517 X data.a: optional member removed", "QMP517 X data.a: optional member added: string"),
    (base(marks=Marks("CONFIG_A")), RuleBase({}, BUILD), "QMP517 X: event removed", "QMP517 X: event added"),
    (typed(Enum(("p", "q"), {"q": Marks("CONFIG_A")})), typed(Enum(("p",)), BUILD), 'QMP517 X data.a: value "q" removed', 'QMP517 X data.a: value "q" added'),
    # what a binary cannot tell, where no release lent it
    (base(A, follow_ups=(STOPS,)), base(A, not_understood=(7,)), 'QMP519 X: follow-up not found in the new spec, whose line 7 was not understood: if a is "stop", STOP follows', 'QMP517 X: follow-up not found in the old spec, whose line 7 was not understood: if a is "stop", STOP follows'),
    (base(A, follow_ups=(STOPS,)), base(A, source=BUILD), 'QMP517 X: follow-up no longer documented: if a is "stop", STOP follows', 'QMP517 X: follow-up now documented: if a is "stop", STOP follows'),
    (base(A, follow_ups=(STOPS,), rate_limit=RateLimit()), base(A, source=BUILD, rate_limit=RateLimit()), 'QMP512 X: follow-up removed: if a is "stop", STOP follows', 'QMP513 X: follow-up added: if a is "stop", STOP follows'),
    (base(rate_limit=RateLimit(), source=BUILD), base(source=BUILD), "QMP517 X: rate limit no longer documented: once a second", "QMP517 X: rate limit now documented: once a second"),
    (base(rate_limit=RateLimit(), source=TEXT), base(), "QMP517 X: rate limit no longer documented: once a second", "QMP517 X: rate limit now documented: once a second"),
    (typed(COLOURS), typed(Enum(("red",)), BUILD), 'QMP517 X data.a: value "blue" removed', 'QMP517 X data.a: value "blue" added'),
    # a condition on the build: where a message may lack the member for it, a change on the wire
    (base(B), base(WITH_A), "QMP506 X data.b: became optional", "QMP507 X data.b: became mandatory"),
    (base(Member("b", Boolean(), optional=True)), base(Member("b", Boolean(), optional=True, marks=Marks("A"))), "QMP517 X data.b: member depends on the build: A", "QMP517 X data.b: member no longer depends on the build"),
    (base(WITH_A), base(Member("b", Boolean(), marks=Marks("B"))), "QMP517 X data.b: member depends on the build: B", "QMP517 X data.b: member depends on the build: A"),
    (base(), base(marks=Marks("A")), "QMP517 X: event depends on the build: A", "QMP517 X: event no longer depends on the build"),
    (typed(Enum(("red", "blue"))), typed(COLOURS), 'QMP517 X data.a: value "blue" depends on the build: A', 'QMP517 X data.a: value "blue" no longer depends on the build'),
    # what is no change
    (base(marks=Marks("A")), base(source=BUILD), "", ""),
    (typed(COLOURS), typed(Enum(("red", "blue")), BUILD), "", ""),
    (base(A), base(Member("a", String(("p", "q")), line=7, file="f.json")), "", ""),
    (typed(Enum(("p", "q"))), typed(Enum(("q", "p"))), "", ""),
    (typed(Alternate((Null(), Enum(("p", "q"))))), typed(Alternate((Null(), Enum(("q", "p"))))), "", ""),
]  # fmt: skip


def told(changes: tuple[Change, ...]) -> str:
    return "; ".join(
        f"{each.code} {each.event}{each.shown_path and ' ' + each.shown_path}: {each.text}"
        for each in changes
    )


@pytest.mark.parametrize(("old", "new", "forth", "back"), CASES, ids=[case[2][:60] for case in CASES])
def test_changes_forth_and_back(old: RuleBase, new: RuleBase, forth: str, back: str) -> None:
    assert told(compare(old, new)) == forth
    assert told(compare(new, old)) == back


def test_every_code_has_a_case() -> None:
    assert {code for code in DRIFT_CODES if not any(code in case[2] + case[3] for case in CASES)} == set()


MIRRORS = {
    "QMP501": {"QMP502"}, "QMP502": {"QMP501"},
    "QMP503": {"QMP505"}, "QMP504": {"QMP505"}, "QMP505": {"QMP503", "QMP504"},
    "QMP506": {"QMP507"}, "QMP507": {"QMP506"},
    "QMP508": {"QMP508", "QMP509"}, "QMP509": {"QMP508"},
    "QMP510": {"QMP511"}, "QMP511": {"QMP510"},
    "QMP512": {"QMP513"}, "QMP513": {"QMP512"},
    "QMP514": {"QMP514", "QMP515"}, "QMP515": {"QMP514"},
    "QMP516": {"QMP518"}, "QMP518": {"QMP516"},
    "QMP517": {"QMP517", "QMP519"}, "QMP519": {"QMP517"},
}  # fmt: skip

SPECS = [entry.id for entry in catalogue.entries()]


def neighbours() -> list[tuple[str, str]]:
    texts = [entry.id for entry in catalogue.entries() if entry.source == "qmp-events.txt"]
    releases = [entry.id for entry in catalogue.entries() if entry.id in entry.releases]
    releases.sort(key=lambda name: tuple(map(int, name.split("."))))
    return [*pairwise(texts), *pairwise(releases), (texts[-1], "2.9"), ("0.12", "latest")]


@pytest.mark.parametrize(("a", "b"), neighbours())
def test_every_change_has_its_mirror(a: str, b: str) -> None:
    old, new = catalogue.find(a).rule_base, catalogue.find(b).rule_base
    forth, back = compare(old, new), compare(new, old)
    for change in forth:
        mirror = (change.event, change.path, change.value, change.where, change.new, change.old)
        assert any(
            each.code in MIRRORS[change.code]
            and (each.event, each.path, each.value, each.where, each.old, each.new) == mirror
            for each in back
        ), change
    assert len(forth) == len(back)


@given(st.sampled_from(SPECS))
def test_a_spec_does_not_differ_from_itself(name: str) -> None:
    rules = catalogue.find(name).rule_base
    assert compare(rules, rules) == ()


def test_what_one_side_may_state_and_is_not_understood_is_neither_removed_nor_added() -> None:
    limit = RateLimit(line=3)
    stated = base(A, follow_ups=(STOPS,), rate_limit=limit, line=1)
    lost = base(A, line=1, not_understood=(7, 8))
    # It is a risk that a follow-up was removed or a rate limit added; the reverse would be none.
    for old, new, side, codes in (
        (stated, lost, "new", ["QMP519", "QMP517"]),
        (lost, stated, "old", ["QMP517", "QMP519"]),
    ):
        not_found = f"not found in the {side} spec, whose line 7 was not understood"
        changes = compare(old, new)
        assert [change.code for change in changes] == codes
        assert [change.text for change in changes] == [
            f'follow-up {not_found}: if a is "stop", STOP follows',
            f"rate limit {not_found}: once a second",
        ]
    read = base(A, line=1)
    assert [change.code for change in compare(stated, read)] == ["QMP512", "QMP515"]
    assert [change.code for change in compare(read, stated)] == ["QMP513", "QMP514"]
