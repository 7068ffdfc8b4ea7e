"""What a flow lets agents do, and how it records: every situation, step and code checked."""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.flow.compiling.holds import HOLD, KEEPS_WAITING
from ivrflow.flow.compiling.names import Names
from ivrflow.flow.keys import agents as g
from ivrflow.flow.model import AgentOrder, Agents, CallRecording, Ladder, Queue, Step, Transfer
from ivrflow.flow.model.call_flow import AgentOrderKind
from ivrflow.flow.problems import Location, did_you_mean
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.reader import Named

PHRASE_OPTIONAL_BELOW = "hold_phrase_optional_below_s"
"""The limit of a rule that says: on a shorter hold its phrase may be left out."""

ORDERS: tuple[AgentOrderKind, ...] = ("cancel", "done", "leave")
"""What a code can order besides situations and transfers."""


def has_agents(steps: Mapping[str, Step]) -> bool:
    """Whether a step leads to an agent."""
    return any(isinstance(step, Transfer | Queue) for step in steps.values())


def compile_agents(
    form: Form, where: Location, names: Names, situations: Mapping[str, Ladder], steps: Mapping[str, Step]
) -> Agents:
    """What `agents` says, resolved; problems are noted.

    Args:
        form: the table as read.
        where: where `agents` is written.
        names: what the flow may refer to.
        situations: those an agent can start.
        steps: the flow's, those with problems left out.
    """
    if not has_agents(steps) and not names.problems.errors:
        hint = "let a 'transfer' or a 'queue' step lead to one, or delete it"
        names.problems.warn(where, "no step of this flow leads to an agent", hint)
    transfers = tuple(name for step in form[g.TRANSFERS] if (name := _transfer(step, names, steps)))
    written = {step.text for step in form[g.TRANSFERS]}
    codes = {
        code.text: order
        for code, word in form[g.CODES]
        if (order := _order(code, word, names, situations, written)) is not None
    }
    hold = _hold(form[g.HOLD], names, situations)
    rule = names.standard.rules.get(hold) if names.standard else None
    optional_below = rule.limits.get(PHRASE_OPTIONAL_BELOW) if rule else None
    return Agents(codes, hold, transfers, optional_below if isinstance(optional_below, float) else 0.0)


def _hold(name: Named, names: Names, situations: Mapping[str, Ladder]) -> str:
    rule = names.rule(name)
    if rule is None or rule.name not in situations:
        return ""
    if not _keeps_waiting(situations[rule.name]):
        holds = sorted(other for other, ladder in situations.items() if _keeps_waiting(ladder))
        hint = f"name one that does: {', '.join(holds)}" if holds else "delete 'hold': there is music then"
        names.problems.error(name.where, f"{rule.id} keeps no caller waiting", hint)
    return rule.name


def _keeps_waiting(ladder: Ladder) -> bool:
    """Whether the caller is on hold in it, or is from its end on."""
    return ladder.then == HOLD or any(rung.task in KEEPS_WAITING for rung in ladder.rungs)


def _transfer(step: Named, names: Names, steps: Mapping[str, Step]) -> str:
    name = names.step(step)
    found = steps.get(name)
    if found is not None and not isinstance(found, Transfer):
        transfers = [other for other, one in steps.items() if isinstance(one, Transfer)]
        hint = f"name one: {', '.join(transfers)}" if transfers else "write one"
        names.problems.error(step.where, f"'{name}' is no transfer step", hint)
    return name


def _order(
    code: Named, word: Named, names: Names, situations: Mapping[str, Ladder], transfers: set[str]
) -> AgentOrder | None:
    """What the code orders; a word that means two things is refused, so that nobody has to guess."""
    for order in ORDERS:
        if word.text == order:
            return AgentOrder(order, code.where)
    if word.text in transfers:
        if word.text in situations:
            message = f"'{word.text}' is a situation of {names.standard_id} and a step of this flow"
            names.problems.error(word.where, message, "give the step another name")
        return AgentOrder("transfer", code.where, word.text)
    if word.text in situations:
        return AgentOrder("situation", code.where, word.text)
    if names.steps is not None and word.text in names.steps:
        message = f"agents may not send a caller to '{word.text}'"
        names.problems.error(word.where, message, f"write transfers: [{word.text}] as well, if it is a transfer step")
    elif names.standard is not None and word.text in names.standard.rules:
        names.rule(word)  # tells why it cannot happen on a phone line
    elif names.standard is not None:
        known = [*situations, *transfers, *ORDERS]
        message = f"no situation, transfer or order is called '{word.text}'"
        names.problems.error(word.where, message, did_you_mean(word.text, known))
    return None


def compile_recording(form: Form, where: Location, names: Names, steps: Mapping[str, Step]) -> CallRecording:
    """What `recording` says, resolved; problems are noted. Arguments as for `compile_agents`."""
    if not form.wrote(g.RECORDING_ANNOUNCE) and (form[g.WHOLE_CALL] or has_agents(steps)):
        hint = "write announce: and a phrase, for example house/recording.notice"
        names.problems.warn(where, "nobody is told that the call is recorded", hint)
    return CallRecording(where, names.phrases(form[g.RECORDING_ANNOUNCE]), form[g.WHOLE_CALL], form[g.KEEP])
