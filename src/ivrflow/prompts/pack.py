"""What a build makes: for every standard, and every voice its flows ask for, the prompts that should be there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivrflow.flow.compiling.glances import is_flow, standards_named, voice_named
from ivrflow.flow.model import DEFAULT_VOICE, Standard
from ivrflow.flow.problems import FlowError, Problem, ProblemList, did_you_mean
from ivrflow.flow.speaking.composing import WordingKey, segment_key
from ivrflow.flow.speaking.spoken_values import SpokenAs
from ivrflow.flow_files import ENDINGS, check_paths, read_text
from ivrflow.prompts.casting import Casting, stopgap_of
from ivrflow.prompts.human_recordings import recordings
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.pieces import planned_pieces
from ivrflow.prompts.progress import Report
from ivrflow.prompts.renderer import RenderReport, render_masters
from ivrflow.prompts.voices import VOICE_NAMES, Engine, Voices
from ivrflow.prompts.wording import PlannedPrompt, parts_of
from ivrflow.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Portion:
    """The prompts of one standard in one voice.

    Attributes:
        root: the folder of masters they belong into.
        book: the standard, or the pieces all standards share.
        voice: who speaks.
        planned: what should be there.
    """

    root: Path
    book: str
    voice: str
    planned: Sequence[PlannedPrompt]

    @property
    def speaker(self) -> str:
        """Empty for the default voice, as in the index."""
        return "" if self.voice == DEFAULT_VOICE else self.voice


@dataclass(frozen=True, slots=True)
class Wanted:
    """What flows want spoken in another voice than the default one.

    Attributes:
        books: the standards and phrase files they name.
        parts: the parts of those phrases with values that they say; None for all there are.
    """

    books: frozenset[str] = frozenset()
    parts: frozenset[WordingKey] | None = frozenset()

    def includes(self, prompt: PlannedPrompt) -> bool:
        """Whether the prompt is wanted in that voice."""
        if prompt.variant == "part":
            return self.parts is None or (prompt.key, prompt.values) in self.parts
        return prompt.standard in self.books

    def __or__(self, other: Wanted) -> Wanted:
        parts = None if self.parts is None or other.parts is None else self.parts | other.parts
        return Wanted(self.books | other.books, parts)


def voices_wanted(flows: Path, standards: Sequence[Standard], pieces: Path) -> dict[str, Wanted]:
    """What flows want spoken in another voice than the default one, by voice.

    Whatever else is wrong with a flow makes no difference.

    Args:
        flows: the folder with the flows.
        standards: the standards and phrase files there are.
        pieces: the file of pieces.

    Raises:
        FlowError: a voice there is not, or something is wrong with the file of pieces.
    """
    wanted: dict[str, Wanted] = {}
    problems: list[Problem] = []
    for path in sorted(path for path in flows.glob("*") if path.suffix in ENDINGS and not path.name.startswith(".")):
        text = read_text(path, ProblemList())
        if text is None or not is_flow(text, str(path)):
            continue
        voice = voice_named(text, str(path))
        if voice.text not in VOICE_NAMES:
            hint = did_you_mean(voice.text, VOICE_NAMES)
            problems.append(Problem(voice.where, f"there is no voice '{voice.text}'", hint))
        elif voice.text != DEFAULT_VOICE:
            said = check_paths([path]).said.get(str(path), frozenset())
            mine = Wanted(frozenset(standards_named(text, str(path))), _parts(said, standards, pieces))
            wanted[voice.text] = wanted.get(voice.text, Wanted()) | mine
    if problems:
        raise FlowError(problems)
    return wanted


def _parts(said: Collection[str], standards: Iterable[Standard], pieces: Path) -> frozenset[WordingKey]:
    """The segments of these phrases, and the pieces that their values can be made of."""
    parts: set[WordingKey] = set()
    ways: set[SpokenAs] = set()
    for standard in standards:
        for phrase in standard.phrases.values():
            if phrase.key in said and (segments := parts_of(phrase, standard)):
                parts.update(segment_key(standard.id, words) for words in segments)
                ways.update(way for name, way in phrase.spoken_as.items() if not standard.placeholders[name].values)
    parts.update((piece.key, piece.values) for piece in planned_pieces(pieces, {}, ways))
    return frozenset(parts)


def portions(root: Path, planned: Mapping[str, Sequence[PlannedPrompt]], wanted: Mapping[str, Wanted]) -> list[Portion]:
    """Everything in the default voice, then what further voices shall speak.

    Args:
        root: the folder of masters.
        planned: the prompts by standard.
        wanted: what is wanted by further voice.
    """
    whole = [Portion(root, book, DEFAULT_VOICE, prompts) for book, prompts in planned.items()]
    for voice, mine in wanted.items():
        for book, prompts in planned.items():
            chosen = [prompt for prompt in prompts if mine.includes(prompt)]
            if chosen or book in mine.books:
                whole.append(Portion(root, book, voice, chosen))
    return whole


class Build:
    """Renders portions; `warnings` and `filled` tell afterwards what people should know.

    Args:
        masters: the folder of masters with what people recorded.
        portions: what to make.
        voices: gives a voice by its name.
        engine: who speaks; another one than Kokoro only fills gaps.

    Raises:
        SettingsError: two recordings of one prompt.
    """

    def __init__(self, masters: Path, portions: Sequence[Portion], voices: Voices, engine: Engine = "kokoro") -> None:
        self._portions = portions
        self._voices = voices
        self._stopgap = stopgap_of(engine)
        every = [prompt for portion in portions if not portion.speaker for prompt in portion.planned]
        self._recordings, self.warnings = recordings(masters, every)
        self.filled: list[PlannedPrompt] = []

    def check(self) -> None:
        """Whether all that must be spoken can be.

        Raises `SettingsError` with what to install.
        """
        lacking: dict[str, list[PlannedPrompt]] = {}
        indexes = {root: PromptIndex.load(root) for root in {portion.root for portion in self._portions}}
        for portion in self._portions:
            casting, prompts = self._cast(portion)
            index = indexes[portion.root]
            there = index.voices.get(portion.speaker, {}) if portion.speaker else index.entries
            for prompt in prompts:
                known = there.get((prompt.key, prompt.values))
                voice = casting(prompt, known)
                if voice is None or (known is not None and known.digest == prompt.digest(voice.name)):
                    continue
                if missing := voice.missing():
                    lacking.setdefault(missing, []).append(prompt)
        if lacking:
            raise SettingsError(
                *(
                    f"{len(prompts)} wordings have no recording that fits (the first: {prompts[0].key}, "
                    f"{prompts[0].where}); {missing}"
                    for missing, prompts in lacking.items()
                )
            )

    def render(self, report: Report) -> list[RenderReport]:
        """Make every portion; what was done, one for each.

        Raises `SettingsError` when a voice cannot speak or a folder cannot be written to.
        """
        reports: list[RenderReport] = []
        for portion in self._portions:
            casting, prompts = self._cast(portion)
            reports.append(render_masters(prompts, casting, portion.root, portion.book, report, portion.speaker))
            self.warnings += casting.stale
            self.filled += casting.filled
        return reports

    def _cast(self, portion: Portion) -> tuple[Casting, list[PlannedPrompt]]:
        """Who speaks, and what: a further voice leaves out what people recorded, which its flows hear anyway."""
        casting = Casting(self._voices, portion.voice, self._recordings, self._stopgap)
        if not portion.speaker:
            return casting, list(portion.planned)
        return casting, [one for one in portion.planned if (one.key, one.values) not in self._recordings]
