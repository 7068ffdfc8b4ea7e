"""`ivrflow prompts`: make the recordings, see which there are, listen to one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar, get_args

import click
import msgspec
import soundfile
from rich.console import Console
from rich.table import Table

from ivrflow.flow.model import DEFAULT_VOICE, Standard
from ivrflow.flow.problems import FlowError, Problem, did_you_mean
from ivrflow.flow.speaking.composing import PIECES
from ivrflow.prompts.formats import BYTES_PER_SECOND, build_formats, missing_formats
from ivrflow.prompts.human_recordings import RECORDED
from ivrflow.prompts.index import PromptEntry, PromptIndex, ahead_folder, read_index
from ivrflow.prompts.kokoro_voice import ENGINE as KOKORO
from ivrflow.prompts.options import FOLDER, masters_option, problems_reported, setting
from ivrflow.prompts.pack import Build, Wanted, portions, voices_wanted
from ivrflow.prompts.pieces import PIECES_NAME, planned_pieces
from ivrflow.prompts.progress import shown
from ivrflow.prompts.reading import read_words
from ivrflow.prompts.renderer import MASTER_RATE, read_master
from ivrflow.prompts.sound import pcm16
from ivrflow.prompts.verify_command import verify
from ivrflow.prompts.voices import VOICE_NAMES, Engine, voices_in
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_again, planned_ahead, planned_prompts
from ivrflow.settings import SettingsError, variable

State: TypeAlias = Literal["ready", "outdated", "missing"]
_Given: TypeAlias = dict[str, list[str]]
Item = TypeVar("Item")
Result = TypeVar("Result")

_READINGS = "readings.yaml"
_PLAYERS = (("aplay", "-q"), ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"))
_WIDE = 300
"""Columns of a table that goes to a file or a pipe: every row stays one line."""


def _values(_context: click.Context, _parameter: click.Parameter, written: Sequence[str]) -> _Given:
    given: _Given = {}
    for pair in written:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"'{pair}' is not NAME=VALUE, for example agent_id=1024")
        given.setdefault(name, []).append(value)
    return given


_standards = click.option(
    "--standards",
    type=FOLDER,
    callback=setting(lambda settings: settings.flows / "standards"),
    show_default=f"standards in {variable('flows')}: callflows/standards",
    help="Folder with the standards, whose phrases are spoken.",
)
_out = click.option(
    "--out",
    type=FOLDER,
    callback=setting(lambda settings: settings.prompts_dir),
    show_default=f"{variable('prompts_dir')}: .ivrflow/prompts",
    help="Folder for the files the PBX plays.",
)


@click.group()
def prompts() -> None:
    """Recordings of what callers hear: make them, list them, listen to them, verify them."""


prompts.add_command(verify)


@prompts.command()
@_standards
@masters_option
@_out
@click.option(
    "--value",
    "given",
    multiple=True,
    callback=_values,
    metavar="NAME=VALUE",
    help="Render phrases with open placeholders ahead, with this value. May be given several times.",
)
@click.option(
    "--voice",
    "extra",
    multiple=True,
    type=click.Choice(VOICE_NAMES),
    help="Also render everything in this voice, for flows to choose. May be given several times.",
)
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    default="kokoro",
    show_default=True,
    help="Who speaks. gtts (online) and espeak-ng (hardly understood) only fill gaps, until Kokoro is there.",
)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Processor cores to render with.")
def build(
    standards: Path, masters: Path, out: Path, given: _Given, extra: Sequence[str], engine: Engine, threads: int
) -> None:
    """Render wording that is new or has changed, then make the files the PBX plays.

    Every standard is rendered in the default voice, and in the voice of each flow that names one (`voice: zm_yunxi`).
    A recording of a person in MASTERS/recorded/STANDARD/PHRASE.wav wins over every voice. Unchanged wording is never
    rendered again, and a build that was stopped goes on where it ended.

    Rendering needs the voice (pip install 'ivrflow[voice]'); as long as no wording changed it is not asked for.
    """
    with problems_reported():
        words = read_words(masters / _READINGS)
        loaded = _standards_in(standards)
        _check_names(given, loaded)
        planned = _all_planned(loaded, masters, words)
        wanted = {
            **voices_wanted(standards.parent, loaded, masters / PIECES_NAME),
            **dict.fromkeys(set(extra) - {DEFAULT_VOICE}, Wanted(frozenset(planned), parts=None)),
        }
        ahead = {standard.id: _ahead(standard, given, words, ahead_folder(out)) for standard in loaded}
        parts = [*portions(masters, planned, wanted), *portions(ahead_folder(out), ahead, wanted)]
        work = Build(masters, parts, voices_in(Path(".ivrflow/voice"), threads), engine)
        work.check()
        with shown("recording") as report:
            reports = work.render(report)
        with shown("telephone formats") as report:
            formats = build_formats([masters, ahead_folder(out)], out, report)
    for warning in work.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if work.filled:
        first = ", ".join(prompt.key for prompt in work.filled[:3])
        click.secho(
            f"warning: {len(work.filled)} wordings ({first}{', …' if len(work.filled) > 3 else ''}) are spoken by {engine}"
            " until a build with Kokoro: callers understand it worse. Listen before you go live: ivrflow prompts play KEY",
            fg="yellow",
            err=True,
        )
    click.echo(
        f"recordings: {sum(done.rendered + done.copied for done in reports)} new, "
        f"{sum(done.kept for done in reports)} up to date, {sum(done.removed for done in reports)} removed"
    )
    click.echo(
        f"telephone formats ({', '.join(BYTES_PER_SECOND)}): {formats.made} prompts made, {formats.fresh} up to date, "
        f"{formats.removed} removed; {formats.seconds:.0f} s of sound in {out}"
    )


@prompts.command(name="list")
@_standards
@masters_option
@_out
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_(standards: Path, masters: Path, out: Path, form: str) -> None:
    """Show every prompt: who speaks it (a file that a person recorded: recorded), its state, length, formats, and words."""
    with problems_reported():
        loaded = _standards_in(standards)
        words = read_words(masters / _READINGS)
        planned = [prompt for prompts in _all_planned(loaded, masters, words).values() for prompt in prompts]
        index = PromptIndex.load(masters, ahead_folder(out))
        lacking = missing_formats(index, out)
        rows = _rows(planned, index, lacking, DEFAULT_VOICE)
        wanted = voices_wanted(standards.parent, loaded, masters / PIECES_NAME)
        for voice in sorted({*wanted, *index.voices}):
            mine = wanted.get(voice, Wanted())
            rows += _rows([prompt for prompt in planned if mine.includes(prompt)], index, lacking, voice)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("prompt", "variant", "voice", "state", "seconds", "formats", "says"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left", no_wrap=heading != "says")
    for row in rows:
        variant = ", ".join(f"{name}={value}" for name, value in row.values.items()) or row.variant
        seconds = f"{row.duration_ms / 1000:.2f}" if row.duration_ms is not None else ""
        table.add_row(row.key, variant, row.voice, row.state, seconds, " ".join(row.formats), row.text)
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)


@prompts.command()
@click.argument("key")
@masters_option
@_out
@click.option("--value", "given", multiple=True, callback=_values, metavar="NAME=VALUE", help="The values to hear.")
@click.option(
    "--voice",
    default=DEFAULT_VOICE,
    show_default=True,
    help="The voice to hear; the default one where it did not record the phrase.",
)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write a WAV file instead of playing.")
def play(key: str, masters: Path, out: Path, given: _Given, voice: str, to: Path | None) -> None:
    """Play the prompt KEY, for example gov12345/silent_call.connected, on this machine's loudspeaker."""
    with problems_reported():
        index = PromptIndex.load(masters, ahead_folder(out))
        entry = index.lookup(key, {name: values[-1] for name, values in given.items()}, voice)
        if entry is None:
            hint = did_you_mean(key, {known for known, _ in index.entries})
            raise SettingsError(f"there is no recording of '{key}'" + (f"; {hint}" if hint else ""))
        path = _master_of(entry, (ahead_folder(out), masters))
        click.echo(entry.text, err=to is None)
        if to is not None:
            _write_wav(path, to)
            return
        player = next((player for player in _PLAYERS if shutil.which(player[0])), None)
        if player is None:
            raise SettingsError(
                "no program to play sound was found; install alsa-utils or ffmpeg, or use --to FILE.wav"
            )
        with tempfile.TemporaryDirectory() as work:
            wav = Path(work) / "prompt.wav"
            _write_wav(path, wav)
            played = subprocess.run([*player, wav], check=False)  # noqa: S603 - a player of our list, our own file
        if played.returncode != 0:
            raise SettingsError(f"{player[0]} could not play (its message is above); use --to FILE.wav")


# ── what build needs ──────────────────────────────────────────────────────────────────────────────────────────────────


def _standards_in(folder: Path) -> list[Standard]:
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise SettingsError(
            f"there are no standards in {folder}; run in the project's folder, set {variable('flows')} or use --standards"
        )
    return _collected(load_standard, paths)


def _all_planned(
    standards: Sequence[Standard], masters: Path, words: Mapping[str, str]
) -> dict[str, list[PlannedPrompt]]:
    planned = _collected(lambda standard: planned_prompts(standard, words), standards)
    pieces = planned_pieces(masters / PIECES_NAME, words)
    by_book = {standard.id: wanted for standard, wanted in zip(standards, planned, strict=True)}
    return {**by_book, PIECES: pieces} if pieces else by_book


def _collected(read: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results of all items, or one error with the problems of all of them."""
    results: list[Result] = []
    problems: list[Problem] = []
    for item in items:
        try:
            results.append(read(item))
        except FlowError as error:
            problems += error.problems
    if problems:
        raise FlowError(problems)
    return results


def _check_names(given: _Given, standards: Sequence[Standard]) -> None:
    names = {name for standard in standards for phrase in standard.phrases.values() for name in phrase.placeholders}
    for name in given:
        if name not in names:
            raise click.BadParameter(f"no phrase has a place for '{name}'; {did_you_mean(name, names)}")
    for standard in standards:
        for name, placeholder in standard.placeholders.items():
            for value in given.get(name, ()):
                if placeholder.values and value not in placeholder.values:
                    raise click.BadParameter(f"'{value}' is no value of '{name}': {', '.join(placeholder.values)}")


def _ahead(standard: Standard, given: _Given, words: Mapping[str, str], ahead: Path) -> list[PlannedPrompt]:
    """What was rendered ahead before, with today's wording, and what is asked for now."""
    before = (planned_again(standard, entry.key, entry.pairs, words) for entry in read_index(ahead / standard.id))
    wanted = [*filter(None, before), *planned_ahead(standard, given, words)]
    return list({(prompt.key, prompt.values): prompt for prompt in wanted}.values())


# ── what list and play need ───────────────────────────────────────────────────────────────────────────────────────────


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    variant: str
    values: dict[str, str]
    voice: str
    spoken_by: str | None
    state: State
    duration_ms: int | None
    formats: list[str]
    sound: str | None
    text: str


def _rows(
    planned: Sequence[PlannedPrompt], index: PromptIndex, lacking: Mapping[str, Sequence[str]], voice: str
) -> list[_Row]:
    """What there is in a voice, and what there should be; a further voice does not repeat what people recorded."""
    there = index.spoken_by(voice)
    outdated = {(prompt.key, prompt.values) for prompt in index.outdated(planned, voice)}
    rows = [
        _Row(
            key=prompt.key,
            variant=prompt.variant,
            values=dict(prompt.values),
            voice=voice,
            spoken_by=None,
            state="missing",
            duration_ms=None,
            formats=[],
            sound=None,
            text=prompt.text,
        )
        for prompt in planned
        if (prompt.key, prompt.values) not in there
    ]
    rows += [
        _Row(
            key=entry.key,
            variant=entry.variant,
            values=entry.values,
            voice=RECORDED if entry.by_person else entry.voice.removeprefix(f"{KOKORO}/"),
            spoken_by=entry.voice,
            state="outdated" if wording in outdated else "ready",
            duration_ms=entry.duration_ms,
            formats=[name for name in BYTES_PER_SECOND if name not in lacking.get(entry.sound, ())],
            sound=entry.sound,
            text=entry.text,
        )
        for wording, entry in there.items()
        if voice == DEFAULT_VOICE or not entry.by_person
    ]
    return sorted(rows, key=lambda row: (row.key, row.variant, sorted(row.values.items())))


def _master_of(entry: PromptEntry, roots: Sequence[Path]) -> Path:
    for root in roots:
        path = root / entry.folder / entry.file
        if path.exists():
            return path
    raise SettingsError(f"the recording {entry.file} is missing; run: ivrflow prompts build")


def _write_wav(master: Path, wav: Path) -> None:
    try:
        soundfile.write(wav, pcm16(read_master(master)), MASTER_RATE, format="WAV", subtype="PCM_16")
    except (OSError, soundfile.LibsndfileError) as error:
        raise SettingsError(f"{wav} could not be written: {error}") from error
