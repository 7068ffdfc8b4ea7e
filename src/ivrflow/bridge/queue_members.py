"""Asterisk's queues as one asks for them and changes them over the manager: who is logged in, who pauses, who waits.

Who is offered a call, and when, is app_queue's own decision. An agent is an extension of ours: only digits get into an
interface's name. Nothing here has a socket; `manager` is one that is logged in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from ivrflow.bridge.ami_client import AmiActionFailed
from ivrflow.bridge.ami_protocol import AmiEvent, AmiResponse
from ivrflow.flow import notations
from ivrflow.flow.problems import did_you_mean

State = Literal["free", "ringing", "talking", "holding", "busy", "gone"]

_STATES: Mapping[str, State] = {
    # Asterisk's device states by number.
    "1": "free",
    "2": "talking",
    "3": "busy",
    "4": "gone",
    "5": "gone",
    "6": "ringing",
    "7": "talking",
    "8": "holding",
}

_REASON = re.compile(r"[\w .,'-]{1,60}")

LONGEST_REST_S = 600.0
"""Seconds after a talk within which an agent may be resting: longer than any queue lets them."""


class NotPossible(Exception):
    """The order cannot be carried out; says why and what to do."""


class Member(msgspec.Struct, frozen=True):
    """One agent in one queue.

    Attributes:
        agent: the extension.
        queue: the queue's name.
        state: what the telephone does; "gone" when it is not there.
        paused: whether the agent is offered no calls.
        reason: why, as was said when pausing.
        calls: calls of this queue taken since the login.
        since: Unix time of the last pause for one who pauses, else of the login; 0 when Asterisk does not say.
        last_call: Unix time at which the last call ended; 0 for none.
        penalty: the lower, the earlier asked.
    """

    agent: str
    queue: str
    state: State
    paused: bool = False
    reason: str = ""
    calls: int = 0
    since: float = 0.0
    last_call: float = 0.0
    penalty: int = 0


class QueueSeen(msgspec.Struct, frozen=True):
    """One queue: its agents, and how many callers wait, were served and gave up since Asterisk started."""

    name: str
    waiting: int
    served: int
    given_up: int
    members: tuple[Member, ...]


class AskedManager(Protocol):
    """A manager connection whose answers are waited for, see `ami_client`."""

    async def action(self, name: str, headers: Mapping[str, str] | None = None) -> AmiResponse:
        """Do something in Asterisk."""

    async def list_action(self, name: str, headers: Mapping[str, str] | None = None) -> list[AmiEvent]:
        """Ask for a list."""


def interface_of(agent: str) -> str:
    """What Asterisk calls the telephone of an extension.

    Raises:
        NotPossible: it is no extension.
    """
    if not notations.EXTENSION.fullmatch(agent):
        raise NotPossible("an agent is an extension; write its digits, for example 1001")
    return f"PJSIP/{agent}"


async def queues(manager: AskedManager) -> list[QueueSeen]:
    """Every queue, by name.

    Raises:
        NotPossible: this Asterisk has no queues.
    """
    try:
        told = await manager.list_action("QueueStatus")
    except AmiActionFailed as refused:
        raise NotPossible(
            f"Asterisk does not tell of its queues ({refused.response.message}); is app_queue.so in modules.conf, and the "
            f"class 'agent' in manager.conf's 'write'?"
        ) from None
    members = [_member(event) for event in told if event.name == "QueueMember"]
    return sorted(
        (
            QueueSeen(
                name=event.get("Queue"),
                waiting=_whole(event, "Calls"),
                served=_whole(event, "Completed"),
                given_up=_whole(event, "Abandoned"),
                members=tuple(sorted((m for m in members if m.queue == event.get("Queue")), key=lambda m: m.agent)),
            )
            for event in told
            if event.name == "QueueParams"
        ),
        key=lambda seen: seen.name,
    )


def _member(event: AmiEvent) -> Member:
    is_paused = event.get("Paused") == "1"
    return Member(
        agent=event.get("Location").rpartition("/")[2],
        queue=event.get("Queue"),
        state=_STATES.get(event.get("Status"), "gone"),
        paused=is_paused,
        reason=event.get("PausedReason"),
        calls=_whole(event, "CallsTaken"),
        since=float(_whole(event, "LastPause" if is_paused else "LoginTime")),
        last_call=float(_whole(event, "LastCall")),
        penalty=_whole(event, "Penalty"),
    )


def _whole(event: AmiEvent, name: str) -> int:
    text = event.get(name)
    return int(text) if re.fullmatch(r"\d{1,15}", text, flags=re.ASCII) else 0


async def log_in(manager: AskedManager, agent: str, wanted: Sequence[str], penalty: int = 0) -> list[str]:
    """Log the agent in to these queues; to the only one there is when none is named.

    Returns:
        The queues the agent was not in before.

    Raises:
        NotPossible: there is no such queue, or none is named and there are several.
    """
    interface = interface_of(agent)
    seen = await queues(manager)
    names = _named(seen, wanted)
    there = {each.name for each in seen for member in each.members if member.agent == agent}
    fresh = [name for name in names if name not in there]
    for name in fresh:
        await _add(manager, name, interface, penalty)
    return fresh


async def log_out(manager: AskedManager, agent: str, wanted: Sequence[str]) -> list[str]:
    """Log the agent out of these queues, or of all; a talk under way goes on.

    Returns:
        The queues the agent was in.

    Raises:
        NotPossible: there is no such queue, or the agent is in none of them.
    """
    interface = interface_of(agent)
    those = await _logged_in(manager, agent, wanted)
    for member in those:
        await _do(manager, "QueueRemove", {"Queue": member.queue, "Interface": interface})
    return [member.queue for member in those]


async def pause(manager: AskedManager, agent: str, wanted: Sequence[str], reason: str = "") -> list[str]:
    """Offer the agent no calls in these queues, or in all, until `ready`.

    Returns:
        The queues.

    Raises:
        NotPossible: there is no such queue, the agent is in none of them, or the reason is no short text.
    """
    interface = interface_of(agent)
    if reason and not _REASON.fullmatch(reason):
        raise NotPossible("a reason is a text of at most 60 letters, digits and blanks")
    those = await _logged_in(manager, agent, wanted)
    more = {"Reason": reason} if reason else {}
    for member in those:
        await _do(manager, "QueuePause", {"Queue": member.queue, "Interface": interface, "Paused": "true", **more})
    return [member.queue for member in those]


async def ready(manager: AskedManager, agent: str, wanted: Sequence[str], now: Callable[[], float]) -> list[str]:
    """Offer the agent calls again: ends a pause, and the rest after a talk, as *14 on the telephone does.

    `now` tells the Unix time.

    Returns:
        The queues.

    Raises:
        NotPossible: there is no such queue, or the agent is in none of them.
    """
    interface = interface_of(agent)
    those = await _logged_in(manager, agent, wanted)
    for member in those:
        if member.state in {"free", "gone"} and now() - member.last_call < LONGEST_REST_S:
            await _end_rest(manager, member)
        elif member.paused:
            await _do(manager, "QueuePause", {"Queue": member.queue, "Interface": interface, "Paused": "false"})
    return [member.queue for member in those]


async def _end_rest(manager: AskedManager, member: Member) -> None:
    # app_queue has no way to end a member's rest, but one who has just logged in has none. Nobody with a call, be it on
    # hold, is logged in anew: app_queue would not know any more that they have one, nor let them rest after it.
    interface = interface_of(member.agent)
    await _do(manager, "QueueRemove", {"Queue": member.queue, "Interface": interface})
    try:
        await _add(manager, member.queue, interface, member.penalty)
    except NotPossible as refused:
        raise NotPossible(f"{refused}; {member.agent} is logged out of {member.queue} now: log in again") from None


async def _add(manager: AskedManager, queue: str, interface: str, penalty: int) -> None:
    names = {"Queue": queue, "Interface": interface, "StateInterface": interface}
    await _do(manager, "QueueAdd", {**names, "Penalty": str(penalty)})


async def _logged_in(manager: AskedManager, agent: str, wanted: Sequence[str]) -> list[Member]:
    seen = await queues(manager)
    names = _named(seen, wanted) if wanted else [each.name for each in seen]
    those = [member for each in seen if each.name in names for member in each.members if member.agent == agent]
    if not those:
        where = "any queue" if not wanted else f"the queue {wanted[0]}" if len(wanted) == 1 else "these queues"
        raise NotPossible(f"{agent} is not logged in to {where}; see: ivrflow agents")
    return those


def _named(seen: Sequence[QueueSeen], wanted: Sequence[str]) -> list[str]:
    known = [each.name for each in seen]
    if not known:
        raise NotPossible("Asterisk has no queue; write one into queues.conf")
    if not wanted and len(known) > 1:
        raise NotPossible(f"there are several queues; say which with --queue: {', '.join(known)}")
    for name in wanted:
        if name not in known:
            raise NotPossible(f"there is no queue {name}; {did_you_mean(name, known)}")
    return list(dict.fromkeys(wanted)) or known


async def _do(manager: AskedManager, action: str, headers: Mapping[str, str]) -> None:
    try:
        await manager.action(action, headers)
    except AmiActionFailed as refused:
        raise NotPossible(str(refused)) from None
