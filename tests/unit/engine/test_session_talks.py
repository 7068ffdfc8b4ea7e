"""What agents do in a talk: situations by code, hold, warm and blind transfers, hanging up first. Nobody is left alone."""

from dataclasses import replace

import pytest
from agent_flows import QUEUE_EXITS, colleague, queue, talking, with_agents
from driven_call import BEGIN, DrivenCall
from small_flows import HOLD_REMINDER, HOLD_REQUEST, HOLD_RETURN, LOOKUP, NOISE, RULES, flow, menu, rule, rule_rung

from ivrflow.engine import messages as m
from ivrflow.engine.trace import AGENT_GONE, Fact, Judgement
from ivrflow.flow.model import CallFlow, Transfer

RETURN_AFTER_REQUEST = rule(
    "hold_return", rule_rung("sorry for the wait"), after="ask_hold", limits={"apology_if_wait_over_s": 6.0}
)
ASK_HOLD = rule("ask_hold", rule_rung("please wait"), rule_rung(task="hold"), then="continue")


def small(hold: str = "", *, warm: bool = True) -> CallFlow:
    rules = (*RULES, HOLD_REQUEST, HOLD_REMINDER, ASK_HOLD, RETURN_AFTER_REQUEST)
    made = flow(queue(), colleague(warm=warm), *QUEUE_EXITS, rules=rules)
    codes = {
        "*21": ("situation", "noise"),
        "*80": ("cancel", ""),
        "*81": ("done", ""),
        "*82": ("leave", ""),
        "*70": ("transfer", "colleague"),
    }
    return with_agents(made, "colleague", hold=hold, codes=codes)  # type: ignore[arg-type]  # the words of the kinds


def agent(call: DrivenCall) -> int:
    return call.ticket(m.JoinQueue)


def keyed(call: DrivenCall, code: str, after: float = 1.0) -> DrivenCall:
    return call.happens(m.AgentKeyed(ticket=agent(call), code=code), after)


def names(actions: list[m.Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


# ── situations ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_situation_is_heard_by_both_alone_on_the_line_and_its_waits_are_talked_in() -> None:
    call = keyed(talking(small()), "*21")
    assert names(call.last) == ["Part", "Play"]
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer, call.playing.leg) == ("louder", "both", agent(call))
    call.prompt_ends()
    assert call.says == ["louder", "louder"], "no wait is documented between them"
    call.prompt_ends()
    assert call.says[-1] == "noisy"
    call.prompt_ends()
    assert call.last == [m.Bridge(ticket=agent(call))], "the last wait of the ladder"
    assert call.waits_for == 2.0
    call.time_passes()
    assert call.steps[-1] == "hang_up", "the outcome of the situation is carried out"
    assert m.DropAgent(ticket=agent(call)) in call.last


def test_the_agent_takes_it_back_at_any_rung_and_the_talk_goes_on() -> None:
    for heard in (0, 1, 2):
        call = keyed(talking(small()), "*21")
        for _ in range(heard):
            call.prompt_ends()
        keyed(call, "*80", 0.5)
        assert call.last[-1] == m.Bridge(ticket=agent(call))
        assert (call.session.phase, call.session.step) == ("bridged", "queue")


def test_the_agent_says_that_what_the_rung_waits_for_has_happened() -> None:
    call = keyed(keyed(talking(small()), "*21"), "*82", 0.5)
    assert Fact.LADDER_LEFT in call.facts
    assert [line.detail for line in call.trace if line.fact is Fact.LADDER_LEFT][-1] == "audible"
    assert call.last[-1] == m.Bridge(ticket=agent(call))


def test_the_talk_keeps_its_one_bound_through_situations() -> None:
    call = talking(small())
    until = call.session.deadline
    keyed(keyed(call, "*21", 10.0), "*80", 5.0)
    assert call.session.deadline == until


def test_a_code_the_flow_does_not_have_is_told_and_does_nothing() -> None:
    call = keyed(talking(small()), "*99")
    assert call.last == []
    assert call.trace[-1].detail == "the agent keyed a code that is none of this flow"


def test_a_code_of_an_agent_who_is_gone_is_none() -> None:
    call = talking(small())
    before = len(call.trace)
    call.happens(m.AgentKeyed(ticket=99, code="*21"), 1.0)
    assert (call.last, len(call.trace)) == ([], before)


def test_the_agent_hangs_up_in_a_situation_and_it_is_played_to_its_end() -> None:
    call = keyed(talking(small()), "*21").happens(m.AgentLeft(ticket=agent(call_of := talking(small()))), 0.5)
    assert call_of.session.phase == "bridged"
    assert call.playing is not None
    call.prompt_ends()
    assert call.playing is not None
    assert call.playing.hearer == "caller"
    assert call.session.phase == "conversing"


def test_who_comes_back_from_a_situation_to_an_agent_who_left_goes_on_as_if_after_the_talk() -> None:
    call = keyed(talking(small()), "*21").happens(m.AgentLeft(ticket=4), 0.5)
    ticket = agent(call)
    if ticket != 4:
        call.happens(m.AgentLeft(ticket=ticket))
    call.happens(m.SituationCancelled(), 0.5)
    assert call.steps[-1] == "agent_left"


# ── hold ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def held(hold: str) -> DrivenCall:
    call = talking(small(hold))
    return call.happens(m.HoldStarted(ticket=agent(call)), 20.0)


def test_a_hold_without_a_situation_is_music_until_the_agent_is_back() -> None:
    call = held("")
    assert names(call.last) == ["Part", "StartMusic", "Instruct"]
    assert call.session.phase == "held"
    call.happens(m.HoldEnded(ticket=agent(call)), 30.0)
    assert call.last == [m.StopMusic(), m.Bridge(ticket=agent(call))]
    assert call.session.phase == "bridged"
    (over,) = [line for line in call.trace if line.fact is Fact.HOLD_OVER]
    assert over.seconds == 30.0


def test_the_hold_phrase_is_said_to_the_caller_then_music_then_the_apology_to_both() -> None:
    call = held("ask_hold")
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer) == ("please wait", "caller")
    call.prompt_ends()
    assert names(call.last) == ["StartMusic", "Instruct"]
    call.happens(m.HoldEnded(ticket=agent(call)), 6.5)
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer) == ("sorry for the wait", "both")
    assert call.prompt_ends().last == [m.Bridge(ticket=agent(call))]


def test_no_apology_when_it_was_short() -> None:
    call = held("ask_hold").prompt_ends()
    call.happens(m.HoldEnded(ticket=agent(call)), 5.5)
    assert call.last == [m.StopMusic(), m.Bridge(ticket=agent(call))]


def test_an_agent_who_is_back_before_the_phrase_is_over_cuts_it() -> None:
    call = held("ask_hold")
    call.happens(m.HoldEnded(ticket=agent(call)), 0.5)
    assert names(call.last) == ["StopPlaying", "Bridge"]
    assert call.session.phase == "bridged"


def test_progress_is_reported_every_fifteen_seconds_and_never_after_the_agent_is_back() -> None:
    call = held("hold_request").prompt_ends().silence(40)
    assert call.says == ["please wait", "still looking", "still looking"]
    assert all(action.hearer == "caller" for action in call.actions if isinstance(action, m.Play))
    call.happens(m.HoldEnded(ticket=agent(call)))
    assert call.last[-1] == m.Bridge(ticket=agent(call))
    assert call.silence(60).says == ["please wait", "still looking", "still looking"]


@pytest.mark.parametrize("by", ["telephone", "code"])
def test_who_is_back_from_a_hold_has_un_muted_and_the_thanks_come_at_once(by: str) -> None:
    """The agent is asked to un-mute, nobody waits for word of it, and nobody is joined for no time."""
    thanks = rule("hold_return", rule_rung(task="unmute"), rule_rung("thank you"), after="ask_hold")
    made = flow(queue(), *QUEUE_EXITS, rules=(*RULES, ASK_HOLD, thanks))
    codes = {"*48": ("situation", "ask_hold"), "*81": ("done", "")}
    call = talking(with_agents(made, hold="ask_hold", codes=codes))  # type: ignore[arg-type]  # the words of the kinds
    if by == "telephone":
        call.happens(m.HoldStarted(ticket=agent(call)), 20.0).prompt_ends()
        call.happens(m.HoldEnded(ticket=agent(call)), 6.0)
    else:
        keyed(keyed(call, "*48", 20.0).prompt_ends(), "*81", 6.0)
    assert [name for name in names(call.last) if name != "StopMusic"] == ["Instruct", "Play"]
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer) == ("thank you", "both")
    assert call.prompt_ends().last == [m.Bridge(ticket=agent(call))]
    assert call.verdict("gov/hold_return").judgement is Judgement.KEPT


def test_a_short_hold_needs_no_word_and_a_longer_one_gets_it_late() -> None:
    made = small("ask_hold")
    made = replace(made, agents=replace(made.agents, hold_after=5.0))
    call = talking(made)
    call.happens(m.HoldStarted(ticket=agent(call)), 20.0)
    assert names(call.last) == ["Part", "StartMusic", "Instruct"]
    call.happens(m.HoldEnded(ticket=agent(call)), 4.0)
    assert (names(call.last), call.says) == (["StopMusic", "Bridge"], [])

    call.happens(m.HoldStarted(ticket=agent(call)), 20.0)
    assert call.silence(5.0).says == ["please wait"]
    assert names(call.prompt_ends().last) == ["StartMusic", "Instruct"]
    call.happens(m.HoldEnded(ticket=agent(call)), 4.0)
    assert call.says == ["please wait", "sorry for the wait"], "nine seconds in all: more than six"


def test_no_apology_before_the_agent_is_back() -> None:
    made = small("ask_hold")
    call = talking(replace(made, limits=replace(made.limits, hold_wait=30.0)))
    call.happens(m.HoldStarted(ticket=agent(call)), 20.0)
    call.prompt_ends().silence(70)
    assert call.says == ["please wait"], "the ladder is used up, and the telephone holds on: music"
    assert call.verdict("gov/hold_return").judgement is Judgement.NOT_APPLICABLE, "nobody is back yet"
    call.happens(m.HoldEnded(ticket=agent(call)))
    assert call.says == ["please wait", "sorry for the wait"]
    call.prompt_ends()
    assert call.verdict("gov/hold_return").judgement is Judgement.KEPT
    assert call.verdict("gov/hold_return").observed == "then continue, the caller waited 70.00 s"


def test_the_agent_is_gone_while_the_caller_is_on_hold() -> None:
    call = held("")
    call.happens(m.AgentLeft(ticket=agent(call)), 5.0)
    assert (call.steps[-1], call.session.phase) == ("agent_left", "conversing")
    assert m.StopMusic() in call.last


@pytest.mark.parametrize("hold", ["ask_hold", "hold_request"])
def test_an_agent_who_leaves_in_the_holds_phrase_keeps_nobody_waiting_and_no_apology_comes(hold: str) -> None:
    call = held(hold)
    call.happens(m.AgentLeft(ticket=agent(call)), 0.5)
    assert (call.last, call.session.phase) == ([], "conversing"), "the phrase is said to its end"
    call.prompt_ends()
    assert call.says == ["please wait", "agent_left"]
    assert m.StartMusic() not in call.last
    assert not any(isinstance(action, m.Instruct) for action in call.actions)
    (over,) = [line for line in call.trace if line.fact is Fact.SITUATION_OVER]
    assert over.detail == AGENT_GONE
    assert Fact.HOLD_BEGUN not in call.facts
    assert Judgement.BROKEN not in {verdict.judgement for verdict in call.session.verdicts}


def test_an_agent_who_leaves_in_a_report_of_the_hold_ends_it_there() -> None:
    call = held("hold_request").prompt_ends().silence(15.5)
    assert call.says[-1] == "still looking"
    call.happens(m.AgentLeft(ticket=agent(call))).prompt_ends()
    assert call.says == ["please wait", "still looking", "agent_left"], "no apology: nobody is back"


def test_no_apology_when_the_agent_left_in_the_last_phrase_of_the_hold() -> None:
    ends_so = rule("ask_hold", rule_rung(task="hold"), rule_rung("a little more"), then="continue")
    made = with_agents(flow(queue(), *QUEUE_EXITS, rules=(*RULES, ends_so, RETURN_AFTER_REQUEST)), hold="ask_hold")
    call = talking(replace(made, limits=replace(made.limits, task_wait=9.0)))
    call.happens(m.HoldStarted(ticket=agent(call)), 20.0)
    while call.playing is None:
        call.time_passes()
    call.happens(m.AgentLeft(ticket=agent(call)), 0.5).prompt_ends()
    assert call.says == ["a little more", "agent_left"]


@pytest.mark.parametrize("led_to", ["colleague", "queue"])
def test_a_situation_hands_the_caller_over_though_the_agent_does_not_wait_for_it(led_to: str) -> None:
    """Letting go of the line may be the very thing the standard asks of the agent last."""
    sends = rule("sends_on", rule_rung("one moment"), rule_rung(task="release_own_leg"), then="transfer")
    made = with_agents(flow(queue(), colleague(), *QUEUE_EXITS, rules=(*RULES, sends)), "colleague")
    made = replace(made, outcomes={**made.outcomes, "transfer": led_to})
    for is_asked in (False, True):
        call = talking(made).situation("sends_on", 1.0)
        if is_asked:
            call.prompt_ends()
        call.happens(m.AgentLeft(ticket=agent(call)), 0.5)
        while call.playing:
            call.prompt_ends()
        assert call.session.first_to_hang_up == ""
        if led_to == "queue":
            assert (call.says, call.session.phase) == (["one moment"], "queued")
            continue
        assert (call.says, call.session.phase) == (["one moment", "transferring"], "ringing")
        call.happens(m.AgentAnswered(ticket=call.ticket(m.Ring), agent="1002"), 3.0)
        assert call.says[-1] == "who is coming"


# ── keys in a talk ────────────────────────────────────────────────────────────────────────────────────────────────────


def asked_after_the_talk(rings: float) -> DrivenCall:
    """An agent of a queue whose key 1 gives up waiting; a menu follows the talk."""
    asks = menu("agent_left", keys={"1": "no_answer"}, barge_in=frozenset({"key"}))
    made = flow(queue(keys={"1": "no_answer"}, thanks_over=10.0), colleague(), *QUEUE_EXITS[1:], asks)
    return talking(with_agents(made, "colleague"), after=rings)


def test_keys_of_the_queue_do_not_count_once_an_agent_has_answered() -> None:
    call = asked_after_the_talk(30.0)
    assert call.says == ["thanks for waiting"]
    assert call.key("1", 0.5).last == [], "nobody is dropped, and the thanks go on"
    assert call.prompt_ends().last == [m.Bridge(ticket=agent(call))]


def test_a_key_in_the_thanks_answers_nothing_that_comes_after_the_talk() -> None:
    call = asked_after_the_talk(30.0).key("1", 0.5).prompt_ends()
    call.happens(m.AgentLeft(ticket=agent(call)), 300.0)
    assert (call.says[-1], call.steps[-1]) == ("offer", "agent_left")


def test_a_key_in_a_situation_of_the_talk_answers_nothing_that_comes_after_it() -> None:
    call = asked_after_the_talk(5.0).situation("repeat", 1.0).key("1", 0.2)
    call.happens(m.AgentLeft(ticket=agent(call)), 0.2)
    call.key("1", 0.2)
    while call.session.step == "situation repeat":
        call.silence(0.5)
    assert (call.says[-1], call.steps[-1]) == ("offer", "agent_left")


@pytest.mark.parametrize("after_phrases", [0, 1])
def test_a_key_while_being_handed_over_answers_nothing_that_comes_after_it(after_phrases: int) -> None:
    call = asked_after_the_talk(5.0).happens(m.TransferOrdered(step="colleague"), 1.0).key("1", 0.2).prompt_ends()
    call.happens(m.AgentAnswered(ticket=call.ticket(m.Ring)), 3.0)
    for _ in range(after_phrases):
        call.prompt_ends()
    call.key("1", 0.2)
    call.happens(m.AgentLeft(ticket=call.ticket(m.Ring)), 0.2)
    assert call.says[-1] == "nobody there"
    call.key("1", 0.2).prompt_ends()
    call.happens(m.AgentLeft(ticket=agent(call)), 60.0)
    assert (call.says[-1], call.steps[-1]) == ("offer", "agent_left")


def test_the_caller_is_gone_while_on_hold() -> None:
    call = held("").hangs_up(5.0)
    assert call.last == [m.StopMusic(), m.DropAgent(ticket=agent(call))]


@pytest.mark.parametrize("hold", ["", "ask_hold"])
def test_a_telephone_that_never_takes_the_caller_back_holds_until_the_talk_is_long_enough(hold: str) -> None:
    made = small(hold)
    call = talking(replace(made, limits=replace(made.limits, hold_wait=45.0)))
    ends, began = call.waits_for, call.now
    call.happens(m.HoldStarted(ticket=agent(call)), 20.0).silence(ends - 20.0 - 0.5)
    assert call.session.phase == "held", "nobody but the agent can take the caller back"
    call.silence(0.5)
    assert call.steps[-1] == "agent_left"
    assert m.DropAgent(ticket=agent(call)) in call.actions
    (limit,) = [line for line in call.trace if line.fact is Fact.LIMIT_REACHED]
    assert (limit.detail, limit.at) == ("talk_for", round(began + ends - BEGIN, 6))


# ── transfers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def handing_over(*, warm: bool = True) -> DrivenCall:
    call = keyed(talking(small(warm=warm)), "*70")
    assert call.says == ["transferring"]
    return call.prompt_ends()


def test_the_colleague_is_told_why_when_a_situation_led_there() -> None:
    made = small()
    step = made.steps["colleague"]
    assert isinstance(step, Transfer)
    assert step.warm is not None
    warm = replace(step.warm, why={"noise": ("not at all",)})
    made = replace(
        made,
        steps={**made.steps, "colleague": replace(step, warm=warm)},
        outcomes={**made.outcomes, "hangup": "colleague"},
    )
    for code, told in (("*21", ["who is coming", "not at all"]), ("*70", ["who is coming"])):
        call = keyed(talking(made), code)
        while not any(isinstance(action, m.Ring) for action in call.actions):
            call.silence(1.0)
        call.happens(m.AgentAnswered(ticket=call.ticket(m.Ring), agent="1002"), 4.0)
        heard = []
        while call.playing is not None and call.playing.hearer == "agent":
            heard.append(call.playing.phrase)
            call.prompt_ends()
        assert heard == told


def test_warm_the_agent_stays_until_the_colleague_is_there() -> None:
    call = handing_over()
    assert names(call.last) == ["StartMusic", "Ring"]
    first, second = agent(call), call.ticket(m.Ring)
    call.happens(m.AgentAnswered(ticket=second, agent="1002"), 4.0)
    assert names(call.last) == ["Part", "Play"]
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer, call.playing.leg) == ("who is coming", "agent", second)
    call.prompt_ends()
    assert names(call.last) == ["StopMusic", "Play"]
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer) == ("thank you for waiting", "both")
    call.prompt_ends()
    assert call.last == [m.DropAgent(ticket=first), m.Bridge(ticket=second)]
    assert call.happens(m.AgentLeft(ticket=first)).last == []
    assert (call.session.phase, call.session.step) == ("bridged", "colleague")


@pytest.mark.parametrize("why", ["no_answer", "busy", "unreachable"])
def test_nobody_there_the_caller_is_told_and_back_with_the_agent(why: str) -> None:
    call = handing_over()
    call.happens(m.AgentUnavailable(ticket=call.ticket(m.Ring), why=why), 4.0)  # type: ignore[arg-type]  # each of the words
    assert call.playing is not None
    assert (call.playing.phrase, call.playing.hearer, call.playing.leg) == ("nobody there", "both", agent(call))
    assert call.prompt_ends().last == [m.Bridge(ticket=agent(call))]
    assert (call.session.phase, call.session.step) == ("bridged", "queue")


def test_the_agent_leaves_while_the_colleagues_telephone_rings_and_nobody_answers() -> None:
    call = handing_over()
    call.happens(m.AgentLeft(ticket=agent(call)), 1.0)
    assert call.session.phase == "ringing", "it goes on ringing"
    call.time_passes()
    assert (call.steps[-1], call.session.phase) == ("no_answer", "conversing")


def test_blind_the_agent_is_let_go_and_the_colleague_joined() -> None:
    call = keyed(talking(small(warm=False)), "*70")
    assert call.says == ["transferring"]
    assert m.DropAgent(ticket=agent(call)) in call.actions
    call.prompt_ends()
    call.happens(m.AgentAnswered(ticket=call.ticket(m.Ring)), 3.0)
    assert call.last == [m.StopMusic(), m.Bridge(ticket=call.ticket(m.Ring))]


def test_agents_send_callers_only_where_the_flow_lets_them() -> None:
    call = talking(small()).happens(m.TransferOrdered(step="nobody"), 1.0)
    assert call.trace[-1].detail == "agents may not send callers there"
    assert call.session.phase == "bridged"


def test_the_caller_hangs_up_while_being_handed_over() -> None:
    call = handing_over().hangs_up(1.0)
    assert sorted(names(call.last)) == ["DropAgent", "StopMusic", "StopRinging"]


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lookup_in_a_talk_keeps_the_caller_on_hold_and_returns_with_the_apology() -> None:
    made = with_agents(flow(queue(), *QUEUE_EXITS, rules=(*RULES, NOISE, LOOKUP, HOLD_RETURN)))
    call = talking(made).situation("lookup", 1.0)
    assert names(call.last)[:2] == ["Part", "StartMusic"]
    while isinstance(call.last and call.last[-1], m.Instruct):
        call.happens(m.TaskDone(ticket=call.ticket(m.Instruct)), 4.0)
    assert call.says == ["sorry for the wait"]


def test_the_agent_hangs_up_first() -> None:
    call = talking(small())
    call.happens(m.AgentLeft(ticket=agent(call)), 30.0)
    assert (call.steps[-1], call.session.first_to_hang_up) == ("agent_left", "agent")
