"""Rule bases as values: written, read again, and refused."""

from typing import Any

import pytest
from rulebases import QAPI

from qmpcheck.rulebase import (
    Alternate,
    EventRule,
    Integer,
    Member,
    Number,
    Object,
    RuleBase,
    String,
    dump,
    load,
)


@pytest.mark.parametrize(
    "types", [(), (Integer(), Number()), (String(), Alternate((String(), Object())))], ids=str
)
def test_an_alternate_is_told_by_json_types(types: Any) -> None:
    rule_base = RuleBase({"X1": EventRule(Object((Member("a", Alternate(types)),)))})
    with pytest.raises(ValueError, match="tell apart"):
        load(dump(rule_base))


def test_the_rule_base_reads_as_it_was_written() -> None:
    assert load(dump(QAPI)) == QAPI
