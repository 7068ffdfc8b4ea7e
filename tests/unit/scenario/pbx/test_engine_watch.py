"""A process seen by the port it listens on."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from ivrflow.scenario.pbx.engine_watch import EngineWatch


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def port_of(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def test_connections_are_counted_until_the_process_itself_lets_go(listener: socket.socket) -> None:
    watch = EngineWatch(port_of(listener))
    before = watch.look()
    assert before is not None
    assert (before.pid, before.connections) == (os.getpid(), 0)
    assert before.threads >= 1
    assert before.cpu_s > 0
    assert before.memory > 1_000_000
    with socket.create_connection(("127.0.0.1", port_of(listener))) as caller:
        served, _ = listener.accept()
        during = watch.look()
        assert during is not None
        assert (during.connections, during.open_files) == (1, before.open_files + 2)
        caller.close()
        forgotten = watch.look()
        assert forgotten is not None
        assert forgotten.connections == 1, "what the other side has closed is still held"
        served.close()
    after = watch.look()
    assert after is not None
    assert (after.connections, after.open_files) == (0, before.open_files)


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert EngineWatch(port_of(bound)).look() is None


def test_a_listener_on_another_address_is_somebody_else(listener: socket.socket) -> None:
    assert EngineWatch(port_of(listener), "192.0.2.1").look() is None


def test_a_listener_on_all_addresses_is_found() -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        state = EngineWatch(port_of(everywhere)).look()
    assert state is not None
    assert state.pid == os.getpid()


def test_a_process_that_stopped_listening_is_followed(listener: socket.socket) -> None:
    watch = EngineWatch(port_of(listener))
    assert watch.look() is not None
    listener.close()
    state = watch.look()
    assert state is not None, "an engine that takes no more calls still has some"
    assert state.pid == os.getpid()


LISTENS_UNTIL_TOLD = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    print(listening.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def test_a_process_that_ended_is_gone_and_the_one_started_in_its_place_is_found() -> None:
    port, seen = 0, []
    watch: EngineWatch | None = None
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", LISTENS_UNTIL_TOLD, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            assert other.stdout is not None
            port = int(other.stdout.readline())
            watch = watch or EngineWatch(port)
            state = watch.look()
            assert state is not None
            assert state.pid == other.pid
            seen.append(state.pid)
        assert watch.look() is None
    assert len(set(seen)) == 2


def test_what_may_not_be_looked_at_is_not_there(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_self: object) -> int:
        raise psutil.AccessDenied

    watch = EngineWatch(port_of(listener))
    monkeypatch.setattr(psutil.Process, "num_fds", denied)
    assert watch.look() is None
