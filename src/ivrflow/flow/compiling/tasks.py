"""Tasks of the standard that have a wording after all: the flow says which phrase, and ivrflow speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ivrflow.flow.compiling.names import Names
from ivrflow.flow.problems import ProblemList, did_you_mean
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.reader import NAME_PATTERN, PHRASE, Kind, Named, check_name, wrong
from ivrflow.flow.reading.source import Node, Table

_EXAMPLE = "{remind_caller_still_waiting: hold_request.alt1}"

TaskTable: TypeAlias = tuple[tuple[Named, Named], ...]
"""Tasks and the phrases that fulfil them."""


def _read_task_table(node: Node, problems: ProblemList) -> TaskTable | None:
    if not isinstance(node, Table):
        wrong(node, "a table of tasks and phrases", _EXAMPLE, problems)
        return None
    return tuple(
        (Named(entry.key.text, entry.key.where), phrase)
        for entry in node.entries
        if check_name(entry.key, "a task", problems) and (phrase := PHRASE.read(entry.value, problems)) is not None
    )


TASK_TABLE: Kind[TaskTable] = Kind(
    "a table of tasks and phrases", _EXAMPLE, (), _read_task_table, schema=js.table_of(PHRASE.schema, NAME_PATTERN)
)


def spoken_tasks(table: TaskTable, names: Names) -> Mapping[str, str]:
    """Phrase key per task, every task and phrase checked."""
    standard = names.standard
    rungs = [rung for rule in standard.rules.values() for rung in rule.rungs if rung.task] if standard else []
    known = {rung.task for rung in rungs if rung.task}
    timed = {rung.task: rung.wait for rung in rungs if rung.wait}
    spoken: dict[str, str] = {}
    for task, phrase in table:
        if standard and task.text not in known:
            message = f"no rule of {standard.id} asks for '{task.text}'"
            names.problems.error(task.where, message, did_you_mean(task.text, known))
        elif task.text in timed:
            message = f"{names.standard_id} gives '{task.text}' a time; a phrase takes its own"
            names.problems.error(task.where, message, "delete this line: the agent does it")
        key = names.phrase(phrase)
        if key:
            spoken[task.text] = key
    return spoken
