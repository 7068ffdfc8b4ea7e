"""Small call flows made by hand, so that a test shows all it depends on.

Every phrase that a step or situation mentions exists, its key is its text, and it takes `PROMPT_S` seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, tzinfo
from typing import cast

from ivrflow.flow.compiling.holds import comes_back, follows, goes_on_there, joined
from ivrflow.flow.days import DaySet
from ivrflow.flow.model import (
    HANG_UP,
    Band,
    BargeIn,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Ladder,
    Limit,
    Limits,
    Listening,
    Menu,
    Phrase,
    Prompt,
    PromptCatalogue,
    Rule,
    RuleRung,
    Rung,
    Say,
    Standard,
    Step,
    Transfer,
    Warm,
    Window,
)
from ivrflow.flow.problems import Location

WHERE = Location("small.yaml", 1, 1)
PROMPT_S = 2.0
BOTH: frozenset[BargeIn] = frozenset({"speech", "key"})
NONE: frozenset[BargeIn] = frozenset()


# ── ladders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def rung(
    say: str | None = None,
    wait: float = 0.0,
    *,
    task: str | None = None,
    leave_on: str | None = None,
    rule: str | None = None,
    also_rule: str | None = None,
    band: Band | None = None,
    on_recurrence: bool = False,
) -> Rung:
    return Rung(
        WHERE,
        say=say,
        task=task,
        wait=wait,
        leave_on=leave_on,
        rule=rule,
        also_rule=also_rule,
        band=band,
        on_recurrence=on_recurrence,
    )


def ladder(*rungs: Rung, then: str = "continue", name: str = "ladder") -> Ladder:
    return Ladder(name, rungs, then, WHERE)


def listening(
    *, barge_in: frozenset[BargeIn] = NONE, speech: str | None = None, keys: Mapping[str, str] | None = None
) -> Listening:
    return Listening(barge_in, speech, keys or {})


# ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def say(name: str, *phrases: str, then: str = HANG_UP, listens: Listening | None = None) -> Say:
    return Say(name, WHERE, ladder(*map(rung, phrases), name=name), listens or Listening(), then)


def climb(
    name: str,
    *rungs: Rung,
    listens: Listening | None = None,
    left: Mapping[str, str] | None = None,
    used_up: str = HANG_UP,
    then: str = "hangup",
    ladder_name: str = "",
) -> Climb:
    return Climb(
        name, WHERE, ladder(*rungs, name=ladder_name or name, then=then), listens or Listening(), left or {}, used_up
    )


def menu(
    name: str = "menu",
    *,
    keys: Mapping[str, str],
    barge_in: frozenset[BargeIn] = NONE,
    speech: str | None = None,
    wait: float = 5.0,
    offers: int = 2,
    invalid_repeats: int = 2,
    no_input: str = HANG_UP,
    invalid_then: str = HANG_UP,
) -> Menu:
    rungs = ladder(*[rung("offer", wait)] * offers, name=name)
    return Menu(
        name, WHERE, rungs, Listening(barge_in, speech, keys), no_input, "invalid", invalid_repeats, invalid_then
    )


def collect(
    name: str = "collect",
    *,
    least: int = 2,
    most: int = 4,
    end_key: str = "#",
    barge_in: frozenset[BargeIn] = NONE,
    repeats: int = 1,
    done: str = HANG_UP,
    no_input: str = HANG_UP,
    incomplete: str = HANG_UP,
) -> Collect:
    return Collect(
        name=name,
        where=WHERE,
        value="number",
        ask="ask",
        least=least,
        most=most,
        end_key=end_key,
        first_digit=6.0,
        inter_digit=4.0,
        barge_in=barge_in,
        incomplete_say="incomplete",
        repeats=repeats,
        done=done,
        no_input=no_input,
        incomplete=incomplete,
    )


def window(days: Iterable[int], opens: int, closes: int, *says: str, then: str) -> Window:
    return Window(DaySet(frozenset(days)), opens, closes, says, then, WHERE)


def hours(name: str, *windows: Window, otherwise: str = HANG_UP) -> Hours:
    return Hours(name, WHERE, windows, otherwise)


def transfer(
    name: str = "transfer",
    *announce: str,
    agent_left: str = HANG_UP,
    no_answer: str = HANG_UP,
    busy: str = HANG_UP,
    unreachable: str = HANG_UP,
) -> Transfer:
    return Transfer(name, WHERE, "1001", announce, 20.0, 60.0, agent_left, no_answer, busy, unreachable)


def close(
    name: str = "close",
    *,
    ask: bool = True,
    barge_in: frozenset[BargeIn] = NONE,
    request: str = HANG_UP,
    reminder: str | None = "reminder",
    guard: float = 10.0,
) -> Close:
    rungs = (
        rung("anything else", 2.0, leave_on="caller_has_request", rule="gov/anything_else", band=Band(2, 2)),
        rung("goodbye", rule="gov/closing"),
    )
    return Close(
        name, WHERE, ladder(*rungs if ask else (), then="survey", name=name), barge_in, request, guard, reminder
    )


# ── standards ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def rule(
    name: str,
    *rungs: RuleRung,
    then: str = "continue",
    limits: Mapping[str, Limit] | None = None,
    after: str = "",
    loops_from: int = 0,
    not_on_phone: str = "",
) -> Rule:
    return Rule(
        f"gov/{name}",
        name,
        "",
        rungs,
        then,
        limits or {},
        "",
        WHERE,
        after=after,
        loops_from=loops_from,
        not_on_phone=not_on_phone,
    )


def rule_rung(
    say: str | None = None,
    wait: tuple[float, float] | None = None,
    *,
    task: str | None = None,
    leave_on: str = "",
    on_recurrence: bool = False,
) -> RuleRung:
    band = Band(*wait) if wait else None
    return RuleRung(WHERE, say=say, task=task, wait=band, leave_on=leave_on or None, on_recurrence=on_recurrence)


SILENT_CALL = rule(
    "silent_call",
    rule_rung("greeting", (3, 3), leave_on="speech"),
    rule_rung("connected", (3, 3), leave_on="speech"),
    rule_rung("change phone"),
    then="hangup",
)
ANYTHING_ELSE = rule("anything_else", rule_rung("anything else", (2, 2), leave_on="caller_has_request"), then="closing")
CLOSING = rule("closing", rule_rung("goodbye"), then="survey")
NOISE = rule(
    "noise",
    rule_rung("louder", leave_on="audible"),
    rule_rung("louder", leave_on="audible"),
    rule_rung("noisy", (2, 2)),
    then="hangup",
)
THANKS = rule("thanks", rule_rung("not at all"))
SHORT_LOOKUP = rule(
    "short_lookup", rule_rung("one moment"), rule_rung(task="look_up", wait=(10, 30), leave_on="lookup_done")
)
SLOW_SYSTEM = rule(
    "slow_system",
    rule_rung("slow", leave_on="refusal"),
    rule_rung(task="mute"),
    rule_rung(task="work_then_unmute", leave_on="waited_no_more_than_120_s"),
    rule_rung("thank you for waiting"),
)
AGREEMENT = rule("agreement", rule_rung("private", (2, 2), leave_on="caller_agrees"), then="hangup")
REPEAT = rule("repeat", rule_rung("please repeat", (4, 4), leave_on="speech"), then="transfer")
ABUSE = rule(
    "abuse",
    rule_rung("be civil", leave_on="caller_civil", on_recurrence=True),
    rule_rung("be civil", leave_on="caller_civil", on_recurrence=True),
    rule_rung("last warning", leave_on="caller_civil", on_recurrence=True),
    then="hangup",
    limits={"reminders": 2.0, "final_warnings": 1.0},
)
HOLD_REQUEST = rule(
    "hold_request",
    rule_rung("please wait"),
    rule_rung(task="mute"),
    then="hold",
    limits={"hold_phrase_optional_below_s": 5.0},
)
HOLD_REMINDER = rule(
    "hold_reminder",
    rule_rung(task="hold", wait=(15, 15), leave_on="lookup_done"),
    rule_rung("still looking"),
    then="hold",
    after="hold_request",
    loops_from=1,
    limits={"progress_report_every_s": 15.0},
)
LOOKUP = rule("lookup", rule_rung(task="mute"), rule_rung(task="look_up"), rule_rung(task="unmute"))
HOLD_RETURN = rule(
    "hold_return", rule_rung("sorry for the wait"), after="lookup", limits={"apology_if_wait_over_s": 6.0}
)
SHORT_HOLD = rule(
    "short_hold",
    rule_rung("one minute"),
    rule_rung(task="look_up"),
    limits={"max_hold_s": 60.0, "promised_hold_s": 60.0},
)
HOLD_RULES = (ABUSE, HOLD_REQUEST, HOLD_REMINDER, LOOKUP, HOLD_RETURN, SHORT_HOLD)
RULES = (SILENT_CALL, ANYTHING_ELSE, CLOSING, NOISE, THANKS, SHORT_LOOKUP, SLOW_SYSTEM, AGREEMENT, REPEAT)


def rungs_of(documented: Rule, own_wait: float = 0.0) -> tuple[Rung, ...]:
    """The rungs a call climbs when it obeys the rule: waits at the top of their band."""
    longest = documented.limits.get("max_hold_s")
    return tuple(
        replace(
            rung(
                step.say,
                step.wait.most if step.wait else longest if step.task and isinstance(longest, float) else own_wait,
                task=step.task,
                leave_on=step.leave_on,
                rule=documented.id,
                band=step.wait,
                on_recurrence=step.on_recurrence,
            ),
            is_waited_for=not comes_back(step, documented),
        )
        for step in documented.rungs
    )


def situation(documented: Rule, own_wait: float = 0.0) -> Ladder:
    rounds = Limits().rounds if documented.loops_from else 0
    return Ladder(
        documented.name, rungs_of(documented, own_wait), documented.then, WHERE, documented.loops_from, rounds=rounds
    )


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def flow(
    *steps: Step,
    limits: Limits | None = None,
    outcomes: Mapping[str, str] | None = None,
    leaves: Mapping[str, Mapping[str, str]] | None = None,
    rules: Iterable[Rule] = RULES,
    timezone: tzinfo = UTC,
) -> CallFlow:
    """A flow that starts with the first step."""
    by_name: dict[str, Step] = {step.name: step for step in steps}
    by_name[HANG_UP] = HangUp(HANG_UP, WHERE, "hung_up")
    rules = tuple(rules)
    situations = {documented.name: situation(documented) for documented in rules if not documented.not_on_phone}
    for documented in rules:
        if documented.after in situations and goes_on_there(documented):
            situations[documented.after] = joined(situations[documented.after], situations[documented.name])
    phrases = {key: Phrase(key, key, WHERE) for key in _mentioned([by_name, situations])}
    rendered: dict[tuple[str, tuple[tuple[str, str], ...]], Prompt] = {
        (key, ()): Prompt(f"small/{key}", key, PROMPT_S, 4000) for key in phrases
    }
    standard = Standard("gov", "Gov", "by hand", WHERE, phrases, {documented.name: documented for documented in rules})
    return CallFlow(
        id="small",
        title="Small",
        numbers=("12345",),
        standard=standard,
        start=steps[0].name,
        steps=by_name,
        outcomes={"continue": "continue", "hangup": HANG_UP, **(outcomes or {})},
        situations=situations,
        phrases=phrases,
        prompts=PromptCatalogue(rendered),
        limits=limits or Limits(),
        timezone=timezone,
        where=WHERE,
        leaves=leaves or {},
        follows=follows(standard, situations),
    )


def with_limits(small: CallFlow, limits: Limits) -> CallFlow:
    return replace(small, limits=limits)


_PHRASE_FIELDS = {
    *("say", "invalid", "ask", "incomplete_say", "reminder", "says", "announce"),
    *("whisper", "thanks", "back", "filler"),
}


def _mentioned(thing: object) -> set[str]:
    """Every phrase key below `thing`."""
    found: set[str] = set()
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    if isinstance(thing, list | tuple):
        for item in thing:
            found |= _mentioned(item)
    elif is_dataclass(thing):
        if isinstance(thing, Warm):
            found |= set(thing.whispers)  # with those told by situation
        for entry in fields(thing):
            value = getattr(thing, entry.name)
            if entry.name in _PHRASE_FIELDS and value:
                found |= {value} if isinstance(value, str) else set(cast("tuple[str, ...]", value))
            else:
                found |= _mentioned(value)
    return found


def silent_call_flow() -> CallFlow:
    """The documented silent call: greeting, 3 s, connected, 3 s, change phone, hang up; 1 and speech lead on."""
    listens = listening(barge_in=BOTH, speech="served", keys={"1": "served"})
    return flow(
        climb("welcome", *rungs_of(SILENT_CALL), listens=listens, ladder_name="silent_call"),
        say("served", "at your service"),
    )


def hotline() -> CallFlow:
    """One step of every kind, each reachable: what the property tests walk through."""
    all_day = window(range(7), 0, 1440, "good day", then="welcome")
    return flow(
        hours("hours", all_day, otherwise="duty"),
        climb(
            "welcome",
            *rungs_of(SILENT_CALL),
            ladder_name="silent_call",
            listens=listening(barge_in=BOTH, speech="menu", keys={"1": "number", "0": "agent"}),
        ),
        menu(keys={"1": "lookup", "2": "number", "0": "agent"}, barge_in=frozenset({"key"}), no_input="agent"),
        menu("plain_menu", keys={"1": "agent"}, no_input="close", invalid_then="agent"),
        say("lookup", "one moment", then="number"),
        collect("number", barge_in=frozenset({"key"}), done="received", no_input="agent", incomplete="plain_menu"),
        say("received", "received", then="agent"),
        transfer("agent", "connecting", agent_left="close", no_answer="away", busy="away", unreachable="plain_menu"),
        transfer("duty", agent_left="close", no_answer="away"),
        say("away", "nobody there", then="close"),
        close(barge_in=BOTH, request="menu"),
        close("wait", ask=False),
        outcomes={"closing": "close", "survey": "close", "transfer": "duty"},
        leaves={"agreement": {"caller_agrees": "wait"}},
    )
