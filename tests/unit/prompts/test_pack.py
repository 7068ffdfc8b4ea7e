from collections.abc import Sequence
from pathlib import Path

import pytest
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.flow.model import Standard
from ivrflow.flow.problems import FlowError
from ivrflow.flow.speaking.composing import PIECES
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.pack import Build, Portion, Wanted, portions, voices_wanted
from ivrflow.prompts.pieces import planned_pieces
from ivrflow.prompts.progress import unreported
from ivrflow.prompts.wording import PlannedPrompt, load_standard, parts_of, planned_prompts
from ivrflow.settings import SettingsError


def _flow(folder: Path, name: str, *lines: str) -> None:
    (folder / f"{name}.yaml").write_text("\n".join((f"flow: {name}", "standard: demo", *lines)), encoding="utf-8")


def _voice(name: str) -> ToneVoice:
    return ToneVoice(f"tones/{name}")


@pytest.fixture
def planned(tmp_path: Path) -> list[PlannedPrompt]:
    return planned_prompts(load_standard(standards_folder(tmp_path) / "demo.yaml"), {})


def _wanted(folder: Path, standards: Sequence[Standard] = ()) -> dict[str, Wanted]:
    return voices_wanted(folder, standards, folder / "pieces.yaml")


def test_flows_say_which_standards_are_wanted_in_which_voice(tmp_path: Path) -> None:
    _flow(tmp_path, "plain")
    _flow(tmp_path, "default", "voice: zf_xiaobei")
    _flow(tmp_path, "low", "voice: zm_yunxi", "phrase_files: [house, music]", "start: [is broken")
    _flow(tmp_path, "lower", "voice: zm_yunxi", "phrase_files: []")
    (tmp_path / "notes.txt").write_text("voice: nobody")
    assert _wanted(tmp_path) == {"zm_yunxi": Wanted(frozenset({"demo"}))}, "a file that cannot be read names nothing"
    _flow(tmp_path, "low", "voice: zm_yunxi", "phrase_files: [house, music]", "start: nowhere")
    assert _wanted(tmp_path) == {"zm_yunxi": Wanted(frozenset({"demo", "house", "music"}))}


def test_a_voice_there_is_not_is_the_authors_problem(tmp_path: Path) -> None:
    _flow(tmp_path, "low", "voice: zm_yunxo")
    with pytest.raises(FlowError) as caught:
        _wanted(tmp_path)
    (problem,) = caught.value.problems
    assert (problem.where.line, problem.message) == (3, "there is no voice 'zm_yunxo'")
    assert problem.hint == "did you mean 'zm_yunxi'?"


def test_everything_in_the_default_voice_and_what_is_wanted_in_others(
    tmp_path: Path, planned: list[PlannedPrompt]
) -> None:
    parts = portions(tmp_path, {"demo": planned, "other": []}, {"zm_yunxi": Wanted(frozenset({"demo", "gone"}))})
    assert [(part.book, part.voice, part.speaker) for part in parts] == [
        ("demo", "zf_xiaobei", ""),
        ("other", "zf_xiaobei", ""),
        ("demo", "zm_yunxi", "zm_yunxi"),
    ]


def test_parts_are_wanted_only_of_the_phrases_with_values_that_a_flow_says(tmp_path: Path) -> None:
    text = STANDARD.replace("agent_id: {about", "agent_id: {spoken_as: digits, about")
    standard = load_standard(standards_folder(tmp_path, text) / "demo.yaml")
    (tmp_path / "pieces.yaml").write_text("family_names: [王]\ntitles: [先生]\n", encoding="utf-8")
    pieces = planned_pieces(tmp_path / "pieces.yaml", {})
    by_book = {"demo": planned_prompts(standard, {}), PIECES: pieces}
    one, both = (phrase for phrase in standard.phrases.values() if parts_of(phrase, standard))
    lines = ["voice: zm_yunxi", "phrase_files: []", "start: hello", "steps:"]

    def spoken(*said: str) -> dict[str, list[str]]:
        _flow(tmp_path, "low", *lines, *said)
        wanted = _wanted(tmp_path, [standard])
        return {
            one.book: [prompt.text for prompt in one.planned if prompt.variant == "part"]
            for one in portions(tmp_path, by_book, wanted)
            if one.speaker
        }

    assert spoken("  hello: {say: demo/greet, then: hang_up}") == {"demo": []}
    said = spoken(f"  hello: {{say: {one.key}, then: hang_up}}")
    assert said["demo"] == parts_of(one, standard)
    assert {"…幺…", "…二四…"} <= set(said[PIECES])
    assert len(said[PIECES]) == 110, "digits, one by one and two by two: no names, no hours, no pauses"
    said_more = spoken(f"  hello: {{say: {one.key}, then: more}}", f"  more: {{say: {both.key}, then: hang_up}}")
    assert set(said_more["demo"]) == {*parts_of(one, standard), *parts_of(both, standard)}
    assert said_more[PIECES] == said[PIECES], "titles the standard lists are parts of its own"


def test_a_voice_that_shall_be_heard_first_speaks_everything(tmp_path: Path, planned: list[PlannedPrompt]) -> None:
    (tmp_path / "pieces.yaml").write_text("words: [路灯]\n", encoding="utf-8")
    pieces = planned_pieces(tmp_path / "pieces.yaml", {})
    wanted = Wanted(frozenset({"demo"})) | Wanted(frozenset({PIECES}), parts=None)
    _, _, demo, spoken = portions(tmp_path, {"demo": planned, PIECES: pieces}, {"zm_yunxi": wanted})
    assert (list(demo.planned), list(spoken.planned)) == (planned, pieces)


def test_both_voices_are_rendered_and_a_persons_recording_in_neither(
    tmp_path: Path, planned: list[PlannedPrompt]
) -> None:
    recorded = tmp_path / "recorded" / "demo" / "greet.wav"
    recorded.parent.mkdir(parents=True)
    samples, rate = ToneVoice().render("早", {})
    import soundfile

    soundfile.write(recorded, samples, rate)
    build = Build(tmp_path, portions(tmp_path, {"demo": planned}, {"zm_yunxi": Wanted(frozenset({"demo"}))}), _voice)
    build.check()
    assert [done.rendered for done in build.render(unreported)] == [6, 5]
    index = PromptIndex.load(tmp_path)
    assert index.entries["demo/greet", ()].by_person
    assert {entry.voice for entry in index.voices["zm_yunxi"].values()} == {"tones/zm_yunxi"}
    assert ("demo/greet", ()) not in index.voices["zm_yunxi"]
    again = Build(tmp_path, portions(tmp_path, {"demo": planned}, {"zm_yunxi": Wanted(frozenset({"demo"}))}), _voice)
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
