"""What a look-up asks, and what its answer means. Pure: it only answers questions."""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.engine.messages import AnswerReceived, Enquire, Ticket
from ivrflow.flow.model import Ask


def enquiry(step: Ask, ticket: Ticket, known: Mapping[str, str]) -> Enquire:
    """The question: of what is `known`, only what the step sends; of the answer, only the fields it uses, each once."""
    return Enquire(
        ticket=ticket,
        url=step.url,
        values={name: known[name] for name in step.sends if known.get(name)},
        wanted=tuple(dict.fromkeys((*step.learns.values(), *((step.field,) if step.field else ())))),
        seconds=step.most,
    )


def learned(step: Ask, answer: AnswerReceived) -> dict[str, str]:
    """The values the step learns from what was answered; a field that is not there, or empty, teaches nothing."""
    if answer.how != "answered":
        return {}
    return {name: answer.values[field] for name, field in step.learns.items() if answer.values.get(field)}


def leads_to(step: Ask, answer: AnswerReceived) -> str:
    """The step that follows the answer."""
    if answer.how == "answered":
        return step.cases.get(answer.values.get(step.field, ""), step.done) if step.field else step.done
    return step.wrong if answer.how == "wrong" else step.failed
