"""One live call: the next event or the deadline goes to the session, the session's answer goes to the line.

    while not session.is_over:
        event = the next one, or DeadlineReached at session.deadline
        for action in session.handle(event, now): line.perform(action)

It is written with callbacks instead of a task and a queue per call: an event is decided in the same turn of the loop
in which it arrived, a waiting call costs one timer, and nothing has to be cancelled when it ends.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ivrflow.engine.messages import (
    Action,
    AnswerReceived,
    CallEvent,
    DeadlineReached,
    Enquire,
    FallBack,
)
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import TraceLine, Verdict
from ivrflow.runtime.clock import Clock, Waking

log = logging.getLogger("ivrflow.calls")


class Line(Protocol):
    """The way to one caller. `perform` never waits for an action's ending: that comes back as an event."""

    def perform(self, action: Action) -> None:
        """Start doing `action`."""


class CallRecord(Protocol):
    """Where one call's events, actions, trace and verdicts are kept. It returns at once and never raises."""

    def handled(self, at: float, event: CallEvent, actions: Sequence[Action]) -> None:
        """Keep one event, its session time in seconds, and the answer."""

    def over(self, outcome: str, ended_by: str, trace: Sequence[TraceLine], verdicts: Sequence[Verdict]) -> None:
        """Keep what the call amounted to."""


class LookUps(Protocol):
    """Those who look things up for calls, see `enquiries`."""

    def begin(self, call_id: str, enquire: Enquire, answered: Callable[[AnswerReceived], None]) -> None:
        """Ask; `answered` hears what came of it."""

    def forget(self, call_id: str) -> None:
        """The call is over."""


class LiveCall:
    """Drives one session from its arrival to its end.

    Attributes:
        lateness: the greatest number of seconds a deadline of this call was served late.
        since: time of the clock at which it was made, in seconds.
    """

    def __init__(
        self,
        call_id: str,
        session: CallSession,
        line: Line,
        clock: Clock,
        record: CallRecord,
        on_over: Callable[[LiveCall], None],
        look_ups: LookUps | None = None,
    ) -> None:
        self.call_id = call_id
        self.session = session
        self.lateness = 0.0
        self.since = clock.now()
        self._line = line
        self._clock = clock
        self._record = record
        self._on_over = on_over
        self._look_ups = look_ups
        self._inbox: deque[CallEvent] = deque()
        self._is_handling = False
        self._is_done = False
        self._waking: Waking | None = None

    def happened(self, event: CallEvent) -> None:
        """Take an event now. One that comes while another is handled waits its turn."""
        self._inbox.append(event)
        if self._is_handling or self._is_done:
            return
        self._is_handling = True
        try:
            while self._inbox and not self._is_done:
                self._handle(self._inbox.popleft())
        finally:
            self._is_handling = False

    def abandon(self, reason: str) -> None:
        """Stop deciding and hand the caller to the PBX's fallback (drain ran out, or a bug)."""
        if not self._is_done:
            self._line.perform(FallBack(reason=reason))
            self._finish("handed_to_fallback")  # the line's log says why

    def _handle(self, event: CallEvent) -> None:
        now = self._clock.now()
        try:
            actions = self.session.handle(event, now)
            self._record.handled(now, event, actions)
            for action in actions:
                self._perform(action)
        except Exception:  # the one broad except: a bug must not leave a caller in silence
            log.exception("call %s: a bug; the caller goes to the fallback", self.call_id)
            self.abandon("a bug in the engine")
            return
        if self.session.is_over:
            self._finish(self.session.outcome)
        else:
            self._rearm()

    def _perform(self, action: Action) -> None:
        """What concerns the line goes to the line; what is looked up is none of its business."""
        if isinstance(action, Enquire):
            assert self._look_ups is not None, "a call whose flow asks has somebody who looks up"
            self._look_ups.begin(self.call_id, action, self.happened)
            return
        self._line.perform(action)

    def _rearm(self) -> None:
        """One timer a call: it is moved only when the session's deadline moved."""
        if self._waking is not None:
            self._waking.cancel()
        deadline = self.session.deadline
        self._waking = None if deadline is None else self._clock.wake_at(deadline, self._wake)

    def _wake(self) -> None:
        self._waking = None
        deadline = self.session.deadline
        now = self._clock.now()
        if deadline is None:
            return
        if now < deadline:  # event loops may wake up to a millisecond early
            self._rearm()
            return
        self.lateness = max(self.lateness, now - deadline)
        self.happened(DeadlineReached())

    def _finish(self, outcome: str) -> None:
        self._is_done = True
        self._inbox.clear()
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if self._look_ups is not None:
            self._look_ups.forget(self.call_id)
        session = self.session
        self._record.over(outcome, session.first_to_hang_up, session.trace, session.verdicts)
        self._on_over(self)
