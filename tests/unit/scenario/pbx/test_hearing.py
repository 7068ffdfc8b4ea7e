"""All that a phone heard, named: phrases, whole and cut, music, tones, voices nobody knows; and where recordings lie."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from heard_calls import (
    CHANGE_PHONE,
    CONNECTED,
    FAREWELL,
    GREETING,
    MASTERS,
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

from ivrflow.scenario.observation import Heard
from ivrflow.scenario.pbx.hearing import LEAST_UNKNOWN_S, hear_all, load_music, load_sounds
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.codecs import RATE, Samples, codec
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Repertoire, phrase_of

MUSIC = (made_up_music(20.0, 1), made_up_music(12.0, 2))
REPERTOIRE = Repertoire(some_prompts(*some_prompts(), SAME_AS_GREETING), MUSIC)
ANSWERED = 1000.0


def tone(seconds: float, hz: float) -> Samples:
    wave: Samples = (6000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)
    return wave


def voice(seconds: float, seed: int = 5) -> Samples:
    """Something like speech, of nobody in particular."""
    random = np.random.default_rng(seed)
    syllables: list[npt.NDArray[np.float64]] = []
    while sum(len(one) for one in syllables) < seconds * RATE:
        time = np.arange(round(random.uniform(0.12, 0.25) * RATE)) / RATE
        pitch = random.uniform(100, 160) * (1 + 0.2 * time)
        harmonics = [random.uniform(0, 1) * np.sin(2 * np.pi * k * pitch * time) for k in range(1, 15)]
        syllables.append(np.sum(harmonics, axis=0) * np.hanning(len(time)) * 2500)
    said: Samples = np.concatenate(syllables)[: round(seconds * RATE)].astype(np.int16)
    return said


def heard(line: Line, *likely: str) -> tuple[Heard, ...]:
    return hear_all(line.recording(), REPERTOIRE, likely=likely, answered_at=ANSWERED)


def named(found: tuple[Heard, ...]) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in found]


@pytest.mark.parametrize("codec_name", PAYLOAD_TYPES)
def test_a_whole_call(codec_name: str) -> None:
    line = Line(codec_name, jitter_s=0.004)
    truth = [
        ("phrase", GREETING, 0.5, shipped(GREETING)),
        ("phrase", CONNECTED, 3.0, shipped(CONNECTED)[: 65 * 160]),  # cut at once by the next
        ("phrase", WAIT_ALT2, 0.0, shipped(WAIT_ALT2)),  # nobody expected it
        ("music", "", 0.3, MUSIC[1][10_000:58_000]),
        ("unknown", "", 0.0, voice(2.0)),
        ("tone", "450 Hz", 0.7, tone(1.0, 450)),
        ("tone", "450 Hz", 4.0, tone(1.0, 450)),
        ("unknown", "", 1.0, white_noise(0.8, 1500)),
        ("phrase", FAREWELL, 0.7, shipped(FAREWELL)),
    ]
    at, times = ANSWERED, []
    for _, _, pause, samples in truth:
        times.append(at + pause - ANSWERED)
        at = line.play(samples, at + pause)
    found = heard(line, GREETING, CONNECTED, FAREWELL, CHANGE_PHONE)
    assert named(found) == [(kind, name) for kind, name, _, _ in truth]
    for one, start, (kind, name, _, samples) in zip(found, times, truth, strict=True):
        exact = 0.001 if kind == "phrase" else 0.11
        assert one.start == pytest.approx(start, abs=exact)
        end = start + (last_sound(samples) if kind == "phrase" else len(samples) / RATE)
        assert one.end == pytest.approx(end, abs=max(exact, 0.011))
        if kind == "phrase":
            assert one.length == len(shipped(name)) / RATE
            assert one.completeness > (0.98 if len(samples) == len(shipped(name)) else 0.4)
        else:
            assert (one.completeness, one.length) == (1.0, one.end - one.start)
    assert found[1].completeness < 0.6


def test_the_likely_one_of_two_that_sound_the_same() -> None:
    line = Line()
    line.play(shipped(GREETING), ANSWERED)
    assert named(heard(line, GREETING)) == [("phrase", GREETING)]
    assert named(heard(line, SAME_AS_GREETING)) == [("phrase", SAME_AS_GREETING)]
    assert len(heard(line)) == 1


@pytest.mark.parametrize(("expected", "played"), [(WAIT_ALT1, WAIT_ALT2), (WAIT_ALT2, WAIT_ALT1)])
def test_another_phrase_than_the_expected_one_that_begins_alike(expected: str, played: str) -> None:
    line = Line()
    line.play(shipped(played), ANSWERED)
    assert named(heard(line, expected)) == [("phrase", played)]


def test_an_expected_phrase_that_is_cut_by_an_unexpected_one_or_by_a_voice() -> None:
    for after, kind in ((shipped(CHANGE_PHONE), "phrase"), (voice(2.0), "unknown")):
        line = Line()
        cut = shipped(WAIT_ALT1)[: 60 * 160]
        line.play(after, line.play(cut, ANSWERED))
        first, second = heard(line, WAIT_ALT1)
        assert (first.kind, first.name, second.kind) == ("phrase", WAIT_ALT1, kind)
        assert first.end == pytest.approx(last_sound(cut), abs=0.03)


def test_a_sound_too_short_to_be_anything_is_left_out() -> None:
    line = Line()
    at = line.play(white_noise(LEAST_UNKNOWN_S - 0.1, 2000), ANSWERED)
    at = line.play(shipped(GREETING)[: 12 * 160], at + 2)  # 240 ms
    line.play(white_noise(LEAST_UNKNOWN_S + 0.1, 2000), at + 2)
    assert named(heard(line, GREETING)) == [("unknown", "")]


def test_a_voice_that_pauses_is_one_sound_and_one_that_stops_is_two() -> None:
    line = Line()
    at = line.play(voice(1.0), ANSWERED)
    at = line.play(voice(1.0, 6), at + 0.3)
    line.play(voice(1.0, 7), at + 0.9)
    found = heard(line)
    assert named(found) == [("unknown", "")] * 2
    assert found[0].end == pytest.approx(2.3, abs=0.1)


def test_what_is_heard_before_the_answer_lies_before_zero() -> None:
    line = Line()
    at = line.play(tone(1.0, 440), ANSWERED - 4.0)
    line.play(shipped(GREETING), at + 3.1)
    ringing, greeting = heard(line, GREETING)
    assert (ringing.kind, ringing.name) == ("tone", "440 Hz")
    assert ringing.start == pytest.approx(-4.0, abs=0.06)
    assert greeting.start == pytest.approx(0.1)


def test_music_nobody_knows_is_an_unknown_sound_and_silence_is_nothing() -> None:
    line = Line()
    line.play(np.zeros(RATE, np.int16), line.play(made_up_music(3.0, 9), ANSWERED))
    assert named(heard(line, "no/such.phrase")) == [("unknown", "")]
    found = hear_all(line.recording(), Repertoire(some_prompts()), likely=(), answered_at=ANSWERED)
    assert named(found) == [("unknown", "")]
    assert hear_all(Recording(), REPERTOIRE, likely=(GREETING,), answered_at=ANSWERED) == ()


def test_the_pbx_stands_still_in_the_middle_of_phrase_and_music() -> None:
    line = Line()
    line.play(MUSIC[0][: 4 * RATE], line.play(shipped(GREETING), ANSWERED) + 1.0)
    line.delay(lambda number, at: at + (0.3 if number >= 80 else 0.0) + (0.3 if number >= 300 else 0.0))
    phrase, music = heard(line, GREETING)
    assert phrase.completeness == 1.0
    assert phrase.end == pytest.approx(0.3 + last_sound(shipped(GREETING)), abs=0.011)
    assert music.kind == "music"
    assert music.end - music.start == pytest.approx(4.3, abs=0.1)


def test_the_pbx_stands_still_in_the_middle_of_a_tone() -> None:
    line = Line()
    line.play(tone(2.0, 450), ANSWERED)
    line.delay(lambda number, at: at + 0.1 * (number // 7))  # again and again
    (ringing,) = heard(line)
    assert (ringing.kind, ringing.name) == ("tone", "450 Hz")
    assert ringing.end == pytest.approx(3.4, abs=0.2)


# ── recordings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_recordings_of_this_checkout(tmp_path: Path) -> None:
    settings = Settings(masters=MASTERS, prompts_dir=tmp_path / "formats", music=tmp_path / "none")
    sounds, music = load_sounds(settings)
    assert music == ()
    parts = {*MASTERS.rglob("segment-*.opus"), *MASTERS.glob("pieces/**/*.opus")}  # never heard by themselves
    assert len(sounds) == len({*MASTERS.rglob("*.opus")} - parts)
    np.testing.assert_array_equal(sounds[GREETING], shipped(GREETING))
    reply = [name for name in sounds if phrase_of(name) == "gov12345/caller_greets.reply"]
    assert reply[:3] == ["gov12345/caller_greets.reply", *(f"gov12345/caller_greets.reply#{n}" for n in (2, 3))]
    assert len(sounds["gov12345/caller_greets.reply"]) == len(shipped("gov12345/caller_greets.reply-without"))


def test_what_the_pbx_really_plays_goes_before_the_master(tmp_path: Path) -> None:
    played = codec("ulaw").encode(voice(1.0))
    (tmp_path / "gov12345").mkdir()
    (tmp_path / f"{GREETING}.ulaw").write_bytes(played)
    sounds, _ = load_sounds(Settings(masters=MASTERS, prompts_dir=tmp_path, music=tmp_path / "none"))
    np.testing.assert_array_equal(sounds[GREETING], codec("ulaw").decode(played))


def test_a_recording_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "masters" / "house").mkdir(parents=True)
    index = (MASTERS / "house" / "index.json").read_bytes()
    (tmp_path / "masters" / "house" / "index.json").write_bytes(index)
    with pytest.raises(SettingsError, match="is missing; run: ivrflow prompts build"):
        load_sounds(Settings(masters=tmp_path / "masters", prompts_dir=tmp_path / "formats"))


def test_hold_music_of_many_kinds_one_for_each_name(tmp_path: Path) -> None:
    tune = made_up_music(1.5)
    soundfile.write(tmp_path / "b.wav", np.repeat(tune, 2), 2 * RATE)
    soundfile.write(tmp_path / "c.flac", np.stack([tune, tune], axis=1), RATE)
    (tmp_path / "a.ulaw").write_bytes(codec("ulaw").encode(tune))
    (tmp_path / "a.wav").write_bytes(b"never read: it is the same tune")
    (tmp_path / "d.sln16").write_bytes(np.repeat(tune, 2).astype("<i2").tobytes())
    (tmp_path / "readme.txt").write_text("no music")
    music = load_music(tmp_path)
    assert len(music) == 4
    for one in music:
        assert len(one) == len(tune)
        assert float(np.corrcoef(one, tune)[0, 1]) > 0.95


def test_hold_music_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(SettingsError, match=r"broken\.wav"):
        load_music(tmp_path)
    assert load_music(tmp_path / "no such folder") == ()
