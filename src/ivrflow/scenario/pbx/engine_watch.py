"""What the engine holds and uses, seen from outside: its process on this machine, found by the port it listens on.

    engine = EngineWatch(settings.agi_port, settings.agi_host)
    before = engine.look()

The PBX is found the same way by its manager's port. Only the processes of this machine can be seen, and of those only
one's own, unless one is root.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what somebody else listens on is compared with these; nothing is opened


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process at one moment.

    Attributes:
        pid: its number; another one than before means that it was started anew.
        connections: connections held on its port, also those the other side has closed. Of the engine these are its
            live calls, of the PBX those who are logged in at the manager.
        open_files: file descriptors, sockets included.
        threads: how many.
        cpu_s: seconds of one core used since it began.
        memory: bytes resident.
    """

    pid: int
    connections: int
    open_files: int
    threads: int
    cpu_s: float
    memory: int


class EngineWatch:
    """The process that listens on a TCP port of this machine. Once found it is followed until it ends.

    Args:
        port: FastAGI's for the engine, the manager's for the PBX.
        host: the address it listens on; a process that listens on all addresses is found as well.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._port = port
        self._addresses = {(address, port) for address in (host, *ANY_ADDRESS)}
        self._process: psutil.Process | None = None

    def look(self) -> ProcessState | None:
        """How it is now; None when nobody listens there whom we may look at. Blocks for some milliseconds."""
        state = self._state()
        if state is None:
            self._process = self._listener()
            state = self._state()
        return state

    def _listener(self) -> psutil.Process | None:
        try:
            for held in psutil.net_connections("tcp"):
                if held.status == psutil.CONN_LISTEN and held.laddr in self._addresses and held.pid:
                    return psutil.Process(held.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            pass
        return None

    def _state(self) -> ProcessState | None:
        process = self._process
        try:
            if process is None or not process.is_running():
                return None
            held = [one for one in process.net_connections("tcp") if one.laddr.port == self._port]
            with process.oneshot():
                used = process.cpu_times()
                return ProcessState(
                    pid=process.pid,
                    connections=sum(one.status != psutil.CONN_LISTEN for one in held),
                    open_files=process.num_fds(),
                    threads=process.num_threads(),
                    cpu_s=used.user + used.system,
                    memory=process.memory_info().rss,
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None  # it ended in this moment, or is not ours to look at
