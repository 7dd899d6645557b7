"""Paths to values, as they are printed, and as users write them."""

import pytest

from qmpcheck import keypath


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
    assert keypath.names(text) == names


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("event",), "event"),
        (("data", "nodes", 3, "node-name"), "data.nodes[3].node-name"),
        (("data", "nodes", keypath.ITEMS), "data.nodes[]"),
        (("data", "a.b"), 'data["a.b"]'),
        (("data", "[]"), 'data["[]"]'),
        (("data", "\x1b[31m\n"), 'data["\\x1b[31m\\x0a"]'),
        (("data", "x" * 100), f'data["{"x" * 53}…{"x" * 26}"]'),
    ],
)
def test_a_path_is_safe_to_print(path: keypath.KeyPath, text: str) -> None:
    assert keypath.as_text(path) == text
