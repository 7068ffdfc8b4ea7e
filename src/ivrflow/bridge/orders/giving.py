"""Giving the engine an order from another process: log in at the manager, give it, wait for the answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.orders.answered import Reply, ReplyReader, What, asked_fields
from ivrflow.bridge.orders.to_calls import OrderRefused
from ivrflow.settings import Settings

ENGINE_WITHIN_S = 5.0
"""Seconds the engine has to answer an order; it takes milliseconds."""

NO_ENGINE = (
    "no engine answers: is `ivrflow serve` running at this Asterisk, and does manager.conf give its user the class 'user' in "
    "'read' and 'write'?"
)


class NotAsked(Exception):
    """The order could not be given, or its answer was lost; says what to do."""


async def ask_engine(
    settings: Settings,
    what: What,
    call: str = "",
    word: str = "",
    *,
    seconds: float = ENGINE_WITHIN_S,
    on_heard: Callable[[], None] | None = None,
) -> Reply:
    """Give the running engine an order and hear what came of it.

    Args:
        settings: where the manager is.
        what: the order.
        call: the call it is for, or a beginning of its id; empty for an order to the engine.
        word: the situation, signal or step it names.
        seconds: how long it may take, once the engine has said that it takes a while.
        on_heard: called when the engine says that it will take a while.

    Raises:
        SettingsError: the manager cannot be reached, or refuses the login.
        NotAsked: Asterisk does not take the order, no engine answers, or the connection broke.
    """
    ask = secrets.token_hex(8)
    told: asyncio.Queue[AmiEvent | str] = asyncio.Queue()

    def said(event: AmiEvent) -> None:
        if event.name == "UserEvent" and event.get("Ask") == ask:
            told.put_nowait(event)

    manager = AmiClient(
        settings.ami_host,
        settings.ami_port,
        settings.ami_user,
        settings.ami_secret,
        on_event=said,
        on_up=lambda: None,
        on_down=told.put_nowait,
    )
    try:
        await manager.start()
        try:
            await manager.action("UserEvent", asked_fields(ask, what, call, word))
        except AmiError as error:
            raise NotAsked(f"the order could not be given: {error}") from error
        return await _answer(ReplyReader(ask), told, seconds, on_heard)
    finally:
        await manager.close()


async def _answer(
    reader: ReplyReader, told: asyncio.Queue[AmiEvent | str], seconds: float, on_heard: Callable[[], None] | None
) -> Reply:
    patience, is_heard = ENGINE_WITHIN_S, False
    while True:
        try:
            async with asyncio.timeout(patience):
                event = await told.get()
        except TimeoutError:
            raise NotAsked(
                f"the engine has not said within {seconds:g} s what came of it; its log does" if is_heard else NO_ENGINE
            ) from None
        if isinstance(event, str):
            raise NotAsked(f"the manager connection broke ({event}) before the engine answered")
        try:
            reply = reader.read(event)
        except OrderRefused as problem:
            raise NotAsked(f"the engine's answer: {problem}") from None
        if reply == "heard":
            patience, is_heard = seconds, True
            if on_heard is not None:
                on_heard()
        elif reply is not None:
            return reply
