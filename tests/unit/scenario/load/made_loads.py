"""What a load meets and whom it tells: called parties by hand, and a listener that keeps every count."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ivrflow.scenario.load.load_records import Tally
from ivrflow.scenario.load.timetable import Timetable
from ivrflow.softphone.audio_source import Noise, NoRtp
from ivrflow.softphone.call import Call
from ivrflow.softphone.softphone import Answer, OnCall

HUNG_UP_ON = Timetable((), 0.0, "peer", hears=False)
Behaves = Callable[[Call], OnCall]


@dataclass
class Told:
    tallies: list[Tally] = field(default_factory=list)

    def counted(self, tally: Tally) -> None:
        self.tallies.append(tally)

    @property
    def most_live(self) -> int:
        return max(tally.live for tally in self.tallies)


def lasting(seconds: float, source: NoRtp | Noise = NoRtp()) -> Behaves:  # noqa: B008 - a frozen value
    """Answers, and hangs up after so many seconds."""

    def behaves(call: Call) -> OnCall:
        asyncio.get_running_loop().call_later(seconds, call.hang_up_now)
        return Answer(source=source)

    return behaves
