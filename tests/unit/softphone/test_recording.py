"""Everything received on one timeline: lost, late, doubled and short packets, pauses, jumps and new streams."""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ivrflow.softphone.codecs import FRAME, RATE, Samples, codec
from ivrflow.softphone.recording import HeardKey, HeardSpan, Recording
from ivrflow.softphone.rtp import KeyEvent, RtpPacket

ALAW = codec("alaw")


def speech(frames: int, seed: int = 1) -> Samples:
    """Loud noise that A-law carries unchanged."""
    noise = np.random.default_rng(seed).integers(-8000, 8000, frames * FRAME).astype(np.int16)
    return ALAW.decode(ALAW.encode(noise))


def packets(
    samples: Samples,
    at: float,
    *,
    sequence: int = 65530,
    timestamp: int = 2**32 - 500,
    ssrc: int = 7,
    marker: bool = False,
) -> Iterator[tuple[bytes, float]]:
    """`samples` as 20 ms packets, each arriving when it is sent; the last one may be short."""
    for number, start in enumerate(range(0, len(samples), FRAME)):
        packet = RtpPacket(
            8,
            (sequence + number) % 2**16,
            (timestamp + start) % 2**32,
            ssrc,
            ALAW.encode(samples[start : start + FRAME]),
            marker and number == 0,
        )
        yield packet.pack(), at + start / RATE


def recorded(*arrivals: tuple[bytes, float]) -> Recording:
    recording = Recording()
    for datagram, arrival in arrivals:
        recording.add(datagram, arrival)
    return recording


def test_audio_lies_where_it_was_heard() -> None:
    said = speech(50)
    recording = recorded(*packets(said, at=100.0))
    assert recording.span == HeardSpan(100.0, 101.0)
    np.testing.assert_array_equal(recording.samples(100.0, 101.0), said)
    np.testing.assert_array_equal(recording.samples(100.5, 101.5), [*said[4000:], *[0] * 4000])
    np.testing.assert_array_equal(recording.samples(99.0, 99.5), np.zeros(4000))
    assert len(recording.samples(101.0, 100.0)) == 0


def test_jitter_does_not_move_it() -> None:
    said = speech(50)
    late = np.random.default_rng(2).uniform(0, 0.015, 50)
    late[20] = 0.0
    recording = recorded(*((d, t + float(x)) for (d, t), x in zip(packets(said, 100.0), late, strict=True)))
    (spurt,) = recording.talkspurts()
    assert spurt.start == pytest.approx(100.0, abs=1e-9)
    np.testing.assert_array_equal(spurt.samples, said)


def test_a_burst_after_a_hold_up_does_not_move_it() -> None:
    said = speech(50)
    held_up = [(d, max(t, 100.6) if t >= 100.2 else t) for d, t in packets(said, 100.0)]
    (spurt,) = recorded(*held_up).talkspurts()
    assert spurt.start == pytest.approx(100.0)
    assert len(spurt.samples) == len(said)


def test_order_and_doubles_do_not_matter() -> None:
    said = speech(10)
    arrivals = list(packets(said, 100.0))
    arrivals[3], arrivals[4] = arrivals[4], (arrivals[3][0], arrivals[4][1] + 0.001)
    arrivals.insert(7, (arrivals[6][0], arrivals[6][1] + 0.001))
    np.testing.assert_array_equal(recorded(*arrivals).samples(100.0, 100.2), said)


def test_a_lost_packet_leaves_a_hole() -> None:
    said = speech(10)
    arrivals = list(packets(said, 100.0))
    del arrivals[4:6]
    (spurt,) = recorded(*arrivals).talkspurts()
    expected = said.copy()
    expected[4 * FRAME : 6 * FRAME] = 0
    np.testing.assert_array_equal(spurt.samples, expected)


@pytest.mark.parametrize("as_asterisk_does", [True, False])
def test_a_short_last_packet_follows_on(as_asterisk_does: bool) -> None:
    said = speech(10)[: 9 * FRAME + 18]
    arrivals = list(packets(said, 100.0, timestamp=0))
    if as_asterisk_does:  # the timestamp advances by the short packet's own length
        last = RtpPacket(8, (65530 + 9) % 2**16, 8 * FRAME + 18, 7, ALAW.encode(said[9 * FRAME :]))
        arrivals[-1] = (last.pack(), arrivals[-1][1])
    (spurt,) = recorded(*arrivals).talkspurts()
    assert spurt.start == 100.0
    np.testing.assert_array_equal(spurt.samples, said)


def test_each_prompt_lies_where_it_arrived_when_the_timestamps_jump() -> None:
    one, two = speech(10), speech(10, seed=2)
    recording = recorded(
        *packets(one, 100.0, sequence=0, timestamp=0),
        *packets(two, 103.217, sequence=10, timestamp=1600 + 3 * RATE, marker=True),
    )
    starts = [spurt.start for spurt in recording.talkspurts()]
    assert starts == [pytest.approx(100.0), pytest.approx(103.217)]


def test_a_pause_that_the_timestamps_hide_is_seen() -> None:
    one, two = speech(10), speech(10, seed=2)
    recording = recorded(
        *packets(one, 100.0, sequence=0, timestamp=0), *packets(two, 100.26, sequence=10, timestamp=1600)
    )
    assert [spurt.start for spurt in recording.talkspurts()] == [pytest.approx(100.0), pytest.approx(100.26)]
    np.testing.assert_array_equal(recording.samples(100.26, 100.46), two)


def test_a_new_source_and_a_sender_that_began_anew() -> None:
    one, two, three = speech(5), speech(5, seed=2), speech(5, seed=3)
    recording = recorded(
        *packets(one, 100.0, ssrc=1),
        *packets(two, 101.0, ssrc=2),
        *packets(three, 102.0, ssrc=2, sequence=20000),
    )
    for at, said in ((100.0, one), (101.0, two), (102.0, three)):
        np.testing.assert_array_equal(recording.samples(at, at + 0.1), said)


def test_noise_keys_rtcp_and_garbage_are_kept_and_not_heard() -> None:
    said = speech(5)
    recording = recorded(
        *packets(said, 100.0),
        (RtpPacket(13, 5, 0, 9, b"\x40").pack(), 100.2),
        (b"\x80\xc8" + bytes(26), 100.3),
        (b"", 100.4),
        (b"garbage", 100.5),
        (RtpPacket(8, 6, 0, 9, b"").pack(), 100.6),
    )
    assert len(recording) == 10
    assert recording.last_arrival == 100.6
    (spurt,) = recording.talkspurts()
    assert len(spurt.samples) == len(said)


def test_nothing_was_heard() -> None:
    recording = Recording()
    assert recording.span is None
    assert recording.talkspurts() == []
    assert recording.heard_spans() == []
    assert recording.heard_keys() == []
    assert recording.last_arrival is None
    np.testing.assert_array_equal(recording.samples(1.0, 1.1), np.zeros(800))


def test_it_can_be_asked_while_it_grows() -> None:
    arrivals = list(packets(speech(10), 100.0))
    recording = recorded(*arrivals[:5])
    assert recording.span == HeardSpan(100.0, 100.1)
    for datagram, arrival in arrivals[5:]:
        recording.add(datagram, arrival)
    assert recording.span == HeardSpan(100.0, 100.2)


def test_keys_are_heard_once_each() -> None:
    def key(event: KeyEvent, timestamp: int, sequence: int) -> bytes:
        return RtpPacket(96, sequence, timestamp, 7, event.pack()).pack()

    recording = Recording()
    recording.understand({}, 96)
    one = [KeyEvent("1", 160), KeyEvent("1", 800, ended=True), KeyEvent("1", 800, ended=True)]
    for number, event in enumerate(one):
        recording.add(key(event, 0, number), 100.0 + number * 0.02)
    recording.add(key(KeyEvent("#", 400, ended=True), 1600, 3), 100.06)
    recording.add(RtpPacket(96, 9, 9, 7, b"x").pack(), 101.0)
    assert recording.heard_keys() == [HeardKey("1", 100.0, 0.1), HeardKey("#", 100.06, 0.05)]


def test_other_payload_types_can_be_agreed() -> None:
    said = codec("ulaw").decode(codec("ulaw").encode(speech(1)))
    recording = Recording()
    recording.understand({111: "ulaw"}, None)
    recording.add(RtpPacket(111, 1, 0, 7, codec("ulaw").encode(said)).pack(), 5.0)
    np.testing.assert_array_equal(recording.samples(5.0, 5.02), said)


def test_what_was_heard_in_spans() -> None:
    loud, quiet = speech(10), np.zeros(10 * FRAME, np.int16)
    said = np.concatenate([quiet, loud, quiet, loud, np.tile(quiet, 5), loud])
    recording = recorded(*packets(said, 100.0))
    first, second = recording.heard_spans()
    assert [first.start, first.end, second.start, second.end] == pytest.approx([100.2, 100.8, 101.8, 102.0])
    assert len(recording.heard_spans(join_s=0.1)) == 3
    assert recording.heard_spans(quiet_dbfs=-3.0) == []


def test_it_is_written_as_a_wav_file(tmp_path: Path) -> None:
    said = speech(10)
    recording = recorded(*packets(said, 100.0))
    for name, start, length in (("all.wav", None, 1600), ("later.wav", 99.9, 2400)):
        recording.write_wav(tmp_path / name, start)
        with wave.open(str(tmp_path / name)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
            heard = np.frombuffer(file.readframes(10_000), "<i2")
        assert len(heard) == length
        np.testing.assert_array_equal(heard[-1600:], said)
    Recording().write_wav(tmp_path / "none.wav")
    assert (tmp_path / "none.wav").stat().st_size == 44


def test_what_a_held_up_sender_sends_at_once_stays_in_order() -> None:
    one, two = speech(2), speech(10, seed=2)
    burst = [datagram for datagram, _ in packets(one, 0.0, sequence=0, timestamp=0)]
    burst += [datagram for datagram, _ in packets(two, 0.0, sequence=2, timestamp=5000, marker=True)]
    spurts = recorded(*((datagram, 100.5) for datagram in burst)).talkspurts()
    assert [len(spurt.samples) for spurt in spurts] == [len(one), len(two)]
    np.testing.assert_array_equal(spurts[1].samples, two)
