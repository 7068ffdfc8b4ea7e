"""Prompts of several files are one prompt, over once."""

from typing import cast

import pytest
from pretended_line import RecordedChannel

from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.playback import Playback


class Setup:
    def __init__(self) -> None:
        self.channel = RecordedChannel()
        self.playback = Playback(cast("AgiChannel", self.channel))

    def ends(self, command: int, how: PlaybackEnding = PlaybackEnding.FINISHED) -> int | None:
        return self.playback.ended(PlaybackFinished(command, how, 8000))


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_a_prompt_is_over_with_its_last_file(setup: Setup) -> None:
    setup.playback.play(7, ["/p/a", "/p/b"])
    assert setup.channel.sent == ['STREAM FILE "/p/a" ""', 'STREAM FILE "/p/b" ""']
    assert (setup.ends(1), setup.playback.is_playing) == (None, True)
    assert (setup.ends(2), setup.playback.is_playing) == (7, False)


@pytest.mark.parametrize("how", [PlaybackEnding.MISSING, PlaybackEnding.REFUSED])
def test_half_a_phrase_is_no_phrase(setup: Setup, how: PlaybackEnding) -> None:
    setup.playback.play(7, ["/p/a", "/p/b"])
    assert setup.ends(1, how) == 7
    assert setup.channel.interrupted == 1
    assert setup.ends(2, PlaybackEnding.STOPPED) is None


def test_a_stopped_prompt_is_over_once(setup: Setup) -> None:
    setup.playback.play(7, ["/p/a", "/p/b"])
    setup.playback.stop()
    assert setup.channel.interrupted == 1
    assert [setup.ends(1, PlaybackEnding.STOPPED), setup.ends(2, PlaybackEnding.STOPPED)] == [7, None]


def test_what_was_not_played_here_is_nobodys(setup: Setup) -> None:
    assert setup.ends(5) is None
