"""What all tests have in common: settings of the property tests, and no releases of the user's own."""

import pytest
from hypothesis import HealthCheck, settings

# machines are shared, so time says nothing
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session", autouse=True)
def _no_releases_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Releases that whoever runs the tests added for themselves are none of the tests'."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    patch.delenv("QMPCHECK_RULES", raising=False)
