"""One call as people read it: what was heard and done at which second, on which rule, and the verdict per rule.

The same picture for a stored call, a simulated one and the self-check. `timeline` only arranges; `show` prints it,
in colour on a terminal and as plain text elsewhere. The marks are plain ASCII on purpose: a terminal set up for
Chinese draws many of the prettier ones two columns wide, and the columns would no longer stand in line.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Collection, Sequence
from typing import assert_never

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from ivrflow.engine.trace import AGENT_GONE, Fact, Judgement, TraceLine, Verdict, WaitSeen

WIDTH = 100
"""Columns of the picture where no terminal says otherwise."""

_SPEAKING, _CALLER, _WAITING, _AGENT, _TROUBLE, _PLAIN = ">", "<", "~", "@", "!", ""

_MARKS = {
    Fact.ARRIVED: _CALLER,
    Fact.ORDERED: _CALLER,
    Fact.NOT_PLACED: _TROUBLE,
    Fact.DIALLING: _PLAIN,
    Fact.NOT_ANSWERED: _CALLER,
    Fact.ANSWERED: _PLAIN,
    Fact.STEP_ENTERED: _PLAIN,
    Fact.LADDER_BEGUN: _PLAIN,
    Fact.PHRASE_STARTED: _SPEAKING,
    Fact.PHRASE_ENDED: _PLAIN,
    Fact.WAIT_BEGUN: _WAITING,
    Fact.WAIT_USED_UP: _WAITING,
    Fact.LADDER_LEFT: _PLAIN,
    Fact.LADDER_USED_UP: _PLAIN,
    Fact.LADDER_PAUSED: _PLAIN,
    Fact.KEY_PRESSED: _CALLER,
    Fact.DIGITS_COLLECTED: _CALLER,
    Fact.SPEECH_STARTED: _CALLER,
    Fact.SPEECH_ENDED: _CALLER,
    Fact.SIGNAL_GIVEN: _CALLER,
    Fact.TASK_ASKED: _AGENT,
    Fact.TASK_DONE: _AGENT,
    Fact.HOLD_BEGUN: _WAITING,
    Fact.HOLD_OVER: _WAITING,
    Fact.RINGING: _AGENT,
    Fact.AGENT_ANSWERED: _AGENT,
    Fact.AGENT_UNAVAILABLE: _AGENT,
    Fact.AGENT_LEFT: _AGENT,
    Fact.QUEUED: _WAITING,
    Fact.QUEUE_MOVED: _WAITING,
    Fact.LEVEL_RAISED: _WAITING,
    Fact.LEVEL_KEPT: _WAITING,
    Fact.AGENT_HOLDS: _AGENT,
    Fact.AGENT_BACK: _AGENT,
    Fact.PARTED: _AGENT,
    Fact.JOINED: _AGENT,
    Fact.ORDER_GIVEN: _AGENT,
    Fact.RECORDING: _PLAIN,
    Fact.MESSAGE_RECORDED: _CALLER,
    Fact.MESSAGE_KEPT: _PLAIN,
    Fact.SCORED: _CALLER,
    Fact.CALLBACK_ORDERED: _PLAIN,
    Fact.ENQUIRED: _WAITING,
    Fact.ENQUIRY_OVER: _WAITING,
    Fact.SITUATION_STARTED: _PLAIN,
    Fact.SITUATION_FOLLOWED: _PLAIN,
    Fact.SITUATION_OVER: _PLAIN,
    Fact.PROMISE_MADE: _AGENT,
    Fact.PROMISE_JOINED: _AGENT,
    Fact.HEARING_LOST: _TROUBLE,
    Fact.HEARING_RESTORED: _TROUBLE,
    Fact.LIMIT_REACHED: _TROUBLE,
    Fact.IGNORED: _TROUBLE,
    Fact.CALLER_HUNG_UP: _CALLER,
    Fact.LINE_LOST: _TROUBLE,
    Fact.ENDED: _PLAIN,
    Fact.HANDED_OVER: _TROUBLE,
}

_STYLES = {_SPEAKING: "bold", _CALLER: "cyan", _WAITING: "", _AGENT: "magenta", _TROUBLE: "yellow", _PLAIN: "dim"}

_JUDGEMENT_STYLES = {Judgement.KEPT: "green", Judgement.BROKEN: "bold red", Judgement.NOT_APPLICABLE: "dim"}


def timeline(
    trace: Sequence[TraceLine], verdicts: Sequence[Verdict], phrase_text: Callable[[str], str]
) -> RenderableType:
    """Arrange a call for reading.

    Args:
        trace: what happened, in order. Keyed digits are shown as they stand there: mask them before.
        verdicts: one per rule, or none when nobody judged the call.
        phrase_text: the wording of a phrase key; "" where it is not known, and the key is shown instead.
    """
    parts: list[RenderableType] = [_happenings(trace, verdicts, phrase_text)]
    if verdicts:
        parts += ["", _judged(verdicts)]
    return Group(*parts)


def plain_lines(picture: RenderableType, width: int = WIDTH) -> list[str]:
    """The picture as lines of text without colours and without blanks at their ends."""
    paper = io.StringIO()
    Console(file=paper, width=width, color_system=None, force_terminal=False, legacy_windows=False).print(picture)
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def show(picture: RenderableType, width: int = WIDTH) -> None:
    """Print the picture on stdout, at most `width` columns wide: coloured on a terminal, else as plain text."""
    if sys.stdout.isatty():
        console = Console()
        console.print(picture, width=min(console.width, width))
    else:
        for line in plain_lines(picture, width):
            print(line)


# ── what happened ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _happenings(
    trace: Sequence[TraceLine], verdicts: Sequence[Verdict], phrase_text: Callable[[str], str]
) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=True)
    table.add_column("second", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True, min_width=1)
    table.add_column("what happened", ratio=1, overflow="fold")
    table.add_column("rule", no_wrap=True)
    table.add_column("place", no_wrap=True)
    story = Story(verdicts, phrase_text)
    files = {line.where.partition(":")[0] for line in trace}
    for line in trace:
        mark = _mark(line)
        table.add_row(
            f"{line.at:.2f}",
            Text(mark, style=_STYLES[mark]),
            Text(story.words(line), style=_STYLES[mark]),
            Text(_rule_and_rung(line), style="dim"),
            Text(short_place(line.where, files), style="dim"),
        )
    return table


def _mark(line: TraceLine) -> str:
    was_heard = line.detail == "finished" or line.detail.startswith("stopped: ")
    return _TROUBLE if line.fact is Fact.PHRASE_ENDED and not was_heard else _MARKS[line.fact]


class Story:
    """Puts trace lines into words; remembers when a phrase, a wait or a task began, to say how long it took."""

    def __init__(self, verdicts: Sequence[Verdict], phrase_text: Callable[[str], str]) -> None:
        """`phrase_text` is the wording of a phrase key, "" where it is not known; `verdicts` hold the documented waits."""
        self._phrase_text = phrase_text
        self._documented = {
            (verdict.rule, wait.rung, wait.observed): wait for verdict in verdicts for wait in verdict.waits
        }
        self._phrase_began = 0.0
        self._wait_began = 0.0
        self._sought_since = 0.0
        self._asked_at = 0.0
        self._held_since = 0.0

    def words(self, line: TraceLine) -> str:  # noqa: C901 - the one list of all facts; each branch is a line or two
        """The line as a sentence; it may say how long something took that an earlier line began."""
        detail = line.detail.replace("_", " ")
        match line.fact:
            case Fact.ARRIVED:
                return _joined("call arrived", line.detail)
            case Fact.ORDERED:
                return _joined("call ordered", line.detail)
            case Fact.NOT_PLACED:
                return f"call not placed: {line.detail}"
            case Fact.DIALLING:
                self._wait_began = line.at
                return f"ringing the person called, {line.seconds or 0:g} s at most"
            case Fact.NOT_ANSWERED:
                return f"not answered after {line.at - self._wait_began:.2f} s: {detail}"
            case Fact.ANSWERED:
                return "line open"
            case Fact.STEP_ENTERED:
                return f"step {line.step}"
            case Fact.LADDER_BEGUN:
                return f"ladder {line.detail}"
            case Fact.PHRASE_STARTED:
                self._phrase_began = line.at
                if not line.phrase:
                    return f"plays back {detail}, {line.seconds or 0:.2f} s"
                return _joined(self._phrase_text(line.phrase) or line.phrase, f"({detail})" if detail else "", " ")
            case Fact.PHRASE_ENDED:
                how = "heard to its end" if line.detail == "finished" else detail
                return f"{how}, after {line.at - self._phrase_began:.2f} s"
            case Fact.WAIT_BEGUN:
                self._wait_began = line.at
                return _joined(f"waiting {line.seconds or 0:g} s", detail, " ")
            case Fact.WAIT_USED_UP:
                return self._waited(line, detail)
            case Fact.LADDER_LEFT:
                return f"ladder left: {detail}"
            case Fact.LADDER_USED_UP:
                return f"ladder used up, then {detail}"
            case Fact.LADDER_PAUSED:
                return f"ladder paused {detail}"
            case Fact.KEY_PRESSED:
                return f"key {line.key}"
            case Fact.DIGITS_COLLECTED:
                return f"entry {detail}: {line.key}" if line.key else f"entry {detail}"
            case Fact.SPEECH_STARTED:
                return "caller speaks"
            case Fact.SPEECH_ENDED:
                return "caller stops speaking"
            case Fact.SIGNAL_GIVEN:
                return f"signal: {detail}"
            case Fact.TASK_ASKED:
                self._wait_began = line.at
                return f"agent is to {detail}"
            case Fact.TASK_DONE:
                return f"agent did {detail}, in {line.seconds or 0:.2f} s"
            case Fact.HOLD_BEGUN:
                return f"the caller is kept waiting, {detail}"
            case Fact.HOLD_OVER:
                return f"the caller has waited {line.seconds or 0:.2f} s"
            case Fact.RINGING:
                self._sought_since = line.at
                return f"ringing an agent, {line.seconds or 0:g} s at most"
            case Fact.AGENT_ANSWERED:
                who = f"agent {line.detail}" if line.detail else "agent"
                rang = f", rung for {line.seconds:g} s" if line.seconds is not None else ""
                return f"{who} answered after {line.at - self._sought_since:.2f} s{rang}"
            case Fact.AGENT_UNAVAILABLE:
                return f"agent unavailable after {line.at - self._sought_since:.2f} s: {detail}"
            case Fact.AGENT_LEFT:
                return _joined("agent left", detail)
            case Fact.QUEUED:
                self._sought_since = line.at
                return f"queue {line.detail}, {line.seconds or 0:g} s at most"
            case Fact.QUEUE_MOVED:
                return _joined(detail, f"{line.seconds:g} s expected" if line.seconds is not None else "")
            case Fact.LEVEL_RAISED:
                return f"next level, queue {line.detail}"
            case Fact.LEVEL_KEPT:
                return f"nobody at this level, queue {line.detail} again"
            case Fact.AGENT_HOLDS:
                self._held_since = line.at
                return "agent puts the caller on hold"
            case Fact.AGENT_BACK:
                return f"agent is back after {line.at - self._held_since:.2f} s"
            case Fact.PARTED:
                return "caller and agent apart"
            case Fact.JOINED:
                return "caller and agent joined again"
            case Fact.ORDER_GIVEN:
                return f"agent orders: {line.detail}"
            case Fact.RECORDING:
                return f"recording of the call {detail}"
            case Fact.MESSAGE_RECORDED:
                return f"message of {line.seconds or 0:.2f} s, ended by: {detail}"
            case Fact.MESSAGE_KEPT:
                return f"message of {line.seconds or 0:.2f} s kept: {line.detail}"
            case Fact.SCORED:
                return f"score, {line.detail}"
            case Fact.CALLBACK_ORDERED:
                return f"callback within {(line.seconds or 0) / 3600:g} h, {line.detail}"
            case Fact.ENQUIRED:
                self._asked_at = line.at
                return f"look-up, {line.seconds or 0:g} s at most"
            case Fact.ENQUIRY_OVER:
                return f"look-up over after {line.at - self._asked_at:.2f} s: {detail}"
            case Fact.SITUATION_STARTED:
                return f"situation {detail}"
            case Fact.SITUATION_FOLLOWED:
                return f"situation {detail}, by itself"
            case Fact.SITUATION_OVER if line.detail == AGENT_GONE:
                return f"situation given up: {line.detail}"
            case Fact.SITUATION_OVER:
                return f"situation over, then {detail}"
            case Fact.PROMISE_MADE | Fact.PROMISE_JOINED:
                return f"promised {line.detail}"
            case Fact.HEARING_LOST:
                return "the caller cannot be heard"
            case Fact.HEARING_RESTORED:
                return "the caller can be heard again"
            case Fact.LIMIT_REACHED:
                return f"limit reached: {line.detail}"
            case Fact.IGNORED:
                return f"ignored: {detail}"
            case Fact.CALLER_HUNG_UP:
                return _joined("caller hung up", detail)
            case Fact.LINE_LOST:
                return "the line is gone; nobody hung up"
            case Fact.ENDED:
                return f"call ended: {detail}"
            case Fact.HANDED_OVER:
                return f"handed to the fallback: {detail}"
            case _:
                assert_never(line.fact)

    def _waited(self, line: TraceLine, detail: str) -> str:
        observed = round(line.at - self._wait_began, 6)
        documented = self._documented.get((line.rule, line.rung, observed))
        standard = f"; the standard says {_band(documented)}" if documented else ""
        return _joined(f"waited {observed:.2f} s", detail, " ") + standard


def _joined(first: str, second: str, between: str = ", ") -> str:
    return f"{first}{between}{second}" if second else first


def _rule_and_rung(line: TraceLine) -> str:
    """The rule without its standard, and the rung on it; below it the second rule that a phrase obeys."""
    rules = [f"{_name(line.rule)} {line.rung}" if line.rung else _name(line.rule)] if line.rule else []
    if line.also_rule and line.fact is Fact.PHRASE_STARTED:
        rules.append(_name(line.also_rule))
    return "\n".join(rules)


def _name(rule: str) -> str:
    return rule.rpartition("/")[2]


def short_place(where: str, files: Collection[str]) -> str:
    """What fits and is enough to find it: the file's name, and its folder when another of `files` has the same name.

    A standard and the flow that follows it often share a name, so a standard's folder is always shown:
    "callflows/standards/gov12345.yaml:216:9" becomes "standards/gov12345.yaml:216".
    """
    file, _, position = where.partition(":")
    if not position:
        return where
    *_, folder, name = ["", *file.split("/")]
    shared = any(other != file and other.rpartition("/")[2] == name for other in files)
    shown = f"{folder}/{name}" if folder and (shared or folder == "standards") else name
    return f"{shown}:{position.partition(':')[0]}"


def _band(wait: WaitSeen) -> str:
    return f"{wait.least:g} s" if wait.least == wait.most else f"{wait.least:g}-{wait.most:g} s"


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _judged(verdicts: Sequence[Verdict]) -> RenderableType:
    counts = {
        judgement: sum(verdict.judgement is judgement for verdict in verdicts)
        for judgement in (Judgement.BROKEN, Judgement.KEPT, Judgement.NOT_APPLICABLE)
    }
    heading = Text("verdicts: ")
    for judgement, count in counts.items():
        heading.append(f"{count} {judgement.value}", style=_JUDGEMENT_STYLES[judgement] if count else "dim")
        heading.append("" if judgement is Judgement.NOT_APPLICABLE else ", ")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False, expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1, overflow="fold")
    for judgement in (Judgement.BROKEN, Judgement.KEPT):
        for verdict in verdicts:
            if verdict.judgement is judgement:
                word = Text(judgement.value.upper() if judgement is Judgement.BROKEN else judgement.value)
                word.stylize(_JUDGEMENT_STYLES[judgement])
                table.add_row(word, verdict.rule, "expected", Text(verdict.expected))
                table.add_row("", "", "observed", Text(verdict.observed))
    return Group(heading, table) if table.rows else heading
