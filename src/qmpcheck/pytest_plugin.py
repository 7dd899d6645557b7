"""The pytest plugin: check what the QEMUs of a test send, and give clients a QEMU to be tested with.

Every pytest run loads it if qmpcheck is installed, so nothing else of qmpcheck is loaded before a test asks
for the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qmpcheck.replaying.background import QMPServer
    from qmpcheck.testing import Recorder, Result, Settings

_MARKER = (
    "qmpcheck(spec='auto', ignore=[], assume=[], complete=False): how the events of its QEMUs are checked"
)
_SERVER_MARKER = (
    "qmp_server(spec='latest', recording=None, events=0, seed=0, speed=inf, script=None): what it plays"
)
_has_passed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of a whole project; a marker's argument of the same name overrides each."""
    parser.addini(
        "qmpcheck_spec",
        "spec that QEMU's events are checked against; auto: the release in its greeting",
        default="auto",
    )
    parser.addini("qmpcheck_ignore", "codes of findings that are not wanted, such as QMP304", "args", [])
    parser.addini("qmpcheck_assume", "options that QEMU is given, such as no-shutdown", "args", [])


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", _SERVER_MARKER)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Remember whether a test has passed: one that was skipped need not have started a QEMU."""
    if call.when == "call":
        item.stash[_has_passed] = call.excinfo is None


@pytest.fixture
def qmpcheck_recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recorder]:
    """Records what each QEMU that was started with its `qemu_options()` sends, and checks it at the end.

    The test fails if QEMU sent what its spec does not allow, and if nothing could be checked. The
    recordings are kept in `tmp_path`.
    """
    from qmpcheck import testing
    from qmpcheck.rulebase import SpecError

    settings = _settings(request)
    try:
        testing.validate_settings(settings)
    except SpecError as error:
        raise pytest.fail.Exception(f"qmpcheck: {error}", pytrace=False) from None
    with testing.Recorder(tmp_path) as recorder:
        yield recorder
    _report(request.node, testing.check(recorder, settings))


def _report(item: pytest.Item, result: Result) -> None:
    """Fail the test, or leave the report where pytest shows it on demand (`-rP`)."""
    unchecked = [f"qmpcheck: {reason}" for reason in result.unchecked if item.stash.get(_has_passed, False)]
    if result.has_errors or unchecked:
        pytest.fail("\n".join([*unchecked, result.report]).rstrip(), pytrace=False)
    if result.report:
        item.add_report_section("teardown", "qmpcheck", result.report)


def _settings(request: pytest.FixtureRequest) -> Settings:
    """Merge the settings of the project, and of the markers from the outermost to the test's own."""
    from qmpcheck.testing import Settings

    chosen: dict[str, Any] = {
        name: request.config.getini(f"qmpcheck_{name}") for name in ("spec", "ignore", "assume")
    }
    for marker in reversed([*request.node.iter_markers("qmpcheck")]):
        if marker.args or not marker.kwargs.keys() <= set(Settings._fields):
            pytest.fail(f"qmpcheck: the marker takes {', '.join(Settings._fields)}, by name", pytrace=False)
        chosen |= marker.kwargs
    for name in ("ignore", "assume"):  # a single string is one item, and not a list of letters
        chosen[name] = (chosen[name],) if isinstance(chosen[name], str) else tuple(chosen[name])
    return Settings(**chosen | {"spec": str(chosen["spec"])})


@pytest.fixture
def qmp_server(request: pytest.FixtureRequest) -> Iterator[QMPServer]:
    """A QMP server at `qmp_server.path`, which the client that is tested connects to.

    It sends what the marker says, and what the test tells it to `send`. `commands` are what clients sent.
    """
    from qmpcheck.replaying import background
    from qmpcheck.rulebase import SpecError
    from qmpcheck.wording import did_you_mean

    chosen: dict[str, Any] = {}
    for marker in reversed([*request.node.iter_markers("qmp_server")]):
        chosen |= marker.kwargs
        if marker.args:
            pytest.fail("qmpcheck: the marker qmp_server takes everything by name", pytrace=False)
    known = background.ServerSettings._fields
    for name in chosen.keys() - set(known):
        reason = f"unknown option {name}{did_you_mean(name, known)}"
        pytest.fail(f"qmpcheck: qmp_server: {reason}", pytrace=False)
    try:
        server = background.of_settings(background.ServerSettings(**chosen))
    except (SpecError, TypeError) as error:
        raise pytest.fail.Exception(f"qmpcheck: qmp_server: {error}", pytrace=False) from None
    with server:
        yield server
