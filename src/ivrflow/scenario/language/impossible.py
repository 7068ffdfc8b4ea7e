"""Scenarios that no call can pass, whatever is heard: each is told at the line that makes it so.

Only what is truly impossible stands here; a scenario that merely will not come true today is for the judgement.
"""

from __future__ import annotations

from collections.abc import Sequence

from ivrflow.engine.trace import Judgement
from ivrflow.flow.compiling.holds import WITH_MUSIC
from ivrflow.flow.model import Ask, CallFlow, Ladder, Queue, Rung, Transfer
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.times import written
from ivrflow.scenario.language.how_long import least_seconds, moments
from ivrflow.scenario.language.naming import Naming
from ivrflow.scenario.language.phrases_said import heard_by_agents, ladders_climbed, said_besides_ladders
from ivrflow.scenario.script import (
    NEVER_TALKED,
    RECOGNISED_AFTER_S,
    AgentPart,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    HungUpFirst,
    Pause,
    Resume,
    Say,
    Scenario,
    Step,
    Wait,
    WaitUntil,
    last_pause,
)

_ENDED_BY: dict[str, frozenset[HungUpFirst]] = {
    "caller_hung_up": frozenset({"caller", "agent"}),
    "line_lost": frozenset({"nobody", "agent"}),
    "handed_to_fallback": frozenset({"nobody", "agent"}),
}
"""Who can have hung up first under each outcome; under any other ivrflow has, or an agent before it."""

_ENDED_BY_IVRFLOW: frozenset[HungUpFirst] = frozenset({"ivrflow", "agent"})


def check_possible(scenario: Scenario, naming: Naming, bound: Location | None) -> None:
    """Note everything that cannot be in `scenario`.

    Args:
        scenario: read without a problem, or as far as it could be.
        naming: the names of its flow, and where problems are noted.
        bound: where its `within` is written; None when it is not.
    """
    problems = naming.problems
    who = scenario.expect.hung_up_first
    scripts = [(scenario.caller, True), *((agent.steps, False) for agent in scenario.agents)]
    for script, is_callers in scripts:
        _check_order(script, problems)
        steps = _until_hung_up(script)
        _check_pauses(steps, problems, is_callers=is_callers, hung_up_first=who)
        _check_moments(steps, scenario.flow, problems)
    _check_sources(scenario, naming)
    _check_never(scenario, naming)
    _check_who_hangs_up(scenario, problems)
    _check_outcome(scenario, problems)
    _check_verdicts(scenario, naming)
    _check_look_ups(scenario, problems)
    _check_lengths(scenario, bound, problems)


# ── one script ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _until_hung_up(steps: Sequence[Step]) -> Sequence[Step]:
    end = next((index for index, step in enumerate(steps) if isinstance(step, HangUp)), len(steps))
    return steps[: end + 1]


def _check_order(steps: Sequence[Step], problems: ProblemList) -> None:
    """What must come before what."""
    held: Hold | None = None
    until: WaitUntil | None = None
    before: Step | None = None
    for step in steps:
        if isinstance(before, HangUp):
            problems.error(step.where, "nothing can follow 'hang_up'", "put hang_up last, or delete what follows")
            return
        match step:
            case Wait(seconds=seconds) if isinstance(before, HearStart) and seconds < RECOGNISED_AFTER_S:
                message = f"a phrase is known {written(RECOGNISED_AFTER_S)} after its first sound, not earlier"
                hint = f"write wait: {written(RECOGNISED_AFTER_S)} or more, or wait_until: and seconds since the answer"
                problems.error(step.where, message, hint)
            case Hold() if held is not None:
                problems.error(step.where, f"on hold already, since line {held.where.line}", "write - resume before it")
            case Hold():
                held = step
            case Resume() if held is None:
                problems.error(step.where, "nothing is on hold here", "write - hold before it, or hold: 5s for both")
            case Resume():
                held = None
            case WaitUntil(second=second) if until is not None and second <= until.second:
                message = (
                    f"{written(second)} after the answer is not after {written(until.second)}, line {until.where.line}"
                )
                problems.error(step.where, message, _COUNTED_FROM_ANSWER)
            case WaitUntil():
                until = step
            case _:
                pass
        before = step


_COUNTED_FROM_ANSWER = "wait_until counts from the answer; to count from here write wait:"


def _check_moments(steps: Sequence[Step], flow: CallFlow, problems: ProblemList) -> None:
    """A second that has passed by then cannot be waited for."""
    passed = latest = 0.0
    for step, at in moments(steps, flow):
        if isinstance(step, WaitUntil) and latest < step.second < passed:
            message = f"{written(step.second)} after the answer is over by then: {passed:.1f} s are the least"
            problems.error(step.where, message, _COUNTED_FROM_ANSWER)
        if isinstance(step, WaitUntil):
            latest = max(latest, step.second)
        passed = at


def _check_pauses(
    steps: Sequence[Step], problems: ProblemList, *, is_callers: bool, hung_up_first: HungUpFirst | None
) -> None:
    """A pause lies between two phrases that are heard, or between the caller's last one and the end of the call."""
    for index, step in enumerate(steps):
        if not isinstance(step, Pause):
            continue
        before = next((other for other in reversed(steps[:index]) if isinstance(other, Hear | HearStart | Pause)), None)
        after = next((other for other in steps[index + 1 :] if isinstance(other, Hear | HearStart | Pause)), None)
        if isinstance(before, Pause):
            message = f"a second pause between the same two phrases, the first is in line {before.where.line}"
            problems.error(step.where, message, "keep one of them")
        elif before is None:
            problems.error(step.where, "no phrase is heard before this pause", _PAUSE_HINT)
        elif after is None and is_callers:
            _check_last_pause(step, steps[index + 1 :], problems, hung_up_first)
        elif after is None:
            problems.error(step.where, "no phrase is heard after this pause", _PAUSE_HINT)
        elif isinstance(after, Hear | HearStart) and after.within < step.band.least:
            message = f"waited for {written(after.within)}, after a pause of {written(step.band.least)}"
            problems.error(after.where, message, f"write within: {written(step.band.most + 10)}")


_PAUSE_HINT = "write - hear: and the phrase; for doing nothing write - wait:"


def _check_last_pause(
    pause: Pause, after: Sequence[Step], problems: ProblemList, hung_up_first: HungUpFirst | None
) -> None:
    """It ends with the call, and only somebody else's hanging up makes that an expectation."""
    left = _hang_up(after)
    if any(isinstance(step, HearMusic) for step in after):
        problems.error(pause.where, "no phrase is heard after this pause", _PAUSE_HINT)
    elif left is not None:
        message = f"this pause would end with the caller's own hanging up, line {left.where.line}"
        problems.error(pause.where, message, "for doing nothing write - wait:, or take the caller's hang_up out")
    elif hung_up_first == "caller":
        message = "this pause ends when ivrflow hangs up, and hung_up_first says that the caller does"
        problems.error(pause.where, message, "write hung_up_first: ivrflow, or take the pause out")


# ── who hears whom ────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_sources(scenario: Scenario, naming: Naming) -> None:
    """Everything that must be heard must have somebody who says it."""
    said_by_caller = _said(scenario.caller)
    said_by_agents = frozenset().union(*(_said(agent.steps) for agent in scenario.agents))
    heard_in_talks = heard_by_agents(scenario.flow)
    has_music = _has_music(scenario.flow)
    for step in scenario.caller:
        if isinstance(step, Hear | HearStart) and step.phrase not in naming.phrases | said_by_agents:
            message = f"ivrflow never says '{naming.short(step.phrase)}'"
            hint = f"no step and no situation of {scenario.flow.id} leads to it"
            naming.problems.error(step.where, message, hint)
        if isinstance(step, HearMusic) and not has_music:
            hint = "it is played while a telephone rings, in queues, on hold and during look-ups; the flow has none of them"
            naming.problems.error(step.where, "there is no music", hint)
    for agent in scenario.agents:
        for step in agent.steps:
            if isinstance(step, Hear | HearStart) and step.phrase not in said_by_caller | heard_in_talks:
                message = f"{agent.extension} never hears '{naming.short(step.phrase)}'"
                hint = "an agent hears the caller, who does not say it, and what is played during a talk"
                naming.problems.error(step.where, message, hint)


def _has_music(flow: CallFlow) -> bool:
    """Whether a caller of the flow can hear music."""
    for step in flow.steps.values():
        if isinstance(step, Transfer | Queue) or (isinstance(step, Ask) and step.filler):
            return True
    return any(rung.task in WITH_MUSIC for ladder in flow.situations.values() for rung in ladder.rungs)


def _said(steps: Sequence[Step]) -> frozenset[str]:
    return frozenset(step.phrase for step in steps if isinstance(step, Say) and step.phrase)


def _check_never(scenario: Scenario, naming: Naming) -> None:
    for step in scenario.caller:
        if isinstance(step, Hear | HearStart) and step.phrase in scenario.expect.never_hear:
            where = scenario.expect.never_hear[step.phrase]
            message = f"'{naming.short(step.phrase)}' must be heard in line {step.where.line} and never be heard"
            naming.problems.error(where, message, "take one of the two out")


# ── how it ends ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _hang_up(steps: Sequence[Step]) -> HangUp | None:
    return next((step for step in steps if isinstance(step, HangUp)), None)


def _leaver(agents: Sequence[AgentPart]) -> AgentPart | None:
    """The first agent who hangs up."""
    return next((agent for agent in agents if _hang_up(agent.steps)), None)


def _check_who_hangs_up(scenario: Scenario, problems: ProblemList) -> None:
    who = scenario.expect.hung_up_first
    where = scenario.expect.places["hung_up_first"]
    caller, leaver = _hang_up(scenario.caller), _leaver(scenario.agents)
    if who == "agent" and leaver is None:
        answers = any(agent.manner == "answers" for agent in scenario.agents)
        message = "no agent hangs up" if answers else "no agent answers"
        problems.error(where, message, 'write agents: {"1001": [ring: 2s, wait: 5s, hang_up]}')
    elif who not in {None, "agent"} and leaver is not None and not _may_hand_over(scenario):
        line = _line(_hang_up(leaver.steps))
        message = f"an agent who hangs up (line {line}) is the first, whoever does so later"
        problems.error(where, message, "write hung_up_first: agent, or take the agent's hang_up out")
    elif who == "caller" and caller is None and last_pause(scenario.caller) is None:
        message = "the caller never hangs up: a script that is used up stays silent"
        problems.error(where, message, "write - hang_up as the caller's last step")
    elif who == "ivrflow" and caller is not None:
        message = f"the caller hangs up in line {_line(caller)}; before that the call must not be over"
        problems.error(where, message, "write hung_up_first: caller, or take the caller's hang_up out")


def _may_hand_over(scenario: Scenario) -> bool:
    """Whether an agent who hangs up may have a colleague who takes the caller: then that is no end of the talk."""
    steps = scenario.flow.steps.values()
    several = sum(agent.manner == "answers" for agent in scenario.agents) > 1
    return several and any(isinstance(step, Transfer) and step.warm for step in steps)


def _check_outcome(scenario: Scenario, problems: ProblemList) -> None:
    outcome, who = scenario.expect.outcome, scenario.expect.hung_up_first
    where = scenario.expect.places["outcome"]
    caller = _hang_up(scenario.caller)
    if outcome is None:
        return
    if outcome in NEVER_TALKED:
        _check_never_talked(scenario, outcome, where, problems)
        return
    possible = _ENDED_BY.get(outcome, _ENDED_BY_IVRFLOW)
    if outcome == "caller_hung_up" and caller is None:
        problems.error(where, "the caller never hangs up", "write - hang_up as the caller's last step")
    elif caller is not None and outcome not in {"caller_hung_up", "handed_to_fallback"}:
        message = f"the caller hangs up in line {_line(caller)}, which makes the outcome 'caller_hung_up'"
        problems.error(where, message, "write outcome: caller_hung_up, or take the caller's hang_up out")
    elif who is not None and who not in possible:
        likely = next(iter(sorted(possible - {"agent"})))
        message = f"'{outcome}' means that {likely} hung up first, not {who}"
        problems.error(where, message, f"write hung_up_first: {likely}, or another outcome")


def _check_never_talked(scenario: Scenario, outcome: str, where: Location, problems: ProblemList) -> None:
    who = scenario.expect.hung_up_first
    if scenario.called is None:
        problems.error(where, f"'{outcome}' is how a call ends that ivrflow places", "write called: {ring: 2s}")
    elif scenario.caller:
        step = scenario.caller[0]
        problems.error(step.where, f"nobody talks on a call whose outcome is '{outcome}'", "delete the steps")
    elif who not in {None, "nobody"}:
        message = f"'{outcome}' means that nobody hangs up, and hung_up_first says {who}"
        problems.error(where, message, "write hung_up_first: nobody, or another outcome")


def _line(step: Step | None) -> int:
    return step.where.line if step is not None else 0


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_verdicts(scenario: Scenario, naming: Naming) -> None:
    ladders = list(ladders_climbed(scenario.flow))
    heard = {step.phrase: step for step in scenario.caller if isinstance(step, Hear | HearStart)}
    for rule, expected in scenario.expect.verdicts.items():
        if expected.judgement is Judgement.NOT_APPLICABLE:
            told = next(
                (step for phrase, step in heard.items() if _is_only_of(rule, phrase, scenario.flow, ladders)), None
            )
            if told is not None:
                phrase = naming.short(told.phrase)
                message = f"{naming.short(rule)} applies as soon as '{phrase}' is said, as it is in line {_line(told)}"
                naming.problems.error(expected.where, message, "write kept, or broken")
        elif (first := _first_rungs(rule, ladders)) and all(rung.say in scenario.expect.never_hear for rung in first):
            message = f"{naming.short(rule)} cannot be {expected.judgement}: it begins with what must never be heard"
            naming.problems.error(expected.where, message, "write not_applicable, or take the phrase out of never_hear")


def _first_rungs(rule: str, ladders: Sequence[Ladder]) -> list[Rung]:
    """On each ladder the rung with which the rule begins: nothing of the rule comes before it."""
    own = ([rung for rung in ladder.rungs if rule in {rung.rule, rung.also_rule}] for ladder in ladders)
    return [rungs[0] for rungs in own if rungs]


def _is_only_of(rule: str, phrase: str, flow: CallFlow, ladders: Sequence[Ladder]) -> bool:
    """Whether nothing else than this rule can make ivrflow say the phrase."""
    rungs = [rung for ladder in ladders for rung in ladder.rungs if rung.say == phrase]
    elsewhere = said_besides_ladders(flow)
    elsewhere |= {said for wording in flow.wordings.values() for line in wording.lines for said in line.says}
    return bool(rungs) and phrase not in elsewhere and all(rule in {rung.rule, rung.also_rule} for rung in rungs)


# ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_look_ups(scenario: Scenario, problems: ProblemList) -> None:
    """Only the simulator can be told what another system answers; a real engine asks the real one."""
    if "pbx" in scenario.stages and scenario.look_ups:
        where = next(iter(scenario.look_ups.values())).where
        message = "on the PBX the engine asks the flow's own address: no scenario says what it answers"
        problems.error(where, message, "write on: simulator, and why")


# ── lengths ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_lengths(scenario: Scenario, bound: Location | None, problems: ProblemList) -> None:
    lasts = scenario.expect.lasts
    least = least_seconds(scenario.caller, scenario.flow)
    if bound is not None:
        longest = max([least, *(agent.after + least_seconds(agent.steps, scenario.flow) for agent in scenario.agents)])
        if longest > scenario.within:
            message = f"{written(scenario.within)} are over before the script is: it takes at least {longest:.1f} s"
            problems.error(bound, message, "write more, or leave 'within' out")
        elif lasts is not None and lasts.least > scenario.within:
            message = f"the call cannot last {written(lasts.least)} within {written(scenario.within)}"
            problems.error(bound, message, f"write within: {written(lasts.most + 20)}, or leave it out")
    if lasts is not None and lasts.most < least:
        message = f"the call cannot be over after {written(lasts.most)}: the script takes at least {least:.1f} s"
        problems.error(scenario.expect.places["lasts"], message, "write a longer range, or leave 'lasts' out")
