"""What stands around the loop of a call when there is no call: a clock moved by hand, a session that answers as told, a
line, and where the call is written down."""

from collections.abc import Callable, Sequence

from ivrflow.engine.messages import Action, CallEvent
from ivrflow.engine.trace import TraceLine, Verdict


class Wake:
    """One wake-up that was asked for."""

    def __init__(self, when: float, wake: Callable[[], None]) -> None:
        self.when = when
        self.wake = wake
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = 100.0
        self.wakes: list[Wake] = []

    def now(self) -> float:
        return self.time

    def wake_at(self, when: float, wake: Callable[[], None]) -> Wake:
        self.wakes.append(Wake(when, wake))
        return self.wakes[-1]

    @property
    def armed(self) -> list[Wake]:
        return [wake for wake in self.wakes if not wake.cancelled]


class Script:
    """A session that answers as told; only what the loop touches."""

    def __init__(self, answers: list[list[Action] | Exception], deadlines: list[float | None]) -> None:
        self.answers = answers
        self.deadlines = deadlines
        self.handled: list[tuple[CallEvent, float]] = []
        self.outcome = "done"
        self.first_to_hang_up = "caller"
        self.trace: list[TraceLine] = []
        self.verdicts: tuple[Verdict, ...] = ()

    def handle(self, event: CallEvent, now: float) -> list[Action]:
        self.handled.append((event, now))
        answer = self.answers[len(self.handled) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def deadline(self) -> float | None:
        return self.deadlines[len(self.handled) - 1]

    @property
    def is_over(self) -> bool:
        return self.deadline is None


class Notebook:
    """Where a call is written down."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, CallEvent, tuple[Action, ...]]] = []
        self.ended: list[tuple[str, str]] = []
        self.findings: list[tuple[Sequence[TraceLine], Sequence[Verdict]]] = []

    def handled(self, at: float, event: CallEvent, actions: Sequence[Action]) -> None:
        self.lines.append((at, event, tuple(actions)))

    def over(self, outcome: str, ended_by: str, trace: Sequence[TraceLine], verdicts: Sequence[Verdict]) -> None:
        self.ended.append((outcome, ended_by))
        self.findings.append((trace, verdicts))


class Wire:
    """A line: what was performed on it."""

    def __init__(self) -> None:
        self.performed: list[Action] = []
        self.react: Callable[[Action], None] = lambda _action: None

    def perform(self, action: Action) -> None:
        self.performed.append(action)
        self.react(action)
