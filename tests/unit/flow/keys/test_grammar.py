import pytest

from ivrflow.flow.keys import (
    agents,
    call_steps,
    grammar,
    look_ups,
    queueing,
    standard,
    step_keys,
    what_callers_leave,
)
from ivrflow.flow.keys.grammar import STEP_KINDS
from ivrflow.flow.keys.step_keys import StepKind
from ivrflow.flow.model import Limits
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.forms import Key
from ivrflow.flow.reading.reader import NOWHERE
from ivrflow.flow.reading.source import Table, parse

MODULES = (grammar, standard, step_keys, call_steps, queueing, what_callers_leave, look_ups, agents)
KEYS = sorted(
    {id(key): key for module in MODULES for key in vars(module).values() if isinstance(key, Key)}.values(),
    key=lambda key: key.name,
)


@pytest.mark.parametrize("key", [key for key in KEYS if key.default is not None], ids=lambda key: key.name)
def test_every_default_is_something_its_author_could_write(key: Key[object]) -> None:
    assert key.unwritten is not None


@pytest.mark.parametrize("key", [key for key in KEYS if "…" not in key.shown], ids=lambda key: key.name)
def test_every_example_is_something_its_author_could_write(key: Key[object]) -> None:
    problems = ProblemList()
    node = parse(key.shown, "example", problems)
    assert node is not None

    value = key.kind.read(node, problems)

    assert problems.problems == []
    assert value is not None


@pytest.mark.parametrize("kind", STEP_KINDS, ids=lambda kind: kind.main.name)
def test_every_step_example_reads_without_a_problem(kind: StepKind) -> None:
    problems = ProblemList()
    table = parse(kind.example, "example", problems)
    assert isinstance(table, Table)

    kind.spec.read(table, table.where, problems)

    assert problems.problems == []


def test_limits_default_to_the_models() -> None:
    problems = ProblemList()
    empty = grammar.LIMITS_SPEC.read(Table((), NOWHERE), NOWHERE, problems)

    model = Limits()

    assert {key.name: empty[key] for key in grammar.LIMITS_SPEC.keys} == {
        "call_length": model.call_length,
        "visits_per_step": model.visits_per_step,
        "steps_per_event": model.steps_per_event,
        "task_wait": model.task_wait,
        "hold_wait": model.hold_wait,
        "own_wait": model.own_wait,
        "tolerance": model.tolerance,
        "rounds": model.rounds,
        "silence": 0.0,
        "task_silence": 0.0,
        "to_human": 0.0,
        "nobody_at": (),
    }


def test_steps_are_told_apart_by_one_key_only() -> None:
    mains = [kind.main.name for kind in STEP_KINDS]

    others = {key.name for kind in STEP_KINDS for key in kind.keys}

    assert len(set(mains)) == len(mains)
    assert not others & set(mains)
