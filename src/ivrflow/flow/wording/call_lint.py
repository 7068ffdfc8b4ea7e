"""What is wrong with how a flow begins, parts and hangs up, by the rules of its standard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ivrflow.flow.keys.lint import begins_with, is_among
from ivrflow.flow.model import RETURN, CallFlow, Calls, Climb, Close, HangUp, Ladder, Lint, Queue, Rule, Rung, Step
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.proof.prompt_lengths import PromptLengths
from ivrflow.flow.reading.times import written
from ivrflow.flow.wording.taboo import SaidPattern, comparable, wordings
from ivrflow.flow.wording.way import Spoken, Way, all_hold, begun, first_said, spoken, surely, ways

HANGS_UP = "hangup"
"""The word of a rule at whose end we hang up first."""

TAKES_LEAVE = frozenset({HANGS_UP, "wait_caller_hangup", "close_window"})
"""Words of rules that have said goodbye themselves."""

MOST_LASTS = ("promised_hold_s", "max_hold_s", "max_open_line_wait_s")
"""Limits of a rule that bound how long a caller is kept waiting."""


def lint_flow(flow: CallFlow, problems: ProblemList) -> None:
    """Note where a flow does not do what its standard asks of every call, each with the rule that asks."""
    for calls, start in _begins(flow):
        for rule, lint in _asked(flow, calls):
            if lint.opening:
                _opening(flow, start, rule, lint, calls, problems)
            if lint.never_first:
                _never_first(flow, start, rule, lint, problems)
            if lint.order:
                _order(flow, start, rule, lint, problems)
            if lint.farewell:
                _farewell(flow, start, rule, lint, calls, problems)
            if lint.ask_first:
                _ask_first(flow, start, rule, lint, problems)
            if lint.caller_hangs_up_first:
                _hang_ups(flow, start, rule, problems)
            if lint.never_without_a_word:
                _without_a_word(flow, start, rule, problems)
    queues = [step.ladder for step in flow.steps.values() if isinstance(step, Queue)]
    for ladder in (*flow.situations.values(), *queues):
        _too_long(flow, ladder, problems)


def _begins(flow: CallFlow) -> Iterator[tuple[Calls, str]]:
    if flow.numbers:
        yield "answered", flow.start
    if flow.places_calls is not None:
        yield "placed", flow.places_calls.start


def _asked(flow: CallFlow, calls: Calls) -> list[tuple[Rule, Lint]]:
    return [(rule, rule.lint) for rule in flow.standard.rules.values() if rule.lint and calls in rule.lint.calls]


def _alike(flow: CallFlow, calls: Calls, keys: str) -> tuple[str, ...]:
    """What any rule of the standard takes for an opening, or a farewell, of such calls."""
    return tuple(key for _, lint in _asked(flow, calls) for key in getattr(lint, keys))


# ── how it begins ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _opening(flow: CallFlow, start: str, rule: Rule, lint: Lint, calls: Calls, problems: ProblemList) -> None:
    openings = _alike(flow, calls, "opening")
    before = _alike(flow, calls, "opening_after")
    hint = f"say {_or(flow, lint.opening)} first"
    for said, name in first_said(flow, start):
        for one in said:
            if is_among(one.key, openings):
                break
            if not is_among(one.key, before):
                message = f"the first thing said is {one.key}, not the opening that {rule.id} asks for"
                problems.error(_here(flow, flow.steps[name], one), message, hint)
                break
        else:
            message = f"a call can come to '{name}' without the opening that {rule.id} asks for"
            problems.error(flow.steps[name].where, message, hint)


def _never_first(flow: CallFlow, start: str, rule: Rule, lint: Lint, problems: ProblemList) -> None:
    patterns = [(sentence, SaidPattern(sentence, anywhere=True)) for sentence in lint.never_first]
    for said, name in first_said(flow, start):
        if not said:
            continue
        phrase = flow.phrases[said[0].key]
        texts = [comparable(text) for text in wordings(phrase, flow.standard.placeholders)]
        for sentence, pattern in patterns:
            if any(pattern.is_in(text) for text in texts):
                message = f"the call begins with {phrase.key}, which says “{sentence}”; {rule.id} forbids to begin so"
                problems.error(_here(flow, flow.steps[name], said[0]), message, "say who is calling first")
                break


def _order(flow: CallFlow, start: str, rule: Rule, lint: Lint, problems: ProblemList) -> None:
    for earlier, later in zip(lint.order, lint.order[1:], strict=False):

        def was_said(keys: Sequence[str], earlier: str = earlier) -> bool:
            return any(is_among(key, (earlier,)) for key in keys)

        for name, was in surely(flow, begun(flow, start, was_said), was_said, _follows_all).items():
            done = list[Spoken]()
            for one in spoken(flow, flow.steps[name]):
                if (
                    any(is_among(key, (later,)) for key in flow.wordings_of(one.key))
                    and not was
                    and not all_hold(flow, done, was_said)
                ):
                    message = f"{one.key} can be said before {earlier}; {rule.id} asks for the other order"
                    problems.error(
                        _here(flow, flow.steps[name], one), message, f"say {_or(flow, (earlier,))} on every way here"
                    )
                done.append(one)


def _without_a_word(flow: CallFlow, start: str, rule: Rule, problems: ProblemList) -> None:
    for name, was in surely(flow, begun(flow, start, bool), bool, _follows_all).items():
        step = flow.steps[name]
        if isinstance(step, HangUp) and not was:
            message = f"a call can end in '{name}' before a word was said, which {rule.id} forbids"
            problems.error(_led_here(flow, name) or step.where, message, "say something before it")


# ── how it ends ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _farewell(flow: CallFlow, start: str, rule: Rule, lint: Lint, calls: Calls, problems: ProblemList) -> None:
    farewells = _alike(flow, calls, "farewell")

    def parts(keys: Sequence[str]) -> bool:
        return any(is_among(key, farewells) for key in keys)

    for name, was in surely(flow, _also_outcomes(flow, start), parts, _taken_leave(flow)).items():
        step = flow.steps[name]
        if isinstance(step, Close) and not was and not all_hold(flow, spoken(flow, step), parts):
            message = f"'{name}' waits for the other side to hang up without the farewell that {rule.id} asks for"
            problems.error(step.where, message, f"say {_or(flow, lint.farewell)} in it, or on every way to it")


def _ask_first(flow: CallFlow, start: str, rule: Rule, lint: Lint, problems: ProblemList) -> None:
    def asks(keys: Sequence[str]) -> bool:
        return any(is_among(key, lint.ask_first) for key in keys)

    for name, was in surely(flow, _also_outcomes(flow, start), asks, _taken_leave(flow)).items():
        done = list[Spoken]()
        for one in spoken(flow, flow.steps[name]):
            if any(is_among(key, lint.farewell) for key in flow.wordings_of(one.key)):
                if not was and not all_hold(flow, done, asks):
                    message = f"{one.key} is said without the question that {rule.id} asks for before it"
                    problems.error(
                        _here(flow, flow.steps[name], one), message, f"ask {_or(flow, lint.ask_first)} first"
                    )
                break
            done.append(one)


def _hang_ups(flow: CallFlow, start: str, rule: Rule, problems: ProblemList) -> None:
    ends = {name for name, one in flow.standard.rules.items() if one.then == HANGS_UP}

    def is_documented(step: Step, way: Way) -> bool:
        return isinstance(step, Climb) and step.ladder.name in ends and way.word not in {"speech", "key"}

    asked = f"by {rule.id} the other side hangs up first"
    hint = "let it lead to a close step, which waits"
    begins = {start: False}
    led = [(f"the outcome '{word}'", target) for word, target in flow.outcomes.items() if word != HANGS_UP]
    led += [
        (f"leaving {situation} by '{word}'", target)
        for situation, targets in flow.leaves.items()
        for word, target in targets.items()
        if situation not in ends
    ]
    for what, target in led:
        if isinstance(flow.steps.get(target), HangUp):
            problems.error(flow.where, f"{what} hangs up; {asked}", hint)
        elif target != RETURN:
            begins[target] = False
    for name in surely(flow, begins, lambda _: False, is_documented):
        step = flow.steps[name]
        if any(isinstance(flow.steps[way.target], HangUp) and not is_documented(step, way) for way in ways(flow, step)):
            problems.error(step.where, f"after '{name}' we hang up; {asked}", hint)


# ── how long it takes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _too_long(flow: CallFlow, ladder: Ladder, problems: ProblemList) -> None:
    """A phrase said again every so often, or while a promised time runs, must be shorter than that."""
    lengths = PromptLengths(flow)
    if ladder.loops_from:
        round_ = ladder.rungs[ladder.loops_from - 1 :]
        pause = sum(rung.wait for rung in round_ if rung.band is not None)
        for rung in round_:
            _check_length(flow, lengths, rung, pause, f"said again every {written(pause)}", problems)
    longest = _promised(flow, ladder)
    is_running = False
    for rung in ladder.rungs:
        if is_running and longest is not None:
            _check_length(flow, lengths, rung, longest, f"said in a wait of {written(longest)} at most", problems)
        is_running = is_running or (rung.task is not None and rung.wait > 0)


def _promised(flow: CallFlow, ladder: Ladder) -> float | None:
    bounds: list[float] = []
    for rule in {rung.rule for rung in ladder.rungs if rung.rule}:
        limits = flow.standard.rules[rule.partition("/")[2]].limits
        for name in MOST_LASTS:
            limit = limits.get(name)
            if isinstance(limit, float):
                bounds.append(limit)
            elif isinstance(limit, tuple) and isinstance(limit[-1], float):
                bounds.append(limit[-1])
    return min(bounds, default=None)


def _check_length(
    flow: CallFlow, lengths: PromptLengths, rung: Rung, bound: float, how: str, problems: ProblemList
) -> None:
    if rung.say is None or bound <= 0:
        return
    length = lengths.longest(rung.say)
    if length.seconds >= bound:
        about = "about " if length.is_estimated else ""
        message = f"{rung.say} takes {about}{written(round(length.seconds, 1))} and is {how}: {rung.rule}"
        where = rung.where if rung.where.file == flow.where.file else flow.where
        problems.error(where, message, "say something shorter")


# ── the flow ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _follows_all(_step: Step, _way: Way) -> bool:
    return False


def _also_outcomes(flow: CallFlow, start: str) -> dict[str, bool]:
    """Where a call is before it parts, and whether somebody took leave by then: the rule of a situation may have."""
    begins = {start: False}
    for word, target in flow.outcomes.items():
        if target != RETURN:
            begins[target] = begins.get(target, True) and word in TAKES_LEAVE
    return begins


def _taken_leave(flow: CallFlow) -> Callable[[Step, Way], bool]:
    """The exits of ladders at whose end goodbye was said."""
    parting = {name for name, rule in flow.standard.rules.items() if rule.then in TAKES_LEAVE}
    return lambda step, way: isinstance(step, Climb) and step.ladder.name in parting and way.word == "used_up"


def _led_here(flow: CallFlow, target: str) -> Location | None:
    return next(
        (step.where for step in flow.steps.values() if any(way.target == target for way in ways(flow, step))), None
    )


def _or(flow: CallFlow, keys: Sequence[str]) -> str:
    """The phrases meant by `keys`, as a flow names them; of several with one beginning the first."""
    own = f"{flow.standard.id}/"
    meant = [next((phrase for phrase in flow.phrases if begins_with(phrase, key)), key) for key in keys]
    return " or ".join(phrase.removeprefix(own) for phrase in meant[:3])


def _here(flow: CallFlow, step: Step, one: Spoken) -> Location:
    """Where the flow has it said: a rung of the standard is written in another file, for every flow that climbs it."""
    return one.where if one.where.file == flow.where.file else step.where
