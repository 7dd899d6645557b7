"""Tables fit the terminal; elsewhere nothing is wrapped."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmpcheck.reports.terminal import table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [("QMP203", "an unknown member of some event"), ("QMP301", "STOP")]


def test_a_long_cell_is_wrapped_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "28")
    assert (
        table(ROWS, ("code", "finding"), Terminal())
        == """\
code    finding
------  --------------------
QMP203  an unknown member of
        some event
QMP301  STOP"""
    )


def test_in_a_file_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "28")
    assert (
        table(ROWS, ("code", "finding"), io.StringIO())
        == """\
code    finding
------  -------------------------------
QMP203  an unknown member of some event
QMP301  STOP"""
    )


def test_a_word_is_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    assert "QMP203" in table(ROWS, ("code", "finding"), Terminal())


def test_a_hyphen_is_in_a_word_and_a_short_column_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "38")
    rows = [("9.2 to 11.1", "2 of 7", "one guest-reset more")]
    assert (
        table(rows, ("releases", "", "first"), Terminal())
        == """\
releases             first
-----------  ------  ---------------
9.2 to 11.1  2 of 7  one guest-reset
                     more"""
    )


WORDS = st.lists(st.text("abc", min_size=1, max_size=9), max_size=12).map(" ".join)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=4), st.integers(40, 120))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], columns: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        text = table(rows, ("a", "b", "c"), Terminal())
    assert max(map(len, text.split("\n"))) <= columns, "no word here is too long for that"
    words = sorted(word for row in rows for cell in row for word in cell.split())
    assert sorted("".join(text.split("\n")[2:]).replace(" ", "")) == sorted("".join(words))
