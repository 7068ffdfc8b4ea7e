"""What is worked out of a phone's packets, here and in other processes."""

import asyncio
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from little_pbx import SOUNDS, phrase

from ivrflow.scenario.observation import Heard
from ivrflow.scenario.pbx.analysis import AnalysisPool, Take, Tape, analyse, analysed, stalls_on_the_wire
from ivrflow.softphone.codecs import FRAME, FRAME_S, RATE, Samples, codec
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Repertoire
from ivrflow.softphone.rtp import RtpPacket

HELLO, MENU, BYE = SOUNDS
ANSWERED = 5000.0


def record(
    recording: Recording, samples: Samples, at: float, *, first: int = 0, gaps: dict[int, float] | None = None
) -> int:
    """Let it hear `samples` from `at` on; before packet number n it is quiet for `gaps[n]` seconds. The next number."""
    encoded = codec("alaw").encode(samples)
    now = at
    for number, start in enumerate(range(0, len(encoded), FRAME)):
        now += (gaps or {}).get(number, 0.0)
        sequence = (first + number) & 0xFFFF
        ticks = round((now - ANSWERED) * RATE)
        packet = RtpPacket(8, sequence, ticks & 0xFFFFFFFF, 7, encoded[start : start + FRAME], marker=not number)
        recording.add(packet.pack(), now)
        now += FRAME_S
    return first + number + 1


def heard_two() -> Recording:
    recording = Recording()
    next_number = record(recording, SOUNDS[HELLO], ANSWERED + 0.5)
    record(recording, SOUNDS[BYE], ANSWERED + 4.0, first=next_number)
    return recording


def test_what_was_heard_counts_from_zero() -> None:
    tape = Tape((Take(heard_two(), None, ANSWERED),), ANSWERED - 10.0, frozenset({HELLO}))
    found = analyse(tape, Repertoire(SOUNDS))
    assert [one.name for one in found.heard if one.kind == "phrase"] == [HELLO, BYE]
    assert found.heard[0].start == pytest.approx(10.5, abs=0.02)
    assert found.heard[-1].end == pytest.approx(14.0 + len(SOUNDS[BYE]) / RATE, abs=0.03)
    assert (found.stalls, found.audio, found.trouble) == ((), None, "")


def test_a_stall_in_the_middle_of_a_phrase_and_none_between_phrases() -> None:
    recording = Recording()
    record(recording, SOUNDS[MENU], ANSWERED + 1.0, gaps={40: 0.25, 70: 0.04})
    heard = [Heard("phrase", MENU, 1.0, 3.3), Heard("music", "", 5.0, 9.0)]
    ((when, seconds),) = stalls_on_the_wire(recording, heard, ANSWERED)
    assert when == pytest.approx(1.0 + 40 * FRAME_S, abs=0.001)
    assert seconds == pytest.approx(0.25, abs=0.001)
    assert stalls_on_the_wire(recording, [Heard("phrase", HELLO, 1.0, 1.5)], ANSWERED) == []


def test_the_sound_file_has_what_was_heard_on_the_left_and_what_was_said_on_the_right(tmp_path: Path) -> None:
    said = Recording()
    record(said, phrase(9), ANSWERED + 2.0)
    again = Recording()
    record(again, SOUNDS[HELLO], ANSWERED + 7.0)
    path = tmp_path / "audio" / "caller.flac"
    takes = (Take(heard_two(), said, ANSWERED), Take(again, None, ANSWERED + 6.5))
    found = analyse(Tape(takes, ANSWERED - 1.0, audio=path), Repertoire(SOUNDS))
    assert (found.audio, found.audio_from) == (path, 1.0)
    sides, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    length = len(SOUNDS[HELLO])
    assert len(sides) == 7 * RATE + length
    decoded = codec("alaw").decode(codec("alaw").encode(SOUNDS[HELLO]))
    assert np.array_equal(sides[RATE // 2 :, 0][:length], decoded)
    assert np.array_equal(sides[7 * RATE :, 0], decoded)
    assert not sides[: 2 * RATE, 1].any()
    assert np.array_equal(sides[2 * RATE :, 1][:length], codec("alaw").decode(codec("alaw").encode(phrase(9))))
    assert path.stat().st_size < sides.nbytes / 2


def test_a_file_that_cannot_be_written_is_said_and_nothing_else_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "caller.flac"
    found = analyse(Tape((Take(heard_two(), None, ANSWERED),), ANSWERED, audio=path), Repertoire(SOUNDS))
    assert found.audio is None
    assert found.trouble.startswith(f"what was heard could not be kept as {path}: ")
    assert [one.name for one in found.heard if one.kind == "phrase"] == [HELLO, BYE]


def test_a_phone_that_never_was_on_a_call(tmp_path: Path) -> None:
    found = analyse(Tape((), ANSWERED, audio=tmp_path / "1001.flac"), Repertoire(SOUNDS))
    assert (found.heard, found.audio, found.trouble) == ((), None, "")
    assert list(tmp_path.iterdir()) == []


def test_an_answered_call_without_any_packet(tmp_path: Path) -> None:
    tape = Tape((Take(Recording(), Recording(), ANSWERED),), ANSWERED, audio=tmp_path / "caller.flac")
    found = analyse(tape, Repertoire(SOUNDS))
    assert found.heard == ()
    assert found.audio is not None
    assert soundfile.info(found.audio).frames == 1


async def test_other_processes_find_the_same_and_stand_back(tmp_path: Path) -> None:
    tape = Tape((Take(heard_two(), heard_two(), ANSWERED),), ANSWERED, audio=tmp_path / "caller.flac")
    assert pickle.loads(pickle.dumps(tape)).takes[0].heard.packets  # every part of it can go there
    here = await analysed(tape, Repertoire(SOUNDS), None)
    with AnalysisPool(SOUNDS, processes=1) as pool:
        await pool.warm_up()
        there = await analysed(tape, Repertoire({}), pool)  # the pool goes by what it holds itself
        nice = await asyncio.get_running_loop().run_in_executor(pool, os.nice, 0)
    assert there == here
    assert [one.name for one in there.heard if one.kind == "phrase"] == [HELLO, BYE]
    assert nice == min(os.nice(0) + 10, 19), "behind us, or as far back as there is room"
