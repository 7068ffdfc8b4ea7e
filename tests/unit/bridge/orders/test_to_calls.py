"""Orders as they come in: understood, or refused in words that name nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge.ami_protocol import AmiEvent, AmiParser, build_action
from ivrflow.bridge.orders.to_calls import (
    LONGEST_VALUE,
    ORDER_EVENT,
    OrderRefused,
    ToCall,
    is_order,
    order_fields,
    read_order,
)
from ivrflow.engine import messages as m
from ivrflow.flow.reading.reader import LONGEST_NAME


def order(**fields: str) -> AmiEvent:
    return AmiEvent({"Event": "UserEvent", "UserEvent": ORDER_EVENT, "Call": "pbx-1.7", **fields})


@pytest.mark.parametrize(
    ("what", "word", "value", "event"),
    [
        ("situation", "noise", "", m.SituationStarted(name="noise")),
        ("situation", "closing.hangup_order", "", m.SituationStarted(name="closing.hangup_order")),
        ("cancel", "", "", m.SituationCancelled()),
        ("signal", "2_more", "", m.SignalGiven(word="2_more")),
        ("done", "", "", m.TaskDone(ticket=5)),
        ("transfer", "to_specialist", "", m.TransferOrdered(step="to_specialist")),
        ("value", "surname", "a: b, (c)", m.ValuesLearned(values={"surname": "a: b, (c)"})),
    ],
)
def test_what_is_written_is_read(what: ToCall, word: str, value: str, event: m.CallEvent) -> None:
    action = build_action("UserEvent", "t-1", order_fields("pbx-1.7", what, word, value))
    (arrived,) = AmiParser().receive_data(
        b"Asterisk Call Manager/11.0.0\r\n" + action.replace(b"Action:", b"Event:", 1)
    )
    assert isinstance(arrived, AmiEvent)
    assert is_order(arrived)
    assert arrived.get("Call") == "pbx-1.7"
    assert read_order(arrived, task=5) == event


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "its Order is ''; write situation, cancel, signal, done, value, transfer"),
        ({"Order": "SITUATION"}, "its Order is 'SITUATION'"),
        ({"Order": "done"}, "no task is asked for on this call now"),
        ({"Order": "situation"}, "its Word '' is no name"),
        ({"Order": "situation", "Word": "13800001111"}, "its Word '###########' is no name"),
        ({"Order": "situation", "Word": "噪音"}, r"its Word '\\u566a\\u97f3' is no name"),
        ({"Order": "signal", "Word": "under stood"}, "is no name"),
        ({"Order": "signal", "Word": "a" * (LONGEST_NAME + 1)}, "is no name"),
        ({"Order": "signal", "Word": "closing.order"}, "is no name"),
        ({"Order": "situation", "Word": "closing..order"}, "is no name"),
        ({"Order": "value", "Word": "noise"}, "its Value is no text of 1 to 200 printable characters"),
        ({"Order": "value", "Word": "noise", "Value": "\x1b[31m"}, "its Value is no text"),
        ({"Order": "value", "Word": "noise", "Value": "1" * (LONGEST_VALUE + 1)}, "its Value is no text"),
        ({"Order": "value", "Value": "1"}, "its Word '' is no name"),
    ],
)
def test_what_cannot_be_understood_is_refused(fields: dict[str, str], said: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        read_order(order(**fields), task=0)
    assert said.replace("\\\\", "\\") in str(refused.value)


@given(st.dictionaries(st.sampled_from(["Order", "Word", "Value"]), st.text(max_size=300)))
def test_whatever_comes_is_understood_or_refused_in_one_short_line_without_digits(fields: dict[str, str]) -> None:
    try:
        read_order(order(**fields), task=1)
    except OrderRefused as refused:
        said = str(refused)
        assert said.isascii()
        assert said.isprintable()
        assert len(said) < 600
        unescaped = re.sub(r"\\(x..|u....|U.{8})", "", said.replace("1 to 200", ""))
        assert not re.search(r"\d", unescaped)
