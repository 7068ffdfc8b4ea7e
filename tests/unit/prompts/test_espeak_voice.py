from pathlib import Path

import pytest
import soundfile
from tone_voice import tone

from ivrflow.prompts.espeak_voice import EspeakVoice, run_espeak
from ivrflow.settings import SettingsError


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An espeak-ng that notes what it is asked and speaks a tone."""
    soundfile.write(tmp_path / "tone.wav", tone(0.2, rate=22050), 22050, subtype="PCM_16")
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "espeak-ng"
    program.write_text(
        f'#!/bin/sh\nfor word; do echo "$word" >> {tmp_path}/asked; done\n/bin/cat {tmp_path}/tone.wav\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program


@pytest.mark.parametrize(("text", "language"), [("您好！", "cmn"), ("Hello!", "en-us"), ("-q", "en-us")])
def test_it_speaks_mandarin_or_english(tmp_path: Path, program: Path, text: str, language: str) -> None:
    assert program.exists()
    samples, rate = EspeakVoice().render(text, {})
    assert (len(samples), rate, str(samples.dtype)) == (4410, 22050, "float32")
    assert (tmp_path / "asked").read_text().split() == ["-v", language, "--stdout", "--", text]


def test_where_it_is_not_installed_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install the distribution's package espeak-ng" in EspeakVoice().missing()
    with pytest.raises(SettingsError, match="package espeak-ng"):
        EspeakVoice().render("您好", {})


def test_its_reason_for_failing_is_passed_on(program: Path) -> None:
    assert EspeakVoice().missing() == ""
    program.write_text("#!/bin/sh\necho 'first' >&2\necho 'no such voice' >&2\nexit 3\n")
    with pytest.raises(SettingsError, match="espeak-ng failed: no such voice"):
        run_espeak(["-v", "xx", "text"])
