"""What was heard of a phrase: exactly where it began, to 10 ms where it was cut, through losses, slips and noise."""

from collections.abc import Sequence

import numpy as np
import pytest
from heard_calls import (
    CHANGE_PHONE,
    CONNECTED,
    FAREWELL,
    GREETING,
    PAYLOAD_TYPES,
    Line,
    last_sound,
    shipped,
    white_noise,
)

from ivrflow.softphone.codecs import FRAME, RATE, Samples
from ivrflow.softphone.repertoire import Wording
from ivrflow.softphone.tracing import Trace, trace


def traced(line: Line, phrase: str, at: int = 0) -> Trace | None:
    (stream,) = line.recording().streams()
    return trace(stream, at, Wording(phrase, shipped(phrase)), 0, len(stream))


def found(line: Line, phrase: str, at: int = 0) -> Trace:
    one = traced(line, phrase, at)
    assert one is not None
    return one


def one_line(*pieces: tuple[float, Samples], codec: str = "alaw") -> Line:
    """Each piece so many seconds after the one before."""
    line, at = Line(codec), 100.0
    for pause, samples in pieces:
        at = line.play(samples, at + pause)
    return line


@pytest.mark.parametrize("phrase", [GREETING, CONNECTED, FAREWELL])
def test_all_of_it(phrase: str) -> None:
    heard = found(one_line((0.0, shipped(phrase))), phrase)
    assert heard.start == 100.0
    assert heard.end == pytest.approx(100.0 + last_sound(shipped(phrase)))
    assert (heard.completeness, heard.lost, len(heard.runs)) == (1.0, 0, 1)
    assert heard.correlation > 0.99


@pytest.mark.parametrize("codec", PAYLOAD_TYPES)
@pytest.mark.parametrize("packets", range(30, 185, 11))
def test_cut_anywhere_by_another_phrase(packets: int, codec: str) -> None:
    cut = shipped(GREETING)[: packets * FRAME]
    for pause in (0.0, 1.5):
        heard = found(one_line((0.0, cut), (pause, shipped(CHANGE_PHONE)), codec=codec), GREETING)
        assert heard.start == pytest.approx(100.0, abs=0.001)
        assert heard.end == pytest.approx(100.0 + last_sound(cut), abs=0.011)
        assert heard.completeness == pytest.approx(share(GREETING, len(cut)), abs=0.02)


def share(phrase: str, samples: int) -> float:
    wording = Wording(phrase, shipped(phrase))
    return wording.sound(0, samples) / wording.sound(0, len(shipped(phrase)))


def test_its_beginning_was_lost() -> None:
    line = one_line((0.0, shipped(GREETING)[60 * FRAME :]))
    heard = found(line, GREETING, at=-60 * FRAME)
    assert heard.start == pytest.approx(100.0 - 60 * 0.02)
    assert heard.end == pytest.approx(100.0 - 60 * 0.02 + last_sound(shipped(GREETING)))
    assert heard.completeness == pytest.approx(1 - share(GREETING, 60 * FRAME), abs=0.02)


def test_lost_packets_are_not_held_against_it() -> None:
    line = one_line((0.0, shipped(GREETING)))
    line.lose({20, 21, 22, 23, 24, 25, 70, 110})
    heard = found(line, GREETING)
    assert heard.completeness > 0.98
    assert heard.lost == pytest.approx(8 * FRAME, abs=3 * FRAME)


def test_a_pbx_that_stands_still_takes_nothing_away() -> None:
    line = one_line((0.0, shipped(GREETING)))
    line.delay(lambda number, at: at + 0.7 if number >= 80 else at)
    heard = found(line, GREETING)
    assert heard.start == pytest.approx(100.0)
    assert heard.completeness == 1.0
    assert heard.end == pytest.approx(100.7 + last_sound(shipped(GREETING)))


@pytest.mark.parametrize(
    ("pieces", "later"),
    [
        ([slice(0, 90), slice(115, None)], -0.5),  # half a second never came, and the timestamps do not say so
        ([slice(0, 90), 40, slice(90, None)], 0.8),  # silence was put in
        ([slice(0, 60), 20, slice(60, 130), slice(150, None)], 0.0),  # both
    ],
)
def test_the_sender_slips(pieces: Sequence[slice | int], later: float) -> None:
    whole = shipped(CHANGE_PHONE)
    packets = whole[: len(whole) // FRAME * FRAME].reshape(-1, FRAME)
    sent = [np.zeros(piece * FRAME, np.int16) if isinstance(piece, int) else packets[piece].ravel() for piece in pieces]
    heard = found(one_line((0.0, np.concatenate(sent))), CHANGE_PHONE)
    assert heard.start == 100.0
    assert heard.end == pytest.approx(100.0 + later + last_sound(whole), abs=0.011)
    assert heard.completeness > 0.97
    assert len(heard.runs) == sum(isinstance(piece, slice) for piece in pieces)


@pytest.mark.parametrize("rms", [100, 300, 700])
def test_noise_shortens_it_by_little(rms: float) -> None:
    spoken = shipped(CHANGE_PHONE)
    heard = found(one_line((0.0, spoken + white_noise(len(spoken) / RATE, rms))), CHANGE_PHONE)
    assert heard.start == 100.0
    assert heard.end == pytest.approx(100.0 + last_sound(spoken), abs=0.1)
    assert heard.completeness > 0.85


def test_only_between_the_bounds() -> None:
    (stream,) = one_line((0.0, shipped(GREETING))).recording().streams()
    wording = Wording(GREETING, shipped(GREETING))
    heard = trace(stream, 0, wording, 50 * FRAME, 150 * FRAME)
    assert heard is not None
    assert heard.first_place >= 50 * FRAME
    assert heard.last_place <= 150 * FRAME
    assert trace(stream, 0, wording, 50 * FRAME, 55 * FRAME) is None


@pytest.mark.parametrize("heard", [shipped(GREETING)[: 10 * FRAME], shipped(CHANGE_PHONE), white_noise(3, 1500)])
def test_too_little_or_something_else(heard: Samples) -> None:
    assert traced(one_line((0.0, heard)), GREETING) is None


def test_what_speaks_more_for_it() -> None:
    whole, half = (found(one_line((0.0, shipped(GREETING)[:end])), GREETING) for end in (None, 2 * RATE))
    assert whole.weight > half.weight
