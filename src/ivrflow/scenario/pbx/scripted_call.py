"""One answered call, and the performer that plays its script on it: cues from the phone and the ear, directions to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, assert_never

from ivrflow.flow.reading.times import written
from ivrflow.scenario import cues as c
from ivrflow.scenario.performer import Performer
from ivrflow.scenario.script import Hear, HearStart, Order, Pause, Say, Step
from ivrflow.softphone.call import Call, CallGone, PhoneError
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.ear import LOOK_EVERY_S, Began, Ended

NO_SOUND_S = 5.0
"""Seconds after which a phone that waits for a phrase and never received a packet says so; expected pauses come on top."""

ORDERED_WITHIN_S = 5.0
"""Seconds beyond the end of its call for which an order to ivrflow may still be on its way."""


class PhoneEar(Protocol):
    """What recognises one expected sound at a time in what a call receives; `softphone.ear.Ear` is one."""

    next_look: float | None

    def listen_for(self, phrase: str, since: float) -> None:
        """Listen for a phrase."""

    def listen_for_music(self, since: float) -> None:
        """Listen for hold music."""

    def stop(self) -> None:
        """Listen for nothing."""

    def look(self, now: float) -> Began | Ended | None:
        """What has become known by now."""


class ScriptedCall:
    """Plays a script on a call that has just been answered.

    Args:
        call: the call.
        steps: the script.
        ear: listens to this call.
        sounds: what its `say` steps sound like.
        give_order: tells ivrflow something; answers why it could not, or nothing.

    Attributes:
        performer: who knows how far it got.
        trouble: why the phone could not play its part, one sentence; empty when it could.
    """

    def __init__(
        self,
        call: Call,
        steps: Sequence[Step],
        ear: PhoneEar,
        sounds: Mapping[Say, Samples],
        give_order: Callable[[Order], Awaitable[str]],
    ) -> None:
        self.performer = Performer(steps)
        self.trouble = ""
        self._call = call
        self._ear = ear
        self._sounds = sounds
        self._give_order = give_order
        self._quiet_at_first = _quiet_at_first(steps)
        self._now = 0.0
        self._is_listening = False
        self._looked_at = 0.0
        self._silent_from: float | None = None  # since when a phrase is awaited and nothing at all has come
        self._doing: asyncio.Task[str] | None = None
        self._orders: set[asyncio.Task[None]] = set()

    async def perform(self) -> None:
        """Play the script, and follow the call to its end. Cancelled, it hangs up."""
        call, performer = self._call, self.performer
        assert call.answered_at is not None, "the call has been answered"
        ended = asyncio.ensure_future(call.ended)
        try:
            self._tell(c.Connected(), call.answered_at)
            while not performer.is_over:
                waiting: set[asyncio.Future[Any]] = {ended, self._doing} if self._doing else {ended}
                due = self._due()
                pause = None if due is None else max(0.0, due - time.monotonic())
                await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                self._take_in()
            if self._orders:
                await asyncio.wait(self._orders, timeout=ORDERED_WITHIN_S)
        finally:
            call.hang_up_now()
            if not performer.is_over:
                performer.handle(c.CallEnded(), self._monotonic())
            await ended_tasks(*self._orders, *([self._doing] if self._doing else []))

    # ── what happened ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _due(self) -> float | None:
        times = [self.performer.deadline]
        if self._is_listening:
            times += [self._ear.next_look, self._looked_at + LOOK_EVERY_S]
            if self._silent_from is not None:
                times.append(self._silent_from + NO_SOUND_S)
        return min((at for at in times if at is not None), default=None)

    def _take_in(self) -> None:
        """Tell the performer what has happened, that which lies back furthest first: a sound, then the rest."""
        call, performer = self._call, self.performer
        end = call.end
        if self._is_listening:
            self._look(end.at if end else self._monotonic())
        if end is not None:
            self._tell(c.CallEnded(), end.at)
            return
        if self._doing is not None and self._doing.done():
            doing, self._doing = self._doing, None
            self._tell(c.DirectionDone(doing.result()), self._monotonic())
        if performer.deadline is not None and self._monotonic() >= performer.deadline:
            self._tell(c.DeadlineReached(), self._monotonic())

    def _look(self, now: float) -> None:
        self._looked_at = now
        while self._is_listening:
            match self._ear.look(now):
                case Began(at=at):
                    self._tell(c.SoundBegan(at), now)
                case Ended(at=at, completeness=completeness):
                    self._tell(c.SoundEnded(at, completeness), now)
                case None:
                    break
        if self._silent_from is not None:
            if len(self._call.recording):
                self._silent_from = None
            elif self._is_listening and now >= self._silent_from + NO_SOUND_S:
                self._no_sound_came()

    def _no_sound_came(self) -> None:
        assert self._call.answered_at is not None
        waited = written(round(self._monotonic() - self._call.answered_at, 1))
        self.note(
            f"the call was answered, but no audio came in {waited}: has the PBX the recordings (`ivrflow doctor` looks), is "
            "its RTP kept back by a firewall or a router, and can the PBX reach the address this phone calls from?"
        )
        self._call.hang_up_now()

    def _tell(self, cue: c.Cue, at: float) -> None:
        self._now = max(self._now, at)  # a cue may lie before another that was told already
        for direction in self.performer.handle(cue, self._now):
            self._direct(direction)

    def _monotonic(self) -> float:
        return max(self._now, time.monotonic())

    def note(self, trouble: str) -> None:
        """Keep why something could not be done; the first of several is the cause of the others."""
        self.trouble = self.trouble or trouble

    # ── what to do ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _direct(self, direction: c.Direction) -> None:
        match direction:
            case c.ListenFor(kind=kind, phrase=phrase, since=since):
                self._is_listening, self._looked_at = True, self._now
                if kind == "phrase":
                    self._ear.listen_for(phrase, since)
                    if not len(self._call.recording) and self._silent_from is None:
                        self._silent_from = self._now + self._quiet_at_first
                else:
                    self._ear.listen_for_music(since)
            case c.StopListening():
                self._is_listening = False
                self._ear.stop()
            case c.StartSaying(step=step):
                self._do(self._call.say(self._sounds[step]))
            case c.StartPressing(step=step):
                self._do(self._call.press(step.keys, step.hold_ms, step.gap_ms))
            case c.StartHold(is_inactive=is_inactive):
                self._do(self._call.hold("inactive" if is_inactive else "sendonly"))
            case c.StartResume():
                self._do(self._call.resume())
            case c.SetBackground(source=source):
                self._call.source = source
            case c.GiveOrder(order=order):
                task = asyncio.get_running_loop().create_task(self._order(order))
                self._orders.add(task)
                task.add_done_callback(self._orders.discard)
            case c.EndCall():
                self._call.hang_up_now()
            case _:
                assert_never(direction)

    def _do(self, doing: Coroutine[object, object, None]) -> None:
        self._doing = asyncio.get_running_loop().create_task(_done(doing))

    async def _order(self, order: Order) -> None:
        if why_not := await self._give_order(order):
            self.note(f"ivrflow could not be told the {order.what} of {order.where}: {why_not}")


async def _done(doing: Coroutine[object, object, None]) -> str:
    """Do it; why it could not be done, or nothing."""
    try:
        await doing
    except CallGone:
        return "the call was over"
    except PhoneError as problem:
        return str(problem)
    return ""


def _quiet_at_first(steps: Sequence[Step]) -> float:
    """Seconds for which it may be quiet before the first phrase, by the script itself."""
    quiet = 0.0
    for step in steps:
        if isinstance(step, Hear | HearStart):
            break
        if isinstance(step, Pause):
            quiet += step.band.most + step.tolerance
    return quiet


async def ended_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them, and wait until they are over; what they raised is theirs."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
