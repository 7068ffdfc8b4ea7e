"""Whatever is ordered of an agent's leg and whatever Asterisk says of it, in any order: each thing is told once at most."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from pretended_line import DONE, PretendedLine, RecordedChannel

from ivrflow.bridge.agi_events import PlaybackEnding, PlaybackFinished
from ivrflow.bridge.fastagi_server import AgiChannel
from ivrflow.engine import messages as m

LEG, OTHER_HALF, PHONE = "pbx-1.7-agent3a", "pbx-1.7-agent3b", "phone-3"


class Call(PretendedLine):
    """A call for which an agent is sought, and the tickets of all prompts ordered in it."""

    def __init__(self) -> None:
        super().__init__()
        self.plays: list[m.Ticket] = []
        self.line.perform(m.JoinQueue(ticket=3, queue="agents"))


def _play(setup: Call, hearer: str) -> None:
    ticket = 100 + len(setup.plays)
    setup.plays.append(ticket)
    setup.line.perform(m.Play(ticket=ticket, phrase="s/p", prompt="s/p", seconds=1.0, hearer=hearer, leg=3))  # type: ignore[arg-type]  # one of the three


def _stop(setup: Call) -> None:
    for ticket in setup.plays[-1:]:
        setup.line.perform(m.StopPlaying(ticket=ticket))


def _moves(setup: Call) -> None:
    if (leg := setup.manager.legs.get(LEG)) is not None:
        leg.moved(1, 0.0)


def _session_comes(setup: Call) -> None:
    if (leg := setup.manager.legs.get(LEG)) is not None:
        leg.session_opened(cast("AgiChannel", RecordedChannel()))


def _prompt_ends(setup: Call) -> None:
    for number, command in enumerate(setup.channel.sent, start=1):
        if command.startswith("STREAM"):
            setup.line.playback_ended(PlaybackFinished(number, PlaybackEnding.FINISHED, 8000))


def _command_is_answered(setup: Call) -> None:
    for number in range(1, len(setup.channel.sent) + 1):
        setup.line.replied(number, DONE)


HAPPENINGS: dict[str, Callable[[Call], object]] = {
    "bridge": lambda setup: setup.line.perform(m.Bridge(ticket=3)),
    "joined": lambda setup: setup.manager.say("BridgeEnter", Uniqueid=LEG, BridgeType="basic"),
    "part": lambda setup: setup.line.perform(m.Part(ticket=3)),
    "drop": lambda setup: setup.line.perform(m.DropAgent(ticket=3)),
    "stop ringing": lambda setup: setup.line.perform(m.StopRinging(ticket=3)),
    "play to both": lambda setup: _play(setup, "both"),
    "whisper": lambda setup: _play(setup, "agent"),
    "stop": _stop,
    "rings": lambda setup: setup.manager.say("DialBegin", Uniqueid=OTHER_HALF, DestUniqueid=PHONE, DestChannel="P/1-1"),
    "answers": lambda setup: setup.picks_up(),
    "nobody": lambda setup: setup.manager.say("UserEvent", Uniqueid=OTHER_HALF, UserEvent="IvrflowLeg", Status="FULL"),
    "fails": lambda setup: setup.manager.say("OriginateResponse", Uniqueid=LEG, Response="Failure"),
    "phone hangs up": lambda setup: setup.manager.say("HangupRequest", Uniqueid=PHONE),
    "half 1 is gone": lambda setup: setup.manager.say("Hangup", Uniqueid=LEG),
    "bridge is over": _command_is_answered,
    "session comes": _session_comes,
    "prompt ends": _prompt_ends,
    "refused": lambda setup: [refuse("no") for refuse in setup.manager.refusals[-1:] if refuse is not None],
    "moves": _moves,
    "caller leaves": lambda setup: setup.line.caller_left(16),
}


async def _run(names: list[str]) -> tuple[list[m.CallEvent], Call]:
    setup = Call()
    for name in names:
        HAPPENINGS[name](setup)
    await asyncio.sleep(0)
    told = list(setup.events)
    setup.line.closed()
    return told, setup


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(HAPPENINGS)), max_size=14))
def test_each_thing_is_told_once_and_in_an_order_that_makes_sense(names: list[str]) -> None:
    told, setup = asyncio.run(_run(names))
    counts = Counter(type(event).__name__ for event in told)
    assert max(counts[name] for name in ("AgentAnswered", "AgentUnavailable", "AgentLeft", "CallerHungUp")) <= 1
    assert not (counts["AgentAnswered"] and counts["AgentUnavailable"])
    kinds = [type(event).__name__ for event in told]
    if "AgentLeft" in kinds:
        assert "AgentAnswered" in kinds[: kinds.index("AgentLeft")]
    endings = Counter(event.ticket for event in told if isinstance(event, m.PromptEnded))
    assert all(count == 1 for count in endings.values())
    if "caller leaves" in names:
        hung_up = [headers["Channel"] for action, headers in setup.manager.orders if action == "Hangup"]
        over = {"nobody", "fails", "half 1 is gone", "refused"} & set(names)
        assert LEG in hung_up or over, "nobody may stay behind"
