"""Names as a user writes them, one inside another."""

import pytest

from qmpcheck import dotted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", [""]),
        ("SHUTDOWN", ["SHUTDOWN"]),
        ("SHUTDOWN.reason.none", ["SHUTDOWN", "reason", "none"]),
        ("X.a__b.c_d", ["X", "a__b", "c_d"]),
        ("X..a.", ["X", "", "a", ""]),
        ("X.__com.redhat_reason", ["X", "__com.redhat_reason"]),
        ("X.__org.qemu_a.b_c.__com.example-1_d_e", ["X", "__org.qemu_a", "b_c", "__com.example-1_d_e"]),
        ("X.__a.b", ["X", "__a", "b"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert dotted.names(text) == names
