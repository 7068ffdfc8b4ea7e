"""A voice for tests: every character a tone of its own, 120 ms long, between the silences a synthesiser leaves."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ivrflow.prompts.index import PromptEntry
from ivrflow.prompts.sound import Samples
from ivrflow.prompts.wording import PlannedPrompt

RATE = 24000


def tone(seconds: float, hertz: float = 440.0, amplitude: float = 0.3, rate: int = RATE) -> Samples:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(round(seconds * rate), dtype=np.float32)


class ToneVoice:
    def __init__(self, name: str = "tones", stop_after: int | None = None, missing: str = "") -> None:
        self._name = name
        self._stop_after = stop_after
        self._missing = missing
        self.spoken: list[str] = []
        self.words: list[dict[str, str]] = []

    @property
    def name(self) -> str:
        return self._name

    def __call__(self, _prompt: PlannedPrompt, _known: PromptEntry | None) -> "ToneVoice":
        """The cast in which it speaks everything."""
        return self

    def missing(self) -> str:
        return self._missing

    def render(self, spoken: str, words: Mapping[str, str]) -> tuple[Samples, int]:
        if self._stop_after is not None and len(self.spoken) == self._stop_after:
            raise KeyboardInterrupt
        self.spoken.append(spoken)
        self.words.append(dict(words))
        bursts = [_syllable(300 + ord(char) % 60 * 20, amplitude=0.05 + ord(char) % 7 * 0.1) for char in spoken]
        return np.concatenate([silence(0.4), *bursts, silence(1.0)]), RATE


def _syllable(hertz: float, amplitude: float) -> Samples:
    """A tone that swells and fades within 5 ms, as no voice starts or stops on a step."""
    samples = tone(0.12, hertz, amplitude)
    ramp = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, RATE // 200))).astype(np.float32)
    samples[: len(ramp)] *= ramp
    samples[-len(ramp) :] *= ramp[::-1]
    return samples


STANDARD = """\
id: demo
name: "Demo"
source: "made up for tests"
placeholders:
  honorific: {values: ["先生", "女士"], about: "how the caller is addressed"}
  agent_id: {about: "number of the agent"}
phrases:
  greet: {text: "您好！"}
  reply: {text: "{honorific}，您好！", without: "您好，请讲！"}
  number: {text: "我的工号是{agent_id}。", without: "很高兴为您服务。"}
  both: {text: "{honorific}，我的工号是{agent_id}。", without: "我是话务员。"}
rules: []
"""


def standards_folder(root: Path, text: str = STANDARD) -> Path:
    """A folder with the one standard, `demo`."""
    folder = root / "standards"
    folder.mkdir(exist_ok=True)
    (folder / "demo.yaml").write_text(text, encoding="utf-8")
    return folder
