"""One caller's line between a session and a manager connection that are only pretended."""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

from ivrflow.bridge.agent_leg import AgentLeg
from ivrflow.bridge.agi_commands import Command
from ivrflow.bridge.agi_events import Reply, read_environment
from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.bridge.recordings_folder import Recordings
from ivrflow.engine import messages as m

DONE = Reply(200, "0")


class RecordedChannel:
    """Stands in for Asterisk's end: what was sent, in order."""

    def __init__(self) -> None:
        self.environment = read_environment({"agi_uniqueid": "pbx-1.7", "agi_extension": "12345", "agi_arg_1": "ulaw"})
        self.sent: list[str] = []
        self.interrupted = 0
        self.closed = False

    def send(self, command: Command) -> int:
        self.sent.append(command.line.decode().rstrip("\n"))
        return len(self.sent)

    def interrupt(self) -> bool:
        self.interrupted += 1
        return True

    def close(self) -> None:
        self.closed = True


class RecordedManager:
    """Stands in for the exchange: what was ordered over the manager connection, and whose legs it knows."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, dict[str, str]]] = []
        self.variables: list[dict[str, str]] = []
        self.refusals: list[Callable[[str], None] | None] = []
        self.adopted: list[str] = []
        self.legs: dict[str, AgentLeg] = {}
        self.lined_up: list[tuple[str, str, int, float]] = []
        self.only_surely: list[bool] = []

    def order(
        self,
        action: str,
        headers: Mapping[str, str],
        on_refused: Callable[[str], None] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        is_refused_only_surely: bool = False,
    ) -> None:
        self.orders.append((action, dict(headers)))
        self.only_surely.append(is_refused_only_surely)
        self.variables.append(dict(variables or {}))
        self.refusals.append(on_refused)

    def adopt(self, channel: str, leg: AgentLeg) -> None:
        self.adopted.append(channel)
        self.legs[channel] = leg

    def forget(self, leg: AgentLeg) -> None:
        self.legs = {channel: its_leg for channel, its_leg in self.legs.items() if its_leg is not leg}

    def line_up(self, leg: AgentLeg, queue: str, priority: int, waited: float) -> int:
        self.lined_up.append((leg.name, queue, priority, waited))
        return 2 if waited else 0

    def say(self, name: str, **headers: str) -> None:
        """An event of a channel, routed as the exchange does."""
        if (leg := self.legs.get(headers["Uniqueid"])) is not None:
            leg.happened(AmiEvent({"Event": name, **headers}))


class PretendedLine:
    """A line between the two; what it has told is in `events`."""

    def __init__(self, recordings: Recordings | None = None) -> None:
        self.channel = RecordedChannel()
        self.manager = RecordedManager()
        self.closed: list[AsteriskLine] = []
        self.events: list[m.CallEvent] = []
        self.heard = asyncio.Event()
        self.line = AsteriskLine(
            cast("AgiChannel", self.channel),
            self.manager,
            LineSettings("/prompts", recordings=recordings),
            self.closed.append,
        )
        self.line.on_event = self.take

    def take(self, event: m.CallEvent) -> None:
        self.events.append(event)
        self.heard.set()

    async def next_event(self) -> m.CallEvent:
        self.heard.clear()
        async with asyncio.timeout(2):
            await self.heard.wait()
        return self.events[-1]

    def ring(self) -> str:
        self.line.perform(m.Ring(ticket=3, extension="1001", seconds=20.0))
        return self.manager.adopted[-2]

    def picks_up(self, ticket: int = 3) -> None:
        """The agent's telephone rings and is picked up."""
        name = f"pbx-1.7-agent{ticket}"
        phone = {"DestUniqueid": f"phone-{ticket}", "DestChannel": "PJSIP/1001-0000002a"}
        self.manager.say("DialBegin", Uniqueid=f"{name}b", **phone)
        self.manager.say("DialEnd", Uniqueid=f"{name}b", DialStatus="ANSWER", **phone)
        self.manager.say("OriginateResponse", Uniqueid=f"{name}a", Response="Success")
