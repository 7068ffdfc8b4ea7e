from pathlib import Path

from ivrflow.flow.model import DEFAULT_VOICE
from ivrflow.prompts.voices import STOPGAPS, VOICE_NAMES, english_of, voices_in


def test_every_voice_a_flow_may_ask_for_is_there_and_costs_nothing_until_it_speaks(tmp_path: Path) -> None:
    named = voices_in(tmp_path / "voice", 1)
    names = {named(name).name for name in VOICE_NAMES}
    assert len(names) == len(VOICE_NAMES)
    assert {"kokoro-82m-int8/zm_yunxi", "gtts/zh-CN", "espeak-ng/cmn"} <= names
    assert not (tmp_path / "voice").exists()


def test_a_voice_is_made_once(tmp_path: Path) -> None:
    named = voices_in(tmp_path, 1)
    assert named("zm_yunxi") is named("zm_yunxi")
    assert named("zm_yunxi") is not named("zf_xiaobei")


def test_the_default_voice_is_one_of_them_and_stopgaps_speak_english_themselves() -> None:
    assert DEFAULT_VOICE in VOICE_NAMES
    assert english_of(DEFAULT_VOICE) == "af_heart"
    assert [english_of(name) for name in STOPGAPS.values()] == list(STOPGAPS.values())
