"""What is to be said of a whole run, beside its results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ivrflow.scenario.script import Stage


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One `ivrflow scenario run`.

    Attributes:
        began: local time.
        took: seconds of wall time.
        stages: where it was played.
        called: what was called, without passwords: "127.0.0.1:5060"; empty when there was only the simulator.
        version: of ivrflow.
        jobs: how many calls went on at once at most.
        repeats: how often every scenario was played on purpose.
        remarks: what could not be looked at in this run, a sentence each ("Without the manager's password nobody looked
            for channels left behind.").
        left_behind: what the run as a whole left on the PBX or in the engine, a clause each ("2 channels are left on the
            PBX"); any of it makes the run fail.
    """

    began: datetime
    took: float
    stages: tuple[Stage, ...]
    called: str
    version: str
    jobs: int = 1
    repeats: int = 1
    remarks: tuple[str, ...] = ()
    left_behind: tuple[str, ...] = ()
