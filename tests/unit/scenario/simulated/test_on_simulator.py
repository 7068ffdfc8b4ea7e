from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import small_flows as small
from judged_scenarios import a_scenario, at, findings, words

from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import Band, CallFlow, Climb, Limits, Prompt, PromptCatalogue
from ivrflow.flow_files import load_flows
from ivrflow.scenario.judging.clock_pairs import clock_pairs
from ivrflow.scenario.observation import EngineSide, Observation, PhoneSide
from ivrflow.scenario.script import (
    AgentPart,
    Background,
    Expectations,
    ExpectedVerdict,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    Order,
    Pause,
    Press,
    Resume,
    Say,
    Scenario,
    Step,
    Wait,
    WaitUntil,
)
from ivrflow.scenario.simulated.on_simulator import play
from ivrflow.softphone.audio_source import (
    AudioSource,
    Breathing,
    ComfortNoise,
    Noise,
    NoRtp,
    Silence,
    Tone,
)

GOV = load_flows([Path(__file__).parents[4] / "callflows"])["gov12345"]
SPEAKS_AFTER_S = 0.22
"""Seconds after which Asterisk's talk detection and the bridge know that somebody speaks."""


def engine(observation: Observation) -> EngineSide:
    assert observation.engine is not None
    return observation.engine


def heard(side: PhoneSide) -> list[tuple[str, float, float]]:
    """What a phone heard: name, from, to."""
    return [(one.name or one.kind, one.start, one.end) for one in side.heard]


def facts(observation: Observation, *wanted: Fact) -> list[tuple[float, str]]:
    """Trace lines of these kinds: second, detail or fact."""
    return [(line.at, line.detail or str(line.fact)) for line in engine(observation).trace if line.fact in wanted]


def speech(observation: Observation) -> list[tuple[float, str]]:
    return facts(observation, Fact.SPEECH_STARTED, Fact.SPEECH_ENDED)


def agent(*steps: Step, manner: str = "answers", after: float = 2.0) -> AgentPart:
    return AgentPart("1001", manner, at(40), after, steps)  # type: ignore[arg-type]  # a word the test chose


def to_agent(*then: Step, who: AgentPart | None = None) -> Scenario:
    """Through the greeting to the agent: "connecting" from second 2.3 to 4.3, then 1001 rings."""
    return a_scenario(WaitUntil(2.3, at(3)), Press("0", at(4)), *then, agents=[who] if who else [])


# ── the caller hears ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_silent_caller_hears_the_whole_ladder() -> None:
    observation = play(a_scenario())
    assert heard(observation.caller) == [
        ("good day", 0.0, 2.0),
        ("greeting", 2.0, 4.0),
        ("connected", 7.0, 9.0),
        ("change phone", 12.0, 14.0),
    ]
    assert all((one.completeness, one.correlation, one.length) == (1.0, 1.0, 2.0) for one in observation.caller.heard)
    assert (observation.stage, observation.agents, observation.leaks, observation.stalls) == ("simulator", {}, (), ())
    caller = observation.caller
    assert (caller.name, caller.rang_at, caller.answered_at, caller.ended_at, caller.ended_by) == (
        "caller",
        None,
        0.0,
        14.0,
        "peer",
    )
    assert (caller.acts, caller.gave_up, caller.trouble) == ((), None, "")


def test_the_engine_s_side_is_all_the_engine_knows() -> None:
    side = engine(play(a_scenario()))
    assert (side.call, side.answered_at, side.outcome, side.hung_up_first) == ("", 0.0, "hung_up", "ivrflow")
    assert side.trace[-1].fact is Fact.ENDED
    assert {verdict.rule: verdict.judgement for verdict in side.verdicts}["gov/silent_call"] is Judgement.KEPT


def test_a_scenario_plays_the_same_way_every_time() -> None:
    scenario = to_agent(Say(2.0, at(5)), who=agent(Wait(3.0, at(41)), HangUp(at(42))))
    assert play(scenario) == play(scenario)


def test_waits_are_told_by_the_engine_alone() -> None:
    pairs = clock_pairs(small.hotline(), play(a_scenario()))
    assert [(pair.rule, pair.rung, pair.engine, pair.wire, pair.at) for pair in pairs] == [
        ("gov/silent_call", 1, 3.0, None, 4.0),
        ("gov/silent_call", 2, 3.0, None, 9.0),
    ]


def test_the_caller_calls_at_the_time_the_scenario_says() -> None:
    """Shut from noon to midnight, by a flow whose only window is the morning."""
    flow = small.flow(
        small.hours("hours", small.window(range(7), 0, 720, "good morning", then="served"), otherwise="shut"),
        small.say("served", "at your service"),
        small.say("shut", "we are closed"),
    )
    evening = replace(a_scenario(flow=flow), at=datetime(2026, 11, 20, 22, 0))  # noqa: DTZ001 - local to the flow
    assert [one.name for one in play(evening).caller.heard] == ["we are closed"]
    assert [one.name for one in play(a_scenario(flow=flow)).caller.heard] == ["good morning", "at your service"]


def test_a_phrase_cut_short_says_how_much_was_heard() -> None:
    """The key is seen as it is pressed: half a second into the greeting."""
    observation = play(a_scenario(HearStart("greeting", at(3)), Wait(1.0, at(4)), Press("1", at(5)), HangUp(at(6))))
    greeting = observation.caller.heard[1]
    assert (greeting.name, greeting.start, greeting.end, greeting.completeness) == ("greeting", 2.0, 3.0, 0.5)


def test_nobody_reacts_before_a_phrase_can_be_known() -> None:
    observation = play(a_scenario(HearStart("good day", at(3)), Press("9", at(4))))
    assert [(act.what, act.start) for act in observation.caller.acts] == [("press keys", 0.6)]


def test_hear_ends_with_the_phrase() -> None:
    observation = play(a_scenario(Hear("good day", at(3)), Wait(0.5, at(4)), HangUp(at(5))))
    assert (observation.caller.ended_at, observation.caller.ended_by) == (2.5, "phone")
    assert engine(observation).hung_up_first == "caller"


def test_a_phrase_that_does_not_come_is_given_up() -> None:
    observation = play(a_scenario(Hear("noisy", at(3), within=5.0)))
    gave_up = observation.caller.gave_up
    assert gave_up
    assert (gave_up.waiting_for, gave_up.where) == ("noisy was not heard within 5s", at(3))
    assert (observation.caller.ended_at, observation.caller.ended_by) == (gave_up.at, "phone")


# ── the caller does ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_are_pressed_one_after_the_other() -> None:
    press = Press("12#", at(4), hold_ms=120, gap_ms=280)
    observation = play(a_scenario(WaitUntil(2.5, at(3)), press, HangUp(at(5))))
    pressed = [(line.at, line.key) for line in engine(observation).trace if line.fact is Fact.KEY_PRESSED]
    assert pressed == [(2.5, "1"), (2.9, "2"), (3.3, "#")]
    assert [(act.keys, act.start, act.end) for act in observation.caller.acts[:1]] == [("12#", 2.5, 3.42)]
    assert observation.caller.ended_at == 3.42, "done when the last key was released"


def test_speech_is_known_after_a_moment_and_over_after_a_pause() -> None:
    observation = play(a_scenario(Hear("greeting", at(3)), Say(2.0, at(4))))
    assert speech(observation) == [
        (4.0 + SPEAKS_AFTER_S, "speech started"),
        (6.5, "speech ended"),
    ]
    assert heard(observation.caller)[2][:2] == ("offer", 4.22), "the menu begins while the caller speaks"


def test_a_say_too_short_to_be_speech_is_none() -> None:
    observation = play(a_scenario(Hear("greeting", at(3)), Say(0.1, at(4))))
    assert speech(observation) == []
    assert [one.name for one in observation.caller.heard][-1] == "change phone"


@pytest.mark.parametrize("source", [Silence(), NoRtp(), ComfortNoise(), Breathing(), Noise(-40.0), Tone(1200, -40.0)])
def test_a_quiet_background_is_a_silent_caller(source: AudioSource) -> None:
    observation = play(replace(a_scenario(), background=source))
    assert speech(observation) == []
    assert observation.caller.ended_at == 14.0


def test_noise_above_the_talk_level_counts_as_speech_once_nothing_plays() -> None:
    """The small hotline's prompts are loud enough for their echo to drown it."""
    observation = play(replace(a_scenario(), background=Noise(-30.0)))
    assert speech(observation)[0] == (4.0 + 0.15 + SPEAKS_AFTER_S, "speech started")
    loud = play(replace(a_scenario(), background=Noise(-20.0)))
    assert speech(loud)[0] == (SPEAKS_AFTER_S, "speech started")


def test_noise_may_begin_and_end_in_the_middle() -> None:
    noise, silence = Background(Noise(-20.0), at(4)), Background(Silence(), at(6))
    observation = play(a_scenario(WaitUntil(5.0, at(3)), noise, Wait(1.0, at(5)), silence))
    assert speech(observation) == [
        (5.0 + SPEAKS_AFTER_S, "speech started"),
        (6.5, "speech ended"),
    ]


def test_the_caller_hears_nothing_while_the_other_side_is_on_hold() -> None:
    observation = play(a_scenario(WaitUntil(3.0, at(3)), Hold(at(4)), Wait(6.0, at(4)), Resume(at(4))))
    assert heard(observation.caller) == [("good day", 0.0, 2.0), ("greeting", 2.0, 3.0), ("change phone", 12.0, 14.0)]
    assert [(act.what, act.start, act.end) for act in observation.caller.acts] == [
        ("hold", 3.0, 3.0),
        ("resume", 9.0, 9.0),
    ]


def test_noise_is_not_sent_while_the_other_side_is_on_hold() -> None:
    steps = (WaitUntil(5.0, at(3)), Hold(at(4)), Background(Noise(-20.0), at(5)), Wait(1.0, at(6)), Resume(at(7)))
    assert speech(play(a_scenario(*steps)))[0] == (6.0 + SPEAKS_AFTER_S, "speech started")


def test_noise_that_goes_on_through_a_hold_is_heard_again_after_it() -> None:
    """A phone on hold sends nothing, so that Asterisk never hears the noise stop: the speech ends when it must."""
    steps = (WaitUntil(5.0, at(3)), Hold(at(4)), WaitUntil(30.0, at(5)), Resume(at(6)))
    menu = small.flow(small.menu(keys={"1": "menu"}, no_input="menu", offers=5))
    observation = play(replace(a_scenario(*steps, HangUp(at(7)), flow=menu), background=Noise(-20.0)))
    assert speech(observation) == [(SPEAKS_AFTER_S, "speech started"), (15.0 + SPEAKS_AFTER_S, "speech ended")]
    quiet = (WaitUntil(4.5, at(3)), Hold(at(4)), Background(Noise(-20.0), at(5)), Wait(9.0, at(6)))
    assert speech(play(a_scenario(*quiet))) == []


def test_the_caller_hangs_up() -> None:
    observation = play(a_scenario(WaitUntil(1.0, at(3)), HangUp(at(4))))
    assert heard(observation.caller) == [("good day", 0.0, 1.0)]
    assert (engine(observation).outcome, engine(observation).hung_up_first) == ("caller_hung_up", "caller")
    assert observation.caller.gave_up is None


def test_the_engine_s_deadline_comes_before_what_is_done_in_the_same_moment() -> None:
    """As in a tried call: who speaks up at the very end of the wait is too late."""
    observation = play(a_scenario(WaitUntil(7.0, at(3)), Press("1", at(4))))
    wanted = (Fact.WAIT_USED_UP, Fact.KEY_PRESSED)
    assert [detail for _, detail in facts(observation, *wanted)][:2] == ["wait used up", "key pressed"]


# ── orders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_situation_is_started_and_taken_back() -> None:
    start, stop = Order("situation", at(4), "noise"), Order("cancel", at(6))
    observation = play(a_scenario(Hear("greeting", at(3)), start, Wait(1.0, at(5)), stop))
    assert facts(observation, Fact.SITUATION_STARTED, Fact.SITUATION_OVER) == [(4.0, "noise"), (5.0, "continue")]
    assert ("louder", 4.0, 5.0) in heard(observation.caller)


def test_a_signal_leaves_a_ladder() -> None:
    steps = (
        Hear("greeting", at(3)),
        Order("situation", at(4), "noise"),
        Wait(1.0, at(5)),
        Order("signal", at(6), "audible"),
    )
    observation = play(a_scenario(*steps))
    assert facts(observation, Fact.SIGNAL_GIVEN, Fact.LADDER_LEFT) == [(5.0, "audible"), (5.0, "audible")]


def test_a_task_takes_until_somebody_says_it_is_done() -> None:
    lookup = Order("situation", at(4), "short_lookup")
    undone = play(a_scenario(Hear("greeting", at(3)), lookup))
    assert facts(undone, Fact.TASK_ASKED, Fact.TASK_DONE) == [(6.0, "look_up")]
    assert (36.0, "task") in facts(undone, Fact.WAIT_USED_UP)
    done = play(a_scenario(Hear("greeting", at(3)), lookup, WaitUntil(18.0, at(5)), Order("done", at(6))))
    assert facts(done, Fact.TASK_DONE) == [(18.0, "look_up")]


def test_done_without_a_task_changes_nothing() -> None:
    assert heard(play(a_scenario(Order("done", at(3)))).caller) == heard(play(a_scenario()).caller)


def test_values_are_learned() -> None:
    """The greeting with the caller's title takes a second longer."""
    flow = small.hotline()
    phrases = {**flow.phrases, "greeting": replace(flow.phrases["greeting"], placeholders=("honorific",))}
    prompts = dict(flow.prompts.prompts)
    prompts["greeting", (("honorific", "女士"),)] = Prompt("small/titled", "greeting, madam", 3.0)
    titled = replace(flow, phrases=phrases, prompts=PromptCatalogue(prompts))
    observation = play(a_scenario(Order("value", at(3), "honorific", "女士"), flow=titled))
    assert heard(observation.caller)[1] == ("greeting", 2.0, 5.0)
    assert [act.what for act in observation.caller.acts] == ["value honorific"], "without the value itself"


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_answers_talks_and_hangs_up() -> None:
    observation = play(to_agent(who=agent(Wait(3.0, at(41)), HangUp(at(42)))))
    side = observation.agents["1001"]
    assert (side.rang_at, side.answered_at, side.ended_at, side.ended_by) == (
        4.3,
        6.3,
        9.3,
        "phone",
    )
    assert engine(observation).hung_up_first == "agent"
    names = [name for name, _, _ in heard(observation.caller)]
    assert names == ["good day", "greeting", "connecting", "music", "anything else", "goodbye", "reminder"]


def test_while_an_agent_rings_there_is_music() -> None:
    observation = play(to_agent(HearMusic(at(5)), Wait(1.0, at(6)), HangUp(at(7)), who=agent(after=5.0)))
    assert heard(observation.caller)[-1] == ("music", 4.3, 5.3)
    assert observation.caller.ended_at == 5.3, "counted from the music's first sound"
    side = observation.agents["1001"]
    assert (side.answered_at, side.ended_at, side.ended_by) == (None, 5.3, "peer")


@pytest.mark.parametrize(
    ("who", "why", "rang", "ended_by"),
    [
        (agent(manner="busy", after=1.0), "busy", True, "phone"),
        (agent(manner="declines", after=0.0), "busy", True, "phone"),
        (agent(manner="rings_on"), "no_answer", True, "peer"),
        (agent(manner="unreachable"), "unreachable", False, None),
        (None, "unreachable", False, None),
    ],
)
def test_agents_who_cannot_be_had(who: AgentPart | None, why: str, rang: bool, ended_by: str | None) -> None:
    observation = play(to_agent(who=who))
    assert [detail for _, detail in facts(observation, Fact.AGENT_UNAVAILABLE)][:1] == [why]
    if who is not None:
        side = observation.agents["1001"]
        assert (side.rang_at is not None, side.answered_at, side.ended_by) == (rang, None, ended_by)


def test_an_agent_rings_no_longer_than_the_flow_says() -> None:
    side = play(to_agent(who=agent(manner="rings_on"))).agents["1001"]
    assert (side.rang_at, side.ended_at, side.ended_by) == (4.3, 24.3, "peer")


def test_a_talk_lasts_no_longer_than_the_flow_says() -> None:
    patient = to_agent(HearMusic(at(5)), Hear("anything else", at(6), within=70.0), HangUp(at(7)), who=agent())
    observation = play(replace(patient, within=100.0))
    side = observation.agents["1001"]
    assert (side.answered_at, side.ended_at, side.ended_by) == (6.3, 66.3, "peer")
    assert observation.caller.ended_at == 68.3


def test_the_caller_leaves_the_talk_first() -> None:
    observation = play(to_agent(WaitUntil(9.0, at(5)), HangUp(at(6)), who=agent()))
    side = observation.agents["1001"]
    assert (side.ended_at, side.ended_by, side.gave_up) == (9.0, "peer", None)
    assert engine(observation).hung_up_first == "caller"


def test_on_hold_by_the_agent_the_caller_hears_music() -> None:
    steps = (Wait(2.0, at(41)), Hold(at(42)), Wait(3.0, at(42)), Resume(at(42)), Wait(1.0, at(43)), HangUp(at(44)))
    observation = play(to_agent(HearMusic(at(5)), HearMusic(at(6)), WaitUntil(13.0, at(7)), who=agent(*steps)))
    assert [one for one in heard(observation.caller) if one[0] == "music"] == [
        ("music", 4.3, 6.3),
        ("music", 8.3, 11.3),
    ]
    assert observation.caller.gave_up is None


def test_music_of_a_hold_ends_with_the_talk() -> None:
    steps = (Wait(2.0, at(41)), Hold(at(42)), Wait(3.0, at(43)), HangUp(at(44)))
    observation = play(to_agent(who=agent(*steps)))
    assert ("music", 8.3, 11.3) in heard(observation.caller)


def test_caller_and_agent_hear_what_the_other_says() -> None:
    says = (
        Wait(1.0, at(41)),
        Say(2.0, at(42), phrase="not at all"),
        Say(1.0, at(43)),
        Hear("louder", at(44)),
        HangUp(at(45)),
    )
    caller = (Hear("not at all", at(5)), Wait(2.0, at(6)), Say(2.0, at(7), phrase="louder"))
    observation = play(to_agent(*caller, who=agent(*says)))
    assert heard(observation.agents["1001"]) == [("louder", 11.3, 13.3)]
    assert ("not at all", 7.3, 9.3) in heard(observation.caller)
    assert ("unknown", 9.3, 10.3) in heard(observation.caller)
    assert observation.agents["1001"].gave_up is None
    assert observation.agents["1001"].ended_at == 13.3


def test_nobody_hears_what_is_said_on_hold() -> None:
    says = (
        Wait(1.0, at(41)),
        Hold(at(42)),
        Say(2.0, at(43), phrase="not at all"),
        Resume(at(44)),
        Wait(1.0, at(45)),
        HangUp(at(46)),
    )
    observation = play(to_agent(who=agent(*says)))
    assert "not at all" not in [name for name, _, _ in heard(observation.caller)]


def test_the_agent_hears_music_while_the_caller_holds() -> None:
    caller = (WaitUntil(8.0, at(5)), Hold(at(6)), Wait(2.0, at(6)), Resume(at(6)))
    observation = play(to_agent(*caller, who=agent(Wait(8.0, at(41)), HangUp(at(42)))))
    assert heard(observation.agents["1001"]) == [("music", 8.0, 10.0)]


def test_what_an_agent_says_is_cut_when_the_talk_ends() -> None:
    observation = play(to_agent(WaitUntil(8.3, at(5)), HangUp(at(6)), who=agent(Say(4.0, at(41), phrase="not at all"))))
    assert heard(observation.caller)[-1] == ("not at all", 6.3, 8.3)
    assert observation.agents["1001"].gave_up is None, "it was the last thing to say, and it was begun"


def test_what_an_agent_says_in_the_middle_is_given_up_when_the_talk_ends() -> None:
    part = agent(Say(4.0, at(41), phrase="not at all"), Wait(1.0, at(42)))
    observation = play(to_agent(WaitUntil(8.3, at(5)), HangUp(at(6)), who=part))
    gave_up = observation.agents["1001"].gave_up
    assert gave_up
    assert gave_up.waiting_for == "the call was over before 'say not at all' was done"


def test_an_agent_called_again_plays_its_part_again() -> None:
    """After the agent has left, the caller asks for one more thing and presses 0 again."""
    part = agent(Wait(1.0, at(41)), HangUp(at(42)))
    again = (
        Hear("anything else", at(5)),
        Press("5", at(6)),
        Hear("offer", at(7)),
        Press("0", at(8)),
        WaitUntil(25.0, at(9)),
    )
    observation = play(to_agent(*again, who=part))
    side = observation.agents["1001"]
    assert [act.what for act in side.acts] == ["hang up", "hang up"]
    assert len(facts(observation, Fact.AGENT_LEFT)) == 2
    assert side.rang_at == 4.3
    assert side.ended_at
    assert side.ended_at > 10


def test_an_agent_s_second_counts_from_its_own_answer() -> None:
    observation = play(to_agent(who=agent(WaitUntil(4.0, at(41)), HangUp(at(42)))))
    assert observation.agents["1001"].ended_at == 10.3


def test_an_agent_tells_ivrflow_what_it_may_know() -> None:
    observation = play(to_agent(who=agent(Order("situation", at(41), "noise"), HangUp(at(42)))))
    assert [detail for _, detail in facts(observation, Fact.SITUATION_STARTED)] == ["noise"]


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_that_does_not_end_in_time_is_torn_down() -> None:
    observation = play(replace(a_scenario(WaitUntil(30.0, at(3))), within=5.5))
    caller = observation.caller
    assert (caller.ended_at, caller.ended_by, caller.trouble) == (5.5, "phone", "the call was not over within 5.5s")
    assert caller.gave_up
    assert caller.gave_up.where == at(3)


def test_a_call_cannot_last_for_ever_on_virtual_time_either() -> None:
    circle = small.flow(small.menu(keys={"1": "menu"}, no_input="menu"), limits=Limits(visits_per_step=10_000))
    observation = play(replace(a_scenario(flow=circle), within=100_000.0))
    assert engine(observation).outcome == "call_too_long"


def test_a_call_handed_to_the_fallback_is_nobody_s_hang_up() -> None:
    circle = small.flow(small.menu(keys={"1": "menu"}, no_input="menu"), limits=Limits(visits_per_step=2))
    assert (engine(play(a_scenario(flow=circle))).outcome, engine(play(a_scenario(flow=circle))).hung_up_first) == (
        "handed_to_fallback",
        "nobody",
    )


# ── judged ────────────────────────────────────────────────────────────────────────────────────────────────────────────

GREETING, CONNECTED, CHANGE = (
    "gov12345/greeting_inbound.standard",
    "gov12345/silent_call.connected",
    "gov12345/silent_call.change_phone",
)
RULE = "gov12345/silent_call"


def silent_caller(flow: CallFlow = GOV, pause: float = 3.0) -> Scenario:
    between = Pause(Band(pause, pause), at(4), 0.25, RULE)
    return a_scenario(
        Hear(GREETING, at(3)),
        between,
        Hear(CONNECTED, at(5)),
        replace(between, where=at(6)),
        Hear(CHANGE, at(7)),
        flow=flow,
        expect=Expectations("ivrflow", "hung_up", {RULE: ExpectedVerdict(Judgement.KEPT, at(20))}),
        proves=[RULE],
    )


def test_the_silent_caller_of_the_hotline_that_ships() -> None:
    scenario = silent_caller()
    assert findings(scenario, play(scenario)) == []


def test_a_flow_that_waits_too_long_is_found_out() -> None:
    """The same scenario on a flow whose first wait is five seconds: the pause and the verdict say so."""
    step = GOV.steps["welcome"]
    assert isinstance(step, Climb)
    rungs = (replace(step.ladder.rungs[0], wait=5.0), *step.ladder.rungs[1:])
    broken = replace(step, ladder=replace(step.ladder, rungs=rungs))
    scenario = silent_caller(replace(GOV, steps={**GOV.steps, "welcome": broken}))
    assert [words(found) for found in findings(scenario, play(scenario))] == [
        (
            "pause",
            4,
            "a pause of 3 s (±0.25 s) after greeting_inbound.standard, by rule gov12345/silent_call",
            "5.00 s",
        ),
        (
            "verdict",
            20,
            "gov12345/silent_call kept: say, wait 3 s, say, wait 3 s, say, then hangup",
            "broken: waited 5.00 s after rung 1, not 3 s",
        ),
    ]


@pytest.mark.parametrize(("seconds", "kinds"), [(2.0, []), (4.0, ["pause", "verdict"]), (0.5, ["pause", "verdict"])])
def test_ivrflow_that_does_not_wait_for_its_seconds_before_it_hangs_up(seconds: float, kinds: list[str]) -> None:
    ladder = GOV.situations["noise"]
    rungs = (*ladder.rungs[:-1], replace(ladder.rungs[-1], wait=seconds))
    flow = replace(GOV, situations={**GOV.situations, "noise": replace(ladder, rungs=rungs)})
    change_phone, pause = "gov12345/noise.change_phone", Pause(Band(2, 2), at(6), 0.25, "gov12345/noise")
    steps = (Hear(GREETING, at(3)), Order("situation", at(4), "noise"), Hear(change_phone, at(5)), pause)
    scenario = a_scenario(*steps, flow=flow, expect=Expectations(heard_else=True))

    found = findings(scenario, play(scenario))

    assert [one.kind for one in found] == kinds
    if found:
        expected = "a pause of 2 s (±0.25 s) after noise.change_phone, then the end of the call, by rule gov12345/noise"
        assert words(found[0]) == ("pause", 6, expected, f"{seconds:.2f} s")


@pytest.mark.parametrize("situation", sorted(GOV.situations))
def test_every_situation_of_the_standard_can_be_played_and_judged(situation: str) -> None:
    """The caller says nothing, every task is done after a second; the rule is kept, and nothing else is broken."""
    orders: list[Step] = [Hear(GREETING, at(3)), Order("situation", at(4), situation)]
    for line in range(5, 15):
        orders += [Wait(15.0, at(line)), Order("done", at(line))]
    rule = f"gov12345/{situation}"
    expect = Expectations(verdicts={rule: ExpectedVerdict(Judgement.KEPT, at(20))}, heard_else=True)
    scenario = replace(a_scenario(*orders, flow=GOV, expect=expect, proves=[rule]), within=2000.0)
    kinds = {found.kind for found in findings(scenario, play(scenario))}
    assert kinds <= {"gave up"}, "most calls are over before the last task could have been done"
