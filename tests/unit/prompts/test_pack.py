from pathlib import Path

import pytest
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.flow.problems import FlowError
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.pack import Build, Portion, portions, voices_wanted
from ivrflow.prompts.progress import unreported
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_prompts
from ivrflow.settings import SettingsError


def _flow(folder: Path, name: str, *lines: str) -> None:
    (folder / f"{name}.yaml").write_text("\n".join((f"flow: {name}", "standard: demo", *lines)), encoding="utf-8")


def _voice(name: str) -> ToneVoice:
    return ToneVoice(f"tones/{name}")


@pytest.fixture
def planned(tmp_path: Path) -> list[PlannedPrompt]:
    return planned_prompts(load_standard(standards_folder(tmp_path) / "demo.yaml"), {})


def test_flows_say_which_standards_are_wanted_in_which_voice(tmp_path: Path) -> None:
    _flow(tmp_path, "plain")
    _flow(tmp_path, "default", "voice: zf_xiaobei")
    _flow(tmp_path, "low", "voice: zm_yunxi", "phrase_files: [house, music]", "start: [is broken")
    _flow(tmp_path, "lower", "voice: zm_yunxi", "phrase_files: []")
    (tmp_path / "notes.txt").write_text("voice: nobody")
    assert voices_wanted(tmp_path) == {"zm_yunxi": {"demo"}}, "a file that cannot be read names nothing"
    _flow(tmp_path, "low", "voice: zm_yunxi", "phrase_files: [house, music]", "start: nowhere")
    assert voices_wanted(tmp_path) == {"zm_yunxi": {"demo", "house", "music"}}


def test_a_voice_there_is_not_is_the_authors_problem(tmp_path: Path) -> None:
    _flow(tmp_path, "low", "voice: zm_yunxo")
    with pytest.raises(FlowError) as caught:
        voices_wanted(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.where.line, problem.message) == (3, "there is no voice 'zm_yunxo'")
    assert problem.hint == "did you mean 'zm_yunxi'?"


def test_everything_in_the_default_voice_and_what_is_wanted_in_others(
    tmp_path: Path, planned: list[PlannedPrompt]
) -> None:
    parts = portions(tmp_path, {"demo": planned, "other": planned}, {"zm_yunxi": {"demo", "gone"}})
    assert [(part.book, part.voice, part.speaker) for part in parts] == [
        ("demo", "zf_xiaobei", ""),
        ("other", "zf_xiaobei", ""),
        ("demo", "zm_yunxi", "zm_yunxi"),
    ]


def test_pieces_of_values_come_along_where_phrases_are_put_together(tmp_path: Path) -> None:
    text = STANDARD.replace("agent_id: {about", "agent_id: {spoken_as: digits, about")
    composed = planned_prompts(load_standard(standards_folder(tmp_path, text) / "demo.yaml"), {})
    assert any(prompt.variant == "part" for prompt in composed)
    parts = portions(tmp_path, {"demo": composed, "pieces": []}, {"zm_yunxi": {"demo"}})
    assert [(part.book, part.speaker) for part in parts][2:] == [("demo", "zm_yunxi"), ("pieces", "zm_yunxi")]


def test_both_voices_are_rendered_and_a_persons_recording_in_neither(
    tmp_path: Path, planned: list[PlannedPrompt]
) -> None:
    recorded = tmp_path / "recorded" / "demo" / "greet.wav"
    recorded.parent.mkdir(parents=True)
    samples, rate = ToneVoice().render("早", {})
    import soundfile

    soundfile.write(recorded, samples, rate)
    build = Build(tmp_path, portions(tmp_path, {"demo": planned}, {"zm_yunxi": {"demo"}}), _voice)
    build.check()
    assert [done.rendered for done in build.render(unreported)] == [6, 5]
    index = PromptIndex.load(tmp_path)
    assert index.entries["demo/greet", ()].by_person
    assert {entry.voice for entry in index.voices["zm_yunxi"].values()} == {"tones/zm_yunxi"}
    assert ("demo/greet", ()) not in index.voices["zm_yunxi"]
    again = Build(tmp_path, portions(tmp_path, {"demo": planned}, {"zm_yunxi": {"demo"}}), _voice)
    assert [(done.rendered, done.kept) for done in again.render(unreported)] == [(0, 6), (0, 5)]


def test_what_cannot_speak_is_told_before_anything_is_rendered(tmp_path: Path, planned: list[PlannedPrompt]) -> None:
    def absent(name: str) -> ToneVoice:
        return ToneVoice(f"tones/{name}", missing="install the voice")

    build = Build(tmp_path, [Portion(tmp_path, "demo", "zf_xiaobei", planned)], absent)
    with pytest.raises(SettingsError, match=r"6 wordings have no recording.*demo/greet.*install the voice"):
        build.check()
    gaps = Build(tmp_path, [Portion(tmp_path, "demo", "zf_xiaobei", planned)], _voice, "gtts")
    gaps.check()
    gaps.render(unreported)
    assert len(gaps.filled) == 6
    Build(tmp_path, [Portion(tmp_path, "demo", "zf_xiaobei", planned)], absent).check()


def test_a_folder_that_cannot_be_written_to_is_the_operators_problem(
    tmp_path: Path, planned: list[PlannedPrompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, *_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "demo"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    build = Build(tmp_path, [Portion(tmp_path, "demo", "zf_xiaobei", planned)], _voice)
    with pytest.raises(SettingsError, match="cannot be written: run it as the owner of"):
        build.render(unreported)
