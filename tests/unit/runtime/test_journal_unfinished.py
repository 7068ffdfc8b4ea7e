from typing import get_args

from journalled_calls import silent_call, silent_flow

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.runtime.journal_reader import Happening
from ivrflow.runtime.journal_unfinished import lines_of


class Kept:
    def __init__(self) -> None:
        self.happenings: list[Happening] = []

    def handled(self, at: float, event: m.CallEvent, actions: object) -> None:
        assert isinstance(actions, list)
        self.happenings.append(Happening(len(self.happenings) + 1, at, event, tuple(actions)))

    def over(self, *_: object) -> None:
        pass


def test_it_tells_the_parts_of_the_trace_that_need_no_flow() -> None:
    kept = Kept()
    session = silent_call(silent_flow(), kept)
    needs_the_flow = {
        Fact.STEP_ENTERED,
        Fact.LADDER_BEGUN,
        Fact.LADDER_USED_UP,
        Fact.WAIT_BEGUN,
        Fact.WAIT_USED_UP,
    }
    expected = [
        (line.at, line.fact, line.phrase, line.key) for line in session.trace if line.fact not in needs_the_flow
    ]
    assert [(line.at, line.fact, line.phrase, line.key) for line in lines_of(kept.happenings)] == expected


def happened(*what: tuple[float, m.CallEvent, tuple[m.Action, ...]]) -> list[Happening]:
    return [Happening(number, at, event, actions) for number, (at, event, actions) in enumerate(what, 1)]


def test_a_prompt_that_was_cut_ends_once() -> None:
    play = m.Play(ticket=1, phrase="a/b", prompt="", seconds=2.0)
    lines = lines_of(
        happened(
            (5.0, m.CallAnswered(), (play,)),
            (6.0, m.SpeechStarted(), (m.StopPlaying(ticket=1),)),
            (6.1, m.PromptEnded(ticket=1, how="stopped"), ()),
        )
    )
    assert [(line.at, line.fact, line.detail) for line in lines] == [
        (0.0, Fact.ANSWERED, ""),
        (0.0, Fact.PHRASE_STARTED, ""),
        (1.0, Fact.SPEECH_STARTED, ""),
        (1.0, Fact.PHRASE_ENDED, "stopped: by ivrflow"),
    ]


def test_agents_and_endings_are_told() -> None:
    lines = lines_of(
        happened(
            (0.0, m.SituationStarted(name="noise"), (m.Instruct(ticket=1, task="mute"),)),
            (1.0, m.DeadlineReached(), (m.StartMusic(), m.Ring(ticket=2, extension="1001", seconds=20.0))),
            (2.0, m.AgentAnswered(ticket=2), (m.StopMusic(), m.Bridge(ticket=2))),
            (3.0, m.AgentLeft(ticket=2), ()),
            (4.0, m.AgentUnavailable(ticket=3, why="busy"), (m.FallBack(reason="a limit"),)),
            (5.0, m.CallerHungUp(cause=16), (m.EndCall(outcome="done"),)),
        )
    )
    assert [(line.fact, line.detail) for line in lines] == [
        (Fact.SITUATION_STARTED, "noise"),
        (Fact.TASK_ASKED, "mute"),
        (Fact.RINGING, ""),
        (Fact.AGENT_ANSWERED, ""),
        (Fact.AGENT_LEFT, ""),
        (Fact.AGENT_UNAVAILABLE, "busy"),
        (Fact.HANDED_OVER, "a limit"),
        (Fact.CALLER_HUNG_UP, "cause 16"),
        (Fact.ENDED, "done"),
    ]


def test_nothing_happened_and_unknown_tickets_tell_nothing() -> None:
    assert lines_of([]) == []
    assert lines_of(happened((1.0, m.PromptEnded(ticket=9), (m.StopPlaying(ticket=8),)))) == []


def test_every_event_is_taken() -> None:
    samples: dict[type, m.CallEvent] = {
        m.KeyPressed: m.KeyPressed(key="1"),
        m.SituationStarted: m.SituationStarted(name="x"),
        m.SignalGiven: m.SignalGiven(word="x"),
        m.ValuesLearned: m.ValuesLearned(values={}),
        m.CallArrived: m.CallArrived(number="1", arrived_at=1.0),
        m.CallOrdered: m.CallOrdered(caller="1", arrived_at=1.0),
        m.QueueMoved: m.QueueMoved(ticket=1, position=2),
        m.AgentKeyed: m.AgentKeyed(ticket=1, code="*80"),
        m.TransferOrdered: m.TransferOrdered(step="x"),
        m.MessageRecorded: m.MessageRecorded(ticket=1, how="key"),
    }
    for kind in get_args(m.CallEvent):
        event = samples.get(kind) or (kind(ticket=1) if "ticket" in kind.__struct_fields__ else kind())
        assert len(lines_of(happened((1.0, event, ())))) <= 1


def test_a_call_we_place_is_told_from_its_order_on() -> None:
    ordered = m.CallOrdered(caller="1001", arrived_at=1.0)
    lines = lines_of(
        happened((0.0, ordered, (m.Dial(seconds=30.0),)), (3.0, m.CallNotAnswered(why="busy"), ())),
    )
    assert [(line.fact, line.detail, line.seconds) for line in lines] == [
        (Fact.ORDERED, "", None),
        (Fact.DIALLING, "", 30.0),
        (Fact.NOT_ANSWERED, "busy", None),
    ]
