"""`ivrflow serve` and `ivrflow doctor`: the engine on a real PBX, and whether everything it needs is there."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import click
from rich.console import Console

from ivrflow.commands.diagnosis import Finding, diagnose
from ivrflow.commands.shared_options import Form, format_option
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.service.app import DRAIN_S, Service
from ivrflow.service.reading_aside import ReadingFailed, load_for_service
from ivrflow.settings import LogFormat, Settings, SettingsError, read_settings

log = logging.getLogger("ivrflow")

THREAD_SWITCH_S = 0.0005
"""Seconds the journal's thread may keep the interpreter from the calls' thread (Python's own choice is ten times that)."""

GARBAGE_THRESHOLDS = (10_000, 20, 20)
"""Of Python's garbage collector, by generation: a full round only every few million objects."""

FILES_BESIDE_CALLS = 64
"""Open files the engine needs besides one per call: libraries, journal, log, manager, port probes."""


@click.command()
@click.option(
    "--drain",
    type=click.FloatRange(0, 600),
    default=DRAIN_S,
    show_default=True,
    help="Seconds that live calls have to end in peace when the engine is stopped.",
)
def serve(drain: float) -> None:
    """Serve calls on the PBX until stopped (Ctrl-C or SIGTERM).

    \b
    Settings come from IVRFLOW_… variables (docs/settings.md). Before the first call:
      ivrflow prompts build      make the files the PBX plays
      ivrflow doctor             look whether everything is there

    A second Ctrl-C does not wait for live calls: they go to the PBX's fallback.

    SIGHUP, or `ivrflow reload`, reads flows, standards and prompts anew for the calls to come (docs/ops.md).
    """  # noqa: D301 - \b keeps the lines apart in --help
    try:
        settings = read_settings(needs=("ami_secret",))
        _log_to_stderr(settings.log_format)
        for warning in settings.warnings:
            log.warning("%s", warning)
        _make_room_for(settings.max_calls)
        run_loop(_serve(settings, load_for_service(settings), drain))
    except FlowError as error:
        click.echo(str(error), err=True)
        click.echo(f"not started: {len(error.problems)} problems in the flows", err=True)
        sys.exit(1)
    except SettingsError as error:
        click.echo(f"not started:\n{error}", err=True)
        sys.exit(1)


async def _serve(settings: Settings, flows: dict[str, CallFlow], drain: float) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            for call in service.switchboard.live:
                call.abandon("the engine was told twice to stop")
        stopping.set()

    async def reload() -> None:
        with contextlib.suppress(FlowError, SettingsError, ReadingFailed):  # the log has it
            await service.reloading.reload()

    def reload_asked() -> None:
        if stopping.is_set():
            log.warning("reload ignored: the engine is stopping")
            return
        task = loop.create_task(reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    reloads: set[asyncio.Task[None]] = set()
    service = Service(settings, flows)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload_asked)
    await service.start()
    _collect_garbage_seldom()
    sys.setswitchinterval(THREAD_SWITCH_S)
    served = ", ".join(f"{number} ({flow.id})" for number, flow in sorted(service.flows.items()))
    placing = ", ".join(sorted(flow.id for flow in flows.values() if flow.places_calls))
    served = "; placing calls for ".join(filter(None, (served, placing))) if placing else served
    log.info("serving %s; Asterisk's calls are taken on %s:%d", served, settings.agi_host, service.exchange.server.port)
    try:
        await stopping.wait()
        live = service.switchboard.counts.live
        log.info("stopping: new callers get the fallback; %d live calls have %g s to end", live, drain)
    finally:
        for task in reloads:
            task.cancel()
        await service.stop(drain)
    counts = service.switchboard.counts
    log.info("stopped; %d calls served, latest timer %.0f ms late", counts.served, counts.latest_timer_s * 1000)


def _collect_garbage_seldom() -> None:
    """Keep the garbage collector from making rule timers late.

    Flows, standards and code live as long as the process: it need not visit them. A call leaves no cycles behind, so
    nearly everything is freed without it; with a thousand live calls each of its full rounds costs tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _make_room_for(calls: int) -> None:
    """Raise this process's limit of open files as far as `calls` connections need, or warn.

    Beyond the limit connections are left unaccepted, and nothing in the log would say why callers get the fallback.
    """
    needed = calls + FILES_BESIDE_CALLS
    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return
    limit = needed if highest == resource.RLIM_INFINITY else min(needed, highest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, highest))
    if limit < needed:
        log.warning(
            "IVRFLOW_MAX_CALLS is %d, and this process may open %d files, which is enough for %d calls; further callers "
            "get the fallback. Raise the limit (LimitNOFILE= in a systemd service, ulimit -n in a shell)",
            calls,
            limit,
            max(0, limit - FILES_BESIDE_CALLS),
        )


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one, else on asyncio's own loop."""
    try:
        import uvloop  # not to be had on every platform
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


@click.command()
@format_option
def doctor(form: Form) -> None:
    """Look whether everything a call needs is there; say what to do about what is not.

    Looks at: settings, flows and standards, prompts in every format, the journal, the PBX (reachable, login, modules,
    phones), and the FastAGI port. Exit code 1 when something is missing.
    """
    findings: list[Finding] = []
    report = _finding_printer(form)

    async def look() -> None:
        async for finding in diagnose():
            findings.append(finding)
            report(finding)

    asyncio.run(look())
    if form == "json":
        click.echo(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False, indent=2))
    sys.exit(1 if any(finding.state == "bad" for finding in findings) else 0)


def _finding_printer(form: str) -> Callable[[Finding], None]:
    console = Console(highlight=False)
    marks = {"good": "[green]ok  [/green]", "bad": "[red]BAD [/red]", "unsure": "[yellow]note[/yellow]"}

    def show(finding: Finding) -> None:
        if form == "json":
            return
        console.print(f"{marks[finding.state]} {finding.what}", soft_wrap=True)
        if finding.advice:
            console.print(f"      {finding.advice}", soft_wrap=True)

    return show


# ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _JsonLines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _log_to_stderr(form: LogFormat) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
