"""A tester's look into the PBX, against a scripted manager interface."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx import pbx_watch
from ivrflow.scenario.pbx.pbx_watch import Channel, PbxWatch
from ivrflow.scenario.script import Order
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.call import PhoneError

HERE = Location("test", 1, 1)


@dataclass
class Listed:
    """A channel of the scripted PBX."""

    uniqueid: str
    sip_call_id: str = ""
    linkedid: str = ""
    name: str = "PJSIP/caller-00000001"
    duration: str = "00:00:05"


@dataclass
class ScriptedPbx:
    """Answers what a watch asks; keeps every action."""

    port: int = 0
    channels: list[Listed] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)
    """Queues and who is logged in to them."""
    refused: dict[str, str] = field(default_factory=dict)
    """Actions it refuses, and its words on it."""
    asked: list[dict[str, str]] = field(default_factory=list)
    silent: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def names(self) -> list[str]:
        return [action["Action"] for action in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while block := await self._block(reader):
            action = dict(line.split(": ", 1) for line in block.split("\r\n") if line)
            self.asked.append(action)
            if not self.silent:
                self._answer(writer, action)
        writer.close()

    async def _block(self, reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""

    def _answer(self, writer: asyncio.StreamWriter, action: dict[str, str]) -> None:
        identity = f"ActionID: {action['ActionID']}\r\n"

        def say(first: str, **headers: str) -> None:
            rest = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"{first}\r\n{identity}{rest}\r\n".encode())

        name = action["Action"]
        found = [channel for channel in self.channels if channel.uniqueid == action.get("Channel")]
        if name in self.refused:
            say("Response: Error", Message=self.refused[name])
        elif name == "Getvar" and not found:
            say("Response: Error", Message="No such channel")
        elif name == "Getvar":
            assert action["Variable"] == "CHANNEL(pjsip,call-id)"
            say("Response: Success", Value=found[0].sip_call_id)
        elif name == "CoreShowChannels":
            say("Response: Success", EventList="start")
            for one in self.channels:
                say(
                    "Event: CoreShowChannel",
                    Channel=one.name,
                    Uniqueid=one.uniqueid,
                    Linkedid=one.linkedid or one.uniqueid,
                    Application="AGI",
                    Duration=one.duration,
                )
            say("Event: CoreShowChannelsComplete", EventList="Complete")
        elif name == "QueueStatus":
            say("Response: Success", EventList="start")
            for queue in ("agents", "billing", "seniors"):
                say("Event: QueueParams", Queue=queue, Calls="0", Completed="0", Abandoned="0")
            for queue, agent in self.members:
                say("Event: QueueMember", Queue=queue, Location=f"PJSIP/{agent}", Status="1", Paused="0")
            say("Event: QueueStatusComplete", EventList="Complete")
        elif name == "QueueRemove":
            self.members.remove((action["Queue"], action["Interface"].removeprefix("PJSIP/")))
            say("Response: Success", Message="done")
        else:
            say("Response: Success", Message="done")


@pytest.fixture
async def pbx() -> AsyncIterator[ScriptedPbx]:
    scripted = ScriptedPbx()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    yield scripted
    server.close()
    for writer in scripted.writers:
        writer.close()
    await server.wait_closed()


def watch_of(pbx: ScriptedPbx) -> PbxWatch:
    return PbxWatch(Settings(ami_port=pbx.port, ami_secret="any"))


async def test_it_is_told_of_no_events(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx):
        pass
    assert pbx.names() == ["Login", "Events", "CoreShowChannels"]
    assert pbx.asked[1]["EventMask"] == "off"


async def test_many_who_look_at_once_share_one_look_and_every_channel_is_asked_once(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx) as watch:
        pbx.channels = [Listed(f"pbx-1.{number}", f"{number}@phone") for number in range(20)]
        pbx.channels.append(Listed("pbx-1.99", name="Local/1@agents-0001;1"))
        pbx.asked.clear()
        found = await asyncio.gather(*(watch.call_of(f"{number}@phone", 5.0) for number in range(20)))
        assert found == [f"pbx-1.{number}" for number in range(20)]
        assert pbx.names().count("Getvar") == 20
        assert pbx.names().count("CoreShowChannels") <= 2
        pbx.asked.clear()
        assert await watch.call_of("7@phone", 0.0) == "pbx-1.7"
        assert pbx.asked == [], "it is known already"


async def test_a_call_that_comes_up_later_is_waited_for(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx) as watch:
        waiting = asyncio.ensure_future(watch.call_of("a@phone", 10.0))
        while pbx.names().count("CoreShowChannels") < 3:  # noqa: ASYNC110 - it has looked, and looks again
            await asyncio.sleep(0.01)
        pbx.channels = [Listed("pbx-1.1", "")]  # there, but without a Call-ID yet
        while "Getvar" not in pbx.names():  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
        pbx.channels = [Listed("pbx-1.1", "a@phone")]
        assert await waiting == "pbx-1.1"


async def test_a_call_that_does_not_come_or_is_gone_is_none(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx) as watch:
        assert await watch.call_of("a@phone", 0.0) is None
        pbx.channels = [Listed("pbx-1.1", "a@phone")]
        assert await watch.call_of("a@phone", 5.0) == "pbx-1.1"
        pbx.channels = []
        assert await watch.channels() == []
        assert await watch.call_of("a@phone", 0.0) is None


async def test_what_belongs_to_a_call(pbx: ScriptedPbx) -> None:
    pbx.channels = [
        Listed("pbx-1.1", name="own"),
        Listed("pbx-1.1-agent3", name="agent's leg"),
        Listed("pbx-1.5", linkedid="pbx-1.1", name="joined with the caller"),
        Listed("pbx-1.6", linkedid="pbx-1.1-agent3", name="joined with the agent"),
        Listed("pbx-1.12", name="another call"),
        Listed("pbx-1.12-agent3", name="another's agent"),
    ]
    async with watch_of(pbx) as watch:
        assert await watch.left_of("pbx-1.1", 0.0) == [
            "own",
            "agent's leg",
            "joined with the caller",
            "joined with the agent",
        ]
        waiting = asyncio.ensure_future(watch.left_of("pbx-1.1", 10.0))
        await asyncio.sleep(0)
        del pbx.channels[:4]
        assert await waiting == []


async def test_a_channel_tells_since_when_it_is_there(pbx: ScriptedPbx) -> None:
    pbx.channels = [Listed("pbx-1.1", duration="01:02:03"), Listed("pbx-1.2", duration="")]
    async with watch_of(pbx) as watch:
        first, second = await watch.channels()
    assert first == Channel("pbx-1.1", "pbx-1.1", "PJSIP/caller-00000001", "AGI", first.since)
    assert time.time() - first.since == pytest.approx(3723, abs=30)
    assert time.time() - second.since == pytest.approx(0, abs=30)


async def test_an_order_is_sent_as_the_engine_reads_it(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx) as watch:
        assert await watch.order("pbx-1.1", Order("value", HERE, "honorific", "女士")) == ""
        assert await watch.order("pbx-1.1", Order("cancel", HERE)) == ""
    sent = [
        {k: v for k, v in action.items() if k != "ActionID"} for action in pbx.asked if action["Action"] == "UserEvent"
    ]
    common = {"Action": "UserEvent", "UserEvent": "Ivrflow", "Call": "pbx-1.1"}
    assert sent == [
        {**common, "Order": "value", "Word": "honorific", "Value": "女士"},
        {**common, "Order": "cancel"},
    ]


async def test_an_order_that_is_refused_says_why(pbx: ScriptedPbx) -> None:
    pbx.refused = {"UserEvent": "Permission denied"}
    async with watch_of(pbx) as watch:
        said = await watch.order("pbx-1.1", Order("cancel", HERE))
        assert said == (
            "Asterisk refused UserEvent: Permission denied; does manager.conf give 'ivrflow' the class 'user' in its 'write'?"
        )
        assert "cannot hold" in await watch.order("pbx-1.1", Order("signal", HERE, "a\nb"))


async def test_an_agent_is_taken_out_of_every_other_queue(pbx: ScriptedPbx) -> None:
    pbx.members = [("agents", "1001"), ("agents", "1002"), ("billing", "1002"), ("seniors", "1002")]
    async with watch_of(pbx) as watch:
        await watch.only_in("1002", ("seniors", "billing"))
        assert pbx.members == [("agents", "1001"), ("billing", "1002"), ("seniors", "1002")]
        await watch.only_in("1002", ("seniors", "billing"))
        assert pbx.names().count("QueueRemove") == 1, "who is in no other is left alone"
        pbx.refused["QueueStatus"] = "Permission denied"
        with pytest.raises(
            PhoneError, match=r"agent 1002 is to be in seniors alone: .*'agent' in manager.conf's 'write'"
        ):
            await watch.only_in("1002", ("seniors",))


async def test_a_user_who_may_not_look_is_told_so_at_the_start(pbx: ScriptedPbx) -> None:
    pbx.refused = {"CoreShowChannels": "Permission denied"}
    with pytest.raises(SettingsError, match=r"'ivrflow' at 127.0.0.1:\d+ may not look at calls .*Permission denied"):
        async with watch_of(pbx):
            pass
    assert not [task for task in asyncio.all_tasks() if "manager" in task.get_name()]


async def test_a_connection_that_breaks_and_comes_back_is_waited_for(pbx: ScriptedPbx) -> None:
    async with watch_of(pbx) as watch:
        before = [channel.uniqueid for channel in await watch.channels()]
        for writer in pbx.writers:
            writer.transport.abort()
        async with asyncio.timeout(8):
            assert [channel.uniqueid for channel in await watch.channels()] == before


async def test_a_connection_that_does_not_come_back_is_one_clear_sentence(
    pbx: ScriptedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pbx_watch, "BACK_WITHIN_S", 0.0)
    async with watch_of(pbx) as watch:
        pbx.silent = True
        waiting = [
            asyncio.ensure_future(watch.channels()),
            asyncio.ensure_future(watch.call_of("a@phone", 5.0)),
            asyncio.ensure_future(watch.left_of("pbx-1.1", 5.0)),
        ]
        while pbx.names().count("CoreShowChannels") < 2:  # noqa: ASYNC110 - the scripted side cannot be awaited for it
            await asyncio.sleep(0.01)
        for writer in pbx.writers:
            writer.transport.abort()
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(outcome, SettingsError)
            assert "does not answer any more" in str(outcome)
        assert "manager connection" in await watch.order("pbx-1.1", Order("cancel", HERE))
