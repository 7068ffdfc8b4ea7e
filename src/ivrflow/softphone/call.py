"""One call of a softphone: what a person does with it, and everything it hears.

All times are seconds of the monotonic clock (`time.monotonic`), so calls of one process can be compared.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ivrflow.softphone.audio_source import AudioSource, NoRtp
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.sdp import AudioLine, offer_line
from ivrflow.softphone.sip_call import SipCall
from ivrflow.softphone.sip_news import AudioAgreed, AudioRefused, CallOver, CallProceeds, EndedBy
from ivrflow.softphone.speaking import Speaker
from ivrflow.softphone.udp_port import UdpPort, Wire, rtp_pair

if TYPE_CHECKING:
    from ivrflow.softphone.pacer import Pacer

REACHED_WITHIN_S = 4.0  # seconds: a server that has not said anything until then is not there
REINVITE_WITHIN_S = 5.0


class PhoneError(Exception):
    """What a softphone wanted did not happen. The text says what the other side said."""


class Unreachable(PhoneError):
    """Nothing answers SIP at the server's address."""


class NoAnswer(PhoneError):
    """It rang, and nobody answered in the time given."""


class CallRefused(PhoneError):
    """The call, or a change of it, was refused with SIP `status` and `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"refused: {status} {reason}".rstrip())
        self.status = status
        self.reason = reason


class CallGone(PhoneError):
    """The call is over, so this cannot be done with it."""


@dataclass(frozen=True, slots=True)
class SignallingLine:
    """One SIP message that came in or went out (`direction` is "in" or "out"), at `at` (monotonic seconds)."""

    at: float
    direction: Literal["in", "out"]
    text: str


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended: at `at`, by this phone, by the peer, or by nobody (no answer, peer gone).

    `cause` is the Q.850 cause the peer gave (16 normal clearing, 17 busy), `reason` its words, `status` the SIP status
    when the call was refused.
    """

    by: EndedBy
    at: float
    cause: int | None = None
    reason: str = ""
    status: int | None = None


class Call:
    """Made by `SoftPhone.dial`, or by a call that came in.

    `recording` holds what was heard, `said` the packets that were sent where the phone keeps them, `signalling` the SIP
    messages of this call.
    """

    def __init__(
        self,
        sip: SipCall,
        port: tuple[UdpPort, UdpPort],
        codecs: tuple[str, ...],
        pacer: "Pacer",
        act: Callable[[], None],
        source: AudioSource,
        *,
        keeps_said: bool = False,
    ) -> None:
        self.recording = Recording()
        self.said = Recording() if keeps_said else None
        self.signalling: list[SignallingLine] = []
        self.incoming = False
        self.began_at = time.monotonic()  # the INVITE left, or came
        self.rings_at: float | None = None
        self.answered_at: float | None = None
        self.strangers = 0  # datagrams on our RTP port that did not come from the peer
        self.unheard = 0  # datagrams of the peer while it was on hold: Asterisk goes on sending after `sendonly`
        self._sip = sip
        self._port, self._rtcp_port = port
        self._codecs = codecs
        self._pacer = pacer
        self._act = act  # carries out what the SIP side has to send and to tell
        self._source = source
        self._speaker: Speaker | None = None
        self._remote: tuple[str, int] | None = None
        self._held = False
        loop = asyncio.get_running_loop()
        self._reached: asyncio.Future[None] = loop.create_future()
        self._answered: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[CallEnd] = loop.create_future()
        self._changed: asyncio.Future[None] | None = None

    # -- what it is

    @property
    def number(self) -> str:
        """The number dialled, or the caller's number when the call came in."""
        return self._sip.number

    @property
    def call_id(self) -> str:
        """The SIP Call-ID."""
        return self._sip.call_id

    def header(self, name: str) -> str:
        """A SIP header of the INVITE that came in; empty when it has none such, or the call is one we placed."""
        return self._sip.header(name)

    @property
    def codec(self) -> str | None:
        """The codec agreed on, None before that."""
        return self._sip.agreed.codec if self._sip.agreed else None

    @property
    def is_up(self) -> bool:
        """Whether the call is answered and not over."""
        return self.answered_at is not None and self.end is None

    @property
    def end(self) -> CallEnd | None:
        """How the call ended, None while it has not."""
        return self._ended.result() if self._ended.done() else None

    @property
    def ended(self) -> "asyncio.Future[CallEnd]":
        """`await call.ended`: how it ended. A waiter that is cancelled or times out leaves the call alone."""
        return asyncio.shield(self._ended)

    @property
    def source(self) -> AudioSource:
        """What the caller's microphone picks up while no phrase is said and no key pressed."""
        return self._source

    @source.setter
    def source(self, source: AudioSource) -> None:
        self._source = source
        if self._speaker and not self._held:
            self._speaker.source = source

    # -- what one does with it

    async def wait_answered(self, within_s: float = 30.0) -> None:
        """Wait until the call is answered; one that is not gets hung up.

        Raises:
            Unreachable: no SIP at the server's address.
            NoAnswer: not answered in `within_s` seconds.
            CallRefused: the peer refused.
            CallGone: it was hung up, by us, before anybody answered.
        """
        until = time.monotonic() + within_s
        try:
            await self._soon(self._reached, min(REACHED_WITHIN_S, within_s))
            await self._soon(self._answered, until - time.monotonic())
        except TimeoutError:
            if not self._reached.done():
                raise Unreachable("nothing answers SIP at the server's address") from None
            raise NoAnswer(f"not answered in {within_s:g} s") from None
        finally:
            if self.answered_at is None:
                self.hang_up_now()
        if self.answered_at is None:
            self._raise_end()

    async def _soon(self, future: "asyncio.Future[None]", within_s: float) -> None:
        async with asyncio.timeout(within_s):
            await self._or_ended(future)

    async def _or_ended(self, future: "asyncio.Future[None]") -> None:
        both: list[asyncio.Future[Any]] = [future, self._ended]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    def _raise_end(self) -> None:
        end = self.end
        if end is None or end.by == "phone":
            raise CallGone("hung up before it was answered")
        if end.by == "nobody":
            raise Unreachable(end.reason)
        raise CallRefused(end.status or 0, end.reason)

    async def hang_up(self, within_s: float = 5.0, reason: str | None = None) -> CallEnd:
        """End the call: CANCEL, 603 or BYE, as the moment asks. How it ended, also when the peer was first.

        Args:
            within_s: Seconds; bound of the wait.
            reason: Value of a Reason header, such as `Q.850;cause=16`.
        """
        self.hang_up_now(reason)
        async with asyncio.timeout(within_s):
            return await self.ended

    def hang_up_now(self, reason: str | None = None) -> None:
        """The same without waiting for anything; harmless when the call is over."""
        if self.end is None:
            self._sip.hang_up(time.monotonic(), reason)
            self._act()

    async def say(self, samples: Samples) -> None:
        """Say a phrase (16-bit samples at 8 kHz) after those already queued; returns when its last frame was sent.

        Raises:
            CallGone: the call ended first.
        """
        speaker = self._up()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        speaker.say(samples, partial(_release, done))
        await done
        self._up()

    async def press(self, keys: str, hold_ms: int = 100, pause_ms: int = 100) -> None:
        """Press keys one after another; returns when the last one was released.

        Args:
            keys: Any of `0123456789*#ABCD`.
            hold_ms: How long each is held, 20 to 8000.
            pause_ms: Time between two keys.

        Raises:
            CallGone: the call ended first.
            PhoneError: the peer takes no keys in RTP.
            ValueError: no such key, or the time is out of range.
        """
        speaker = self._up()
        if not keys:
            raise ValueError("no key to press")
        if self._sip.agreed is None or self._sip.agreed.keys is None:
            raise PhoneError("the peer takes no keys in RTP: it did not agree to telephone-event")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for key in keys[:-1]:
            speaker.press(key, hold_ms, pause_ms, lambda: None)
        speaker.press(keys[-1], hold_ms, pause_ms, partial(_release, done))
        await done
        self._up()

    async def hold(self, direction: Literal["sendonly", "inactive"] = "sendonly") -> None:
        """Put the peer on hold (re-INVITE); nothing is sent and nothing heard until `resume`.

        Args:
            direction: `sendonly` as most phones say it, `inactive` as some do.

        Raises:
            CallRefused: the peer refused, or did not answer in time (408).
            CallGone: the call is over.
        """
        await self._change(direction)
        self._held = True
        if self._speaker:
            self._speaker.source = NoRtp()

    async def resume(self) -> None:
        """Take the peer off hold (re-INVITE, sendrecv). Errors are those of `hold`."""
        await self._change("sendrecv")
        self._held = False
        if self._speaker:
            self._speaker.source = self._source

    async def _change(self, direction: str) -> None:
        self._up()
        if self._changed is not None:
            raise CallRefused(491, "the last hold or resume has not been answered yet")
        self._changed = asyncio.get_running_loop().create_future()
        try:
            self._sip.change_direction(direction, time.monotonic())
            self._act()
            async with asyncio.timeout(REINVITE_WITHIN_S):
                await self._or_ended(self._changed)
            if self._changed.done():
                self._changed.result()
            self._up()
        except TimeoutError:
            raise CallRefused(408, "the peer did not answer") from None
        finally:
            self._changed = None

    def _up(self) -> Speaker:
        if self._speaker is None or self.end is not None:
            raise CallGone("the call is over" if self.end else "the call is not answered yet")
        return self._speaker

    # -- an incoming call

    def answer(self) -> None:
        """Pick up.

        Raises:
            CallGone: the caller has hung up already.
            SipProtocolError: no codec in common; the call has been refused with 488.
        """
        if self.end is not None:
            raise CallGone("the caller has hung up")
        self._sip.answer(self.own_line(), time.monotonic())
        self._act()

    def ring(self) -> None:
        """Let it ring (180)."""
        self._sip.ring(time.monotonic())
        self._act()

    def decline(self, status: int = 603, reason: str = "Decline") -> None:
        """Refuse an incoming call: 603 declined, 486 busy."""
        self._sip.refuse(status, reason, time.monotonic())
        self._act()

    # -- what the phone tells us

    def listen(self, wire: Wire | None) -> None:
        """Open the ears."""
        self._port.listen(self._heard, wire)

    def own_line(self) -> AudioLine:
        """What we offer, or answer with."""
        return offer_line(*self._port.address, self._codecs)

    def proceeds(self, news: CallProceeds, now: float) -> None:
        """The server has our INVITE, or the peer's phone rings."""
        _release(self._reached)
        if news.status > 100 and self.rings_at is None:
            self.rings_at = now

    def was_answered(self, now: float) -> None:
        """The call is up."""
        self.answered_at = now
        _release(self._reached)
        _release(self._answered)

    def audio_agreed(self, news: AudioAgreed) -> None:
        """There are new terms for the audio; the first ones start our sending."""
        agreed = self._sip.agreed
        if agreed is None or self.end is not None:
            return
        self._remote = agreed.remote
        own = self._sip.own or self.own_line()
        self.recording.understand(dict(own.codecs), own.keys)
        for recording in filter(None, (self.recording, self.said)):
            recording.understand({agreed.payload_type: agreed.codec}, agreed.keys)
        if self._speaker is None:
            self._speaker = Speaker(agreed, self._source)
            self._pacer.attach(self)
        else:
            self._speaker.renegotiated(agreed)
        if news.asked_here and self._changed:
            _release(self._changed)

    def audio_refused(self, news: AudioRefused) -> None:
        """Our hold or resume was refused, or the peer's audio cannot be understood."""
        if self._changed and not self._changed.done():
            self._changed.set_exception(CallRefused(news.status, news.reason))
        elif self._speaker is None:
            self.hang_up_now("Q.850;cause=88")  # incompatible destination

    def over(self, news: CallOver, now: float) -> None:
        """The end."""
        self._ended.set_result(CallEnd(news.by, now, news.cause, news.reason, news.status))
        self._pacer.detach(self)
        self._port.take_what_waits()  # in a process that is behind, the BYE may overtake the last seconds of audio
        self._port.close()
        self._rtcp_port.close()
        if self._speaker:
            self._speaker.stop()

    # -- audio

    def frame_due(self) -> None:
        """Send the next 20 ms."""
        if self._speaker and self._remote:
            for packet in self._speaker.next_packets():
                self._port.send(packet, self._remote)
                if self.said is not None:
                    self.said.add(packet, time.monotonic())

    def frame_missed(self) -> None:
        """Let 20 ms pass."""
        if self._speaker:
            self._speaker.skip()

    def _heard(self, datagram: bytes, source: tuple[str, int], arrival: float) -> None:
        # The port tells the peer from a call that had our port before; the address may differ where NAT is at work.
        if self._remote is not None and source[1] != self._remote[1]:
            self.strangers += 1
        elif self._held:
            self.unheard += 1
        else:
            self.recording.add(datagram, arrival)


def _release(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def new_port(local_ip: str) -> tuple[UdpPort, UdpPort]:
    """The ports of one call.

    Raises:
        PhoneError: none is free.
    """
    try:
        return rtp_pair(local_ip)
    except OSError as error:
        raise PhoneError(f"no UDP port for RTP on {local_ip}: {error}") from error
