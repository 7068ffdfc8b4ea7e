"""Two phones on loopback, without a PBX between them."""

import asyncio
from collections.abc import Callable
from typing import Literal

from ivrflow.softphone.call import Call
from ivrflow.softphone.softphone import OnCall, SoftPhone
from ivrflow.softphone.udp_port import Wire

NOWHERE = ("127.0.0.1", 9)


def phone(on_call: OnCall | Callable[[Call], OnCall] | None = None, wire: Wire | None = None) -> SoftPhone:
    return SoftPhone("bob", server=NOWHERE, on_call=on_call, wire=wire)


def at(bob: SoftPhone, wire: Wire | None = None, codecs: tuple[str, ...] = ("alaw", "ulaw")) -> SoftPhone:
    """Alice's phone, whose server is Bob's."""
    return SoftPhone("alice", server=bob.address, wire=wire, codecs=codecs)


def losing_first(way: Literal["in", "out"], start: bytes) -> Wire:
    """Loses the first datagram that goes this way and begins like this."""
    lost: list[bytes] = []

    def wire(direction: str, datagram: bytes) -> bool:
        if direction == way and datagram.startswith(start) and not lost:
            lost.append(datagram)
            return False
        return True

    return wire


def lines(phone: SoftPhone, direction: str) -> list[str]:
    return [line.text.split("\r\n")[0].split(" sip:")[0] for line in phone.signalling if line.direction == direction]


async def eventually(condition: Callable[[], object]) -> None:
    """Wait, for ten seconds at most, until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - both ends are sockets: nobody here is told when the other has it
            await asyncio.sleep(0.005)


async def heard(call: Call, packets: int) -> None:
    """Wait until so many packets were received."""
    await eventually(lambda: len(call.recording) >= packets)
