"""The phones of a run, shared by all its scenarios: one for every caller, one for each agent's extension.

Every scenario calls from the same phone, which carries any number of calls. An agent's phone is registered once and
shared, too: the INVITE that rings it says whose caller it is for. Only a scenario that needs an extension to be
unreachable, or whose calls nobody could tell apart, keeps the others waiting.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

from ivrflow.bridge.asterisk_line import CALL_HEADER
from ivrflow.scenario.pbx.queue_duty import Duty, before_the_call, on_duty, waits_in_a_queue
from ivrflow.scenario.pbx.turns import Turns
from ivrflow.scenario.script import Scenario
from ivrflow.softphone.call import Call, PhoneError, Unreachable
from ivrflow.softphone.pacer import Pacer
from ivrflow.softphone.softphone import CODECS, OnCall, Refuse, RegistrationRefused, RingOn, SoftPhone

log = logging.getLogger("ivrflow.scenario")

UNSORTED_S = 5.0
"""Seconds for which an agent's phone rings for a caller that no scenario has claimed yet: it may not know its name yet."""

NOBODYS = Refuse(480, "Temporarily Unavailable")
"""What an agent's phone answers to a call that belongs to no scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Where the PBX is, and who we are there.

    Attributes:
        server: its SIP host and UDP port.
        caller: name of the account that calls.
        passwords: of every account, by its name; an agent's account is named like its extension.
        local_ip: our own address as the PBX can reach it; empty: the one from which we reach the PBX.
        codecs: what our phones offer, best first: alaw, ulaw, g722.
    """

    server: tuple[str, int]
    caller: str
    passwords: Mapping[str, str] = field(repr=False)
    local_ip: str = ""
    codecs: tuple[str, ...] = CODECS


OnRing: TypeAlias = Callable[[str, Call], None]
"""Told which extension a call rings for our caller; it rings until somebody answers or declines it."""

OnlyIn: TypeAlias = Callable[[str, Sequence[str]], Awaitable[None]]
"""Takes the agent at an extension out of every queue but these; raises `PhoneError` when that is not possible."""


class AgentPhones:
    """One scenario's part in the agents' phones.

    Attributes:
        on_ring: told of every call that rings one of them for our caller.
        takes_all: whether every call to these extensions is ours, whatever it says.
        caller: Uniqueid of the caller's channel, once it is known.
    """

    def __init__(
        self, on_ring: OnRing, *, takes_all: bool, on_duty: Callable[[str, Duty], Awaitable[None]] | None = None
    ) -> None:
        self.on_ring = on_ring
        self._on_duty = on_duty
        self.takes_all = takes_all
        self.caller = ""
        self.on_named: list[Callable[[], None]] = []

    async def does(self, extension: str, duty: Duty) -> None:
        """Let the agent at that extension log in or out, pause or be ready again.

        Raises:
            PhoneError: the PBX does not let them.
        """
        assert self._on_duty is not None, "the cast knows how"
        await self._on_duty(extension, duty)

    def expect(self, caller: str) -> None:
        """The calls for the caller with that Uniqueid are ours; those that ring already, too."""
        self.caller = caller
        for named in self.on_named:
            named()


class Cast:
    """The phones of a run. An async context manager: leaving it hangs up, unregisters and closes every phone.

    Attributes:
        pacer: the clock of all their audio; several casts of one process may have one together.
        strays: what came to an agent's phone and belonged to no scenario, in words.
    """

    def __init__(self, accounts: Accounts, pacer: Pacer | None = None) -> None:
        self.accounts = accounts
        self.pacer = pacer or Pacer()
        self.strays: list[str] = []
        self._local_ip = ""
        self._caller: SoftPhone | None = None
        self._extensions: dict[str, _Extension] = {}
        self._queues = Turns()

    async def __aenter__(self) -> Self:
        self._local_ip = self.accounts.local_ip or await _own_address(self.accounts.server)
        caller = self._phone(self.accounts.caller)
        if caller is None:
            raise _no_password(self.accounts.caller)
        self._caller = await caller.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        phones = [extension.phone for extension in self._extensions.values()]
        for extension in self._extensions.values():
            extension.close()
        await asyncio.gather(*(phone.close() for phone in (self._caller, *phones) if phone is not None))

    @property
    def caller(self) -> SoftPhone:
        """The phone that calls."""
        assert self._caller is not None, "the cast is entered first"
        return self._caller

    @asynccontextmanager
    async def agents(
        self, scenario: Scenario, on_ring: OnRing, *, alone: bool = False, only_in: OnlyIn | None = None
    ) -> AsyncIterator[AgentPhones]:
        """Take part in the phones of the scenario's agents; waits until it can.

        Args:
            scenario: whose agents.
            on_ring: told of their calls; what still rings at the end it has to end.
            alone: nobody will tell which caller a call is for, so no other scenario may use these extensions meanwhile.
            only_in: a telephone logs in to all queues it may be in; this leaves it in those of its script.

        Raises:
            PhoneError: an agent's phone cannot be registered, or logged in; one sentence that says which, and why.
        """
        queues = {agent.extension: agent.queues.names for agent in scenario.agents if agent.queues}

        async def does(extension: str, duty: Duty) -> None:
            await self._on_duty(extension, duty)
            if duty == "logs in" and only_in is not None:
                await only_in(extension, queues[extension])

        part = AgentPhones(on_ring, takes_all=alone, on_duty=does)
        wanted = {phone.extension: phone.manner != "unreachable" for phone in scenario.telephones_rung}
        async with AsyncExitStack() as held:
            if scenario.queues or waits_in_a_queue(scenario):
                # Who is logged in would answer the callers of another scenario, too.
                await held.enter_async_context(self._queues.taken(object() if scenario.queues else "nobody logs in"))
            for name in sorted(wanted):  # all in one order, or two could wait for each other
                extension = self._extensions.setdefault(name, _Extension(name, self._stray))
                # A queue rings nobody whose telephone is in use, be it by the call of another scenario.
                is_shared = not alone and name not in queues
                await held.enter_async_context(extension.turns.taken(wanted[name] if is_shared else object()))
                await self._make_ready(extension, registered=wanted[name])
                held.enter_context(extension.shared_with(part))
            for agent in scenario.agents:
                if agent.queues:
                    held.push_async_callback(self._logs_out, agent.extension)
                    for duty in before_the_call(agent.queues):
                        await part.does(agent.extension, duty)
            yield part

    async def _on_duty(self, extension: str, duty: Duty) -> None:
        phone = self._extensions[extension].phone
        if phone is None:
            raise _no_password(extension)
        await on_duty(phone, extension, duty)

    async def _logs_out(self, extension: str) -> None:
        """Leave nobody logged in; who has logged out already cannot do so again."""
        with suppress(PhoneError):
            await self._on_duty(extension, "logs out")

    async def _make_ready(self, extension: _Extension, *, registered: bool) -> None:
        async with extension.changing:
            if extension.phone is None and (phone := self._phone(extension.name)) is not None:
                phone.on_call = extension.rung
                extension.phone = await phone.__aenter__()
            if extension.is_registered is registered:
                return
            if extension.phone is None:
                if registered:
                    raise _no_password(extension.name)
                return  # nobody of ours is there; whether anybody else is, the scenario will show
            extension.is_registered = None
            try:
                await extension.phone.register()  # in either case: it takes the place of whoever was there
                if not registered:
                    await extension.phone.register(0)
            except RegistrationRefused as problem:
                raise PhoneError(f"agent {extension.name}: {problem}") from problem
            except Unreachable as problem:
                raise Unreachable(f"agent {extension.name}: {problem}") from problem
            extension.is_registered = registered

    @property
    def local_ip(self) -> str:
        """Our own address as the PBX can reach it."""
        return self._local_ip

    def load_phone(self) -> SoftPhone:
        """One more phone of the calling account, for very many calls: of what it says nothing is kept. Not open yet.

        Raises:
            PhoneError: the account's password is not known.
        """
        phone = self._phone(self.accounts.caller, keeps_said=False)
        if phone is None:
            raise _no_password(self.accounts.caller)
        return phone

    def _phone(self, account: str, *, keeps_said: bool = True) -> SoftPhone | None:
        """A phone of that account; None when its password is not known."""
        password = self.accounts.passwords.get(account)
        if password is None:
            return None
        return SoftPhone(
            account,
            password,
            self.accounts.server,
            local_ip=self._local_ip,
            codecs=self.accounts.codecs,
            pacer=self.pacer,
            keeps_said=keeps_said,
        )

    def _stray(self, what: str) -> None:
        log.warning("%s", what)
        self.strays.append(what)


class _Extension:
    """An agent's extension: its phone, who uses it, and the calls that ring it and are nobody's yet."""

    def __init__(self, name: str, on_stray: Callable[[str], None]) -> None:
        self.name = name
        self.turns = Turns()
        self.changing = asyncio.Lock()
        self.phone: SoftPhone | None = None
        self.is_registered: bool | None = None  # None: nobody knows
        self._on_stray = on_stray
        self._parts: list[AgentPhones] = []
        self._unsorted: dict[Call, asyncio.TimerHandle] = {}

    @contextmanager
    def shared_with(self, part: AgentPhones) -> Iterator[None]:
        """Give that scenario the calls that are for its caller."""
        self._parts.append(part)
        part.on_named.append(self._sort)
        try:
            yield
        finally:
            self._parts.remove(part)

    def rung(self, call: Call) -> OnCall:
        """A call has come in: whose is it?"""
        part = self._part_of(call)
        if part is not None:
            part.on_ring(self.name, call)
            return RingOn()
        if any(not part.caller for part in self._parts):
            loop = asyncio.get_running_loop()
            self._unsorted[call] = loop.call_later(UNSORTED_S, self._refuse, call)
            return RingOn()
        self._tell_stray(call)
        return NOBODYS

    def close(self) -> None:
        """Leave no timer behind."""
        for timer in self._unsorted.values():
            timer.cancel()
        self._unsorted.clear()

    def _part_of(self, call: Call) -> AgentPhones | None:
        caller = call.header(CALL_HEADER)
        for part in self._parts:
            if part.takes_all or (caller and part.caller == caller):
                return part
        # An engine or a PBX that sends no such header: as long as it can be for one only, it is.
        return self._parts[0] if not caller and len(self._parts) == 1 else None

    def _sort(self) -> None:
        for call in list(self._unsorted):
            part = self._part_of(call)
            if part is not None:
                self._unsorted.pop(call).cancel()
                if call.end is None:
                    part.on_ring(self.name, call)

    def _refuse(self, call: Call) -> None:
        del self._unsorted[call]
        if call.end is None:
            self._tell_stray(call)
            call.decline(NOBODYS.status, NOBODYS.reason)

    def _tell_stray(self, call: Call) -> None:
        why = "for a caller of nobody's" if call.header(CALL_HEADER) else f"without the header {CALL_HEADER}"
        self._on_stray(f"agent {self.name}: a call {why} rang and was refused")


def _no_password(account: str) -> PhoneError:
    return PhoneError(f"the password of the SIP account '{account}' is not known")


async def _own_address(server: tuple[str, int]) -> str:
    """Our address on the way to the server; nothing is sent.

    Raises:
        Unreachable: there is no such host, or no way to it.
    """
    host, port = server
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(found[0][4])
            return str(probe.getsockname()[0])
    except OSError as error:
        raise Unreachable(f"SIP server {host}: {error}") from error
