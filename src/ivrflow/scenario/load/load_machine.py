"""What a load costs: processor and memory of engine, PBX and caller, each second, and what the machine itself withheld."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

from ivrflow.scenario.load.load_records import MachineSample, ProcessSample
from ivrflow.scenario.pbx.engine_watch import EngineWatch

EVERY_S = 1.0
"""Seconds between two looks."""


@dataclass(slots=True)
class _Gauge:
    """Reads one process again and again; None as long as nobody knows which."""

    pid: int | None
    process: psutil.Process | None = None
    used: float = 0.0
    at: float = 0.0

    def sample(self) -> ProcessSample | None:
        """Since the last time; None the first time and when it is not there."""
        if self.pid is None:
            return None
        try:
            if self.process is None:
                self.process = psutil.Process(self.pid)
            with self.process.oneshot():
                times, memory = self.process.cpu_times(), self.process.memory_info().rss
        except psutil.Error:
            return None
        if not memory:
            return None  # it has ended, and nobody has asked for its exit code yet
        used, now = times.user + times.system, time.monotonic()
        share = 100 * (used - self.used) / max(1e-6, now - self.at)
        self.used, self.at, is_first = used, now, self.at == 0.0
        return None if is_first else ProcessSample(share, memory)


@dataclass(slots=True, kw_only=True)
class MachineWatch:
    """Looks each second while it is entered; what it saw is in `samples`.

    Attributes:
        engine, pbx: where to find them; None when they are on another machine.
        caller: number of the process that places the calls, None as long as there is none; by default this process.
        live: how many calls there are.
        pacer_late: seconds by which our caller was late at worst since it was asked last.
    """

    live: Callable[[], int]
    engine: EngineWatch | None = None
    pbx: EngineWatch | None = None
    caller: Callable[[], int | None] | None = None
    pacer_late: Callable[[], float] = lambda: 0.0
    samples: list[MachineSample] = field(default_factory=list)
    _gauges: list[_Gauge] = field(default_factory=list)
    _began_at: float = 0.0
    _whole: _Whole | None = None
    _looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._began_at = time.monotonic()
        states = [watch.look() if watch is not None else None for watch in (self.engine, self.pbx)]
        self._gauges = [_Gauge(None if state is None else state.pid) for state in states]
        self._gauges.append(_Gauge(os.getpid() if self.caller is None else None))
        self._look()
        self._looking = asyncio.create_task(self._look_again())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        assert self._looking is not None
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking
        self._look()

    async def _look_again(self) -> None:
        due = self._began_at
        while True:
            due += EVERY_S
            await asyncio.sleep(due - time.monotonic())
            self._look()

    def _look(self) -> None:
        if self.caller is not None and self._gauges[-1].pid is None:
            self._gauges[-1].pid = self.caller()
        engine, pbx, caller = (gauge.sample() for gauge in self._gauges)
        now, before = _Whole.now(), self._whole
        self._whole = now
        if before is None:  # the first look only begins the counting
            return
        whole = max(1e-6, now.whole - before.whole)
        ours = sum(process.cpu for process in (engine, pbx, caller) if process is not None) / now.cores
        self.samples.append(
            MachineSample(
                at=time.monotonic() - self._began_at,
                live=self.live(),
                engine=engine,
                pbx=pbx,
                caller=caller,
                pacer_late=self.pacer_late(),
                others=max(0.0, 100 * (now.busy - before.busy) / whole - ours),
                stolen=100 * (now.stolen - before.stolen) / whole,
            )
        )


@dataclass(frozen=True, slots=True)
class _Whole:
    """The whole machine since it was started, in seconds of all its cores together."""

    whole: float
    busy: float
    stolen: float
    cores: int

    @classmethod
    def now(cls) -> Self:
        """As it is at this moment."""
        # A guest's time is in the user's already.
        times = {name: spent for name, spent in psutil.cpu_times()._asdict().items() if not name.startswith("guest")}
        stolen, whole = times.get("steal", 0.0), sum(times.values())
        idle = times["idle"] + times.get("iowait", 0.0)
        return cls(whole, whole - idle - stolen, stolen, psutil.cpu_count() or 1)
