"""Orders to place a call and their answers: what is written is read, and what is not understood is refused in words."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge.ami_protocol import AmiEvent, AmiParser, build_action
from ivrflow.bridge.orders.to_calls import OrderRefused, is_order
from ivrflow.bridge.orders.to_place_calls import (
    MOST_VALUES,
    Answer,
    CallOff,
    CallWanted,
    answer_fields,
    call_off_fields,
    is_call_order,
    read_answer,
    read_call_order,
    wanted_fields,
)

WANTED = CallWanted(
    "ask-12345678", "china_mobile", "13800001111", {"surname": "李", "reason": 'a "b": c'}, "2026-11-20T10:00"
)


def as_event(fields: dict[str, str]) -> AmiEvent:
    """The event that Asterisk makes of the manager's action."""
    action = build_action("UserEvent", "t-1", fields)
    (event,) = AmiParser().receive_data(b"Asterisk Call Manager/11.0.0\r\n" + action.replace(b"Action:", b"Event:", 1))
    assert isinstance(event, AmiEvent)
    return event


def order(**changed: str) -> AmiEvent:
    return AmiEvent({"Event": "UserEvent", **wanted_fields(WANTED), **changed})


def test_an_order_is_read_as_it_was_written() -> None:
    event = as_event(wanted_fields(WANTED))
    assert is_order(event)
    assert is_call_order(event)
    assert read_call_order(event) == WANTED


def test_taking_back_is_read_as_it_was_written() -> None:
    assert read_call_order(as_event(call_off_fields("ask-12345678"))) == CallOff("ask-12345678")


def test_orders_to_a_live_call_are_none_of_these() -> None:
    assert not is_call_order(order(Order="situation"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Ask": ""}, "its Ask is no name"),
        ({"Ask": "a b c d e f g"}, "its Ask is no name"),
        ({"Flow": "../etc"}, "its Flow is no flow's name"),
        ({"Flow": "f" * 200}, "its Flow is no flow's name"),
        ({"Number": ""}, "its Number is not 1 to 20 digits"),
        ({"Number": "1001&1002"}, "its Number is not 1 to 20 digits"),
        ({"Number": "１００１"}, "its Number is not 1 to 20 digits"),
        ({"Number": "1" * 21}, "its Number is not 1 to 20 digits"),
        ({"Values": "{"}, "its Values are no JSON object"),
        ({"Values": '{"a": 1}'}, "its Values are no JSON object"),
        ({"Values": '{"A B": "x"}'}, "its Values are not at most"),
        ({"Values": '{"a": "\\u001b[31m"}'}, "its Values are not at most"),
        ({"Values": '{"a": ""}'}, "its Values are not at most"),
        (
            {"Values": "{" + ",".join(f'"a{n}": "x"' for n in range(MOST_VALUES + 1)) + "}"},
            "its Values are not at most",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_without_a_number(changed: dict[str, str], why: str) -> None:
    with pytest.raises(OrderRefused, match=why) as refused:
        read_call_order(order(**changed))
    assert "1001" not in str(refused.value)
    assert "138" not in str(refused.value)


@given(st.dictionaries(st.sampled_from(["Ask", "Flow", "Number", "Values", "At", "Order"]), st.text(max_size=60)))
def test_no_order_is_a_bug(fields: dict[str, str]) -> None:
    with suppress(OrderRefused):
        order = read_call_order(AmiEvent({"Event": "UserEvent", **wanted_fields(WANTED), **fields}))
        assert isinstance(order, CallOff) or (order.number.isascii() and order.number.isdigit())


@pytest.mark.parametrize(
    "answer",
    [
        Answer("ask-12345678", "dialling", call="out-1.a", seconds=30.0),
        Answer("ask-12345678", "answered", call="out-1.a", seconds=6.125),
        Answer("ask-12345678", "over", call="out-1.a", outcome="no_answer"),
        Answer("ask-12345678", "refused", why="quiet hours until 2026-11-20 14:00", again="2026-11-20T14:00+08:00"),
    ],
    ids=lambda answer: answer.state,
)
def test_an_answer_is_read_as_it_was_written(answer: Answer) -> None:
    event = as_event(answer_fields(answer))
    assert not is_order(event)
    assert read_answer(event, "ask-12345678") == answer
    assert read_answer(event, "ask-87654321") is None


@pytest.mark.parametrize("state", ["", "singing"])
def test_an_answer_nobody_knows_is_none(state: str) -> None:
    fields = answer_fields(Answer("ask-12345678", "over")) | {"State": state}
    assert read_answer(AmiEvent({"Event": "UserEvent", **fields}), "ask-12345678") is None


def test_numbers_and_values_do_not_show_by_accident() -> None:
    assert "13800001111" not in repr(WANTED)
    assert "李" not in repr(WANTED)
