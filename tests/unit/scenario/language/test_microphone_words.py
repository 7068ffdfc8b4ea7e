import pytest

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.source import Text
from ivrflow.scenario.language.microphone_words import SOURCE
from ivrflow.scenario.performer import source_in_words
from ivrflow.softphone.audio_source import AudioSource, Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone, background


def read(text: str) -> tuple[AudioSource | None, ProblemList]:
    problems = ProblemList()
    return SOURCE.read(Text(text, Location("x.yaml", 1, 1)), problems), problems


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("silence", Silence()),
        ("no_rtp", NoRtp()),
        ("comfort_noise", ComfortNoise()),
        ("breathing", Breathing(-45.0)),
        ("breathing  -60dB", Breathing(-60.0)),
        ("noise", Noise(-40.0)),
        ("noise -12.25dB", Noise(-12.25)),
        ("tone 1Hz", Tone(1, -20.0)),
        ("tone 3999Hz 0dB", Tone(3999, 0.0)),
    ],
)
def test_what_can_be_sent(text: str, source: AudioSource) -> None:
    assert read(text) == (source, ProblemList())
    background(source)


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("noise -40 dB", "write noise -40dB"),
        ("noise -40dBFS", "write noise -40dB"),
        ("breathing 45", "write breathing -45dB"),
        ("tone 1200 Hz -20 dB", "write tone 1200Hz -20dB"),
        ("tone 1200Hz -20dB loud", "write tone 1200Hz -20dB"),
        ("tone 0Hz", "write 1Hz to 3999Hz"),
        ("Noise -40dB", "did you mean 'noise'?"),
        ("noise －40dB", "write noise -40dB"),
    ],
)
def test_what_to_write_instead(text: str, better: str) -> None:
    source, problems = read(text)

    assert source is None
    assert [problem.hint for problem in problems.problems] == [better]


@pytest.mark.parametrize("text", ["silence", "noise -40dB", "tone 1200Hz -20dB"])
def test_a_source_is_told_as_it_is_written(text: str) -> None:
    source, _ = read(text)

    assert source is not None
    assert source_in_words(source) == text
