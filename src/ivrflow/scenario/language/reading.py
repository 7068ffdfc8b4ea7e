"""Scenario files: found, read, checked against the flow that answers; all problems of all files in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from ivrflow.flow.model import Ask, CallBack, CallFlow, Record, Score
from ivrflow.flow.problems import FlowError, Problem, ProblemList, did_you_mean
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.json_schema import SCHEMA_LINE
from ivrflow.flow.reading.reader import wrong
from ivrflow.flow.reading.source import SCENARIO_FILE, Table, parse
from ivrflow.flow.reading.syntax import shortened
from ivrflow.flow_files import ENDINGS, read_text
from ivrflow.scenario.language import grammar as g
from ivrflow.scenario.language import noted_words as n
from ivrflow.scenario.language.how_long import longest_call
from ivrflow.scenario.language.impossible import check_possible
from ivrflow.scenario.language.naming import Naming
from ivrflow.scenario.language.rule_pauses import rule_pauses
from ivrflow.scenario.language.steps import ScriptReader
from ivrflow.scenario.script import (
    STAGES,
    AgentPart,
    Expectations,
    ExpectedMessage,
    ExpectedPromise,
    ExpectedScore,
    ExpectedVerdict,
    OtherSide,
    Scenario,
)
from ivrflow.settings import SettingsError

MOST_PROBLEMS = 200
"""Problems reported for one file; a file with more is not what it is taken for."""


def load_scenarios(paths: Sequence[Path], flows: Mapping[str, CallFlow]) -> list[Scenario]:
    """All scenarios in files and folders, by the names of their files.

    Args:
        paths: scenario files, and folders searched for `*.yaml`, with everything below them.
        flows: the flows that can answer, by id.

    Raises:
        FlowError: with every problem of every file.
        SettingsError: a path does not exist, or a folder holds no scenario.
    """
    problems: list[Problem] = []
    scenarios: list[Scenario] = []
    for path in scenario_files(paths):
        noted = ProblemList()
        text = read_text(path, noted)
        problems += noted.problems
        if text is None:
            continue
        try:
            scenario = read_scenario(text, str(path), flows)
        except FlowError as error:
            problems += error.problems
        else:
            scenarios.append(scenario)
    if any(problem.severity == "error" for problem in problems):
        raise FlowError(problems)
    return scenarios


def scenario_files(paths: Sequence[Path]) -> list[Path]:
    """The files meant by `paths`, each once, those of a folder in the order of their names.

    Raises:
        SettingsError: a path does not exist, or a folder holds no scenario.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise SettingsError(f"there is no file or folder {path}; name a scenario, or a folder with scenarios")
        if not path.is_dir():
            files[path] = None
            continue
        inside = sorted(
            file
            for file in path.rglob("*")
            if file.suffix in ENDINGS
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
            and not file.is_dir()
        )
        if not inside:
            raise SettingsError(f"the folder {path} holds no scenario; scenarios are files ending in .yaml")
        files |= dict.fromkeys(inside)
    return list(files)


def read_scenario(text: str, file: str, flows: Mapping[str, CallFlow]) -> Scenario:
    """Read one scenario.

    Args:
        text: what stands in the file.
        file: its name; sound files are looked for beside it.
        flows: the flows that can answer, by id.

    Raises:
        FlowError: with everything that is wrong with it.
    """
    problems = ProblemList(most=MOST_PROBLEMS)
    node = parse(text, file, problems, SCENARIO_FILE)
    if node is not None and not isinstance(node, Table):
        wrong(node, "a scenario", "scenario: a silent caller is asked twice", problems)
    if not isinstance(node, Table):
        raise FlowError(sorted(set(problems.problems)))
    form = g.SCENARIO_SPEC.read(node, node.where, problems)
    _check_stages(form, problems)
    flow = _flow(form, flows, problems)
    scenario = None if flow is None else _scenario(form, flow, text, file, problems)
    if scenario is None or problems.errors:
        raise FlowError(sorted(set(problems.problems)))
    return scenario


def _flow(form: Form, flows: Mapping[str, CallFlow], problems: ProblemList) -> CallFlow | None:
    name = form[g.FLOW]
    flow = flows.get(name.text)
    if flow is None and name:
        hint = did_you_mean(name.text, flows) or "there is no flow at all; name the folder with the flows"
        problems.error(name.where, f"there is no flow '{shortened(name.text)}'", hint)
    return flow


def _check_stages(form: Form, problems: ProblemList) -> None:
    """A scenario that is not played everywhere says why."""
    if form.wrote(g.ON) and not form.wrote(g.WHY):
        elsewhere = "the PBX" if form[g.ON] == "simulator" else "the simulator"
        problems.error(form.place(g.ON), f"'on' needs 'why': why not on {elsewhere} too?", f"write why: {g.WHY.shown}")
    if form.wrote(g.WHY) and not form.wrote(g.ON):
        problems.error(form.place(g.WHY), "'why' belongs to 'on', which is not there", "write on: simulator, or pbx")


def _scenario(form: Form, flow: CallFlow, text: str, file: str, problems: ProblemList) -> Scenario:
    naming = Naming.of(flow, problems)
    number = form[g.CALL]
    scripts = ScriptReader(naming, rule_pauses(flow), Path(file).absolute().parent)
    caller = scripts.caller(form[g.CALLER])
    called = _called(form, naming, scripts)
    look_ups = _look_ups(form, naming)
    agents = tuple(scripts.agent(written) for written in form[g.AGENTS_KEY])
    stage = form[g.ON]
    expect = _expectations(form, naming)
    scenario = Scenario(
        title=form[g.TITLE],
        file=file,
        text=text,
        about=_about(text),
        flow=flow,
        number=called.extension if called else naming.number(number) if number else next(iter(flow.numbers), ""),
        at=form[g.AT],
        proves=tuple(dict.fromkeys(rule for name in form[g.PROVES] if (rule := naming.rule(name)))),
        stages=(stage,) if stage else STAGES,
        why_not=form[g.WHY],
        background=form[g.CALLER_BACKGROUND],
        caller=caller,
        agents=agents,
        expect=expect,
        within=form[g.BOUND]
        if g.BOUND.name in form.values
        else longest_call(flow, caller, [*agents, *([called] if called else [])], expect.lasts),
        where=form.place(g.TITLE),
        called=called,
        look_ups=look_ups,
    )
    check_possible(scenario, naming, form.place(g.BOUND) if g.BOUND.name in form.values else None)
    return scenario


def _called(form: Form, naming: Naming, scripts: ScriptReader) -> AgentPart | None:
    """How the caller's telephone rings when the flow places the call."""
    flow, problems = naming.flow, naming.problems
    if not form.wrote(g.CALLED_KEY):
        if flow.places_calls and not flow.numbers:
            message = f"nobody can ring {flow.id}: it places calls"
            problems.error(form.place(g.FLOW), message, 'write called: {ring: 2s}, and call: "1002" for who is rung')
        return None
    where = form.place(g.CALLED_KEY)
    written = form[g.CALLED_KEY]
    if flow.places_calls is None:
        problems.error(where, f"the flow {flow.id} places no calls", "leave 'called' out")
        return None
    number = naming.rung_number(form[g.CALL], where)
    if written is None or not number:
        return None
    called = scripts.called(written, number, where)
    steps = form[g.CALLER]
    if called.manner != "answers" and steps:
        message = f"a caller whose telephone says '{written.word.name}' does nothing"
        problems.error(steps[0].where, message, "delete the steps, or write called: {ring: 2s}")
    if any(agent.extension.text == number for agent in form[g.AGENTS_KEY]):
        problems.error(where, "the number that is rung is an agent's extension too", "ring another one")
    return called


def _expectations(form: Form, naming: Naming) -> Expectations:
    section = form.place(g.EXPECT)
    written = form[g.EXPECT]
    verdicts: dict[str, ExpectedVerdict] = {}
    for name, judgement, where in written[g.VERDICTS]:
        rule = naming.rule(name)
        if rule in verdicts:
            message = f"the verdict of {rule} is given twice, first in line {verdicts[rule].where.line}"
            naming.problems.error(where, message, "keep one of them")
        elif rule:
            verdicts[rule] = ExpectedVerdict(judgement, where)
    outcome = written[g.OUTCOME]
    return Expectations(
        hung_up_first=written[g.HUNG_UP_FIRST],
        outcome=(naming.outcome(outcome) or None) if outcome else None,
        verdicts=verdicts,
        never_hear={key: name.where for name in written[g.NEVER_HEAR] if (key := naming.phrase(name))},
        heard_else=bool(written[g.HEARD_ELSE]),
        promises=_promises(written, naming),
        **_left_behind(written, naming),
        lasts=written[g.LASTS] if g.LASTS.name in written.values else None,
        places={key.name: written.places.get(key.name, section) for key in g.EXPECT_SPEC.keys},
    )


def _promises(written: Form, naming: Naming) -> dict[str, ExpectedPromise]:
    promises: dict[str, ExpectedPromise] = {}
    for name, time, where in written[g.PROMISES]:
        rule = naming.rule(name)
        known = naming.flow.standard.rules.get(rule.partition("/")[2]) if rule else None
        if known is not None and known.promise is None and not time.is_never:
            naming.problems.error(where, f"{naming.short(known.id)} promises nothing", "leave it out, or write never")
        elif rule in promises:
            message = f"the promise of {rule} is given twice, first in line {promises[rule].where.line}"
            naming.problems.error(where, message, "keep one of them")
        elif rule:
            promises[rule] = ExpectedPromise(time, where)
    return promises


class _LeftBehind(TypedDict):
    messages: dict[str, ExpectedMessage] | None
    scores: dict[str, ExpectedScore]
    callbacks: tuple[str, ...] | None


def _left_behind(written: Form, naming: Naming) -> _LeftBehind:
    steps = naming.flow.steps.values()
    boxes = {step.about for step in steps if isinstance(step, Record)}
    best = {step.survey: step.most for step in steps if isinstance(step, Score)}
    flows = {step.flow for step in steps if isinstance(step, CallBack)}
    scores: dict[str, ExpectedScore] = {}
    for name, given, where in written[g.SCORES_GIVEN]:
        survey = naming.one_of("survey", name, best)
        if survey and given.score is not None and not 0 <= given.score <= best[survey]:
            naming.problems.error(
                where, f"the best score of {survey} is {best[survey]}", f"write {best[survey]} or less"
            )
        elif survey:
            scores[survey] = ExpectedScore(given.score, where)
    return {
        "messages": {
            box: ExpectedMessage(length.band, where)
            for name, length, where in written[g.MESSAGES_LEFT]
            if (box := naming.one_of("message box", name, boxes))
        }
        if written.wrote(g.MESSAGES_LEFT)
        else None,
        "scores": scores,
        "callbacks": tuple(
            flow for name in written[g.CALLBACKS_ORDERED] if (flow := naming.one_of("callback by", name, flows))
        )
        if written.wrote(g.CALLBACKS_ORDERED)
        else None,
    }


def _look_ups(form: Form, naming: Naming) -> dict[str, OtherSide]:
    asks = {step.name: step for step in naming.flow.steps.values() if isinstance(step, Ask)}
    found: dict[str, OtherSide] = {}
    for written in form[g.LOOK_UPS_KEY]:
        name = naming.one_of("look-up", written.step, asks)
        if not name:
            continue
        step = asks[name]
        asked = {*step.learns.values(), *([step.field] if step.field else [])}
        answer: dict[str, str] = {}
        for field, value in written.form[n.ANSWERS]:
            if field.text in asked:
                answer[field.text] = value.text
            else:
                hint = did_you_mean(field.text, asked) if asked else "it asks for no field"
                naming.problems.error(field.where, f"{name} does not ask for '{shortened(field.text)}'", hint)
        ending: n.Ending = written.form[n.ENDS] if written.form.wrote(n.ENDS) else "answers"
        found[name] = OtherSide(ending, written.where, written.form[n.AFTER], answer)
    return found


def _about(text: str) -> tuple[str, ...]:
    """The comment lines at the head of a file, without their marks; the one for editors is none."""
    lines: list[str] = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith(SCHEMA_LINE):
            continue
        if line.startswith("#"):
            lines.append(line.removeprefix("#").strip())
        elif lines:
            break
    return tuple(lines)
