"""The codecs against the tables of ITU-T G.711 and against themselves."""

import numpy as np
import pytest

from ivrflow.softphone.codecs import FRAME, RATE, Samples, codec

EVERY_SAMPLE: Samples = np.arange(65536, dtype=np.uint16).view(np.int16)
EVERY_BYTE = bytes(range(256))


def sine(hz: int, amplitude: float = 10000.0, seconds: float = 1.0) -> Samples:
    samples: Samples = (amplitude * np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)
    return samples


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        # G.711 table 2a (mu-law, times 4 for 16 bit) and 1a (A-law, times 8): decision ends of the segments
        ("ulaw", {0x00: -32124, 0x80: 32124, 0xFF: 0, 0x7F: 0, 0x8F: 16764, 0xFE: 8, 0x7E: -8, 0xBF: 1980, 0x9F: 8316}),
        ("alaw", {0x55: -8, 0xD5: 8, 0x2A: -32256, 0xAA: 32256, 0xD4: 24, 0xC5: 264, 0x80: 5504}),
    ],
)
def test_values_of_the_recommendation(name: str, samples: dict[int, int]) -> None:
    for code, sample in samples.items():
        assert int(codec(name).decode(bytes([code]))[0]) == sample


@pytest.mark.parametrize("name", ["ulaw", "alaw"])
def test_every_code_survives_decoding_and_encoding(name: str) -> None:
    same = codec(name)
    again = same.encode(same.decode(EVERY_BYTE))
    expected = bytearray(EVERY_BYTE)
    if name == "ulaw":
        expected[0x7F] = 0xFF  # both zeros of mu-law are the positive one
    assert again == bytes(expected)


@pytest.mark.parametrize(("name", "step"), [("ulaw", 1024), ("alaw", 1024)])
def test_no_sample_is_further_off_than_half_a_step(name: str, step: int) -> None:
    same = codec(name)
    off = np.abs(same.decode(same.encode(EVERY_SAMPLE)).astype(np.int32) - EVERY_SAMPLE)
    loud = np.abs(EVERY_SAMPLE.astype(np.int32)) > 32200  # clipped
    assert off[~loud].max() <= step // 2 + 8
    assert off[np.abs(EVERY_SAMPLE.astype(np.int32)) < 30].max() <= 16


@pytest.mark.parametrize("name", ["ulaw", "alaw", "g722"])
def test_speech_band_audio_survives(name: str) -> None:
    sent = sine(1000)
    heard = codec(name).decode(codec(name).encode(sent))
    assert len(heard) == len(sent)
    assert np.argmax(np.abs(np.fft.rfft(heard.astype(np.float64)))) == 1000
    assert np.sqrt(np.mean(heard[800:].astype(np.float64) ** 2)) == pytest.approx(10000 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("name", ["ulaw", "alaw", "g722"])
def test_20_ms_are_160_bytes(name: str) -> None:
    assert len(codec(name).encode(np.zeros(FRAME, np.int16))) == FRAME


def test_g722_continues_where_it_stopped() -> None:
    sent, pieces = sine(440), codec("g722")
    in_pieces = b"".join(pieces.encode(sent[start : start + FRAME]) for start in range(0, len(sent), FRAME))
    assert in_pieces == codec("g722").encode(sent)


def test_other_codecs_are_refused() -> None:
    with pytest.raises(ValueError, match="no codec called 'opus'"):
        codec("opus")
