"""The codes of a flow as a list for the agents' desks: what each orders, and what the caller hears first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from ivrflow.flow.model import CallFlow, Ladder, Transfer
from ivrflow.flow.model.call_flow import AgentOrder, AgentOrderKind

TELEPHONE_CODES: Mapping[str, str] = {"*11": "log in", "*12": "log out", "*13": "pause", "*14": "ready"}
"""What the PBX's own dialplan knows, by what is dialled while no call is on: `asterisk/etc/extensions.conf`."""

_PLACEHOLDER = re.compile(r"(?:\{\w+\})+")


@dataclass(frozen=True, slots=True)
class Code:
    """One line of the list.

    Attributes:
        code: a star and two digits.
        orders: what kind of order it is.
        name: of the situation or the transfer step; for the other orders the word itself.
        does: what it does, or when it is keyed: for a situation the words of the standard's rule.
        says: what the caller hears first, with `{placeholders}`; empty when that is nothing.
        task: what the agent is asked to do first, where nothing is said; empty otherwise.
    """

    code: str
    orders: AgentOrderKind
    name: str
    does: str
    says: str = ""
    task: str = ""

    @property
    def begins(self) -> str:
        """What comes first, for people: what is said, quoted, with dots for what only the call knows; or the task."""
        return f"“{_PLACEHOLDER.sub('…', self.says)}”" if self.says else self.task.replace("_", " ")


@dataclass(frozen=True, slots=True)
class CodeList:
    """What an agent can key and dial.

    Attributes:
        flow: the flow's name.
        numbers: dialled numbers that lead there.
        codes: sorted by code.
        hold: what the telephone's own hold key begins, in words.
        hold_situation: the situation it starts; empty for music only.
    """

    flow: str
    title: str
    numbers: tuple[str, ...]
    codes: tuple[Code, ...]
    hold: str
    hold_situation: str


def code_list(flow: CallFlow) -> CodeList:
    """The list of a flow's codes; the same flow always gives the same list."""
    codes = tuple(_code(flow, code, order) for code, order in sorted(flow.agents.codes.items()))
    return CodeList(flow.id, flow.title, flow.numbers, codes, _hold(flow), flow.agents.hold)


def _code(flow: CallFlow, code: str, order: AgentOrder) -> Code:
    match order.kind:
        case "situation":
            says, task = _begins(flow, flow.situations[order.name])
            return Code(code, order.kind, order.name, flow.standard.rules[order.name].trigger, says, task)
        case "transfer":
            return _transfer(flow, code, order)
        case "cancel":
            does = "take the situation back; the call goes on where it was"
        case "done":
            does = "what you were asked to do is done: the look-up, the wait"
        case "leave":
            does = "what the situation waits for has happened: the caller agrees, understands, can be heard again"
        case _:
            assert_never(order.kind)
    return Code(code, order.kind, order.kind, does)


def _begins(flow: CallFlow, ladder: Ladder) -> tuple[str, str]:
    """What a situation says first, or the first task of one that says nothing."""
    keys = [key for rung in ladder.rungs if rung.say for key in flow.wordings_of(rung.say)]
    if keys:
        return flow.phrases[keys[0]].text, ""
    return "", next((rung.task for rung in ladder.rungs if rung.task), "")


def _transfer(flow: CallFlow, code: str, order: AgentOrder) -> Code:
    step = flow.steps[order.name]
    assert isinstance(step, Transfer), "the compiler lets codes lead to transfer steps only"
    stays = "you stay until somebody answers" if step.warm else "you are let go at once"
    does = f"hand the caller over to {step.extension}; {stays}"
    keys = [key for said in step.announce for key in flow.wordings_of(said)]
    return Code(code, order.kind, order.name, does, flow.phrases[keys[0]].text if keys else "")


def _hold(flow: CallFlow) -> str:
    if not flow.agents.hold:
        return "music until you take the caller back"
    return f"{flow.agents.hold}, {flow.standard.rules[flow.agents.hold].trigger}"
