"""Phrases made ready for listening: where they sound, and by when each is known from all others."""

import numpy as np
import pytest
from heard_calls import (
    CHANGE_PHONE,
    CONNECTED,
    FAREWELL,
    GREETING,
    SAME_AS_GREETING,
    WAIT_ALT1,
    WAIT_ALT2,
    made_up_music,
    shipped,
    some_prompts,
)

from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.following import HEAD_FITS
from ivrflow.softphone.likeness import correlation
from ivrflow.softphone.repertoire import LEAST_TELLING, TELLING, Repertoire, Wording, phrase_of


def test_a_wording_knows_where_it_sounds() -> None:
    quiet, loud = np.zeros(800, np.int16), np.full(1600, 3000, np.int16)
    wording = Wording("x", np.concatenate([quiet, loud, quiet, loud, quiet]))
    assert (wording.first, wording.last) == (800, 4800)
    assert wording.sound(0, 4800) == 3200
    assert wording.sound(1000, 3300) == 1400 + 100
    assert wording.is_heard
    assert not Wording("silent", quiet).is_heard
    assert not Wording("nothing", quiet[:0]).is_heard


def test_it_is_searched_for_by_its_loudest_piece() -> None:
    samples = np.full(RATE, 1000, np.int16)
    samples[1600:2700] = 9000
    wording = Wording("x", samples)
    assert 1600 <= wording.piece_at <= 2700 - len(wording.piece)


def test_the_phrase_behind_a_wording() -> None:
    assert [phrase_of(name) for name in ("a/b", "a/b#2")] == ["a/b", "a/b"]


def test_a_phrase_like_no_other_is_known_after_four_tenths_of_a_second_of_sound() -> None:
    (wording,) = Repertoire(some_prompts(CHANGE_PHONE, FAREWELL)).wordings(CHANGE_PHONE)
    assert wording.sound(0, wording.telling) >= LEAST_TELLING
    assert wording.telling <= 0.6 * RATE
    assert not wording.tells_by_end


@pytest.mark.parametrize(("phrase", "other"), [(WAIT_ALT1, WAIT_ALT2), (WAIT_ALT2, WAIT_ALT1)])
def test_a_phrase_that_begins_like_another_is_known_when_they_differ(phrase: str, other: str) -> None:
    (alone,) = Repertoire(some_prompts(phrase)).wordings(phrase)
    (wording,) = Repertoire(some_prompts()).wordings(phrase)
    assert alone.telling < wording.telling < RATE
    rival = shipped(other).astype(np.float64)
    for begin in range(-12, 13):
        heard = rival[max(0, begin) :]
        whole = correlation(wording.samples[wording.first : wording.telling], heard[wording.first : wording.telling])
        start = wording.telling - TELLING
        last = correlation(wording.samples[start : wording.telling], heard[start : wording.telling])
        assert min(whole, last if wording.tells_by_end else whole) < HEAD_FITS


def test_what_has_the_same_wording_cannot_be_told_apart_and_makes_no_difference() -> None:
    (alone,) = Repertoire(some_prompts(GREETING, CONNECTED)).wordings(GREETING)
    (wording,) = Repertoire(some_prompts(GREETING, CONNECTED, SAME_AS_GREETING)).wordings(GREETING)
    assert wording.telling == alone.telling


def test_a_phrase_that_is_the_beginning_of_another() -> None:
    whole = shipped(CHANGE_PHONE)
    sounds = {"long": whole, "short": whole[: round(1.3 * RATE)]}
    (long,) = Repertoire(sounds).wordings("long")
    assert long.telling > 1.2 * RATE


def test_wordings_of_one_phrase_are_no_rivals() -> None:
    sounds = {"hold": shipped(WAIT_ALT1), "hold#2": shipped(WAIT_ALT2)}
    one, two = Repertoire(sounds).wordings("hold")
    assert [one.name, two.name] == ["hold", "hold#2"]
    assert max(one.telling, two.telling) < 0.6 * RATE


def test_all_of_it() -> None:
    repertoire = Repertoire(some_prompts(), [made_up_music(2.0)])
    assert [wording.name for wording in repertoire.everything] == list(some_prompts())
    assert len(repertoire.music.files) == 1
    with pytest.raises(KeyError):
        repertoire.wordings("no/such")
