"""What Asterisk would make of a simulated caller's microphone: speech, or nothing.

The same gate decides as on the PBX (`bridge.speech_gate`): a sound shorter than 0.12 s is none, speech is known 0.22 s
after it began and is over half a second after it stopped. Saying something is taken to be louder than any echo. A
background counts while it is above the talk level, which is raised while a prompt plays, as the bridge raises it. A
phone that sends nothing between words never lets Asterisk hear the silence: its speech ends after 15 s.
"""

from __future__ import annotations

import math

from ivrflow.bridge.asterisk_line import ECHO_TAIL_S, HIGHEST_TALK_LEVEL, LineSettings
from ivrflow.bridge.speech_gate import TALK_SILENCE_MS, Heard, SpeechGate
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone

_SETTINGS = LineSettings(prompts_dir="")
_STOP_AFTER_S = TALK_SILENCE_MS / 1000 - 0.02  # Asterisk's Stop comes a frame early
_MEAN_OF_NOISE = math.sqrt(2 / math.pi)  # mean |sample| of white noise whose RMS is 1
_MEAN_OF_SINE = 2 * math.sqrt(2) / math.pi


class SimulatedMicrophone:
    """Follows one caller's line from its answer on."""

    def __init__(self, source: AudioSource, now: float) -> None:
        self._gate = SpeechGate()
        self._source = source
        self._is_saying = False
        self._level = _SETTINGS.talk_level
        self._level_falls_at: float | None = None
        self._is_talking = False
        self._loud_since = 0.0
        self._quiet_since: float | None = None
        self._look(now)

    @property
    def deadline(self) -> float | None:
        """When `reached` is due; None when nothing can come."""
        due = [at for at in (self._gate.deadline, self._level_falls_at, self._stop_at) if at is not None]
        return min(due, default=None)

    def set_source(self, source: AudioSource, now: float) -> None:
        """The background is another one."""
        self._source = source
        self._look(now)

    def begins_to_say(self, now: float) -> None:
        """Something is said."""
        self._is_saying = True
        self._look(now)

    def has_said(self, now: float) -> None:
        """Nothing is said any more."""
        self._is_saying = False
        self._look(now)

    def prompt_began(self, loudest_frame: int, now: float) -> None:
        """A prompt plays: its echo must not count as talking."""
        echo = round(loudest_frame * _SETTINGS.echo_gain * 1.1)
        self._level = max(_SETTINGS.talk_level, min(echo, HIGHEST_TALK_LEVEL))
        self._level_falls_at = None
        self._look(now)

    def prompt_ended(self, now: float) -> None:
        """The prompt is over, its echo will be."""
        self._level_falls_at = now + ECHO_TAIL_S

    def reached(self, now: float) -> list[Heard]:
        """The deadline has come."""
        if self._level_falls_at is not None and self._level_falls_at <= now:
            self._level, self._level_falls_at = _SETTINGS.talk_level, None
            self._look(now)
        told: list[Heard] = []
        if (stop_at := self._stop_at) is not None and stop_at <= now and self._quiet_since is not None:
            lasted_ms = round((self._quiet_since - self._loud_since) * 1000, 3)
            self._is_talking, self._quiet_since = False, None
            told += self._gate.talking_stopped(now, lasted_ms)
        return told + self._gate.reached(now)

    @property
    def _stop_at(self) -> float | None:
        """When Asterisk says that the talking stopped: it needs to be sent silence for that."""
        if self._quiet_since is None or isinstance(self._source, NoRtp | ComfortNoise):
            return None
        return self._quiet_since + _STOP_AFTER_S

    def _look(self, now: float) -> None:
        is_loud = self._is_saying or mean_level(self._source) >= self._level
        if is_loud and not self._is_talking:
            self._is_talking, self._loud_since = True, now
            self._gate.talking_started(now)
        if is_loud:
            self._quiet_since = None
        elif self._is_talking and self._quiet_since is None:
            self._quiet_since = now


def mean_level(source: AudioSource) -> float:
    """The mean |sample| (16-bit scale) that Asterisk's talk detection compares with its threshold."""
    match source:
        case Silence() | NoRtp() | ComfortNoise():
            return 0.0
        case Noise(level_dbfs=level) | Breathing(level_dbfs=level):
            return 32767 * 10 ** (level / 20) * _MEAN_OF_NOISE
        case Tone(level_dbfs=level):
            return 32767 * 10 ** (level / 20) * _MEAN_OF_SINE
