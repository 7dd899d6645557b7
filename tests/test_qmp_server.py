"""The fixture `qmp_server`, in test runs of its own: a QEMU for the client that is tested."""

import pytest
from test_pytest_plugin import ran
from test_replay import LIFE_CYCLE

pytest_plugins = ["pytester"]

CLIENT = """
from contextlib import contextmanager

@contextmanager
def connected(path):
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb", buffering=0) as file:
        connection.connect(path)
        file.readline()
        file.write(b'{"execute": "qmp_capabilities"}')
        file.readline()
        yield file
"""


def test_a_client_is_sent_what_the_test_says_and_the_test_sees_what_it_sent(
    pytester: pytest.Pytester,
) -> None:
    test = """
def test_it(qmp_server):
    with connected(qmp_server.path) as file:
        qmp_server.send("STOP")
        assert json.loads(file.readline())["event"] == "STOP"
        file.write(b'{"execute": "cont", "id": 1}')
        assert qmp_server.wait_for("cont") == {"execute": "cont", "id": 1}
        assert json.loads(file.readline())["event"] == "RESUME"
        assert json.loads(file.readline()) == {"return": {}, "id": 1}
        assert [each["execute"] for each in qmp_server.commands] == ["qmp_capabilities", "cont"]
        qmp_server.hang_up()
        assert file.readline() == b""
"""
    ran(pytester, CLIENT + test).assert_outcomes(passed=1)


def test_markers_say_what_it_plays(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", script='[[meet]]\ncommand = "query-block"\nerror = { desc = "busy" }\n')
    test = f"""
def events(path):
    with connected(path) as file:
        return sum(b'"event"' in line for line in file)

@pytest.mark.qmp_server(recording={str(LIFE_CYCLE)!r})
def test_recording(qmp_server):
    assert events(qmp_server.path) == 9

@pytest.mark.qmp_server(spec="9.2", script="script.toml")
class TestRelease:
    def test_script(self, qmp_server):
        with connected(qmp_server.path) as file:
            file.write(b'{{"execute": "query-version"}}{{"execute": "query-block"}}')
            assert json.loads(file.readline())["return"]["qemu"] == {{"micro": 0, "minor": 2, "major": 9}}
            assert json.loads(file.readline())["error"]["desc"] == "busy"

    @pytest.mark.qmp_server(events=None)
    def test_generated(self, qmp_server):
        assert events(qmp_server.path) > 100
"""
    ran(pytester, CLIENT + test).assert_outcomes(passed=3)


def test_a_wrong_marker_is_named(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.qmp_server(spec="11.7")
def test_spec(qmp_server):
    pass

@pytest.mark.qmp_server(recording="none.jsonl")
def test_recording(qmp_server):
    pass

@pytest.mark.qmp_server(sped=1)
def test_name(qmp_server):
    pass

@pytest.mark.qmp_server("11.1")
def test_position(qmp_server):
    pass
"""
    result = ran(pytester, test)
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(
        [
            'qmpcheck: qmp_server: no spec is called "11.7"*',
            "qmpcheck: qmp_server: none.jsonl: No such file or directory",
            "qmpcheck: qmp_server: unknown option sped (did you mean speed*",
            "qmpcheck: the marker qmp_server takes everything by name",
        ]
    )
    result.stdout.no_fnmatch_line("*another exception*")


def test_an_error_of_send_shows_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    result = ran(pytester, 'def test_it(qmp_server):\n    qmp_server.send("STOPP")\n')
    result.stdout.fnmatch_lines(
        [
            '>       qmp_server.send("STOPP")',
            "E       ValueError: STOPP: unknown event*(did you mean STOP?); to send it anyway, add unchecked=True",
        ]
    )
    result.stdout.no_fnmatch_line("*raise ValueError*")


def test_a_test_cannot_send_what_the_release_does_not_have_by_mistake(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.parametrize(("event", "data", "reason"), [
    ("BLOCK_IO_EROR", {}, "did you mean BLOCK_IO_ERROR"),
    ("WATCHDOG", {"action": "pause", "acton": 1}, "data.acton: unknown member.*did you mean action"),
    ("WATCHDOG", {"action": "paus"}, "data.action: expected"),
    ("WATCHDOG", {}, "WATCHDOG: data"),
])
def test_it(qmp_server, event, data, reason):
    with pytest.raises(ValueError, match=reason):
        qmp_server.send(event, **data)
    with connected(qmp_server.path) as file:
        qmp_server.send(event, unchecked=True, **data)
        assert json.loads(file.readline())["event"] == event
        qmp_server.send("WATCHDOG" if event != "WATCHDOG" else "RESUME", **({"action": "pause"} if event != "WATCHDOG" else {}))
"""
    ran(pytester, CLIENT + test).assert_outcomes(passed=4)
