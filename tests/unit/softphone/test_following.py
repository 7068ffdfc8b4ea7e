"""A phrase followed block by block while it comes."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from heard_calls import CHANGE_PHONE, CONNECTED, GREETING, Line, last_sound, shipped

from ivrflow.softphone.codecs import FRAME, RATE
from ivrflow.softphone.following import Follower, begin_of, fits, similarity
from ivrflow.softphone.placing import Stream
from ivrflow.softphone.repertoire import Wording

WORDING = Wording(GREETING, shipped(GREETING))


def stream_of(line: Line) -> Stream:
    (stream,) = line.recording().streams()
    return stream


def played(samples: npt.NDArray[Any], codec: str = "alaw") -> Stream:
    line = Line(codec)
    line.play(samples.astype(np.int16), at=100.0)
    return stream_of(line)


def test_what_was_lost_is_not_held_against_a_phrase() -> None:
    line = Line()
    line.play(shipped(GREETING), at=100.0)
    line.lose({10, 11})
    stream = stream_of(line)
    whole = similarity(stream, 0, WORDING, 8 * FRAME, 14 * FRAME)
    assert whole is not None
    assert whole > 0.99
    assert similarity(stream, 0, WORDING, 10 * FRAME, 12 * FRAME) is None
    assert similarity(stream, -5 * FRAME, WORDING, 0, 4 * FRAME) is None  # before the stream began
    other = similarity(played(shipped(CHANGE_PHONE)), 0, WORDING, 8 * FRAME, 14 * FRAME)
    assert other is not None
    assert other < 0.5


def test_whether_it_fits() -> None:
    assert fits(played(shipped(GREETING)), 0, WORDING)
    assert fits(played(shipped(GREETING) * 0.2), 0, WORDING)
    assert not fits(played(shipped(GREETING)), 40, WORDING)
    assert not fits(played(shipped(CHANGE_PHONE)), 0, WORDING)


@pytest.mark.parametrize("early", [0, 5])
def test_when_it_began_although_a_codec_puts_it_where_the_sound_before_belongs(early: int) -> None:
    line = Line()
    at = line.play(shipped(CONNECTED)[: 100 * FRAME], at=100.0)
    line.play(shipped(GREETING), at=at + 7.0)
    began = begin_of(stream_of(line), 100 * FRAME - early, WORDING)
    assert began == pytest.approx(at + 7.0, abs=0.001)


def test_it_is_followed_to_its_end() -> None:
    line = Line()
    line.play(shipped(GREETING), at=100.0)
    line.arrivals, later = line.arrivals[:60], line.arrivals[60:]
    follower = Follower(stream_of(line), 0, WORDING)
    assert not follower.is_over
    assert follower.due == pytest.approx(100.0 + last_sound(shipped(GREETING)), abs=0.011)
    heard = follower.heard
    line.arrivals += later
    follower = Follower(stream_of(line), 0, WORDING)
    assert follower.is_over
    assert follower.heard > heard
    assert follower.completeness == 1.0


def test_a_slip_is_followed_and_another_phrase_is_the_end() -> None:
    whole = shipped(CHANGE_PHONE)
    wording = Wording(CHANGE_PHONE, whole)
    slipped = np.concatenate([whole[: 80 * FRAME], np.zeros(30 * FRAME), whole[80 * FRAME :]])
    stream = played(slipped)
    follower = Follower(stream, 0, wording)
    assert follower.completeness == 1.0
    assert follower.ended_at == pytest.approx(100.6 + last_sound(whole), abs=0.011)
    cut = Follower(played(np.concatenate([whole[: 2 * RATE], shipped(GREETING)])), 0, wording)
    assert cut.is_over
    assert cut.ended_at == pytest.approx(100.0 + last_sound(whole[: 2 * RATE]), abs=0.03)
