"""The moments of a call in which nothing is heard, and which of them can follow one another without a sound between.

Every wait, every task and every point in between is a moment; sounds are not in the map: they are where it is torn. Music
is a sound, whether an extension rings with it or somebody is on hold; so is an agent who talks. What a caller keyed ahead
can make a prompt not even begin, but only after a situation, which takes no keys: the map knows each step's beginning twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never

from ivrflow.flow.compiling.holds import OF_THE_HOLD, WITH_MUSIC
from ivrflow.flow.model import (
    RETURN,
    Ask,
    CallBack,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Keep,
    Ladder,
    Menu,
    PlayBack,
    Queue,
    Record,
    Rung,
    Say,
    Score,
    Step,
    Transfer,
)
from ivrflow.flow.problems import Location
from ivrflow.flow.proof.departures import is_filled
from ivrflow.flow.proof.prompt_lengths import PromptLengths
from ivrflow.flow.reading.times import written

Node: TypeAlias = int


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a call without sound.

    Attributes:
        place: the step's name, or "situation NAME".
        what: what is waited for, in words: "waits 3s"; empty for a point between two waits.
        kind: a wait for the caller, a task of an agent, or a point, which takes no time.
        seconds: how long it lasts at most.
        is_interruptible: whether somebody may start a situation here.
        rounds: how often a ladder that goes round comes by here in one go.
    """

    place: str
    what: str
    kind: Literal["wait", "task", "point"]
    seconds: float
    where: Location
    is_interruptible: bool = False
    rounds: int = 1


@dataclass(slots=True)
class QuietMap:
    """Moments by number, and to which others each leads without a sound.

    Attributes:
        begins_step: the moments at which a step begins: a call may enter it again and again, and that is counted.
        begins_situation: the first moment of every situation's ladder.
        with_music: tasks during which music plays: bounded, and no silence.
        in_flow: how many moments belong to steps; those of situations follow.
    """

    moments: list[Moment] = field(default_factory=list)
    leads: dict[Node, list[Node]] = field(default_factory=dict)
    begins_step: set[Node] = field(default_factory=set)
    begins_situation: list[Node] = field(default_factory=list)
    with_music: list[Moment] = field(default_factory=list)
    in_flow: int = 0

    def add(self, moment: Moment) -> Node:
        """A new moment's number."""
        self.moments.append(moment)
        node = len(self.moments) - 1
        self.leads[node] = []
        return node

    def lead(self, begin: Node, *ends: Node) -> None:
        """Let one moment be followed by others."""
        self.leads[begin] += ends


_Exits: TypeAlias = Callable[[Rung], list[Node]]
"""Where input leads while the call is on a rung."""


def _has_music(ladder: Ladder, number: int) -> bool:
    """Whether music plays during the task of a rung: one of a hold keeps what the task before it began."""
    task = ladder.rungs[number].task
    if task in OF_THE_HOLD and number and ladder.rungs[number - 1].task:
        return _has_music(ladder, number - 1)
    return task in WITH_MUSIC


def quiet_map(flow: CallFlow) -> QuietMap:
    """The moments of all steps and situations of a flow."""
    return _Mapper(flow).map()


class _Mapper:
    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._lengths = PromptLengths(flow)
        self._map = QuietMap()
        self._begins = {name: self._point(step.name, step.where) for name, step in flow.steps.items()}
        # The same steps, entered with keys that were pressed while a situation was played.
        self._ahead = {name: self._point(step.name, step.where) for name, step in flow.steps.items()}
        self._map.begins_step = {*self._begins.values(), *self._ahead.values()}
        self._resumed: list[Node] = []
        """Where a call may find itself, in silence, when a situation is over."""
        self._started: dict[str, Node] = {}

    def map(self) -> QuietMap:
        for step in self._flow.steps.values():
            self._map.lead(self._ahead[step.name], self._begins[step.name])
            self._step(step)
        self._map.in_flow = len(self._map.moments)
        back = self._point("back where the call was", self._flow.where)
        self._map.lead(back, *dict.fromkeys(self._resumed))
        self._started = {
            name: self._point(f"situation {name}", ladder.where) for name, ladder in self._flow.situations.items()
        }
        self._map.begins_situation += self._started.values()
        for ladder in self._flow.situations.values():
            self._situation(ladder, back)
        return self._map

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self, step: Step) -> None:  # noqa: C901 - the one list of the kinds of steps; each branch is a line or two
        match step:
            case Say(ladder=ladder, then=then):
                self._listening(step, ladder, then, {})
            case Climb(ladder=ladder, used_up=used_up, left=left):
                self._listening(step, ladder, used_up, left)
            case Menu(ladder=ladder, no_input=no_input):
                self._listening(step, ladder, no_input, {})
            case Collect():
                self._collect(step)
            case Hours():
                for window in step.windows:
                    self._after_sound(step.name, window.says, window.then)
                self._after_sound(step.name, (), step.otherwise)
            case Transfer(agent_left=agent_left):
                # It rings with music; afterwards a new silence begins with the next step.
                self._resumed += self._all(self._ahead, [agent_left])
            case Queue():
                self._queue(step)
            case Record():
                self._record(step)
            case PlayBack(then=then) | Keep(then=then) | Score(then=then):
                self._after_sound(step.name, (), then)  # there may be no message to play
            case CallBack(then=then, undiallable=undiallable):
                self._after_sound(step.name, (), then)
                self._after_sound(step.name, (), undiallable)
            case Ask():
                self._ask(step)
            case Close():
                self._close(step)
            case HangUp():
                pass
            case _:
                assert_never(step)

    def _listening(self, step: Say | Climb | Menu, ladder: Ladder, end: str, left: Mapping[str, str]) -> None:
        listening = step.listening
        targets = [*([listening.speech] if listening.speech else []), *listening.keys.values()]
        inputs = self._all(self._begins, targets)

        def exits(rung: Rung) -> list[Node]:
            word = left.get(rung.leave_on or "")
            return [*inputs, *self._all(self._begins, [word] if word else [])]

        rungs = self._ladder(step.name, ladder, exits, self._all(self._begins, [end]))
        self._map.lead(self._begins[step.name], rungs[0])
        keyed = self._all(self._ahead, listening.keys.values())
        begins_silently = not ladder.rungs or not self._sounds(ladder.rungs[0])
        if "key" in listening.barge_in or begins_silently:
            self._map.lead(self._ahead[step.name], *keyed)
        if begins_silently:
            self._map.lead(self._ahead[step.name], *self._all(self._ahead, [end]))
        self._resumed += keyed

    def _collect(self, step: Collect) -> None:
        first = self._wait(step.name, "waits for the first digit", step.first_digit, step.where)
        further = self._wait(step.name, "waits for the next digit", step.inter_digit, step.where)
        self._map.lead(first, *self._all(self._begins, [step.no_input]))
        self._map.lead(further, *self._all(self._begins, [step.done, step.incomplete]))
        if not self._is_heard(step.ask):
            self._map.lead(self._begins[step.name], first)
        keyed = [further, *self._all(self._ahead, [step.done, step.incomplete])]
        self._resumed += keyed
        if "key" in step.barge_in:
            self._map.lead(self._ahead[step.name], *keyed)

    def _queue(self, step: Queue) -> None:
        """Whoever waits hears music between announcements; afterwards a new silence begins with the next step."""
        keyed = self._all(self._ahead, step.listening.keys.values())
        if "key" in step.listening.barge_in:
            self._map.lead(self._ahead[step.name], *keyed)  # the announcement does not even begin
        # A situation may be played during the announcement or the talk, and the agent may leave meanwhile.
        self._resumed += [*keyed, *self._all(self._ahead, [step.agent_left])]

    def _record(self, step: Record) -> None:
        """After the tone it is the caller's turn; who has said all there is to say waits for us."""
        seconds = min(step.silence, step.most)
        what = f"the message is over after a silence of {written(seconds)}"
        wait = self._map.add(Moment(step.name, what, "wait", seconds, step.where))
        self._map.lead(wait, *self._all(self._begins, [step.done, step.nothing]))

    def _ask(self, step: Ask) -> None:
        seconds = step.filler_after if is_filled(step) else step.most
        what = f"waits for the answer of a look-up, {written(seconds)}"
        wait = self._map.add(Moment(step.name, what, "wait", seconds, step.where))
        targets = [step.done, *step.cases.values(), step.late, step.wrong, step.failed]
        self._map.lead(self._begins[step.name], wait)
        self._map.lead(wait, *self._all(self._ahead, targets))

    def _close(self, step: Close) -> None:
        request = self._all(self._begins, [step.request] if step.request else [])
        guard = self._wait(step.name, "waits for the caller to hang up first", step.guard, step.where)
        if step.reminder:
            again = self._wait(step.name, "waits once more for the caller to hang up", step.guard, step.where)
            if not self._is_heard(step.reminder):
                self._map.lead(guard, again)
        ends = [guard, *self._all(self._begins, [step.survey])]
        rungs = self._ladder(step.name, step.ladder, lambda rung: request if rung.leave_on else [], ends)
        self._map.lead(self._begins[step.name], rungs[0])

    def _after_sound(self, step: str, says: Iterable[str], target: str) -> None:
        if not any(self._is_heard(key) for key in says):
            self._map.lead(self._begins[step], *self._all(self._begins, [target]))
            self._map.lead(self._ahead[step], *self._all(self._ahead, [target]))

    # ── situations ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _situation(self, ladder: Ladder, back: Node) -> None:
        follow = self._flow.follows.get(ladder.name)
        following = [self._started[follow.situation]] if follow and follow.situation in self._started else []

        def target(step: str) -> list[Node]:
            return [back, *following] if step == RETURN else self._all(self._ahead, [step])

        leaves = self._flow.leaves.get(ladder.name, {})

        def exits(rung: Rung) -> list[Node]:
            word = rung.leave_on
            return [*target(RETURN), *(target(leaves.get(word, RETURN)) if word and word != "speech" else ())]

        end = target(self._flow.outcomes.get(ladder.then, RETURN))
        begins = self._ladder(f"situation {ladder.name}", ladder, exits, end)
        again = [begins[number] for number, rung in enumerate(ladder.rungs[:-1], start=1) if rung.on_recurrence]
        self._map.lead(self._started[ladder.name], begins[0], *again)

    # ── ladders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ladder(self, place: str, ladder: Ladder, exits: _Exits, ends: list[Node]) -> list[Node]:
        """The moments of a ladder; where each of its rungs begins, or the end where it has none."""
        begins = [self._point(place, rung.where) for rung in ladder.rungs]
        round_again = begins[ladder.loops_from - 1 : ladder.loops_from] if ladder.loops_from else []
        for number, rung in enumerate(ladder.rungs):
            following = begins[number + 1 : number + 2] or [*ends, *round_again]
            onward = [*following, *exits(rung)]
            rounds = 1 + ladder.rounds if round_again and number + 1 >= ladder.loops_from else 1
            if rung.task is not None and not rung.is_waited_for:
                self._map.lead(begins[number], *following)  # no time passes in which it could be left
            elif rung.say is None and rung.task is not None:
                done = self._task(place, begins[number], rung, rounds, has_music=_has_music(ladder, number))
                self._map.lead(done, *onward)
            else:
                self._say_and_wait(place, begins[number], onward, rung, exits(rung), rounds)
        if not begins:
            begins = [self._point(place, ladder.where)]
            self._map.lead(begins[0], *ends)
        return begins

    def _task(self, place: str, begin: Node, rung: Rung, rounds: int, *, has_music: bool) -> Node:
        """The moment from which it goes on."""
        seconds = rung.wait or self._flow.limits.task_wait
        what = f"task {rung.task}, {written(seconds)}"
        if has_music:  # it is no silence, and what follows may be a new one
            self._map.with_music.append(Moment(place, f"{what}, with music", "task", seconds, rung.where))
            return self._point(place, rung.where)
        done = self._map.add(Moment(place, what, "task", seconds, rung.where, rounds=rounds))
        self._map.lead(begin, done)
        return done

    def _say_and_wait(
        self, place: str, begin: Node, onward: list[Node], rung: Rung, leaving: list[Node], rounds: int
    ) -> None:
        in_flow = not place.startswith("situation ")
        said = self._point(place, rung.where)
        if not self._sounds(rung):
            self._map.lead(begin, said)
        if rung.wait <= 0:
            self._map.lead(said, *onward)
            return
        what = f"waits {written(rung.wait)}"
        wait = self._map.add(Moment(place, what, "wait", rung.wait, rung.where, in_flow, rounds))
        self._map.lead(said, wait, *leaving)
        self._map.lead(wait, *onward)
        if in_flow:
            self._resumed += [said, wait]

    def _sounds(self, rung: Rung) -> bool:
        return rung.say is not None and self._is_heard(rung.say)

    def _is_heard(self, key: str) -> bool:
        return not self._lengths.longest(key).may_be_silent

    # ── moments ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _point(self, place: str, where: Location) -> Node:
        return self._map.add(Moment(place, "", "point", 0.0, where))

    def _wait(self, place: str, what: str, seconds: float, where: Location) -> Node:
        node = self._map.add(
            Moment(place, f"{what}, {written(seconds)}", "wait", seconds, where, is_interruptible=True)
        )
        self._resumed.append(node)
        return node

    def _all(self, begins: Mapping[str, Node], steps: Iterable[str]) -> list[Node]:
        return [begins[name] for name in dict.fromkeys(steps) if name in begins]
