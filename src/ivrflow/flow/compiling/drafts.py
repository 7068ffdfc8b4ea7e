"""A step being compiled, and what its caller may do in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ivrflow.flow.compiling.names import Names
from ivrflow.flow.keys import step_keys as k
from ivrflow.flow.model import BargeIn, Limits
from ivrflow.flow.problems import Location
from ivrflow.flow.reading.forms import Form, Key
from ivrflow.flow.reading.reader import Input, KeyTarget, Named
from ivrflow.flow.reading.times import written

LEADS_HINT = "write where it leads under 'on:', or take '{}' out of barge_in"


@dataclass(frozen=True, slots=True)
class Draft:
    """A step being compiled: what is written, and what it may refer to."""

    name: str
    where: Location
    form: Form
    names: Names
    limits: Limits

    def error(self, where: Location, message: str, hint: str) -> None:
        """Note something that makes the flow unusable."""
        self.names.problems.error(where, message, hint)

    def part(self, name: str) -> str:
        """The name of a step this one is put together from; nobody can write one with a dot."""
        return f"{self.name}.{name}"


def phrase_or_usual(draft: Draft, form: Form, key: Key[Any], phrase: Named) -> str:
    """The full key of a phrase; where `key` is not written, of the house's usual one, if the flow has it."""
    names = draft.names
    if form.wrote(key):
        return names.phrase(phrase)
    if phrase.text in names.phrase_data():
        return names.phrase(Named(phrase.text, form.where))
    hint = f"write {key.name}: and a phrase of yours; the usual one, '{phrase.text}', is not there"
    draft.error(form.where, f"this needs '{key.name}'", hint)
    return ""


def key_steps(targets: tuple[KeyTarget, ...], names: Names) -> dict[str, str]:
    """Step per key."""
    return {target.key: names.step(target.step) for target in targets}


def barge_in(
    draft: Draft, written_inputs: tuple[Input, ...], leads: frozenset[BargeIn], hint: str
) -> frozenset[BargeIn]:
    """The inputs that cut the prompt; each must lead somewhere."""
    for entry in written_inputs:
        if entry.name not in leads:
            draft.error(entry.where, f"'{entry.name}' may cut the prompt but leads nowhere", hint.format(entry.name))
    return frozenset(entry.name for entry in written_inputs)


def check_fits_call(draft: Draft, key: Key[float], what: str) -> None:
    """Warn when what `key` bounds may last longer than the whole call."""
    if draft.form[key] > draft.limits.call_length:
        bound = written(draft.limits.call_length)
        message = f"{what} may last longer than the call: call_length is {bound}"
        hint = f"write at most {bound}, or raise limits.call_length"
        draft.names.problems.warn(draft.form.place(key), message, hint)


def check_talk(draft: Draft) -> None:
    """Warn when the talk may last longer than the whole call."""
    check_fits_call(draft, k.TALK_FOR, "the talk")
