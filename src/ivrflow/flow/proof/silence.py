"""The longest silence a caller can meet, computed from the waits of the flow.

Silence is time in which nothing is audible, from one sound to the next: a wait after a prompt, the wait with which the next
step begins, an agent's task. Music and ringing are sounds, and so is an agent who talks. A digit of an entry begins the
silence anew: whoever keys one is not waiting. At most one situation begins within one silence.

Not counted: what a fault adds (a prompt's lost ending, a line on which the caller cannot be heard, a slow machine).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ivrflow.flow.model import CallFlow
from ivrflow.flow.proof.circles import connected_parts, runs_round
from ivrflow.flow.proof.quiet_moments import Moment, Node, QuietMap, quiet_map


@dataclass(frozen=True, slots=True)
class Silence:
    """The longest silence of its kind.

    Attributes:
        seconds: how long it lasts at most; 0 when there is none.
        moments: what is waited for in it, in order.
        rounds: how often its moments may come round, when they stand in a circle without sound; else 1.
    """

    seconds: float
    moments: tuple[Moment, ...] = ()
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Silences:
    """The longest silences of a flow.

    Attributes:
        waiting: while nobody works for the caller.
        working: the longest at all, an agent's tasks included.
        waits: every wait and task there is, each bounded.
    """

    waiting: Silence
    working: Silence
    waits: tuple[Moment, ...]


def silences(flow: CallFlow) -> Silences:
    """The longest silences of a flow, with and without agents' tasks."""
    moments = quiet_map(flow)
    visits = flow.limits.visits_per_step
    everything = range(len(moments.moments))
    without_tasks = [node for node in everything if moments.moments[node].kind != "task"]
    longest = [_longest(moments, nodes, visits, flow.limits.call_length) for nodes in (without_tasks, everything)]
    waits = [moment for moment in moments.moments if moment.seconds > 0]
    return Silences(longest[0], longest[1], (*waits, *moments.with_music))


@dataclass(frozen=True, slots=True)
class _Way:
    """A way through silent moments: the ones it begins with, and how it goes on; `rounds` as in `Silence`."""

    seconds: float
    nodes: tuple[Node, ...] = ()
    onward: _Way | None = None
    rounds: int = 1

    def all_nodes(self) -> list[Node]:
        """Every moment on the way, in order."""
        nodes: list[Node] = []
        way: _Way | None = self
        while way is not None:
            nodes += way.nodes
            way = way.onward
        return nodes


_NOTHING = _Way(0.0)


def _longest(moments: QuietMap, nodes: Collection[Node], visits: int, call_length: float) -> Silence:
    """The longest silence within `nodes`; it may begin anywhere, and one situation may begin within it."""
    allowed = set(nodes)
    leads = {node: [other for other in dict.fromkeys(moments.leads[node]) if other in allowed] for node in nodes}
    onward = _ways(moments, leads, visits)
    best = max(onward.values(), key=lambda way: way.seconds, default=_NOTHING)
    # Before a situation that begins in silence, the call may have been silent already.
    in_flow = {node: [other for other in ways if other < moments.in_flow] for node, ways in leads.items()
               if node < moments.in_flow}  # fmt: skip
    back: dict[Node, list[Node]] = {node: [] for node in in_flow}
    for node, others in in_flow.items():
        for other in others:
            back[other].append(node)
    before = _ways(moments, back, visits)
    interrupted = [way for node, way in before.items() if moments.moments[node].is_interruptible]
    silent_till_then = max(interrupted, key=lambda way: way.seconds, default=_NOTHING)
    nodes_till_then = tuple(reversed(silent_till_then.all_nodes()))
    for begin in moments.begins_situation:
        way = onward[begin]
        seconds = silent_till_then.seconds + way.seconds
        if way.seconds > 0 and seconds > best.seconds:
            best = _Way(seconds, nodes_till_then, way, max(silent_till_then.rounds, way.rounds))
    said = tuple(moments.moments[node] for node in best.all_nodes() if moments.moments[node].what)
    return Silence(min(round(best.seconds, 3), call_length), said, best.rounds)


def _ways(moments: QuietMap, leads: Mapping[Node, Sequence[Node]], visits: int) -> dict[Node, _Way]:
    """The longest way on from every node. A circle is gone round as often as a call may enter a step, or begin a ladder."""
    ways: dict[Node, _Way] = {}
    for part in connected_parts(leads):
        members = set(part)
        following = {other for node in part for other in leads[node]} - members
        onward = max((ways[other] for other in following), key=lambda way: way.seconds, default=_NOTHING)
        here, rounds = 0.0, 1
        entered = visits if members & moments.begins_step else 1
        for node in part:
            moment = moments.moments[node]
            times = entered * moment.rounds if runs_round(part, leads) else 1
            here += moment.seconds * times
            rounds = max(rounds, times if moment.seconds else 1)
        way = _Way(here + onward.seconds, part, onward, max(rounds, onward.rounds))
        ways |= dict.fromkeys(part, way)
    return ways
