"""espeak-ng: the last resort for a text nobody rendered. It needs no download and is hardly understood.

Of three Mandarin phrases an independent recogniser understood none.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

import soundfile

from ivrflow.prompts.sound import Samples
from ivrflow.settings import SettingsError

ESPEAK = "espeak-ng"

_HOW_TO_INSTALL = "espeak-ng is not installed; install the distribution's package espeak-ng"
_HAN = re.compile(r"[\u4e00-\u9fff]")


class EspeakVoice:
    """espeak-ng's Mandarin, and its American English for a text without Chinese characters."""

    name = f"{ESPEAK}/cmn"

    def missing(self) -> str:
        """What must be installed before it can speak; empty when nothing must."""
        return "" if shutil.which(ESPEAK) else _HOW_TO_INSTALL

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:  # noqa: ARG002 - it reads by itself
        """Speak. Raises `SettingsError` when it is not installed or fails."""
        language = "cmn" if _HAN.search(spoken) else "en-us"
        sound = run_espeak(["-v", language, "--stdout", spoken])
        samples, rate = soundfile.read(io.BytesIO(sound), dtype="float32")
        return samples, rate


def run_espeak(arguments: Sequence[str]) -> bytes:
    """What espeak-ng writes. Raises `SettingsError` when it is not installed or fails."""
    program = shutil.which(ESPEAK)
    if program is None:
        raise SettingsError(_HOW_TO_INSTALL)
    *options, text = arguments
    done = subprocess.run(  # noqa: S603 - no shell; the text follows "--" and cannot be an option
        [program, *options, "--", text], capture_output=True, check=False
    )
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise SettingsError(f"espeak-ng failed: {' '.join(reason) or f'exit code {done.returncode}'}")
    return done.stdout
