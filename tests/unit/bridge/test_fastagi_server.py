"""The server over real loopback sockets, on both event loops it may run on."""

import asyncio
import contextlib
import inspect
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.agi_protocol import MAX_WAITING_COMMANDS
from ivrflow.bridge.fastagi_server import AgiChannel, FastAgiServer
from ivrflow.settings import SettingsError

ENVIRONMENT = b"agi_network: yes\nagi_network_script: gov12345?lang=zh\nagi_uniqueid: pbx-1.1\n\n"
MARK = b'NOOP "ivrflow mark"\n'
ANSWER_SOON = 5.0


class Call:
    """A handler that writes down what it is told."""

    def __init__(self, channel: AgiChannel) -> None:
        self.channel = channel
        self.told: asyncio.Queue[object] = asyncio.Queue()

    def replied(self, command_id: int, reply: Reply) -> None:
        self.told.put_nowait((command_id, reply))

    def playback_ended(self, ending: PlaybackFinished) -> None:
        self.told.put_nowait(ending)

    def hung_up(self) -> None:
        self.told.put_nowait("hung up")

    def closed(self) -> None:
        self.told.put_nowait("closed")

    async def next(self) -> object:
        async with asyncio.timeout(ANSWER_SOON):
            return await self.told.get()


class Asterisk:
    """The peer, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self) -> bytes:
        async with asyncio.timeout(ANSWER_SOON):
            return await self.reader.readline()

    async def hear_end(self) -> bytes:
        """Whatever comes until the server closes."""
        async with asyncio.timeout(ANSWER_SOON):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def reset(self) -> None:
        """Vanish with a RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Place:
    """A running server and whoever connects to it."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self.server = FastAgiServer(self._on_call, environment_seconds=30, max_connections=3)
        self.peers: list[Asterisk] = []

    def _on_call(self, channel: AgiChannel) -> Call:
        call = Call(channel)
        self.calls.put_nowait(call)
        return call

    async def peer(self) -> Asterisk:
        peer = Asterisk(*await asyncio.open_connection("127.0.0.1", self.server.port))
        self.peers.append(peer)
        return peer

    async def call(self) -> tuple[Asterisk, Call]:
        peer = await self.peer()
        peer.say(ENVIRONMENT)
        async with asyncio.timeout(ANSWER_SOON):
            return peer, await self.calls.get()


@contextlib.asynccontextmanager
async def running_place() -> AsyncIterator[Place]:
    """A server on a free port; afterwards nothing is left of it."""
    made = Place()
    await made.server.start("127.0.0.1", 0)
    try:
        yield made
    finally:
        await made.server.close()
        for peer in made.peers:
            await peer.close()
    assert made.server.connections == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


def on_both_loops(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run the test, which takes a place, on asyncio's own event loop and on uvloop."""

    def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], **fixtures: object) -> None:
        async def within() -> None:
            async with running_place() as place:
                await test(place, **fixtures)

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(within())

    wanted = list(inspect.signature(test).parameters.values())[1:]
    loop_factory = inspect.Parameter("loop_factory", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = inspect.Signature([loop_factory, *wanted])  # type: ignore[attr-defined]  # pytest reads it
    run.__name__ = test.__name__
    both = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return pytest.mark.parametrize("loop_factory", both.values(), ids=both.keys())(run)


@on_both_loops
async def test_one_call_from_end_to_end(place: Place) -> None:
    asterisk, call = await place.call()
    assert call.channel.environment.path == "gov12345"
    assert call.channel.environment.query == {"lang": "zh"}
    assert call.channel.peer.startswith("127.0.0.1:")
    answering = call.channel.send(agi.answer())
    assert await asterisk.hear() == b"ANSWER\n"
    asterisk.say(b"200 result=0\n")
    assert await call.next() == (answering, Reply(200, "0"))
    prompt = call.channel.send(agi.stream_file("hello"))
    assert await asterisk.hear() == b'STREAM FILE "hello" ""\n'
    asterisk.say(b"200 result=0 endpos=8000\n")
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.FINISHED, 8000)
    asterisk.say(b"HANGUP\n")
    assert await call.next() == "hung up"
    assert call.channel.is_hung_up
    call.channel.close()
    assert call.channel.is_closing
    assert await asterisk.hear_end() == b""
    assert await call.next() == "closed"
    assert call.told.empty()


@on_both_loops
async def test_environment_and_replies_in_single_bytes(place: Place) -> None:
    asterisk = await place.peer()
    for byte in ENVIRONMENT:
        asterisk.say(bytes([byte]))
        await asyncio.sleep(0)
    async with asyncio.timeout(ANSWER_SOON):
        call = await place.calls.get()
    number = call.channel.send(agi.get_variable("X"))
    assert await asterisk.hear() == b'GET VARIABLE "X"\n'
    for byte in "200 result=1 (好)\n".encode():
        asterisk.say(bytes([byte]))
        await asyncio.sleep(0)
    assert await call.next() == (number, Reply(200, "1", "好"))


@on_both_loops
async def test_a_command_sent_from_within_a_callback_goes_out(place: Place) -> None:
    asterisk, call = await place.call()
    call.replied = lambda *_: call.channel.send(agi.hangup())  # type: ignore[assignment]  # a handler that goes on
    call.channel.send(agi.answer())
    await asterisk.hear()
    asterisk.say(b"200 result=0\n")
    assert await asterisk.hear() == b"HANGUP\n"


@on_both_loops
async def test_interrupting_a_prompt(place: Place) -> None:
    asterisk, call = await place.call()
    prompt = call.channel.send(agi.stream_file("long"))
    await asterisk.hear()
    assert call.channel.interrupt()
    following = call.channel.send(agi.noop())
    assert await asterisk.hear() == MARK
    asterisk.say(b"200 result=0\n")
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.STOPPED)
    line = await asterisk.hear()
    while line == MARK:  # sent once more if this test was slow
        asterisk.say(b"200 result=0\n")
        line = await asterisk.hear()
    assert line == b"NOOP\n"
    asterisk.say(b"200 result=0\n")
    assert await call.next() == (following, Reply(200, "0"))


@on_both_loops
async def test_nothing_to_interrupt(place: Place) -> None:
    _, call = await place.call()
    assert not call.channel.interrupt()


@on_both_loops
async def test_a_mark_that_asterisk_overlooks_is_repeated_until_it_is_answered(place: Place) -> None:
    asterisk, call = await place.call()
    prompt = call.channel.send(agi.stream_file("long"))
    await asterisk.hear()
    call.channel.interrupt()
    assert [await asterisk.hear() for _ in range(4)] == [MARK] * 4
    asterisk.say(b"200 result=0\n" * 4)
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.STOPPED)
    call.channel.send(agi.noop("after"))
    line = await asterisk.hear()
    while line == MARK:
        asterisk.say(b"200 result=0\n")
        line = await asterisk.hear()
    assert line == b'NOOP "after"\n'


@on_both_loops
async def test_a_missing_prompt(place: Place) -> None:
    asterisk, call = await place.call()
    prompt = call.channel.send(agi.stream_file("none"))
    await asterisk.hear()
    asterisk.say(b"200 result=-1 endpos=0\n")
    assert await asterisk.hear() == MARK
    assert call.told.empty()
    asterisk.say(b"200 result=0\n")
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.MISSING, 0)


@on_both_loops
async def test_the_session_is_closed_as_soon_as_the_caller_has_left(place: Place) -> None:
    asterisk, call = await place.call()
    call.hung_up = call.channel.close  # type: ignore[method-assign]  # what a call does that is over
    prompt = call.channel.send(agi.stream_file("long"))
    await asterisk.hear()
    asterisk.say(b"200 result=-1 endpos=800\n")
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.HANGUP, 800)
    assert await asterisk.hear() == MARK
    asterisk.say(b"HANGUP\n200 result=0\n")
    assert await asterisk.hear_end() == b""
    assert await call.next() == "closed"


@on_both_loops
async def test_asterisk_closes_in_mid_call(place: Place) -> None:
    asterisk, call = await place.call()
    call.channel.send(agi.stream_file("long"))
    await asterisk.hear()
    await asterisk.close()
    assert await call.next() == "closed"
    call.channel.send(agi.noop())  # goes nowhere, and breaks nothing
    call.channel.interrupt()
    call.channel.close()
    assert call.told.empty()


@on_both_loops
async def test_asterisk_closes_before_a_missing_prompt_is_settled(place: Place) -> None:
    asterisk, call = await place.call()
    prompt = call.channel.send(agi.stream_file("none"))
    await asterisk.hear()
    asterisk.say(b"200 result=-1 endpos=0\n")
    asterisk.writer.write_eof()
    assert await call.next() == PlaybackFinished(prompt, PlaybackEnding.HANGUP, 0)
    assert await call.next() == "closed"


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "ivrflow.bridge"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "expected a line `agi_"),
        (b"agi_" + b"x" * 1_000_000, "more than 65536 bytes"),
        (ENVIRONMENT + b"nonsense\n", "'nonsense', expected a reply"),
        (ENVIRONMENT + b"200 result=0\n", "no command waits"),
    ],
)
@on_both_loops
async def test_a_peer_that_speaks_something_else(
    place: Place, caplog: pytest.LogCaptureFixture, said: bytes, why: str
) -> None:
    good, call = await place.call()
    bad = await place.peer()
    bad.say(said)
    await bad.hear_end()
    assert len(warnings_of(caplog)) == 1
    assert "dropped the FastAGI connection from 127.0.0.1:" in caplog.text
    assert why in caplog.text
    call.channel.send(agi.answer())
    assert await good.hear() == b"ANSWER\n"


@pytest.mark.parametrize("cut", [1, 4, 20, len(ENVIRONMENT) - 1])
@on_both_loops
async def test_a_peer_that_leaves_in_mid_sentence(place: Place, caplog: pytest.LogCaptureFixture, cut: int) -> None:
    peer = await place.peer()
    peer.say(ENVIRONMENT[:cut])
    peer.writer.write_eof()
    await peer.hear_end()
    assert len(warnings_of(caplog)) == 1
    assert f"closed after {cut} bytes of environment" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING


@on_both_loops
async def test_a_port_probe_is_no_fault(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        peer = await place.peer()
        peer.writer.write_eof()
        await peer.hear_end()
    assert [record.levelno for record in caplog.records if record.name == "ivrflow.bridge"] == [logging.INFO] * 3
    await place.call()


@on_both_loops
async def test_a_reset(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    asterisk, call = await place.call()
    asterisk.reset()
    assert await call.next() == "closed"
    assert len(warnings_of(caplog)) == 1
    assert "lost the FastAGI connection" in caplog.text


@on_both_loops
async def test_half_open_connections_do_not_stay(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.server.environment_seconds = 0.02
    peer = await place.peer()
    peer.say(ENVIRONMENT[:-1])
    await peer.hear_end()
    assert "no complete environment within 0.02 s" in caplog.text
    assert len(warnings_of(caplog)) == 1


@on_both_loops
async def test_a_call_may_be_silent_for_longer_than_its_environment(place: Place) -> None:
    place.server.environment_seconds = 0.5  # enough for the environment on a busy machine
    asterisk, call = await place.call()
    await asyncio.sleep(0.6)  # longer than the deadline that must not apply any more
    call.channel.send(agi.answer())
    assert await asterisk.hear() == b"ANSWER\n"


@on_both_loops
async def test_a_peer_that_never_answers(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    asterisk, call = await place.call()
    for _ in range(MAX_WAITING_COMMANDS + 2):
        call.channel.send(agi.noop())
    assert call.channel.is_closing
    assert await call.next() == "closed"
    assert len(warnings_of(caplog)) == 1
    await asterisk.hear_end()


@on_both_loops
async def test_commands_are_held_back_while_the_peer_does_not_read(place: Place) -> None:
    asterisk, call = await place.call()
    call.channel.pause_writing()
    call.channel.send(agi.answer())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await asterisk.reader.read(1)
    call.channel.resume_writing()
    assert await asterisk.hear() == b"ANSWER\n"


@on_both_loops
async def test_more_connections_than_allowed(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    held = [await place.call() for _ in range(3)]
    for _ in range(3):
        refused = await place.peer()
        await refused.hear_end()
    assert [message for message in warnings_of(caplog) if "refusing" in message] == [
        "refusing FastAGI connections: 3 are open, which is the limit"
    ]
    held[0][1].channel.close()
    assert await held[0][1].next() == "closed"
    await place.call()
    assert warnings_of(caplog)[-1] == "accepting FastAGI connections again; 3 were refused"


@on_both_loops
async def test_a_handler_with_a_bug_loses_its_own_call_only(place: Place) -> None:
    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    asterisk, call = await place.call()
    other_asterisk, other = await place.call()
    call.hung_up = lambda: 1 / 0  # type: ignore[assignment]  # the bug
    asterisk.say(b"HANGUP\n")
    assert await call.next() == "closed"
    assert isinstance(problems[0]["exception"], ZeroDivisionError)
    other.channel.send(agi.answer())
    assert await other_asterisk.hear() == b"ANSWER\n"


@on_both_loops
async def test_draining_lets_live_calls_end(place: Place) -> None:
    asterisk, call = await place.call()
    draining = asyncio.ensure_future(place.server.drain(ANSWER_SOON))
    await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", place.server.port)
    call.channel.send(agi.answer())
    assert await asterisk.hear() == b"ANSWER\n"
    call.channel.close()
    assert await draining == 0


@on_both_loops
async def test_draining_gives_up_in_time(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    await place.call()
    assert await place.server.drain(0.01) == 1
    assert "1 FastAGI connections still open" in caplog.text


@on_both_loops
async def test_closing_tells_every_handler(place: Place) -> None:
    _, call = await place.call()
    _, other = await place.call()
    half_open = await place.peer()
    half_open.say(b"agi_")
    await place.server.close()
    assert [await call.next(), await other.next()] == ["closed", "closed"]
    assert place.server.connections == 0


@on_both_loops
async def test_a_port_in_use_is_the_operators_to_free(place: Place) -> None:
    second = FastAgiServer(Call)
    with pytest.raises(SettingsError, match=f"cannot listen for Asterisk on 127.0.0.1:{place.server.port}"):
        await second.start("127.0.0.1", place.server.port)
    await second.drain(0)
