"""The pytest plugin, in test runs of its own."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from real_qemu import real

pytest_plugins = ["pytester"]

FAKE = """
import json, os, socket, sys, time

def fake(options, *lines, greeting=b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}, "capabilities": []}}'):
    path = options[1].split("path=")[1].replace(",,", ",")
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb", buffering=0) as file:
        connection.connect(path)
        file.write(greeting + b"\\r\\n")
        if b"QMP" in greeting:
            assert json.loads(file.readline()) == {"execute": "qmp_capabilities"}
        for line in lines:
            file.write(line)

def event(name, **data):
    message = {"timestamp": {"seconds": 1, "microseconds": 2}, "event": name} | ({"data": data} if data else {})
    return json.dumps(message).encode() + b"\\r\\n"
"""


def ran(pytester: pytest.Pytester, test: str, ini: str = "", *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(fake=FAKE, test_it=f"import pytest\nfrom fake import *\n\n{test}")
    pytester.makeini(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n{ini}")
    pytester._monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # an installed one is this one again
    return pytester.runpytest_subprocess("-p", "qmpcheck.pytest_plugin", *arguments)


# real ones


REAL = """
import subprocess
from pathlib import Path

def start(recorder, *arguments):
    return subprocess.Popen(
        ["qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", *recorder.qemu_options(), *arguments]
    )

def commanded(path, *names):
    while not Path(path).exists():
        time.sleep(0.02)
    time.sleep(0.2)
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb", buffering=0) as file:
        connection.connect(path)
        file.readline()
        for name in ("qmp_capabilities", *names):
            file.write(json.dumps({"execute": name}).encode())
            while b'"return"' not in file.readline():
                pass
"""


WHATEVER_RELEASE = "qmpcheck_spec = 7.2\n"
"""The events of these tests are the same since 4.0."""


@pytest.fixture
def needs_qemu() -> None:
    real()


@pytest.mark.qemu
@pytest.mark.usefixtures("needs_qemu")
def test_a_healthy_qemu_passes_and_its_recording_is_kept(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder, tmp_path):
    with start(qmpcheck_recorder, "-qmp", "unix:s,server=on,wait=off"):
        commanded("s", "stop", "cont", "quit")
"""
    result = ran(pytester, REAL + test, WHATEVER_RELEASE, "-rP", "--basetemp=kept")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*qmpcheck1.jsonl: conforms to 7.2: 5 lines, 3 events, 0 errors, *"])
    kept = next(pytester.path.glob("kept/*/qmpcheck1.jsonl"))
    assert kept.read_bytes().startswith(b'{"QMP"')


@pytest.mark.qemu
@pytest.mark.usefixtures("needs_qemu")
def test_a_qemu_that_lives_on_is_checked_so_far_and_not_harmed(pytester: pytest.Pytester) -> None:
    test = """
@pytest.fixture(scope="module")
def started():
    machines = []
    yield machines
    commanded("s", "query-status")
    for machine in machines:
        assert machine.poll() is None
        machine.kill()
        machine.wait()

def test_it(started, qmpcheck_recorder):
    started.append(start(qmpcheck_recorder, "-qmp", "unix:s,server=on,wait=off"))
    commanded("s", "stop", "cont", "query-status")
    time.sleep(0.2)
"""
    ran(pytester, REAL + test, WHATEVER_RELEASE).assert_outcomes(passed=1)


@pytest.mark.qemu
@pytest.mark.usefixtures("needs_qemu")
def test_a_machine_that_was_killed_and_started_anew_is_two_streams(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder, tmp_path):
    options = ["qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none"]
    options += [*qmpcheck_recorder.qemu_options(), "-qmp", "unix:s,server=on,wait=off"]
    for _ in range(2):
        with subprocess.Popen(options) as machine:
            commanded("s", "stop", "cont", "query-status")
            machine.kill()
        os.unlink("s")
"""
    result = ran(pytester, REAL + test, WHATEVER_RELEASE, "-rP")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*/qmpcheck1.jsonl: conforms*", "*/qmpcheck1-2.jsonl: conforms*"])


# findings


def test_what_the_spec_does_not_allow_fails_the_test(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder):
    fake(qmpcheck_recorder.qemu_options(), event("STOP"), event("STOP", **{"\\x1b[31m": 1}))
"""
    result = ran(pytester, test)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*/qmpcheck1.jsonl: violations of 7.2: 3 lines, 2 events, 1 error, 0 warnings",
            "*/qmpcheck1.jsonl:3:*: QMP203 STOP data[[]*x1b*: unknown member; the spec has none here*",
        ]
    )
    result.stdout.no_fnmatch_line("*\x1b*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_failed_test_is_told_of_findings_and_of_nothing_else(pytester: pytest.Pytester) -> None:
    test = """
def test_bad(qmpcheck_recorder):
    fake(qmpcheck_recorder.qemu_options(), event("STOP", no=1))
    assert False

def test_none(qmpcheck_recorder):
    assert False

def test_skipped(qmpcheck_recorder):
    qmpcheck_recorder.qemu_options()
    pytest.skip()
"""
    ran(pytester, test).assert_outcomes(failed=2, skipped=1, errors=1)


def test_each_of_two_machines_is_checked(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder):
    first, second = qmpcheck_recorder.qemu_options(), qmpcheck_recorder.qemu_options()
    fake(second, event("STOP", no=1))
    fake(first, event("RESUME"))
"""
    result = ran(pytester, test)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*/qmpcheck1.jsonl: conforms*", "*/qmpcheck2.jsonl: violations*"])


def test_findings_are_listed_up_to_a_hundred(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder):
    fake(qmpcheck_recorder.qemu_options(), *[event("STOP", no=1)] * 103)
"""
    ran(pytester, test).stdout.fnmatch_lines(["*/qmpcheck1.jsonl: 3 more findings not listed"])


def test_follow_ups_are_pending_unless_the_test_says_that_all_is_over(pytester: pytest.Pytester) -> None:
    test = """
def killed(recorder):
    fake(recorder.qemu_options(), event("WATCHDOG", action="pause"), b'{"event": "ST')

def test_killed(qmpcheck_recorder):
    killed(qmpcheck_recorder)

@pytest.mark.qmpcheck(complete=True)
def test_over(qmpcheck_recorder):
    killed(qmpcheck_recorder)
"""
    result = ran(pytester, test, "", "-rP")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*/test_over0/qmpcheck1.jsonl:2:59: QMP301 *", "*/test_killed0/qmpcheck1.jsonl:2:59: QMP302 *"]
    )
    result.stdout.fnmatch_lines(["*/test_killed0/qmpcheck1.jsonl: lost 13 bytes of an unfinished line"])


def test_an_event_before_the_greeting_is_recorded(pytester: pytest.Pytester) -> None:
    test = """
def test_it(qmpcheck_recorder):
    [_, chardev, *_] = qmpcheck_recorder.qemu_options()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(chardev.split("path=")[1])
        connection.sendall(event("NEWS") + b'{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 22}}}}\\r\\n')
        connection.makefile("rb").readline()
"""
    result = ran(pytester, test)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*/qmpcheck1.jsonl:1:59: QMP201 NEWS *"])


# nothing to check


NOTHING = {
    "pass": "qmpcheck: no QEMU was recorded: qemu_options() was not called",
    "qmpcheck_recorder.qemu_options()": "qmpcheck: no QEMU connected to the recorder (machine 1 of 1)*",
    "qmpcheck_recorder.qemu_options(); fake(qmpcheck_recorder.qemu_options(), event('STOP'))": (
        "qmpcheck: no QEMU connected to the recorder (machine 1 of 2)*"
    ),
    "fake(qmpcheck_recorder.qemu_options())": "qmpcheck: */qmpcheck1.jsonl: no event in it",
    "fake(qmpcheck_recorder.qemu_options(), greeting=b'SSH')": 'qmpcheck: *: it does not speak QMP: its first line is "SSH"',
    "fake(qmpcheck_recorder.qemu_options(), greeting=b'{\"QMP\": {}}')": "qmpcheck: *: neither a greeting nor an event in it; *",
    'fake(qmpcheck_recorder.qemu_options(), greeting=b\'{"QMP": {"version": {"qemu": {"major": 99, "minor": 1, "micro": 0}}}}\')': "qmpcheck: *: no event in it",
    "fake(qmpcheck_recorder.qemu_options(), greeting=b'')": 'qmpcheck: *: it does not speak QMP: its first line is ""',
    "with socket.socket(socket.AF_UNIX) as s: s.connect(qmpcheck_recorder.qemu_options()[1].split('=')[2])": (
        "qmpcheck: *: it closed the connection without a greeting"
    ),
    "fake(qmpcheck_recorder.qemu_options(), event('STOP')); (tmp_path / 'qmpcheck1.jsonl').unlink()": (
        "qmpcheck: */qmpcheck1.jsonl: No such file or directory"
    ),
    "(tmp_path / 'qmpcheck1.jsonl').write_text('x'); fake(qmpcheck_recorder.qemu_options(), event('STOP'))": (
        "qmpcheck: */qmpcheck1.jsonl: *it exists already*"
    ),
}


@pytest.mark.parametrize(("body", "message"), NOTHING.items(), ids=range(len(NOTHING)))
def test_a_test_is_not_green_where_nothing_was_checked(
    body: str, message: str, pytester: pytest.Pytester
) -> None:
    imports = "from contextlib import suppress\n"
    test = f"def test_it(qmpcheck_recorder, tmp_path):\n    with suppress(OSError, ValueError):\n        {body}\n"
    result = ran(pytester, imports + test)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([message])


def test_a_peer_that_never_pauses_does_not_keep_the_test(pytester: pytest.Pytester) -> None:
    test = """
import threading

def flood(options):
    try:
        fake(options, *[event("STOP") * 400] * 10**6)
    except OSError:
        pass

def test_it(monkeypatch, qmpcheck_recorder):
    monkeypatch.setattr("qmpcheck.recording.listener._MOMENT", 0.3)
    monkeypatch.setattr("qmpcheck.qmp.connection.CHUNK", 64)  # it sends faster than we read
    threading.Thread(target=flood, args=[qmpcheck_recorder.qemu_options()], daemon=True).start()
    time.sleep(0.3)
"""
    ran(pytester, test).assert_outcomes(passed=1)


# settings


def test_the_nearest_setting_counts(pytester: pytest.Pytester) -> None:
    test = """
def bad(recorder):
    fake(recorder.qemu_options(), event("STOP", no=1))

def test_of_the_project(qmpcheck_recorder):
    bad(qmpcheck_recorder)

@pytest.mark.qmpcheck(ignore=["QMP1"])
class TestIgnored:
    def test_of_the_class(self, qmpcheck_recorder):
        bad(qmpcheck_recorder)

    @pytest.mark.qmpcheck(ignore="QMP203", spec="10.0")
    def test_of_its_own(self, qmpcheck_recorder):
        bad(qmpcheck_recorder)

@pytest.mark.qmpcheck(assume=["-no-shutdown"], complete=True)
def test_assumed(qmpcheck_recorder):
    fake(qmpcheck_recorder.qemu_options(), event("SHUTDOWN", guest=True, reason="guest-shutdown"))
"""
    result = ran(pytester, test, "qmpcheck_ignore = QMP2 QMP304\nqmpcheck_spec = 7.2\n", "-rP")
    result.assert_outcomes(passed=4, errors=2)
    text = result.stdout.str()
    assert "test_of_the_class0/qmpcheck1.jsonl:2:76: QMP203" in text
    assert "test_of_its_own0/qmpcheck1.jsonl: conforms to 10.0" in text
    assert (
        "test_assumed0/qmpcheck1.jsonl:2:59: QMP301 SHUTDOWN: if -no-shutdown was given, STOP follows" in text
    )


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("spec='7.20'", 'qmpcheck: no spec is called "7.20"*'),
        ("spec=7.2, ignore=['QMP7']", 'qmpcheck: ignore: no code here begins with "QMP7"'),
        ("spec='7.2', assume='shutdown'", 'qmpcheck: assume: "shutdown": *only on no-shutdown'),
        ("'7.2'", "qmpcheck: the marker takes spec, ignore, assume, complete, by name"),
        ("sepc='7.2'", "qmpcheck: the marker takes spec, ignore, assume, complete, by name"),
    ],
)
def test_a_wrong_setting_is_told_before_the_test(
    marker: str, message: str, pytester: pytest.Pytester
) -> None:
    result = ran(pytester, f"@pytest.mark.qmpcheck({marker})\ndef test_it(qmpcheck_recorder):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


# loading


def test_the_plugin_loads_nothing_until_it_is_used() -> None:
    script = "import sys, pytest; before = {*sys.modules}; import qmpcheck.pytest_plugin; print(*sorted({*sys.modules} - before))"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert loaded == ["qmpcheck", "qmpcheck.pytest_plugin"]


def test_pytest_finds_the_plugin() -> None:
    found = [each.value for each in entry_points(group="pytest11") if each.name == "qmpcheck"]
    if not found:
        pytest.skip("qmpcheck is not installed, or was before it had a plugin")
    assert found[0] == "qmpcheck.pytest_plugin"
