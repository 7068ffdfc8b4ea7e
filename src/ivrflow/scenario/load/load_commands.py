"""`ivrflow scenario load`: many callers at once; reads the scenario, plays the load, tells what came of it."""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import click
from rich.console import Console

from ivrflow.scenario.language.file_commands import COULD_NOT, refusals
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.load.load_output import WIDTH, as_json, print_figures
from ivrflow.scenario.load.load_progress import LoadProgress
from ivrflow.scenario.load.load_records import LoadSize
from ivrflow.scenario.load.load_session import Caller, Loaded, LoadOrder
from ivrflow.scenario.load.load_session import load as play_load
from ivrflow.scenario.load.load_verdict import LoadLimits, remarks_on, shortcomings_of
from ivrflow.scenario.load.sipp import check_for_sipp
from ivrflow.scenario.load.sipp_load import installed_sipp
from ivrflow.scenario.load.timetable import timetable
from ivrflow.scenario.pbx.pbx_stage import StageWishes, pbx_stage
from ivrflow.scenario.pbx.sip_access import sip_access
from ivrflow.scenario.report.load_page import load_page, write_load_page
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.writing import write_report
from ivrflow.scenario.run.flows_here import flows_here
from ivrflow.scenario.run.run import CannotRun
from ivrflow.scenario.run.run_command import INTERRUPTED
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated import on_simulator
from ivrflow.settings import Settings, SettingsError, given_values, read_settings, variable
from ivrflow.softphone.call import PhoneError

Form: TypeAlias = Literal["text", "json"]


_PER = {"s": 1.0, "min": 60.0, "h": 3600.0}
_MOST_RATE = 500.0
"""Calls a second beyond which no one machine places them one by one."""

_OWN_FILES = 200
"""Open files beside the two sockets of each call."""

_RTP_PORTS = ("PBX_RTP_FIRST_PORT", "PBX_RTP_LAST_PORT")


def _read_rate(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    hit = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)/(s|min|h)", text, re.ASCII)
    if hit is None:
        raise click.BadParameter(f"'{text}' is no rate; write calls per second or minute: 10/s, 600/min")
    rate = float(hit[1]) / _PER[hit[2]]
    if not 0 < rate <= _MOST_RATE:
        raise click.BadParameter(f"'{text}' will not do; more than 0 and at most {_MOST_RATE:g}/s")
    return rate


def _read_share(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    hit = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)%", text, re.ASCII)
    if hit is None or float(hit[1]) > 100:
        raise click.BadParameter(f"'{text}' is no share; write 0% to 100%")
    return float(hit[1]) / 100


def _read_milliseconds(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    if text is None:
        return None
    hit = re.fullmatch(r"(\d{1,6})ms", text, re.ASCII)
    if hit is None:
        raise click.BadParameter(f"'{text}' are no milliseconds; write for example 100ms")
    return int(hit[1]) / 1000


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--calls", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Calls in all.")
@click.option(
    "--rate", callback=_read_rate, default="10/s", show_default=True, help="How many are placed: 10/s, 600/min."
)
@click.option("--max", "most", type=click.IntRange(1), default=100, show_default=True, help="At once, at most.")
@click.option(
    "--caller",
    type=click.Choice(["own", "sipp"]),
    default="own",
    show_default=True,
    help="Who calls: our own phone, or SIPp (package sip-tester), for many hundreds at once.",
)
@click.option(
    "--listen", type=click.IntRange(0, 50), default=5, show_default=True, help="So many of them are heard and judged."
)
@click.option("--pbx", metavar="HOST[:PORT]", help="Somebody's own Asterisk.  [default: the PBX of this machine]")
@click.option("--account", metavar="NAME", default="caller", show_default=True, help="The SIP account that calls.")
@click.option(
    "--html",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a page with plots: load.html in this folder.",
)
@click.option("--max-failed", callback=_read_share, default="0%", show_default=True, help="Calls that may fail.")
@click.option("--max-broken", type=click.IntRange(0), default=0, show_default=True, help="Calls that may break a rule.")
@click.option(
    "--wait-p99",
    callback=_read_milliseconds,
    metavar="MS",
    help="By how much 99 % of the documented waits may be off.  [default: the flow's tolerance]",
)
@click.option(
    "--max-late", callback=_read_share, default="1%", show_default=True, help="Waits that may be late by over 20 ms."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def load(
    *,
    file: Path,
    calls: int,
    rate: float,
    most: int,
    caller: Caller,
    listen: int,
    pbx: str | None,
    account: str,
    html: Path | None,
    max_failed: float,
    max_broken: int,
    wait_p99: float | None,
    max_late: float,
    form: Form,
) -> None:
    """Play the caller of the scenario FILE many times at once, and measure what that does to waits and machines.

    \b
    Examples:
      ivrflow scenario load scenarios/gov12345/rules/silent_call.yaml --calls 300 --rate 10/s --max 100
      ivrflow scenario load mine.yaml --calls 1000 --rate 50/s --max 500 --caller sipp --html load
      ivrflow scenario load mine.yaml --pbx 192.0.2.10 --account tester

    Each call follows the script by the clock; --listen calls, spread over the run, are heard and judged like any scenario.
    Ctrl-C hangs up all calls and tells what was measured so far. docs/load.md tells more.

    Exit codes: 0 passed, 1 not passed, 2 it could not be played, 130 stopped.
    """  # noqa: D301 - \b keeps the lines apart in --help
    size = LoadSize(calls=calls, rate=rate, most=min(most, calls), listen=min(listen, calls))
    limits = LoadLimits(failed=max_failed, broken=max_broken, wait_p99=wait_p99, late=max_late)
    with refusals():
        settings = read_settings()
        order = _order(file, size, caller, settings, pbx=pbx, account=account)
        _make_room(order, pbx=pbx)
        if html is not None:
            _make_folder(html)
    with TemporaryDirectory(prefix="ivrflow-") as sound:
        wishes = StageWishes(pbx=pbx, account=account, audio=Path(sound) if html else None)
        done = _run(_played(order, wishes))
        if done.loaded is None:
            click.echo(f"error: {done.could_not}" if done.could_not else "stopped before the first call", err=True)
            sys.exit(COULD_NOT if done.could_not else INTERRUPTED)
        loaded = done.loaded
        shown = loaded.figures
        short = (*shortcomings_of(shown, limits), *(f"left behind: {leak}" for leak in loaded.left_behind))
        remarks = (*done.remarks, *loaded.remarks, *remarks_on(shown))
        if form == "json":
            click.echo(as_json(shown, short, remarks, stopped=loaded.stopped))
        else:
            console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
            print_figures(shown, short, remarks, stopped=loaded.stopped, console=console)
        if html is not None:
            _write_pages(html, done, short, remarks)
    sys.exit(INTERRUPTED if loaded.stopped else int(bool(short)))


# ── before the calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def _order(
    file: Path, size: LoadSize, caller: Caller, settings: Settings, *, pbx: str | None, account: str
) -> LoadOrder:
    """What is to be played, checked.

    Raises:
        FlowError: the scenario is not in order, or not fit for load.
        SettingsError: the PBX's address or a password is missing, or SIPp is.
    """
    scenarios = load_scenarios([file], flows_here(settings))
    if len(scenarios) != 1:
        raise SettingsError(f"{file} holds {len(scenarios)} scenarios; load plays one: put it into a file of its own")
    scenario: Scenario = scenarios[0]
    table = timetable(scenario, on_simulator.play(scenario))
    if caller == "sipp":
        check_for_sipp(scenario, table)
        try:
            installed_sipp()
        except CannotRun as problem:
            raise SettingsError(str(problem)) from None
    watched = sip_access(pbx, account).watched
    return LoadOrder(scenario=scenario, table=table, size=size, caller=caller, settings=settings, watched=watched)


def _make_room(order: LoadOrder, *, pbx: str | None) -> None:
    """Make sure that so many calls at once are possible at all.

    Raises:
        SettingsError: they are not; says what bounds them.
    """
    most = order.size.most
    if order.watched and most > order.settings.max_calls:
        raise SettingsError(
            f"{variable('max_calls')} is {order.settings.max_calls}: of {most} calls at once the others would get the "
            f"fallback; write --max {order.settings.max_calls}, or raise it for the engine too"
        )
    carried = _carried(given_values()) if pbx is None else None
    if carried is not None and most > carried:
        raise SettingsError(
            f"the PBX has ports for the audio of {carried} calls ({' to '.join(_RTP_PORTS)}), not of {most}; write --max "
            f"{carried}, or give it more"
        )
    needed = 2 * most + _OWN_FILES
    _, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    if order.caller == "own":
        if highest != resource.RLIM_INFINITY and highest < needed:
            raise SettingsError(
                f"this process may open {highest} files, and {most} calls at once take {needed}; write --max "
                f"{(highest - _OWN_FILES) // 2}, raise the limit (ulimit -n), or write --caller sipp"
            )
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), highest))


def _carried(given: Mapping[str, str]) -> int | None:
    """For how many calls the PBX of this machine has audio ports; None when nobody says."""
    first, last = (given.get(name, "") for name in _RTP_PORTS)
    return (int(last) - int(first) + 1) // 2 if first.isdigit() and last.isdigit() else None


def _make_folder(folder: Path) -> None:
    """Find out before the calls that a folder cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"the folder {folder} cannot be made: {error.strerror}") from None


# ── the load itself ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, kw_only=True)
class _Done:
    """What it came to, also when it was stopped or could not be played."""

    loaded: Loaded | None = None
    called: str = ""
    remarks: tuple[str, ...] = ()
    could_not: str = ""
    began: datetime = field(default_factory=lambda: datetime.now().astimezone())
    took: float = 0.0


async def _played(order: LoadOrder, wishes: StageWishes) -> _Done:
    done = _Done()
    begun = time.monotonic()
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    progress = LoadProgress()
    try:
        async with pbx_stage(order.settings, [order.scenario], wishes) as stage:
            done.called, done.remarks = stage.called, stage.remarks
            with progress.shown(order.size.calls):
                done.loaded = await play_load(order, stage, progress)
    except asyncio.CancelledError:
        pass  # before the first call, or a second time: then nothing more is waited for
    except (CannotRun, PhoneError, SettingsError) as problem:
        done.could_not = str(problem)
    done.took = time.monotonic() - begun
    return done


def _run(main: Coroutine[Any, Any, _Done]) -> _Done:
    """On uvloop where there is one: it carries more calls."""
    try:
        import uvloop  # not to be had on every platform
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


# ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_pages(folder: Path, done: _Done, shortcomings: tuple[str, ...], remarks: tuple[str, ...]) -> None:
    assert done.loaded is not None
    run = RunSummary(
        began=done.began,
        took=done.took,
        stages=("pbx",),
        called=done.called,
        version=version("ivrflow"),
        remarks=remarks,
        left_behind=done.loaded.left_behind,
    )
    shown = done.loaded.figures
    try:
        listened = ""
        if shown.side.listened:
            listened = str(write_report(folder / "listened", run, shown.side.listened).relative_to(folder))
        page = load_page(shown, shortcomings, stopped=done.loaded.stopped, listened=listened)
        click.echo(f"report: {write_load_page(folder, page, run)}", err=True)
    except OSError as problem:
        click.echo(f"error: {problem.filename or folder} was not written: {problem.strerror}", err=True)
        sys.exit(COULD_NOT)
