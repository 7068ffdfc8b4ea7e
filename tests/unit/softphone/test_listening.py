"""Prompts found in what was heard: whole, cut, repeated, disturbed, and not at all."""

import numpy as np
import pytest

from ivrflow.softphone.codecs import FRAME, RATE, Samples, codec
from ivrflow.softphone.listening import find, find_all, recognise
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.rtp import RtpPacket

ALAW = codec("alaw")


def prompt(seconds: float, seed: int) -> Samples:
    """Something like speech: a buzz of changing pitch in syllables, with pauses."""
    random = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * RATE))
    at = 0
    while at < len(samples):
        length = int(random.uniform(0.1, 0.3) * RATE)
        time = np.arange(min(length, len(samples) - at)) / RATE
        pitch = random.uniform(180, 280)
        syllable = sum(
            np.sin(2 * np.pi * k * pitch * time + random.uniform(0, 6)) * random.uniform(0, 1) for k in range(1, 12)
        )
        samples[at : at + len(time)] = syllable * np.hanning(len(time))
        at += length + int(random.uniform(0.0, 0.1) * RATE)
    heard: Samples = (samples / np.abs(samples).max() * 12000).astype(np.int16)
    return heard


PROMPTS = {"greeting": prompt(4.0, 1), "menu": prompt(6.0, 2), "farewell": prompt(1.5, 3)}


def heard(*pieces: tuple[float, Samples]) -> Recording:
    """A recording in which each piece begins at its time; nothing is sent in between."""
    recording, sequence = Recording(), 0
    for at, samples in pieces:
        for start in range(0, len(samples), FRAME):
            payload = ALAW.encode(samples[start : start + FRAME])
            packet = RtpPacket(8, sequence, int(at * RATE) + start, 7, payload, marker=start == 0)
            recording.add(packet.pack(), at + start / RATE)
            sequence += 1
    return recording


def last_sound(samples: Samples) -> float:
    """Seconds until the last 10 ms louder than -45 dBFS end."""
    steps = samples[: len(samples) // 80 * 80].reshape(-1, 80).astype(np.float64)
    return float(np.flatnonzero(np.sqrt(np.mean(steps**2, axis=1)) > 184)[-1] + 1) * 0.01


def test_a_whole_prompt() -> None:
    found = find(heard((100.25, PROMPTS["greeting"])), PROMPTS["greeting"], "greeting")
    assert found is not None
    assert found.name == "greeting"
    assert found.start == pytest.approx(100.25, abs=1 / RATE)
    assert found.end == pytest.approx(100.25 + last_sound(PROMPTS["greeting"]), abs=0.011)
    assert found.completeness == 1.0
    assert found.correlation > 0.99


def test_it_is_found_at_another_volume() -> None:
    found = find(heard((100.0, (PROMPTS["greeting"] * 0.3).astype(np.int16))), PROMPTS["greeting"])
    assert found is not None
    assert found.completeness > 0.95


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0, 3.5])
def test_a_prompt_cut_by_the_next_one(seconds: float) -> None:
    cut = PROMPTS["greeting"][: int(seconds * RATE)]
    recording = heard((100.0, np.concatenate([cut, PROMPTS["menu"]])))
    first, second = recognise(recording, PROMPTS)
    assert [first.name, second.name] == ["greeting", "menu"]
    assert first.start == pytest.approx(100.0, abs=1 / RATE)
    assert first.end == pytest.approx(100.0 + last_sound(cut), abs=0.021)
    assert first.completeness == pytest.approx(seconds / 4.0, abs=0.06)
    assert second.start == pytest.approx(100.0 + seconds, abs=1 / RATE)
    assert second.completeness == 1.0


def test_a_prompt_cut_by_hanging_up() -> None:
    found = find(heard((100.0, PROMPTS["menu"][: 2 * RATE])), PROMPTS["menu"])
    assert found is not None
    assert found.completeness == pytest.approx(1 / 3, abs=0.05)


def test_a_prompt_whose_beginning_was_lost() -> None:
    found = find(heard((100.0, PROMPTS["menu"][RATE:])), PROMPTS["menu"])
    assert found is not None
    assert found.start == pytest.approx(99.0, abs=1 / RATE)
    assert found.completeness == pytest.approx(5 / 6, abs=0.05)


def test_every_repetition_is_found() -> None:
    recording = heard(*((at, PROMPTS["greeting"]) for at in (100.0, 107.0, 114.5)))
    assert [round(found.start, 3) for found in find_all(recording, PROMPTS["greeting"])] == [100.0, 107.0, 114.5]


def test_the_order_of_a_call() -> None:
    recording = heard((100.0, PROMPTS["greeting"]), (107.0, PROMPTS["menu"]), (116.0, PROMPTS["farewell"]))
    assert [found.name for found in recognise(recording, PROMPTS)] == ["greeting", "menu", "farewell"]


def test_two_phrases_that_begin_alike_are_told_apart() -> None:
    greeting, connected, last = PROMPTS["greeting"], prompt(1.5, 4), prompt(4.0, 5)
    connected[: RATE // 2] = greeting[: RATE // 2]
    last[3 * RATE // 2 : 17 * RATE // 10] = greeting[3 * RATE : 32 * RATE // 10]  # one syllable more, by chance
    said = heard((10.0, greeting), (17.0, connected), (21.0, last))
    found = recognise(said, {"greeting": greeting, "connected": connected, "last": last})
    assert [(claim.name, round(claim.start, 2), claim.completeness) for claim in found] == [
        ("greeting", 10.0, 1.0),
        ("connected", 17.0, 1.0),
        ("last", 21.0, 1.0),
    ]


def test_noise_on_the_line_does_no_harm() -> None:
    noise = np.random.default_rng(5).normal(0, 500, len(PROMPTS["greeting"])).astype(np.int16)
    found = find(heard((100.0, PROMPTS["greeting"] + noise)), PROMPTS["greeting"])
    assert found is not None
    assert found.completeness > 0.9


@pytest.mark.parametrize("at", [2.0, 2.04, 2.07])
def test_a_sender_that_slips_is_followed(at: float) -> None:
    whole, cut = PROMPTS["greeting"], int(at * RATE)
    recording = heard((100.0, whole[:cut]), (100.03 + at, whole[cut:]))
    found = find(recording, whole)
    assert found is not None
    assert found.completeness == 1.0
    assert found.end == pytest.approx(100.03 + last_sound(whole), abs=0.011)


def test_what_was_not_played_is_not_found() -> None:
    recording = heard((100.0, PROMPTS["greeting"]))
    assert find(recording, PROMPTS["menu"]) is None
    assert find_all(Recording(), PROMPTS["menu"]) == []
    assert find(recording, np.zeros(RATE, np.int16)) is None
    assert find(recording, np.zeros(0, np.int16)) is None
