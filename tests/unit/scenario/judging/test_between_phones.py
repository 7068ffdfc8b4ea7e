import pytest
from judged_scenarios import FLOW, a_caller, a_scenario, at, sound

from ivrflow.scenario.judging.between_phones import between_phones
from ivrflow.scenario.observation import Act, Heard, PhoneSide
from ivrflow.scenario.script import AgentPart, HearNothing, Say, Step

GREETING = min(FLOW.phrases)


def an_agent(*heard: Heard, acts: tuple[Act, ...] = ()) -> PhoneSide:
    return PhoneSide("1001", 5.0, 7.0, 30.0, "peer", heard, acts)


def told(
    caller: PhoneSide, agent: PhoneSide, *, by_caller: tuple[Step, ...] = (), by_agent: tuple[Step, ...] = ()
) -> list[tuple[str, str]]:
    part = AgentPart("1001", "answers", at(40), steps=by_agent)
    scenario = a_scenario(*by_caller, agents=[part])
    return [(one.expected, one.observed) for one in between_phones(scenario, caller, {"1001": agent})]


@pytest.mark.parametrize(
    ("heard", "what"),
    [
        (None, ""),
        (sound("", 11.0, 1.0, kind="music"), "hold music was heard: 11.00-12.00 s"),
        (sound(GREETING, 11.0), f"{GREETING} was heard: 11.00-13.00 s"),
        (sound("440 Hz", 11.0, 1.0, kind="tone"), "a tone of 440 Hz was heard: 11.00-12.00 s"),
        (sound("", 11.0, 1.0, kind="unknown"), "an unknown sound was heard: 11.00-12.00 s"),
        (sound("", 8.0, 2.2, kind="unknown"), ""),  # it ends as the silence begins
        (sound("", 14.8, 2.0, kind="music"), ""),  # it begins as the silence ends
    ],
)  # fmt: skip
def test_nothing_is_heard(heard: Heard | None, what: str) -> None:
    step, act = HearNothing(5.0, at(41)), Act("hear nothing 5s", 10.0, 15.0, at(41))
    agent = an_agent(*([heard] if heard else []), acts=(act,))
    found = told(a_caller(), agent, by_agent=(step,))
    assert found == ([("agent 1001 hears nothing for 5s", what)] if what else [])


def test_a_silence_that_was_never_reached_proves_nothing() -> None:
    agent = an_agent(sound("", 11.0, 1.0, kind="music"))
    assert told(a_caller(), agent, by_agent=(HearNothing(5.0, at(41)),)) == []


@pytest.mark.parametrize(
    ("heard", "observed"),
    [
        (sound("", 10.05, 2.0, kind="unknown"), ""),
        (sound("700 Hz", 9.0, 5.0, kind="tone"), ""),
        (sound("", 10.05, 0.8, kind="unknown"), "40 % of it was heard"),
        (sound("", 10.05, 2.0, kind="music"), "nobody heard it"),
        (sound("", 3.0, 2.0, kind="unknown"), "nobody heard it"),
    ],
)
def test_who_talks_is_heard(heard: Heard, observed: str) -> None:
    step, act = Say(2.0, at(41), must_be_heard=True), Act("talk 2s", 10.0, 12.0, at(41))
    by_caller = told(a_caller(acts=(act,)), an_agent(heard), by_caller=(step,))
    by_agent = told(a_caller(heard), an_agent(acts=(act,)), by_agent=(step,))
    assert by_caller == ([("the caller talks for 2s and an agent hears it", observed)] if observed else [])
    assert by_agent == ([("agent 1001 talks for 2s and the caller hears it", observed)] if observed else [])


def test_what_is_only_said_need_not_be_heard() -> None:
    act = Act("say 2s", 10.0, 12.0, at(41))
    assert told(a_caller(acts=(act,)), an_agent(), by_caller=(Say(2.0, at(41)),)) == []


@pytest.mark.parametrize(("apart", "is_told"), [(0.0, False), (0.08, False), (0.3, True), (5.0, False)])
def test_prompts_that_both_hear_begin_together(apart: float, is_told: bool) -> None:
    caller, agent = a_caller(sound(GREETING, 10.0)), an_agent(sound(GREETING, 10.0 + apart))
    expected = f"{GREETING} begins for the caller and agent 1001 within 100 ms"
    observed = f"it began at 10.00 s and at {10 + apart:.2f} s, {apart * 1000:.0f} ms apart"
    assert told(caller, agent) == ([(expected, observed)] if is_told else [])


def test_of_a_prompt_that_was_hardly_heard_nobody_knows_the_beginning() -> None:
    assert told(a_caller(sound(GREETING, 10.0)), an_agent(sound(GREETING, 10.5, share=0.4))) == []
