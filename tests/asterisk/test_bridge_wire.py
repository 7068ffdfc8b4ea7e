"""The wire layer against the real Asterisk: what the stand-ins of the unit tests claim about it is true."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from one_pbx import Phones, own_settings
from peers import AgiPeer, AgiSession

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished, Reply
from ivrflow.bridge.ami_client import AmiActionFailed, AmiClient, AmiConnectionLost, AmiLoginRefused
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.fastagi_server import AgiChannel, FastAgiServer
from ivrflow.softphone.call import Call
from tools.pbx import Pbx

PROMPT = "house/fallback.apology"
PLAYED = f"/var/lib/ivrflow/prompts/{PROMPT}"
TEXTS = ["", " x ", "a,b", 'a"b', "\\", '\\"', "(x", "a]b[", "你好，世界)", "${EXTEN}", "a=b;c", "$[1+1]", "'", "#;|&"]
SOON = 10.0


class Session:
    """Follows one call and remembers what it was told, and when."""

    def __init__(self, channel: AgiChannel) -> None:
        self.channel = channel
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[tuple[float, object]] = asyncio.Queue()

    def _tell(self, what: object) -> None:
        self._told.put_nowait((self._loop.time(), what))

    def replied(self, command_id: int, reply: Reply) -> None:
        self._tell((command_id, reply))

    def playback_ended(self, ending: PlaybackFinished) -> None:
        self._tell(ending)

    def hung_up(self) -> None:
        self._tell("hung up")

    def closed(self) -> None:
        self._tell("closed")

    async def told(self) -> object:
        return (await self.told_when())[1]

    async def told_when(self) -> tuple[float, object]:
        async with asyncio.timeout(SOON):
            return await self._told.get()

    async def command(self, command: agi.Command) -> Reply:
        """Send a command that is no prompt, and wait for its reply."""
        command_id = self.channel.send(command)
        told = await self.told()
        assert isinstance(told, tuple)
        assert told[0] == command_id
        assert isinstance(told[1], Reply)
        return told[1]

    async def ending(self) -> PlaybackFinished:
        """The ending of the prompt that plays."""
        told = await self.told()
        assert isinstance(told, PlaybackFinished)
        return told


class Engine:
    """The FastAGI server under test, where the PBX expects an engine, and a phone that calls it."""

    def __init__(self, phones: Phones) -> None:
        self._sessions: asyncio.Queue[Session] = asyncio.Queue()
        self._phones = phones
        self.server = FastAgiServer(self._on_call)

    def _on_call(self, channel: AgiChannel) -> Session:
        session = Session(channel)
        self._sessions.put_nowait(session)
        return session

    async def call(self) -> tuple[Call, Session]:
        """A caller whose call has been answered."""
        caller = await self._phones.open("caller")
        calling = asyncio.ensure_future(caller.call("12345"))
        async with asyncio.timeout(SOON):
            session = await self._sessions.get()
        assert not (await session.command(agi.answer())).failed
        return await calling, session


@pytest_asyncio.fixture(loop_scope="session")
async def engine(pbx: Pbx, phones: Phones) -> AsyncIterator[Engine]:
    made = Engine(phones)
    await made.server.start(pbx.settings.agi_host, pbx.settings.agi_port)
    yield made
    await made.server.close()


async def finish(call: Call, session: Session) -> None:
    await session.command(agi.set_variable("IVRFLOW_DONE", "1"))
    session.channel.close()
    assert await session.told() == "closed"
    async with asyncio.timeout(SOON):
        await call.ended


@pytest.mark.complains("NoSuchApplication")
async def test_environment_and_any_text(engine: Engine) -> None:
    call, session = await engine.call()
    environment = session.channel.environment
    assert (environment.path, environment.dialled_number) == ("call", "12345")
    assert environment.channel.startswith("PJSIP/caller-")
    for text in TEXTS:
        await session.command(agi.set_variable("IVRFLOW_TEXT", text))
        assert (await session.command(agi.get_variable("IVRFLOW_TEXT"))).text == text
    assert await session.command(agi.get_variable("IVRFLOW_NEVER_SET")) == Reply(200, "0")
    assert (await session.command(agi.exec_("NoSuchApplication"))).result == "-2"
    assert (await session.command(agi.Command(b"WAIT FOR DIGIT\n"))).code == 520
    assert (await session.command(agi.Command(b"NONSENSE\n"))).code == 510
    await finish(call, session)


async def test_the_longest_command_is_read_as_one(engine: Engine) -> None:
    call, session = await engine.call()
    text = "x" * (agi.MAX_COMMAND_BYTES - len(agi.set_variable("T", "").line))
    assert len(agi.set_variable("T", text).line) == agi.MAX_COMMAND_BYTES
    assert not (await session.command(agi.set_variable("T", text))).failed
    assert (await session.command(agi.get_full_variable("${LEN(${T})}"))).text == str(len(text))
    await finish(call, session)


async def test_a_prompt_plays_to_its_end(engine: Engine, pbx_prompts: Path) -> None:
    call, session = await engine.call()
    samples = (pbx_prompts / f"{PROMPT}.alaw").stat().st_size
    session.channel.send(agi.stream_file(PLAYED, offset=samples - 1600))
    ending = await session.ending()
    assert (ending.ending, ending.endpos) == (PlaybackEnding.FINISHED, samples)
    await finish(call, session)


async def test_a_prompt_is_stopped_however_soon(engine: Engine) -> None:
    """Also at once, when Asterisk may read the prompt and what stops it in one go."""
    call, session = await engine.call()
    for pause in [0, 0, 0, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.03] * 5:
        session.channel.send(agi.stream_file(PLAYED))
        if pause:
            await asyncio.sleep(pause)  # any moment is to do
        assert session.channel.interrupt()
        assert (await session.ending()).ending is PlaybackEnding.STOPPED
    await finish(call, session)


async def test_a_prompt_is_stopped_about_when_it_ends(engine: Engine, pbx_prompts: Path) -> None:
    """One ending for every prompt, and the next command gets its own reply, whoever wins."""
    call, session = await engine.call()
    samples = (pbx_prompts / f"{PROMPT}.alaw").stat().st_size
    endings = set()
    for number in range(40):
        session.channel.send(agi.stream_file(PLAYED, offset=samples - 480))
        await asyncio.sleep(0.05 + number * 0.0005)  # 60 ms of prompt: before, in, and after its last moment
        session.channel.interrupt()
        session.channel.send(agi.set_variable("IVRFLOW_N", str(number)))
        asked = session.channel.send(agi.get_variable("IVRFLOW_N"))
        endings.add((await session.ending()).ending)
        await session.told()
        assert await session.told() == (asked, Reply(200, "1", str(number)))
    assert endings <= {PlaybackEnding.STOPPED, PlaybackEnding.FINISHED}
    await finish(call, session)


@pytest.mark.complains("Waitfordigit returning numeric 1")
async def test_a_wait_is_stopped(engine: Engine) -> None:
    call, session = await engine.call()
    command_id = session.channel.send(agi.wait_for_digit(60_000))
    await asyncio.sleep(0.05)  # a little into it; how soon does not matter
    assert session.channel.interrupt()
    assert await session.told() == (command_id, Reply(200, "1"))
    await finish(call, session)


@pytest.mark.complains("no-such-prompt")
async def test_a_missing_prompt_is_no_hangup(engine: Engine) -> None:
    call, session = await engine.call()
    session.channel.send(agi.stream_file("/var/lib/ivrflow/prompts/no-such-prompt"))
    assert (await session.ending()).ending is PlaybackEnding.MISSING
    assert not session.channel.is_hung_up
    await finish(call, session)


@pytest.mark.parametrize(
    "doing",
    [
        pytest.param(None, id="idle"),
        pytest.param(agi.stream_file(PLAYED), id="playing"),
        pytest.param(agi.wait_for_digit(60_000), id="waiting for a key"),
        pytest.param(agi.exec_("Wait", "60"), id="in an application"),
    ],
)
async def test_a_caller_hangs_up(engine: Engine, doing: agi.Command | None) -> None:
    """`HANGUP` follows the reply at once; left to itself it would come 40 ms later."""
    gaps = []
    for _ in range(5):
        call, session = await engine.call()
        ended: float | None = None
        if doing is not None:
            session.channel.send(doing)
            await asyncio.sleep(0.1)  # a little into it; the PBX tells nobody when it begins
        await call.hang_up()
        if doing is not None:
            ended, told = await session.told_when()
            if isinstance(told, PlaybackFinished):
                assert told.ending is PlaybackEnding.HANGUP
                assert told.endpos
            else:
                assert isinstance(told, tuple)
                assert told[1] == Reply(200, "-1")
        left, told = await session.told_when()
        assert told == "hung up"
        if ended is not None:
            gaps.append(left - ended)
        session.channel.send(agi.stream_file(PLAYED))
        assert (await session.ending()).ending is PlaybackEnding.HANGUP  # 511: the channel is dead
        session.channel.close()
        assert await session.told() == "closed"
    assert min(gaps, default=0) < 0.03


async def test_asterisk_overlooks_a_second_command_in_the_same_packet(pbx: Pbx, phones: Phones) -> None:
    """Why one command is in flight at a time, and why a mark may have to be repeated."""
    said: list[str] = []

    async def serve(session: AgiSession) -> None:
        await session.command("ANSWER")
        session.send("NOOP first\nGET VARIABLE IVRFLOW_NEVER_SET")
        said.append(await session.line())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                said.append(await session.line())
        session.send("NOOP third")
        said.extend([await session.line(), await session.line()])
        await session.finish()

    async with AgiPeer(pbx, serve):
        caller = await phones.open("caller")
        call = await caller.call("12345")
        async with asyncio.timeout(SOON):
            await call.ended
    assert said == ["200 result=0"] * 3


# --- AMI


class Link:
    """The client under test and what it reports."""

    def __init__(self, pbx: Pbx, secret: str | None = None) -> None:
        self.events: asyncio.Queue[AmiEvent] = asyncio.Queue()
        self.ups: asyncio.Queue[str] = asyncio.Queue()
        self.downs: asyncio.Queue[str] = asyncio.Queue()
        settings = pbx.settings
        self.client = AmiClient(
            settings.ami_bind,
            settings.ami_port,
            settings.ami_user,
            settings.ami_secret if secret is None else secret,
            self.events.put_nowait,
            lambda: self.ups.put_nowait("up"),
            self.downs.put_nowait,
        )

    async def event(self, name: str) -> AmiEvent:
        async with asyncio.timeout(SOON):
            while (event := await self.events.get()).name != name:
                pass
        return event


@pytest_asyncio.fixture(loop_scope="session")
async def link(pbx: Pbx) -> AsyncIterator[Link]:
    made = Link(pbx)
    await made.client.start()
    yield made
    await made.client.close()


async def test_wrong_manager_password(pbx: Pbx) -> None:
    with pytest.raises(AmiLoginRefused, match="refuses the manager login"):
        await Link(pbx, secret="wrong").client.start()


async def test_lists_and_refusals(link: Link, engine: Engine) -> None:
    assert await link.client.list_action("CoreShowChannels") == []
    call, session = await engine.call()
    channels = await link.client.list_action("CoreShowChannels")
    assert [channel.get("Uniqueid") for channel in channels] == [session.channel.environment.unique_id]
    await finish(call, session)
    with pytest.raises(AmiActionFailed, match="No such channel"):
        await link.client.action("Hangup", {"Channel": "PJSIP/nobody-1"})


async def test_variables_arrive_as_they_are(link: Link) -> None:
    variables = {f"TEXT{number}": text for number, text in enumerate(TEXTS) if text}
    await link.client.action(
        "Originate",
        {"Channel": "Local/up@agentleg/n", "ChannelId": "wire-1", "OtherChannelId": "wire-2", "Async": "true"}
        | {"Context": "agentleg", "Exten": "up", "Priority": "1"},
        variables=variables,
    )
    assert (await link.event("OriginateResponse")).get("Response") == "Success"
    for name, text in variables.items():
        answer = await link.client.action("Getvar", {"Channel": "wire-1", "Variable": name})
        assert answer.get("Value") == text
    await link.client.action("Hangup", {"Channel": "wire-1"})


async def test_the_longest_line_of_an_action_is_read(link: Link) -> None:
    with pytest.raises(ValueError, match="makes a line of 1025 bytes"):
        await link.client.action("Ping", {"Note": "x" * (1025 - len("Note: \r\n"))})
    assert (await link.client.action("Ping", {"Note": "x" * (1024 - len("Note: \r\n"))})).get("Ping") == "Pong"


async def test_the_pbx_restarts(pbx_tree: Path, pbx_prompts: Path, tmp_path: Path) -> None:
    settings = own_settings()
    async with Pbx(tmp_path, settings, prompts=pbx_prompts, tree=pbx_tree) as pbx:
        link = Link(pbx)
        await link.client.start()
        assert link.ups.get_nowait() == "up"
    async with asyncio.timeout(SOON):
        await link.downs.get()
    with pytest.raises(AmiConnectionLost):
        await link.client.action("Ping")
    async with Pbx(tmp_path, settings, prompts=pbx_prompts, tree=pbx_tree):
        async with asyncio.timeout(60):
            await link.ups.get()
        assert (await link.client.action("Ping")).get("Ping") == "Pong"
        await link.client.close()
    assert link.downs.empty()
