"""What all tests have in common: settings of the property tests, and no releases of the user's own."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import object_store
import pytest
from hypothesis import HealthCheck, settings
from real_qemu import MARKED

# machines are shared, so time says nothing
THOROUGH = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
settings.register_profile("thorough", THOROUGH)
settings.register_profile("quick", THOROUGH, max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell starts its background jobs with interrupts ignored, and the programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: more workers than processors, as half of the time is spent waiting for other programs."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session", autouse=True)
def _no_releases_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Releases that whoever runs the tests added for themselves are none of the tests'."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    patch.delenv("QMPCHECK_RULES", raising=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the expected output of tests/cases")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let only tests that are marked so ask for a QEMU: see `real_qemu`."""
    if item.get_closest_marker("qemu"):
        os.environ[MARKED] = "1"
    else:
        os.environ.pop(MARKED, None)


@pytest.fixture(scope="session")
def object_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The file system of a real S3 server."""
    with object_store.running(tmp_path_factory.mktemp("s3")) as system:
        yield system
