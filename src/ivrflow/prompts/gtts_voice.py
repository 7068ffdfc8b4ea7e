"""gTTS: Google's public voice, for those who are online and render ahead. Never asked during a call.

The service is somebody else's and limits how often it may be asked (429). What it refuses is asked again after a while,
a bounded number of times; a build that gives up goes on where it ended.
"""

from __future__ import annotations

import importlib.util
import io
import re
import sys
import time
from collections.abc import Callable, Mapping

import soundfile

from ivrflow.prompts.sound import Samples
from ivrflow.settings import SettingsError

PATIENCE_S = (5.0, 15.0, 45.0)
"""Seconds to wait before each further attempt; a `Retry-After` of the service wins, up to `LONGEST_WAIT_S`."""

LONGEST_WAIT_S = 120.0

_HOW_TO_INSTALL = "gTTS is not installed; install it with: pip install 'ivrflow[online]'"
_KEPT = "what is rendered is kept: run the same command again"
_TOO_MANY = 429
_OUT_OF_ORDER = 500
_HAN = re.compile(r"[\u4e00-\u9fff]")


class GttsVoice:
    """Google's Mandarin, and its English for a text without Chinese characters.

    Args:
        sleep: waits so many seconds.
    """

    name = "gtts/zh-CN"

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep

    def missing(self) -> str:
        """What must be installed before it can speak; empty when nothing must."""
        return "" if importlib.util.find_spec("gtts") else _HOW_TO_INSTALL

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:  # noqa: ARG002 - it reads by itself
        """Speak.

        Raises `SettingsError` when gTTS is not installed, the service cannot be reached or will not answer, or what it
        answers is no sound.
        """
        sound = self._fetched(spoken)
        try:
            samples, rate = soundfile.read(io.BytesIO(sound), dtype="float32")
        except soundfile.LibsndfileError as error:
            raise SettingsError(f"Google's voice service answered something that is no sound; {_KEPT}") from error
        return samples, rate

    def _fetched(self, spoken: str) -> bytes:
        try:
            import gtts
        except ImportError as error:
            raise SettingsError(_HOW_TO_INSTALL) from error
        language = "zh-CN" if _HAN.search(spoken) else "en"
        for patience in (*PATIENCE_S, None):
            try:
                sound = io.BytesIO()
                gtts.gTTS(spoken, lang=language, lang_check=False, timeout=30).write_to_fp(sound)
            except gtts.tts.gTTSError as error:
                answer = error.rsp
                status = None if answer is None else answer.status_code
                if patience is None or (status is not None and status != _TOO_MANY and status < 500):
                    raise SettingsError(_worded(status)) from error
                wait = patience if answer is None else _asked_to_wait(answer.headers, patience)
                why = "cannot be reached" if status is None else f"refuses for now ({status})"
                print(f"Google's voice service {why}; again in {wait:.0f} s …", file=sys.stderr, flush=True)
                self._sleep(wait)
            else:
                return sound.getvalue()
        raise AssertionError("the last attempt returns or raises")


def _asked_to_wait(headers: Mapping[str, str], otherwise: float) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT_S) if asked.isdigit() else otherwise


def _worded(status: int | None) -> str:
    if status is None:
        return f"Google's voice service cannot be reached; gTTS needs the internet. {_KEPT[0].upper()}{_KEPT[1:]}"
    if status == _TOO_MANY:
        return f"Google's voice service answers “too many requests” (429); wait an hour; {_KEPT}"
    if status >= _OUT_OF_ORDER:
        return f"Google's voice service is out of order ({status}); {_KEPT} later"
    return f"Google's voice service refused a wording ({status}); {_KEPT}, or use --engine kokoro"
