"""`ivrflow scenario record`: a journaled call as a scenario, the same inputs at the same moments.

Moments are told by what was heard: so many seconds after a phrase ended, or into it. Where something was done within the
first 0.6 s of a phrase, which nobody can recognise by then, it is told by the phrase before, or by the answer.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ivrflow.engine.trace import Judgement
from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.compiling.glances import is_flow
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, ProblemList
from ivrflow.flow.reading.reader import KEYS
from ivrflow.flow.reading.times import DAY_S, EARLIEST_YEAR, LATEST_YEAR, written
from ivrflow.runtime.journal_reader import StoredCall
from ivrflow.scenario.language.agents_from_journal import (
    came_late,
    is_all_named,
    left_behind,
    look_ups_of,
    part_of,
    queues_of,
)
from ivrflow.scenario.language.naming import Naming
from ivrflow.scenario.language.recorded_inputs import (
    KEY_HELD_S,
    HungUp,
    Input,
    Ordered,
    Played,
    Pressed,
    RecordedAgent,
    RecordedInputs,
    Said,
    recorded_inputs,
)
from ivrflow.scenario.language.replaced_digits import without_entries
from ivrflow.scenario.language.rule_pauses import RulePause, RulePauses, rule_pauses
from ivrflow.scenario.language.step_words import MOST_STEPS
from ivrflow.scenario.script import PATIENCE_S, RECOGNISED_AFTER_S

_LONGEST_WAIT_S = 20.0
"""Seconds after which a phrase may begin without the script saying so."""

_LONGEST_WITHIN_S = 3600.0

_CUT_LATER_S = 0.5
"""Seconds a phrase may be heard longer than it was, before its cut counts as missing."""

_SAME_RUN_S = 0.025
"""Seconds by which the gaps of keys pressed as one entry may differ."""

_LONGEST_KEY_GAP_S = 1.0

_BEFORE_THE_END_S = 0.05
"""Seconds before the end of a phrase at which something that was done while it played is done at the latest."""

_PAUSE = "  - pause: as the rule says"

_MASKED_KEY = "0"
"""Stands for a key that the journal was asked not to show."""


def scenario_of(stored: StoredCall, flow: CallFlow, *, show_personal: bool) -> str:
    """The text of a scenario file that plays this call again.

    Args:
        stored: the call, read unmasked.
        flow: the flow of its name as it is today: what the scenario is played against.
        show_personal: whether the keyed digits and the values of placeholders stay. Otherwise entries are replaced by
            other digits, as many, and values by others; keys that chose a way stay.

    Raises:
        FlowError: the call was never answered, so there is nothing to play.
    """
    happenings = stored.happenings if show_personal else without_entries(stored.happenings, _flow_then(stored, flow))
    call = recorded_inputs(happenings)
    if call is None:
        problems = ProblemList()
        problems.error(flow.where, f"the call {stored.summary.call} was never answered: there is nothing to play")
        raise FlowError(problems.problems)
    return _Writer(stored, flow, call, show_personal=show_personal).text()


def _flow_then(stored: StoredCall, flow: CallFlow) -> CallFlow:
    """The flow as the call walked it; today's where that cannot be compiled any more."""
    main = next((file for file, text in stored.source.items() if is_flow(text, file)), None)
    try:
        return replace(compile_flow(stored.source, main) if main else flow, prompts=stored.prompts)
    except FlowError:
        return replace(flow, prompts=stored.prompts)


@dataclass(slots=True)
class _Steps:
    """The caller's steps so far.

    Attributes:
        moment: second at which the last of them ends; None before the first.
        last_heard: the phrase the last of them heard to its end.
    """

    lines: list[str] = field(default_factory=list)
    moment: float | None = None
    last_heard: Played | None = None

    def add(self, line: str, moment: float) -> None:
        self.lines.append(f"  - {line}")
        self.moment, self.last_heard = moment, None

    def wait_until(self, at: float) -> None:
        """Let time pass until second `at`, to the millisecond and never too early."""
        if self.moment is None:
            if at > 0:
                self.add(f"wait_until: {written(_late(at))}", _late(at))
        elif (gap := _late(at - self.moment)) > 0:
            self.add(f"wait: {written(gap)}", self.moment + gap)


def _late(seconds: float) -> float:
    """The same to the millisecond, rounded up."""
    return math.ceil(round(seconds * 1000, 3)) / 1000


class _Writer:
    """Writes one call."""

    def __init__(self, stored: StoredCall, flow: CallFlow, call: RecordedInputs, *, show_personal: bool) -> None:
        self._stored = stored
        self._flow = flow
        self._call = call
        self._show_personal = show_personal
        self._naming = Naming.of(flow, ProblemList())
        self._pauses: RulePauses = rule_pauses(flow)
        self._remarks: list[str] = []
        self._steps = _Steps()
        self._unnamed = [played for played in call.played if played.end > played.start]
        self._left_out = False

    def text(self) -> str:
        """The whole file."""
        self._script()
        caller = self._steps.lines
        is_all = len(caller) <= MOST_STEPS
        if not is_all:
            caller = caller[:MOST_STEPS]
            if caller[-1] == _PAUSE:
                caller.pop()  # what comes after it is not here
            self._remarks.append(f"Only its first {MOST_STEPS} steps are here.")
        agents = list(self._agents())
        summary = self._stored.summary
        arrived = datetime.fromtimestamp(self._call.arrived.arrived_at, self._flow.timezone)
        expected = list(self._expectations(is_all=is_all))
        self._note_what_cannot_be()
        lines = [
            f"# Recorded from the call {summary.call}.",
            *(f"# {remark}" for remark in self._remarks),
            f"scenario: a recorded call, {(summary.outcome or 'without an ending').replace('_', ' ')}",
            f"flow: {self._flow.id}",
        ]
        if self._call.arrived.number in self._flow.numbers:
            lines.append(f'call: "{self._call.arrived.number}"')
        if EARLIEST_YEAR <= arrived.year <= LATEST_YEAR:
            lines.append(f"at: {arrived:%Y-%m-%dT%H:%M:%S}")
        longest = max(self._call.ended_at, summary.lasted)
        lines.append(f"within: {written(min(DAY_S, math.ceil(longest * 1.5 + 20)))}")
        look_ups = list(look_ups_of(self._stored, self._flow, lambda text: text if self._show_personal else "某"))
        if look_ups:
            lines += ["on: simulator", "why: what another system answers is for no telephone to say"]
        lines += ["caller:", *caller] if caller else []
        lines += ["agents:", *agents] if agents else []
        lines += ["look_ups:", *look_ups] if look_ups else []
        lines += ["expect:", *expected] if expected else []
        return "\n".join(lines) + "\n"

    # ── the caller ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _script(self) -> None:
        inputs = [one for one in self._call.inputs if self._is_known(one)]
        while inputs:
            run = _run_of_keys(inputs)
            first, inputs = inputs[0], inputs[len(run) :]
            self._hear_before(first)
            at = self._in_time(first)
            self._steps.wait_until(at)
            self._do(run, at)
        for played in list(self._unnamed):
            self._hear(played)
        if self._is_ended_by_the_rules():
            self._steps.lines.append(_PAUSE)
        if self._left_out:
            self._remarks.append("Phrases of which too little was heard to recognise them are not named.")

    def _is_known(self, one: Input) -> bool:
        """Whether today's flow knows what was said to ivrflow; what it does not know leads nowhere."""
        match one.doing:
            case Ordered(what="situation", word=word):
                known = word in self._flow.situations
            case Ordered(what="signal", word=word):
                known = word in self._naming.vocabulary.signals
            case Ordered(what="value", word=word, value=value):
                known = word in self._naming.vocabulary.placeholders and bool(self._value(word, value))
            case _:
                known = True
        return known

    def _hear_before(self, one: Input) -> None:
        """Name the phrases that were over by then, and the one that was playing, when it can have been recognised."""
        for played in list(self._unnamed):
            if _is_before(played.end, played.ended, one):
                self._hear(played)
            elif _is_before(played.start, played.began, one) and one.at - played.start >= RECOGNISED_AFTER_S:
                self._hear_start(played)

    def _in_time(self, one: Input) -> float:
        """The second of an input, within the phrase it fell into: on the PBX that phrase may have begun a little late."""
        for played in self._call.played:
            over = played.start + played.length - _BEFORE_THE_END_S
            if one.at > over > played.start and not _is_before(played.end, played.ended, one):
                return over if _is_before(played.start, played.began, one) else one.at
        return one.at

    def _hear(self, played: Played) -> None:
        if not played.is_whole:
            self._hear_start(played)
            return
        self._unnamed.remove(played)
        if not self._can_be_heard(played):
            return
        name = self._naming.short(played.phrase)
        before = self._steps.last_heard
        if before is not None and self._is_by_the_rules(before, played):
            self._steps.lines.append(_PAUSE)
        within = self._within(played)
        self._steps.add(f"hear: {{phrase: {name}, within: {within}}}" if within else f"hear: {name}", played.end)
        self._steps.last_heard = played

    def _hear_start(self, played: Played) -> None:
        self._unnamed.remove(played)
        heard = played.end - played.start
        if heard < RECOGNISED_AFTER_S:
            self._left_out = True
            return
        if not self._can_be_heard(played):
            return
        keys = [f"phrase: {self._naming.short(played.phrase)}"]
        most = (heard + _CUT_LATER_S) / played.length if played.length and not played.is_whole else 1.0
        if most < 1:
            keys.append(f"at_most: {math.ceil(most * 100)}%")
        if within := self._within(played):
            keys.append(f"within: {within}")
        said = f"{{{', '.join(keys)}}}" if len(keys) > 1 else keys[0].removeprefix("phrase: ")
        self._steps.add(f"hear_start: {said}", played.start)

    def _can_be_heard(self, played: Played) -> bool:
        """Whether today's flow can still say it."""
        if played.phrase in self._naming.phrases:
            return True
        self._left_out = True
        return False

    def _is_by_the_rules(self, before: Played, played: Played) -> bool:
        """Whether the pause between two phrases was what the rules ask for, and they ask for one thing only."""
        return self._is_one_of(self._pauses.find(before.phrase, played.phrase), played.start - before.end)

    def _is_ended_by_the_rules(self) -> bool:
        """Whether ivrflow ended the call after its last phrase, and after the pause that the rules ask for there."""
        last = self._steps.last_heard
        if last is None or last is not self._call.played[-1] or self._call.lost:
            return False
        # An agent may have hung up before; the caller has not, or that would stand after the phrase.
        is_ended = self._stored.summary.is_over and self._stored.summary.ended_by in {"ivrflow", "agent"}
        return is_ended and self._is_one_of(self._pauses.find_end(last.phrase), self._call.ended_at - last.end)

    def _is_one_of(self, pauses: frozenset[RulePause], seconds: float) -> bool:
        """Whether the rules ask for one thing only, and these seconds are it."""
        bands = {pause.band for pause in pauses}
        if len(bands) != 1:
            return False
        (band,) = bands
        tolerance = self._flow.limits.tolerance
        return band.least - tolerance <= seconds <= band.most + tolerance

    def _within(self, played: Played) -> str:
        """How long the phrase is waited for, when that is longer than usual; empty when it is not."""
        gap = played.start - (self._steps.moment or 0.0)
        if gap > _LONGEST_WITHIN_S - PATIENCE_S:
            self._steps.wait_until(played.start - PATIENCE_S)
            return ""
        return written(math.ceil(gap + PATIENCE_S)) if gap > _LONGEST_WAIT_S else ""

    def _do(self, run: Sequence[Input], at: float) -> None:
        match run[0].doing:
            case Pressed():
                self._press(run, at)
            case Said(seconds=seconds):
                self._steps.add(f"say: {written(_late(seconds))}", at + seconds)
            case Ordered(what="situation" | "signal" as what, word=word):
                self._steps.add(f"{what}: {word}", at)
            case Ordered(what="value", word=word, value=value):
                self._steps.add(f"value: {{{word}: {_quoted(self._value(word, value))}}}", at)
            case Ordered(what=what):
                self._steps.add(what, at)
            case HungUp():
                self._steps.add("hang_up", at)

    def _press(self, run: Sequence[Input], at: float) -> None:
        pressed = (one.doing.key for one in run if isinstance(one.doing, Pressed))
        keys = "".join(key if key in KEYS else _MASKED_KEY for key in pressed)
        if len(run) == 1:
            self._steps.add(f'press: "{keys}"', at + KEY_HELD_S)
            return
        interval = (run[-1].at - run[0].at) / (len(run) - 1)
        hold = KEY_HELD_S if interval >= KEY_HELD_S + 0.02 else max(0.02, round(interval / 2, 3))
        gap = max(0.02, round(interval - hold, 3))
        held = "" if hold == KEY_HELD_S else f", hold: {written(hold)}"
        done = at + len(run) * (hold + gap) - gap
        self._steps.add(f'press: {{keys: "{keys}"{held}, gap: {written(gap)}}}', done)

    def _value(self, name: str, value: str) -> str:
        """The value that is written: what it was, or another one; empty when the placeholder takes none like it."""
        declared = self._flow.standard.placeholders.get(name)
        allowed = declared.values if declared else ()
        if self._show_personal:
            return value if not allowed or value in allowed else ""
        return allowed[0] if allowed else "某"

    # ── the agents ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _agents(self) -> Iterator[str]:
        rung: dict[str, list[RecordedAgent]] = {}
        queues = queues_of(self._flow)
        for agent in self._call.agents:
            is_there = agent.why not in {"nobody", "full"}
            if (agent.extension in self._naming.vocabulary.extensions and not agent.queue) or (
                agent.queue in queues and is_there and (agent.extension.isdecimal() or not agent.extension)
            ):
                rung.setdefault(agent.extension, []).append(agent)
            self._left_out |= not is_all_named(agent)
            if agent.why == "full":
                self._remarks.append("A queue was full; a scenario cannot make that happen.")
        if "" in rung:
            silent = rung.pop("")
            name = self._free_extension(rung)
            rung[name] = silent
            self._remarks.append(f"Who did not answer in the queue is not recorded: {name} stands for them.")
        for queue in sorted({agent.queue for times in rung.values() for agent in times if came_late(agent)}):
            name = self._free_extension(rung)
            self._remarks.append(f"{name} stands for the agents of the queue who were on the telephone meanwhile.")
            yield from (f'  "{name}":', f"    - queue: {queue}", "    - busy")
        for extension, times in rung.items():
            taken = tuple(dict.fromkeys(agent.queue for agent in times if agent.queue))
            parts = [tuple(part_of(agent, taken, self._naming.short, _late)) for agent in times]
            if len(set(parts)) > 1:
                self._remarks.append(
                    f"{extension} rang {len(times)} times and did not do the same each time; one of them is here."
                )
            yield f'  "{extension}":'
            # Whoever hung up matters most: without that the call would never end.
            yield from max(parts, key=lambda part: ("    - hang_up" in part, len(part)))

    def _free_extension(self, taken: Collection[str]) -> str:
        """An extension for somebody nobody knows."""
        return next(name for name in map(str, range(1001, 2001)) if name not in taken)

    # ── what came of it ───────────────────────────────────────────────────────────────────────────────────────────────

    def _expectations(self, *, is_all: bool) -> Iterator[str]:
        summary = self._stored.summary
        if is_all and summary.outcome in self._naming.outcomes and not self._call.lost:
            yield f"  hung_up_first: {summary.ended_by or 'nobody'}"
            yield f"  outcome: {summary.outcome}"
        found = {
            verdict.rule: verdict.judgement.replace(" ", "_")
            for verdict in self._stored.verdicts
            if verdict.judgement is not Judgement.NOT_APPLICABLE
            and verdict.rule.partition("/")[2] in self._flow.standard.rules
        }
        if found and is_all and not self._call.lost:
            yield "  verdicts:"
            for rule, judgement in found.items():
                yield f"    {self._naming.short(rule)}: {judgement}"
        if is_all and not self._call.lost:
            yield from left_behind(self._stored, self._flow)
        if self._left_out or not is_all or self._call.lost:
            yield "  heard_else: yes"

    def _note_what_cannot_be(self) -> None:
        if not self._show_personal:
            self._remarks.append("Entries and names are not the caller's: they were replaced.")
        if self._stored.missing:
            self._remarks.append(f"{self._stored.missing} events of it were lost on the way into the journal.")
        if not self._stored.summary.is_over:
            self._remarks.append("Its end was not recorded.")
        if self._call.deaf:
            self._remarks.append("For a while the caller could not be heard; a scenario cannot make that happen.")
        if self._call.lost:
            self._remarks.append("Its line was lost; a scenario cannot make that happen.")


def _is_before(at: float, number: int, one: Input) -> bool:
    """Whether a happening came before an input; what was done before it was noticed has no number, only its second."""
    return at <= one.at if one.number == 0 else number < one.number


def _run_of_keys(inputs: Sequence[Input]) -> Sequence[Input]:
    """The first input, with the keys that follow it at even gaps as one entry."""
    run = [inputs[0]]
    if not isinstance(inputs[0].doing, Pressed):
        return run
    for one in inputs[1:]:
        gap = one.at - run[-1].at
        even = (run[-1].at - run[0].at) / (len(run) - 1) if len(run) > 1 else gap
        if not isinstance(one.doing, Pressed) or gap > _LONGEST_KEY_GAP_S or abs(gap - even) > _SAME_RUN_S:
            break
        run.append(one)
    return run


def _quoted(text: str) -> str:
    """Text between double quotes, with everything in it that cannot be seen written as a number."""
    shown = (
        f"\\{character}" if character in '"\\' else character if character.isprintable() else f"\\U{ord(character):08x}"
        for character in text
    )
    return f'"{"".join(shown)}"'
