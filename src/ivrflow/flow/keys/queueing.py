"""The queue step: waiting for an agent, with announcements of the flow's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivrflow.flow import notations
from ivrflow.flow.keys.step_keys import AGENT_LEFT, KEY, TALK_FOR, StepKind
from ivrflow.flow.model import LONGEST_QUEUEING_S
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading import json_schema as js
from ivrflow.flow.reading.forms import FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import (
    LONGEST_NAME,
    NOBODY,
    PHRASES,
    STEP,
    Kind,
    Named,
    from_text,
    one_or_more,
    wrong,
)
from ivrflow.flow.reading.source import Items, Node, Table, Text
from ivrflow.flow.reading.syntax import full_width_hint, shortened
from ivrflow.flow.reading.times import DAY_S, count, duration


def _read_queue_name(text: Text, problems: ProblemList) -> Named | None:
    if notations.QUEUE.fullmatch(text.text):
        return Named(text.text, text.where)
    problems.error(text.where, *_why_no_queue(text.text))
    return None


def _why_no_queue(written: str) -> tuple[str, str]:
    """What is wrong with the name, and what to write."""
    better = re.sub(r"[^a-z0-9_-]+", "_", written.lower()).strip("_-")[:LONGEST_NAME]
    if better == "general":
        message = f"'{shortened(written)}' cannot be a queue: on the PBX it is the name of the settings of all queues"
        return message, "write the queue's own name on the PBX: agents, seniors or one of yours"
    message = f"'{shortened(written)}' cannot be a queue: a small letter, then small letters, digits, '_' and '-'"
    if len(better) == 1:
        message = f"'{shortened(written)}' cannot be a queue: two characters at least"
    if hint := full_width_hint(written):
        return message, hint
    if notations.QUEUE.fullmatch(better) and better != written:
        return message, f"write '{better}', and call it so on the PBX"
    return message, "write its name on the PBX: agents"


QUEUE_NAME: Kind[Named] = from_text(
    "a queue", "agents", NOBODY, _read_queue_name, schema=js.text_like(notations.QUEUE.pattern, LONGEST_NAME)
)

# ── levels ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LEVEL_QUEUE = Key("queue", QUEUE_NAME, "the queue that is asked", required=True)
LEVEL_AFTER = Key(
    "after",
    duration(1.0, DAY_S, "30s"),
    "how long the caller has waited when this queue is asked instead of the one before; the first one has none",
)
LEVEL_SPEC = FormSpec("a level", (LEVEL_QUEUE, LEVEL_AFTER))


@dataclass(frozen=True, slots=True)
class Level:
    """A queue, and from which second of waiting on it is asked."""

    where: Location
    queue: Named
    after: float


Levels = tuple[Level, ...]


def _read_levels(node: Node, problems: ProblemList) -> Levels | None:
    if isinstance(node, Text):
        name = QUEUE_NAME.read(node, problems)
        return None if name is None else (Level(node.where, name, 0.0),)
    if not isinstance(node, Items) or not node.items:
        wrong(node, "a queue, or a list of them", _LEVELS_EXAMPLE, problems)
        return None
    before = len(problems.errors)
    levels: list[Level] = []
    for position, item in enumerate(node.items):
        level = _read_level(item, levels[-1] if position and levels else None, problems, is_first=position == 0)
        if level is not None:
            levels.append(level)
    return tuple(levels) if len(problems.errors) == before else None


def _read_level(item: Node, before: Level | None, problems: ProblemList, *, is_first: bool) -> Level | None:
    if not isinstance(item, Table):
        wrong(item, "a queue and after how long it is asked", "{queue: seniors, after: 30s}", problems)
        return None
    form = LEVEL_SPEC.read(item, item.where, problems)
    wrote = form.wrote(LEVEL_AFTER)
    if is_first and wrote:
        hint = "delete 'after'; later ones have it"
        problems.error(form.place(LEVEL_AFTER), "the first queue is asked from the beginning", hint)
    elif not is_first and not wrote:
        hint = "write after: 30s, the seconds the caller has waited by then"
        problems.error(item.where, "nothing says when this queue is asked", hint)
    elif before is not None and LEVEL_AFTER.name in form.values and form[LEVEL_AFTER] <= before.after:
        message = "this queue is asked no later than the one before it"
        problems.error(form.place(LEVEL_AFTER), message, "write them in the order in which they are asked")
    if LEVEL_QUEUE.name not in form.values:
        return None
    if before is not None and form[LEVEL_QUEUE].text == before.queue.text:
        message = f"'{before.queue.text}' is asked already"
        problems.error(form.place(LEVEL_QUEUE), message, "name another queue, or delete this level")
    return Level(item.where, form[LEVEL_QUEUE], form[LEVEL_AFTER])


_LEVELS_EXAMPLE = "[{queue: agents}, {queue: seniors, after: 30s}]"
LEVELS: Kind[Levels] = Kind(
    "a queue, or a list of queues",
    _LEVELS_EXAMPLE,
    (),
    _read_levels,
    schema={"anyOf": [QUEUE_NAME.schema, js.list_of(LEVEL_SPEC.schema, may_be_empty=False)]},
)

# ── announcements ─────────────────────────────────────────────────────────────────────────────────────────────────────

_PAUSE = duration(2.0, 3600.0, "30s")
AFTER = Key(
    "after",
    _PAUSE,
    "how much music comes before it, counted from the end of what was said before; it is said once",
    required=True,
    unless="every",
    example="10s",
)
EVERY = Key(
    "every",
    _PAUSE,
    "the same, and then again and again: announcements with `every` come last and go round until an agent answers",
)
ANNOUNCEMENT_SAY = Key("say", PHRASES, "what is said", required=True, example="house/queue.please_wait")
ANNOUNCEMENT_SPEC = FormSpec("an announcement", (AFTER, EVERY, ANNOUNCEMENT_SAY))

# ── the step ──────────────────────────────────────────────────────────────────────────────────────────────────────────

QUEUE = Key(
    "queue",
    LEVELS,
    "the queue of the PBX that finds the agent; or a list: who is asked first, and whom instead after how long",
    required=True,
    example="agents",
)
QUEUE_ANNOUNCE = Key("announce", PHRASES, "said before the caller begins to wait", example="house/queue.joining")
ANNOUNCEMENTS = Key(
    "announcements",
    one_or_more(form_kind(ANNOUNCEMENT_SPEC, "{after: 10s, say: house/queue.please_wait}"), "announcements"),
    "what is said while waiting, one after the other, with music in between",
    example="[{after: 10s, say: house/queue.please_wait}, {every: 30s, say: house/queue.still_busy}]",
)
QUEUE_AT_MOST = Key("at_most", duration(1.0, LONGEST_QUEUEING_S, "3m"), "how long the caller may wait", required=True)
PRIORITY = Key("priority", count(0, 100, "5"), "callers of a greater one are served first", default="0")
OVER = Key("over", duration(0.0, 3600.0, "60s"), "only said to a caller who waited longer than this", default="0s")
THANKS_SAY = Key("say", PHRASES, "what is said", required=True, example="house/queue.thanks")
THANKS_SPEC = FormSpec("'thanks'", (OVER, THANKS_SAY))
THANKS = Key(
    "thanks",
    form_kind(THANKS_SPEC, "{over: 60s, say: house/queue.thanks}"),
    "said to the caller who waited, and to the agent too, before they are joined",
)
QUEUE_NO_ANSWER = Key(
    "no_answer", STEP, "step when the caller waited as long as `at_most`", required=True, example="leave_message"
)
QUEUE_NOBODY = Key(
    "nobody",
    STEP,
    "step when no agent is logged in, or all are paused; without it as `no_answer`",
    example="leave_message",
)
QUEUE_FULL = Key(
    "full", STEP, "step when the queue takes nobody else; without it as `no_answer`", example="call_me_back"
)
QUEUE_EXITS = FormSpec("'on' of a queue step", (AGENT_LEFT, QUEUE_NO_ANSWER, QUEUE_NOBODY, QUEUE_FULL, KEY))
QUEUE_ON = Key(
    "on",
    form_kind(QUEUE_EXITS, "{agent_left: farewell, no_answer: leave_message, key: {1: leave_message}}"),
    "where it leads; `key` holds at every moment of waiting",
    required=True,
)
QUEUE_STEP = StepKind(
    "a queue step",
    "Wait for an agent: the PBX's queue finds one (who, in which order, how long each telephone rings), and this step says"
    " what the caller hears meanwhile, who is asked next, and for how long.",
    QUEUE,
    (QUEUE_ANNOUNCE, ANNOUNCEMENTS, QUEUE_AT_MOST, PRIORITY, THANKS, TALK_FOR, QUEUE_ON),
    "queue: [{queue: agents}, {queue: seniors, after: 45s}]\nannounce: house/queue.joining\nannouncements:\n"
    "  - {after: 10s, say: house/queue.please_wait}\n  - {after: 30s, say: house/queue.still_busy}\n"
    "  - {every: 30s, say: [house/queue.long_wait, house/queue.position]}\nat_most: 3m\n"
    "thanks: {over: 60s, say: house/queue.thanks}\ntalk_for: 25m\n"
    "on:\n  agent_left: farewell\n  no_answer: leave_message\n  full: call_me_back\n"
    "  key: {1: leave_message, 2: call_me_back}",
    QUEUE_EXITS,
)
