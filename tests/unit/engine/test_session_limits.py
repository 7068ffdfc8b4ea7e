"""Limits are worded outcomes, never exceptions; nothing a peer sends too early, too late or twice does harm."""

import pytest
from driven_call import BEGIN, DrivenCall, call
from small_flows import THANKS, climb, flow, hours, menu, rung, rungs_of, say, silent_call_flow, transfer

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import Limits


def test_nothing_happens_before_a_call_arrives() -> None:
    session = CallSession(silent_call_flow())
    for event in (m.CallAnswered(), m.KeyPressed(key="1"), m.DeadlineReached(), m.CallerHungUp()):
        assert session.handle(event, 0.0) == []
    assert (session.deadline, session.trace, session.is_over, session.waiting_for) == (None, [], False, "")
    assert (session.phase, session.step) == ("arriving", "")


def test_an_arriving_call_is_answered_and_the_line_must_open_in_10_s() -> None:
    arriving = DrivenCall(silent_call_flow())
    assert (arriving.last, arriving.waits_for, arriving.session.waiting_for) == ([m.Answer()], 10.0, "the line to open")
    arriving.time_passes()
    assert arriving.last == [m.FallBack(reason="the line did not open")]
    assert (arriving.session.outcome, arriving.session.first_to_hang_up) == ("handed_to_fallback", "")


def test_the_caller_may_hang_up_before_the_line_is_open() -> None:
    gone = DrivenCall(silent_call_flow()).hangs_up(1.0)
    assert (gone.last, gone.session.outcome) == ([], "caller_hung_up")


def test_a_call_arrives_once_and_is_answered_once() -> None:
    twice = call(silent_call_flow())
    trace = len(twice.trace)
    twice.happens(m.CallArrived(number="1", arrived_at=0.0)).happens(m.CallAnswered())
    assert (twice.last, len(twice.trace)) == ([], trace)


def test_a_flow_may_begin_by_hanging_up() -> None:
    busy = flow(say("unused", "unused"))
    object.__setattr__(busy, "start", "hang_up")
    assert call(busy).last == [m.EndCall(outcome="hung_up")]


def test_the_call_length_ends_the_call_with_a_word_whatever_it_does() -> None:
    short = Limits(call_length=5.0)
    for bounded in (
        call(flow(climb("c", rung("hello", 60.0)), limits=short)).prompt_ends(),
        call(flow(transfer(), limits=short)),
    ):
        assert (bounded.session.deadline, bounded.session.waiting_for) == (BEGIN + 5.0, "the longest a call may last")
        bounded.time_passes()
        assert bounded.last[-1] == m.EndCall(outcome="call_too_long")
        assert bounded.session.first_to_hang_up == "ivrflow"


def test_the_call_length_cuts_a_prompt() -> None:
    cut = call(flow(say("s", "a", "b", "c"), limits=Limits(call_length=5.0))).prompt_ends().prompt_ends().time_passes()
    assert cut.last == [m.StopPlaying(ticket=3), m.EndCall(outcome="call_too_long")]


def test_the_call_length_releases_the_agent() -> None:
    talking = call(flow(transfer(), limits=Limits(call_length=30.0)))
    talking.happens(m.AgentAnswered(ticket=talking.ticket(m.Ring)), after=5.0).time_passes()
    assert talking.last == [m.DropAgent(ticket=talking.ticket(m.Bridge)), m.EndCall(outcome="call_too_long")]


def test_a_deadline_reported_late_after_the_call_length_still_ends_the_call() -> None:
    late = call(flow(climb("c", rung("hello", 4.0), rung("again")), limits=Limits(call_length=7.0))).prompt_ends()
    assert late.happens(m.DeadlineReached(), after=9.0).last == [m.EndCall(outcome="call_too_long")]


def circle(limits: Limits, size: int) -> DrivenCall:
    names = [f"h{index}" for index in range(size)]
    return call(
        flow(*(hours(name, otherwise=names[(index + 1) % size]) for index, name in enumerate(names)), limits=limits)
    )


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(), "limit visits_per_step reached at step h0"),
        (Limits(visits_per_step=1000), "limit steps_per_event reached at step h2"),
    ],
)
def test_a_flow_in_a_circle_is_handed_over(limits: Limits, reason: str) -> None:
    circled = circle(limits, size=2 if limits.visits_per_step == 20 else 4)
    assert circled.last == [m.FallBack(reason=reason)]
    assert circled.session.outcome == "handed_to_fallback"
    assert circled.facts[-3:] == [Fact.LIMIT_REACHED, Fact.HANDED_OVER, Fact.ENDED]


def test_even_generous_limits_never_become_an_exception() -> None:
    circled = circle(Limits(steps_per_event=50_000, visits_per_step=5_000), size=5)
    assert isinstance(circled.last[-1], m.FallBack)


def test_visits_count_over_the_whole_call() -> None:
    again = call(flow(menu(keys={"1": "menu"}), limits=Limits(visits_per_step=3)))
    for _ in range(2):
        again.prompt_ends().key("1", 1.0)
        assert not again.session.is_over
    again.prompt_ends().key("1", 1.0)
    assert again.last == [m.FallBack(reason="limit visits_per_step reached at step menu")]


def test_once_over_the_session_is_silent() -> None:
    ended = call(silent_call_flow()).silence(60)
    trace = len(ended.trace)
    for event in (m.CallerHungUp(), m.PromptEnded(ticket=3), m.DeadlineReached(), m.SituationStarted(name="noise")):
        assert ended.happens(event).last == []
    assert (len(ended.trace), ended.session.first_to_hang_up, ended.session.deadline) == (trace, "ivrflow", None)


def test_a_caller_who_hangs_up_in_the_instant_the_call_would_end_hung_up_first() -> None:
    silent = call(silent_call_flow()).silence(11.0)
    silent.hangs_up(1.0)
    assert silent.last == []
    assert silent.happens(m.PromptEnded(ticket=3)).last == []
    assert (silent.session.outcome, silent.session.first_to_hang_up) == ("caller_hung_up", "caller")


def test_values_learned_on_the_way_are_spoken_from_then_on() -> None:
    greeted = flow(say("one", "one", then="two"), say("two", "two"))
    phrases, prompts = dict(greeted.phrases), dict(greeted.prompts.prompts)
    phrases["two"] = type(phrases["two"])("two", "{name}!", phrases["two"].where, ("name",), "hello!")
    prompts["two", (("name", "Li"),)] = type(prompts["two", ()])("small/two-li", "Li!", 1.0)
    object.__setattr__(greeted, "phrases", phrases)
    object.__setattr__(greeted, "prompts", type(greeted.prompts)(prompts))
    for learned, prompt in (({"name": "Li"}, "small/two-li"), ({"name": "Wu"}, "small/two"), ({}, "small/two")):
        heard = call(greeted).happens(m.ValuesLearned(values=learned)).prompt_ends()
        assert heard.playing is not None
        assert heard.playing.prompt == prompt


def test_a_limit_struck_behind_a_ladder_is_not_held_against_its_rule() -> None:
    looping = flow(
        climb("welcome", *rungs_of(THANKS), used_up="welcome", ladder_name="thanks"), limits=Limits(visits_per_step=1)
    )
    ended = call(looping).prompt_ends()
    assert ended.last == [m.FallBack(reason="limit visits_per_step reached at step welcome")]
    assert ended.verdict("gov/thanks").judgement == "kept"
