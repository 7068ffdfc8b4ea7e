"""A script on a live call between two phones, with an ear that is told what it hears."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from loopback_phones import at as calling
from loopback_phones import eventually, phone

from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx import scripted_call
from ivrflow.scenario.pbx.saying import plain_speech
from ivrflow.scenario.pbx.scripted_call import ScriptedCall
from ivrflow.scenario.script import HangUp, Hear, HearMusic, HearStart, Order, Press, Say, Step, Wait
from ivrflow.softphone.call import Call
from ivrflow.softphone.ear import Began, Ended
from ivrflow.softphone.softphone import Answer

HELLO = "house/hello"


def at(line: int) -> Location:
    return Location("call.yaml", line, 3)


@dataclass
class ToldEar:
    """Hears what it is told to hear, once it listens for it.

    Attributes:
        hears: what `look` gives, from which moment on (monotonic seconds).
        listened: what it was asked to listen for.
    """

    hears: list[tuple[float, Began | Ended]] = field(default_factory=list)
    listened: list[tuple[str, float]] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    next_look: float | None = None

    def listen_for(self, phrase: str, since: float) -> None:
        self.listened.append((phrase, since))

    def listen_for_music(self, since: float) -> None:
        self.listened.append(("music", since))

    def stop(self) -> None:
        self.listened.append(("nothing", 0.0))

    def look(self, now: float) -> Began | Ended | None:
        self.looks.append(now)
        if self.hears and self.hears[0][0] <= now:
            return self.hears.pop(0)[1]
        return None


@dataclass
class TwoEnds:
    call: Call
    there: Call
    ear: ToldEar = field(default_factory=ToldEar)

    @property
    def answered(self) -> float:
        assert self.call.answered_at is not None
        return self.call.answered_at

    def plays(self, *steps: Step, order: Callable[[Order], Awaitable[str]] | None = None) -> ScriptedCall:
        async def passed_on(_order: Order) -> str:
            return ""

        said = {step: plain_speech(step.seconds) for step in steps if isinstance(step, Say)}
        return ScriptedCall(self.call, steps, self.ear, said, order or passed_on)


@pytest_asyncio.fixture
async def ends() -> AsyncIterator[TwoEnds]:
    async with phone(Answer()) as bob, calling(bob) as alice:
        call = await alice.call("bob")
        (there,) = bob.calls
        yield TwoEnds(call, there)


async def performed(script: ScriptedCall) -> None:
    async with asyncio.timeout(10):
        await script.perform()


async def test_a_sound_that_lies_back_counts_from_where_it_lay(ends: TwoEnds) -> None:
    began, ended = ends.answered + 0.05, ends.answered + 0.2
    heard_at = ends.answered + 0.8
    ends.ear.hears = [(heard_at, Began(began)), (heard_at, Ended(ended, 0.9))]
    script = ends.plays(Hear(HELLO, at(1)), Wait(1.0, at(2)), HangUp(at(3)))
    await performed(script)
    assert ends.ear.listened[0] == (HELLO, ends.answered)
    (hang_up,) = script.performer.acts
    assert ended + 0.99 <= hang_up.start < heard_at + 1.0
    assert script.trouble == ""


async def test_it_looks_in_time_and_when_the_ear_asks_for_it(ends: TwoEnds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_call, "LOOK_EVERY_S", 0.1)
    ends.ear.hears = [(ends.answered + 0.5, Began(ends.answered + 0.2))]
    ends.ear.next_look = ends.answered + 0.03
    await performed(ends.plays(HearStart(HELLO, at(1)), HangUp(at(2))))
    first, second = ends.ear.looks[:2]
    assert ends.answered + 0.03 <= first
    assert second - first <= 0.1
    assert ends.ear.looks[-1] >= ends.answered + 0.5


async def test_music_is_listened_for_as_music(ends: TwoEnds) -> None:
    ends.ear.hears = [(0.0, Began(ends.answered))]
    await performed(ends.plays(HearMusic(at(1)), HangUp(at(2))))
    assert [what for what, _ in ends.ear.listened] == ["music", "nothing"]


async def test_what_was_heard_last_is_taken_in_when_the_peer_hangs_up(ends: TwoEnds) -> None:
    script = ends.plays(HearStart(HELLO, at(1)))
    performing = asyncio.create_task(performed(script))
    await eventually(lambda: ends.ear.listened)
    ends.ear.hears = [(time.monotonic(), Began(ends.answered))]
    await ends.there.hang_up()
    await performing
    assert script.performer.gave_up is None
    assert ends.call.end is not None
    assert ends.ear.looks[-1] <= ends.call.end.at, "nothing is heard after the end"


async def test_what_is_said_and_pressed_arrives(ends: TwoEnds) -> None:
    script = ends.plays(Say(0.4, at(1)), Press("12", at(2)), HangUp(at(3)))
    await performed(script)
    assert [key.key for key in ends.there.recording.heard_keys()] == ["1", "2"]
    (span,) = ends.there.recording.heard_spans()
    assert 0.35 < span.end - span.start < 1.5, "as long as it was, or longer on a machine that stalls"
    say, press, _ = script.performer.acts
    assert 0.35 < say.end - say.start < 1.5
    assert press.start >= say.end


async def test_what_the_peer_does_not_take_is_said(ends: TwoEnds) -> None:
    agreed = ends.call._sip.agreed
    assert agreed is not None
    object.__setattr__(agreed, "keys", None)
    script = ends.plays(Press("1", at(2)), HangUp(at(3)))
    await performed(script)
    assert script.performer.gave_up is not None
    assert "the peer takes no keys in RTP" in script.performer.gave_up.waiting_for


async def test_orders_do_not_hold_up_the_script_and_are_waited_for(ends: TwoEnds) -> None:
    given: list[Order] = []
    release = asyncio.Event()

    async def slowly(order: Order) -> str:
        await release.wait()
        given.append(order)
        return "it was refused"

    order = Order("signal", at(1), "understood")
    script = ends.plays(order, HangUp(at(2)), order=slowly)
    performing = asyncio.create_task(performed(script))
    await eventually(lambda: ends.call.end)
    assert given == []
    release.set()
    await performing
    assert given == [order]
    assert script.trouble == "ivrflow could not be told the signal of call.yaml:1:3: it was refused"


async def test_an_order_that_hangs_does_not_keep_the_script(ends: TwoEnds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_call, "ORDERED_WITHIN_S", 0.1)
    before = asyncio.all_tasks()

    async def never(order: Order) -> str:
        await asyncio.Event().wait()
        return order.what

    await performed(ends.plays(Order("done", at(1)), HangUp(at(2)), order=never))
    assert asyncio.all_tasks() == before


async def test_a_deadline_of_the_script_is_kept(ends: TwoEnds) -> None:
    script = ends.plays(Hear(HELLO, at(1), within=0.2))
    await performed(script)
    assert script.performer.gave_up is not None
    assert script.performer.gave_up.waiting_for == f"{HELLO} was not heard within 200ms"
    assert ends.call.end is not None
    assert ends.call.end.by == "phone"


async def test_cancelled_it_hangs_up_and_says_how_far_it_got(ends: TwoEnds) -> None:
    before = asyncio.all_tasks()
    script = ends.plays(Say(5.0, at(1)), HangUp(at(2)))
    performing = asyncio.create_task(script.perform())
    await eventually(lambda: len(ends.there.recording) > 5)
    performing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await performing
    assert ends.call.end is not None
    assert script.performer.gave_up is not None
    assert script.performer.gave_up.waiting_for == "the call was over before 'say 5s' was done"
    assert asyncio.all_tasks() == before


async def test_a_call_that_is_over_before_its_script_began(ends: TwoEnds) -> None:
    await ends.there.hang_up()
    await ends.call.ended
    script = ends.plays(Say(1.0, at(1)), HangUp(at(2)))
    await performed(script)
    assert script.performer.gave_up is not None
    assert script.performer.is_over
