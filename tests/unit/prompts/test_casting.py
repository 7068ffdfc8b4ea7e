from collections.abc import Mapping
from pathlib import Path

import pytest
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.flow.speaking.composing import WordingKey
from ivrflow.prompts.casting import Casting, stopgap_of
from ivrflow.prompts.human_recordings import Recording
from ivrflow.prompts.index import PromptEntry
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_prompts

_TEXT = STANDARD.replace('greet: {text: "您好！"}', 'greet: {text: "您好！"}\n  hello: {text: "Good morning"}')


@pytest.fixture
def planned(tmp_path: Path) -> dict[str, PlannedPrompt]:
    prompts = planned_prompts(load_standard(standards_folder(tmp_path, _TEXT) / "demo.yaml"), {})
    return {prompt.stem: prompt for prompt in prompts}


def _voice(name: str) -> ToneVoice:
    return ToneVoice(f"tones/{name}")


def _absent(name: str) -> ToneVoice:
    return ToneVoice(f"tones/{name}", missing="" if name == "espeak_ng" else "install it")


def _known(prompt: PlannedPrompt, voice: str, text: str | None = None) -> PromptEntry:
    return PromptEntry(
        key=prompt.key,
        variant=prompt.variant,
        values=dict(prompt.values),
        text=prompt.text if text is None else text,
        spoken=prompt.spoken,
        voice=voice,
        digest=prompt.digest(voice) if text is None else "of other words",
        file=f"{prompt.stem}.opus",
        duration_ms=1000,
        leading_ms=50,
        trailing_ms=50,
        loudest_frame=1000,
    )


def _recorded(prompt: PlannedPrompt) -> Mapping[WordingKey, Recording]:
    return {(prompt.key, prompt.values): Recording(Path("recorded/demo/greet.wav"), "recorded/1")}


def _name(casting: Casting, prompt: PlannedPrompt, known: PromptEntry | None = None) -> str | None:
    voice = casting(prompt, known)
    return voice.name if voice else None


def test_mandarin_and_english_have_their_voices(planned: dict[str, PlannedPrompt]) -> None:
    assert _name(Casting(_voice, "zf_xiaobei"), planned["greet"]) == "tones/zf_xiaobei"
    assert _name(Casting(_voice, "zf_xiaobei"), planned["hello"]) == "tones/af_heart"
    assert _name(Casting(_voice, "zm_yunxi"), planned["hello"]) == "tones/am_michael"


def test_what_fits_is_left_alone(planned: dict[str, PlannedPrompt]) -> None:
    greet = planned["greet"]
    assert _name(Casting(_voice, "zf_xiaobei"), greet, _known(greet, "tones/zf_xiaobei")) is None


def test_a_stopgap_speaks_what_is_missing_and_nothing_else(planned: dict[str, PlannedPrompt]) -> None:
    casting = Casting(_voice, "zf_xiaobei", stopgap=stopgap_of("espeak-ng"))
    greet = planned["greet"]
    assert _name(casting, greet) == "tones/espeak_ng"
    assert _name(casting, greet, _known(greet, "tones/zf_xiaobei", "早上好！")) == "tones/espeak_ng"
    assert _name(casting, greet, _known(greet, "tones/zf_xiaobei")) is None
    assert [prompt.stem for prompt in casting.filled] == ["greet", "greet"]


def test_the_voice_takes_over_from_a_stopgap_where_it_can(planned: dict[str, PlannedPrompt]) -> None:
    greet = planned["greet"]
    filled = _known(greet, "espeak-ng/cmn")
    assert _name(Casting(_voice, "zf_xiaobei"), greet, filled) == "tones/zf_xiaobei"
    assert _name(Casting(_absent, "zf_xiaobei"), greet, filled) is None, "what fits is kept where it cannot speak"


def test_a_person_wins_over_every_voice(planned: dict[str, PlannedPrompt]) -> None:
    greet = planned["greet"]
    casting = Casting(_voice, "zf_xiaobei", _recorded(greet))
    assert _name(casting, greet) == "recorded/1"
    assert _name(casting, greet, _known(greet, "tones/zf_xiaobei")) == "recorded/1"
    assert _name(casting, planned["hello"]) == "tones/af_heart"
    assert _name(Casting(_voice, "zf_xiaobei"), greet, _known(greet, "recorded/1")) == "tones/zf_xiaobei", (
        "file deleted"
    )


def test_a_recording_of_other_words_is_not_taken_for_the_new_ones(planned: dict[str, PlannedPrompt]) -> None:
    greet = planned["greet"]
    casting = Casting(_voice, "zf_xiaobei", _recorded(greet))
    assert _name(casting, greet, _known(greet, "recorded/1", "早上好！")) is None
    assert len(casting.stale) == 1
    assert "greet.wav says “早上好！”" in casting.stale[0]
    assert "has “您好！” by now: record it again, or delete the file" in casting.stale[0]
    assert _name(casting, greet, _known(greet, "recorded/0", "早上好！")) == "recorded/1", "another file"
    assert _name(casting, greet, _known(greet, "recorded/1", "您好。")) == "recorded/1", "the same words"
