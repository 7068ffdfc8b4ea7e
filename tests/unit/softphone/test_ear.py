"""One expected sound told while it is heard: in time, at the right moment, and no other."""

from collections.abc import Callable

import numpy as np
import pytest
from heard_calls import (
    CALLS_BACK,
    CHANGE_PHONE,
    CONNECTED,
    FAREWELL,
    GREETING,
    PAYLOAD_TYPES,
    SAME_AS_GREETING,
    WAIT_ALT1,
    WAIT_ALT2,
    Line,
    last_sound,
    made_up_music,
    shipped,
    some_prompts,
    white_noise,
)

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.ear import CUT_AFTER_S, LOOK_EVERY_S, Began, Ear, Ended
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Repertoire

SOUNDS = Repertoire(some_prompts())
Told = tuple[float, Began | Ended]


def listened(
    line: Line,
    listen: Callable[[Ear], None],
    *,
    until: float,
    repertoire: Repertoire = SOUNDS,
    begin: float = 99.0,
    frozen: tuple[float, float] = (0.0, 0.0),
) -> list[Told]:
    """Everything an ear tells, and when it does; between the two seconds of `frozen` its process stands still."""
    recording = Recording()
    ear = Ear(recording, repertoire)
    listen(ear)
    told: list[Told] = []
    arrivals = sorted(line.arrivals, key=lambda arrival: arrival[1])
    now = begin
    while now < until:
        while arrivals and arrivals[0][1] <= now:
            recording.add(*arrivals.pop(0))
        if heard := ear.look(now):
            told.append((now, heard))
        later = now + LOOK_EVERY_S
        now = min(later, ear.next_look) if ear.next_look and ear.next_look > now else later
        if frozen[0] <= now < frozen[1]:
            now = frozen[1]
    return told


def listened_for(phrase: str, line: Line, *, until: float, since: float = 99.0, **more: object) -> list[Told]:
    return listened(line, lambda ear: ear.listen_for(phrase, since), until=until, **more)  # type: ignore[arg-type]  # handed on as they are


@pytest.mark.parametrize("codec", PAYLOAD_TYPES)
@pytest.mark.parametrize("phrase", [GREETING, CHANGE_PHONE, FAREWELL, CALLS_BACK])
def test_a_phrase_is_told_soon_after_it_began_and_ended(phrase: str, codec: str) -> None:
    line = Line(codec)
    over = line.play(shipped(phrase), at=100.013)
    (began_told, began), (ended_told, ended) = listened_for(phrase, line, until=over + 1)
    assert began.at == pytest.approx(100.013, abs=0.001)
    assert 0 < began_told - began.at <= 0.6
    assert ended.at == pytest.approx(100.013 + last_sound(shipped(phrase)), abs=0.011)
    assert completeness(ended) == 1.0
    assert ended_told - ended.at <= 0.15


def test_it_is_told_at_the_right_moment_although_another_sound_goes_before() -> None:
    line = Line("g722")
    next_at = line.play(shipped(CONNECTED), at=100.0)
    over = line.play(shipped(GREETING), at=next_at + 3.0)
    (_, began), _ = listened_for(GREETING, line, until=over + 1)
    assert began.at == pytest.approx(next_at + 3.0, abs=0.001)


def test_what_begins_alike_is_not_taken_for_it() -> None:
    for played, other in ((WAIT_ALT1, WAIT_ALT2), (WAIT_ALT2, WAIT_ALT1), (CONNECTED, GREETING), (GREETING, CONNECTED)):
        line = Line()
        over = line.play(shipped(played), at=100.0)
        assert listened_for(other, line, until=over + 1) == []
        assert len(listened_for(played, line, until=over + 1)) == 2


def test_the_same_wording_is_the_same_phrase_to_the_ear() -> None:
    line = Line()
    over = line.play(shipped(GREETING), at=100.0)
    told = listened_for(SAME_AS_GREETING, line, until=over + 1, repertoire=Repertoire(some_prompts(SAME_AS_GREETING)))
    assert len(told) == 2


def test_what_began_before_does_not_count_and_the_repetition_does() -> None:
    line = Line()
    second = line.play(shipped(CONNECTED), at=100.0)
    over = line.play(shipped(CONNECTED), at=second)
    (_, began), (_, ended) = listened_for(CONNECTED, line, until=over + 1, since=100.5)
    assert began.at == pytest.approx(second)
    assert ended.at == pytest.approx(second + last_sound(shipped(CONNECTED)), abs=0.011)


def test_what_was_heard_meanwhile_counts() -> None:
    line = Line()
    over = line.play(shipped(CONNECTED), at=100.0)
    (told, began), _ = listened_for(CONNECTED, line, until=over + 1, since=99.95, begin=101.5)
    assert (told, round(began.at, 6)) == (101.5, 100.0)


@pytest.mark.parametrize("seconds", [0.8, 1.32, 2.0, 3.1])
def test_a_phrase_after_which_nothing_comes_was_cut(seconds: float) -> None:
    heard = shipped(GREETING)[: round(seconds * RATE)]
    line = Line()
    over = line.play(heard, at=100.0)
    _, (told, ended) = listened_for(GREETING, line, until=over + 2)
    assert ended.at == pytest.approx(100.0 + last_sound(heard), abs=0.02)
    assert completeness(ended) == pytest.approx(share_of(GREETING, len(heard)), abs=0.02)
    assert CUT_AFTER_S - 0.02 <= told - over <= CUT_AFTER_S + 3 * LOOK_EVERY_S


@pytest.mark.parametrize("seconds", [1.0, 2.36])
def test_a_phrase_that_another_one_interrupts_was_cut(seconds: float) -> None:
    heard = shipped(GREETING)[: round(seconds * RATE)]
    line = Line()
    cut = line.play(heard, at=100.0)
    line.play(shipped(CHANGE_PHONE), at=cut)
    _, (told, ended) = listened_for(GREETING, line, until=cut + 3)
    assert ended.at == pytest.approx(100.0 + last_sound(heard), abs=0.03)
    assert completeness(ended) == pytest.approx(share_of(GREETING, len(heard)), abs=0.03)
    assert told - cut <= 0.6


def completeness(told: Began | Ended) -> float:
    assert isinstance(told, Ended)
    return told.completeness


def share_of(phrase: str, samples: int) -> float:
    """How much of the phrase's sound lies in its first samples."""
    steps = shipped(phrase)[: len(shipped(phrase)) // 80 * 80].reshape(-1, 80).astype(np.float64)
    sounding = np.repeat(np.sqrt(np.mean(steps**2, axis=1)) >= 184.2, 80)
    return float(np.count_nonzero(sounding[:samples]) / np.count_nonzero(sounding))


def test_a_pbx_that_stands_still_has_not_cut_the_phrase() -> None:
    line = Line()
    line.play(shipped(GREETING), at=100.0)
    line.delay(lambda number, at: at + 0.3 if number >= 60 else at)
    (_, began), (_, ended) = listened_for(GREETING, line, until=106)
    assert began.at == pytest.approx(100.0)
    assert ended.at == pytest.approx(100.3 + last_sound(shipped(GREETING)), abs=0.011)
    assert completeness(ended) == 1.0


def test_a_process_that_stands_still_itself_misses_nothing() -> None:
    line = Line()
    line.play(shipped(GREETING), at=100.0)
    line.delay(lambda number, at: at + 1.5 if number >= 60 else at)  # all of this machine stood still
    (_, began), (_, ended) = listened_for(GREETING, line, until=107, frozen=(101.1, 102.6))
    assert began.at == pytest.approx(100.0)
    assert completeness(ended) == 1.0


@pytest.mark.parametrize("codec", PAYLOAD_TYPES)
def test_packets_late_lost_doubled_and_out_of_order(codec: str) -> None:
    line = Line(codec, jitter_s=0.03)
    over = line.play(shipped(CHANGE_PHONE), at=100.0)
    line.arrivals += line.arrivals[50:60]
    line.lose({3, 17, 40, 41, 80, 120})
    line.delay(lambda _, at: max(at, 101.6) if 1.3 < at - 100 < 1.6 else at)
    (told, began), (_, ended) = listened_for(CHANGE_PHONE, line, until=over + 1)
    assert told - 100.0 <= 0.7
    assert began.at == pytest.approx(100.0, abs=0.001)
    assert ended.at == pytest.approx(100.0 + last_sound(shipped(CHANGE_PHONE)), abs=0.011)
    assert completeness(ended) > 0.98


def test_a_phrase_goes_on_where_a_part_of_it_was_skipped() -> None:
    whole = shipped(CHANGE_PHONE)
    line = Line()
    line.play(whole[: 100 * 160], at=100.0)
    line.play(whole[115 * 160 :], at=102.3)
    _, (_, ended) = listened_for(CHANGE_PHONE, line, until=110)
    assert completeness(ended) > 0.95
    assert ended.at == pytest.approx(100.0 + last_sound(whole), abs=0.011)


def test_speech_under_noise_is_still_the_phrase() -> None:
    spoken = shipped(CHANGE_PHONE)
    line = Line()
    over = line.play(spoken + white_noise(len(spoken) / RATE, 300), at=100.0)
    (_, began), (_, ended) = listened_for(CHANGE_PHONE, line, until=over + 1)
    assert began.at == pytest.approx(100.0, abs=0.001)
    assert completeness(ended) > 0.8


def test_noise_music_and_silence_are_no_phrase() -> None:
    line = Line()
    at = line.play(white_noise(2.0, 2000), at=100.0)
    at = line.play(made_up_music(3.0), at=at)
    at = line.play(np.zeros(RATE, np.int16), at=at)
    for phrase in SOUNDS.sounds:
        assert listened_for(phrase, line, until=at + 1) == []


def test_any_wording_of_a_phrase_is_the_phrase() -> None:
    repertoire = Repertoire({"hold": shipped(WAIT_ALT1), "hold#2": shipped(WAIT_ALT2), "bye": shipped(FAREWELL)})
    line = Line()
    over = line.play(shipped(WAIT_ALT2), at=100.0)
    (_, began), (_, ended) = listened_for("hold", line, until=over + 1, repertoire=repertoire)
    assert began.at == pytest.approx(100.0)
    assert ended.at == pytest.approx(100.0 + last_sound(shipped(WAIT_ALT2)), abs=0.011)
    assert completeness(ended) == 1.0


def test_after_the_end_nothing_more_is_told_and_the_next_can_be_listened_for() -> None:
    line = Line()
    second = line.play(shipped(CONNECTED), at=100.0)
    line.play(shipped(FAREWELL), at=second)
    recording = line.recording()
    ear = Ear(recording, some_prompts())
    ear.listen_for(CONNECTED, 99.0)
    began = ear.look(200.0)
    ended = ear.look(200.0)
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert ear.look(200.1) is None
    ear.listen_for(FAREWELL, ended.at)
    farewell = ear.look(200.2)
    assert isinstance(farewell, Began)
    assert farewell.at == pytest.approx(second)
    ear.stop()
    assert (ear.look(200.3), ear.next_look) == (None, None)


def test_a_phrase_nobody_recorded() -> None:
    with pytest.raises(KeyError):
        Ear(Recording(), SOUNDS).listen_for("gov12345/no.such", 0.0)


def test_a_recording_of_silence_is_never_heard() -> None:
    ear = Ear(Recording(), {"silence": np.zeros(RATE, np.int16), "short": shipped(FAREWELL)[:400]})
    for phrase in ("silence", "short"):
        ear.listen_for(phrase, 0.0)
        assert ear.look(1.0) is None


MUSIC = (made_up_music(20.0, 1), made_up_music(12.0, 2))
WITH_MUSIC = Repertoire(some_prompts(), MUSIC)


@pytest.mark.parametrize("codec", PAYLOAD_TYPES)
@pytest.mark.parametrize("place", [0.0, 3.217, 7.7])
def test_hold_music_is_told_from_any_place_on(place: float, codec: str) -> None:
    line = Line(codec)
    at = line.play(shipped(WAIT_ALT1), at=100.0)
    over = line.play(MUSIC[1][round(place * RATE) :][: 3 * RATE], at=at + 0.2)
    (told, began), (_, ended) = listened(
        line, lambda ear: ear.listen_for_music(99.0), until=over + 2, repertoire=WITH_MUSIC
    )
    assert began.at == pytest.approx(at + 0.2, abs=0.1)  # a decoder of G.722 takes a moment to follow
    assert told - began.at < 1.0
    assert ended.at == pytest.approx(over, abs=0.06)
    assert completeness(ended) == 1.0


def test_hold_music_goes_on_into_the_next_file_and_ends_where_somebody_speaks() -> None:
    line = Line()
    at = line.play(np.concatenate([MUSIC[1][-2 * RATE :], MUSIC[0][: 2 * RATE]]), at=100.0)
    line.play(shipped(CHANGE_PHONE), at=at)
    (_, began), (_, ended) = listened(line, lambda ear: ear.listen_for_music(99.0), until=at + 3, repertoire=WITH_MUSIC)
    assert began.at == pytest.approx(100.0, abs=0.06)
    assert ended.at == pytest.approx(at, abs=0.06)


@pytest.mark.parametrize(("pause", "begins"), [(4.0, 105.0), (0.8, 100.4)], ids=["held again", "the PBX stood still"])
def test_music_that_goes_on_where_it_stopped_is_another_one_after_a_while(pause: float, begins: float) -> None:
    line = Line()
    over = line.play(MUSIC[0][:RATE], at=100.0)
    end = line.play(MUSIC[0][RATE : 3 * RATE], at=over + pause)
    ear = Ear(line.recording(), WITH_MUSIC)
    ear.listen_for_music(100.5)  # what was heard before was told
    began = ear.look(end)
    assert isinstance(began, Began)
    assert began.at == pytest.approx(begins, abs=0.11)


def test_the_rest_of_music_that_was_told_is_no_music_that_begins() -> None:
    line = Line()
    over = line.play(MUSIC[0][: 2 * RATE], at=100.0)
    ear = Ear(line.recording(), WITH_MUSIC)
    ear.listen_for_music(99.0)
    assert isinstance(ear.look(over), Began)
    ear.listen_for_music(100.5)
    assert [ear.look(over + tenths / 10) for tenths in range(30)] == [None] * 30


def test_speech_is_no_hold_music() -> None:
    line = Line()
    over = line.play(shipped(CHANGE_PHONE), at=100.0)
    assert listened(line, lambda ear: ear.listen_for_music(99.0), until=over + 1, repertoire=WITH_MUSIC) == []


def test_hold_music_nobody_knows_cannot_be_listened_for() -> None:
    with pytest.raises(ValueError, match="files are known"):
        Ear(Recording(), SOUNDS).listen_for_music(0.0)
