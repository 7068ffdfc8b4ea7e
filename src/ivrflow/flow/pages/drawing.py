"""A flow as a Mermaid flowchart: what is said, how long is waited, and where each thing a caller does leads.

Mermaid is read by GitHub, GitLab, most wikis and mermaid.live; nothing has to be installed to look at a flow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import assert_never

from ivrflow.flow.compiling.routes import Exit, exits
from ivrflow.flow.model import (
    HANG_UP,
    RETURN,
    WHEN,
    Ask,
    CallBack,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Keep,
    Ladder,
    Menu,
    Phrase,
    PlayBack,
    Queue,
    Record,
    Say,
    Score,
    Step,
    Transfer,
    Window,
)
from ivrflow.flow.reading.times import written, written_days, written_minute

_SHOWN_OF_PHRASE = 22
_CODES_SHOWN = 6
_S_PER_H = 3600.0
_LOOKALIKES = str.maketrans('"<>&`\\;%', "”‹›＆ʼ＼；％")
"""Signs with a meaning of their own in Mermaid. Its own escapes (`#quot;`) fall apart where it wraps a line."""


def draw_flow(flow: CallFlow) -> str:
    """The flow as Mermaid text; the same flow always gives the same text."""
    lines = ["---", f"title: {json.dumps(flow.title, ensure_ascii=False)}", "---", "flowchart TD"]
    lines.append(f"  caller([{_quoted([', '.join(flow.numbers) or flow.id])}]) --> {_id(flow.start)}")
    reachable = _reachable(flow)
    for name, step in flow.steps.items():
        if name in reachable:
            opening, closing = _shape(step)
            lines.append(f"  {_id(name)}{opening}{_quoted(_words(step, flow.phrases))}{closing}")
    for name, step in flow.steps.items():
        if name in reachable:
            lines += _edges(step)
    lines += _agents(flow)
    lines += _situations(flow)
    return "\n".join(lines) + "\n"


def _reachable(flow: CallFlow) -> set[str]:
    """All steps but the built-in `hang_up` when nothing leads to it."""
    led_to = {way.target for step in flow.steps.values() for way in exits(step)} | set(flow.outcomes.values())
    return set(flow.steps) if HANG_UP in led_to | {flow.start} else set(flow.steps) - {HANG_UP}


def _id(step: str) -> str:
    """Plain names like 'end' or 'style' are words of Mermaid, and a dot means something there."""
    return f"step_{step.replace('.', '-')}"


def _escaped(text: str) -> str:
    return " ".join(text.split()).translate(_LOOKALIKES)


def _quoted(lines: Iterable[str]) -> str:
    return '"' + "<br/>".join(_escaped(line) for line in lines if line) + '"'


def _shape(step: Step) -> tuple[str, str]:
    match step:
        case Say():
            return "[", "]"
        case Climb():
            return "[[", "]]"
        case Menu():
            return "{{", "}}"
        case Collect():
            return "[/", "/]"
        case Hours():
            return "{", "}"
        case Transfer():
            return "([", "])"
        case Queue():
            return "([", "])"
        case Record() | PlayBack():
            return "[/", "/]"
        case Keep() | Score() | CallBack() | Ask():
            return "[(", ")]"
        case Close():
            return "(", ")"
        case HangUp():
            return "((", "))"
        case _:
            assert_never(step)


# ── what a step does ──────────────────────────────────────────────────────────────────────────────────────────────────


def _words(step: Step, phrases: Mapping[str, Phrase]) -> list[str]:
    """The step's name, what it says and how long it waits, line by line."""
    match step:
        case Say():
            said = _rungs(step.ladder, phrases)
        case Climb():
            said = [f"ladder {step.ladder.name}", *_rungs(step.ladder, phrases)]
        case Menu():
            said = [
                _phrase(step.ladder.rungs[0].say, phrases),
                f"wait {_times(len(step.ladder.rungs), step.ladder.rungs[0].wait)}",
            ]
        case Collect():
            digits = str(step.most) if step.least == step.most else f"{step.least}-{step.most}"
            ending = f", ends with {step.end_key}" if step.end_key else ""
            waits = f"first {written(step.first_digit)}, then {written(step.inter_digit)} each"
            said = [_phrase(step.ask, phrases), f"{digits} digits{ending}", waits]
        case Hours():
            said = ["which time is it?"]
        case Transfer():
            announced = [_phrase(key, phrases) for key in step.announce]
            said = [
                *announced,
                f"ring {step.extension} for {written(step.ring_for)}",
                f"talk up to {written(step.talk_for)}",
                "the agent stays until somebody answers" if step.warm else "",
            ]
        case Queue() | Record() | PlayBack() | Keep() | Score() | CallBack() | Ask():
            said = _services(step, phrases)
        case Close():
            reminder = [_phrase(step.reminder, phrases), f"wait {written(step.guard)}"] if step.reminder else []
            guard = f"caller hangs up first, within {written(step.guard)}"
            said = [*_rungs(step.ladder, phrases), guard, *reminder, "then hang up"]
        case HangUp():
            said = ["" if step.outcome == "hung_up" else step.outcome]
        case _:
            assert_never(step)
    return [step.name.replace("_", " ").replace(".", ": "), *said]


def _services(
    step: Queue | Record | PlayBack | Keep | Score | CallBack | Ask, phrases: Mapping[str, Phrase]
) -> list[str]:
    """What somebody or something else than the caller does in the step."""
    match step:
        case Queue():
            asked = [
                f"from {written(level.after)} on: queue {level.queue}" if level.after else f"queue {level.queue}"
                for level in step.levels
            ]
            thanks = [_phrase(key, phrases) for key in step.thanks]
            return [
                *(_phrase(key, phrases) for key in step.announce),
                *asked,
                *_rungs(step.ladder, phrases),
                f"wait up to {written(step.most)}",
                *([f"waited over {written(step.thanks_over)}: {' '.join(thanks)}"] if thanks else []),
                f"talk up to {written(step.talk_for)}",
            ]
        case Record():
            ending = f", ends with {step.end_key}" if step.end_key else ""
            asked = [_phrase(key, phrases) for key in step.ask]
            bounds = f"{written(step.most)} at most, until {written(step.silence)} of silence{ending}"
            return [*asked, f"message for {step.about}: {bounds}"]
        case PlayBack():
            return ["plays the message"]
        case Keep():
            return ["keeps the message"]
        case Score():
            return [f"{step.survey}: {step.score} of {step.most}"]
        case CallBack():
            whom = "the number keyed in" if step.number else "the number the caller rings from"
            bounds = (
                f"within {written(step.within_h * _S_PER_H)}, {'1 try' if step.tries == 1 else f'{step.tries} tries'}"
            )
            return [f"orders a call to {whom}", f"by {step.flow}, {bounds}"]
        case Ask():
            filler = [f"after {written(step.filler_after)}: {' '.join(_phrase(key, phrases) for key in step.filler)}"]
            return [f"asks {step.url}", *(filler if step.filler else []), f"waits up to {written(step.most)}"]
        case _:
            assert_never(step)


def _rungs(ladder: Ladder, phrases: Mapping[str, Phrase]) -> list[str]:
    lines: list[str] = []
    for rung in ladder.rungs:
        doing = _phrase(rung.say, phrases) if rung.say else (rung.task or "").replace("_", " ")
        doing = doing or ("music" if rung.wait > 0 else "")
        lines.append(doing + (f" · {written(rung.wait)}" if rung.wait > 0 else ""))
    return lines


def _phrase(key: str | None, phrases: Mapping[str, Phrase]) -> str:
    if key and key.startswith(f"{WHEN}/"):
        return key
    text = phrases[key].text if key else ""
    return f"“{text if len(text) <= _SHOWN_OF_PHRASE else text[: _SHOWN_OF_PHRASE - 1] + '…'}”"


def _times(count: int, seconds: float) -> str:
    return written(seconds) if count == 1 else f"{count} × {written(seconds)}"


# ── where it leads ────────────────────────────────────────────────────────────────────────────────────────────────────


def _edges(step: Step) -> list[str]:
    """One arrow per step led to, labelled with everything that leads there."""
    labels: dict[str, list[str]] = {}
    for index, way in enumerate(exits(step)):
        labels.setdefault(way.target, []).append(_label(step, way, index))
    return [f"  {_id(step.name)} -->{_edge_label(words)} {_id(target)}" for target, words in labels.items()]


def _edge_label(words: list[str]) -> str:
    said = list(dict.fromkeys(word for word in words if word))
    return f"|{_quoted([', '.join(said)])}|" if said else ""


_SAID: Mapping[tuple[type[Step], str], str] = {
    (Climb, "used_up"): "silent to the end",
    (Menu, "no_input"): "no key",
    (Collect, "no_input"): "no key",
    (Collect, "done"): "all digits",
    (Collect, "incomplete"): "too few digits",
    (Transfer, "agent_left"): "agent hangs up",
    (Queue, "agent_left"): "agent hangs up",
    (Queue, "no_answer"): "waited long enough",
    (Queue, "nobody"): "no agent there",
    (Queue, "full"): "queue is full",
    (Record, "done"): "a message",
    (Ask, "done"): "an answer",
    (Ask, "late"): "no answer in time",
    (Ask, "wrong"): "an answer that makes no sense",
    (Ask, "failed"): "nobody to ask",
    (Close, "request"): "has a request",
    (Close, "survey"): "talked with an agent",
}
"""What is written on an arrow where the way's own word says too little."""


def _label(step: Step, way: Exit, index: int) -> str:
    match step, way.word:
        case Hours(windows=windows), "window":
            return _window(windows[index])
        case Ask(cases=cases), "case":
            return list(cases)[index]
        case _, "then":
            return ""
        case _, "speech":
            return "speaks"
        case _, "key":
            return "key " + " ".join(way.keys)
        case Menu(invalid_repeats=repeats), "invalid":
            return f"more than {repeats} wrong keys" if repeats else "a wrong key"
        case _, word:
            return _SAID.get((type(step), word), word.replace("_", " "))


def _window(window: Window) -> str:
    return f"{written_days(window.days)} {written_minute(window.opens)}-{written_minute(window.closes)}"


def _agents(flow: CallFlow) -> list[str]:
    """What agents can do in a talk, and where they can send callers."""
    agents = flow.agents
    if not (agents.hold or agents.transfers or agents.codes):
        return []
    starting = [f"{code}: {order.name}" for code, order in agents.codes.items() if order.kind == "situation"]
    if len(starting) > _CODES_SHOWN:
        starting = [f"{len(starting)} codes start situations"]
    node = ["agents in a talk", f"hold: {agents.hold}" if agents.hold else "", *starting]
    keyed: dict[str, list[str]] = {target: [] for target in agents.transfers}
    for code, order in agents.codes.items():
        if order.kind == "transfer":
            keyed[order.name].append(code)
        elif order.kind != "situation":
            node.append(f"{code}: {order.kind}")
    lines = [f"  agents[/{_quoted(line.replace('_', ' ') for line in node)}\\]"]
    return lines + [f"  agents -.->{_edge_label(codes)} {_id(target)}" for target, codes in keyed.items()]


def _situations(flow: CallFlow) -> list[str]:
    """Where the situations of the standard lead when somebody starts one by name."""
    if not flow.situations:
        return []
    targets: dict[str, list[str]] = {}
    for word, target in flow.outcomes.items():
        targets.setdefault(target, []).append(word.replace("_", " "))
    back = targets.pop(RETURN, [])
    node = [
        f"{len(flow.situations)} situations of {flow.standard.id}",
        f"back after: {', '.join(back)}" if back else "",
    ]
    lines = [f"  situations[/{_quoted(node)}\\]"]
    lines += [f"  situations -.->|{_quoted([', '.join(words)])}| {_id(target)}" for target, words in targets.items()]
    for situation, leaves in flow.leaves.items():
        for word, target in leaves.items():
            if target != RETURN:
                label = f"{situation}: {word}".replace("_", " ")
                lines.append(f"  situations -.->|{_quoted([label])}| {_id(target)}")
    return lines
