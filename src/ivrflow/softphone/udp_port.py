"""A UDP socket on asyncio that knows when the kernel, and not the busy event loop, received each datagram."""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Literal

Address = tuple[str, int]
Wire = Callable[[Literal["in", "out"], bytes], bool]
"""For tests: asked about every datagram; False loses it."""

_SO_TIMESTAMPNS = 35  # Linux on all common processors; Python gives it no name
_SAME_MOMENT_S = 0.0002
_STAMP = struct.Struct("qq")
_LARGEST = 65536  # bytes of one UDP datagram
_BUFFER = 1 << 20  # bytes the kernel may keep for us, if it allows that many: a good ten seconds of a call's audio
_BEHIND_S = 0.01  # seconds a datagram has waited for us when there may be others behind it
_MOST_AT_ONCE = 200  # datagrams taken before others have their turn
_LARGEST_RTP = 2048  # bytes; no packet of 20 ms comes near it


class UdpPort:
    """Bound at once, read from when `listen` is called. `address` is the local IP and port.

    A datagram of more than `largest` bytes is cut.
    """

    def __init__(self, local_ip: str, port: int = 0, largest: int = _LARGEST) -> None:
        self._largest = largest
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)  # noqa: FBT003 - that is how the socket module names it
            with contextlib.suppress(OSError):  # without it the clock is read after the event loop got round to it
                self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.bind((local_ip, port))
        except OSError:
            self._socket.close()
            raise
        self.address: Address = self._socket.getsockname()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taken: Callable[[bytes, Address, float], None] | None = None
        self._wire: Wire | None = None

    def listen(self, taken: Callable[[bytes, Address, float], None], wire: Wire | None = None) -> None:
        """Hand every datagram to `taken` with its source and its arrival (monotonic seconds)."""
        self._taken, self._wire = taken, wire
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def send(self, datagram: bytes, destination: Address) -> None:
        """Send now; what the kernel cannot take is lost, as UDP may be."""
        if self._wire is None or self._wire("out", datagram):
            with contextlib.suppress(OSError):
                self._socket.sendto(datagram, destination)

    def take_what_waits(self) -> None:
        """Take what has come and could not be taken yet: the last thing before closing."""
        while self._loop and self._take_one() is not None:
            pass

    def close(self) -> None:
        """Stop listening and close; doing it twice is harmless."""
        if self._loop and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        """Take what is there; more than one only when we are behind, for the other calls wait for their turn, too."""
        for _ in range(_MOST_AT_ONCE):
            waited = self._take_one()
            if waited is None or waited < _BEHIND_S:
                return

    def _take_one(self) -> float | None:
        """Take a datagram; the seconds for which it had been waiting, None when there was none."""
        try:
            datagram, ancillary, _, source = self._socket.recvmsg(self._largest, 64)
        except OSError:
            return None  # woken without a datagram, an ICMP error of an earlier send, or closed meanwhile
        waited = _BEHIND_S  # nobody knows; there may be more
        if ancillary and ancillary[0][1] == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _STAMP.unpack(ancillary[0][2])
            # The kernel stamps wall-clock time; how long ago that was holds on every clock.
            arrival, wall = _both_clocks()
            waited = max(0.0, wall - (seconds + nanoseconds * 1e-9))
            arrival -= waited
        else:
            arrival = time.monotonic()
        if self._taken and (self._wire is None or self._wire("in", datagram)):
            self._taken(datagram, source, arrival)
        return waited


def _both_clocks() -> tuple[float, float]:
    """Monotonic and wall-clock seconds of one moment, read again when something came between the two readings."""
    for _ in range(3):
        monotonic, wall = time.monotonic(), time.time()
        if time.monotonic() - monotonic < _SAME_MOMENT_S:
            break
    return monotonic, wall


def rtp_pair(local_ip: str, tries: int = 50) -> tuple[UdpPort, UdpPort]:
    """An even port for RTP and the odd one above it, kept so that the peer's RTCP meets no other call (RFC 3550 11).

    Raises:
        OSError: no such pair is free.
    """
    for _ in range(tries):
        rtp = UdpPort(local_ip, largest=_LARGEST_RTP)
        host, port = rtp.address
        if port % 2 == 0 and port < 65535:
            with contextlib.suppress(OSError):
                return rtp, UdpPort(host, port + 1)
        rtp.close()
    raise OSError(f"no pair of neighbouring UDP ports is free on {local_ip}")
