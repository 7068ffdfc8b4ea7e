"""Which tasks keep a caller waiting, and what comes next of itself."""

from ivrflow.flow.compiling import holds
from ivrflow.flow.compiling.ladders import rule_ladder, situation_ladders
from ivrflow.flow.model import Band, Follow, Limit, Limits, Rule, RuleRung, Standard
from ivrflow.flow.problems import Location

WHERE = Location("s.yaml", 1, 1)
LIMITS = Limits(rounds=7)


def do(task: str, wait: float | None = None, leave_on: str | None = None) -> RuleRung:
    return RuleRung(WHERE, task=task, wait=None if wait is None else Band(wait, wait), leave_on=leave_on)


def say(phrase: str) -> RuleRung:
    return RuleRung(WHERE, say=phrase)


def rule(
    name: str,
    *rungs: RuleRung,
    after: str = "",
    loops_from: int = 0,
    then: str = "continue",
    limits: dict[str, Limit] | None = None,
    not_on_phone: str = "",
) -> Rule:
    return Rule(
        f"x/{name}",
        name,
        "",
        rungs,
        then,
        limits or {},
        "",
        WHERE,
        not_on_phone=not_on_phone,
        after=after,
        loops_from=loops_from,
    )


def standard(*rules: Rule) -> Standard:
    return Standard("x", "X", "", WHERE, {}, {one.name: one for one in rules})


ASK = rule("ask", say("x/wait"), do("mute"), then="hold")
REMIND = rule("remind", do("hold", 60, "lookup_done"), do("remind"), after="ask", then="hold", loops_from=1)
BACK = rule("back", say("x/sorry"), after="look", limits={"apology_if_wait_over_s": 6.0})
LOOK = rule("look", do("look_up"))
CHAT = rule("chat", say("x/there"), do("hold"), after="ask", not_on_phone="a chat window")
WHOLE = standard(ASK, REMIND, BACK, LOOK, CHAT)


def test_the_sorts_of_tasks_exclude_one_another() -> None:
    assert not holds.WITH_MUSIC & holds.LINE_OPEN
    assert not holds.KEEPS_WAITING & holds.OF_THE_HOLD


def test_a_rule_that_begins_with_a_hold_is_joined_to_the_one_that_leads_there() -> None:
    ladders = situation_ladders(WHOLE, LIMITS, {})
    ask = ladders["ask"]
    assert [(rung.rule, rung.say or rung.task) for rung in ask.rungs] == [
        ("x/ask", "x/wait"),
        ("x/ask", "mute"),
        ("x/remind", "hold"),
        ("x/remind", "remind"),
    ]
    assert [rung.is_waited_for for rung in ask.rungs] == [True, False, True, True]
    assert (ask.name, ask.then, ask.loops_from, ask.rounds) == ("ask", "hold", 3, 7)
    assert ladders["remind"].loops_from == 1, "it can still be started by itself"


def test_what_a_chat_window_asks_for_is_no_situation() -> None:
    assert set(situation_ladders(WHOLE, LIMITS, {})) == {"ask", "remind", "back", "look"}


def test_what_follows_a_wait_and_after_how_long() -> None:
    ladders = situation_ladders(WHOLE, LIMITS, {})
    assert holds.follows(WHOLE, ladders) == {"look": Follow("back", 6.0)}
    always = standard(LOOK, rule("back", say("x/sorry"), after="look"))
    assert holds.follows(always, situation_ladders(always, LIMITS, {})) == {"look": Follow("back", 0.0)}


def test_what_follows_a_rule_follows_every_ladder_it_was_joined_to() -> None:
    chain = standard(ASK, REMIND, rule("thanks", say("x/thanks"), after="remind"))
    ladders = situation_ladders(chain, LIMITS, {})
    assert holds.follows(chain, ladders) == {"ask": Follow("thanks"), "remind": Follow("thanks")}


def test_a_task_of_the_hold_waits_no_longer_than_the_rule_allows() -> None:
    bounded = rule("look", do("look_up"), do("write_it_down"), do("hold", 20), limits={"max_hold_s": 60.0})
    assert [rung.wait for rung in rule_ladder(bounded, LIMITS, {}).rungs] == [60.0, 0.0, 20.0]


def test_a_spoken_task_is_a_phrase_with_a_wait_of_its_own() -> None:
    asks = rule("asks", do("ask_consent", leave_on="refusal"), do("remind"))
    rungs = rule_ladder(asks, Limits(own_wait=4.0), {"ask_consent": "x/may", "remind": "x/wait"}).rungs
    assert [(rung.say, rung.task, rung.wait) for rung in rungs] == [("x/may", None, 4.0), ("x/wait", None, 0.0)]


def test_un_muting_that_comes_first_is_only_asked_for() -> None:
    """The wait is over when such a rule begins; within a ladder the un-muting ends it, and a time given is waited for."""
    back = rule("back", do("unmute"), say("x/thanks"))
    assert [rung.is_waited_for for rung in rule_ladder(back, LIMITS, {}).rungs] == [False, True]
    within = rule("look", do("mute"), do("look_up"), do("unmute"))
    assert all(rung.is_waited_for for rung in rule_ladder(within, LIMITS, {}).rungs)
    timed = rule("back", do("unmute", 3.0), say("x/thanks"))
    assert all(rung.is_waited_for for rung in rule_ladder(timed, LIMITS, {}).rungs)


def test_only_a_ladder_that_goes_round_is_bounded() -> None:
    assert rule_ladder(LOOK, LIMITS, {}).rounds == 0
    assert rule_ladder(REMIND, LIMITS, {}).rounds == 7
