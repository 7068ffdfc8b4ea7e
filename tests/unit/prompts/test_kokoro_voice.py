import hashlib
import importlib.util
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ivrflow.prompts import kokoro_voice
from ivrflow.prompts.espeak_voice import EspeakVoice
from ivrflow.prompts.kokoro_voice import ENGLISH_OF, MANDARIN_VOICES, KokoroVoice, voice_file
from ivrflow.settings import SettingsError

STYLES = np.zeros((510, 256), dtype=np.float32).tobytes()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm whose package holds a voice of zeros; calls are counted in the file `calls`."""
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as package:
        member = tarfile.TarInfo("package/voices/zf_xiaobei.bin")
        member.size = len(STYLES)
        package.addfile(member, io.BytesIO(STYLES))
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n/bin/echo "$@" >> {tmp_path}/calls\n/bin/cp {archive} "$4/kokoro.tgz"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setitem(kokoro_voice._SHA256, "zf_xiaobei", hashlib.sha256(STYLES).hexdigest())
    return program


def test_the_voice_file_is_fetched_once_and_nothing_else_is_left(tmp_path: Path, npm: Path) -> None:
    assert npm.exists()
    folder = tmp_path / "voice"
    assert voice_file(folder).read_bytes() == STYLES
    assert voice_file(folder).read_bytes() == STYLES
    assert (tmp_path / "calls").read_text().count("pack kokoro-js@1.2.1") == 1
    assert [path.name for path in folder.iterdir()] == ["zf_xiaobei.bin"]


def test_a_damaged_voice_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zf_xiaobei.bin").write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged; delete it"):
        voice_file(tmp_path)


def test_without_npm_it_says_where_the_file_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"install npm, or put voices/zf_xiaobei\.bin"):
        voice_file(tmp_path / "voice")


def test_when_npm_fails_its_reason_is_passed_on(tmp_path: Path, npm: Path) -> None:
    npm.write_text("#!/bin/sh\n/bin/echo first >&2\n/bin/echo 'npm error network is down' >&2\nexit 1\n")
    with pytest.raises(SettingsError, match="network is down"):
        voice_file(tmp_path / "voice")
    assert list((tmp_path / "voice").iterdir()) == []


def test_a_voice_costs_nothing_until_it_speaks(tmp_path: Path) -> None:
    assert KokoroVoice(tmp_path / "none").name == "kokoro-82m-int8/zf_xiaobei"
    assert not (tmp_path / "none").exists()


def test_speaking_without_the_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    kokoro_voice._reader.cache_clear()
    with pytest.raises(SettingsError, match=r"ivrflow\[voice\].*missing: jieba"):
        KokoroVoice(tmp_path).render("您好", {})


def test_what_is_not_installed_is_said_before_anything_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    voice, english = KokoroVoice(Path("none")), KokoroVoice(Path("none"), name="af_heart")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    monkeypatch.setattr(EspeakVoice, "missing", lambda _self: "install espeak-ng")
    assert voice.missing() == ""
    assert english.missing() == "install espeak-ng", "it tells how English is pronounced"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "pip install 'ivrflow[voice]'" in voice.missing()


def test_every_mandarin_voice_has_an_english_one_of_the_same_sex() -> None:
    assert set(ENGLISH_OF) == set(MANDARIN_VOICES)
    assert all(english[1] == mandarin[1] for mandarin, english in ENGLISH_OF.items())


class _Model:
    """A network that answers with one sample for each sound, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, np.ndarray]] = []

    def run(self, _outputs: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.asked.append(inputs)
        return [np.sin(np.arange(inputs["tokens"].shape[1] * 2400, dtype=np.float32))]


@pytest.fixture
def model(npm: Path, monkeypatch: pytest.MonkeyPatch) -> _Model:
    made = _Model()
    assert npm.exists()
    monkeypatch.setattr(kokoro_voice, "_session", lambda _threads: made)
    monkeypatch.setattr(kokoro_voice, "_tokens", lambda: {sound: ord(sound) for sound in "abcdefghij"})
    monkeypatch.setattr(kokoro_voice, "_mandarin_sounds", lambda _words: lambda spoken: spoken)
    return made


def test_sounds_reach_the_model_with_the_style_of_their_number(tmp_path: Path, model: _Model) -> None:
    samples, rate = KokoroVoice(tmp_path / "voice").render("abc", {})
    assert (len(samples), rate) == (5 * 2400, 24000)
    assert model.asked[0]["tokens"].tolist() == [[0, 97, 98, 99, 0]]
    assert model.asked[0]["style"].shape == (1, 256)


def test_a_long_wording_is_spoken_in_parts(tmp_path: Path, model: _Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro_voice, "_tokens", lambda: {sound: ord(sound) for sound in "ab，。"})
    KokoroVoice(tmp_path / "voice").render("a" * 90 + "。" + "b" * 90 + "。", {})
    assert [asked["tokens"].shape[1] for asked in model.asked] == [93, 93]


def test_a_sound_the_model_does_not_know_is_named(tmp_path: Path, model: _Model) -> None:
    with pytest.raises(ValueError, match="no sound for \\['z'\\]"):
        KokoroVoice(tmp_path / "voice").render("az", {})
    assert model.asked == []
