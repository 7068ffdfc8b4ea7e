"""One caller's line: which commands an action becomes, and which event comes of what Asterisk says."""

import asyncio
import gc
import weakref
from pathlib import Path, PurePosixPath

import msgspec
import pytest
from pretended_line import DONE, PretendedLine

from ivrflow.bridge import header_question
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.asterisk_line import ECHO_TAIL_S
from ivrflow.bridge.recordings_folder import Recordings, RecordingSettings
from ivrflow.bridge.speech_gate import CONFIRM_S, TALK_SILENCE_MS
from ivrflow.engine import messages as m


@pytest.fixture
async def setup() -> PretendedLine:
    return PretendedLine()


def play(ticket: int, loudest: int = 0) -> m.Play:
    return m.Play(ticket=ticket, phrase="s/p", prompt="s/p", seconds=1.0, loudest_frame=loudest)


async def test_a_talk_begins_only_when_its_recording_has_its_place_on_the_session(tmp_path: Path) -> None:
    recordings = Recordings(RecordingSettings(tmp_path, PurePosixPath("/pbx")), dict)
    setup = PretendedLine(recordings)
    setup.line.flow = "gov12345"
    setup.ring()
    setup.picks_up()
    for action in (m.StopMusic(), m.StartRecording(), m.Bridge(ticket=3), play(4), m.PauseRecording()):
        setup.line.perform(action)
    assert setup.channel.sent == ["SET MUSIC OFF"], "Bridge() would keep the session until the talk is over"
    await recordings.close()
    begin, *rest = setup.channel.sent[1:]
    assert begin.startswith('EXEC "MixMonitor" "/pbx/calls/gov12345/')
    assert [command.split()[0:2] for command in rest if not command.startswith("SET")] == [
        ["EXEC", '"Bridge"'],
        ["STREAM", "FILE"],
    ]
    setup.line.replied(2, DONE)
    assert [name for name, _ in setup.manager.orders][-1] == "MixMonitorMute"
    setup.line.closed()


async def test_a_caller_who_leaves_before_the_recording_begins_is_not_played_to(tmp_path: Path) -> None:
    recordings = Recordings(RecordingSettings(tmp_path, PurePosixPath("/pbx")), dict)
    setup = PretendedLine(recordings)
    setup.line.flow = "gov12345"
    setup.line.perform(m.StartRecording())
    setup.line.perform(play(1))
    setup.line.hung_up()
    setup.line.closed()
    await recordings.close()
    assert setup.channel.sent == []
    assert setup.events == [m.CallerHungUp(cause=0)]


async def test_answering_ends_when_asterisk_says_so(setup: PretendedLine) -> None:
    setup.line.perform(m.Answer())
    assert setup.channel.sent == ["ANSWER"]
    setup.line.replied(1, DONE)
    assert setup.events == [m.CallAnswered()]


async def test_a_failed_answer_is_no_answer(setup: PretendedLine) -> None:
    setup.line.perform(m.Answer())
    setup.line.replied(1, Reply(200, "-1"))
    assert setup.events == []


async def test_a_prompt_carries_its_ticket_to_its_end(setup: PretendedLine) -> None:
    setup.line.perform(play(7))
    assert setup.channel.sent[-1] == 'STREAM FILE "/prompts/s/p" ""'
    setup.line.playback_ended(PlaybackFinished(len(setup.channel.sent), PlaybackEnding.FINISHED, 8000))
    assert setup.events == [m.PromptEnded(ticket=7)]


@pytest.mark.parametrize(
    ("ending", "how"),
    [
        (PlaybackEnding.STOPPED, "stopped"),
        (PlaybackEnding.MISSING, "missing"),
        (PlaybackEnding.REFUSED, "failed"),
    ],
)
async def test_other_endings_are_told_apart(setup: PretendedLine, ending: PlaybackEnding, how: str) -> None:
    setup.line.perform(play(7))
    setup.line.playback_ended(PlaybackFinished(len(setup.channel.sent), ending, 0))
    (event,) = setup.events
    assert isinstance(event, m.PromptEnded)
    assert event.how == how


PARTS = m.Play(ticket=7, phrase="s/p", prompt="", seconds=1.5, parts=("s/segment-1", "pieces/piece-1", "s/segment-2"))


def ended(setup: PretendedLine, part: int, ending: PlaybackEnding = PlaybackEnding.FINISHED) -> None:
    """The reply to the `part`th (from 1) of the three files sent last."""
    setup.line.playback_ended(PlaybackFinished(len(setup.channel.sent) - 3 + part, ending, 8000))


async def test_parts_are_sent_at_once_and_end_once(setup: PretendedLine) -> None:
    setup.line.perform(PARTS)
    assert setup.channel.sent[-3:] == [
        'STREAM FILE "/prompts/s/segment-1" ""',
        'STREAM FILE "/prompts/pieces/piece-1" ""',
        'STREAM FILE "/prompts/s/segment-2" ""',
    ]
    ended(setup, 1)
    ended(setup, 2)
    assert setup.events == []
    ended(setup, 3)
    assert setup.events == [m.PromptEnded(ticket=7)]
    assert setup.channel.interrupted == 0


async def test_parts_that_are_cut_end_once(setup: PretendedLine) -> None:
    setup.line.perform(PARTS)
    ended(setup, 1)
    setup.line.perform(m.StopPlaying(ticket=7))
    assert setup.channel.interrupted == 1, "which takes those back that have not gone out yet"
    ended(setup, 2, PlaybackEnding.STOPPED)
    ended(setup, 3, PlaybackEnding.STOPPED)
    assert setup.events == [m.PromptEnded(ticket=7, how="stopped")]
    assert setup.channel.interrupted == 1


@pytest.mark.parametrize(("ending", "how"), [(PlaybackEnding.MISSING, "missing"), (PlaybackEnding.REFUSED, "failed")])
async def test_half_a_phrase_is_not_said(setup: PretendedLine, ending: PlaybackEnding, how: str) -> None:
    setup.line.perform(PARTS)
    ended(setup, 1, ending)
    assert setup.channel.interrupted == 1
    ended(setup, 2, PlaybackEnding.STOPPED)
    ended(setup, 3, PlaybackEnding.STOPPED)
    (event,) = setup.events
    assert isinstance(event, m.PromptEnded)
    assert (event.ticket, event.how) == (7, how)


async def test_a_hang_up_between_parts_is_only_a_hang_up(setup: PretendedLine) -> None:
    setup.line.perform(PARTS)
    ended(setup, 1)
    ended(setup, 2, PlaybackEnding.HANGUP)
    assert setup.events == []
    setup.line.hung_up()
    assert setup.events == [m.CallerHungUp(cause=0)]
    assert setup.channel.interrupted == 0


async def echo_is_over() -> None:
    """Whatever the line does once the echo of a prompt is over it has done: its timers were set before this one."""
    await asyncio.sleep(ECHO_TAIL_S * 1.5)


async def test_the_level_of_speech_is_lowered_after_the_last_part_only(setup: PretendedLine) -> None:
    setup.line.perform(msgspec.structs.replace(PARTS, loudest_frame=6000))
    assert setup.channel.sent[0] == f'SET VARIABLE "TALK_DETECT(set)" "{TALK_SILENCE_MS},1650"'
    ended(setup, 1)
    await echo_is_over()
    assert len(setup.channel.sent) == 4
    ended(setup, 2)
    ended(setup, 3)
    await echo_is_over()
    assert setup.channel.sent[4:] == [f'SET VARIABLE "TALK_DETECT(set)" "{TALK_SILENCE_MS},512"']


async def test_a_wording_without_audio_ends_as_missing(setup: PretendedLine) -> None:
    setup.line.perform(m.Play(ticket=2, phrase="s/p", prompt="", seconds=1.0))
    assert await setup.next_event() == m.PromptEnded(ticket=2, how="missing")
    assert setup.channel.sent == []


async def test_the_threshold_stands_above_the_echo_while_a_prompt_plays_and_comes_down_after_its_tail(
    setup: PretendedLine,
) -> None:
    setup.line.perform(play(1, loudest=4000))
    assert setup.channel.sent[0] == 'SET VARIABLE "TALK_DETECT(set)" "120,1100"'
    setup.line.playback_ended(PlaybackFinished(2, PlaybackEnding.FINISHED, 8000))
    assert len(setup.channel.sent) == 2
    await echo_is_over()
    assert setup.channel.sent[2:] == ['SET VARIABLE "TALK_DETECT(set)" "120,512"']


async def test_the_threshold_stays_up_when_the_next_prompt_follows(setup: PretendedLine) -> None:
    setup.line.perform(play(1, loudest=4000))
    setup.line.playback_ended(PlaybackFinished(2, PlaybackEnding.FINISHED, 8000))
    setup.line.perform(play(2, loudest=4000))
    await echo_is_over()
    assert [line for line in setup.channel.sent if "TALK_DETECT" in line] == [
        'SET VARIABLE "TALK_DETECT(set)" "120,1100"'
    ]


async def test_stopping_a_prompt_interrupts_it(setup: PretendedLine) -> None:
    setup.line.perform(play(1))
    setup.line.perform(m.StopPlaying(ticket=1))
    assert setup.channel.interrupted == 1


async def test_ending_the_call_says_so_to_the_dialplan_before_it_hangs_up_and_closes_after_it(
    setup: PretendedLine,
) -> None:
    setup.line.perform(m.EndCall(outcome="hung_up"))
    assert setup.channel.sent == ['SET VARIABLE "IVRFLOW_DONE" "1"', "HANGUP"]
    setup.line.replied(1, Reply(200, "1"))
    assert not setup.channel.closed
    setup.line.replied(2, Reply(200, "1"))
    assert setup.channel.closed


async def test_falling_back_closes_without_the_done_variable(setup: PretendedLine) -> None:
    setup.line.perform(play(1))
    setup.line.perform(m.FallBack(reason="limit"))
    assert setup.channel.closed
    assert not any("IVRFLOW_DONE" in line for line in setup.channel.sent)


async def test_falling_back_says_why(setup: PretendedLine, caplog: pytest.LogCaptureFixture) -> None:
    setup.line.perform(m.FallBack(reason="the line did not open"))
    assert [record.getMessage() for record in caplog.records] == [
        "call pbx-1.7 goes to the fallback: the line did not open"
    ]


async def test_falling_back_stops_a_ringing_agent_and_lets_a_talk_go_on(setup: PretendedLine) -> None:
    setup.line.perform(m.Ring(ticket=4, extension="1001", seconds=20))
    setup.line.perform(m.Ring(ticket=5, extension="1002", seconds=20))
    setup.picks_up(4)
    setup.line.perform(m.Bridge(ticket=4))
    setup.line.perform(m.FallBack(reason="the engine is stopping"))
    dropped = [headers["Channel"] for action, headers in setup.manager.orders if action == "Hangup"]
    assert dropped == ["pbx-1.7-agent5a"]


async def test_the_caller_leaves_once_however_often_it_is_said(setup: PretendedLine) -> None:
    setup.line.caller_left(16)
    setup.line.hung_up()
    setup.line.closed()
    assert setup.events == [m.CallerHungUp(cause=16)]
    assert setup.channel.closed
    assert setup.closed == [setup.line]


async def test_a_session_that_just_closes_is_a_lost_line_and_nobody_s_hang_up(setup: PretendedLine) -> None:
    setup.line.closed()
    assert setup.events == [m.LineLost()]


@pytest.mark.parametrize("is_first", [True, False])
async def test_nothing_is_waited_for_once_the_caller_left_and_nothing_holds_the_line(is_first: bool) -> None:
    setup = PretendedLine()
    setup.ring()
    setup.picks_up()
    setup.line.perform(m.Bridge(ticket=3))
    if is_first:
        setup.line.caller_left(16)
    setup.line.replied(len(setup.channel.sent), DONE)
    if not is_first:
        setup.line.caller_left(16)
    line = weakref.ref(setup.line)
    setup.line.closed()
    del setup
    gc.collect()
    assert line() is None, "a timer holds it"


async def test_speech_passes_the_gate(setup: PretendedLine) -> None:
    setup.line.talking_started()
    assert setup.events == []
    assert await setup.next_event() == m.SpeechStarted()
    setup.line.talking_stopped(CONFIRM_S * 1000)
    assert await setup.next_event() == m.SpeechEnded()


async def test_a_click_does_not_pass(setup: PretendedLine) -> None:
    setup.line.talking_started()
    setup.line.talking_stopped(0)
    await asyncio.sleep(CONFIRM_S * 1.3)  # until speech would have been confirmed
    assert setup.events == []


async def test_keys_and_hearing_are_passed_on(setup: PretendedLine) -> None:
    setup.line.key_pressed("5")
    setup.line.hearing_lost()
    setup.line.hearing_restored()
    assert setup.events == [m.KeyPressed(key="5"), m.HearingLost(), m.HearingRestored()]


async def test_music_and_instructions(setup: PretendedLine) -> None:
    setup.line.perform(m.StartMusic())
    setup.line.perform(m.StopMusic())
    setup.line.perform(m.Instruct(ticket=1, task="record_contact"))
    assert setup.channel.sent == ['SET MUSIC ON "default"', "SET MUSIC OFF"]


# ── orders, and what is asked before the call begins ──────────────────────────────────────────────────────────────────


async def test_what_somebody_says_about_the_call_reaches_it(setup: PretendedLine) -> None:
    setup.line.told(m.SituationStarted(name="noise"))
    assert setup.events == [m.SituationStarted(name="noise")]


class Asked(PretendedLine):
    """A line that has been asked for a header before its call began."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str] = []
        self.line.on_event = lambda event: pytest.fail(f"the call has not begun, and hears {event}")
        self.line.ask_header("X-Time", self.begin)

    def begin(self, text: str) -> None:
        self.answers.append(text)
        self.line.on_event = self.take


@pytest.fixture
async def asked() -> Asked:
    return Asked()


async def test_a_header_is_asked_for_and_what_happened_meanwhile_is_told_after_it(asked: Asked) -> None:
    assert asked.channel.sent == ['GET VARIABLE "PJSIP_HEADER(read,X-Time)"']
    asked.line.hearing_lost()
    asked.line.key_pressed("5")
    asked.line.replied(1, Reply(200, "1", text="2026-11-20T10:00"))
    assert (asked.answers, asked.events) == (["2026-11-20T10:00"], [m.HearingLost(), m.KeyPressed(key="5")])
    asked.line.key_pressed("6")
    assert asked.events[-1] == m.KeyPressed(key="6")


@pytest.mark.parametrize("reply", [Reply(200, "0"), Reply(200, "-1"), Reply(511, message="dead channel")])
async def test_no_such_header_is_no_text(asked: Asked, reply: Reply) -> None:
    asked.line.replied(1, reply)
    assert asked.answers == [""]


async def test_a_caller_who_left_meanwhile_has_called_and_left(asked: Asked) -> None:
    asked.line.caller_left(16)
    asked.line.replied(1, Reply(200, "-1"))
    assert (asked.answers, asked.events) == ([""], [m.CallerHungUp(cause=16)])


async def test_a_session_that_ends_before_the_answer_is_a_call_that_was_lost(asked: Asked) -> None:
    asked.line.closed()
    assert (asked.answers, asked.events) == ([""], [m.LineLost()])
    assert asked.closed == [asked.line]


async def test_a_header_that_never_comes_holds_up_no_call(
    setup: PretendedLine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(header_question, "HEADER_WITHIN_S", 0.01)
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    setup.line.ask_header("X-Time", answer.set_result)
    async with asyncio.timeout(5):
        assert await answer == ""
    setup.line.replied(1, Reply(200, "1", text="2026-11-20T10:00"))  # too late: it is not asked any more
    assert [record.getMessage() for record in caplog.records] == [
        "call pbx-1.7: Asterisk has not read a header within 0.01 s"
    ]
