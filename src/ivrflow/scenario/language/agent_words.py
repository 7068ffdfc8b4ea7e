"""The words of an agent's telephone: whose calls it takes, how it rings, then the words of a script."""

from __future__ import annotations

from dataclasses import dataclass

from ivrflow.flow import notations
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import Form, FormSpec, Key
from ivrflow.flow.reading.reader import NOBODY, Kind, Named, name_of, one_or_more, wrong
from ivrflow.flow.reading.source import Items, Node, Table, Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import duration
from ivrflow.scenario.language.step_words import (
    STEP_WORDS,
    Script,
    StepWord,
    WrittenStep,
    item_schema,
    read_item,
    read_steps,
    short_form,
)

QUEUES = Key(
    "name",
    one_or_more(name_of("a queue", "service"), "queues"),
    "the queue, or several",
    required=True,
    example="service",
)
_MOMENT = duration(0.0, 3600.0, "12s")
LOGS_IN = Key("logs_in", _MOMENT, "logs in so long after the caller's call was answered; without it before the call")
LOGS_OUT = Key("logs_out", _MOMENT, "logs out so long after that; without it when the call is over", example="30s")
PAUSES = Key("pauses", _MOMENT, "pauses so long after that; `0s` is before the call", example="0s")
BACK = Key("back", _MOMENT, "takes the pause back so long after that", example="20s")
QUEUE_SPEC = FormSpec("'queue'", (QUEUES, LOGS_IN, LOGS_OUT, PAUSES, BACK))
IN_QUEUE = StepWord(
    "queue",
    short_form(QUEUE_SPEC, QUEUES, "a queue", "service"),
    "the agent takes the calls of this queue: logs in before the call, and out after it",
    spec=QUEUE_SPEC,
)

ANSWER_AFTER = duration(0.0, 600.0, "2s")
RINGS = StepWord("ring", ANSWER_AFTER, "it rings for so long, then the agent answers")
ANSWERS = StepWord("answers", None, "the agent answers at once", alone=True)
BUSY = StepWord("busy", ANSWER_AFTER, "the line is busy, at once or after so long", alone=True)
DECLINES = StepWord("declines", ANSWER_AFTER, "the agent refuses the call, at once or after so long", alone=True)
RINGS_ON = StepWord("rings_on", None, "nobody answers", alone=True)
UNREACHABLE = StepWord("unreachable", None, "the telephone is not there", alone=True)

MANNERS: tuple[StepWord, ...] = (RINGS, ANSWERS, BUSY, DECLINES, RINGS_ON, UNREACHABLE)


@dataclass(frozen=True, slots=True)
class WrittenAgent:
    """What stands below an extension: whose calls it takes, how it rings, then what the agent does."""

    extension: Named
    where: Location
    manner: WrittenStep
    steps: Script
    queue: Form | None = None


def _read_agents(node: Node, problems: ProblemList) -> tuple[WrittenAgent, ...] | None:
    if not isinstance(node, Table) or not node.entries:
        wrong(node, "a table of extensions", '{"1001": [ring: 2s, hang_up]}', problems)
        return None
    agents: list[WrittenAgent] = []
    for entry in node.entries:
        extension = Named(entry.key.text, entry.key.where)
        if not notations.EXTENSION.fullmatch(entry.key.text):
            hint = full_width_hint(entry.key.text) or 'write its digits in quotes, for example "1001"'
            problems.error(entry.key.where, f"'{shortened(entry.key.text)}' is no extension", hint)
            extension = NOBODY
        items = entry.value.items if isinstance(entry.value, Items) else (entry.value,)
        if not items or (isinstance(entry.value, Text) and not entry.value.text):
            problems.error(entry.key.where, "what this agent does is missing", f"begin with {RINGS.shown}")
            continue
        queue = read_item(items[0], (IN_QUEUE,), "", problems) if _begins_with(items[0], IN_QUEUE) else None
        if _begins_with(items[0], IN_QUEUE):
            items = items[1:]
        if not items:
            problems.error(entry.key.where, "how this telephone rings is missing", _RINGS_HINT)
            continue
        manner = _read_manner(items[0], problems)
        steps = read_steps(items[1:], problems)
        if manner is not None:
            agents.append(
                WrittenAgent(extension, entry.key.where, manner, steps, None if queue is None else queue.value)
            )
    return tuple(agents)


def _begins_with(node: Node, word: StepWord) -> bool:
    first = node.entries[0].key if isinstance(node, Table) and node.entries else node
    return isinstance(first, Text) and first.text == word.name


_RINGS_HINT = f"begin with {RINGS.shown}, or with {', '.join(word.name for word in MANNERS[1:])}"


def _read_manner(node: Node, problems: ProblemList) -> WrittenStep | None:
    first = node.entries[0].key if isinstance(node, Table) and node.entries else node
    if isinstance(first, Text) and first.text in {word.name for word in STEP_WORDS}:
        problems.error(first.where, "how this telephone rings is missing", _RINGS_HINT)
        return None
    return read_item(node, MANNERS, "how a telephone rings", problems)


MANNER_SCHEMA = item_schema(MANNERS)
QUEUE_SCHEMA = item_schema((IN_QUEUE,))
_AGENT_LISTS: tuple[js.Schema, ...] = tuple(
    {
        "type": "array",
        "prefixItems": [{"$ref": f"#/$defs/{name}"} for name in first],
        "items": {"$ref": "#/$defs/step"},
        "minItems": len(first),
    }
    for first in (("manner",), ("queue", "manner"))
)
_AGENT_SCHEMA: js.Schema = {"anyOf": [{"$ref": "#/$defs/manner"}, *_AGENT_LISTS]}


def _read_called(node: Node, problems: ProblemList) -> WrittenStep | None:
    if isinstance(node, Items):
        wrong(node, "how a telephone rings", "{ring: 2s}", problems)
        return None
    return _read_manner(node, problems)


CALLED: Kind[WrittenStep | None] = Kind("how a telephone rings", "{ring: 2s}", None, _read_called)

AGENTS: Kind[tuple[WrittenAgent, ...]] = Kind(
    "a table of extensions",
    '{"1001": [ring: 2s, hang_up]}',
    (),
    _read_agents,
    schema=js.table_of(_AGENT_SCHEMA, notations.EXTENSION.pattern, may_be_empty=False),
)
