"""What everybody tells of a load: each call, whoever placed them, the machine. Plain data, moments in seconds since it began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ivrflow.scenario.load.packets import PacketFigures
from ivrflow.scenario.observation import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSize:
    """How much of it.

    Attributes:
        calls: how many in all.
        rate: how many are placed in a second.
        most: how many may be there at once.
        listen: how many of them are listened to.
    """

    calls: int
    rate: float
    most: int
    listen: int = 0

    @property
    def listened(self) -> frozenset[int]:
        """Numbers of the calls that are listened to, spread evenly, the middle of each stretch."""
        count = min(self.listen, self.calls)
        return frozenset(int((place + 0.5) * self.calls / count) for place in range(count))


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One call of a load. Moments are seconds since the load began.

    Attributes:
        number: counted from 0, in the order they were placed.
        placed_at: when its INVITE left.
        answered_at: when it was answered; None when it was not.
        ended_at: when it was over.
        fault: why it did not go its way, in words that many calls can share; empty when all was well.
        status: the SIP status that refused it, if one did.
        is_listened: whether it was played and judged like a scenario.
        is_cut: whether it was ended because the load was stopped; then it counts neither as well nor as failed.
        packets: what its audio tells; None when none came, or nobody kept it.
    """

    number: int
    placed_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    fault: str = ""
    status: int | None = None
    is_listened: bool = False
    is_cut: bool = False
    packets: PacketFigures | None = None

    @property
    def setup(self) -> float | None:
        """Seconds from the INVITE to the answer."""
        return None if self.answered_at is None else self.answered_at - self.placed_at


@dataclass(frozen=True, slots=True)
class Tally:
    """How many calls are where."""

    planned: int
    placed: int = 0
    live: int = 0
    well: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSide:
    """What whoever placed the calls tells, our own phone or SIPp.

    Attributes:
        kind: "own" or "sipp".
        planned: how many calls were asked for.
        rate: how many a second.
        most: how many at once.
        placed, answered, well, failed: how many of them.
        cut: how many were ended because the load was stopped; neither well nor failed.
        faults: how many failed for which reason.
        statuses: how many were refused with which SIP status.
        setups: seconds from INVITE to answer, of every call that was answered.
        live: (second, calls there), in order.
        packets: what the audio of each call tells; empty when nobody listened.
        listened: what came of the calls that were listened to.
        began_at: Unix time.
        placing: seconds from the first INVITE to the last.
        took: seconds until the last call was over.
    """

    kind: str
    planned: int
    rate: float
    most: int
    placed: int
    answered: int
    well: int
    failed: int
    cut: int
    faults: Mapping[str, int]
    statuses: Mapping[int, int]
    setups: Sequence[float]
    live: Sequence[tuple[float, int]]
    packets: Sequence[PacketFigures] = ()
    listened: Sequence[Result] = ()
    began_at: float = 0.0
    placing: float = 0.0
    took: float = 0.0

    @property
    def most_live(self) -> int:
        """How many calls were there at once."""
        return max((count for _, count in self.live), default=0)

    @property
    def rate_reached(self) -> float:
        """Calls a second from the first to the last that was placed."""
        return (self.placed - 1) / self.placing if self.placing > 0 else self.rate


def together(sipp: CallerSide, own: CallerSide) -> CallerSide:
    """SIPp's calls and our own of the same load, which were listened to, as one."""

    def own_live(at: float) -> int:
        return next((count for moment, count in reversed(own.live) if moment <= at), 0)

    return replace(
        sipp,
        planned=sipp.planned + own.planned,
        most=sipp.most + (own.most if own.planned else 0),
        placed=sipp.placed + own.placed,
        answered=sipp.answered + own.answered,
        well=sipp.well + own.well,
        failed=sipp.failed + own.failed,
        cut=sipp.cut + own.cut,
        faults=Counter(sipp.faults) + Counter(own.faults),
        statuses=Counter(sipp.statuses) + Counter(own.statuses),
        setups=[*sipp.setups, *own.setups],
        live=[(at, count + own_live(at)) for at, count in sipp.live],
        packets=own.packets,
        listened=own.listened,
        began_at=min(sipp.began_at, own.began_at),
        took=max(sipp.took, own.took),
    )


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """One process over the time since the look before: `cpu` in percent of one core, `memory` in bytes resident."""

    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class MachineSample:
    """One look.

    Attributes:
        at: seconds since the load began.
        live: calls that were there.
        engine: the engine; None when it is not on this machine, or not ours to look at.
        pbx: the PBX; None likewise.
        caller: whoever places the calls: this process, or SIPp.
        pacer_late: seconds by which our own caller's audio was late at worst since the look before.
        others: percent of the whole machine's time that other processes of it used since the look before.
        stolen: percent of it that other machines on the same computer took.
    """

    at: float
    live: int
    engine: ProcessSample | None
    pbx: ProcessSample | None
    caller: ProcessSample | None
    pacer_late: float
    others: float
    stolen: float
