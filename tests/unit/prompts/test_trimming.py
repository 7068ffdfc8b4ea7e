import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tone_voice import RATE, silence, tone

from ivrflow.prompts.trimming import DEAD_AIR_MS, EDGE_MS, PART_AIR_MS, dead_air, speech_bounds, trim

EDGE = RATE * EDGE_MS // 1000
RESOLUTION = RATE * 5 // 1000


@given(before=st.integers(0, 24000), speech=st.integers(1200, 12000), after=st.integers(0, 36000))
@settings(max_examples=60)
def test_speech_is_found_where_it_is(before: int, speech: int, after: int) -> None:
    samples = np.concatenate([np.zeros(before), tone(speech / RATE), np.zeros(after)]).astype(np.float32)
    start, end = speech_bounds(samples, RATE)
    assert before - RESOLUTION <= start <= before + RESOLUTION
    assert before + speech - RESOLUTION <= end <= before + speech + RESOLUTION


@given(before=st.integers(0, 24000), speech=st.integers(1200, 12000), after=st.integers(0, 36000))
@settings(max_examples=60)
def test_a_trimmed_prompt_has_little_dead_air_whole_packets_and_all_its_speech(
    before: int, speech: int, after: int
) -> None:
    spoken = tone(speech / RATE)
    trimmed = trim(np.concatenate([np.zeros(before), spoken, np.zeros(after)]).astype(np.float32), RATE)
    leading, trailing = dead_air(trimmed, RATE)
    assert 40 <= leading <= 60
    assert 40 <= trailing <= EDGE_MS + 20 + 5 <= DEAD_AIR_MS
    assert len(trimmed) % (RATE * 20 // 1000) == 0
    matches = np.correlate(trimmed, spoken, mode="valid")
    at = int(matches.argmax())
    kept = trimmed[at + RESOLUTION : at + len(spoken) - RESOLUTION]
    assert np.array_equal(kept, spoken[RESOLUTION:-RESOLUTION]), "the fade must not reach into the speech"


def test_a_soft_consonant_before_a_loud_vowel_is_speech() -> None:
    breath = np.random.default_rng(1).normal(0, 0.3 * 10 ** (-42 / 20), RATE * 80 // 1000).astype(np.float32)
    samples = np.concatenate([silence(0.4), breath, tone(0.3), silence(1.0)])
    start, _ = speech_bounds(samples, RATE)
    assert abs(start - round(0.4 * RATE)) <= 2 * RESOLUTION


def test_clear_speech_starts_within_80_ms_and_the_breath_before_it_is_whole() -> None:
    breath = np.random.default_rng(1).normal(0, 0.3 * 10 ** (-42 / 20), RATE * 65 // 1000).astype(np.float32)
    samples = np.concatenate([silence(0.4), breath, tone(0.3), breath, silence(1.0)])
    trimmed = trim(samples, RATE)
    clear = np.flatnonzero(np.abs(trimmed) > 0.05)
    assert clear[0] / RATE == pytest.approx(0.085, abs=0.006)
    assert 0.080 <= (len(trimmed) - clear[-1]) / RATE <= 0.112
    matches = np.correlate(trimmed, samples[round(0.4 * RATE) : -RATE], mode="valid")
    at = int(matches.argmax())
    assert at >= RATE * 20 // 1000 - RESOLUTION, "the fade must not reach into the breath"


def test_a_voice_that_dies_away_slowly_is_no_dead_air() -> None:
    hush = tone(0.3, amplitude=0.3 * 10 ** (-42 / 20))
    trimmed = trim(np.concatenate([silence(0.3), hush, tone(0.5), hush, silence(0.5)]), RATE)
    loud = np.flatnonzero(np.abs(trimmed) > 0.1)
    assert loud[0] / RATE <= DEAD_AIR_MS / 1000
    assert (len(trimmed) - loud[-1]) / RATE <= DEAD_AIR_MS / 1000


def test_noise_of_the_synthesiser_is_silence() -> None:
    hiss = np.random.default_rng(2).normal(0, 0.3 * 10 ** (-65 / 20), 3 * RATE).astype(np.float32)
    hiss[RATE : 2 * RATE] += tone(1.0)
    start, end = speech_bounds(hiss, RATE)
    assert (start, end) == (RATE, 2 * RATE)


def test_a_click_far_from_the_speech_is_not_speech() -> None:
    samples = np.concatenate([silence(0.5), tone(0.4), silence(0.8)])
    samples[2400] = 0.9
    samples[-2400] = 0.9
    trimmed = trim(samples, RATE)
    assert len(trimmed) == pytest.approx(round(0.5 * RATE), abs=RATE * 20 // 1000)


def test_a_pause_within_the_speech_stays() -> None:
    samples = np.concatenate([silence(0.4), tone(0.2), silence(0.35), tone(0.2), silence(1.0)])
    assert len(trim(samples, RATE)) >= round((0.2 + 0.35 + 0.2) * RATE) + 2 * EDGE - RESOLUTION


@pytest.mark.parametrize("samples", [silence(1.0), silence(0.0), silence(0.01)])
def test_silence_has_no_speech(samples: np.typing.NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="no sound"):
        speech_bounds(samples, RATE)


def test_a_lone_click_is_no_speech() -> None:
    samples = silence(1.0)
    samples[12000] = 0.9
    with pytest.raises(ValueError, match="click"):
        trim(samples, RATE)


@pytest.mark.parametrize("edges", [(10, 10), (10, 80), (80, 10), (80, 80)])
def test_a_voice_that_dies_away_slowly_leaves_a_part_no_more_than_a_pause(edges: tuple[int, int]) -> None:
    breath = tone(0.6, amplitude=0.3 * 10 ** (-42 / 20))  # faint, but more than the rustle of silence
    trimmed = trim(np.concatenate([silence(0.4), breath, tone(0.3), breath, silence(1.0)]), RATE, edges)
    loud = np.flatnonzero(np.abs(trimmed) > 0.25)
    assert loud[0] <= RATE * PART_AIR_MS // 1000 + RESOLUTION
    assert len(trimmed) - loud[-1] <= RATE * PART_AIR_MS // 1000 + RESOLUTION


@given(before=st.integers(0, 24000), speech=st.integers(1200, 12000), after=st.integers(0, 36000))
@settings(max_examples=60)
def test_a_part_keeps_as_little_silence_as_it_is_asked_to(before: int, speech: int, after: int) -> None:
    spoken = tone(speech / RATE)
    samples = np.concatenate([np.zeros(before), spoken, np.zeros(after)]).astype(np.float32)
    for edges in ((10, 80), (80, 10), (None, 10)):
        trimmed = trim(samples, RATE, edges)
        leading, trailing = dead_air(trimmed, RATE)
        asked = [EDGE_MS if edge is None else edge for edge in edges]
        assert asked[0] - 10 <= leading <= asked[0] + 10
        assert asked[1] - 10 <= trailing <= asked[1] + 20 + 10
        assert len(trimmed) % (RATE * 20 // 1000) == 0
        matches = np.correlate(trimmed, spoken, mode="valid")
        at = int(matches.argmax())
        kept = trimmed[at + RESOLUTION : at + len(spoken) - RESOLUTION]
        assert np.array_equal(kept, spoken[RESOLUTION:-RESOLUTION])
