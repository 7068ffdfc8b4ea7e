"""The manager connection against a scripted Asterisk on a real loopback socket. No test waits for a clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ivrflow.bridge.ami_client import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    AmiActionFailed,
    AmiActionTimeout,
    AmiClient,
    AmiConnectionLost,
    AmiLoginRefused,
    AmiUnreachable,
)
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.settings import SettingsError

SOON = 5.0


class Session:
    """One connection to the scripted Asterisk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def action(self) -> dict[str, str]:
        """The next action that arrives."""
        async with asyncio.timeout(SOON):
            block = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return dict(line.split(": ", 1) for line in block.split("\r\n") if line)

    async def nothing_more(self) -> bytes:
        """Everything until the client closes."""
        async with asyncio.timeout(SOON):
            return await self._reader.read()

    def say(self, **headers: str) -> None:
        self.writer.write("".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n")

    def answer(self, action: dict[str, str], response: str = "Success", **headers: str) -> None:
        self.say(Response=response, ActionID=action["ActionID"], **headers)


class Asterisk:
    """Accepts connections; every one is greeted, and logged in unless told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self.login_answer = "Success"
        self.sessions: asyncio.Queue[Session] = asyncio.Queue()
        self.logins: list[dict[str, str]] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        self._open: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        self.connections += 1
        self.arrived.set()
        session = Session(reader, writer)
        writer.write(self.greeting)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            login = await session.action()
            self.logins.append(login)
            session.answer(login, self.login_answer, Message="Authentication as scripted")
            self.sessions.put_nowait(session)

    async def session(self) -> Session:
        """The next one that got as far as logging in."""
        async with asyncio.timeout(SOON):
            return await self.sessions.get()

    async def vanish(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None


class Watched:
    """A client and what it reports."""

    def __init__(self, port: int, **options: float) -> None:
        self.events: asyncio.Queue[AmiEvent] = asyncio.Queue()
        self.ups: asyncio.Queue[str] = asyncio.Queue()
        self.downs: asyncio.Queue[str] = asyncio.Queue()
        self.pauses: asyncio.Queue[float] = asyncio.Queue()
        self.go_on = asyncio.Semaphore(0)
        self.client = AmiClient(
            "127.0.0.1",
            port,
            "ivrflow",
            "secret",
            self.events.put_nowait,
            lambda: self.ups.put_nowait("up"),
            self.downs.put_nowait,
            jitter=lambda: 0.0,
            sleep=self._sleep,
            **options,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.put_nowait(seconds)
        await self.go_on.acquire()


@pytest_asyncio.fixture
async def asterisk() -> AsyncIterator[Asterisk]:
    made = Asterisk()
    await made.listen()
    yield made
    await made.vanish()


@pytest_asyncio.fixture
async def watched(asterisk: Asterisk) -> AsyncIterator[Watched]:
    made = Watched(asterisk.port)
    await made.client.start()
    assert made.ups.get_nowait() == "up"
    yield made
    await made.client.close()
    assert [task for task in asyncio.all_tasks() if "manager" in task.get_name()] == []


async def soon(queue: "asyncio.Queue[str] | asyncio.Queue[AmiEvent] | asyncio.Queue[float]") -> object:
    async with asyncio.timeout(SOON):
        return await queue.get()


async def test_login(asterisk: Asterisk, watched: Watched) -> None:
    login = asterisk.logins[0]
    assert (login["Action"], login["Username"], login["Secret"]) == ("Login", "ivrflow", "secret")
    assert watched.client.is_up


async def test_action(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    waiting = asyncio.ensure_future(
        watched.client.action("Setvar", {"Channel": "PJSIP/a-1"}, variables={"X": "a,b"}, seconds=SOON)
    )
    action = await session.action()
    assert (action["Action"], action["Channel"], action["Variable"]) == ("Setvar", "PJSIP/a-1", "X=a\\,b")
    session.answer(action, Message="Variable Set")
    assert (await waiting).message == "Variable Set"


async def test_answers_find_their_actions_in_any_order(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    asked = [asyncio.ensure_future(watched.client.action("Ping", {"N": str(number)})) for number in range(3)]
    actions = [await session.action() for _ in range(3)]
    for action in reversed(actions):
        session.answer(action, Message=action["N"])
    assert [(await one).message for one in asked] == ["0", "1", "2"]


async def test_refused_action(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    waiting = asyncio.ensure_future(watched.client.action("Hangup", {"Channel": "gone"}))
    session.answer(await session.action(), "Error", Message="No such channel")
    with pytest.raises(AmiActionFailed, match="Asterisk refused Hangup: No such channel") as error:
        await waiting
    assert error.value.response.message == "No such channel"


async def test_an_action_that_is_not_answered(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    with pytest.raises(AmiActionTimeout, match=r"has not answered Originate within 0\.01 s"):
        await watched.client.action("Originate", seconds=0.01)
    session.answer(await session.action(), Message="too late")  # and of no harm
    waiting = asyncio.ensure_future(watched.client.action("Ping"))
    session.answer(await session.action(), Message="in time")
    assert (await waiting).message == "in time"


async def test_what_cannot_be_written_is_not_sent(watched: Watched) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        await watched.client.action("Originate", {"Channel": "x\r\nAction: Logoff"})


async def test_list(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    waiting = asyncio.ensure_future(watched.client.list_action("CoreShowChannels"))
    action = await session.action()
    session.answer(action, EventList="start")
    for number in ("1", "2"):
        session.say(Event="CoreShowChannel", ActionID=action["ActionID"], Uniqueid=number)
        session.say(Event="Hangup", Uniqueid=number)
    session.say(Event="CoreShowChannelsComplete", ActionID=action["ActionID"], EventList="Complete", ListItems="2")
    assert [item.get("Uniqueid") for item in await waiting] == ["1", "2"]
    assert [watched.events.get_nowait().name for _ in range(watched.events.qsize())] == ["Hangup", "Hangup"]


async def test_an_action_of_another_client_that_comes_as_an_event_is_no_item_of_our_list(
    asterisk: Asterisk, watched: Watched
) -> None:
    session = await asterisk.session()
    other = Watched(asterisk.port)
    await other.client.start()
    its_session = await asterisk.session()
    its_action = asyncio.ensure_future(other.client.action("UserEvent", {"UserEvent": "Ivrflow"}))
    sent = await its_session.action()
    waiting = asyncio.ensure_future(watched.client.list_action("CoreShowChannels"))
    action = await session.action()
    session.answer(action, EventList="start")
    session.say(Event="UserEvent", UserEvent="Ivrflow", ActionID=sent["ActionID"])
    session.say(Event="CoreShowChannelsComplete", ActionID=action["ActionID"], EventList="Complete", ListItems="0")
    assert await waiting == []
    came = await soon(watched.events)
    assert isinstance(came, AmiEvent)
    assert came.name == "UserEvent"
    its_session.answer(sent)
    await its_action
    await other.client.close()


async def test_refused_list(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    waiting = asyncio.ensure_future(watched.client.list_action("QueueStatus"))
    session.answer(await session.action(), "Error", Message="Invalid/unknown command")
    with pytest.raises(AmiActionFailed):
        await waiting


async def test_events_in_order_also_those_with_an_action_id(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    session.say(Event="FullyBooted")
    session.say(Event="OriginateResponse", ActionID="of-nobody", Response="Failure")
    assert [await soon(watched.events), await soon(watched.events)] == [
        AmiEvent({"Event": "FullyBooted"}),
        AmiEvent({"Event": "OriginateResponse", "ActionID": "of-nobody", "Response": "Failure"}),
    ]


# --- start


async def test_wrong_password_is_said_once(asterisk: Asterisk) -> None:
    asterisk.login_answer = "Error"
    watched = Watched(asterisk.port)
    with pytest.raises(AmiLoginRefused, match=r"login of 'ivrflow' at 127\.0\.0\.1:\d+ \(Authentication as") as error:
        await watched.client.start()
    assert isinstance(error.value, SettingsError)
    assert "secret" not in str(error.value).replace("the user and the secret", "")
    await watched.client.close()
    assert asterisk.connections == 1
    assert watched.ups.empty()
    assert watched.pauses.empty()


async def test_nobody_listens(asterisk: Asterisk) -> None:
    await asterisk.vanish()
    with pytest.raises(AmiUnreachable, match=r"at 127\.0\.0\.1:\d+ \(Connection refused\); is Asterisk running"):
        await Watched(asterisk.port).client.start()


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"Asterisk\n"])
async def test_another_service_listens(asterisk: Asterisk, greeting: bytes) -> None:
    asterisk.greeting = greeting
    with pytest.raises(AmiUnreachable, match="expected `Asterisk Call Manager"):
        await Watched(asterisk.port).client.start()


async def test_actions_before_the_start(asterisk: Asterisk) -> None:
    with pytest.raises(AmiConnectionLost, match="Ping was not sent"):
        await Watched(asterisk.port).client.action("Ping")


# --- loss and return


async def test_pending_actions_fail_and_are_never_sent_again(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    originate = asyncio.ensure_future(watched.client.action("Originate", seconds=600))
    channels = asyncio.ensure_future(watched.client.list_action("CoreShowChannels", seconds=600))
    await session.action()
    session.answer(await session.action(), EventList="start")
    await asterisk.vanish()
    for pending in (originate, channels):
        with pytest.raises(AmiConnectionLost, match="the manager connection was lost"):
            await pending
    await soon(watched.downs)
    assert not watched.client.is_up
    with pytest.raises(AmiConnectionLost, match="Hangup was not sent: the manager connection is down"):
        await watched.client.action("Hangup")
    await asterisk.listen()
    watched.go_on.release()
    assert await soon(watched.ups) == "up"
    session = await asterisk.session()
    ping = asyncio.ensure_future(watched.client.action("Ping"))
    action = await session.action()
    assert action["Action"] == "Ping"  # nothing old came first
    session.answer(action)
    await ping


async def test_a_clean_close_is_a_loss(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    session.writer.close()
    assert await soon(watched.downs) == "Asterisk closed the connection"
    watched.go_on.release()
    assert await soon(watched.ups) == "up"


async def test_garbage_is_a_loss(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    session.writer.write(b"Event: Before\r\n\r\nnonsense\r\n\r\n")
    reason = await soon(watched.downs)
    assert "expected an Event or a Response" in str(reason)
    assert watched.events.get_nowait().name == "Before"


async def test_pauses_grow_up_to_a_bound(asterisk: Asterisk, watched: Watched) -> None:
    await asterisk.vanish()
    await soon(watched.downs)
    pauses = []
    for _ in range(8):
        pauses.append(await soon(watched.pauses))
        watched.go_on.release()
    assert pauses[:4] == [FIRST_PAUSE_SECONDS * 2**attempt for attempt in range(4)]
    assert pauses[-2:] == [LONGEST_PAUSE_SECONDS] * 2
    await asterisk.listen()
    watched.go_on.release()
    await soon(watched.ups)
    assert watched.downs.empty()


async def test_chance_shortens_a_pause_by_up_to_a_half(asterisk: Asterisk) -> None:
    slept: asyncio.Queue[float] = asyncio.Queue()

    async def sleep(seconds: float) -> None:
        slept.put_nowait(seconds)

    client = AmiClient(
        "127.0.0.1", asterisk.port, "u", "s", print, lambda: None, lambda _: None, jitter=lambda: 1.0, sleep=sleep
    )
    await client.start()
    (await asterisk.session()).writer.close()
    assert await soon(slept) == FIRST_PAUSE_SECONDS / 2
    await client.close()


async def test_a_login_refused_after_a_loss_is_tried_again(asterisk: Asterisk, watched: Watched) -> None:
    """Asterisk may be restarting with another configuration; live calls go on meanwhile."""
    asterisk.login_answer = "Error"
    (await asterisk.session()).writer.close()
    for _ in range(2):
        await soon(watched.pauses)
        watched.go_on.release()
        await asterisk.session()
    asterisk.login_answer = "Success"
    watched.go_on.release()
    assert await soon(watched.ups) == "up"


async def test_a_link_that_is_dead_without_a_word(asterisk: Asterisk) -> None:
    watched = Watched(asterisk.port, ping_interval=0.01, ping_seconds=0.02)
    await watched.client.start()
    session = await asterisk.session()
    assert (await session.action())["Action"] == "Ping"
    assert await soon(watched.downs) == "no answer to a ping within 0.02 s"
    await watched.client.close()


async def test_answered_pings_keep_the_link(asterisk: Asterisk) -> None:
    watched = Watched(asterisk.port, ping_interval=0.001)
    await watched.client.start()
    session = await asterisk.session()
    for _ in range(5):
        session.answer(await session.action(), Ping="Pong")
    assert watched.downs.empty()
    await watched.client.close()


# --- closing, at any moment


async def test_closing_fails_what_is_pending(asterisk: Asterisk, watched: Watched) -> None:
    session = await asterisk.session()
    pending = asyncio.ensure_future(watched.client.action("Ping"))
    await session.action()
    await watched.client.close()
    with pytest.raises(AmiConnectionLost, match="closed"):
        await pending
    assert watched.downs.empty()
    assert not watched.client.is_up
    assert await session.nothing_more() == b""


async def test_closing_while_waiting_to_reconnect(asterisk: Asterisk, watched: Watched) -> None:
    (await asterisk.session()).writer.close()
    await soon(watched.pauses)
    await watched.client.close()
    watched.go_on.release()
    await asyncio.sleep(0)
    assert asterisk.connections == 1


async def test_closing_while_logging_in_again(asterisk: Asterisk, watched: Watched) -> None:
    asterisk.greeting = b"Asterisk Call"  # and never the rest
    session = await asterisk.session()
    asterisk.arrived = asyncio.Event()
    session.writer.close()
    watched.go_on.release()
    async with asyncio.timeout(SOON):
        await asterisk.arrived.wait()
    await watched.client.close()


async def test_closing_while_starting(asterisk: Asterisk) -> None:
    asterisk.greeting = b""
    watched = Watched(asterisk.port)
    starting = asyncio.ensure_future(watched.client.start())
    async with asyncio.timeout(SOON):
        await asterisk.arrived.wait()
    await watched.client.close()
    with pytest.raises(AmiConnectionLost, match="closed while connecting"):
        await starting


async def test_giving_up_the_start(asterisk: Asterisk) -> None:
    asterisk.greeting = b""
    watched = Watched(asterisk.port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await watched.client.start()
    await watched.client.close()
    assert [task for task in asyncio.all_tasks() if "manager" in task.get_name()] == []


async def test_closing_twice(watched: Watched) -> None:
    await watched.client.close()
    await watched.client.close()
