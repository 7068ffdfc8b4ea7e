from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tone_voice import RATE, STANDARD, ToneVoice, silence, standards_folder, tone

from ivrflow.prompts.index import PromptEntry, read_index
from ivrflow.prompts.levels import SPEECH_LEVEL, active_speech_level
from ivrflow.prompts.renderer import MASTER_RATE, RenderReport, read_master, render_masters
from ivrflow.prompts.sound import Samples
from ivrflow.prompts.trimming import DEAD_AIR_MS
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_prompts


def _planned(root: Path, text: str = STANDARD, words: dict[str, str] | None = None) -> list[PlannedPrompt]:
    return planned_prompts(load_standard(standards_folder(root, text) / "demo.yaml"), words or {})


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_masters_and_index_agree(tmp_path: Path) -> None:
    folder, voice = tmp_path / "demo", ToneVoice()
    planned = _planned(tmp_path)
    assert render_masters(planned, voice, folder.parent, folder.name) == RenderReport(
        rendered=6, copied=0, kept=0, removed=0
    )
    entries = read_index(folder)
    assert {entry.file for entry in entries} | {"index.json"} == _files(folder)
    for entry in entries:
        samples = read_master(folder / entry.file)
        assert len(samples) * 1000 // MASTER_RATE == entry.duration_ms
        assert entry.duration_ms % 20 == 0
        assert 0 < entry.leading_ms <= DEAD_AIR_MS
        assert 0 < entry.trailing_ms <= DEAD_AIR_MS
        assert active_speech_level(samples, MASTER_RATE) == pytest.approx(SPEECH_LEVEL, abs=0.5)
        assert entry.voice == "tones"
        speech = round(len(entry.spoken) * 0.12 * 1000)
        assert entry.duration_ms - entry.leading_ms - entry.trailing_ms == pytest.approx(speech, abs=25)


def test_unchanged_wording_is_never_rendered_again(tmp_path: Path) -> None:
    folder, voice = tmp_path / "demo", ToneVoice()
    render_masters(_planned(tmp_path), voice, folder.parent, folder.name)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.opus")}
    index = (folder / "index.json").read_bytes()
    again = ToneVoice()
    assert render_masters(_planned(tmp_path), again, folder.parent, folder.name) == RenderReport(0, 0, 6, 0)
    assert again.spoken == []
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.opus")} == before
    assert (folder / "index.json").read_bytes() == index


def test_only_changed_wording_is_rendered_and_only_dropped_wording_removed(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    render_masters(_planned(tmp_path), ToneVoice(), folder.parent, folder.name)
    changed = STANDARD.replace("我是话务员。", "我是接线员。").replace('  greet: {text: "您好！"}\n', "")
    voice = ToneVoice()
    assert render_masters(_planned(tmp_path, changed), voice, folder.parent, folder.name) == RenderReport(1, 0, 4, 1)
    assert voice.spoken == ["我是接线员。"]
    assert "greet.opus" not in _files(folder)
    assert "demo/greet" not in {entry.key for entry in read_index(folder)}


def test_another_voice_renders_everything_again(tmp_path: Path) -> None:
    render_masters(_planned(tmp_path), ToneVoice("one"), tmp_path, "demo")
    assert render_masters(_planned(tmp_path), ToneVoice("two"), tmp_path, "demo").rendered == 6


def test_the_words_a_prompt_contains_go_to_the_voice_and_a_change_renders_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    render_masters(_planned(tmp_path), ToneVoice(), folder.parent, folder.name)
    voice = ToneVoice()
    render_masters(_planned(tmp_path, words={"话务员": "hua4 wu4 yuan2"}), voice, folder.parent, folder.name)
    assert voice.spoken == ["我是话务员。"]
    assert voice.words == [{"话务员": "hua4 wu4 yuan2"}]


def test_a_lost_master_is_made_again(tmp_path: Path) -> None:
    folder, voice = tmp_path / "demo", ToneVoice()
    render_masters(_planned(tmp_path), ToneVoice(), folder.parent, folder.name)
    (folder / "greet.opus").unlink()
    assert render_masters(_planned(tmp_path), voice, folder.parent, folder.name).rendered == 1
    assert voice.spoken == ["您好！"]


def test_the_same_words_are_spoken_once(tmp_path: Path) -> None:
    twins = STANDARD.replace('greet: {text: "您好！"}', 'greet: {text: "您好！"}\n  again: {text: "您好！"}')
    folder, voice = tmp_path / "demo", ToneVoice()
    assert render_masters(_planned(tmp_path, twins), voice, folder.parent, folder.name).copied == 1
    assert voice.spoken.count("您好！") == 1
    assert (folder / "greet.opus").read_bytes() == (folder / "again.opus").read_bytes()
    assert {entry.key for entry in read_index(folder) if entry.text == "您好！"} == {"demo/greet", "demo/again"}


def test_stopped_half_way_it_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with pytest.raises(KeyboardInterrupt):
        render_masters(_planned(tmp_path), ToneVoice(stop_after=4), folder.parent, folder.name)
    assert len(read_index(folder)) == 4
    assert not [name for name in _files(folder) if name.startswith(".")]
    assert render_masters(_planned(tmp_path), ToneVoice(), folder.parent, folder.name) == RenderReport(2, 0, 4, 0)


def test_stopped_before_a_changed_wording_the_old_one_can_still_be_played(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    render_masters(_planned(tmp_path), ToneVoice(), folder.parent, folder.name)
    changed = STANDARD.replace("您好！", "喂！")
    with pytest.raises(KeyboardInterrupt):
        render_masters(_planned(tmp_path, changed), ToneVoice(stop_after=0), folder.parent, folder.name)
    entries: dict[str, PromptEntry] = {entry.key: entry for entry in read_index(folder)}
    assert entries["demo/greet"].text == "您好！"
    assert len(entries) == 4


def test_progress_counts_what_is_rendered(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    render_masters(_planned(tmp_path), ToneVoice(), tmp_path, "demo", lambda *piece: seen.append(piece))
    assert [(done, total) for done, total, _ in seen] == [(done, 6) for done in range(1, 7)]
    assert seen[0][2] == "greet"


class _Telephone:
    """A voice that speaks at 16 kHz."""

    name = "16k"

    def missing(self) -> str:
        return ""

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        assert spoken
        assert not words
        return np.concatenate([silence(0.3, 16000), tone(0.5, rate=16000), silence(0.3, 16000)]), 16000


def test_a_voice_of_another_rate_makes_masters_of_ours(tmp_path: Path) -> None:
    render_masters(_planned(tmp_path)[:1], lambda _prompt, _known: _Telephone(), tmp_path, "demo")
    entry = read_index(tmp_path / "demo")[0]
    assert entry.duration_ms == pytest.approx(600, abs=20)
    samples = read_master(tmp_path / "demo" / "greet.opus").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.fft.rfftfreq(len(samples), 1 / MASTER_RATE)[spectrum.argmax()] == pytest.approx(440, abs=3)


def test_what_is_no_master_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", tone(0.1), RATE // 3)
    with pytest.raises(ValueError, match="24000 Hz"):
        read_master(tmp_path / "x.wav")
