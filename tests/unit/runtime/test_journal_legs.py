"""Who was sought for the caller, who answered, and how long everybody waited, told by events and actions alone."""

from collections.abc import Sequence

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal_figures import figures_of, leg_rows
from ivrflow.runtime.journal_legs import AgentLeg, AgentsSeen, add_holds, holds_of

Told = tuple[float, m.CallEvent, Sequence[m.Action]]


def seen(*happened: Told, codes: Sequence[str] = ()) -> AgentsSeen:
    agents = AgentsSeen(codes)
    agents.happened(0.0, m.CallArrived(number="1", arrived_at=0.0), [m.Answer()])
    for at, event, actions in happened:
        agents.happened(at, event, actions)
    return agents


def legs(*happened: Told, codes: Sequence[str] = ()) -> list[AgentLeg]:
    return seen(*happened, codes=codes).legs


QUEUED: Told = (10.0, m.PromptEnded(ticket=1), [m.JoinQueue(ticket=2, queue="office")])
ANSWERED: Told = (40.0, m.AgentAnswered(ticket=2, agent="1001", rang=6.0), [m.StopMusic(), m.Bridge(ticket=2)])


def test_an_agent_of_a_queue() -> None:
    (leg,) = legs(QUEUED, ANSWERED, (100.0, m.AgentLeft(ticket=2), []))
    assert (leg.queue, leg.agent, leg.ending, leg.waited, leg.rang) == ("office", "1001", "answered", 30.0, 6.0)
    assert (leg.talked, leg.ended_by) == (60.0, "agent")


def test_an_extension_rings_for_as_long_as_the_caller_waits() -> None:
    (leg,) = legs(
        (5.0, m.PromptEnded(ticket=1), [m.Ring(ticket=2, extension="1001", seconds=20.0)]),
        (12.0, m.AgentAnswered(ticket=2), [m.Bridge(ticket=2)]),
        (20.0, m.CallerHungUp(), []),
    )
    assert (leg.extension, leg.waited, leg.rang, leg.talked, leg.ended_by) == ("1001", 7.0, 7.0, 8.0, "caller")


def test_a_caller_who_hangs_up_while_waiting() -> None:
    (leg,) = legs(QUEUED, (55.0, m.CallerHungUp(), [m.StopRinging(ticket=2)]))
    assert (leg.ending, leg.waited, leg.rang, leg.ended_by) == ("abandoned", 45.0, None, "")


def test_the_next_level_is_the_same_wait() -> None:
    first, second = legs(
        QUEUED,
        (30.0, m.DeadlineReached(), [m.StopRinging(ticket=2), m.JoinQueue(ticket=3, queue="seniors", waited=20.0)]),
        (35.0, m.AgentAnswered(ticket=3, agent="1002", rang=2.0), [m.Bridge(ticket=3)]),
    )
    assert (first.ending, first.waited) == ("next_level", 20.0)
    assert (second.ending, second.waited, second.queue) == ("answered", 25.0, "seniors")


def test_waits_that_end_without_an_agent() -> None:
    def ending(event: m.CallEvent, *actions: m.Action) -> str:
        (leg,) = legs(QUEUED, (30.0, event, actions))
        assert leg.waited == (20.0 if actions or isinstance(event, m.AgentUnavailable | m.LineLost) else 0.0)
        return leg.ending

    assert ending(m.AgentUnavailable(ticket=2, why="nobody")) == "nobody"
    assert ending(m.DeadlineReached(), m.StopRinging(ticket=2)) == "no_answer"
    assert ending(m.KeyPressed(key="1"), m.StopRinging(ticket=2)) == "left"
    assert ending(m.LineLost()) == "left"
    assert ending(m.DeadlineReached(), m.EndCall(outcome="call_too_long")) == "left"
    assert ending(m.SpeechStarted()) == "unfinished"


def test_talk_counts_while_they_are_joined() -> None:
    (leg,) = legs(
        QUEUED,
        ANSWERED,
        (50.0, m.AgentKeyed(ticket=2, code="*80"), [m.Part(ticket=2)]),
        (70.0, m.DeadlineReached(), [m.Bridge(ticket=2)]),
        (75.0, m.DeadlineReached(), [m.DropAgent(ticket=2)]),
    )
    assert (leg.talked, leg.transfers, leg.ended_by) == (15.0, 0, "ivrflow")


def test_a_transfer_without_waiting_for_the_colleague() -> None:
    first, second = legs(
        QUEUED,
        ANSWERED,
        (50.0, m.AgentKeyed(ticket=2, code="*85"), [m.DropAgent(ticket=2)]),
        (52.0, m.PromptEnded(ticket=4), [m.Ring(ticket=5, extension="1002", seconds=20.0)]),
        codes=["*85"],
    )
    assert (first.transfers, first.ended_by) == (1, "agent")
    assert (second.transfers, second.ending) == (0, "unfinished")


def test_a_warm_transfer_and_one_that_comes_back() -> None:
    warm: tuple[Told, ...] = (
        QUEUED,
        ANSWERED,
        (50.0, m.TransferOrdered(step="expert"), [m.Part(ticket=2), m.StartMusic()]),
        (52.0, m.PromptEnded(ticket=4), [m.Ring(ticket=5, extension="1002", seconds=20.0)]),
    )
    first, second = legs(
        *warm,
        (58.0, m.AgentAnswered(ticket=5), []),
        (62.0, m.PromptEnded(ticket=6), [m.DropAgent(ticket=2), m.Bridge(ticket=5)]),
    )
    assert (first.transfers, first.ended_by, first.talked) == (1, "agent", 10.0)
    assert (second.ending, second.waited) == ("answered", 6.0)
    back: tuple[Told, ...] = (
        (72.0, m.AgentUnavailable(ticket=5), [m.Bridge(ticket=2)]),
        (80.0, m.DeadlineReached(), [m.DropAgent(ticket=2)]),
    )
    first, second = legs(*warm, *back)
    assert (first.transfers, first.ended_by, second.ending) == (1, "ivrflow", "no_answer")


def test_holds_belong_to_the_agent_of_the_moment() -> None:
    agents = seen(QUEUED, ANSWERED, (100.0, m.AgentLeft(ticket=2), []))
    trace = [
        TraceLine(5.0, Fact.HOLD_BEGUN),
        TraceLine(8.0, Fact.HOLD_OVER, seconds=3.0),
        TraceLine(50.0, Fact.HOLD_BEGUN),
        TraceLine(65.0, Fact.HOLD_OVER, seconds=15.0),
        TraceLine(90.0, Fact.HOLD_BEGUN),
        TraceLine(95.0, Fact.CALLER_HUNG_UP),
    ]
    assert list(holds_of(trace)) == [(5.0, 8.0), (50.0, 65.0), (90.0, 95.0)]
    add_holds(agents.legs, 0.0, trace)
    assert agents.legs[0].held == 20.0


def test_nothing_known_is_no_error() -> None:
    assert legs(ANSWERED, (41.0, m.AgentLeft(ticket=9), [m.StopRinging(ticket=8), m.Part(ticket=7)])) == []
    assert leg_rows("x", AgentsSeen(), []) == []
    assert list(holds_of([TraceLine(1.0, Fact.HOLD_BEGUN)])) == [(1.0, 1.0)]


def test_waiting_in_a_queue_counts_as_seeking_an_agent() -> None:
    trace = [TraceLine(3.0, Fact.QUEUED), TraceLine(9.5, Fact.AGENT_ANSWERED)]
    figures = figures_of(trace)
    assert (figures["agents_rung"], figures["agents_answered"], figures["agent_after"]) == (1, 1, 6.5)
