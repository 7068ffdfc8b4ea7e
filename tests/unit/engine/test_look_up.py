"""What a look-up asks, and where its answer leads."""

from dataclasses import replace
from typing import Literal

import pytest
from agent_flows import ask

from ivrflow.engine.look_up import enquiry, leads_to, learned
from ivrflow.engine.messages import AnswerReceived, Enquire

STEP = ask()


def answered(how: Literal["answered", "wrong", "failed"] = "answered", **values: str) -> AnswerReceived:
    return AnswerReceived(ticket=1, how=how, values=values)


def test_only_what_the_step_names_is_sent_and_only_where_it_is_known() -> None:
    known = {"number": "12345", "caller": "", "pin": "0000"}

    assert enquiry(STEP, 7, known) == Enquire(
        ticket=7, url=STEP.url, values={"number": "12345"}, wanted=("name", "state"), seconds=8.0
    )


def test_each_field_is_asked_for_once() -> None:
    assert enquiry(replace(STEP, learns={"case": "state", "surname": "name"}), 1, {}).wanted == ("state", "name")
    assert enquiry(replace(STEP, field=""), 1, {}).wanted == ("name",)


def test_what_is_learned_are_the_fields_that_were_answered() -> None:
    assert learned(STEP, answered(name="王", state="open")) == {"surname": "王"}
    assert learned(STEP, answered(name="")) == {}
    assert learned(STEP, answered("wrong", name="王")) == {}


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        (answered(state="open"), "open"),
        (answered(state="closed"), "done"),
        (answered(), "done"),
        (answered("wrong"), "wrong"),
        (answered("failed"), "failed"),
    ],
)
def test_where_the_answer_leads(answer: AnswerReceived, target: str) -> None:
    assert leads_to(STEP, answer) == target


def test_without_a_field_every_answer_leads_to_the_same_step() -> None:
    assert leads_to(replace(STEP, field=""), answered(state="open")) == "done"
