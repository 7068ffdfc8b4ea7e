"""`ivrflow scenario run`: reads scenarios, plays them, tells what came of it, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.prompts.progress import shown
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.file_commands import COULD_NOT, chosen, refusals
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.observation import Result
from ivrflow.scenario.pbx.kept_sound import kept_sound
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.writing import write_report
from ivrflow.scenario.run.flows_here import flows_here
from ivrflow.scenario.run.junit import junit_xml
from ivrflow.scenario.run.run import JOBS, CannotRun, Lane, Run
from ivrflow.scenario.run.run_output import as_json, in_words
from ivrflow.scenario.run.run_progress import RunProgress
from ivrflow.scenario.script import Stage
from ivrflow.scenario.simulated import on_simulator
from ivrflow.settings import Settings, SettingsError, read_settings
from ivrflow.softphone.call import PhoneError

if TYPE_CHECKING:
    from ivrflow.scenario.pbx.pbx_stage import PbxStage
    from ivrflow.scenario.pbx.transcribing import Transcriber

On: TypeAlias = Literal["pbx", "simulator", "both"]
Form: TypeAlias = Literal["text", "json"]
_Opened: TypeAlias = AbstractAsyncContextManager["tuple[PbxStage, ...]"]

INTERRUPTED = 130
"""Exit code when somebody stopped the run: what a shell makes of Ctrl-C."""

AUDIO = "audio"
"""The folder with the sound of calls, within that of the report."""
KEPT_AUDIO = Path(".ivrflow/scenarios/audio")
"""Where sound is kept when there is no report."""

_STAGES: dict[On, tuple[Stage, ...]] = {
    "pbx": ("pbx",),
    "simulator": ("simulator",),
    "both": ("simulator", "pbx"),
}


@dataclass(slots=True, kw_only=True)
class _Outcome:
    """What a run came to, also one that was stopped or could not go on."""

    results: tuple[Result, ...] = ()
    left_behind: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    called: str = ""
    faults: Sequence[str] = ()
    could_not: str = ""
    stopped: bool = False
    began: datetime = field(default_factory=lambda: datetime.now().astimezone())
    took: float = 0.0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A file that cannot be written, or read again, ends nothing: the rest is told, too."""
        try:
            yield
        except OSError as problem:
            self.could_not = f"{problem.filename or 'a file'}: {problem.strerror or problem}"

    @property
    def exit_code(self) -> int:
        if self.stopped:
            return INTERRUPTED
        if self.could_not:
            return COULD_NOT
        failed = self.left_behind or any(result.word == "failed" for result in self.results)
        return 1 if failed else 0


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option(
    "--on",
    type=click.Choice(list(_STAGES)),
    default="pbx",
    show_default=True,
    help="Real calls on the PBX; the simulator, which needs nothing and takes a moment; or first the one, then the other.",
)
@click.option("--rule", metavar="NAME", help="Only scenarios that prove this rule, such as silent_call.")
@click.option(
    "--jobs", type=click.IntRange(1), default=JOBS, show_default=True, help="Calls at once on the PBX, at most."
)
@click.option(
    "--repeat", type=click.IntRange(1), default=1, show_default=True, help="Play every scenario so many times."
)
@click.option("--pbx", metavar="HOST[:PORT]", help="Somebody's own Asterisk.  [default: the PBX of this machine]")
@click.option("--account", metavar="NAME", default="caller", show_default=True, help="The SIP account that calls.")
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings of one more PBX of this machine with an engine of its own, to play there as well; once for each.",
)
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results as JUnit XML, for CI."
)
@click.option(
    "--html",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write pages to look at into this folder: begin with index.html.",
)
@click.option("--keep-audio", is_flag=True, help="Keep the sound of every call, not only of those that failed.")
@click.option("--asr", is_flag=True, help="Let an offline speech recogniser say what was heard, and compare.")
@click.option("--strict", is_flag=True, help="What is only worth a word fails a scenario too, as clocks that differ.")
@click.option("--show-personal", is_flag=True, help="Show the keys that were pressed instead of masking them.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def run(
    *,
    paths: Sequence[Path],
    on: On,
    rule: str | None,
    jobs: int,
    repeat: int,
    pbx: str | None,
    account: str,
    lanes: tuple[Path, ...],
    junit: Path | None,
    html: Path | None,
    keep_audio: bool,
    asr: bool,
    strict: bool,
    show_personal: bool,
    form: Form,
) -> None:
    """Play the scenarios in PATH... (files, and folders of them), and judge what was heard and when.

    \b
    Examples:
      ivrflow scenario run first.yaml --on simulator             without a PBX, in a moment
      ivrflow scenario run scenarios --html report               real calls to the PBX that `make run` started
      ivrflow scenario run scenarios --rule silent_call --repeat 20
      ivrflow scenario run scenarios --junit junit.xml           in CI
      ivrflow scenario run mine.yaml --pbx 192.0.2.10 --account tester

    The password of an account is read from PBX_PASSWORD_CALLER and so on, in the environment or in .ivrflow/secrets.env.
    A failed scenario is played again, twice at most, when this machine stood still for more than 0.1 s meanwhile.
    docs/scenarios.md tells more.

    Exit codes: 0 all passed, 1 some failed, 2 they could not be played, 130 stopped.
    """  # noqa: D301 - \b keeps the lines apart in --help
    stages = _STAGES[on]
    if asr and "pbx" not in stages:
        raise click.BadParameter(
            "there is nothing to hear on the simulator; leave it out, or use --on pbx", param_hint="--asr"
        )
    with refusals():
        settings = read_settings()
        scenarios = chosen(load_scenarios(list(paths), flows_here(settings)), rule)
        if not any(set(scenario.stages).intersection(stages) for scenario in scenarios):
            raise SettingsError(f"none of these scenarios can be played on the {on}; try --on both")
        for wanted in (html, junit and junit.parent):
            _make_folder(wanted)
        transcriber = _transcriber() if asr else None
    progress = RunProgress()
    playing = Run(
        scenarios=scenarios,
        stages=stages,
        simulate=on_simulator.play,
        judge=judge,
        listener=progress,
        jobs=jobs,
        repeat=repeat,
        strict=strict,
    )
    # An analysis that a stopped run did not wait for may still write there.
    with TemporaryDirectory(prefix="ivrflow-", ignore_cleanup_errors=True) as sound:
        opened = None
        if "pbx" in stages:
            # Only a run with real phones needs what these take to import.
            from ivrflow.scenario.pbx.pbx_stage import StageWishes, pbx_stages

            audio = Path(sound) if html or keep_audio or asr else None
            wishes = StageWishes(pbx=pbx, account=account, audio=audio, lanes=lanes)
            opened = pbx_stages(settings, [one for one in scenarios if "pbx" in one.stages], wishes)
        outcome = asyncio.run(_played(playing, progress, opened))
        if transcriber is not None:
            _transcribe(outcome, transcriber, settings, strict=strict)
        with outcome.writing():
            folder = html / AUDIO if html else KEPT_AUDIO if keep_audio else None
            outcome.results = kept_sound(outcome.results, folder, all_of_it=keep_audio)
    summary = RunSummary(
        began=outcome.began,
        took=outcome.took,
        stages=stages,
        called=outcome.called,
        version=version("ivrflow"),
        jobs=jobs,
        repeats=repeat,
        remarks=(*outcome.remarks, *([f"The run could not go on: {outcome.could_not}"] if outcome.could_not else [])),
        left_behind=outcome.left_behind,
    )
    if form == "json":
        click.echo(as_json(outcome.results, summary, stopped=outcome.stopped, show_personal=show_personal))
    elif outcome.results or not outcome.could_not:
        for line in in_words(outcome.results, summary, stopped=outcome.stopped):
            click.echo(line)
    with outcome.writing():
        if junit is not None:
            xml = junit_xml(
                outcome.results, began=summary.began, leaks=summary.left_behind, could_not=outcome.could_not
            )
            junit.write_bytes(xml)
        if html is not None and outcome.results:
            page = write_report(html, summary, outcome.results, show_personal=show_personal)
            click.echo(f"report: {page}", err=True)
    for fault in outcome.faults:
        click.echo(f"\na fault in ivrflow itself; please report these lines:\n{fault}", err=True)
    if outcome.could_not:
        click.echo(f"error: {outcome.could_not}", err=True)
    sys.exit(outcome.exit_code)


# ── the run itself ────────────────────────────────────────────────────────────────────────────────────────────────────


async def _played(run: Run, progress: RunProgress, opened: _Opened | None) -> _Outcome:
    """Play everything; whatever happens, what is finished is told, and nothing is left behind."""
    outcome = _Outcome()
    begun = time.monotonic()
    this = asyncio.current_task()
    assert this is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, this.cancel)
    try:
        with progress.shown(run):
            await run.simulate_all()
            progress.simulated()
            if opened is not None:
                await _on_pbx(run, opened, outcome)
    except asyncio.CancelledError:
        outcome.stopped = True
    except (CannotRun, PhoneError, SettingsError) as problem:
        outcome.could_not = str(problem)
    outcome.results, outcome.faults = run.results, run.faults
    outcome.took = time.monotonic() - begun
    return outcome


async def _on_pbx(run: Run, opened: _Opened, outcome: _Outcome) -> None:
    async with opened as stages:
        outcome.called = ", ".join(stage.called for stage in stages)
        outcome.remarks = tuple(dict.fromkeys(remark for stage in stages for remark in stage.remarks))
        for remark in outcome.remarks:
            click.echo(f"note: {remark}", err=True)
        await run.play_all(*(Lane(stage.play, stage.needs) for stage in stages))
        outcome.left_behind = tuple([left for stage in stages for left in await stage.left_behind()])


def _transcriber() -> Transcriber:
    """The recogniser, loaded before the calls: what it lacks shall not be found out after them.

    Raises:
        SettingsError: it is not installed.
    """
    from ivrflow.scenario.pbx.transcribing import Transcriber  # what it takes to import nobody else needs

    transcriber = Transcriber()
    transcriber.load()
    return transcriber


def _transcribe(outcome: _Outcome, transcriber: Transcriber, settings: Settings, *, strict: bool) -> None:
    """Write down what was heard, now that no call can be disturbed by it."""
    from ivrflow.scenario.run.transcripts import transcribed, wordings_of

    wordings = wordings_of(PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir)))
    try:
        with outcome.writing(), shown("transcribing") as report:
            outcome.results = transcribed(outcome.results, transcriber.transcribe, wordings, report, strict=strict)
    except KeyboardInterrupt:
        outcome.stopped = True


def _make_folder(folder: Path | None) -> None:
    """Find out before the calls that a folder cannot be written to."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"the folder {folder} cannot be made: {error.strerror}") from None
