"""Several PBXs side by side, each with an engine of its own, for scenarios with agents of queues.

    async with Lanes(folder, settings, 4) as lanes:
        ...  # `ivrflow scenario run` with lanes.environment, and lanes.arguments behind it

Whoever is logged in to a queue answers anybody's call, so one PBX plays such scenarios one after the other. Lanes share
nothing but the prompts and the passwords: ports, file state, journal and recordings are each lane's own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.engine import Engine
from tools.pbx import Pbx, PbxSettings
from tools.places import PROMPTS
from tools.stages import stage

JOURNAL = "journal.sqlite"
"""What the journal's file is called in a lane's folder."""

_STARTED_AT_ONCE = os.cpu_count() or 1
"""So many engines: a start is all computing, and must not take too long."""


def environment(settings: PbxSettings, journal: Path, recordings: Path) -> dict[str, str]:
    """What an engine and a run of scenarios have to know of the PBX and of each other."""
    return {
        **settings.engine_environment(PROMPTS, recordings),
        **settings.secrets,
        "PBX_SIP_BIND": settings.sip_bind,
        "PBX_SIP_PORT": str(settings.sip_port),
        "IVRFLOW_JOURNAL": f"sqlite:///{journal}",
        "IVRFLOW_TEST_CALLS": "yes",
        "IVRFLOW_CALLBACKS_AT_ONCE": "0",  # a minute after one scenario nobody rings the telephone of another
    }


def on_ports_of_their_own(settings: PbxSettings, count: int, calls: int) -> list[PbxSettings]:
    """The settings of so many PBXs, each with room for that many calls, that have no port in common."""
    found: list[PbxSettings] = []
    taken: set[int] = set()
    while len(found) < count:
        own = settings.on_free_ports(calls=calls)
        # A port is free until somebody takes it, those for audio until the first call: none may be handed out twice.
        ports = {own.sip_port, own.ami_port, own.agi_port, own.rtp_first_port}
        if len(ports) == 4 and not ports & taken:
            taken |= ports
            found.append(own)
    return found


@dataclass(frozen=True, slots=True)
class OneLane:
    """A PBX and its engine.

    Attributes:
        folder: everything the two write.
        known: what the engine is told, and a run that plays here.
    """

    folder: Path
    pbx: Pbx
    engine: Engine
    known: Mapping[str, str]

    @property
    def file(self) -> Path:
        """What `ivrflow scenario run --lane` is given; written when the lane starts."""
        return self.folder / "lane.env"


class Lanes:
    """So many PBXs and engines, started and stopped together.

    Args:
        place: the folder for all they write, one inside for each lane, named by its number.
        settings: of the PBXs; every lane is on free ports of its own.
        count: how many, one at least.
        calls: how many calls at once each PBX has room for.
        tree: the file tree to start from; default the one `tools.pbx.build` makes.
        **changed: further settings of every engine, by the names of their variables.
    """

    def __init__(
        self, place: Path, settings: PbxSettings, count: int, *, calls: int, tree: Path | None = None, **changed: str
    ) -> None:
        self._opened = AsyncExitStack()
        self.lanes: list[OneLane] = []
        for number, own in enumerate(on_ports_of_their_own(settings, count, calls), start=1):
            folder = place / str(number)
            recordings = folder / "recordings"
            known = {**environment(own, folder / JOURNAL, recordings), **changed}
            engine = Engine({name: value for name, value in known.items() if name.startswith("IVRFLOW_")})
            engine.quiet = True
            self.lanes.append(
                OneLane(folder, Pbx(folder / "pbx", own, recordings=recordings, tree=tree), engine, known)
            )

    @property
    def environment(self) -> Mapping[str, str]:
        """What a run of scenarios has to know of the first lane."""
        return self.lanes[0].known

    @property
    def arguments(self) -> list[str]:
        """What `ivrflow scenario run` is told of the others."""
        return [word for lane in self.lanes[1:] for word in ("--lane", str(lane.file))]

    async def start(self) -> None:
        """Start all.

        Raises:
            SetupError: one of the PBXs or engines did not start; the others are stopped.
        """
        several = f"{len(self.lanes)} " if len(self.lanes) > 1 else ""
        try:
            with stage(f"{several}PBXs" if several else "PBX"):
                for lane in self.lanes:
                    self._opened.push_async_callback(lane.pbx.stop)
                    await lane.pbx.start()
            with stage(f"{several}engines" if several else "engine"):
                room = asyncio.Semaphore(_STARTED_AT_ONCE)
                async with asyncio.TaskGroup() as starting:
                    for lane in self.lanes:
                        starting.create_task(self._serve(lane, room))
        except BaseException as problem:
            await self.stop()
            if isinstance(problem, BaseExceptionGroup):
                raise problem.exceptions[0] from None  # the first says it; the others were cancelled for it
            raise

    async def _serve(self, lane: OneLane, room: asyncio.Semaphore) -> None:
        async with room:
            self._opened.push_async_callback(lane.engine.stop)
            lane.file.touch(mode=0o600)
            lane.file.write_text("".join(f"{name}={value}\n" for name, value in lane.known.items()), encoding="utf-8")
            await lane.engine.start()

    async def stop(self) -> None:
        """Stop all, the engines first."""
        with stage("stopping"):
            await self._opened.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.stop()
