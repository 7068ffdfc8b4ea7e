"""How a look-up ends in a tried call, and the words for it.

The same words stand in a call file's head (`lookup: answers 1500ms status=open`) and in the command `/lookup`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.flow.problems import did_you_mean
from ivrflow.flow.reading.times import written
from ivrflow.simulator.durations import read_seconds

Ending: TypeAlias = Literal["answers", "wrong", "fails", "never"]

_ENDINGS: tuple[Ending, ...] = ("answers", "wrong", "fails", "never")
_USUALLY_AFTER_S = 1.0

USAGE = "answers [AFTER] [FIELD=VALUE …] | wrong [AFTER] | fails [AFTER] | never"


@dataclass(frozen=True, slots=True)
class LookUp:
    """What comes of asking.

    Attributes:
        ending: there is an answer; what comes is no answer; nobody can be asked; nothing ever comes.
        after: seconds until then.
        fields: what the answer says, name and value; a flow is told only the fields it asks for.
    """

    ending: Ending = "answers"
    after: float = _USUALLY_AFTER_S
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        words: list[str] = [self.ending]
        words += [written(self.after)] if self.ending != "never" else []
        return " ".join([*words, *(f"{name}={shlex.quote(value)}" for name, value in self.fields)])

    @property
    def values(self) -> Mapping[str, str]:
        """The fields by name."""
        return dict(self.fields)


def read_look_up(text: str) -> LookUp:
    """Read how a look-up ends.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise ValueError("a quotation mark is not closed", "write for example: status='in progress'") from None
    word = words.pop(0) if words else ""
    ending = next((ending for ending in _ENDINGS if word == ending), None)
    if ending is None:
        raise ValueError(f"'{word}' is no way a look-up ends", did_you_mean(word, _ENDINGS))
    after = _USUALLY_AFTER_S
    if words and words[0][:1].isdecimal() and "=" not in words[0]:
        if ending == "never":
            raise ValueError("'never' takes no time", "nothing ever comes")
        after = read_seconds(words.pop(0))
    if words and ending != "answers":
        raise ValueError(f"'{ending}' tells nothing", f"leave out '{' '.join(words)}', or write answers")
    fields: dict[str, str] = {}
    for pair in words:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise ValueError(f"'{pair}' is not FIELD=VALUE", "write for example: status=open")
        fields[name] = value
    return LookUp(ending, 0.0 if ending == "never" else after, tuple(fields.items()))
