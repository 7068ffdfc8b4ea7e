"""The engine as a service: flows, journal, switchboard and exchange wired together.

Starting and stopping happen in a fixed order, and every part is closed also when a later one could not start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from ivrflow.bridge.agi_events import Environment
from ivrflow.bridge.asterisk_line import AsteriskLine, LineSettings
from ivrflow.bridge.exchange import Exchange, ExchangeAddress
from ivrflow.bridge.orders.answered import Asked
from ivrflow.bridge.orders.to_place_calls import CallOff, CallWanted
from ivrflow.bridge.outgoing_line import OUTGOING
from ivrflow.bridge.recordings_folder import Recordings, RecordingSettings
from ivrflow.calendar_notices import CalendarWatch
from ivrflow.engine.messages import CallArrived
from ivrflow.engine.session import CallSession
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.call_loop import LiveCall
from ivrflow.runtime.callbacks import CallbackScheduler, new_call
from ivrflow.runtime.clock import LoopClock
from ivrflow.runtime.enquiries import Enquiries
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_callbacks import CallbackBook
from ivrflow.runtime.switchboard import Switchboard
from ivrflow.service.order_desk import OrderDesk, understood
from ivrflow.service.placed_calls import PlacedCalls, pretended
from ivrflow.service.reading_aside import read_aside
from ivrflow.service.recordings_kept import recordings_kept
from ivrflow.service.reloading import Reloading
from ivrflow.settings import Settings

log = logging.getLogger("ivrflow.calls")

DRAIN_S = 30.0
"""Seconds that live calls have to end in peace when the engine stops."""


AT_HEADER = "X-Ivrflow-At"
"""SIP header of a tester's INVITE: the local time at which the call counts as arriving."""


class Service:
    """One engine process serving calls. Made within the event loop it serves on.

    Args:
        settings: what the operator set.
        flows: every flow served, by id.
    """

    def __init__(self, settings: Settings, flows: Mapping[str, CallFlow]) -> None:
        self.flows: Mapping[str, CallFlow] = {}
        """The flow of each dialled number."""
        self.flows_by_id: Mapping[str, CallFlow] = {}
        self._is_stopping = False
        self._clock = LoopClock(asyncio.get_running_loop())
        self._are_test_calls = settings.test_calls
        self.journal = Journal(settings.journal, keep_days=settings.journal_keep_days)
        self.switchboard = Switchboard()
        self.enquiries = Enquiries()
        self.recordings = Recordings(
            RecordingSettings(
                folder=settings.recordings_dir,
                pbx_folder=settings.pbx_recordings_dir,
                messages_keep_days=settings.messages_keep_days,
                talk_level=settings.talk_level,
            ),
            lambda: recordings_kept(self.flows_by_id.values()),
        )
        self.exchange = Exchange(
            ExchangeAddress(
                ami_host=settings.ami_host,
                ami_port=settings.ami_port,
                ami_user=settings.ami_user,
                ami_secret=settings.ami_secret,
                agi_host=settings.agi_host,
                agi_port=settings.agi_port,
            ),
            LineSettings(
                prompts_dir=str(settings.pbx_prompts_dir),
                talk_level=settings.talk_level,
                echo_gain=10 ** (-settings.echo_loss_db / 20),
                recordings=self.recordings,
            ),
            self._call_arrived,
            max_calls=settings.max_calls,
            on_order=self._ordered,
        )
        self.reloading = Reloading(
            partial(read_aside, settings), lambda: self.flows_by_id, self._use, lambda: self.switchboard.counts.live
        )
        self._desk = OrderDesk(self.exchange, self.switchboard, self._clock, self.reloading)
        self._placed = PlacedCalls(
            flows,
            self.exchange,
            self.journal,
            self.switchboard,
            self._clock,
            dial=settings.dial,
            calling_number=settings.calling_number,
            are_test_calls=settings.test_calls,
            look_ups=self.enquiries,
        )
        self._journal_url = settings.journal
        self._callbacks_at_once = settings.callbacks_at_once
        self._callbacks: CallbackScheduler | None = None
        self._use(flows)

    async def start(self) -> None:
        """Open the journal, log in at the PBX, then take calls.

        Raises:
            SettingsError: something is not as it was deployed; says what.
        """
        self.journal.open()
        try:
            self.recordings.start()
            await self.exchange.start()
            self._call_back()
        except BaseException:
            await self._close()
            raise

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Take no new calls, let the live ones end in peace (`drain_s` seconds at most), close everything.

        Also one that never started is closed by it.

        The port stays open meanwhile: an agent who is parted from the caller is spoken to over a session of its own.
        """
        self._is_stopping = True
        live = self.switchboard.counts.live
        log.info("stopping: new callers get the fallback; calls that go on, for at most %g s: %d", drain_s, live)
        self._placed.close()
        try:
            await self._desk.close()
            await self.switchboard.drain(drain_s)
        finally:
            await self._close()

    def _use(self, flows: Mapping[str, CallFlow]) -> None:
        """Begin calls with these flows from now on; calls that run keep theirs."""
        self.flows = {number: flow for flow in flows.values() for number in flow.numbers}
        self.flows_by_id = dict(flows)
        self._calendar = CalendarWatch(flows.values())
        self._placed.use(self.flows_by_id)
        self._look_at_calendar()

    def _call_back(self) -> None:
        """Begin to call people back."""
        if self._callbacks_at_once:
            self._callbacks = CallbackScheduler(
                CallbackBook(self._journal_url),
                lambda flow: self.flows_by_id.get(flow),
                self._placed,
                is_live=self.switchboard.is_live,
                at_once=self._callbacks_at_once,
                new_call=new_call(OUTGOING),
            )
            self._callbacks.start()

    async def _close(self) -> None:
        try:
            if self._callbacks is not None:
                await self._callbacks.close()
            await self.enquiries.close()
            await self.exchange.close()
            await self.recordings.close()
        finally:
            await asyncio.to_thread(self.journal.close)

    def _look_at_calendar(self) -> None:
        """Once a day at most: a year may begin whose holidays nobody knows, and a holiday file may end."""
        for notice in self._calendar.news(datetime.now().astimezone().date()):
            log.warning("%s: %s (%s)", notice.where, notice.message, notice.hint)

    def _ordered(self, order: CallWanted | CallOff | Asked) -> None:
        if isinstance(order, Asked):
            self._desk.ordered(order)
        else:
            self._placed.ordered(order)

    def _call_arrived(self, line: AsteriskLine, environment: Environment) -> bool:
        """Connect a caller with the flow of the number dialled; False when there is none, or no time."""
        if self._is_stopping:
            log.warning("call %s: the engine is stopping; the caller goes to the fallback", line.unique_id)
            return False
        self._look_at_calendar()
        flow = self.flows.get(environment.dialled_number)
        if flow is None:
            log.error("call %s: no flow serves the number dialled; the caller goes to the fallback", line.unique_id)
            return False
        connect = partial(self._connect, line, environment, flow)
        if self._are_test_calls:
            line.ask_header(AT_HEADER, connect)
        else:
            connect("")
        return True

    def _connect(self, line: AsteriskLine, environment: Environment, flow: CallFlow, at: str) -> None:
        """Let the call begin, for the flow at local time `at` where a tester says so. The journal keeps the real time."""
        now = time.time()
        line.flow = flow.id
        arrived = CallArrived(
            number=environment.dialled_number,
            caller=environment.caller_number,
            arrived_at=pretended(line.unique_id, flow, at) or now,
        )
        record = self.journal.call_arrived(line.unique_id, flow, now)
        session = CallSession(flow)
        call = LiveCall(
            line.unique_id,
            session,
            line,
            self._clock,
            record,
            on_over=self.switchboard.release,
            look_ups=self.enquiries,
        )
        self.switchboard.connect(call)
        line.on_event, line.read = call.happened, partial(understood, session=session)
        call.happened(arrived)
