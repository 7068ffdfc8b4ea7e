from dataclasses import replace

import pytest
from judged_scenarios import (
    AS_IT_SHOULD_BE,
    CHANGE,
    CONNECTED,
    GREETING,
    SILENT,
    a_caller,
    a_scenario,
    a_verdict,
    an_engine,
    at,
    findings,
    observed,
    silent_trace,
    sound,
    the_finding,
    words,
)

from ivrflow.engine.trace import Fact, Judgement, TraceLine
from ivrflow.flow.model import Band
from ivrflow.scenario.judging.judgement import hung_up_first
from ivrflow.scenario.observation import Act, GaveUp, Heard, PhoneSide
from ivrflow.scenario.script import (
    AgentPart,
    Expectations,
    ExpectedVerdict,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    HungUpFirst,
    Pause,
    Resume,
    Say,
    Step,
    Wait,
)

KEPT, BROKEN, NOT_APPLICABLE = Judgement.KEPT, Judgement.BROKEN, Judgement.NOT_APPLICABLE


def test_a_call_that_is_as_the_scenario_says_has_no_finding() -> None:
    expect = Expectations(
        hung_up_first="ivrflow",
        outcome="hung_up",
        verdicts={"gov/silent_call": ExpectedVerdict(KEPT, at(20))},
        never_hear={"noisy": at(21)},
        lasts=Band(10, 15),
    )
    scenario = a_scenario(*SILENT, expect=expect, proves=["gov/silent_call"])
    engine = an_engine(*silent_trace(), verdicts=[a_verdict("silent_call"), a_verdict("noise", NOT_APPLICABLE)])
    assert findings(scenario, observed(a_caller(*AS_IT_SHOULD_BE, ended_at=12.2), engine=engine)) == []


# ── not heard ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phrase_the_phone_waited_for_in_vain() -> None:
    gave_up = GaveUp("connected was not heard within 33s", 2.1, 35.7, at(5))
    caller = a_caller(sound(GREETING, 0.1), ended_at=35.8, ended_by="phone", gave_up=gave_up)
    found = the_finding(a_scenario(*SILENT), observed(caller))
    assert words(found) == ("not heard", 5, "connected is heard", "connected was not heard within 33s")
    assert (found.at, found.fails) == (35.7, True)


def test_what_the_script_never_reached_is_not_held_against_the_call() -> None:
    """One phrase was missed; the one after it, which nobody waited for any more, makes no second finding."""
    gave_up = GaveUp("connected was not heard within 33s", 2.1, 35.7, at(5))
    caller = a_caller(sound(GREETING, 0.1), gave_up=gave_up)
    assert [found.where.line for found in findings(a_scenario(*SILENT), observed(caller))] == [5]


def test_a_phrase_missing_in_the_middle_makes_nothing_else_wrong() -> None:
    """The live ear took something for it; listening again did not find it."""
    caller = a_caller(sound(GREETING, 0.1), sound(CHANGE, 10.1))
    found = the_finding(a_scenario(*SILENT), observed(caller))
    assert words(found) == ("not heard", 5, "connected is heard", "it was not between 2.10 and 10.10 s")
    assert found.at == 2.1


def test_the_first_and_the_last_phrase_may_be_missing_too() -> None:
    without_first = a_caller(sound(CONNECTED, 5.1), sound(CHANGE, 10.1))
    assert the_finding(a_scenario(*SILENT), observed(without_first)).observed == "it was not before 5.10 s"
    without_last = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.1))
    assert the_finding(a_scenario(*SILENT), observed(without_last)).observed == "it was not after 7.10 s"
    nothing = findings(a_scenario(Hear(GREETING, at(3))), observed(a_caller()))
    assert [words(found) for found in nothing] == [("not heard", 3, "greeting is heard", "it was not")]


def test_a_phrase_heard_out_of_order_is_said_to_be_so() -> None:
    caller = a_caller(sound(CONNECTED, 0.1), sound(GREETING, 5.1), sound(CHANGE, 10.1))
    found = findings(a_scenario(*SILENT), observed(caller))
    assert (
        "not heard",
        5,
        "connected is heard",
        "it was not between 7.10 and 10.10 s; out of order it was, at 0.10 s",
    ) in [words(one) for one in found]


def test_hold_music_that_was_not_heard() -> None:
    assert words(the_finding(a_scenario(HearMusic(at(3))), observed(a_caller())))[2:] == (
        "hold music is heard",
        "it was not",
    )
    music = sound("", 1.0, 9.0, kind="music")
    assert findings(a_scenario(HearMusic(at(3))), observed(a_caller(music))) == []


def test_a_phrase_counts_under_each_name_that_is_spoken_in_the_same_words() -> None:
    scenario = a_scenario(Hear(GREETING, at(3)))
    phrases = {**scenario.flow.phrases, "hello": replace(scenario.flow.phrases[GREETING], key="hello")}
    alike = replace(scenario, flow=replace(scenario.flow, phrases=phrases))
    assert findings(alike, observed(a_caller(sound("hello", 0.1)))) == []
    assert findings(scenario, observed(a_caller(sound("hello", 0.1)))) != []


# ── cut and not cut ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phrase_that_was_cut() -> None:
    caller = a_caller(sound(GREETING, 0.5, 4.0, share=0.43))
    found = the_finding(a_scenario(Hear(GREETING, at(3))), observed(caller))
    assert words(found) == (
        "cut",
        3,
        "greeting is heard to its end (at least 70 % of it)",
        "43 % of it was heard: 0.50-2.22 s",
    )
    assert found.at == 2.22


@pytest.mark.parametrize(("at_least", "is_cut"), [(0.7, False), (0.75, False), (0.76, True), (0.9, True)])
def test_how_much_must_be_heard_is_the_script_s_to_say(at_least: float, is_cut: bool) -> None:
    caller = a_caller(sound(GREETING, 0.5, 4.0, share=0.75))
    assert bool(findings(a_scenario(Hear(GREETING, at(3), at_least)), observed(caller))) is is_cut
    begun = HearStart(GREETING, at(3), at_least=at_least)
    assert bool(findings(a_scenario(begun), observed(caller))) is is_cut


def test_a_phrase_that_should_have_been_cut_and_was_not() -> None:
    scenario = a_scenario(HearStart(GREETING, at(3), at_most=0.6))
    found = the_finding(scenario, observed(a_caller(sound(GREETING, 0.5, 4.0, share=0.83))))
    assert words(found) == (
        "not cut",
        3,
        "greeting is cut before 60 % of it was heard",
        "83 % of it was heard: 0.50-3.82 s",
    )
    assert findings(scenario, observed(a_caller(sound(GREETING, 0.5, 4.0, share=0.6)))) == []


def test_a_phrase_whose_start_is_heard_may_go_on_or_not() -> None:
    scenario = a_scenario(HearStart(GREETING, at(3)))
    assert findings(scenario, observed(a_caller(sound(GREETING, 0.5, share=1.0)))) == []
    assert findings(scenario, observed(a_caller(sound(GREETING, 0.5, share=0.3)))) == []


def test_of_two_hearings_the_one_counts_of_which_enough_was_heard() -> None:
    """Cut by mistake and said again: with heard_else the first is nobody's business."""
    caller = a_caller(sound(GREETING, 0.1, share=0.3), sound(GREETING, 5.0))
    loose = a_scenario(Hear(GREETING, at(3)), expect=Expectations(heard_else=True))
    assert findings(loose, observed(caller)) == []
    strict = a_scenario(Hear(GREETING, at(3)))
    assert [found.kind for found in findings(strict, observed(caller))] == ["unexpected"]


# ── pauses ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def silent_with_pause(seconds: float) -> PhoneSide:
    begins = round(2.1 + seconds, 6)
    return a_caller(sound(GREETING, 0.1), sound(CONNECTED, begins), sound(CHANGE, begins + 5))


def test_a_pause_that_is_too_long() -> None:
    found = the_finding(a_scenario(*SILENT), observed(silent_with_pause(4.41)))
    assert words(found) == ("pause", 4, "a pause of 3 s (±0.25 s) after greeting, by rule gov/silent_call", "4.41 s")
    assert found.at == 6.51


@pytest.mark.parametrize(
    ("seconds", "is_right"), [(2.74, False), (2.75, True), (3.0, True), (3.25, True), (3.26, False)]
)
def test_a_pause_may_be_off_by_its_tolerance(seconds: float, is_right: bool) -> None:
    assert (findings(a_scenario(*SILENT), observed(silent_with_pause(seconds))) == []) is is_right


def test_a_pause_with_seconds_of_the_script_s_own() -> None:
    scenario = a_scenario(Hear(GREETING, at(3)), Pause(Band(2.5, 4), at(4), 0.1), Hear(CONNECTED, at(5)))
    found = the_finding(scenario, observed(a_caller(sound(GREETING, 0.1), sound(CONNECTED, 4.0))))
    assert (found.expected, found.observed) == ("a pause of 2.5-4 s (±0.1 s) after greeting", "1.90 s")


def test_a_pause_counts_from_the_end_of_the_recording() -> None:
    """A recording goes on for some silence after its last sound; the engine's wait begins after that."""
    scenario = a_scenario(Hear(GREETING, at(3)), Pause(Band(3, 3), at(4), 0.05), Hear(CONNECTED, at(5)))
    fading = Heard("phrase", GREETING, 0.1, 1.95, 0.98, length=2.0)
    assert findings(scenario, observed(a_caller(fading, sound(CONNECTED, 5.1)))) == []
    long_tail = Heard("phrase", GREETING, 0.1, 1.2, 1.0, length=2.0)
    assert findings(scenario, observed(a_caller(long_tail, sound(CONNECTED, 5.1)))) == []


def test_after_a_phrase_that_was_cut_a_pause_counts_from_the_cut() -> None:
    scenario = a_scenario(HearStart(GREETING, at(3)), Pause(Band(3, 3), at(4), 0.05), Hear(CONNECTED, at(5)))
    cut = sound(GREETING, 0.1, 4.0, share=0.5)
    assert findings(scenario, observed(a_caller(cut, sound(CONNECTED, 5.1)))) == []
    assert the_finding(scenario, observed(a_caller(cut, sound(CONNECTED, 7.1)))).observed == "5.00 s"


def test_a_phrase_that_begins_before_the_other_is_over() -> None:
    scenario = a_scenario(Hear(GREETING, at(3)), Pause(Band(0, 1), at(4), 0.1), Hear(CONNECTED, at(5)))
    found = the_finding(scenario, observed(a_caller(sound(GREETING, 0.1), sound(CONNECTED, 1.6))))
    assert found.observed == "none: it began 0.50 s before that"


def test_a_pause_beside_something_that_was_not_heard_cannot_be_measured() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound(CHANGE, 4.0))
    assert [found.kind for found in findings(a_scenario(*SILENT), observed(caller))] == ["not heard"]


ENDING: tuple[Step, ...] = (*SILENT, Pause(Band(2, 2), at(8), 0.25, "gov/silent_call"))


@pytest.mark.parametrize(("ended_at", "is_right"), [(13.84, False), (13.85, True), (14.35, True), (14.36, False)])
def test_a_pause_before_the_end_of_the_call(ended_at: float, is_right: bool) -> None:
    caller = a_caller(*AS_IT_SHOULD_BE, ended_at=ended_at)
    assert (findings(a_scenario(*ENDING), observed(caller)) == []) is is_right


def test_a_pause_before_the_end_of_the_call_that_is_too_short() -> None:
    found = the_finding(a_scenario(*ENDING), observed(a_caller(*AS_IT_SHOULD_BE, ended_at=12.6)))
    expected = "a pause of 2 s (±0.25 s) after change phone, then the end of the call, by rule gov/silent_call"
    assert words(found) == ("pause", 8, expected, "0.50 s")
    assert found.at == 12.6


# ── what else is heard ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_phrase_the_script_does_not_name() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound("noisy", 3.0), sound(CONNECTED, 5.1), sound(CHANGE, 10.1))
    found = the_finding(a_scenario(*SILENT), observed(caller))
    assert words(found) == (
        "unexpected",
        5,
        "nothing is heard that the script does not name, after greeting (heard_else: yes allows it)",
        "noisy was heard: 3.00-5.00 s",
    )
    assert found.at == 3.0


def test_a_phrase_after_everything_the_script_names_goes_against_heard_else() -> None:
    found = the_finding(
        a_scenario(Hear(GREETING, at(3))), observed(a_caller(sound(GREETING, 0.1), sound("noisy", 3.0)))
    )
    assert words(found)[:3] == (
        "unexpected",
        54,
        "nothing is heard that the script does not name, after greeting (heard_else: yes allows it)",
    )


def test_a_phrase_is_said_once_more_than_the_script_says() -> None:
    caller = a_caller(*AS_IT_SHOULD_BE[:2], sound(CONNECTED, 10.1), sound(CHANGE, 15.1))
    found = findings(a_scenario(*SILENT), observed(caller))
    assert ("unexpected", "connected was heard: 10.10-12.10 s") in [(one.kind, one.observed) for one in found]
    assert {one.kind for one in found} == {"unexpected", "pause"}, "the repetition makes the pause longer too"


@pytest.mark.parametrize(
    ("extra", "observed_words"),
    [
        (sound("", 3.0, 1.0, kind="unknown"), "an unknown sound was heard: 3.00-4.00 s"),
        (sound("", 3.0, 1.0, kind="music"), "hold music was heard: 3.00-4.00 s"),
        (sound("425 Hz", 3.0, 1.0, kind="tone"), "a tone of 425 Hz was heard: 3.00-4.00 s"),
    ],
)
def test_sounds_that_nothing_explains(extra: Heard, observed_words: str) -> None:
    caller = a_caller(sound(GREETING, 0.1), extra)
    found = the_finding(a_scenario(Hear(GREETING, at(3))), observed(caller))
    assert (found.kind, found.observed) == ("unexpected", observed_words)
    loose = a_scenario(Hear(GREETING, at(3)), expect=Expectations(heard_else=True))
    assert findings(loose, observed(caller)) == []


def test_a_sound_too_short_to_be_known_is_nothing() -> None:
    """A phrase cut at its very beginning: nobody can tell afterwards which one it was."""
    click = sound("", 3.0, 0.2, kind="unknown")
    assert findings(a_scenario(Hear(GREETING, at(3))), observed(a_caller(sound(GREETING, 0.1), click))) == []


def test_a_phrase_that_must_never_be_heard() -> None:
    expect = Expectations(never_hear={"noisy": at(30)}, heard_else=True)
    scenario = a_scenario(Hear(GREETING, at(3)), expect=expect)
    caller = a_caller(sound(GREETING, 0.1), sound("noisy", 3.0, share=0.35), sound("offer", 6.0))
    found = the_finding(scenario, observed(caller))
    assert words(found) == ("never", 30, "noisy is never heard", "35 % of noisy was heard: 3.00-3.70 s")


def test_a_phrase_that_must_never_be_heard_is_told_once() -> None:
    scenario = a_scenario(Hear(GREETING, at(3)), expect=Expectations(never_hear={"noisy": at(30)}))
    caller = a_caller(sound(GREETING, 0.1), sound("noisy", 3.0))
    assert [found.kind for found in findings(scenario, observed(caller))] == ["never"]


# ── what the agents' phones explain ───────────────────────────────────────────────────────────────────────────────────


def an_agent(*steps: Step, manner: str = "answers") -> AgentPart:
    return AgentPart("1001", manner, at(40), 2.0, steps)  # type: ignore[arg-type]  # a word the test chose


def agent_side(
    rang: float | None = 5.0,
    answered: float | None = 7.0,
    ended: float | None = 20.0,
    ended_by: str = "peer",
    *heard: Heard,
    acts: tuple[Act, ...] = (),
    gave_up: GaveUp | None = None,
    trouble: str = "",
) -> PhoneSide:
    return PhoneSide(
        "1001",
        rang,
        answered,
        ended,
        ended_by,  # type: ignore[arg-type]  # a word the test chose
        heard,
        acts,
        gave_up,
        trouble=trouble,
    )


@pytest.mark.parametrize(
    ("start", "kind", "is_explained"),
    [
        (5.1, "music", True),  # while the agent's phone rings
        (5.1, "tone", True),
        (5.1, "unknown", False),
        (9.0, "unknown", True),  # while they talk: the agent's voice
        (9.0, "music", False),
        (9.0, "tone", False),
        (12.2, "music", True),  # while the agent has the caller on hold
        (16.5, "music", False),  # between two holds
        (18.2, "music", True),
        (21.0, "unknown", False),
        (21.0, "music", False),
    ],
)
def test_agents_explain_sounds(start: float, kind: str, is_explained: bool) -> None:
    acts = (
        Act("hold", 12.0, 12.1, at(41)),
        Act("resume", 15.0, 15.1, at(41)),
        Act("hold", 18.1, 18.2, at(42)),
        Act("resume", 19.5, 19.6, at(42)),
    )
    agent = an_agent(Wait(5.0, at(41)), Hold(at(41)), Wait(3.0, at(41)), Resume(at(41)))
    extra = sound("", start, 1.5, kind=kind)  # type: ignore[arg-type]  # a word the test chose
    observation = observed(a_caller(extra), agents={"1001": agent_side(acts=acts)})
    assert (findings(a_scenario(agents=[agent]), observation) == []) is is_explained


def test_a_hold_may_last_until_the_agent_is_gone() -> None:
    music = sound("", 12.2, 7.0, kind="music")
    acts = (Act("hold", 12.0, 12.1, at(41)),)
    observation = observed(a_caller(music), agents={"1001": agent_side(acts=acts)})
    assert findings(a_scenario(agents=[an_agent()]), observation) == []


def test_an_extension_without_a_phone_in_the_scenario_rings_too() -> None:
    trace = (TraceLine(8.0, Fact.RINGING), TraceLine(28.0, Fact.AGENT_UNAVAILABLE))
    engine = an_engine(*trace, answered_at=3.0)
    music = sound("", 5.0, 20.0, kind="music")
    assert findings(a_scenario(), observed(a_caller(music), engine=engine)) == []
    for unexplained in (sound("", 3.0, 2.0, kind="music"), sound("", 26.0, 3.0, kind="music")):
        found = findings(a_scenario(), observed(a_caller(unexplained), engine=engine))
        assert [one.kind for one in found] == ["unexpected"]


def test_the_music_of_a_telephone_that_is_busy_at_once() -> None:
    engine = an_engine(TraceLine(8.0, Fact.RINGING), TraceLine(8.03, Fact.AGENT_UNAVAILABLE))
    music = sound("", 8.0, 0.03, kind="music")
    assert findings(a_scenario(), observed(a_caller(music), engine=engine)) == []


def test_what_an_agent_says_on_purpose_is_not_unexpected() -> None:
    agent = an_agent(Say(2.0, at(41), phrase="not at all"))
    acts = (Act("say not at all", 8.0, 10.0, at(41)),)
    said = observed(a_caller(sound("not at all", 8.05)), agents={"1001": agent_side(acts=acts)})
    assert findings(a_scenario(agents=[agent]), said) == []
    again = observed(a_caller(sound("not at all", 12.0)), agents={"1001": agent_side(acts=acts)})
    assert [found.kind for found in findings(a_scenario(agents=[agent]), again)] == ["unexpected"]


def test_what_an_agent_must_hear_is_judged_too() -> None:
    agent = an_agent(Hear("not at all", at(41)), Hear("one moment", at(42)))
    side = agent_side(5.0, 7.0, 20.0, "peer", sound("not at all", 8.0, share=0.5), sound("noisy", 12.0))
    found = findings(a_scenario(agents=[agent]), observed(a_caller(), agents={"1001": side}))
    assert [words(one) for one in found] == [
        (
            "cut",
            41,
            "not at all is heard to its end (at least 70 % of it)",
            "agent 1001: 50 % of it was heard: 8.00-9.00 s",
        ),
        ("not heard", 42, "one moment is heard", "agent 1001: it was not after 9.00 s"),
        (
            "unexpected",
            42,
            "agent 1001 hears no phrase that its script does not name, after not at all (heard_else: yes allows it)",
            "agent 1001: noisy was heard: 12.00-14.00 s",
        ),
    ]
    elsewhere = a_scenario(agents=[an_agent()], expect=replace(a_scenario().expect, heard_else=True))
    heard = agent_side(5.0, 7.0, 20.0, "peer", sound("noisy", 12.0))
    assert findings(elsewhere, observed(a_caller(), agents={"1001": heard})) == []


def test_a_tone_of_an_agents_microphone_is_heard_while_they_talk() -> None:
    acts = (Act("background tone 700Hz -20dB", 7.0, 7.0, at(41)),)
    tone = sound("700 Hz", 9.0, 1.5, kind="tone")
    observation = observed(a_caller(tone), agents={"1001": agent_side(acts=acts)})
    assert findings(a_scenario(agents=[an_agent()]), observation) == []


# ── scripts that got stuck ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_step_that_was_never_done() -> None:
    gave_up = GaveUp("the call was over before 'hang up' was done", 9.0, 12.5, at(9))
    scenario = a_scenario(Hear(GREETING, at(3)), HangUp(at(9)))
    found = the_finding(scenario, observed(a_caller(sound(GREETING, 0.1), gave_up=gave_up)))
    assert words(found) == ("gave up", 9, "'hang up' is done", "the call was over before 'hang up' was done")
    assert found.at == 12.5


def test_a_phrase_that_came_too_late_was_heard_all_the_same() -> None:
    gave_up = GaveUp("greeting was heard only after 6.5s, not within 5s", 0.0, 7.1, at(3))
    scenario = a_scenario(Hear(GREETING, at(3), within=5.0))
    found = the_finding(scenario, observed(a_caller(sound(GREETING, 6.5, share=0.4), gave_up=gave_up)))
    assert (found.kind, found.observed) == ("gave up", "greeting was heard only after 6.5s, not within 5s")


def test_an_agent_s_script_that_got_stuck() -> None:
    gave_up = GaveUp("'hold' could not be done: refused: 488 Not Acceptable Here", 9.0, 9.1, at(41))
    agent = an_agent(Hold(at(41)), Wait(3.0, at(41)), Resume(at(41)))
    side = agent_side(gave_up=gave_up)
    found = the_finding(a_scenario(agents=[agent]), observed(a_caller(), agents={"1001": side}))
    assert words(found) == (
        "gave up",
        41,
        "'hold' is done",
        "agent 1001: 'hold' could not be done: refused: 488 Not Acceptable Here",
    )


@pytest.mark.parametrize(("manner", "is_missed"), [("answers", True), ("busy", True), ("unreachable", False)])
def test_an_agent_nobody_called(manner: str, is_missed: bool) -> None:
    side = agent_side(None, None, None)
    found = findings(a_scenario(agents=[an_agent(manner=manner)]), observed(a_caller(), agents={"1001": side}))
    assert [words(one) for one in found] == (
        [("gave up", 40, "agent 1001 is called", "its phone never rang")] if is_missed else []
    )


# ── how it ended ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_else_hung_up_first() -> None:
    scenario = a_scenario(expect=Expectations(hung_up_first="caller"))
    found = the_finding(scenario, observed(a_caller(ended_at=12.5)))
    assert words(found) == ("ended", 50, "the caller hangs up first", "ivrflow did")
    assert findings(a_scenario(expect=Expectations(hung_up_first="ivrflow")), observed(a_caller())) == []


@pytest.mark.parametrize(
    ("ended_by", "agent_ended", "who"),
    [
        ("phone", None, "caller"),
        ("peer", None, "ivrflow"),
        ("nobody", None, "nobody"),
        ("phone", (20.0, "phone"), "agent"),
        ("peer", (20.0, "phone"), "agent"),
        ("phone", (30.01, "peer"), "caller"),
        ("peer", (31.0, "phone"), "ivrflow"),
    ],
)
def test_without_the_engine_the_phones_tell_who_hung_up_first(
    ended_by: str, agent_ended: tuple[float, str] | None, who: HungUpFirst
) -> None:
    agents = {"1001": agent_side(5.0, 7.0, *agent_ended)} if agent_ended else {}
    observation = observed(a_caller(ended_by=ended_by), agents=agents, without_engine=True)
    assert hung_up_first(observation) == who


def test_a_phone_that_refused_did_not_hang_up() -> None:
    refused = agent_side(5.0, None, 5.1, "phone")
    assert hung_up_first(observed(a_caller(), agents={"1001": refused}, without_engine=True)) == "ivrflow"


def test_the_engine_s_word_on_who_hung_up_counts() -> None:
    engine = an_engine(hung_up_first="agent")
    assert hung_up_first(observed(a_caller(ended_by="peer"), engine=engine)) == "agent"
    unsaid = an_engine(hung_up_first=None)
    assert hung_up_first(observed(a_caller(ended_by="phone"), engine=unsaid)) == "caller"


def test_another_outcome() -> None:
    scenario = a_scenario(expect=Expectations(outcome="closed_by_ivrflow"))
    found = the_finding(scenario, observed(a_caller(), engine=an_engine(outcome="hung_up")))
    assert words(found) == ("outcome", 51, "outcome closed_by_ivrflow", "outcome hung_up")
    none = the_finding(scenario, observed(a_caller(), engine=an_engine(outcome=None)))
    assert none.observed == "the call has none: it did not end"
    assert findings(scenario, observed(a_caller(), engine=an_engine(outcome="closed_by_ivrflow"))) == []


@pytest.mark.parametrize(("ended_at", "is_right"), [(14.9, False), (15.0, True), (25.0, True), (25.1, False)])
def test_how_long_the_call_lasts(ended_at: float, is_right: bool) -> None:
    scenario = a_scenario(expect=Expectations(lasts=Band(15, 25)))
    found = findings(scenario, observed(a_caller(ended_at=ended_at)))
    assert [words(one) for one in found] == (
        [] if is_right else [("length", 55, "the call lasts 15-25 s", f"{ended_at:.2f} s")]
    )


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def expecting(judgement: Judgement, rule: str = "gov/silent_call") -> Expectations:
    return Expectations(verdicts={rule: ExpectedVerdict(judgement, at(33))})


@pytest.mark.parametrize("wanted", list(Judgement))
@pytest.mark.parametrize("given", list(Judgement))
def test_the_verdict_must_be_the_one_expected(wanted: Judgement, given: Judgement) -> None:
    engine = an_engine(verdicts=[a_verdict("silent_call", given)])
    found = findings(a_scenario(expect=expecting(wanted)), observed(a_caller(), engine=engine))
    assert [one.kind for one in found] == ([] if wanted is given else ["verdict"])


def test_a_verdict_s_finding_says_what_the_rule_asks_for_and_what_happened() -> None:
    engine = an_engine(
        *silent_trace(), verdicts=[a_verdict("silent_call", BROKEN, "waited 4.41 s after rung 1, not 3 s", 2, 5)]
    )
    found = the_finding(
        a_scenario(*SILENT, expect=expecting(KEPT)), observed(a_caller(*AS_IT_SHOULD_BE), engine=engine)
    )
    assert words(found) == (
        "verdict",
        33,
        "gov/silent_call kept: say, wait 3 s, say",
        "broken: waited 4.41 s after rung 1, not 3 s",
    )
    assert found.at == 5.1, "the second of the last line the verdict rests on"


def test_a_verdict_s_second_counts_from_the_answer() -> None:
    trace = silent_trace(answered_at=1.5)
    engine = an_engine(*trace, verdicts=[a_verdict("noise", BROKEN, "too short", 5, 6, 99)], answered_at=1.5)
    found = findings(a_scenario(), observed(a_caller(), engine=engine))
    assert [one.at for one in found] == [5.1]


def test_a_rule_that_got_no_verdict() -> None:
    found = the_finding(a_scenario(expect=expecting(KEPT)), observed(a_caller()))
    assert words(found) == ("verdict", 33, "gov/silent_call kept", "the call got no such verdict")


def test_a_rule_nobody_expects_to_be_broken() -> None:
    engine = an_engine(verdicts=[a_verdict("noise", BROKEN, "no wait after rung 3, not 2 s")])
    found = the_finding(a_scenario(), observed(a_caller(), engine=engine))
    assert words(found) == (
        "verdict",
        52,
        "gov/noise kept: say, wait 3 s, say",
        "broken: no wait after rung 3, not 2 s",
    )
    expected = expecting(BROKEN, "gov/noise")
    assert findings(a_scenario(expect=expected), observed(a_caller(), engine=engine)) == []


@pytest.mark.parametrize(("given", "proves"), [(KEPT, True), (NOT_APPLICABLE, False)])
def test_a_scenario_must_prove_what_it_says(given: Judgement, proves: bool) -> None:
    scenario = a_scenario(proves=["gov/silent_call"])
    engine = an_engine(verdicts=[a_verdict("silent_call", given, "its situation did not arise")])
    found = findings(scenario, observed(a_caller(), engine=engine))
    assert [words(one) for one in found] == (
        []
        if proves
        else [
            (
                "verdict",
                1,
                "a call that proves gov/silent_call",
                "it proves nothing about that rule: its situation did not arise",
            )
        ]
    )


def test_a_broken_rule_is_proven_when_it_is_expected_so() -> None:
    engine = an_engine(verdicts=[a_verdict("silent_call", BROKEN)])
    scenario = a_scenario(expect=expecting(BROKEN), proves=["gov/silent_call"])
    assert findings(scenario, observed(a_caller(), engine=engine)) == []
    unexpected = a_scenario(proves=["gov/silent_call"])
    assert [one.kind for one in findings(unexpected, observed(a_caller(), engine=engine))] == ["verdict"], "told once"


# ── trouble and leaks ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expect", "proves", "needed"),
    [
        (Expectations(outcome="hung_up"), [], "the outcome"),
        (expecting(KEPT), [], "the verdicts"),
        (None, ["gov/silent_call"], "the verdicts"),
        (replace(expecting(KEPT), outcome="hung_up"), [], "the outcome and the verdicts"),
    ],
)
def test_without_a_journal_nothing_is_guessed(expect: Expectations | None, proves: list[str], needed: str) -> None:
    found = the_finding(a_scenario(expect=expect, proves=proves), observed(a_caller(), without_engine=True))
    assert (found.kind, found.expected, found.fails) == ("trouble", f"a journal to look into, for {needed}", True)
    assert "IVRFLOW_JOURNAL" in found.observed


def test_a_scenario_that_asks_nothing_of_the_engine_passes_without_a_journal_and_says_so() -> None:
    scenario = a_scenario(*SILENT, expect=Expectations(hung_up_first="ivrflow"))
    found = the_finding(scenario, observed(a_caller(*AS_IT_SHOULD_BE), without_engine=True))
    assert (found.kind, found.expected, found.fails) == ("trouble", "a journal to look into, for the verdicts", False)


def test_a_phone_that_could_not_play_its_part() -> None:
    caller = a_caller(trouble="the call was not over within 60s")
    agent = agent_side(None, None, None, trouble="its registration was refused: 403 Forbidden")
    found = findings(a_scenario(agents=[an_agent()]), observed(caller, agents={"1001": agent}))
    assert [words(one) for one in found] == [
        ("trouble", 1, "the caller's phone can play its part", "the call was not over within 60s"),
        ("trouble", 40, "the phone of agent 1001 can play its part", "its registration was refused: 403 Forbidden"),
    ]


def test_a_call_nobody_answered_has_that_one_trouble() -> None:
    scenario = a_scenario(*SILENT, expect=Expectations(outcome="hung_up", lasts=Band(1, 2)))
    caller = replace(a_caller(), answered_at=None)
    assert words(the_finding(scenario, observed(caller, without_engine=True))) == (
        "trouble",
        1,
        "the call is answered",
        "nobody answered it",
    )
    refused = replace(a_caller(trouble="the PBX refused the call: 403 Forbidden"), answered_at=None)
    assert the_finding(scenario, observed(refused, without_engine=True)).observed.endswith("403 Forbidden")


def test_what_is_left_behind() -> None:
    observation = observed(a_caller(), leaks=["1 channel in Asterisk: PJSIP/caller-00000007"])
    found = the_finding(a_scenario(), observation)
    assert words(found) == (
        "leak",
        1,
        "nothing is left behind after the call",
        "1 channel in Asterisk: PJSIP/caller-00000007",
    )
    assert found.fails


# ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_clocks_apart_are_worth_a_word_and_no_failure() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.2), sound(CHANGE, 10.2))
    found = the_finding(a_scenario(*SILENT), observed(caller, engine=an_engine(*silent_trace())))
    assert words(found) == (
        "clocks",
        4,
        "wire and engine agree to 60 ms on the wait of rule gov/silent_call, rung 1",
        "engine 3.000 s, wire 3.100 s: 100 ms apart",
    )
    assert (found.fails, found.at) == (False, 2.1)


def test_clocks_apart_are_told_at_the_pause_they_belong_to() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.1), sound(CHANGE, 10.0))
    found = the_finding(a_scenario(*SILENT), observed(caller, engine=an_engine(*silent_trace())))
    assert (found.where.line, found.observed) == (6, "engine 3.000 s, wire 2.900 s: 100 ms apart")


def test_a_little_apart_is_nothing() -> None:
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.15), sound(CHANGE, 10.15))
    assert findings(a_scenario(*SILENT), observed(caller, engine=an_engine(*silent_trace()))) == []


def test_a_wait_without_a_pause_in_the_script_is_told_at_the_scenario() -> None:
    script = [step for step in SILENT if isinstance(step, Hear)]
    caller = a_caller(sound(GREETING, 0.1), sound(CONNECTED, 5.2), sound(CHANGE, 10.2))
    found = the_finding(a_scenario(*script), observed(caller, engine=an_engine(*silent_trace())))
    assert found.where.line == 1


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_findings_come_in_the_order_of_the_call() -> None:
    expect = Expectations(hung_up_first="caller", outcome="closed_by_ivrflow")
    caller = a_caller(sound(GREETING, 0.1), sound("noisy", 3.0), sound(CONNECTED, 8.0, share=0.2), sound(CHANGE, 13.0))
    found = findings(a_scenario(*SILENT, expect=expect), observed(caller, leaks=["one"]))
    assert [one.kind for one in found] == ["unexpected", "pause", "cut", "pause", "ended", "outcome", "leak"]
