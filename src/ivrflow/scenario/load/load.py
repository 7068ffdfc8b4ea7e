"""Load: the caller of one scenario, many times, at a rate, with our own softphone.

Every call follows the timetable of the script and keeps what its packets tell; a few, spread over the run, are listened
to like any scenario. A load knows neither terminals nor processes; it tells a listener how many calls are where. Whatever
happens, each call ends within the scenario's bound, and cancelling a load hangs up all that are left.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, assert_never

from ivrflow.scenario.load.load_records import CallerSide, LoadSize, PlacedCall, Tally
from ivrflow.scenario.load.packets import packet_figures
from ivrflow.scenario.load.timetable import Doing, Timetable
from ivrflow.scenario.observation import Result
from ivrflow.scenario.run.run import CannotRun, Judge, Play
from ivrflow.scenario.script import Background, HangUp, Hold, Press, Resume, Say, Scenario
from ivrflow.softphone.call import Call, CallEnd, CallGone, CallRefused, PhoneError
from ivrflow.softphone.codecs import Samples
from ivrflow.softphone.softphone import SoftPhone

ANSWERED_WITHIN_S = 10.0
"""Seconds in which a call must be answered; a caller would not wait longer for the first ring either."""

CATCH_UP_S = 0.5
"""Calls that could not be placed in time are made up for at most so many seconds: else a hold-up would end in a burst."""

Voice: TypeAlias = Callable[[Say], Samples]
"""What a `say` step sounds like, at 8 kHz."""


class LoadListener(Protocol):
    """Who wants to know how a load goes, while it goes."""

    def counted(self, tally: Tally) -> None:
        """A call was placed or is over."""


def _future() -> asyncio.Future[str]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, kw_only=True)
class OwnLoad:
    """One load by our own callers; made in a running event loop.

    Attributes:
        scenario: whose caller.
        table: what each call does when.
        size: how many calls.
        phone: places the calls; open.
        listener: told what happens.
        headers: further SIP headers of every INVITE.
        voice: gives `say` steps their sound; None when there are none.
        play, judge: how the calls that are listened to are played and judged; None when none are.
        calls: those that are over.
        listened: what came of those that were listened to, by number.
        began_at: when it began, monotonic seconds; None before.
        live: (second since the beginning, calls there), whenever that changed.
    """

    scenario: Scenario
    table: Timetable
    size: LoadSize
    phone: SoftPhone
    listener: LoadListener
    headers: Sequence[tuple[str, str]] = ()
    voice: Voice | None = None
    play: Play | None = None
    judge: Judge | None = None
    calls: list[PlacedCall] = field(default_factory=list)
    listened: dict[int, Result] = field(default_factory=dict)
    began_at: float | None = None
    live: list[tuple[float, int]] = field(default_factory=list)
    _placed: int = 0
    _live: int = 0
    _counts: Counter[bool] = field(default_factory=Counter)
    _first: asyncio.Future[str] = field(default_factory=_future)
    _sounds: dict[Say, Samples] = field(default_factory=dict)

    @property
    def now_live(self) -> int:
        """How many calls there are."""
        return self._live

    async def run(self) -> None:
        """Place all calls and wait until the last one is over. Cancelled, it hangs up those that are left first.

        Raises:
            CannotRun: not even the first call was answered; says why.
        """
        self.began_at = time.monotonic()
        for entry in self.table.entries:
            if isinstance(entry.step, Say) and self.voice is not None:
                self._sounds[entry.step] = self.voice(entry.step)
        chosen = self.size.listened if self.play and self.judge else frozenset()
        slots = asyncio.Semaphore(self.size.most)
        due = time.monotonic()
        try:
            async with asyncio.TaskGroup() as calls:
                for number in range(self.size.calls):
                    await asyncio.sleep(due - time.monotonic())
                    await slots.acquire()
                    due = max(due + 1 / self.size.rate, time.monotonic() - CATCH_UP_S)
                    task = calls.create_task(self._one(number, is_listened=number in chosen))
                    task.add_done_callback(lambda _: slots.release())
                    if number == 0 and number not in chosen:
                        _must_be_answered(await self._first)
        except* CannotRun as several:
            raise several.exceptions[0] from None

    def side(self, wall_clock: float) -> CallerSide:
        """What it tells so far.

        Args:
            wall_clock: the Unix time at which it began.
        """
        counted = [call for call in self.calls if not call.is_cut]
        placed = [call.placed_at for call in self.calls]
        return CallerSide(
            kind="own",
            planned=self.size.calls,
            rate=self.size.rate,
            most=self.size.most,
            placed=len(self.calls),
            answered=sum(call.answered_at is not None for call in self.calls),
            well=sum(not call.fault for call in counted),
            failed=sum(bool(call.fault) for call in counted),
            cut=len(self.calls) - len(counted),
            faults=Counter(call.fault for call in counted if call.fault),
            statuses=Counter(call.status for call in counted if call.status is not None),
            setups=[setup for call in self.calls if (setup := call.setup) is not None],
            live=self.live,
            packets=[call.packets for call in self.calls if call.packets is not None],
            listened=[result for _, result in sorted(self.listened.items())],
            began_at=wall_clock,
            placing=max(placed, default=0.0) - min(placed, default=0.0),
            took=max((call.ended_at or 0.0 for call in self.calls), default=0.0),
        )

    # ── one call ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _one(self, number: int, *, is_listened: bool) -> None:
        assert self.began_at is not None
        record = PlacedCall(number, time.monotonic() - self.began_at, is_listened=is_listened)
        self._placed += 1
        self._live += 1
        self._tell()
        try:
            record = await (self._listened(record) if is_listened else self._followed(record))
        except asyncio.CancelledError:
            record = replace(record, is_cut=True)
        if record.ended_at is None:
            record = replace(record, ended_at=time.monotonic() - self.began_at)
        self.calls.append(record)
        self._live -= 1
        if not record.is_cut:
            self._counts[not record.fault] += 1
        self._known_of_first(record.fault)
        self._tell()

    async def _followed(self, record: PlacedCall) -> PlacedCall:
        """A call by the timetable."""
        fault, status, is_cut = "", None, False
        call: Call | None = None
        try:
            async with asyncio.timeout(self.scenario.within):
                call = self.phone.dial(self.scenario.number, source=self.scenario.background, headers=self.headers)
                await call.wait_answered(ANSWERED_WITHIN_S)
                self._known_of_first("")
                await self._follow(call)
                fault = self._fault_of(call, await call.ended)
        except asyncio.CancelledError:
            is_cut = True
        except CallRefused as problem:
            fault, status = str(problem), problem.status
        except PhoneError as problem:
            fault = str(problem)
        except TimeoutError:
            fault = "not over within the scenario's bound"
        finally:
            if call is not None:
                call.hang_up_now()
        record = replace(record, fault=fault, status=status, is_cut=is_cut)
        return record if call is None else self._with_times(record, call)

    def _with_times(self, record: PlacedCall, call: Call) -> PlacedCall:
        assert self.began_at is not None
        ended_at = (time.monotonic() if call.end is None else call.end.at) - self.began_at
        if call.answered_at is None:
            return replace(record, ended_at=ended_at)
        packets = packet_figures(call.recording.packets(), call.answered_at)
        return replace(record, answered_at=call.answered_at - self.began_at, ended_at=ended_at, packets=packets)

    async def _follow(self, call: Call) -> None:
        """Do what the timetable says until it is at its end, or the call is."""
        assert call.answered_at is not None
        loop = asyncio.get_running_loop()
        zero = loop.time() - (time.monotonic() - call.answered_at)  # the loop's clock may count from elsewhere
        with suppress(CallGone):
            for entry in self.table.entries:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(zero + entry.at):
                        await call.ended
                    return
                await self._do(call, entry.step)

    async def _do(self, call: Call, step: Doing) -> None:
        match step:
            case Say():
                await call.say(self._sounds[step])
            case Press(keys=keys, hold_ms=hold_ms, gap_ms=gap_ms):
                await call.press(keys, hold_ms, gap_ms)
            case Background(source=source):
                call.source = source
            case Hold():
                await call.hold()
            case Resume():
                await call.resume()
            case HangUp():
                call.hang_up_now()
            case _:
                assert_never(step)

    def _fault_of(self, call: Call, end: CallEnd) -> str:
        """What was wrong with a call that was answered and is over; empty when nothing was."""
        assert call.answered_at is not None
        if end.by == "nobody":
            return "the line was lost"
        if end.by != self.table.ended_by:
            return "the other side hung up before the caller did"
        if end.at - call.answered_at < self.table.ends_no_earlier_than:
            return "over before its time"
        if self.table.hears and not len(call.recording):
            return "no sound came"
        return ""

    async def _listened(self, record: PlacedCall) -> PlacedCall:
        """A call like any scenario's."""
        assert self.play is not None
        assert self.judge is not None
        try:
            observation = await self.play(self.scenario)
        except PhoneError as problem:
            status = problem.status if isinstance(problem, CallRefused) else None
            return replace(record, fault=str(problem), status=status)
        findings, clocks = self.judge(self.scenario, observation)
        self.listened[record.number] = Result(self.scenario, "pbx", observation, findings, clocks)
        caller = observation.caller
        fault = caller.trouble or next((f"listened to: {one.kind}" for one in findings if one.fails), "")
        if caller.answered_at is None or caller.ended_at is None:
            return replace(record, fault=fault or "not answered")
        # Its own seconds count from the answer; its INVITE left when it was placed.
        answered_at = record.placed_at - min((line.at for line in caller.sip), default=0.0)
        return replace(record, answered_at=answered_at, ended_at=answered_at + caller.ended_at, fault=fault)

    def _known_of_first(self, fault: str) -> None:
        """The first call was answered, or came to nothing: the others wait for that."""
        if not self._first.done():
            self._first.set_result(fault)

    def _tell(self) -> None:
        assert self.began_at is not None
        self.live.append((time.monotonic() - self.began_at, self._live))
        counts = self._counts
        self.listener.counted(Tally(self.size.calls, self._placed, self._live, well=counts[True], failed=counts[False]))


def _must_be_answered(fault: str) -> None:
    if fault:
        raise CannotRun(f"the first call came to nothing: {fault}; no other was placed")
