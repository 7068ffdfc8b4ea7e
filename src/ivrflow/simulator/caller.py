"""The one way to write what a tried caller does: at the terminal, in a script, in a golden call.

A line is a command. A line that begins with `/` is one by its first word, an empty line is `/next`, anything else are
keys. A `#` followed by a blank begins a comment, so that the key `#` can be typed alone and within an entry (`123#`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ivrflow.flow.model import Ask, CallFlow, Queue, Transfer
from ivrflow.flow.problems import Location, Problem, did_you_mean
from ivrflow.flow.reading.syntax import shortened
from ivrflow.simulator.agents import AgentChange, read_agent, read_deed
from ivrflow.simulator.caller_commands import (
    AgentActs,
    Bare,
    Command,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
    TellLookUp,
    TellQueue,
)
from ivrflow.simulator.durations import read_seconds
from ivrflow.simulator.look_ups import LookUp, read_look_up
from ivrflow.simulator.queues import QueueChange, read_queue

KEYS = frozenset("0123456789*#ABCD")
SPEECH_S = 1.0
"""How long a caller speaks when nobody says how long, in seconds."""

_COMMENT = re.compile(r"(^|\s+)#\s.*")
_BARE = {command.value: command for command in Bare}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a flow knows; a script that uses another one has a mistake in it.

    Attributes:
        extensions: those a flow rings itself; the agents of a queue are the PBX's to know.
        fields: of the answers that look-ups bring.
    """

    situations: Collection[str] = ()
    signals: Collection[str] = ()
    placeholders: Collection[str] = ()
    extensions: Collection[str] = ()
    steps: Collection[str] = ()
    queues: Collection[str] = ()
    fields: Collection[str] = ()

    @classmethod
    def of(cls, flow: CallFlow) -> Vocabulary:
        """What can be said about a call that walks `flow`."""
        extensions = set()
        queues: set[str] = set()
        fields: set[str] = set()
        for step in flow.steps.values():
            match step:
                case Transfer(extension=extension):
                    extensions.add(extension)
                case Queue():
                    queues |= {level.queue for level in step.levels}
                case Ask():
                    fields |= {*step.learns.values(), *([step.field] if step.field else [])}
                case _:
                    pass
        placeholders = {name for phrase in flow.phrases.values() for name in phrase.placeholders}
        placeholders |= flow.standard.placeholders.keys()  # a promise may wait for one that no phrase speaks
        return cls(
            frozenset(flow.situations),
            flow.signals,
            frozenset(placeholders),
            frozenset(extensions),
            frozenset(flow.steps),
            frozenset(queues),
            frozenset(fields),
        )

    def check_agent(self, change: AgentChange) -> None:
        """Whether the agent can be one of this flow's. Raises ValueError, as do the ones below."""
        if change.extension and not self.queues:
            _known("extension", change.extension, self.extensions)

    def check_queue(self, change: QueueChange) -> None:
        """Whether callers of this flow wait in that queue."""
        if not self.queues:
            raise ValueError("nobody waits in a queue in this flow", "it has no queue step")
        _known("queue", change.queue, self.queues)

    def check_look_up(self, look_up: LookUp) -> None:
        """Whether the flow asks for what is answered."""
        for name in look_up.values:
            if not self.fields:
                raise ValueError("the flow asks for no field of an answer", f"leave out '{name}'")
            _known("field", name, self.fields)


@dataclass(frozen=True, slots=True)
class Mistake(Exception):
    """A line that is no command.

    Attributes:
        message: what is wrong, lower case.
        hint: what to write instead.
    """

    message: str
    hint: str = ""

    def at(self, where: Location) -> Problem:
        """The same as a problem in a file."""
        return Problem(where, self.message, self.hint)


def without_comment(line: str) -> str:
    """The line without its comment and the blanks around it."""
    return _COMMENT.sub("", line).strip()


def read_command(line: str, vocabulary: Vocabulary) -> Command | None:
    """Read one line.

    Returns:
        The command; None for a line that holds nothing but a comment.

    Raises:
        Mistake: it is no command.
    """
    text = without_comment(line)
    if not text:
        return None if line.strip() else Bare.NEXT
    if not text.startswith("/"):
        return _keys(text)
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    if word in _BARE:
        if rest:
            raise Mistake(f"'{word}' stands alone", f"leave out '{rest}'")
        return _BARE[word]
    reader = _READERS.get(word)
    if reader is None:
        raise Mistake(f"'{shortened(word)}' is no command", did_you_mean(word, [*_BARE, *_READERS]))
    try:
        return reader(rest, vocabulary)
    except ValueError as problem:
        raise Mistake(*problem.args) from None


def _keys(text: str) -> Press:
    wrong = [key for key in text if key not in KEYS]
    if not wrong:
        return Press(text)
    if text.startswith("#"):
        raise Mistake("'#' is a key here", "put a blank behind the '#' of a comment")
    if set(text.upper().replace(" ", "")) <= KEYS:
        raise Mistake(
            f"'{shortened(text)}' is not how keys are written", f"write {shortened(text.upper().replace(' ', ''))}"
        )
    raise Mistake(
        f"'{shortened(text)}' is neither keys nor a command",
        "keys are 0-9 * # A-D; a command begins with '/', see /help",
    )


def _known(kind: str, name: str, known: Collection[str]) -> str:
    if not name:
        raise ValueError(f"which {kind}?", did_you_mean("", known))
    if name not in known:
        raise ValueError(f"the flow knows no {kind} '{name}'", did_you_mean(name, known))
    return name


def _value(text: str, vocabulary: Vocabulary) -> LearnValue:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        raise ValueError(f"'{text}' is not NAME=VALUE", "write for example: /value honorific=女士")
    return LearnValue(_known("placeholder", name, vocabulary.placeholders), value)


def _agent(text: str, vocabulary: Vocabulary) -> TellAgent | AgentActs:
    deed = read_deed(text)
    if deed is None:
        change = read_agent(text)
        vocabulary.check_agent(change)
        return TellAgent(change)
    if deed.extension and not vocabulary.queues:
        _known("extension", deed.extension, vocabulary.extensions)
    if deed.what == "transfers":
        _known("step", deed.word, vocabulary.steps)
    return AgentActs(deed)


def _queue(text: str, vocabulary: Vocabulary) -> TellQueue:
    change = read_queue(text)
    vocabulary.check_queue(change)
    return TellQueue(change)


def _look_up(text: str, vocabulary: Vocabulary) -> TellLookUp:
    look_up = read_look_up(text)
    vocabulary.check_look_up(look_up)
    return TellLookUp(look_up)


_READERS: Mapping[str, Callable[[str, Vocabulary], Command]] = {
    "/silence": lambda text, _: Stay(read_seconds(text) if text else None),
    "/speech": lambda text, _: Speak(read_seconds(text) if text else SPEECH_S),
    "/situation": lambda text, known: StartSituation(_known("situation", text, known.situations)),
    "/signal": lambda text, known: GiveSignal(_known("signal", text, known.signals)),
    "/value": _value,
    "/agent": _agent,
    "/queue": _queue,
    "/lookup": _look_up,
}
