"""What users write for where a monitor listens."""

import socket
from pathlib import Path

from qmpcheck.qmp import address
from qmpcheck.qmp.address import Address


def test_what_is_an_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sh"))
        for words, meaning in [
            (["unix:a:1"], Address("a:1")),
            (["tcp:host:4444"], Address("host", 4444)),
            (["host:4444"], Address("host", 4444)),
            (["[::1]:4444"], Address("::1", 4444)),
            (["./none.sock"], Address("./none.sock")),
            (["host:99999"], Address("host:99999")),
            ([f"{tmp_path}/sh"], Address(f"{tmp_path}/sh")),
            (["sh"], None),
            (["unix:a", "b"], None),
        ]:
            assert address.parse_address(words) == meaning
