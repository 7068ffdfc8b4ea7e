"""A real SIP phone on asyncio: registers, calls, is called, and keeps every packet it hears.

```python
async with SoftPhone("1001", password, ("127.0.0.1", 5060)) as phone:
    await phone.register()
    call = await phone.call("12345", source=Silence())
    end = await call.ended
    print(end.by, call.recording.heard_spans())
```
"""

import asyncio
import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self, assert_never
from weakref import WeakValueDictionary

from ivrflow.softphone.audio_source import AudioSource, Silence
from ivrflow.softphone.call import Call, CallGone, PhoneError, SignallingLine, Unreachable, new_port
from ivrflow.softphone.pacer import Pacer
from ivrflow.softphone.sip_agent import SipAgent
from ivrflow.softphone.sip_call import SipCall
from ivrflow.softphone.sip_message import SipProtocolError
from ivrflow.softphone.sip_news import (
    AudioAgreed,
    AudioRefused,
    CallAnswered,
    CallArrived,
    CallOver,
    CallProceeds,
    News,
    Registered,
    RegistrationFailed,
)
from ivrflow.softphone.udp_port import UdpPort, Wire

CODECS = ("alaw", "ulaw")
_CALL_ID = re.compile(r"^(?:call-id|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
log = logging.getLogger(__name__)


class RegistrationRefused(PhoneError):
    """The server refused to register the account: SIP `status` and `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        hint = "; check the account and its password" if status in (401, 403, 407) else ""
        super().__init__(f"registration refused: {status} {reason}".rstrip() + hint)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer an incoming call after it rang `after_s` seconds."""

    after_s: float = 0.0
    source: AudioSource = field(default_factory=Silence)


@dataclass(frozen=True, slots=True)
class RingOn:
    """Let an incoming call ring until the caller gives up."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse an incoming call after it rang `after_s` seconds."""

    status: int = 486
    reason: str = "Busy Here"
    after_s: float = 0.0


BUSY = Refuse()
DECLINE = Refuse(603, "Decline")
OnCall = Answer | RingOn | Refuse


class SoftPhone:
    """A phone. Use it as an async context manager: closing hangs up, unregisters and frees every port.

    Args:
        account: SIP account name, also the caller's number.
        password: Its password, empty where the server asks for none.
        server: Host and port of the PBX.
        local_ip: Our own address, as the PBX can reach it.
        local_port: UDP port for SIP; 0 takes a free one.
        codecs: What we offer, best first: alaw, ulaw, g722.
        display: Display name to show.
        on_call: What to do with incoming calls: one answer for all, a function of the call, or None to take them from
            `next_call`; they ring until then.
        pacer: To share one between the phones of a process.
        keeps_said: Whether every call keeps the packets it sends, too.
        wire: For tests: decides of every SIP and RTP datagram whether it gets through.
    """

    def __init__(
        self,
        account: str,
        password: str = "",
        server: tuple[str, int] = ("127.0.0.1", 5060),
        *,
        local_ip: str = "127.0.0.1",
        local_port: int = 0,
        codecs: tuple[str, ...] = CODECS,
        display: str = "",
        on_call: OnCall | Callable[[Call], OnCall] | None = None,
        pacer: Pacer | None = None,
        keeps_said: bool = False,
        wire: Wire | None = None,
    ) -> None:
        self.account = account
        self.on_call = on_call
        self.signalling: deque[SignallingLine] = deque(maxlen=2000)
        self.not_sip = 0  # datagrams on our SIP port that were not SIP
        self._password, self._server, self._display = password, server, display
        self._local = (local_ip, local_port)
        self._codecs = codecs
        self._pacer = pacer or Pacer()
        self._keeps_said = keeps_said
        self._wire = wire
        self._calls: dict[SipCall, Call] = {}
        self._by_call_id: WeakValueDictionary[str, Call] = WeakValueDictionary()  # those that are over, too
        self._arrivals: asyncio.Queue[Call] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._policies: dict[Call, asyncio.TimerHandle] = {}
        self._registering: asyncio.Future[Registered | RegistrationFailed] | None = None
        self.registered_for_s = 0
        self._quiet: asyncio.Future[None] | None = None
        self._port: UdpPort | None = None
        self._agent: SipAgent | None = None

    # -- life

    async def __aenter__(self) -> Self:
        host, port = self._server
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
        except OSError as error:
            raise Unreachable(f"SIP server {host}: {error}") from error
        server = (str(found[0][4][0]), port)
        try:
            self._port = UdpPort(*self._local)
        except OSError as error:
            raise PhoneError(f"no UDP port for SIP on {self._local[0]}:{self._local[1]}: {error}") from error
        self._agent = SipAgent(self.account, self._password, server, self._port.address, self._display)
        self._port.listen(self._received, self._wire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def address(self) -> tuple[str, int]:
        """Our SIP address."""
        return self._open()[1].address

    @property
    def calls(self) -> list[Call]:
        """The calls that are not over."""
        return list(self._calls.values())

    async def close(self, within_s: float = 1.0) -> None:
        """Hang up, unregister, and leave no socket, timer or task behind. At most `within_s` seconds."""
        if self._port is None or self._agent is None:
            return
        for call in self.calls:
            call.hang_up_now()
        if self.registered_for_s:
            self._agent.register(0, time.monotonic())
        self._act()
        try:
            if self._agent.unanswered:
                self._quiet = asyncio.get_running_loop().create_future()
                async with asyncio.timeout(within_s):
                    await self._quiet
        except TimeoutError:
            log.debug("closed before the server had answered everything")
        finally:
            self._port.close()
            self._port = None
            for timer in (self._timer, *self._policies.values()):
                if timer:
                    timer.cancel()
            self._policies.clear()

    # -- what one does with it

    async def register(self, expires_s: int = 300, within_s: float = 8.0) -> int:
        """Register; renewed in time until the phone is closed. For how many seconds the server granted it.

        Raises:
            RegistrationRefused: the server refused, usually the password.
            Unreachable: nothing answered in `within_s` seconds.
        """
        agent, _ = self._open()
        self._registering = asyncio.get_running_loop().create_future()
        agent.register(expires_s, time.monotonic())
        self._act()
        try:
            async with asyncio.timeout(within_s):
                outcome = await self._registering
        except TimeoutError:
            raise Unreachable(f"no answer to our registration in {within_s:g} s") from None
        finally:
            self._registering = None
        if isinstance(outcome, RegistrationFailed):
            raise RegistrationRefused(outcome.status, outcome.reason)
        return outcome.expires_s

    def dial(self, number: str, *, source: AudioSource | None = None, headers: Iterable[tuple[str, str]] = ()) -> Call:
        """Send the INVITE and return at once: `wait_answered`, or `hang_up` while it rings.

        Args:
            number: A number at the server, or a whole `sip:` address.
            source: What our microphone picks up; silence by default.
            headers: More SIP headers for the INVITE.

        Raises:
            PhoneError: the phone is closed, or no port is free.
        """
        agent, _ = self._open()
        ports = new_port(self._local[0])
        sip = agent.new_call(number)
        call = Call(sip, ports, self._codecs, self._pacer, self._act, source or Silence(), keeps_said=self._keeps_said)
        self._calls[sip] = call
        call.listen(self._wire)
        agent.invite(sip, call.own_line(), call.began_at, headers)
        self._by_call_id[call.call_id] = call
        self._act()
        return call

    async def call(
        self,
        number: str,
        *,
        source: AudioSource | None = None,
        within_s: float = 30.0,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Call:
        """Call and wait for the answer; see `dial` and `Call.wait_answered` for arguments and errors."""
        call = self.dial(number, source=source, headers=headers)
        await call.wait_answered(within_s)
        return call

    async def next_call(self, within_s: float = 30.0) -> Call:
        """The next call that comes in (with `on_call` None).

        Raises:
            PhoneError: none came in `within_s` seconds.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._arrivals.get()
        except TimeoutError:
            raise PhoneError(f"nobody called in {within_s:g} s") from None

    # -- the wire

    def _open(self) -> tuple[SipAgent, UdpPort]:
        if self._port is None or self._agent is None:
            raise PhoneError("the phone is closed")
        return self._agent, self._port

    def _received(self, datagram: bytes, source: tuple[str, int], arrival: float) -> None:
        if self._agent is None or not datagram.strip(b"\r\n\0 "):
            return  # an empty datagram keeps a NAT mapping alive
        self._note("in", datagram, arrival)
        try:
            self._agent.receive(datagram, source, arrival)
        except SipProtocolError as problem:
            self.not_sip += 1
            log.debug("a datagram is not SIP", extra={"problem": str(problem)})
        self._act(arrival)

    def _note(self, direction: Literal["in", "out"], datagram: bytes, at: float) -> None:
        """Keep a message for the record: the phone's, and that of the call it belongs to."""
        line = SignallingLine(at, direction, datagram.decode(errors="replace"))
        self.signalling.append(line)
        named = _CALL_ID.search(line.text)
        call = self._by_call_id.get(named[1]) if named else None
        if call is not None:
            call.signalling.append(line)

    def _due(self) -> None:
        self._timer = None
        if self._agent:
            self._agent.poll(time.monotonic())
        self._act()

    def _act(self, now: float | None = None) -> None:
        """Send what waits, tell what happened (at `now`), and set the clock for what comes next."""
        if self._agent is None or self._port is None:
            return
        now = time.monotonic() if now is None else now
        agent = self._agent
        while agent.outbox or agent.news:
            for datagram, destination in agent.outbox:
                self._note("out", datagram, time.monotonic())
                self._port.send(datagram, destination)
            agent.outbox.clear()
            news = agent.news[:]
            agent.news.clear()
            for item in news:
                self._tell(item, now)
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._quiet and not self._quiet.done() and not agent.unanswered:
            self._quiet.set_result(None)
        if agent.deadline is not None:
            delay = max(0.0, agent.deadline - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _tell(self, news: News, now: float) -> None:
        if isinstance(news, (Registered, RegistrationFailed)):
            self.registered_for_s = news.expires_s if isinstance(news, Registered) else 0
            if self._registering and not self._registering.done():
                self._registering.set_result(news)
            elif isinstance(news, RegistrationFailed):
                log.warning("the registration was not renewed: %d %s", news.status, news.reason)
            return
        if isinstance(news, CallArrived):
            self._arrived(news.call, now)
            return
        call = self._calls.get(news.call)
        if call is None:
            return
        match news:
            case CallProceeds():
                call.proceeds(news, now)
            case CallAnswered():
                call.was_answered(now)
            case AudioAgreed():
                call.audio_agreed(news)
            case AudioRefused():
                call.audio_refused(news)
            case CallOver():
                del self._calls[news.call]
                timer = self._policies.pop(call, None)
                if timer:
                    timer.cancel()
                call.over(news, now)
                if self._agent:
                    self._agent.forget(news.call, now)
            case _:
                assert_never(news)

    def _arrived(self, sip: SipCall, now: float) -> None:
        if self._quiet is not None:  # closing: nobody would end this call, and its sockets would stay open
            sip.refuse(503, "Service Unavailable", now)
            return
        try:
            ports = new_port(self._local[0])
        except PhoneError:
            sip.refuse(503, "Service Unavailable", now)
            return
        call = Call(sip, ports, self._codecs, self._pacer, self._act, Silence(), keeps_said=self._keeps_said)
        call.incoming, call.began_at = True, now
        call.signalling += [line for line in self.signalling if line.at >= now and sip.call_id in line.text]
        self._by_call_id[call.call_id] = call
        call.listen(self._wire)
        self._calls[sip] = call
        policy = self.on_call(call) if callable(self.on_call) else self.on_call
        if policy is None:
            self._arrivals.put_nowait(call)
        if isinstance(policy, Answer):
            call.source = policy.source
        if isinstance(policy, (Answer, Refuse)) and policy.after_s <= 0:
            self._carry_out(call, policy)
            return
        sip.ring(now)
        call.rings_at = now
        if isinstance(policy, (Answer, Refuse)):
            self._policies[call] = asyncio.get_running_loop().call_later(policy.after_s, self._carry_out, call, policy)

    def _carry_out(self, call: Call, policy: Answer | Refuse) -> None:
        self._policies.pop(call, None)
        try:
            if isinstance(policy, Answer):
                call.answer()
            else:
                call.decline(policy.status, policy.reason)
        except (CallGone, SipProtocolError) as problem:
            log.debug("an incoming call was not answered", extra={"problem": str(problem)})
