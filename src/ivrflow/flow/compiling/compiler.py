"""From YAML text to a `CallFlow`: everything resolved, every wait bounded, all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import PurePosixPath
from typing import assert_never

from ivrflow.flow.calendar import asks_for_holidays
from ivrflow.flow.compiling.agents import compile_agents, compile_recording
from ivrflow.flow.compiling.glances import calendar_in
from ivrflow.flow.compiling.holds import follows
from ivrflow.flow.compiling.ladders import situation_ladders
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.compiling.routes import check_routes
from ivrflow.flow.compiling.steps import compile_step
from ivrflow.flow.compiling.tasks import spoken_tasks
from ivrflow.flow.compiling.what_callers_leave import CALLBACK_NUMBER
from ivrflow.flow.days import Calendar
from ivrflow.flow.keys import grammar as g
from ivrflow.flow.keys.call_steps import COLLECT
from ivrflow.flow.keys.holiday_file import TABLE_FILE, is_holiday_file, table_text
from ivrflow.flow.keys.look_ups import LEARN
from ivrflow.flow.keys.outgoing import compile_placing, is_always_quiet
from ivrflow.flow.keys.standard import read_standard
from ivrflow.flow.keys.what_callers_leave import CALLBACK
from ivrflow.flow.keys.when import compile_wordings
from ivrflow.flow.model import (
    HANG_UP,
    RETURN,
    WHEN,
    Agents,
    CallFlow,
    CallRecording,
    Climb,
    HangUp,
    Ladder,
    Limits,
    PlacesCalls,
    PromptCatalogue,
    Standard,
    Step,
)
from ivrflow.flow.problems import MOST_PROBLEMS, FlowError, Location, Problem, ProblemList, did_you_mean, near_word
from ivrflow.flow.proof.bounds import check_bounds
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.reader import Named, check_name, wrong
from ivrflow.flow.reading.source import Items, Node, Table, Text, Unreadable, parse
from ivrflow.flow.wording.call_lint import lint_flow
from ivrflow.flow.wording.recorded import check_recorded
from ivrflow.flow.wording.wording_lint import lint_said


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a flow.

    Attributes:
        flow: None when there is an error among the problems.
        problems: errors and warnings, by place.
        flow_id: the flow's name and its place, blank when it has none.
        numbers: the dialled numbers and their places.
        said: keys of the phrases a call can say, as far as they could be read.
    """

    flow: CallFlow | None
    problems: tuple[Problem, ...]
    flow_id: Named
    numbers: tuple[Named, ...] = ()
    said: frozenset[str] = frozenset()


def compile_flow(source: Mapping[str, str], main: str, catalogue: PromptCatalogue | None = None) -> CallFlow:
    """Compile a flow.

    Args:
        source: file name to text: the flow, its standard, its phrase files. Kept in `CallFlow.source`, so that a call
            can be replayed with exactly the flow it had.
        main: the flow's own file name in `source`.
        catalogue: the prompts that exist as audio; None leaves them unchecked (and the flow without any).

    Raises:
        FlowError: with all problems of all these files.
    """
    checked = check_flow(source, main, catalogue, lint=False)  # a flow that took calls is compiled again for replays
    if checked.flow is None:
        raise FlowError(checked.problems)
    return checked.flow


def check_flow(
    source: Mapping[str, str],
    main: str,
    catalogue: PromptCatalogue | None = None,
    *,
    known: Iterable[str] = (),
    broken: Iterable[str] = (),
    calendar: Calendar | None = None,
    lint: bool = True,
) -> Checked:
    """Compile a flow and tell its warnings too; never raises for what stands in the files.

    Args:
        source: as for `compile_flow`.
        main: as for `compile_flow`.
        catalogue: as for `compile_flow`.
        known: ids of further standards that exist, for "did you mean".
        broken: ids of standards that exist and cannot be read, which is noted elsewhere.
        calendar: which kind of day each date is; None reads it from the holiday file in `source`, if there is one. What is
            wrong with that file stands in the calendar (`CallFlow.calendar.problems`) and refuses no flow.
        lint: whether what the standard asks of wordings and flows is looked at too (taboo, opening, farewell, hanging up),
            and what the flow itself promises of silence and of the time to a person.
    """
    problems = ProblemList(most=MOST_PROBLEMS)
    try:
        return _Compiler(
            source, main, catalogue, frozenset(known), set(broken), problems, calendar, lint=lint
        ).compile()
    except FlowError as error:  # so many problems that reading ended
        return Checked(None, error.problems, Named("", Location(main, 1, 1)))


class _Compiler:
    """Compiles one flow; every method notes problems and goes on."""

    def __init__(
        self,
        source: Mapping[str, str],
        main: str,
        catalogue: PromptCatalogue | None,
        known: frozenset[str],
        broken: set[str],
        problems: ProblemList,
        calendar: Calendar | None,
        *,
        lint: bool,
    ) -> None:
        self._source = dict(source)
        self._calendar = calendar or calendar_in(source)
        self._main = main
        self._catalogue = catalogue
        self._known = known
        self._problems = problems
        self._broken = broken
        self._lint = lint
        self._said: dict[str, Location] = {}

    def compile(self) -> Checked:
        """Read every file, then the flow."""
        node = parse(self._source[self._main], self._main, self._problems)
        files = self._standards()
        top = Location(self._main, 1, 1)
        if not isinstance(node, Table):
            if node is not None:
                wrong(node, "a flow", "flow: gov12345", self._problems)
            return Checked(None, tuple(sorted(set(self._problems.problems))), Named("", top))
        form = g.FLOW_SPEC.read(node, node.where, self._problems)
        flow = self._flow(form, files)
        errors = self._problems.errors
        return Checked(
            None if errors else flow,
            tuple(sorted(set(self._problems.problems))),
            form[g.FLOW],
            form[g.DIALLED],
            frozenset(self._said),
        )

    # ── the files beside the flow ─────────────────────────────────────────────────────────────────────────────────────

    def _standards(self) -> dict[str, Standard]:
        """The files beside the flow by id; those that cannot be used are remembered as broken."""
        standards: dict[str, Standard] = {}
        for file, text in self._source.items():
            if file == self._main or is_holiday_file(file):
                continue
            stem = PurePosixPath(file.replace("\\", "/")).stem
            node = parse(text, file, self._problems)
            standard = None if node is None else read_standard(node, self._problems)
            if standard is not None and standard.id == stem:
                standards[stem] = standard
            else:
                self._broken.add(stem)
        return standards

    def _missing(self, form: Form, files: Mapping[str, Standard]) -> frozenset[str]:
        """Ids the flow names without a usable file of that id; each is noted."""
        missing = set(self._broken)
        standard = form[g.STANDARD]
        wanted = [(standard, "standard")] if standard else []
        written = form.wrote(g.PHRASE_FILES)
        wanted += [(name, "phrase file") for name in form[g.PHRASE_FILES]]
        for name, what in wanted:
            if name.text in files or name.text in missing:
                continue
            if what == "standard" or written:
                missing.add(name.text)
                others = (set(files) | self._known) - {name.text}
                hint = did_you_mean(name.text, others)
                folder = PurePosixPath(self._main.replace("\\", "/")).parent / "standards"
                if not hint.startswith("did you mean"):
                    hint = f"it is looked for in {folder / name.text}.yaml" + (f"; {hint}" if hint else "")
                self._problems.error(name.where, f"there is no {what} '{name.text}'", hint)
        return frozenset(missing)

    # ── the flow ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _flow(self, form: Form, files: Mapping[str, Standard]) -> CallFlow | None:
        missing = self._missing(form, files)
        standard = files.get(form[g.STANDARD].text)
        limits = _limits(form[g.LIMITS])
        table = form[g.STEPS]
        names = Names(
            problems=self._problems,
            standard_id=form[g.STANDARD].text,
            standard=standard,
            files=files,
            missing=missing,
            steps=frozenset({HANG_UP} | {entry.key.text for entry in table.entries}) if table else None,
            values=_kept_values(table) if table else frozenset(),
        )
        names.wordings = compile_wordings(form[g.WORDINGS], names)
        names.tasks = spoken_tasks(form[g.TASKS], names)
        start = names.step(form[g.START])
        mentioned: dict[str, frozenset[str]] = {}
        steps = self._steps(table, names, limits, mentioned) if table else {}
        outcomes = self._outcomes(form, names)
        leaves = self._leaves(form, names)
        situations = situation_ladders(standard, limits, names.tasks) if standard else {}
        placing = self._placing(form, names, start)
        agents, recording = self._agents(form, names, situations, steps)
        begins = [
            start,
            *([placing.start] if placing else ()),
            *outcomes.values(),
            *agents.transfers,
            *(step for targets in leaves.values() for step in targets.values()),
        ]
        if start and table:
            begins += mentioned.pop("", frozenset())
            check_routes(steps, begins, mentioned, self._problems)
        self._check_wordings(names)
        self._check_ends(steps, outcomes)
        self._check_numbers(form[g.DIALLED])
        self._check_prompts(names, situations, form[g.VOICE])
        if standard is None or self._problems.errors:
            return None
        flow = CallFlow(
            id=form[g.FLOW].text,
            title=form[g.TITLE],
            numbers=tuple(number.text for number in form[g.DIALLED]),
            standard=standard,
            start=start,
            steps=steps,
            outcomes=outcomes,
            situations=situations,
            phrases=names.phrase_data(),
            prompts=(self._catalogue or PromptCatalogue()).spoken_by(form[g.VOICE].text),
            voice=form[g.VOICE].text,
            limits=limits,
            timezone=_zone(form),
            where=form[g.FLOW].where,
            leaves=leaves,
            follows=follows(standard, situations),
            places_calls=placing,
            source=self._source,
            wordings=names.wordings,
            calendar=self._calendar,
            agents=agents,
            recording=recording,
        )
        if asks_for_holidays(flow):  # a replay must find the table as it was, whatever is installed then
            flow = replace(flow, source={**self._source, TABLE_FILE: table_text(self._calendar.years)})
        if self._lint:
            lint_said(standard, files, names.said, self._problems)
            lint_flow(flow, self._problems)
            check_bounds(flow, form[g.LIMITS], self._problems)
        return flow

    def _placing(self, form: Form, names: Names, start: str) -> PlacesCalls | None:
        if not form.wrote(g.PLACES_CALLS):
            return None
        placing = compile_placing(form[g.PLACES_CALLS], form.place(g.PLACES_CALLS), names, start)
        if is_always_quiet(placing):
            message = "these quiet hours leave no minute of the day to ring anybody"
            self._problems.error(placing.quiet[0].where, message, "shorten one of them")
        return placing

    def _agents(
        self, form: Form, names: Names, situations: Mapping[str, Ladder], steps: Mapping[str, Step]
    ) -> tuple[Agents, CallRecording | None]:
        agents, recording = Agents(), None
        if form.wrote(g.AGENTS):
            agents = compile_agents(form[g.AGENTS], form.place(g.AGENTS), names, situations, steps)
        if form.wrote(g.RECORDING):
            recording = compile_recording(form[g.RECORDING], form.place(g.RECORDING), names, steps)
        return agents, recording

    def _steps(
        self, table: Table, names: Names, limits: Limits, mentioned: dict[str, frozenset[str]]
    ) -> dict[str, Step]:
        """All steps; `mentioned` takes, for steps with problems, the steps they speak of ("" for dropped ones)."""
        steps: dict[str, Step] = {}
        known = names.steps or frozenset()
        mentioned[""] = frozenset().union(*(_mentioned(node, known) for node in table.dropped))
        for entry in table.entries:
            name = entry.key
            if name.text in {HANG_UP, RETURN}:
                message = f"'{name.text}' cannot be the name of a step of your own"
                self._problems.error(name.where, message, "it has a meaning already; choose another name")
                mentioned[name.text] = _mentioned(entry.value, known)
                continue
            check_name(name, "a step's name", self._problems)
            before = len(self._problems.problems)
            for step in compile_step(name, entry.value, names, limits):
                steps[step.name] = step
            if len(self._problems.problems) > before or _is_damaged(entry.value):
                mentioned[name.text] = _mentioned(entry.value, known)
        steps[HANG_UP] = HangUp(HANG_UP, table.where, "hung_up")
        return steps

    def _outcomes(self, form: Form, names: Names) -> dict[str, str]:
        outcomes = {RETURN: RETURN}
        meant: set[str] = set()
        wanted: dict[str, list[str]] = {}
        needless: set[str] = set()
        for rule in names.standard.rules.values() if names.standard else ():
            if rule.not_on_phone:
                needless.add(rule.then)
            elif rule.then:
                wanted.setdefault(rule.then, []).append(rule.id)
        for word, step in form[g.OUTCOMES]:
            if names.standard and word.text not in {RETURN, *wanted, *needless}:
                message = f"no rule of {names.standard.id} ends in '{word.text}'"
                unused = set(wanted) - set(outcomes)
                self._problems.error(word.where, message, did_you_mean(word.text, unused))
                meant.add(near_word(word.text, unused))
            outcomes[word.text] = names.step_or_return(step)
        for then, rules in wanted.items():
            if (
                then not in outcomes
                and then not in meant
                and (not form.wrote(g.OUTCOMES) or g.OUTCOMES.name in form.values)
            ):
                who = ", ".join(rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
                hint = f"write {then}: STEP, or {then}: {RETURN}; needed by {who}"
                self._problems.error(form.place(g.OUTCOMES), f"'outcomes' has no '{then}'", hint)
        return outcomes

    def _leaves(self, form: Form, names: Names) -> dict[str, dict[str, str]]:
        leaves: dict[str, dict[str, str]] = {}
        for situation, table in form[g.LEAVING]:
            rule = names.rule(situation)
            words = {rung.leave_on for rung in rule.rungs if rung.leave_on} if rule else set()
            targets: dict[str, str] = {}
            for word, step in table:
                if rule and word.text not in words:
                    message = f"nothing called '{word.text}' leaves {rule.id}"
                    self._problems.error(word.where, message, did_you_mean(word.text, words))
                targets[word.text] = names.step_or_return(step)
            leaves[situation.text] = targets
        return leaves

    def _check_wordings(self, names: Names) -> None:
        for name, wording in names.wordings.items():
            if name not in names.chosen:
                message = f"nothing says the wording '{name}'"
                self._problems.warn(wording.where, message, f"write {WHEN}/{name} where it is said, or delete it")

    def _check_ends(self, steps: Mapping[str, Step], outcomes: Mapping[str, str]) -> None:
        """A ladder should end where the standard ends it."""
        for step in steps.values():
            if not isinstance(step, Climb) or not step.used_up:
                continue
            documented = outcomes.get(step.ladder.then, RETURN)
            if documented not in {RETURN, "", step.used_up}:
                message = f"the standard ends {step.ladder.name} with '{step.ladder.then}', here {documented}"
                self._problems.warn(
                    step.where, f"{message}; this step goes to {step.used_up}", f"used_up: {documented}"
                )

    def _check_numbers(self, numbers: Iterable[Named]) -> None:
        first: dict[str, Named] = {}
        for number in numbers:
            if number.text in first:
                self._problems.error(number.where, "this number is listed twice", "delete one of them")
            first.setdefault(number.text, number)

    def _check_prompts(self, names: Names, situations: Mapping[str, Ladder], voice: Named) -> None:
        """What a call can say must be recorded."""
        self._said = dict(names.said)
        for ladder in situations.values():
            for rung in ladder.rungs:
                if rung.say:
                    self._said.setdefault(rung.say, rung.where)
        if self._catalogue is not None:
            check_recorded(self._said, names.phrase_data(), self._catalogue, voice, self._problems)


def _limits(form: Form) -> Limits:
    return replace(
        Limits(),
        call_length=form[g.CALL_LENGTH],
        visits_per_step=form[g.VISITS],
        steps_per_event=form[g.STEPS_PER_EVENT],
        task_wait=form[g.TASK_WAIT],
        hold_wait=form[g.HOLD_WAIT],
        own_wait=form[g.OWN_WAIT],
        tolerance=form[g.TOLERANCE],
        rounds=form[g.ROUNDS],
        silence=form[g.SILENCE] or None,
        task_silence=form[g.TASK_SILENCE] or None,
        to_human=form[g.TO_HUMAN] or None,
        nobody_at=tuple(step.text for step in form[g.NOBODY_AT]),
    )


def _zone(form: Form) -> tzinfo:
    return form[g.ZONE]


def _kept_values(steps: Table) -> frozenset[str]:
    """Names of the values that steps keep or learn, as far as they can be read."""
    kept: set[str] = set()
    for entry in steps.entries:
        if not isinstance(entry.value, Table):
            continue
        if isinstance(value := entry.value.get(COLLECT.name), Text):
            kept.add(value.text)
        if isinstance(learnt := entry.value.get(LEARN.name), Table):
            kept |= {one.key.text for one in learnt.entries}
        if entry.value.get(CALLBACK.name) is not None:
            kept.add(CALLBACK_NUMBER)
    return frozenset(kept)


def _mentioned(node: Node, steps: frozenset[str]) -> frozenset[str]:
    """Names of steps that stand anywhere in a node."""
    match node:
        case Text(text=text) | Unreadable(text=text):
            return frozenset({text}) & steps
        case Items(items=items):
            return frozenset().union(*(_mentioned(item, steps) for item in items))
        case Table(entries=entries, dropped=dropped):
            inside = [*(entry.value for entry in entries), *dropped]
            return frozenset().union(*(_mentioned(node, steps) for node in inside))
        case _:
            assert_never(node)


def _is_damaged(node: Node) -> bool:
    """Whether reading the text already lost something of this node."""
    match node:
        case Table(entries=entries, dropped=dropped):
            return bool(dropped) or any(_is_damaged(entry.value) for entry in entries)
        case Items(items=items):
            return any(_is_damaged(item) for item in items)
        case _:
            return isinstance(node, Unreadable)
