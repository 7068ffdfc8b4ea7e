"""What `ivrflow doctor` looks at: everything a call needs, one finding each, with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.ami_protocol import AmiError
from ivrflow.bridge.queue_members import NotPossible, queues
from ivrflow.bridge.recording_files import RecordingRefusedError, check
from ivrflow.calendar_notices import calendar_notices
from ivrflow.flow.model import CallFlow, Queue, Record
from ivrflow.flow.problems import FlowError, Location, did_you_mean
from ivrflow.flow_files import load_flows
from ivrflow.prompts.formats import BYTES_PER_SECOND, missing_formats
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.runtime.journal import Journal
from ivrflow.settings import Settings, SettingsError, read_settings

NEEDED_MODULES = (
    "res_agi.so",
    "chan_pjsip.so",
    "res_pjsip.so",
    "res_rtp_asterisk.so",
    "res_timing_timerfd.so",
    "res_musiconhold.so",
    "func_talkdetect.so",
    "app_bridgewait.so",
    "app_dial.so",
    "app_queue.so",
    "app_stack.so",
    "bridge_simple.so",
    "format_pcm.so",
    "format_sln.so",
    "pbx_config.so",
)
"""Asterisk modules without which a call cannot be served."""

UNWANTED_MODULES = {
    "bridge_native_rtp.so": "leave it out: keys pressed in a talk go unheard",
    "bridge_builtin_features.so": "leave it out: by it the manager account can run programs (docs/deploy.md, Security)",
}
"""Modules that should not be loaded, and why."""

RECORDING_MODULE = "app_mixmonitor.so"
"""Without it neither calls nor messages are recorded."""

HEADER_MODULE = "res_pjsip_header_funcs.so"
"""Without it agents' phones do not learn which call they ring for, and testers cannot choose the time of a call."""

LOOKING_MODULE = "func_module.so"
"""Without it nobody but the class `system` sees which modules are loaded."""

ANSWER_S = 3.0
"""Seconds a peer has to answer a look."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        state: good, bad (calls will suffer), or unsure (worth knowing).
        what: what was found.
        advice: what to do; empty when it is good.
    """

    state: Literal["good", "bad", "unsure"]
    what: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--format json`."""
        return asdict(self)


async def diagnose() -> AsyncIterator[Finding]:
    """Look at everything, in the order in which a call would need it."""
    try:
        settings = read_settings(needs=("ami_secret",))
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("bad", f"settings: {problem}", "docs/settings.md lists every setting")
        return
    yield Finding("good", "settings: complete")
    for warning in settings.warnings:
        yield Finding("unsure", f"settings: {warning}")
    wanted: dict[str, Location] = {}
    for finding in (*_flows(settings, wanted), *_prompts(settings), _journal(settings)):
        yield finding
    async for finding in _pbx(settings, wanted):
        yield finding
    yield await _fastagi_port(settings)


def _flows(settings: Settings, wanted: dict[str, Location]) -> list[Finding]:
    """What is to be said of the flows; `wanted` is filled with the queues they name."""
    try:
        flows = load_flows([settings.flows], PromptIndex.load(settings.masters).catalogue())
    except FlowError as error:
        return [
            Finding("bad", f"flows: {problem.where}: {problem.message}", problem.hint) for problem in error.problems
        ]
    except SettingsError as error:
        return [Finding("bad", f"flows: {error}")]
    wanted.update(_queues_of(flows.values()))
    found = [
        Finding("good", f"flow {flow.id}: {len(flow.steps)} steps, number {', '.join(flow.numbers) or 'none'}")
        for flow in flows.values()
    ]
    if any(flow.recording or any(isinstance(step, Record) for step in flow.steps.values()) for flow in flows.values()):
        found.append(_recordings(settings))
    return found + [
        Finding("unsure", f"holidays: {notice.where}: {notice.message}", notice.hint)
        for notice in calendar_notices(flows.values())
    ]


def _queues_of(flows: Iterable[CallFlow]) -> dict[str, Location]:
    """The queues callers wait in, each with the first place that names it."""
    steps = [step for flow in flows for step in flow.steps.values() if isinstance(step, Queue)]
    levels = [level for step in steps for level in step.levels]
    first: dict[str, Location] = {}
    for level in levels:
        first.setdefault(level.queue, level.where)
    return first


def _recordings(settings: Settings) -> Finding:
    """Whether we can keep order among the recordings. Whether the PBX can write them shows with the first one."""
    try:
        check(settings.recordings_dir)
    except RecordingRefusedError as error:
        return Finding("bad", f"recordings: {error}", "docs/recordings.md says what engine and PBX must share")
    return Finding("good", f"recordings: {settings.recordings_dir} can be written")


def _prompts(settings: Settings) -> list[Finding]:
    try:
        index = PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir))
        missing = missing_formats(index, settings.prompts_dir)
    except SettingsError as error:
        return [Finding("bad", f"prompts: {error}")]
    formats = ", ".join(BYTES_PER_SECOND)
    if missing:
        return [
            Finding(
                "bad",
                f"prompts: {len(missing)} of {sum(1 for _ in index.everything)} lack a file ({formats}) in {settings.prompts_dir}",
                "run: ivrflow prompts build",
            )
        ]
    return [Finding("good", f"prompts: all {sum(1 for _ in index.everything)} there as {formats}")]


def _journal(settings: Settings) -> Finding:
    try:
        journal = Journal(settings.journal)
        journal.open()
        journal.close()
    except SettingsError as error:
        return Finding("bad", f"journal: {error}")
    return Finding("good", "journal: can be written")


async def _pbx(settings: Settings, wanted: Mapping[str, Location]) -> AsyncIterator[Finding]:
    where = f"{settings.ami_host}:{settings.ami_port}"
    manager = AmiClient(
        settings.ami_host,
        settings.ami_port,
        settings.ami_user,
        settings.ami_secret,
        on_event=lambda _event: None,
        on_up=lambda: None,
        on_down=lambda _reason: None,
    )
    try:
        await manager.start()
    except SettingsError as error:
        yield Finding("bad", f"PBX: {error}")
        return
    try:
        yield Finding("good", f"PBX: logged in at {where} as {settings.ami_user}")
        async for finding in _modules(manager):
            yield finding
        for finding in await _queues(manager, wanted) if wanted else ():
            yield finding
    except AmiError as error:
        yield Finding("bad", f"PBX: the manager connection broke while looking: {error}")
    finally:
        await manager.close()


async def _modules(manager: AmiClient) -> AsyncIterator[Finding]:
    if not await _is_loaded(manager, LOOKING_MODULE):
        yield Finding(
            "unsure",
            f"PBX: which modules are loaded cannot be seen, since {LOOKING_MODULE} is not",
            "load it: nothing else needs it",
        )
        return
    missing = [module for module in NEEDED_MODULES if not await _is_loaded(manager, module)]
    if missing:
        yield Finding("bad", f"PBX: modules not loaded: {', '.join(missing)}", "load them in modules.conf")
    else:
        yield Finding("good", f"PBX: all {len(NEEDED_MODULES)} modules a call needs are loaded")
    for module, advice in UNWANTED_MODULES.items():
        if await _is_loaded(manager, module):
            yield Finding("unsure", f"PBX: {module} is loaded", advice)
    if not await _is_loaded(manager, RECORDING_MODULE):
        yield Finding(
            "unsure", f"PBX: {RECORDING_MODULE} is not loaded", "load it: it records calls and callers' messages"
        )
    if not await _is_loaded(manager, HEADER_MODULE):
        yield Finding(
            "unsure",
            f"PBX: {HEADER_MODULE} is not loaded",
            "load it: it puts X-Ivrflow-Call into agents' INVITEs, and lets testers choose a call's time",
        )


async def _queues(manager: AmiClient, wanted: Mapping[str, Location]) -> list[Finding]:
    """Whether the PBX has the queues that flows name: no reading of the flows can tell."""
    try:
        there = {seen.name for seen in await queues(manager)}
    except NotPossible as why:
        return [Finding("unsure", "PBX: whether it has the queues of the flows cannot be seen", str(why))]
    missing = [
        Finding(
            "bad",
            f"PBX: there is no queue '{name}'; {where} names it: callers meant for it go where 'no_answer' leads",
            did_you_mean(name, there) or "write it into queues.conf: docs/agents-on-the-pbx.md",
        )
        for name, where in wanted.items()
        if name not in there
    ]
    return missing or [Finding("good", f"PBX: the queues of the flows are there: {', '.join(sorted(wanted))}")]


async def _is_loaded(manager: AmiClient, module: str) -> bool:
    """Asked as a dialplan would: the manager's own action for it needs a class by which programs can be run."""
    answer = await manager.action("Getvar", {"Variable": f"IFMODULE({module})"})
    return answer.get("Value") == "1"


async def _fastagi_port(settings: Settings) -> Finding:
    where = f"{settings.agi_host}:{settings.agi_port}"
    try:
        async with asyncio.timeout(ANSWER_S):
            _, writer = await asyncio.open_connection(settings.agi_host, settings.agi_port)
    except (OSError, TimeoutError):
        return Finding(
            "unsure",
            f"FastAGI: nobody listens on {where} yet",
            "that is ivrflow itself: start it with `ivrflow serve`; until then callers get the fallback",
        )
    writer.close()
    return Finding("good", f"FastAGI: the engine listens on {where}")
