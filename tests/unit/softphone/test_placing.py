"""Packets on their way into order, and what may be asked of a stream while it grows."""

from collections.abc import Iterator

import numpy as np
import pytest
from heard_calls import PAYLOAD_TYPES, Line, shipped, white_noise

from ivrflow.softphone.codecs import FRAME, RATE
from ivrflow.softphone.placing import HOLD_BACK, HOLD_BACK_S, Stream
from ivrflow.softphone.recording import Inflow, Recording

SPEECH = shipped("house/closing.farewell")


def grown(line: Line, flush: float = 1e9) -> Iterator[list[Stream]]:
    """The streams after each packet."""
    recording = Recording()
    inflow = Inflow(recording)
    for datagram, at in sorted(line.arrivals, key=lambda arrival: arrival[1]):
        recording.add(datagram, at)
        yield inflow.take(at)
    yield inflow.take(flush)


@pytest.mark.parametrize("codec", PAYLOAD_TYPES)
def test_what_grows_packet_by_packet_is_what_is_worked_out_at_once(codec: str) -> None:
    line = Line(codec, jitter_s=0.015)
    at = line.play(SPEECH, at=100.0)
    line.play(SPEECH[:5000], at=at + 0.7)
    line.lose({5, 6, 30})
    line.arrivals += line.arrivals[10:14]
    (*_, streams) = grown(line)
    (live,), (exact,) = streams, line.recording().streams()
    np.testing.assert_array_equal(live.samples, exact.samples)
    assert live.gaps == exact.gaps == [(5 * FRAME, 7 * FRAME), (30 * FRAME, 31 * FRAME)]
    for one, other in zip(live.talkspurts(), exact.talkspurts(), strict=True):
        assert one.start == other.start
        np.testing.assert_array_equal(one.samples, other.samples)


def test_each_packet_is_there_as_soon_as_it_came() -> None:
    line = Line()
    line.play(SPEECH[: 10 * FRAME], at=100.0)
    lengths = [sum(map(len, streams)) // FRAME for streams in grown(line)]
    assert lengths == [*range(1, 11), 10]


def test_a_missing_packet_is_waited_for_and_then_lost() -> None:
    line = Line()
    line.play(SPEECH[: 12 * FRAME], at=100.0)
    line.lose({3})
    lengths = [sum(map(len, streams)) // FRAME for streams in grown(line)]
    assert lengths == [1, 2, 3, *[3] * HOLD_BACK, *range(3 + HOLD_BACK + 2, 13), 12]


def test_a_missing_packet_is_waited_for_no_longer_than_it_may_be_late() -> None:
    line = Line()
    line.play(SPEECH[: 5 * FRAME], at=100.0)
    line.lose({3})
    recording = line.recording()
    inflow = Inflow(recording)
    assert len(inflow.take(100.08)[0]) == 3 * FRAME
    assert len(inflow.take(100.08 + HOLD_BACK_S + 0.001)[0]) == 5 * FRAME


def test_one_that_comes_too_late_is_left_out_while_the_whole_recording_has_it() -> None:
    line = Line()
    line.play(SPEECH[: 20 * FRAME], at=100.0)
    line.delay(lambda number, at: at + 0.2 if number == 3 else at)
    (*_, streams) = grown(line)
    assert streams[0].gaps == [(3 * FRAME, 4 * FRAME)]
    (exact,) = line.recording().streams()
    assert exact.gaps == []


def test_what_came_of_a_stretch() -> None:
    line = Line()
    line.play(SPEECH[: 10 * FRAME], at=100.0)
    line.lose({4})
    (stream,) = line.recording().streams()
    assert stream.came(0, 4 * FRAME) is None
    came = stream.came(3 * FRAME, 6 * FRAME)
    assert came is not None
    assert came.tolist() == [True] * FRAME + [False] * FRAME + [True] * FRAME


def test_the_time_of_a_place_and_the_place_of_a_time() -> None:
    line = Line(jitter_s=0.01)
    at = line.play(SPEECH[: 10 * FRAME], at=100.0)
    line.play(SPEECH[: 10 * FRAME], at=at + 2.0)
    (stream,) = line.recording().streams()
    assert stream.time(400) == pytest.approx(100.05)
    assert stream.time(10 * FRAME + 80) == pytest.approx(at + 2.01)
    assert stream.time(-80) == pytest.approx(99.99)
    assert stream.time(20 * FRAME + 800) == pytest.approx(at + 2.3)
    assert stream.place_arrived(0.0) == 0
    assert stream.place_arrived(101.0) == 10 * FRAME
    assert stream.place_arrived(200.0) == 20 * FRAME


def test_where_the_sender_paused() -> None:
    line = Line()
    at = line.play(SPEECH[: 10 * FRAME], at=100.0)
    at = line.play(SPEECH[: 10 * FRAME], at=at + 0.03)  # no pause to speak of
    at = line.play(SPEECH[: 10 * FRAME], at=at + 0.1, goes_on=True)
    line.play(SPEECH[: 10 * FRAME], at=at + 3.0)
    (stream,) = line.recording().streams()
    assert stream.pauses(0, len(stream)) == [20 * FRAME, 30 * FRAME]
    assert stream.pauses(20 * FRAME, 30 * FRAME) == []


def test_a_long_stream_keeps_every_sample() -> None:
    noise = white_noise(30.0, 1000)
    line = Line("ulaw")
    line.play(noise, at=100.0)
    (*_, streams) = grown(line)
    assert len(streams[0]) == 30 * RATE
    assert float(np.corrcoef(streams[0].samples, noise)[0, 1]) > 0.99


def test_a_sound_that_takes_the_place_of_another_at_once_moves_neither() -> None:
    line = Line(jitter_s=0.002)
    at = line.play(SPEECH[: 40 * FRAME], at=100.0)
    at = line.play(SPEECH[: 40 * FRAME], at=at - 0.018, goes_on=True)  # as Asterisk does
    at = line.play(SPEECH[: 40 * FRAME], at=at + 0.021, goes_on=True)
    line.play(SPEECH[: 40 * FRAME], at=at - 0.019, goes_on=True)
    (stream,) = line.recording().streams()
    starts = [stream.time(number * 40 * FRAME + 80) for number in range(4)]
    assert starts == pytest.approx([100.01, 100.792, 101.613, 102.394], abs=0.001)


def test_what_is_held_up_at_the_beginning_is_not_moved() -> None:
    line = Line()
    line.play(SPEECH[: 60 * FRAME], at=100.0)
    line.delay(lambda number, at: max(at, 100.3) if number < 16 else at)
    (stream,) = line.recording().streams()
    assert stream.time(0) == pytest.approx(100.0)
    assert stream.pauses(0, len(stream)) == []
