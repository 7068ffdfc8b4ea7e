"""One connection to the Asterisk Manager Interface, kept up.

An own client, because the guard that panoramisk 1.4 needs is larger than a client: measured, it sends actions again
that were unanswered when the link broke (an Originate would ring twice), tries a wrong password for ever and calls that
connected, loses a character that was cut between two reads, and goes on reconnecting after it was closed.

Here an action is sent once or not at all. What was unanswered when the link broke fails, and the caller decides.
"""

import asyncio
import itertools
import logging
import os
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from ivrflow.bridge.ami_protocol import (
    AmiError,
    AmiEvent,
    AmiMessage,
    AmiParser,
    AmiProtocolError,
    AmiResponse,
    build_action,
)
from ivrflow.settings import SettingsError

log = logging.getLogger("ivrflow.bridge")

ACTION_SECONDS = 5.0
"""How long an answer may take. Asterisk takes about a millisecond."""
CONNECT_SECONDS = 5.0
PING_INTERVAL_SECONDS = 10.0
PING_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
"""Longest wait between two attempts to connect again, before chance shortens it by up to a half."""
_TASK_NAME = "ivrflow manager connection"


class AmiLoginRefused(SettingsError):
    """Asterisk does not know the manager user, or not with this secret."""


class AmiUnreachable(SettingsError):
    """No manager interface answers at the address."""


class AmiConnectionLost(AmiError):
    """The link broke, or was down, before the action was answered. Whether Asterisk did it is unknown."""


class AmiActionFailed(AmiError):
    """Asterisk refused the action. `response` is its answer."""

    def __init__(self, action: str, response: AmiResponse) -> None:
        super().__init__(f"Asterisk refused {action}: {response.message or 'it did not say why'}")
        self.response = response


class AmiActionTimeout(AmiError, TimeoutError):
    """Asterisk has not answered the action in time. Whether it did it is unknown."""


class _Pending:
    """An action between its sending and its last answer."""

    __slots__ = ("answer", "is_list", "items", "response")

    def __init__(self, answer: "asyncio.Future[_Pending]", *, is_list: bool) -> None:
        self.answer = answer
        self.is_list = is_list
        self.items: list[AmiEvent] = []
        self.response: AmiResponse

    def finish(self) -> None:
        if not self.answer.done():
            self.answer.set_result(self)


class _Link(asyncio.Protocol):
    """One TCP connection to the manager, from its banner to its end."""

    def __init__(self, on_event: Callable[[AmiEvent], None]) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[str] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        """Done with the reason when the link is gone."""
        self._on_event: Callable[[AmiEvent], None] = on_event
        self._parser = AmiParser()
        self._pending: dict[str, _Pending] = {}
        self._transport: asyncio.Transport
        self._reason = "Asterisk closed the connection"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.lost.done():
            return
        try:
            messages = self._parser.receive_data(data)
        except AmiProtocolError as error:
            self._deliver(error.messages)
            self.drop(str(error))
            return
        if not self.greeted.done() and self._parser.banner:
            self.greeted.set_result(self._parser.banner)
        self._deliver(messages)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._reason = str(exc) or type(exc).__name__
        self._end()

    def drop(self, reason: str) -> None:
        """Close at once; everything pending fails with that reason."""
        self._reason = reason
        self._transport.abort()
        self._end()

    async def ask(self, name: str, data: bytes, action_id: str, seconds: float, *, is_list: bool) -> _Pending:
        """Send an action and wait for its last answer."""
        if self.lost.done():
            raise AmiConnectionLost(f"{name} was not sent: {self.lost.result()}")
        pending = _Pending(asyncio.get_running_loop().create_future(), is_list=is_list)
        self._pending[action_id] = pending
        try:
            self._transport.write(data)
            async with asyncio.timeout(seconds):
                await pending.answer
        except TimeoutError:
            raise AmiActionTimeout(f"Asterisk has not answered {name} within {seconds:g} s") from None
        finally:
            self._pending.pop(action_id, None)
        if not pending.response.succeeded:
            raise AmiActionFailed(name, pending.response)
        return pending

    def _deliver(self, messages: list[AmiMessage]) -> None:
        for message in messages:
            pending = self._pending.get(message.action_id)
            if isinstance(message, AmiResponse):
                if pending is not None:
                    pending.response = message
                    if not pending.is_list or not message.succeeded:
                        pending.finish()
            elif pending is not None and pending.is_list:
                if message.get("EventList") == "Complete":
                    pending.finish()
                else:
                    pending.items.append(message)
            else:
                self._on_event(message)

    def _end(self) -> None:
        if self.lost.done():
            return
        self.lost.set_result(self._reason)
        if not self.greeted.done():
            self.greeted.cancel()
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(AmiConnectionLost(f"the manager connection was lost: {self._reason}"))


class AmiClient:
    """The manager connection: logs in, keeps itself up, sends actions, hands on events.

    Args:
        host: where Asterisk's manager listens.
        port: its TCP port.
        user: the account in manager.conf.
        secret: its password.
        on_event: called with every event that is not part of a list that was asked for. It must not block.
        on_up: called after every login, the first included: events come from now on, so look what was missed.
        on_down: called with the reason when the link is lost; not when it is closed by us.
        ping_interval: seconds between two looks whether the link is alive.
        ping_seconds: how long a ping's answer may take before the link counts as dead.
        jitter: a number from 0 to 1, anew at every call, so that several engines do not all come back at once.
        sleep: waits that many seconds, between two attempts to connect again.
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        on_event: Callable[[AmiEvent], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        *,
        ping_interval: float = PING_INTERVAL_SECONDS,
        ping_seconds: float = PING_SECONDS,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.host = host
        self.port = port
        self._user = user
        self._secret = secret
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self._ping_interval = ping_interval
        self._ping_seconds = ping_seconds
        self._jitter = jitter
        self._sleep = sleep
        # Another client's action may come to us as an event with its ActionID (UserEvent does): so ours are nobody else's.
        self._own = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._link: _Link | None = None
        self._keeper: asyncio.Task[object] | None = None
        self._closed = False

    @property
    def is_up(self) -> bool:
        """Whether we are logged in."""
        return self._link is not None and not self._link.lost.done()

    async def start(self) -> None:
        """Connect and log in; from then on the connection looks after itself.

        Raises:
            AmiLoginRefused: wrong user or secret (a SettingsError). Not tried again.
            AmiUnreachable: nobody listens there, or not a manager (a SettingsError).
            AmiConnectionLost: closed meanwhile.
        """
        self._keeper = connecting = asyncio.get_running_loop().create_task(self._connect(), name=_TASK_NAME)
        try:
            link = await connecting
        except asyncio.CancelledError:
            if self._closed:
                raise AmiConnectionLost("closed while connecting") from None
            raise
        except (OSError, AmiError) as error:
            raise AmiUnreachable(
                f"no Asterisk manager interface answers at {self.host}:{self.port} ({_reason(error)}); "
                f"is Asterisk running, and is its manager.conf enabled on that address?"
            ) from error
        if self._closed:  # in the moment between the login and this
            link.drop("closed while connecting")
            raise AmiConnectionLost("closed while connecting")
        self._keeper = asyncio.get_running_loop().create_task(self._keep(link), name=_TASK_NAME)
        self._came_up(link)

    async def close(self) -> None:
        """Close for good, from whatever state; pending actions fail. Nothing is left running."""
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._link is not None:
            self._link.drop("closed")
            self._link = None

    async def action(
        self,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        seconds: float = ACTION_SECONDS,
    ) -> AmiResponse:
        """Do something in Asterisk.

        Args:
            name: the action, e.g. `Originate`.
            headers: what it needs.
            variables: channel variables to set.
            seconds: how long the answer may take.

        Raises:
            AmiActionFailed: Asterisk refused.
            AmiActionTimeout: no answer in time (a TimeoutError).
            AmiConnectionLost: the link is down or broke before the answer. The action is not sent again.
            ValueError: a header cannot be written as it is.
        """
        return (await self._ask(name, headers, variables, seconds, is_list=False)).response

    async def list_action(
        self, name: str, headers: Mapping[str, str] | None = None, *, seconds: float = ACTION_SECONDS
    ) -> list[AmiEvent]:
        """Ask for a list, e.g. `CoreShowChannels`; its items do not go to `on_event`.

        Raises:
            AmiActionFailed, AmiActionTimeout, AmiConnectionLost, ValueError: as for `action`.
        """
        return (await self._ask(name, headers, None, seconds, is_list=True)).items

    async def _ask(
        self,
        name: str,
        headers: Mapping[str, str] | None,
        variables: Mapping[str, str] | None,
        seconds: float,
        *,
        is_list: bool,
        link: _Link | None = None,
    ) -> _Pending:
        action_id = f"ivrflow-{self._own}-{next(self._numbers)}"
        data = build_action(name, action_id, headers, variables)
        if (link := link or self._link) is None:
            raise AmiConnectionLost(f"{name} was not sent: the manager connection is down")
        return await link.ask(name, data, action_id, seconds, is_list=is_list)

    # --- keeping it up

    async def _connect(self) -> _Link:
        """One attempt: connect, await the greeting, log in.

        Raises:
            OSError, AmiError: it failed.
            AmiLoginRefused: Asterisk said no to the login.
        """
        loop = asyncio.get_running_loop()
        link: _Link | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, link = await loop.create_connection(lambda: _Link(self._on_event), self.host, self.port)
                await asyncio.wait((link.greeted, link.lost), return_when=asyncio.FIRST_COMPLETED)
            if link.lost.done():
                raise AmiConnectionLost(link.lost.result())
            login = {"Username": self._user, "Secret": self._secret, "Events": "on"}
            await self._ask("Login", login, None, ACTION_SECONDS, is_list=False, link=link)
        except AmiActionFailed as error:
            raise AmiLoginRefused(
                f"Asterisk refuses the manager login of {self._user!r} at {self.host}:{self.port} "
                f"({error.response.message}); compare the user and the secret with Asterisk's manager.conf"
            ) from error
        except TimeoutError:
            raise AmiConnectionLost("no greeting or login answer in time") from None
        else:
            connected, link = link, None
            return connected
        finally:
            if link is not None:
                link.drop("not logged in")

    def _came_up(self, link: _Link) -> None:
        self._link = link
        self._on_up()

    async def _keep(self, link: _Link) -> None:
        """Watch the link; when it is lost, connect again until that succeeds."""
        while True:
            reason = await self._watch(link)
            self._link = None
            log.warning("lost the manager connection to %s:%d: %s", self.host, self.port, reason)
            self._on_down(reason)
            link = await self._reconnect()
            log.info("the manager connection to %s:%d is back", self.host, self.port)
            self._came_up(link)

    async def _watch(self, link: _Link) -> str:
        """Ping until the link is lost; returns why."""
        while True:
            await asyncio.wait((link.lost,), timeout=self._ping_interval)
            if link.lost.done():
                return link.lost.result()
            try:
                await self._ask("Ping", None, None, self._ping_seconds, is_list=False, link=link)
            except TimeoutError:
                link.drop(f"no answer to a ping within {self._ping_seconds:g} s")
            except AmiActionFailed as error:
                link.drop(str(error))
            except AmiConnectionLost:
                pass  # the link says why

    async def _reconnect(self) -> _Link:
        pause = FIRST_PAUSE_SECONDS
        told = ""
        while True:
            await self._sleep(pause * (1 - self._jitter() / 2))
            try:
                return await self._connect()
            except (OSError, AmiError, AmiLoginRefused) as error:
                if (reason := _reason(error)) != told:
                    log.warning("cannot connect to the manager again yet: %s", reason)
                    told = reason
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text only repeats the address
    return str(error) or type(error).__name__
