"""Something that phones take for a PBX: registers them, is called by them, rings them. No audio passes through it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal, Self

import numpy as np

from ivrflow.bridge.asterisk_line import CALL_HEADER
from ivrflow.scenario.pbx.cast import Accounts
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import RATE, Samples
from ivrflow.softphone.sip_message import Headers, SipRequest, SipResponse, parse_message
from ivrflow.softphone.softphone import OnCall, SoftPhone

PASSWORDS = {"caller": "c", "1001": "a", "1002": "b"}


def phrase(number: int, seconds: float = 1.2) -> Samples:
    """A sound like no other."""
    chance = np.random.default_rng(number)
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = np.cumsum(200 + 150 * np.repeat(chance.random(int(seconds * 20) + 1), RATE // 20)[: len(time)]) / RATE
    wave = sum(np.sin(2 * np.pi * n * pitch + chance.uniform(0, 6)) / n for n in range(1, 8))
    loudness = 0.6 + 0.4 * np.sin(2 * np.pi * 3.3 * time + number)
    noise = chance.normal(0, 0.1, len(time))
    samples: Samples = np.round(5000 * loudness * (wave + noise)).clip(-32000, 32000).astype(np.int16)
    return samples


SOUNDS = {"house/hello": phrase(1), "house/menu": phrase(2, 2.0), "house/bye": phrase(3)}


class LittlePbx:
    """Its own phone takes the calls (`next_call`); `ring` calls an agent.

    Attributes:
        registered: where the phones are that are registered, by account.
        refuses: accounts whose registration it refuses.
        refusal: with which status and reason.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.registered: dict[str, tuple[str, int]] = {}
        self.refuses: set[str] = set()
        self.refusal = (403, "Forbidden")
        self.registrations: list[tuple[str, int]] = []
        self._phone = SoftPhone("pbx", on_call=on_call, wire=self._wire)
        self._legs: list[SoftPhone] = []

    async def __aenter__(self) -> Self:
        await self._phone.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for phone in (self._phone, *self._legs):
            await phone.close(within_s=0.2)

    @property
    def accounts(self) -> Accounts:
        """How to reach it."""
        return Accounts(server=self._phone.address, caller="caller", passwords=PASSWORDS)

    @property
    def live(self) -> int:
        """How many calls it has."""
        return sum(len(phone.calls) for phone in (self._phone, *self._legs))

    async def answered(self) -> Call:
        """The next call that comes in, answered."""
        call = await self._phone.next_call(10.0)
        call.answer()
        return call

    async def next_call(self) -> Call:
        """The next call that comes in, ringing."""
        return await self._phone.next_call(10.0)

    async def ring(self, account: str, caller: str = "") -> Call:
        """Ring a registered phone, for the caller of that Uniqueid."""
        host, port = self.registered[account]
        leg = await SoftPhone("leg", server=(host, port)).__aenter__()
        self._legs.append(leg)
        return leg.dial(account, headers=[(CALL_HEADER, caller)] if caller else [])

    def _wire(self, direction: Literal["in", "out"], datagram: bytes) -> bool:
        if direction == "in" and datagram.startswith(b"REGISTER"):
            asyncio.get_running_loop().call_soon(self._registration, datagram)
            return False
        return True

    def _registration(self, datagram: bytes) -> None:
        request = parse_message(datagram)
        assert isinstance(request, SipRequest)
        account = request.to.uri.removeprefix("sip:").partition("@")[0]
        via = request.top_via
        address = (via.host, via.port or 5060)
        expires = int(request.headers.first("Expires") or 0)
        self.registrations.append((account, expires))
        headers = Headers([(name, request.headers.first(name) or "") for name in ("Via", "From", "Call-ID", "CSeq")])
        headers.add("To", f"{request.headers.first('To')};tag=pbx")
        if account in self.refuses:
            status, reason = self.refusal
            response = SipResponse(headers, status=status, reason=reason)
        else:
            headers.add("Contact", request.headers.first("Contact") or "")
            headers.add("Expires", str(expires))
            if expires:
                self.registered[account] = address
            else:
                self.registered.pop(account, None)
            response = SipResponse(headers, status=200, reason="OK")
        assert self._phone._port is not None
        self._phone._port.send(response.encode(), address)
