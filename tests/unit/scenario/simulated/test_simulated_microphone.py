import pytest

from ivrflow.bridge.asterisk_line import ECHO_TAIL_S, LineSettings
from ivrflow.bridge.speech_gate import CONFIRM_S, LONGEST_S, PAUSE_S, SHORTEST_S, TALK_SILENCE_MS
from ivrflow.engine.messages import SpeechStarted
from ivrflow.scenario.simulated.simulated_microphone import SimulatedMicrophone, mean_level
from ivrflow.softphone.audio_source import (
    AudioSource,
    Breathing,
    ComfortNoise,
    Noise,
    NoRtp,
    Silence,
    Tone,
    background,
)

STOP_S = TALK_SILENCE_MS / 1000 - 0.02
LOUD, SOFT = Noise(-30.0), Noise(-40.0)
LOUD_PROMPT = 7000


def followed(microphone: SimulatedMicrophone, until: float = 60.0) -> list[tuple[str, float]]:
    """What the engine is told, each with its second, when nothing more is done."""
    told: list[tuple[str, float]] = []
    while (at := microphone.deadline) is not None and at <= until:
        told += [
            ("speaks" if isinstance(event, SpeechStarted) else "quiet", round(at, 6))
            for event in microphone.reached(at)
        ]
    return told


def saying(seconds: float, source: AudioSource | None = None) -> list[tuple[str, float]]:
    """The engine is told this of somebody who says something for so many seconds, from second 1 on."""
    microphone = SimulatedMicrophone(source or Silence(), 0.0)
    microphone.begins_to_say(1.0)
    told = followed(microphone, 1.0 + seconds - 1e-6)
    microphone.has_said(1.0 + seconds)
    return told + followed(microphone)


def test_speech_is_known_when_it_has_lasted_and_over_after_a_pause() -> None:
    assert saying(2.0) == [("speaks", 1.0 + CONFIRM_S), ("quiet", round(3.0 + STOP_S + PAUSE_S, 6))]


def test_a_click_is_no_speech() -> None:
    assert saying(SHORTEST_S - 0.01) == []
    assert saying(SHORTEST_S) == [
        ("speaks", round(1.0 + SHORTEST_S + STOP_S, 6)),
        ("quiet", round(1.0 + SHORTEST_S + STOP_S + PAUSE_S, 6)),
    ]


def test_speech_does_not_last_for_ever() -> None:
    assert saying(40.0) == [("speaks", 1.0 + CONFIRM_S), ("quiet", 1.0 + CONFIRM_S + LONGEST_S)]


@pytest.mark.parametrize("source", [NoRtp(), ComfortNoise()])
def test_a_phone_that_sends_no_silence_seems_to_speak_on(source: AudioSource) -> None:
    assert saying(2.0, source) == [("speaks", 1.0 + CONFIRM_S), ("quiet", 1.0 + CONFIRM_S + LONGEST_S)]


def test_two_sayings_with_a_breath_between_are_one() -> None:
    microphone = SimulatedMicrophone(Silence(), 0.0)
    microphone.begins_to_say(1.0)
    told = followed(microphone, 1.99)
    microphone.has_said(2.0)
    told += followed(microphone, 2.29)
    microphone.begins_to_say(2.3)
    told += followed(microphone, 2.99)
    microphone.has_said(3.0)
    told += followed(microphone)
    assert told == [("speaks", 1.0 + CONFIRM_S), ("quiet", round(3.0 + STOP_S + PAUSE_S, 6))]


def test_a_gap_shorter_than_asterisk_s_silence_is_none() -> None:
    microphone = SimulatedMicrophone(Silence(), 0.0)
    microphone.begins_to_say(1.0)
    microphone.has_said(1.05)
    microphone.begins_to_say(1.1)
    assert followed(microphone, 3.0) == [("speaks", 1.0 + CONFIRM_S)]


@pytest.mark.parametrize("source", [Silence(), NoRtp(), ComfortNoise(), Breathing(), SOFT, Tone(440, -40.0)])
def test_what_is_quieter_than_talk_is_nothing(source: AudioSource) -> None:
    assert followed(SimulatedMicrophone(source, 0.0)) == []


@pytest.mark.parametrize("source", [LOUD, Tone(440, -30.0)])
def test_what_is_louder_than_talk_is_speech(source: AudioSource) -> None:
    microphone = SimulatedMicrophone(source, 0.0)
    assert followed(microphone, 5.0) == [("speaks", CONFIRM_S)]
    microphone.set_source(Silence(), 5.0)
    assert followed(microphone) == [("quiet", 5.0 + STOP_S + PAUSE_S)]


def test_noise_that_goes_on_counts_for_a_while_only() -> None:
    assert followed(SimulatedMicrophone(LOUD, 0.0)) == [("speaks", CONFIRM_S), ("quiet", CONFIRM_S + LONGEST_S)]


def test_while_a_prompt_plays_only_what_is_louder_than_its_echo_counts() -> None:
    microphone = SimulatedMicrophone(Silence(), 0.0)
    microphone.prompt_began(LOUD_PROMPT, 0.0)
    microphone.set_source(LOUD, 1.0)
    assert followed(microphone, 3.9) == []
    microphone.prompt_ended(4.0)
    assert followed(microphone, 9.0) == [("speaks", round(4.0 + ECHO_TAIL_S + CONFIRM_S, 6))]


def test_a_prompt_that_begins_ends_the_noise_s_speech() -> None:
    microphone = SimulatedMicrophone(LOUD, 0.0)
    assert followed(microphone, 1.9) == [("speaks", CONFIRM_S)]
    microphone.prompt_began(LOUD_PROMPT, 2.0)
    assert followed(microphone, 9.0) == [("quiet", 2.0 + STOP_S + PAUSE_S)]


def test_a_soft_prompt_raises_nothing() -> None:
    microphone = SimulatedMicrophone(LOUD, 0.0)
    microphone.prompt_began(500, 0.0)
    assert followed(microphone, 5.0) == [("speaks", CONFIRM_S)]


def test_somebody_who_speaks_is_louder_than_any_echo() -> None:
    microphone = SimulatedMicrophone(Silence(), 0.0)
    microphone.prompt_began(30000, 0.0)
    microphone.begins_to_say(1.0)
    assert followed(microphone, 2.0) == [("speaks", 1.0 + CONFIRM_S)]


def test_prompts_one_after_the_other_keep_the_level_up() -> None:
    microphone = SimulatedMicrophone(LOUD, 0.0)
    microphone.prompt_began(LOUD_PROMPT, 0.0)
    followed(microphone, 3.9)
    microphone.prompt_ended(4.0)
    microphone.prompt_began(LOUD_PROMPT, 4.0)
    assert followed(microphone, 20.0) == []


@pytest.mark.parametrize("source", [LOUD, SOFT, Tone(440, -20.0), Breathing(-20.0)])
def test_the_level_is_that_of_the_samples_sent(source: AudioSource) -> None:
    samples = background(source)
    assert samples is not None
    heard = abs(samples.astype(float))
    if isinstance(source, Breathing):
        heard = heard[:12000]  # one breath, which swells and fades; between breaths it is quiet
    assert mean_level(source) == pytest.approx(float(heard.mean()), rel=0.2 if isinstance(source, Breathing) else 0.01)


def test_the_level_is_the_bridge_s_own() -> None:
    assert mean_level(Noise(-34.0)) > LineSettings("").talk_level > mean_level(Noise(-34.5))
