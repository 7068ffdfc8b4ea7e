"""What the recogniser understood of every prompt: kept in a file, heard again only where a recording changed, and judged."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import msgspec
import soxr

from ivrflow.flow.speaking.composing import PIECES
from ivrflow.prompts.closeness import difference, error_rate, knows_sounds
from ivrflow.prompts.hearings import Hearing
from ivrflow.prompts.progress import Report, unreported
from ivrflow.prompts.recogniser import RECOGNISER, RECOGNISER_RATE, Recognise
from ivrflow.prompts.renderer import MASTER_RATE
from ivrflow.prompts.soundness import Sound
from ivrflow.prompts.verification_notes import Notes
from ivrflow.settings import SettingsError

VERIFICATION_NAME = "verification.json"

MOST_MEAN = 0.05
"""Character error rate that the mean over all may have."""

MOST_RATE = 0.20
"""Character error rate that a phrase may have without a note."""

_SAVE_EVERY = 20


class Understood(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a recogniser made of one hearing.

    Attributes:
        name: of the hearing, for people.
        hash: of the masters and words; of another hash it says nothing.
        recogniser: which one.
        said: what is judged, as it is read aloud.
        heard: what was understood.
        before, after: what was said around it.
        length: characters judged.
        errors: of them, as they are written.
        sound_errors: the same by sound, which takes a package to find out: hence it is kept.
    """

    name: str
    hash: str
    recogniser: str
    said: str
    heard: str
    length: int
    errors: int
    sound_errors: int
    before: str = ""
    after: str = ""

    @property
    def rate(self) -> float:
        """Character error rate, homophones counted as errors."""
        return error_rate(self.errors, self.length)

    @property
    def sound_rate(self) -> float:
        """Error rate by sound."""
        return error_rate(self.sound_errors, self.length)

    def counted(self) -> Understood:
        """The same, its errors counted by today's rules."""
        found = difference(self.heard, self.said, self.before, self.after)
        by_sound = found.sound_errors if knows_sounds() else self.sound_errors
        return msgspec.structs.replace(self, length=found.length, errors=found.errors, sound_errors=by_sound)


class _File(msgspec.Struct, frozen=True, kw_only=True):
    understood: list[Understood]


def read_verification(masters: Path) -> dict[str, Understood]:
    """What was understood before, by hash; nothing when nobody listened yet.

    Raises `SettingsError` when the file is damaged.
    """
    path = masters / VERIFICATION_NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File).understood
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is damaged ({error}); delete it and run: ivrflow prompts verify") from error
    return {one.hash: one for one in found}


def write_verification(masters: Path, understood: Iterable[Understood]) -> None:
    """Replace the file in one step, sorted and one field a line; a file that is right already is not touched.

    Raises `SettingsError` when it cannot be written.
    """
    ordered = sorted(understood, key=lambda one: (one.name, one.hash))
    content = msgspec.json.format(msgspec.json.encode(_File(understood=ordered)), indent=1) + b"\n"
    path = masters / VERIFICATION_NAME
    new = masters / f".{VERIFICATION_NAME}.new"
    try:
        if path.exists() and path.read_bytes() == content:
            return
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)


def listen(
    pending: Sequence[tuple[Hearing, str]],
    masters: Path,
    recognise: Recognise,
    keep: Callable[[Sequence[Understood]], None],
    at_once: int = 1,
    report: Report = unreported,
) -> None:
    """Hear what is pending.

    Args:
        pending: hearings with their hash.
        masters: the folder of masters.
        recognise: the recogniser.
        keep: given what was understood, now and then and at the end, also when the work is stopped half-way.
        at_once: hearings at the same time.
        report: told how far it is.
    """

    def hear(hearing: Hearing, hash_: str) -> Understood:
        sound = soxr.resample(hearing.sound(masters), MASTER_RATE, RECOGNISER_RATE).astype("float32")
        return Understood(
            name=hearing.name,
            hash=hash_,
            recogniser=RECOGNISER,
            said=hearing.said,
            heard=recognise(sound, hearing.language).strip(),
            before=hearing.said_before,
            after=hearing.said_after,
            length=0,
            errors=0,
            sound_errors=0,
        ).counted()

    fresh: list[Understood] = []
    waiting = list(reversed(pending))
    running: set[Future[Understood]] = set()
    done = 0
    with ThreadPoolExecutor(at_once) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.add(pool.submit(hear, *waiting.pop()))
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                for one in ready:
                    fresh.append(one.result())
                    done += 1
                    report(done, len(pending), fresh[-1].name)
                if len(fresh) >= _SAVE_EVERY:
                    keep(fresh)
                    fresh = []
        finally:
            keep(fresh)


# ── judging ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Judged:
    """A hearing, what was understood of it, and what the notes say.

    Attributes:
        hearing: what was to be heard.
        understood: None when nobody heard it.
        excuse: the note that excuses a high rate; empty without one.
        homophones: the note that lets it be judged by sound; empty without one.
    """

    hearing: Hearing
    understood: Understood | None
    excuse: str = ""
    homophones: str = ""

    @property
    def rate(self) -> float:
        """The rate that counts: in characters, or by sound where a note says so. 1 when nobody heard it."""
        if self.understood is None:
            return 1.0
        return self.understood.sound_rate if self.homophones else self.understood.rate

    @property
    def fault(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if self.understood is None:
            return "was never heard"
        if self.rate > MOST_RATE and not self.excuse:
            return f"is understood as “{self.understood.heard}”: {self.rate:.0%} of its characters are others"
        return ""


def judge(
    hearings: Iterable[Hearing], hashes: Mapping[str, str], known: Mapping[str, Understood], notes: Notes
) -> list[Judged]:
    """Every hearing with what is known of it."""
    return [
        Judged(
            one,
            understood.counted() if (understood := known.get(one.hash(hashes))) is not None else None,
            notes.excuse(one),
            notes.homophones(one),
        )
        for one in hearings
    ]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one standard or of all.

    Attributes:
        name: the standard.
        phrases: hearings.
        heard: those of them that were heard.
        mean, mean_characters, mean_sound: means over what was heard, of the rate that counts, in characters, and by
            sound; 0 when nothing was heard.
        pooled: errors in characters by all characters there are, so that a phrase weighs as much as it is long.
        high: hearings whose rate is above `MOST_RATE`, excused or not.
    """

    name: str
    phrases: int
    heard: int
    mean: float
    mean_characters: float
    mean_sound: float
    pooled: float
    high: int


def figures(name: str, judged: Sequence[Judged]) -> Figures:
    """Count."""
    heard = [(one.rate, one.understood) for one in judged if one.understood is not None]
    return Figures(
        name,
        len(judged),
        len(heard),
        _mean(rate for rate, _ in heard),
        _mean(understood.rate for _, understood in heard),
        _mean(understood.sound_rate for _, understood in heard),
        error_rate(sum(one.errors for _, one in heard), sum(one.length for _, one in heard)),
        sum(rate > MOST_RATE for rate, _ in heard),
    )


def figures_of_phrases(judged: Iterable[Judged]) -> Figures:
    """Of all phrases and segments of phrases.

    Pieces of values are left out: a family name of one character is understood or not, by chance of the characters there
    are for it, and says nothing about how well a sentence is.
    """
    return figures("all phrases", [one for one in judged if one.hearing.book != PIECES])


def _mean(rates: Iterable[float]) -> float:
    known = list(rates)
    return statistics.fmean(known) if known else 0.0


def faults(judged: Sequence[Judged], sounds: Mapping[str, Sound], *, sampled: bool = False) -> Iterator[str]:
    """Everything that keeps the pack from being good, each a sentence.

    Args:
        judged: what was to be heard.
        sounds: what was measured, by `PromptEntry.sound`.
        sampled: whether nobody meant to hear all of it.
    """
    for name, sound in sounds.items():
        yield from (f"{name} {fault}" for fault in sound.faults)
    silent = [one.hearing.name for one in judged if one.understood is None]
    if silent and not sampled:
        yield f"{len(silent)} were never heard (the first: {silent[0]})"
    for one in judged:
        if one.understood is not None and one.fault:
            yield f"{one.hearing.name} {one.fault}; mend it or note why it is right"
    whole = figures_of_phrases(judged)
    if whole.mean > MOST_MEAN:
        yield f"the mean error rate is {whole.mean:.1%}; {MOST_MEAN:.0%} is the most"
