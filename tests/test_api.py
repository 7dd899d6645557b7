"""The public Python API."""

import doctest

import qmpcheck


def test_the_example_is_true() -> None:
    assert doctest.testmod(qmpcheck) == (0, 4)


def test_every_public_name_is_there() -> None:
    assert all(getattr(qmpcheck, name) for name in qmpcheck.__all__)
    assert not hasattr(qmpcheck, "no_such_name")
