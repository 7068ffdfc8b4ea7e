"""What tests want to know of a PBX, and how they set it up."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from ivrflow.softphone.call import Call
from ivrflow.softphone.softphone import OnCall, SoftPhone
from tools.pbx import Pbx, PbxSettings

DUTY_RINGS_S = 2
"""So that a test need not wait for the half minute a person gets."""


def own_settings(**changed: str) -> PbxSettings:
    """The defaults, whatever the environment says, on free ports; `changed` by their names in `settings.env`."""
    return replace(PbxSettings.from_environment(changed).on_free_ports(), duty_ring_seconds=DUTY_RINGS_S)


HARMLESS = (
    # Both sides hang up in the same moment.
    r"Session already DISCONNECTED",
    # A queue has no agents.
    r"Unable to join queue",
    # An agent is joined with the caller while still on the way into the waiting bridge.
    r"Failed to join waiting bridge 'agent-",
    # A caller hangs up while an agent is being joined: the agent's half is let go in the middle of it.
    r"Can't move channel\. One or both is dead \(Surrogate/(Local/\S+;1) <-- \1\)",
    r"Could not gain control of channel Local/\S+;1$",
    # An agent hangs up while a prompt is played to them: the engine closes their session, as Asterisk tells it of that there.
    r"write\(\) returned error: Connection reset by peer",
    # A telephone hangs up while a run of scenarios asks which SIP call it is in.
    r"Channel PJSIP/\S+ has no pvt!",
    r"Unknown or unavailable item requested: 'pjsip,call-id'",
)
"""Complaints (regular expressions) of moments that no test can keep out, and in which all is well."""


def complaints(log: str) -> list[str]:
    """The warnings and errors among the lines of the PBX's log."""
    return [
        line
        for line in log.splitlines()
        if (" WARNING[" in line or " ERROR[" in line) and not any(re.search(pattern, line) for pattern in HARMLESS)
    ]


async def no_channels_left(pbx: Pbx, *, within_s: float = 5.0) -> None:
    """Wait until every channel is gone; Asterisk takes a moment after the last BYE."""
    said = ""
    try:
        async with asyncio.timeout(within_s):
            while not (said := await pbx.cli("core show channels count")).startswith("0 active channels"):  # noqa: ASYNC110 -- Asterisk tells nobody when the last one is gone
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"channels are left on the PBX:\n{await pbx.cli('core show channels verbose')}{said}")


class Phones:
    """Opens phones that know the PBX and their passwords; all are closed at the end of the test."""

    def __init__(self, pbx: Pbx, closing: AsyncExitStack) -> None:
        self._pbx = pbx
        self._closing = closing

    async def open(
        self,
        account: str,
        *,
        on_call: OnCall | Callable[[Call], OnCall] | None = None,
        codec: str | tuple[str, ...] = "alaw",
    ) -> SoftPhone:
        """A phone of that account; one that takes calls (`on_call`) is registered."""
        settings = self._pbx.settings
        phone = await self._closing.enter_async_context(
            SoftPhone(
                account,
                settings.password(account),
                (settings.sip_bind, settings.sip_port),
                codecs=(codec,) if isinstance(codec, str) else codec,
                on_call=on_call,
            )
        )
        if account != "caller":
            await phone.register()
        return phone
