"""The engine, served in the tests' own event loop, with the sessions of its calls open to look at."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ivrflow.bridge.asterisk_line import AsteriskLine
from ivrflow.engine.messages import CallEvent
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, Judgement, TraceLine
from ivrflow.flow.model import CallFlow, Hours, Step, Transfer
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.call_loop import LiveCall
from ivrflow.service.app import Service
from ivrflow.settings import Settings, read_settings
from ivrflow.softphone.call import Call
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.listening import HeardPrompt, recognise
from tools.pbx import Pbx
from tools.places import CHECKOUT, PROMPTS

RING_FOR_S = 2.0
"""So that a test need not wait for the twenty seconds a person gets."""

_SAID = tuple(f"gov12345/{name}" for name in ("greeting", "silent_call", "hold_request.lookup", "anything", "closing"))


def flows_for_tests() -> dict[str, CallFlow]:
    """The real flows; only their phones ring shorter, and it is always day."""
    return {name: _for_tests(flow) for name, flow in real_flows().items()}


def flow_for_tests(name: str) -> CallFlow:
    """One of them."""
    catalogue = PromptIndex.load(CHECKOUT / "prompts").catalogue()
    return _for_tests(load_flows([CHECKOUT / "callflows" / f"{name}.yaml"], catalogue)[name])


def real_flows() -> dict[str, CallFlow]:
    """The flows as they are, with their hours."""
    return load_flows([CHECKOUT / "callflows"], PromptIndex.load(CHECKOUT / "prompts").catalogue())


def _for_tests(flow: CallFlow) -> CallFlow:
    return dataclasses.replace(flow, steps={name: _step_for_tests(step) for name, step in flow.steps.items()})


def _step_for_tests(step: Step) -> Step:
    match step:
        case Transfer():
            return dataclasses.replace(step, ring_for=RING_FOR_S)
        case Hours(windows=(first, *_)):
            return dataclasses.replace(step, windows=(), otherwise=first.then)
        case _:
            return step


def settings_for(pbx: Pbx, journal: Path, **changed: str) -> Settings:
    """What the engine has to be told to work with that PBX."""
    told = pbx.engine_environment()
    environment = {**told, "IVRFLOW_JOURNAL": f"sqlite:///{journal}/journal.sqlite"}
    return read_settings({**environment, **changed})


@asynccontextmanager
async def serving(pbx: Pbx, flow: CallFlow, journal: Path, **changed: str) -> AsyncIterator[EngineHere]:
    """A serving engine with those settings changed; at the end no call, task, timer or connection is left."""
    tasks = asyncio.all_tasks()
    service = Service(settings_for(pbx, journal, **changed), {flow.id: flow})
    here = EngineHere(service)
    await service.start()
    try:
        yield here
        left = await service.switchboard.drain(5.0)
        await legs_forgotten(service)
    finally:
        await service.stop(0)
    assert left == 0, "live calls are left"
    assert service.exchange.server.connections == 0
    assert asyncio.all_tasks() - tasks - {asyncio.current_task()} == set(), "tasks are left"
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, (LiveCall, AsteriskLine))]
    assert [f"{type(one).__name__} held by {holders(one)}" for one in kept] == []


async def legs_forgotten(service: Service) -> None:
    """Wait until the engine has forgotten every agent; the PBX tells the end of their channels after that of the call."""
    try:
        async with asyncio.timeout(5.0):
            while service.exchange._legs:  # noqa: ASYNC110 -- nobody is told when the last channel is forgotten
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"agents are left: {list(service.exchange._legs)}") from None


def holders(one: object, depth: int = 3) -> str:
    """Who holds an object, and who holds them."""
    if not depth:
        return "…"
    found = [holder for holder in gc.get_referrers(one) if not inspect.isframe(holder) and type(holder) is not list]
    return " | ".join(f"{str(holder)[:200]} ← {holders(holder, depth - 1)}" for holder in found[:4]) or "nobody"


class EngineHere:
    """A running engine, and the sessions of all calls it was given, oldest first."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.sessions: list[CallSession] = []
        self.happened: list[tuple[float, CallEvent]] = []
        """Every event of every call, with the event loop's time at which it reached the call."""
        self._changed = asyncio.Event()
        connect = service.switchboard.connect

        def remember(call: object) -> None:
            live = service.switchboard
            connect(call)  # type: ignore[arg-type]  # exactly what the switchboard is given
            newest = live.live[-1]
            self.sessions.append(newest.session)
            take = newest.happened

            def watched(event: CallEvent) -> None:
                self.happened.append((asyncio.get_running_loop().time(), event))
                take(event)
                self._changed.set()

            newest.happened = watched  # type: ignore[method-assign]  # a look from outside at what reaches the call

        service.switchboard.connect = remember  # type: ignore[method-assign]  # the same

    async def until(self, wanted: Callable[[list[TraceLine]], bool], within_s: float = 30.0) -> CallSession:
        """Wait until the trace of the newest call shows what is wanted."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    self._changed.clear()
                    if self.sessions and wanted(self.sessions[-1].trace):
                        return self.sessions[-1]
                    await self._changed.wait()
        except TimeoutError:
            told = "\n".join(map(str, self.sessions[-1].trace)) if self.sessions else "no call came"
            raise AssertionError(f"did not happen within {within_s} s; the trace is\n{told}") from None

    async def until_fact(self, fact: Fact, *, step: str = "", phrase: str = "", within_s: float = 30.0) -> CallSession:
        """Wait until the newest call's trace has such a line."""
        return await self.until(
            lambda trace: any(
                line.fact is fact and step in {"", line.step} and phrase in {"", line.phrase} for line in trace
            ),
            within_s,
        )


def sounds(flow: CallFlow) -> dict[str, Samples]:
    """The wordings a caller can meet without a situation, as the PBX plays them."""
    decoder = codec("ulaw")
    said = {phrase for phrase in flow.phrases if phrase.startswith(("house/", *_SAID))}
    return {
        key: decoder.decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
        for (key, values), prompt in flow.prompts.prompts.items()
        if key in said and not values
    }


async def heard_by(call: Call, prompts: Mapping[str, Samples]) -> list[HeardPrompt]:
    """What the caller heard, in order."""
    return await asyncio.to_thread(recognise, call.recording, prompts)


def kept(session: CallSession) -> set[str]:
    """Names of the rules kept."""
    return {verdict.rule for verdict in session.verdicts if verdict.judgement is Judgement.KEPT}


def broken(session: CallSession) -> dict[str, str]:
    """Rules broken, with the reason."""
    return {v.rule: v.observed for v in session.verdicts if v.judgement is Judgement.BROKEN}
