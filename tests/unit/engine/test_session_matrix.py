"""The whole matrix: prompt playing or not × what the caller does × what may barge in × where the call stands.

What must happen is worked out from these rules, not listed:

1. Input *leads* when the place listens to it. A menu answers every key: one that it does not offer leads to a correction.
2. While a prompt plays, input cuts it when it leads and its kind may barge in; it then leads at once.
3. While a prompt plays, other input does nothing now; when the prompt has ended, it leads if it leads.
4. While the call waits, input that leads does so at once; other input changes nothing, the deadline included.
5. Without input the prompt ends, the wait runs its seconds, and the call goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

import pytest
from driven_call import DrivenCall, call
from small_flows import climb, close, collect, flow, hours, listening, menu, rung, say, transfer, window

from ivrflow.engine import messages as m
from ivrflow.flow.model import BargeIn, CallFlow, Step

BARGE_INS: list[frozenset[BargeIn]] = [
    frozenset(),
    frozenset({"speech"}),
    frozenset({"key"}),
    frozenset({"speech", "key"}),
]
GOOD, WRONG = "1", "*"
INPUTS: dict[str, m.CallEvent | None] = {
    "speech": m.SpeechStarted(),
    "good key": m.KeyPressed(key=GOOD),
    "wrong key": m.KeyPressed(key=WRONG),
    "nothing": None,
}


def there(led: DrivenCall) -> bool:
    return led.steps[-1] == "there"


def no(_: DrivenCall) -> bool:
    return False


@dataclass(frozen=True)
class Stand:
    """A place where a call can stand.

    Attributes:
        begin: a flow that begins there, by what may barge in.
        leads: per input that the place listens to, how to see that it has led.
        may_cut: whether the place lets anything barge in at all.
        wait: from the prompt's end, seconds of the wait; 0: it waits for nobody, the call goes on at once.
        reach: from the answered call to the place (prompt playing, or waiting when it has none).
        plays: whether a prompt plays there.
    """

    begin: Callable[[frozenset[BargeIn]], CallFlow]
    leads: dict[str, Callable[[DrivenCall], bool]] = field(default_factory=dict)
    may_cut: bool = True
    wait: float = 0.0
    reach: Callable[[DrivenCall], object] = lambda _: None
    plays: bool = True


def begins_with(step: Callable[[frozenset[BargeIn]], Step]) -> Callable[[frozenset[BargeIn]], CallFlow]:
    return lambda barge_in: flow(step(barge_in), say("there", "there"), say("on", "on"))


def rings(ringing: DrivenCall) -> None:
    assert ringing.session.phase == "ringing"


def talks(ringing: DrivenCall) -> None:
    ringing.happens(m.AgentAnswered(ticket=ringing.ticket(m.Ring)))


STANDS: dict[str, Stand] = {
    "say that listens": Stand(
        begins_with(
            lambda may: say(
                "here", "hello", then="on", listens=listening(barge_in=may, speech="there", keys={GOOD: "there"})
            )
        ),
        {"speech": there, "good key": there},
    ),
    "say that does not": Stand(
        begins_with(lambda may: say("here", "hello", then="on", listens=listening(barge_in=may)))
    ),
    "ladder": Stand(
        begins_with(
            lambda may: climb(
                "here",
                rung("hello", 3.0),
                used_up="on",
                listens=listening(barge_in=may, speech="there", keys={GOOD: "there"}),
            )
        ),
        {"speech": there, "good key": there},
        wait=3.0,
    ),
    "ladder for speech alone": Stand(
        begins_with(
            lambda may: climb("here", rung("hello", 3.0), used_up="on", listens=listening(barge_in=may, speech="there"))
        ),
        {"speech": there},
        wait=3.0,
    ),
    "menu": Stand(
        begins_with(lambda may: menu("here", keys={GOOD: "there"}, barge_in=may, offers=1, no_input="on")),
        {"good key": there, "wrong key": lambda led: led.says[-1] == "invalid"},
        wait=5.0,
    ),
    "collect": Stand(
        begins_with(lambda may: collect("here", barge_in=may, repeats=0, no_input="on")),
        {"good key": lambda led: led.session.waiting_for == "the inter-digit timeout"},
        wait=6.0,
    ),
    "closing question": Stand(
        begins_with(lambda may: close("here", barge_in=may, request="there")),
        {"speech": there, "good key": there, "wrong key": there},
        wait=2.0,
    ),
    "farewell": Stand(
        begins_with(lambda may: close("here", barge_in=may, request="there")),
        wait=10.0,
        reach=lambda asked: asked.prompt_ends().time_passes(),
    ),
    "time of day": Stand(begins_with(lambda _: hours("here", window(range(7), 0, 1440, "good day", then="on")))),
    "announcement of a transfer": Stand(begins_with(lambda _: transfer("here", "connecting")), wait=20.0),
    "ringing": Stand(begins_with(lambda _: transfer("here")), wait=20.0, reach=rings, plays=False),
    "talk": Stand(begins_with(lambda _: transfer("here")), wait=60.0, reach=talks, plays=False),
    "situation": Stand(
        begins_with(
            lambda may: climb(
                "here", rung("hello", 3.0), listens=listening(barge_in=may, speech="there", keys={GOOD: "there"})
            )
        ),
        wait=2.0,
        reach=lambda begun: begun.situation("agreement"),
    ),
    "situation that speech leaves": Stand(
        begins_with(lambda may: climb("here", rung("hello", 3.0), listens=listening(barge_in=may))),
        {"speech": lambda led: led.session.step == "here"},
        may_cut=False,
        wait=4.0,
        reach=lambda begun: begun.situation("repeat"),
    ),
    "task": Stand(begins_with(lambda _: climb("here", rung(task="look up"), used_up="on")), wait=300.0, plays=False),
}

PLAYING = [(name, *rest) for name, *rest in product(STANDS, INPUTS, BARGE_INS) if STANDS[name].plays]
WAITING = [(name, *rest) for name, *rest in product(STANDS, INPUTS, BARGE_INS) if STANDS[name].wait]


def standing_at(name: str, barge_in: frozenset[BargeIn]) -> DrivenCall:
    standing = call(STANDS[name].begin(barge_in))
    STANDS[name].reach(standing)
    return standing


@pytest.mark.parametrize(("name", "given", "barge_in"), PLAYING)
def test_while_a_prompt_plays(name: str, given: str, barge_in: frozenset[BargeIn]) -> None:
    stand, event = STANDS[name], INPUTS[given]
    standing = standing_at(name, barge_in)
    phrase, deadline = standing.playing, standing.session.deadline
    assert phrase is not None
    kind = "speech" if given == "speech" else "key"
    if event:
        standing.happens(event, after=0.5)
    if given in stand.leads and kind in barge_in and stand.may_cut:
        assert standing.last[0] == m.StopPlaying(ticket=phrase.ticket)
        assert stand.leads[given](standing)
        return
    assert standing.last == [] or event is None
    assert (standing.playing, standing.session.deadline) == (phrase, deadline)
    standing.prompt_ends()
    if given in stand.leads:
        assert stand.leads[given](standing)
    elif stand.wait:
        assert standing.waits_for == stand.wait
        goes_on(standing)
    else:
        assert standing.steps[-1] == "on"


@pytest.mark.parametrize(("name", "given", "barge_in"), WAITING)
def test_while_it_waits(name: str, given: str, barge_in: frozenset[BargeIn]) -> None:
    stand, event = STANDS[name], INPUTS[given]
    standing = standing_at(name, barge_in)
    if stand.plays:
        standing.prompt_ends()
    deadline, last = standing.session.deadline, standing.last
    assert standing.playing is None
    assert standing.waits_for == stand.wait
    if event:
        standing.happens(event, after=0.5)
    if given in stand.leads:
        assert stand.leads[given](standing)
        return
    assert standing.last == (last if event is None else [])
    assert standing.session.deadline == deadline
    goes_on(standing)


def goes_on(standing: DrivenCall) -> None:
    before = (standing.session.step, standing.session.waiting_for)
    standing.time_passes()
    assert standing.session.is_over or (standing.session.step, standing.session.waiting_for) != before
