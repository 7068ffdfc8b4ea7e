"""An order given to an engine that runs elsewhere: what it is asked, what comes back, and every way to hear nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from little_manager import DONE, Answering, Fields, little_manager, refused

from ivrflow.bridge.orders import giving
from ivrflow.bridge.orders.answered import Reply, heard_fields, reply_pages
from ivrflow.bridge.orders.giving import NotAsked, ask_engine
from ivrflow.settings import SettingsError, read_settings

REPLY = Reply(done=True, call="pbx-1.1", words=("the call is at situation noise",))


def says(*events: Fields) -> Answering:
    """The manager takes the order; these events follow, with the order's name unless they have one."""

    def answering(order: Fields) -> Sequence[Fields]:
        return [DONE, *({"Event": "UserEvent", "Ask": order["Ask"], **event} for event in events)]

    return answering


def answer(reply: Reply = REPLY, *, heard: bool = False) -> list[Fields]:
    """An engine's answer, without the name of the order."""
    told = [heard_fields("")] if heard else []
    return [{name: text for name, text in page.items() if name != "Ask"} for page in [*told, *reply_pages("", reply)]]


async def test_the_order_goes_out_once_and_its_answer_comes_back() -> None:
    async with little_manager(says(*answer())) as (environment, actions):
        assert await ask_engine(read_settings(environment), "situation", "pbx-1", "noise") == REPLY
    (order,) = actions
    assert order["Action"] == "UserEvent"
    assert (order["UserEvent"], order["Order"], order["Call"], order["Word"]) == (
        *("Ivrflow", "situation", "pbx-1", "noise"),
    )


async def test_an_order_to_the_engine_names_no_call() -> None:
    async with little_manager(says(*answer())) as (environment, actions):
        await ask_engine(read_settings(environment), "live")
    assert not {"Call", "Word"} & actions[0].keys()


async def test_no_two_orders_have_one_name() -> None:
    async with little_manager(says(*answer())) as (environment, actions):
        for _ in range(2):
            await ask_engine(read_settings(environment), "live")
    first, second = (order["Ask"] for order in actions)
    assert first != second


async def test_answers_to_others_and_other_events_are_passed_over() -> None:
    others = Reply(done=False, words=("this is not for us",))
    strange = [{"Ask": "somebody-else", **page} for page in answer(others)]
    call = {"Event": "Hangup", "Uniqueid": "pbx-1.1"}
    async with little_manager(says(*strange, call, *answer())) as (environment, _):
        assert await ask_engine(read_settings(environment), "live") == REPLY


async def test_an_answer_of_several_pages_in_any_order() -> None:
    long = Reply(done=True, words=("a word " * 400,))
    pages = answer(long)
    assert len(pages) > 2
    async with little_manager(says(*reversed(pages))) as (environment, _):
        assert await ask_engine(read_settings(environment), "live") == long


async def test_an_engine_that_needs_a_while_says_so_first() -> None:
    heard: list[str] = []
    async with little_manager(says(*answer(heard=True))) as (environment, _):
        reply = await ask_engine(read_settings(environment), "reload", on_heard=lambda: heard.append("heard"))
        assert (reply, heard) == (REPLY, ["heard"])
        assert await ask_engine(read_settings(environment), "reload") == REPLY, "nobody need hear of it"


async def test_no_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "ENGINE_WITHIN_S", 0.05)
    async with little_manager(says()) as (environment, _):
        with pytest.raises(NotAsked, match="is `ivrflow serve` running"):
            await ask_engine(read_settings(environment), "live", seconds=60.0)


async def test_an_engine_that_heard_has_as_long_as_the_order_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "ENGINE_WITHIN_S", 60.0)
    async with little_manager(says(*answer(heard=True)[:1])) as (environment, _):
        with pytest.raises(NotAsked, match=r"within 0\.05 s what came of it; its log does"):
            await ask_engine(read_settings(environment), "reload", seconds=0.05)


async def test_what_is_no_answer_is_not_taken_for_one() -> None:
    for event in (
        {"UserEvent": "IvrflowAnswer", "State": "told", "Page": "1 of 1", "Text": "e30="},
        {"UserEvent": "IvrflowAnswer", "State": "told", "Page": "1/1", "Text": "e30="},
    ):
        async with little_manager(says(event)) as (environment, _):
            with pytest.raises(NotAsked, match=r"the engine's answer: .*are engine and command of one version"):
                await ask_engine(read_settings(environment), "live")


async def test_an_order_asterisk_does_not_take() -> None:
    async with little_manager(lambda _order: refused("Permission denied")) as (environment, _):
        with pytest.raises(NotAsked, match=r"the order could not be given: .*Permission denied"):
            await ask_engine(read_settings(environment), "live")


async def test_a_connection_that_breaks_before_the_answer() -> None:
    async with little_manager(lambda _order: [DONE, {}]) as (environment, _):
        with pytest.raises(NotAsked, match="the manager connection broke"):
            await ask_engine(read_settings(environment), "live")


async def test_a_manager_that_is_not_there() -> None:
    async with little_manager(says()) as (environment, _):
        gone = read_settings(environment)
    with pytest.raises(SettingsError):
        await ask_engine(gone, "live")
