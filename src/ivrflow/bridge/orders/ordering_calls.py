"""Ordering a call from another process: log in at the manager, give the order, hear what becomes of it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from ivrflow.bridge.ami_client import AmiClient
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.orders.giving import ENGINE_WITHIN_S, NO_ENGINE, NotAsked
from ivrflow.bridge.orders.to_place_calls import Answer, CallWanted, call_off_fields, read_answer, wanted_fields
from ivrflow.settings import Settings


class Ordering:
    """One order. A context manager: it logs in at the manager, and leaves it again; the call goes on without it.

    Args:
        settings: where the manager is.
        wanted: the order.
    """

    def __init__(self, settings: Settings, wanted: CallWanted) -> None:
        self.wanted = wanted
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._lost = ""
        self._manager = AmiClient(
            settings.ami_host,
            settings.ami_port,
            settings.ami_user,
            settings.ami_secret,
            on_event=self._said,
            on_up=lambda: None,
            on_down=self._manager_down,
        )

    async def __aenter__(self) -> Self:
        """Log in.

        Raises:
            SettingsError: the manager cannot be reached, or refuses the login.
        """
        try:
            await self._manager.start()
        except BaseException:
            await self._manager.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._manager.close()

    async def give(self) -> Answer:
        """Give the order; the engine's first answer: dialling, or refused.

        Raises:
            NotAsked: Asterisk does not take the order, or no engine answers.
        """
        await self._tell(wanted_fields(self.wanted))
        answer = await self.next(ENGINE_WITHIN_S)
        if answer is None:
            raise NotAsked(NO_ENGINE)
        return answer

    async def take_back(self) -> None:
        """Take the order back; does something only while it rings.

        Raises:
            NotAsked: Asterisk does not take the order.
        """
        await self._tell(call_off_fields(self.wanted.ask))

    async def next(self, seconds: float | None = None) -> Answer | None:
        """The next answer; None when there is none within so many seconds.

        Raises:
            NotAsked: the connection broke, so that no answer can come.
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await self._answers.get()
        except TimeoutError:
            return None
        if answer is None:
            raise NotAsked(f"the manager connection broke ({self._lost}); look what became of it with: ivrflow calls")
        return answer

    async def _tell(self, fields: dict[str, str]) -> None:
        try:
            await self._manager.action("UserEvent", fields)
        except AmiError as error:
            raise NotAsked(f"the order could not be given: {error}") from error

    def _said(self, event: AmiEvent) -> None:
        if event.name == "UserEvent" and (answer := read_answer(event, self.wanted.ask)) is not None:
            self._answers.put_nowait(answer)

    def _manager_down(self, reason: str) -> None:
        self._lost = reason
        self._answers.put_nowait(None)
