from pathlib import Path

import numpy as np
import pytest
import soundfile
from tone_voice import silence, standards_folder, tone

from ivrflow.prompts.human_recordings import Recording, is_recorded, recorded_names, recordings
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_prompts
from ivrflow.settings import SettingsError


@pytest.fixture
def planned(tmp_path: Path) -> list[PlannedPrompt]:
    return planned_prompts(load_standard(standards_folder(tmp_path) / "demo.yaml"), {})


def _record(masters: Path, name: str, samples: np.ndarray | None = None, rate: int = 44100) -> Path:
    path = masters / "recorded" / "demo" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    spoken = tone(0.5, rate=rate) if samples is None else samples
    if path.suffix == ".opus":
        soundfile.write(path, tone(0.5, rate=48000), 48000, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, spoken, rate)
    return path


def test_a_file_is_named_after_the_phrase_and_its_values(planned: list[PlannedPrompt]) -> None:
    names = {name for prompt in planned for name in recorded_names(prompt)[:1]}
    assert names == {"greet", "reply-without", "reply-先生", "reply-女士", "number-without", "both-without"}


@pytest.mark.parametrize("ending", ["wav", "flac", "opus", "WAV"])
def test_it_may_have_any_common_format(tmp_path: Path, planned: list[PlannedPrompt], ending: str) -> None:
    path = _record(tmp_path, f"reply-女士.{ending}")
    found, warnings = recordings(tmp_path, planned)
    assert warnings == []
    recording = found["demo/reply", (("honorific", "女士"),)]
    assert recording.path == path
    assert is_recorded(recording.name)
    samples, rate = recording.render("", {})
    assert len(samples) / rate == pytest.approx(0.5, abs=0.02)


def test_another_file_is_another_voice(tmp_path: Path, planned: list[PlannedPrompt]) -> None:
    _record(tmp_path, "greet.wav")
    first = recordings(tmp_path, planned)[0]["demo/greet", ()].name
    assert recordings(tmp_path, planned)[0]["demo/greet", ()].name == first
    _record(tmp_path, "greet.wav", tone(0.6))
    assert recordings(tmp_path, planned)[0]["demo/greet", ()].name != first


def test_stereo_becomes_mono(tmp_path: Path) -> None:
    sides = np.stack([tone(0.5, amplitude=0.4), silence(0.5)], axis=1)
    samples, rate = Recording(_record(tmp_path, "greet.wav", sides, 24000), "").render("", {})
    assert (samples.shape, rate) == ((12000,), 24000)
    assert float(np.abs(samples).max()) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("gret.wav", "no prompt of demo is called 'gret'; did you mean 'greet'?"),
        ("../nowhere/greet.wav", "there is no standard 'nowhere'"),
        ("reply.wav", "no prompt of demo is called 'reply'"),
    ],
)
def test_a_file_that_says_nothing_is_told(
    tmp_path: Path, planned: list[PlannedPrompt], name: str, warning: str
) -> None:
    (tmp_path / "recorded" / "nowhere").mkdir(parents=True)
    _record(tmp_path, name)
    found, warnings = recordings(tmp_path, planned)
    assert found == {}
    assert len(warnings) == 1
    assert warning in warnings[0]


def test_notes_beside_recordings_are_told_and_hidden_files_are_not(
    tmp_path: Path, planned: list[PlannedPrompt]
) -> None:
    path = _record(tmp_path, "greet.wav")
    (path.parent / "greet.txt").write_text("您好")
    (path.parent / ".gitkeep").write_text("")
    warnings = recordings(tmp_path, planned)[1]
    assert len(warnings) == 1
    assert "greet.txt is not used: recordings end in .wav" in warnings[0]


def test_two_files_of_one_prompt_are_refused(tmp_path: Path, planned: list[PlannedPrompt]) -> None:
    _record(tmp_path, "greet.wav")
    _record(tmp_path, "greet.flac")
    with pytest.raises(SettingsError, match="are the same prompt; delete one of them"):
        recordings(tmp_path, planned)


def test_what_cannot_be_heard_is_refused(tmp_path: Path) -> None:
    path = _record(tmp_path, "greet.wav", silence(1.0))
    with pytest.raises(SettingsError, match="is silent"):
        Recording(path, "").render("", {})
    path.write_bytes(b"RIFF")
    with pytest.raises(SettingsError, match="cannot be read as sound"):
        Recording(path, "").render("", {})
