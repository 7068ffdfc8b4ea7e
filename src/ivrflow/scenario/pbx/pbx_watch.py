"""The tester's manager connection: which call is ours, orders to it, and what it left behind on the PBX.

Measured on Asterisk 22.10: `Getvar` of `CHANNEL(pjsip,call-id)` takes 0.07 ms and needs `call` or `reporting` in the
manager user's `write`; `CoreShowChannels` takes 0.08 ms and needs `system` or `reporting`; `UserEvent` needs `user`,
queues need `agent`. The account the engine uses has all of them. Sixty calls asked for at once are found within 5 ms. The Call-ID can be asked for
on a caller's channel and on an agent's alike, from the INVITE on. An agent's leg has its own Linkedid until it is joined
with the caller, whose Linkedid it has from then on; its Uniqueid, which the engine chooses, begins with the caller's from
the beginning. Its INVITE carries the caller's Uniqueid too, in `X-Ivrflow-Call`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ivrflow.bridge import queue_members
from ivrflow.bridge.ami_client import AmiActionFailed, AmiClient
from ivrflow.bridge.ami_protocol import AmiError, AmiEvent
from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_calls import order_fields
from ivrflow.bridge.orders.to_place_calls import CallWanted
from ivrflow.scenario.script import Order
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.call import PhoneError

BACK_WITHIN_S = 10.0
"""Seconds for which a broken manager connection may take to come back: a machine under load must not end a run."""

LOOK_EVERY_S = 0.05
"""Seconds between two looks at the channels while something is waited for. All who wait share a look."""

_SIP = "PJSIP/"
_CALL_ID = "CHANNEL(pjsip,call-id)"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of the PBX.

    Attributes:
        uniqueid: its identity; of a caller's channel also the call's id in the engine and the journal.
        linkedid: Uniqueid of the oldest channel it was ever joined with.
        name: "PJSIP/caller-00000001"; begins with the account.
        application: the dialplan application it is in: AGI (the engine has it), BridgeWait, Dial, …
        since: Unix time in seconds at which it came into being, to within a second.
    """

    uniqueid: str
    linkedid: str
    name: str
    application: str
    since: float

    def belongs_to(self, call: str) -> bool:
        """Whether it is the caller's channel of that call, an agent's leg of it, or joined with either."""
        identities = (self.uniqueid, self.linkedid)
        return call in identities or any(identity.startswith(f"{call}-") for identity in identities)


class PbxWatch:
    """A look into the PBX from the tester's side.

        async with PbxWatch(settings) as pbx:
            call = await pbx.call_of(phone_call.call_id, 2.0)

    Entering logs in. A connection that breaks later is made again; the methods wait for it `BACK_WITHIN_S` and then fail.

    Args:
        settings: where the manager is, and the user; the secret must be set.

    Raises:
        SettingsError: on entering: the manager cannot be reached, or refuses the user, or lets it see too little.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._where = f"{settings.ami_host}:{settings.ami_port}"
        self._user = settings.ami_user
        self._manager = AmiClient(
            settings.ami_host,
            settings.ami_port,
            settings.ami_user,
            settings.ami_secret,
            on_event=lambda _event: None,
            on_up=lambda: None,
            on_down=lambda _reason: None,
        )
        self._channels: list[Channel] = []
        self._call_ids: dict[str, str] = {}
        """SIP Call-ID of every channel that has been asked and is still up, by its Uniqueid."""
        self._calls: dict[str, str] = {}
        """The other way round."""
        self._looking = asyncio.Lock()
        self._asked = 0
        self._answered = 0

    async def __aenter__(self) -> Self:
        await self._manager.start()
        try:
            await self._manager.action("Events", {"EventMask": "off"})  # they are the engine's
            await self._look()
        except AmiError as error:
            await self._manager.close()
            raise self._broken(error) from error
        except BaseException:
            await self._manager.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._manager.close()

    async def call_of(self, sip_call_id: str, within_s: float) -> str | None:
        """Uniqueid of the channel with that SIP Call-ID; None when there is none within so many seconds.

        Raises:
            SettingsError: the manager does not answer, or not this user.
        """
        until = time.monotonic() + within_s
        while sip_call_id not in self._calls:
            await self._look()
            if sip_call_id in self._calls:
                break
            if time.monotonic() >= until:
                return None
            await asyncio.sleep(LOOK_EVERY_S)
        return self._calls[sip_call_id]

    async def order(self, call: str, order: Order) -> str:
        """Tell ivrflow something about the call of that Uniqueid.

        Returns:
            Why Asterisk did not pass it on; empty when it did. Whether the engine could do something with it is told by
            the call's trace.
        """
        try:
            await self._manager.action("UserEvent", order_fields(call, order.what, order.word, order.value))
        except AmiActionFailed as error:
            return f"{error}; does manager.conf give {self._user!r} the class 'user' in its 'write'?"
        except (AmiError, ValueError) as error:
            return str(error)
        return ""

    def ordering(self, wanted: CallWanted) -> Ordering:
        """An order to place a call, given over a connection of its own; enter it."""
        return Ordering(self._settings, wanted)

    async def only_in(self, extension: str, queues: Sequence[str]) -> None:
        """Take the agent at that extension out of every queue but these, as `ivrflow agents logout` does.

        Raises:
            PhoneError: that is not possible; one sentence.
        """
        try:
            seen = await queue_members.queues(self._manager)
            members = [member for one in seen for member in one.members if member.agent == extension]
            others = [member.queue for member in members if member.queue not in queues]
            if others:
                await queue_members.log_out(self._manager, extension, others)
        except (queue_members.NotPossible, AmiError) as problem:
            raise PhoneError(f"agent {extension} is to be in {' and '.join(queues)} alone: {problem}") from problem

    async def channels(self) -> list[Channel]:
        """All channels there are now.

        Raises:
            SettingsError: the manager does not answer, or not this user.
        """
        await self._look()
        return list(self._channels)

    async def left_of(self, call: str, within_s: float) -> list[str]:
        """Wait until nothing of a call is left on the PBX, at most so many seconds.

        Args:
            call: Uniqueid of the caller's channel.
            within_s: how long its channels may take to go.

        Returns:
            Names of the channels still there: its own, its agents' legs, and what is joined with them.

        Raises:
            SettingsError: the manager does not answer, or not this user.
        """
        until = time.monotonic() + within_s
        while True:
            left = [channel.name for channel in await self.channels() if channel.belongs_to(call)]
            if not left or time.monotonic() >= until:
                return left
            await asyncio.sleep(LOOK_EVERY_S)

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _look(self) -> None:
        """Know the channels as they are from now on; whoever asks while somebody looks is served by one more look."""
        self._asked += 1
        number = self._asked
        async with self._looking:
            if self._answered >= number:
                return
            serves = self._asked
            until = time.monotonic() + BACK_WITHIN_S
            while True:
                try:
                    listed = await self._manager.list_action("CoreShowChannels")
                    self._channels = [_channel(item) for item in listed]
                    await self._ask_call_ids()
                    break
                except AmiError as error:
                    if isinstance(error, AmiActionFailed) or time.monotonic() >= until:
                        raise self._broken(error) from error
                await asyncio.sleep(LOOK_EVERY_S)  # the client is logging in again
            self._answered = serves

    async def _ask_call_ids(self) -> None:
        """Every SIP channel is asked once."""
        up = {channel.uniqueid for channel in self._channels}
        self._call_ids = {uniqueid: sip for uniqueid, sip in self._call_ids.items() if uniqueid in up}
        new = [
            channel.uniqueid
            for channel in self._channels
            if channel.name.startswith(_SIP) and channel.uniqueid not in self._call_ids
        ]
        for uniqueid, sip in zip(new, await asyncio.gather(*map(self._call_id, new)), strict=True):
            if sip:
                self._call_ids[uniqueid] = sip
        self._calls = {sip: uniqueid for uniqueid, sip in self._call_ids.items()}

    async def _call_id(self, uniqueid: str) -> str:
        try:
            answer = await self._manager.action("Getvar", {"Channel": uniqueid, "Variable": _CALL_ID})
        except AmiActionFailed:
            return ""  # it went in this moment
        return answer.get("Value")

    def _broken(self, error: AmiError) -> SettingsError:
        if isinstance(error, AmiActionFailed):
            return SettingsError(
                f"the manager user {self._user!r} at {self._where} may not look at calls ({error}); "
                f"give it call, reporting and user in the 'write' of Asterisk's manager.conf"
            )
        return SettingsError(f"Asterisk's manager interface at {self._where} does not answer any more: {error}")


def _channel(item: AmiEvent) -> Channel:
    return Channel(
        uniqueid=item.get("Uniqueid"),
        linkedid=item.get("Linkedid"),
        name=item.get("Channel"),
        application=item.get("Application"),
        since=time.time() - _seconds(item.get("Duration")),
    )


def _seconds(duration: str) -> float:
    """Asterisk's "01:02:03"; 0 for anything else."""
    parts = duration.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return 0.0
    hours, minutes, seconds = map(int, parts)
    return 3600.0 * hours + 60 * minutes + seconds
