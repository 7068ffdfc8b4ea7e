"""Where in its flow a call is, as a value, and what the caller's input means there. Pure: it only answers questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from ivrflow.engine.digits import DIGITS
from ivrflow.engine.standing import Footing, Interruptible
from ivrflow.flow.model import RETURN, Climb, Close, Collect, Listening, Menu, Queue, Say, Step

_ANY_KEY = "0123456789*#"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a situation interrupted: everything needed to come back to it.

    Attributes:
        has_agent: whether an agent was on the line, whose tasks are then nobody else's.
    """

    place: Place
    standing: Interruptible
    has_agent: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A step; the rung, when on a ladder; and, while a situation is played, what it interrupted.

    A situation belongs to no step: `step` is then still the one it interrupted, `footing` is on the situation's ladder.
    """

    step: Step
    footing: Footing | None = None
    interrupted: Interrupted | None = None

    @property
    def name(self) -> str:
        """The step's name, or "situation NAME"."""
        return f"situation {self.footing.ladder.name}" if self.interrupted and self.footing else self.step.name

    @property
    def listening(self) -> Listening:
        """What may be done here and where it leads."""
        leave_on = self.footing.rung.leave_on if self.footing else None
        if self.interrupted:
            # A situation's ladder is left by speech only where the standard says so; nobody barges into it.
            return Listening(speech=RETURN if leave_on == "speech" else None)
        match self.step:
            case (
                Say(listening=listening)
                | Climb(listening=listening)
                | Menu(listening=listening)
                | Queue(listening=listening)
            ):
                return listening
            case Collect(barge_in=barge_in):
                return Listening(barge_in)
            case Close(barge_in=barge_in, request=request) if leave_on is not None:
                return Listening(barge_in, request, dict.fromkeys(_ANY_KEY, request))
            case _:
                return Listening()

    def may_cut(self, key: str) -> bool:
        """Whether this key may cut a prompt: one that leads nowhere must not (a menu answers every key)."""
        listening = self.listening
        if "key" not in listening.barge_in:
            return False
        match self.step:
            case Menu():
                return True
            case Collect(end_key=end_key):
                return key in DIGITS or key == end_key
            case _:
                return key in listening.keys

    def useful(self, keys: Sequence[str]) -> list[str]:
        """What keys pressed before the step are still good for: its question was not heard yet, so wrong ones are none.

        Where nothing is asked they all are, for what comes next.
        """
        match self.step:
            case Collect():
                return list(dropwhile(lambda key: key not in DIGITS, keys))
            case Climb(listening=listening) | Menu(listening=listening) | Queue(listening=listening):
                return list(dropwhile(lambda key: key not in listening.keys, keys))
            case Close():
                return []
            case _:
                return list(keys)

    def left_by(self, word: str, leaves: Mapping[str, Mapping[str, str]]) -> str | None:
        """Where `word` leads from the present rung; None when it does not leave it.

        Args:
            word: what was judged, as the standard names it ("understood").
            leaves: per situation, step per word, where leaving it does not lead back (`CallFlow.leaves`).
        """
        if self.footing is None or self.footing.rung.leave_on != word:
            return None
        if self.interrupted:
            return leaves.get(self.footing.ladder.name, {}).get(word, RETURN)
        match self.step:
            case Close(request=request):
                return request
            case Climb(left=left):
                return left.get(word)
            case _:
                return None
