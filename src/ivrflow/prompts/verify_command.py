"""`ivrflow prompts verify`: is every recording understood, equally loud, unclipped, and without dead air?"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import click
import msgspec
import soundfile
from rich.console import Console
from rich.table import Table

from ivrflow.flow.model import DEFAULT_VOICE
from ivrflow.flow.problems import did_you_mean
from ivrflow.prompts.hearings import Hearing, hearings, master_hashes
from ivrflow.prompts.index import PromptEntry, PromptIndex
from ivrflow.prompts.options import masters_option, problems_reported
from ivrflow.prompts.progress import Report, shown
from ivrflow.prompts.recogniser import RECOGNISER, packaged_recogniser
from ivrflow.prompts.soundness import Sound, measured
from ivrflow.prompts.verification import (
    Figures,
    Judged,
    Understood,
    faults,
    figures,
    figures_of_phrases,
    judge,
    listen,
    read_verification,
    write_verification,
)
from ivrflow.prompts.verification_notes import read_notes
from ivrflow.prompts.verification_page import write_page
from ivrflow.settings import SettingsError

Form: TypeAlias = Literal["table", "json", "csv"]

_WORST = 10
_MOST_SHOWN = 30
_WIDE = 200
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("standards", nargs=-1, metavar="[STANDARD]...")
@masters_option
@click.option("--voice", help=f"Only what this voice speaks, for example {DEFAULT_VOICE}.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Hear only N of those that were not heard yet.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="processor cores",
    help="Recordings heard at the same time.",
)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page on which the worst can be listened to first.")
@click.option(
    "--report", "written", type=_FILE, metavar="FILE", help="Write the figures of every phrase: .json or .csv."
)
def verify(
    standards: Sequence[str],
    masters: Path,
    voice: str | None,
    sample: int | None,
    jobs: int,
    form: Form,
    html: Path | None,
    written: Path | None,
) -> None:
    """Measure every recording and have a speech recogniser write down what it understands.

    \b
    Of every STANDARD (of all without one), in every voice:
      sound    length, loudness, peak, silence at both ends
      words    what an offline recogniser understands, and its error rate against the wording: in characters,
               and by sound (characters that sound the same are no errors)

    What was understood is kept in MASTERS/verification.json; only recordings that changed are heard again, and a run that
    was stopped goes on where it ended. A reason in MASTERS/verification-notes.yaml excuses a rate above 20 %.

    Hearing needs the recogniser (pip install 'ivrflow[asr]') and one to two seconds of work for each recording.

    Exit codes: 0 fine; 1 a mean above 5 %, a phrase above 20 % without a note, unsound or never heard recordings;
    2 could not run.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if written is not None and written.suffix.lower() not in {".json", ".csv"}:
        raise click.BadParameter("the name ends in .json or .csv", param_hint="--report")
    with problems_reported():
        index = PromptIndex.load(masters)
        everything = list(index.everything)
        wanted = _chosen(hearings(everything), standards, voice)
        notes = read_notes(masters)
        with shown("sound") as report:
            sounds = _measured(masters, [entry for one in wanted for entry in one.judged], report)
        hashes = _hashes(masters, everything)
        known = read_verification(masters)
        all_hashes = {one.hash(hashes) for one in hearings(everything)}
        known = {hash_: one for hash_, one in known.items() if hash_ in all_hashes and one.recogniser == RECOGNISER}
        pending = [(one, hash_) for one in wanted if (hash_ := one.hash(hashes)) not in known]
        if sample is not None:
            pending = _spread(pending, sample)
        if pending:
            _hear(pending, masters, known, jobs)
    judged = judge(wanted, hashes, known, notes)
    found = list(faults(judged, sounds, sampled=sample is not None))
    for warning in notes.unused(hearings(everything)):
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    rows = [_row(one, sounds) for one in sorted(judged, key=lambda one: -one.rate)]
    by_book = [
        figures(book, [one for one in judged if one.hearing.book == book])
        for book in sorted({one.hearing.book for one in judged})
    ]
    whole = figures_of_phrases(judged)
    with problems_reported():
        if written is not None:
            _write(written, _encoded(rows, "csv" if written.suffix.lower() == ".csv" else "json"))
        if html is not None:
            try:
                write_page(html, masters, judged, sounds, [*by_book, whole], found)
            except OSError as error:
                raise SettingsError(f"{html} cannot be written: {error.strerror}") from error
    if form == "table":
        _print_table([*by_book, whole], judged, sounds)
    else:
        click.echo(_encoded(rows, form), nl=False)
    for fault in found[:_MOST_SHOWN]:
        click.secho(fault, fg="red", err=form != "table")
    if len(found) > _MOST_SHOWN:
        click.secho(f"and {len(found) - _MOST_SHOWN} more", fg="red", err=form != "table")
    if found:
        raise SystemExit(1)


# ── what there is, and hearing it ─────────────────────────────────────────────────────────────────────────────────────


def _chosen(every: Sequence[Hearing], standards: Sequence[str], voice: str | None) -> list[Hearing]:
    if not every:
        raise SettingsError("there are no recordings here; run: ivrflow prompts build")
    books = {one.book for one in every}
    for name in standards:
        if name not in books:
            raise click.BadParameter(f"nothing of '{name}' is recorded; {did_you_mean(name, books)}")
    voices = {one.judged[0].speaker or DEFAULT_VOICE for one in every}
    if voice is not None and voice not in voices:
        raise click.BadParameter(f"nothing is spoken by '{voice}'; {did_you_mean(voice, voices)}", param_hint="--voice")
    return [
        one
        for one in every
        if (not standards or one.book in standards) and voice in {None, one.judged[0].speaker or DEFAULT_VOICE}
    ]


def _measured(masters: Path, entries: Sequence[PromptEntry], report: Report) -> dict[str, Sound]:
    sounds: dict[str, Sound] = {}
    for done, entry in enumerate(entries, start=1):
        path = masters / entry.folder / entry.file
        try:
            sounds[entry.sound] = measured(path, is_part=entry.variant == "part")
        except (OSError, ValueError, soundfile.LibsndfileError) as error:
            raise SettingsError(
                f"the recording {path} is missing or damaged ({error}); delete it and run: ivrflow prompts build"
            ) from error
        report(done, len(entries), entry.stem)
    return sounds


def _hashes(masters: Path, entries: Iterable[PromptEntry]) -> dict[str, str]:
    try:
        return master_hashes(masters, entries)
    except OSError as error:
        raise SettingsError(f"the recording {error.filename} is missing; run: ivrflow prompts build") from error


def _spread(pending: Sequence[tuple[Hearing, str]], number: int) -> list[tuple[Hearing, str]]:
    """As many of them, evenly out of all."""
    if number >= len(pending):
        return list(pending)
    return [pending[place * len(pending) // number] for place in range(number)]


class _CouldNotRun(click.ClickException):
    exit_code = 2


def _hear(pending: Sequence[tuple[Hearing, str]], masters: Path, known: dict[str, Understood], jobs: int) -> None:
    try:
        recognise = packaged_recogniser(jobs)
    except SettingsError as error:
        raise _CouldNotRun(str(error)) from error

    def keep(fresh: Sequence[Understood]) -> None:
        known.update((one.hash, one) for one in fresh)
        write_verification(masters, known.values())

    try:
        with shown("hearing") as report:
            listen(pending, masters, recognise, keep, jobs, report)
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        raise SystemExit(130) from None


# ── telling it ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    phrase: str
    standard: str
    voice: str
    files: list[str]
    rate: float | None
    character_error_rate: float | None
    sound_error_rate: float | None
    said: str
    heard: str | None
    note: str
    seconds: float
    level_db: list[float]
    peak: float
    leading_ms: int
    trailing_ms: int
    fault: str


def _row(one: Judged, sounds: dict[str, Sound]) -> _Row:
    mine = [sounds[entry.sound] for entry in one.hearing.judged]
    understood = one.understood
    return _Row(
        phrase=one.hearing.name,
        standard=one.hearing.book,
        voice=one.hearing.judged[0].speaker or DEFAULT_VOICE,
        files=[f"{entry.folder}/{entry.file}" for entry in one.hearing.judged],
        rate=round(one.rate, 4) if understood else None,
        character_error_rate=round(understood.rate, 4) if understood else None,
        sound_error_rate=round(understood.sound_rate, 4) if understood else None,
        said=one.hearing.said,
        heard=understood.heard if understood else None,
        note=one.excuse or one.homophones,
        seconds=round(sum(sound.seconds for sound in mine), 2),
        level_db=[sound.level_db for sound in mine],
        peak=max(sound.peak for sound in mine),
        leading_ms=max(sound.leading_ms for sound in mine),
        trailing_ms=max(sound.trailing_ms for sound in mine),
        fault=one.fault,
    )


def _encoded(rows: Sequence[_Row], form: Literal["json", "csv"]) -> str:
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_Row.__struct_fields__)
    for row in rows:
        writer.writerow(
            " ".join(map(str, value)) if isinstance(value, list) else value for value in msgspec.structs.astuple(row)
        )
    return text.getvalue()


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error


def _print_table(counted: Sequence[Figures], judged: Sequence[Judged], sounds: dict[str, Sound]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("standard")
    for heading in ("heard", "of", "mean", "in characters", "by sound", "of all characters", "over 20 %"):
        table.add_column(heading, justify="right")
    for one in counted:
        means = (one.mean, one.mean_characters, one.mean_sound, one.pooled)
        told = [f"{mean:.1%}" if one.heard else "–" for mean in means]
        table.add_row(one.name, str(one.heard), str(one.phrases), *told, str(one.high))
    console.print(table)
    levels = [sound.level_db for sound in sounds.values()]
    click.echo(
        f"\nsound of {len(sounds)}: {min(levels):.1f} to {max(levels):.1f} dBov ({max(levels) - min(levels):.1f} dB apart), "
        f"loudest peak {max(sound.peak for sound in sounds.values()):.2f}, most silence at an end "
        f"{max(max(sound.leading_ms, sound.trailing_ms) for sound in sounds.values())} ms"
    )
    misheard = [(one, one.understood) for one in judged if one.understood is not None and one.rate]
    if misheard:
        click.echo("\nworst understood:")
    for phrase, understood in sorted(misheard, key=lambda pair: -pair[0].rate)[:_WORST]:
        note = phrase.excuse or phrase.homophones
        click.echo(
            f"  {phrase.rate:6.1%}  {phrase.hearing.name}: “{phrase.hearing.said}” as “{understood.heard}”"
            + (f" (note: {note})" if note else "")
        )
