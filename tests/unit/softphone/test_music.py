"""Hold music found from any place in its files, after any codec, and nothing else taken for it."""

import numpy as np
import pytest
from heard_calls import CHANGE_PHONE, GREETING, PAYLOAD_TYPES, Line, made_up_music, shipped, white_noise

from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.music import QUERY_S, MusicIndex
from ivrflow.softphone.placing import Stream

FILES = (made_up_music(20.0, 1), made_up_music(12.0, 2), made_up_music(0.9, 3))
MUSIC = MusicIndex(FILES)
QUERY = int(QUERY_S * RATE)


def through(codec_name: str, samples: Samples) -> Samples:
    line = codec(codec_name)
    return line.decode(line.encode(np.ascontiguousarray(samples)))


def stream_of(line: Line) -> Stream:
    (stream,) = line.recording().streams()
    return stream


@pytest.mark.parametrize("codec_name", PAYLOAD_TYPES)
@pytest.mark.parametrize(("file", "at"), [(0, 0), (0, 12345), (0, 155_000), (1, 40_001), (2, 2000)])
def test_any_place_is_found(file: int, at: int, codec_name: str) -> None:
    heard = through(codec_name, (FILES[file][at : at + QUERY] * 0.5).astype(np.int16))
    place = MUSIC.locate(heard)
    assert place is not None
    assert place.file == file
    assert place.at == pytest.approx(at, abs=12)  # G.722 delays a little
    assert place.correlation > 0.9


def test_speech_noise_and_silence_are_not_in_it() -> None:
    for start in range(0, len(shipped(CHANGE_PHONE)) - QUERY, QUERY):
        assert MUSIC.locate(shipped(CHANGE_PHONE)[start : start + QUERY]) is None
    assert MUSIC.locate(white_noise(QUERY_S, 2000)) is None
    assert MUSIC.locate(np.zeros(QUERY, np.int16)) is None
    assert MUSIC.locate(FILES[0][:100]) is None
    assert MusicIndex(()).locate(FILES[0][:QUERY]) is None


@pytest.mark.parametrize("silence", [-3000, -800, 800, 3000])
def test_it_is_found_although_it_is_silent_before_it_begins_or_after_its_end(silence: int) -> None:
    quiet, length = np.zeros(abs(silence), np.int16), QUERY - abs(silence)
    heard = np.concatenate([quiet, FILES[1][:length]] if silence < 0 else [FILES[1][-length:], quiet])
    place = MUSIC.locate(heard)
    assert place is not None
    assert (place.file, place.at) == (1, silence if silence < 0 else len(FILES[1]) - length)
    line = Line("alaw")
    line.play(np.concatenate([heard, np.zeros(RATE, np.int16)]), at=100.0)
    stretch = MUSIC.around(stream_of(line), 0, QUERY)
    assert stretch is not None
    assert stretch.start == pytest.approx(max(0, -silence), abs=80)
    assert stretch.end == pytest.approx(QUERY - max(0, silence), abs=1200)  # it fades away


def test_how_far_it_goes() -> None:
    line = Line("ulaw")
    at = line.play(shipped(GREETING), at=100.0)
    at = line.play(FILES[1][24_000:48_000], at=at)
    line.play(shipped(CHANGE_PHONE), at=at)
    stream, begins = stream_of(line), len(shipped(GREETING))
    stretch = MUSIC.around(stream, begins + 9000, begins + 9000 + QUERY)
    assert stretch is not None
    assert stretch.file == 1
    assert stretch.start == pytest.approx(begins, abs=400)
    assert stretch.end == pytest.approx(begins + 24_000, abs=400)
    assert stretch.at - stretch.start == 24_000 - begins
    later = MUSIC.around(stream, begins + 9000, begins + 9000 + QUERY, floor=begins + 5000)
    assert later is not None
    assert later.start >= begins + 5000


def test_it_is_followed_while_it_comes() -> None:
    short, long = Line("alaw"), Line("alaw")
    short.play(FILES[0][: 2 * RATE], at=100.0)
    long.play(FILES[0][: 5 * RATE], at=100.0)
    found = MUSIC.around(stream_of(short), RATE, RATE + QUERY)
    assert found is not None
    longer = MUSIC.extended(stream_of(long), found)
    assert (longer.start, longer.at) == (found.start, found.at)
    assert longer.end == pytest.approx(5 * RATE, abs=400)


def test_it_goes_on_over_a_pause_of_the_sender_only_when_much_of_it_is_heard_there() -> None:
    for beyond, start in ((RATE, 0), (800, 800)):
        line = Line("alaw")
        at = line.play(FILES[0][RATE - beyond : RATE], at=100.0)
        line.play(FILES[0][RATE : 4 * RATE], at=at + 0.4)
        stretch = MUSIC.around(stream_of(line), 2 * RATE, 2 * RATE + QUERY)
        assert stretch is not None
        assert stretch.start == start
