"""What a `say` step sounds like."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivrflow.bridge.asterisk_line import HIGHEST_TALK_LEVEL
from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx.saying import CannotSay, plain_speech, sound_of
from ivrflow.scenario.script import Say
from ivrflow.softphone.codecs import FRAME, RATE, codec

HERE = Location("shouting.yaml", 7, 5)


def test_made_up_speech_is_heard_as_speech_in_every_frame_even_while_a_prompt_plays() -> None:
    speech = plain_speech(2.5)
    assert len(speech) == 2.5 * RATE
    for name in ("alaw", "ulaw"):
        line = codec(name)
        heard = line.decode(line.encode(speech)).astype(float)
        frames = np.abs(heard.reshape(-1, FRAME)).mean(axis=1)
        assert frames.min() > HIGHEST_TALK_LEVEL
    assert np.abs(speech).max() < 32767


def test_it_is_the_same_every_time_and_has_no_click() -> None:
    assert np.array_equal(plain_speech(3.0)[:RATE], plain_speech(1.0))
    steps = np.abs(np.diff(plain_speech(2.0).astype(int)))
    assert steps[RATE - 1] <= np.percentile(steps, 99.9)


def test_a_phrase_is_its_recording() -> None:
    recording = np.arange(100, dtype=np.int16)
    assert sound_of(Say(1.0, HERE, phrase="house/hello"), {"house/hello": recording}) is recording
    with pytest.raises(CannotSay, match=r"shouting.yaml:7:5: 'house/bye' has no recording here; run: ivrflow prompts"):
        sound_of(Say(1.0, HERE, phrase="house/bye"), {})


def test_a_file_is_brought_to_the_telephone_line(tmp_path: Path) -> None:
    second = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000) * 0.5
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([second, second], axis=1), 48000)
    samples = sound_of(Say(1.0, HERE, file=path), {})
    assert samples.dtype == np.int16
    assert len(samples) == RATE
    assert int(np.argmax(np.abs(np.fft.rfft(samples)))) == 440
    assert np.abs(samples).max() == pytest.approx(16384, rel=0.02)


def test_a_file_that_is_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("not a sound")
    with pytest.raises(CannotSay, match=r"notes.wav cannot be read as a sound file"):
        sound_of(Say(1.0, HERE, file=path), {})
    with pytest.raises(CannotSay, match=r"gone.wav cannot be read"):
        sound_of(Say(1.0, HERE, file=tmp_path / "gone.wav"), {})
