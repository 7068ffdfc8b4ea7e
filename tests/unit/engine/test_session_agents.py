"""Ringing and talking: bounded, every agent released, the caller never left alone."""

import pytest
from driven_call import DrivenCall, call
from small_flows import flow, say, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact


def transferred(*announce: str) -> DrivenCall:
    names = ("agent_left", "no_answer", "busy", "unreachable")
    return call(
        flow(
            transfer(
                "agent",
                *announce,
                agent_left="agent_left",
                no_answer="no_answer",
                busy="busy",
                unreachable="unreachable",
            ),
            *(say(name, name) for name in names),
        )
    )


def bridged() -> DrivenCall:
    ringing = transferred()
    return ringing.happens(m.AgentAnswered(ticket=ringing.ticket(m.Ring)), after=3.0)


def test_the_extension_rings_after_the_announcement_with_music_and_a_bound() -> None:
    ringing = transferred("connecting", "please wait")
    assert ringing.says == ["connecting"]
    assert ringing.prompt_ends().says == ["connecting", "please wait"]
    ringing.prompt_ends()
    ring = m.Ring(ticket=ringing.ticket(m.Ring), extension="1001", seconds=20.0)
    assert ringing.last == [m.StartMusic(), ring]
    assert (ringing.session.waiting_for, ringing.waits_for) == ("the agent to answer", 20.0)
    assert ringing.session.phase == "ringing"


def test_who_answers_is_bridged_and_the_music_stops() -> None:
    talking = bridged()
    assert talking.last == [m.StopMusic(), m.Bridge(ticket=talking.ticket(m.Ring))]
    assert (talking.session.phase, talking.waits_for) == ("bridged", 60.0)


def test_nobody_answers_in_time() -> None:
    ringing = transferred()
    ticket = ringing.ticket(m.Ring)
    ringing.time_passes()
    assert ringing.last[:2] == [m.StopRinging(ticket=ticket), m.StopMusic()]
    assert (ringing.steps[-1], ringing.session.phase) == ("no_answer", "conversing")
    assert ringing.happens(m.AgentAnswered(ticket=ticket), after=0.01).last == [], "answered a moment too late"
    assert ringing.happens(m.AgentUnavailable(ticket=ticket), after=0.01).last == []


@pytest.mark.parametrize("why", ["no_answer", "busy", "unreachable"])
def test_an_extension_that_will_not_answer_leads_where_its_reason_says(why: str) -> None:
    ringing = transferred()
    ended = m.AgentUnavailable(ticket=ringing.ticket(m.Ring), why=why)  # type: ignore[arg-type]  # one of the three
    ringing.happens(ended, after=1.0)
    assert ringing.steps[-1] == why
    assert ringing.last[0] == m.StopMusic()
    assert not any(isinstance(action, m.StopRinging) for action in ringing.actions), "it does not ring any more"


def test_the_agent_hangs_up_first_and_the_call_goes_on() -> None:
    talking = bridged()
    talking.happens(m.AgentLeft(ticket=talking.ticket(m.Bridge)), after=30.0)
    assert (talking.steps[-1], talking.session.first_to_hang_up) == ("agent_left", "agent")
    assert not any(isinstance(action, m.DropAgent) for action in talking.actions)
    talking.hangs_up(1.0)
    assert (talking.session.first_to_hang_up, talking.session.outcome) == ("agent", "caller_hung_up")


def test_a_talk_that_is_too_long_drops_the_agent_and_the_call_goes_on() -> None:
    talking = bridged().time_passes()
    assert talking.last[0] == m.DropAgent(ticket=talking.ticket(m.Bridge))
    assert talking.steps[-1] == "agent_left"
    assert talking.session.first_to_hang_up == ""
    assert talking.happens(m.AgentLeft(ticket=talking.ticket(m.Bridge)), after=0.1).last == []


def test_the_caller_hangs_up_while_it_rings() -> None:
    ringing = transferred().hangs_up(2.0)
    assert ringing.last == [m.StopMusic(), m.StopRinging(ticket=ringing.ticket(m.Ring))]
    assert ringing.session.is_over


def test_the_caller_hangs_up_during_the_talk() -> None:
    talking = bridged().hangs_up(2.0)
    assert talking.last == [m.DropAgent(ticket=talking.ticket(m.Bridge))]
    assert talking.session.first_to_hang_up == "caller"


def test_the_call_ends_while_it_rings_and_the_agent_is_released_once() -> None:
    ringing = call(flow(transfer("agent", no_answer="hang_up"))).time_passes()
    ticket = ringing.ticket(m.Ring)
    assert ringing.last == [m.StopRinging(ticket=ticket), m.StopMusic(), m.EndCall(outcome="hung_up")]


@pytest.mark.parametrize("event", [m.KeyPressed(key="1"), m.SpeechStarted(), m.SpeechEnded(), m.SignalGiven(word="x")])
def test_what_is_said_or_keyed_while_it_rings_or_during_the_talk_moves_nothing(event: m.CallEvent) -> None:
    for standing in (transferred(), bridged()):
        deadline = standing.session.deadline
        assert standing.happens(event, after=1.0).last == []
        assert standing.session.deadline == deadline


def test_tickets_of_another_ringing_are_ignored() -> None:
    ringing = transferred()
    for event in (m.AgentAnswered(ticket=99), m.AgentUnavailable(ticket=99), m.AgentLeft(ticket=99)):
        assert ringing.happens(event, after=0.1).last == []
    talking = bridged()
    assert talking.happens(m.AgentAnswered(ticket=talking.ticket(m.Ring)), after=0.1).last == [], "answered twice"
    assert talking.facts.count(Fact.AGENT_ANSWERED) == 1


def test_a_lost_line_frees_the_agent_and_is_nobodys_hang_up() -> None:
    talking = bridged()
    talking.happens(m.LineLost(), after=5.0)
    assert talking.last == [m.DropAgent(ticket=talking.ticket(m.Ring))]
    assert (talking.session.outcome, talking.session.first_to_hang_up) == ("line_lost", "")
    assert talking.session.is_over
