"""Orders that are answered, as manager events: read strictly, answered in pages, put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge.ami_protocol import AmiEvent, build_action
from ivrflow.bridge.orders.answered import (
    MOST_PAGES,
    CallSeen,
    Reply,
    ReplyReader,
    asked_fields,
    heard_fields,
    is_asked,
    read_asked,
    reply_pages,
    who_asks,
)
from ivrflow.bridge.orders.to_calls import OrderRefused
from ivrflow.flow.problems import Location, Problem

ASK = "ask-00000001"


def event(fields: dict[str, str]) -> AmiEvent:
    return AmiEvent({"Event": "UserEvent", **fields})


@pytest.mark.parametrize("what", ["situation", "cancel", "signal", "done", "value", "transfer", "reload", "live"])
def test_an_order_is_read_as_it_was_given(what: str) -> None:
    order = read_asked(event(asked_fields(ASK, what, "pbx-1.1", "noise")))  # type: ignore[arg-type]  # one of them
    assert (order.ask, order.what, order.call) == (ASK, what, "pbx-1.1")
    assert order.event.get("Word") == "noise"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"Order": "reload"}, "its Ask is no name"),
        ({"Ask": "x" * 65, "Order": "reload"}, "its Ask is no name"),
        ({"Ask": ASK, "Order": "restart 13800001111"}, "its Order is 'restart ###########'; write situation"),
        ({"Ask": ASK, "Order": "cancel"}, "its Call is no call's id"),
        ({"Ask": ASK, "Order": "cancel", "Call": "a b"}, "its Call is no call's id"),
    ],
)
def test_what_cannot_be_read_says_why_and_nothing_personal(fields: dict[str, str], why: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        read_asked(event(fields))
    assert str(refused.value).startswith(why)
    assert who_asks(event(fields)) in {"", ASK}


def test_an_order_nobody_waits_for_is_none_of_these() -> None:
    assert not is_asked(event({"Order": "cancel", "Call": "pbx-1.1"}))
    assert is_asked(event({"Order": "reload"})), "whoever forgets the name is told so in the log"


PROBLEM = Problem(Location("流程/a.yaml", 3, 7), "there is no step '结束'", "did you mean 'end'?")


@given(
    st.builds(
        Reply,
        done=st.booleans(),
        call=st.text(),
        words=st.lists(st.text(max_size=300), max_size=5).map(tuple),
        problems=st.lists(st.just(PROBLEM), max_size=20).map(tuple),
        calls=st.lists(st.builds(CallSeen, call=st.text(), flow=st.text(), since=st.floats(0, 1e10)), max_size=20).map(
            tuple
        ),
        more_calls=st.integers(0, 10_000),
    ),
    st.randoms(use_true_random=False),
)
def test_an_answer_arrives_as_it_was_sent_in_lines_that_asterisk_takes(reply: Reply, chance: "object") -> None:
    pages = reply_pages(ASK, reply)
    for fields in pages:
        build_action("UserEvent", "ivrflow-1-1", fields)  # raises what Asterisk would throw away
    chance.shuffle(pages)  # type: ignore[attr-defined]  # a random.Random: in whatever order they come
    reader = ReplyReader(ASK)
    assert [reader.read(event(fields)) for fields in pages[:-1]] == [None] * (len(pages) - 1)
    assert reader.read(event(pages[-1])) == reply


def test_answers_to_others_and_other_events_are_not_ours() -> None:
    reader = ReplyReader(ASK)
    (page,) = reply_pages("ask-00000002", Reply(done=True))
    assert reader.read(event(page)) is None
    assert reader.read(event({"UserEvent": "Somebody", "Ask": ASK})) is None
    assert reader.read(event(heard_fields(ASK))) == "heard"


@pytest.mark.parametrize(
    "wrong", [{"Page": ""}, {"Page": "0/1"}, {"Page": f"1/{MOST_PAGES + 1}"}, {"Text": "?"}, {"Text": "bm8="}]
)
def test_an_answer_of_another_version_is_said_to_be_one(wrong: dict[str, str]) -> None:
    (page,) = reply_pages(ASK, Reply(done=True))
    with pytest.raises(OrderRefused, match="of one version"):
        ReplyReader(ASK).read(event({**page, **wrong}))
