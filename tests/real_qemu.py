"""The QEMU of this machine, for the tests that are marked with `qemu`."""

import os
import shutil

import pytest

MARKED = "TEST_IS_MARKED_QEMU"
"""The environment variable that `conftest` sets while such a test runs."""


def real(name: str = "qemu-system-x86_64") -> str:
    """The path of a program of that name; where there is none, the test is skipped.

    A test that is not marked fails, as `-m 'not qemu'` would run it.
    """
    assert MARKED in os.environ, "mark the test with @pytest.mark.qemu"
    return shutil.which(name) or pytest.skip(f"no {name} on PATH")
