"""A call centre with one step of every kind that has to do with agents, and flows that begin at each of them."""

from dataclasses import replace

from agent_flows import ask, call_back, colleague, queue, record, with_agents
from small_flows import (
    BOTH,
    HOLD_RULES,
    RULES,
    WHERE,
    close,
    collect,
    flow,
    ladder,
    menu,
    rule,
    rule_rung,
    rung,
    say,
    transfer,
    with_limits,
)

from ivrflow.flow.model import CallFlow, CallRecording, Keep, Ladder, Limits, Menu, PlayBack, Score

CALL_LENGTH = 600.0
OPEN_LINE = rule(
    "open_line",
    rule_rung("one moment"),
    rule_rung(task="lookup_with_line_open", leave_on="lookup_done"),
    rule_rung("found"),
)
EVERY_RULE = (*RULES, *HOLD_RULES, OPEN_LINE)
CODES = {
    "*10": ("situation", "noise"),
    "*11": ("situation", "lookup"),
    "*12": ("situation", "abuse"),
    "*13": ("situation", "short_lookup"),
    "*14": ("situation", "agreement"),
    "*15": ("situation", "repeat"),
    "*16": ("situation", "hold_request"),
    "*17": ("situation", "open_line"),
    "*70": ("cancel", ""),
    "*71": ("done", ""),
    "*72": ("leave", ""),
    "*80": ("transfer", "colleague"),
    "*81": ("transfer", "agent"),
}


def waiting() -> Ladder:
    """After ten seconds, then every fifteen."""
    rungs = (rung(None, 10.0), rung("please hold the line", 15.0))
    return replace(ladder(*rungs, name="waiting"), loops_from=2, rounds=3)


def call_centre() -> CallFlow:
    """One step of every kind that has to do with agents, messages, surveys, callbacks and look-ups; each is reachable."""
    waits = queue(
        "queue",
        "you are being connected",
        levels={"agents": 0.0, "experts": 20.0},
        waiting=waiting(),
        keys={"1": "message", "2": "number", "0": "second"},
        thanks_over=6.0,
    )
    keys = {"1": "queue", "2": "message", "3": "number", "4": "ask", "5": "agent", "6": "survey", "7": "second"}
    small = flow(
        menu(keys=keys, barge_in=frozenset({"key"}), no_input="queue"),
        waits,
        replace(queue("second", keys={"9": "message"}), most=25.0, talk_for=50.0, agent_left="close"),
        say("agent_left", "anything else", then="survey"),
        say("no_answer", "nobody answers", then="message"),
        say("nobody", "nobody is there", then="message"),
        say("full", "too many are waiting", then="number"),
        colleague(),
        transfer("agent", "connecting", agent_left="close", no_answer="no_answer", busy="ask", unreachable="message"),
        record(),
        menu_of("recorded", {"1": "keep", "2": "hear", "3": "message"}, no_input="keep"),
        PlayBack("hear", WHERE, "recorded"),
        Keep("keep", WHERE, "close"),
        say("nothing", "nothing was said", then="close"),
        collect(
            "number", barge_in=frozenset({"key"}), least=1, done="callback", no_input="callback", incomplete="close"
        ),
        call_back(),
        say("noted", "we call you back", then="close"),
        say("announced", "recorded from now on"),  # the phrase that says so; nobody comes here
        say("undiallable", "this number cannot be called", then="menu"),
        menu_of("survey", {"1": "good", "2": "bad"}, no_input="close"),
        Score("good", WHERE, "service", 1, 2, "close"),
        Score("bad", WHERE, "service", 2, 2, "queue"),
        ask(),
        *[say(name, name, then="queue") for name in ("open", "done", "late", "wrong", "failed")],
        close(barge_in=BOTH, request="menu"),
        rules=EVERY_RULE,
        outcomes={"closing": "close", "survey": "survey", "transfer": "colleague", "hold": "continue"},
        leaves={"agreement": {"caller_agrees": "message"}},
        limits=Limits(call_length=CALL_LENGTH),
    )
    return with_agents(small, "colleague", "agent", hold="hold_request", codes=CODES)  # type: ignore[arg-type]  # kinds


def menu_of(name: str, keys: dict[str, str], *, no_input: str) -> Menu:
    return menu(name, keys=keys, barge_in=frozenset({"key"}), no_input=no_input, invalid_then="close")


CENTRE = call_centre()
TALKS_RECORDED = CallRecording(WHERE, announce=("recorded from now on",))
WHOLE_CALL_RECORDED = replace(TALKS_RECORDED, whole_call=True)
STARTS = ("menu", "queue", "second", "agent", "message", "survey", "ask", "number", "close", "colleague")
FLOWS = {f"from {step}": replace(CENTRE, start=step) for step in STARTS}
FLOWS |= {
    "talks recorded": replace(CENTRE, start="queue", recording=TALKS_RECORDED),
    "whole call recorded": replace(CENTRE, start="menu", recording=WHOLE_CALL_RECORDED),
    "hold with music only": replace(CENTRE, start="agent", agents=replace(CENTRE.agents, hold="")),
    "hold with reports": replace(CENTRE, start="queue", agents=replace(CENTRE.agents, hold="lookup")),
    "hold said before": replace(CENTRE, start="agent", agents=replace(CENTRE.agents, hold="short_hold")),
    "short of everything": with_limits(
        replace(CENTRE, start="queue"), Limits(call_length=CALL_LENGTH, visits_per_step=2, steps_per_event=6, rounds=1)
    ),
}
