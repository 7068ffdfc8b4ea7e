import pytest

from ivrflow.prompts import english
from ivrflow.prompts.english import english_sounds

# What espeak-ng 1.51 writes for these.
_IPA = {
    "May I help you": "mˈe^ɪ a^ɪ hˈɛlp juː",
    "Good-bye": "ɡˈʊdbˈa^ɪ",
    "Happy birthday": "hˈæpi bˈɜːθde^ɪ",
    "Ok": "ˌo^ʊkˈe^ɪ",
    "I'm sorry": "a^ɪm sˈɑːɹi",
    "a little judge": "ɐ lˈɪɾə^l d^ʒˈʌd^ʒ",
    "sudden": "sˈʌdn\u0329",
}


@pytest.fixture(autouse=True)
def espeak(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(arguments: list[str]) -> bytes:
        assert arguments[:2] == ["-v", "en-us"]
        return f" {_IPA[arguments[-1]]}\n".encode()

    monkeypatch.setattr(english, "run_espeak", run)


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("May I help you?", "mˈA I hˈɛlp ju?"),
        ("Good-bye", "ɡˈʊdbˈI"),
        ("Happy birthday!", "hˈæpi bˈɜɹθdA!"),
        ("I’m sorry. Ok, May I help you?", "Im sˈɑɹi. ˌOkˈA, mˈA I hˈɛlp ju?"),
        ("a little judge", "ə lˈɪTᵊl ʤˈʌʤ"),
        ("sudden...", "sˈʌdᵊn."),
    ],
)
def test_english_becomes_the_sounds_the_voice_knows(text: str, sounds: str) -> None:
    assert english_sounds(text) == sounds
