"""One call, decided: event and time in, actions and one deadline out.

ALL STATE OF A CALL CHANGES IN THIS FILE, through one door: `CallSession.handle`. Its rules:

1. Time is the argument `now` (seconds, any origin, never going back); nothing here reads a clock.
2. Until the call is over exactly one absolute deadline is armed (`deadline`, named by `waiting_for`). It is set only in
   `_stand`, together with what the call is now waiting for, and never moves because of noise or a key that leads nowhere.
3. A silence clock starts when playback *ended*, never when it was sent.
4. An ending that carries an old ticket is ignored. That one rule removes the barge-in races.
5. Input that may not barge in is kept and acted on when the prompt has ended; it is never swallowed.
6. Limits are worded outcomes, never exceptions. An exception out of here is a bug.

The file goes the way of a call; its sections, in order:

    what can be asked · the door · arriving · calls we place · leaving · steps · ladders · prompts · what the caller keys
    and says · digits · hearing · agents: sought · agents: on the line · agents: what they do · recording the call ·
    messages · callbacks · look-ups · closing · situations · the places that write state for all

A new kind of step gets a branch in `_enter`; a new kind of wait gets a value in `standing` and a branch in
`_deadline_reached`; a new event one in `_happened`. The type checker names every list that lacks it.

What is only asked, never changed, lies beside it: where the call is and what input means there (`place`), what it waits
for (`standing`), whether a situation may interrupt that (`interruption`), who the agent is and who hears what (`leg`), what
digits amount to (`digits`), what is looked up (`look_up`), what a callback is noted as (`callback_order`), what was
promised (`promises`), whom a task keeps waiting (`holding`), which phase allows what (`lifecycle`), what all that proves
(`verdict`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ivrflow.engine import messages as m
from ivrflow.engine.call_time import dated
from ivrflow.engine.callback_order import callback_order, number_to_ring
from ivrflow.engine.chosen_wording import chosen_footing, chosen_phrases
from ivrflow.engine.digits import DigitEntry
from ivrflow.engine.hindrance import hindrance
from ivrflow.engine.holding import DONE_BEFORE, Hold, follower, hold_during
from ivrflow.engine.interruption import interruption
from ivrflow.engine.left_message import LeftMessage
from ivrflow.engine.leg import ONLY_MUSIC, Leads, Leg, gone_to, hearer, only_music, waiting_values, without_place
from ivrflow.engine.lifecycle import CallPhase
from ivrflow.engine.look_up import enquiry, leads_to, learned
from ivrflow.engine.place import Interrupted, Place
from ivrflow.engine.promises import agreed, completed, promised
from ivrflow.engine.standing import (
    After,
    Answering,
    Asking,
    Deciding,
    Dialling,
    Footing,
    Guarding,
    Interruptible,
    Keying,
    Pausing,
    Queueing,
    Recording,
    Ringing,
    Saying,
    Standing,
    Talking,
    Tasking,
    ThenAsk,
    ThenClimb,
    ThenCollect,
    ThenEnquire,
    ThenEnter,
    ThenGuard,
    ThenPause,
    ThenQueue,
    ThenRecord,
    ThenRing,
    ThenTalk,
    ThenThank,
    is_of_the_talk,
)
from ivrflow.engine.trace import AGENT_GONE, Fact, TraceLine, Verdict
from ivrflow.engine.verdict import judge
from ivrflow.flow.calendar import window_at
from ivrflow.flow.keys.outgoing import may_be_rung
from ivrflow.flow.model import (
    HANG_UP,
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
    Promise,
    Prompt,
    Queue,
    Record,
    Say,
    Score,
    Step,
    Transfer,
)

ANSWER_GUARD_S = 10.0
"""Seconds the PBX has to open the line."""

PROMPT_GUARD_S = 3.0
"""Seconds past a prompt's own length after which its ending counts as lost."""

SECONDS_PER_CHARACTER = 0.22
"""Speaking time per character for a wording nobody rendered yet (measured mean of the rendered ones)."""

RECORDING_GUARD_S = 5.0
"""Seconds past the longest message after which the end of its recording counts as lost."""

DEAF_WAITS = 10
"""How often the waits of one step are begun again because the caller could not be heard, before a person takes over."""


class CallSession:
    """The state machine of one call. See the module's first lines for its rules."""

    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._phase = CallPhase()
        self._trace: list[TraceLine] = []
        # Time: `_now` and `_began` in session time, `_arrived_at` in Unix time.
        self._now = 0.0
        self._began = 0.0
        self._arrived_at: float | None = None
        # Where the call is, and what it waits for under which deadline.
        self._place = Place(flow.steps[flow.start])
        self._standing: Standing = Answering()
        self._until = 0.0
        self._purpose = ""
        self._deadline: float | None = None
        self._waiting_for = ""
        # What is decided while one event is handled.
        self._actions: list[m.Action] = []
        self._next_step = ""
        # What is known of the caller. Values and digits are personal.
        self._values: dict[str, str] = {}
        self._digits: dict[str, str] = {}
        self._keys_ahead: list[str] = []
        self._late_end_key = ""
        self._spoke_ahead = False
        self._is_speaking = False
        self._is_deaf = False
        self._caller = ""
        # The agent, sought or on the line, and the music that plays meanwhile.
        self._leg: Leg | None = None
        self._reason = ""  # the situation that led to the step the call is in now
        self._has_music = False
        self._has_talked = self._was_surveyed = False
        self._is_sent_on = False  # by an agent who is gone, to a step that is still to come
        # What is recorded: the call, and the caller's message.
        self._recording = ""
        self._is_recording_announced = False
        self._message: LeftMessage | None = None
        # The look-up under way, and its answer where that has to wait until something is said.
        self._enquiry: m.Ticket = 0
        self._answer: m.AnswerReceived | None = None
        self._callbacks = 0
        # What the caller was promised, each as it stands.
        self._promises: dict[int, m.NotePromise] = {}
        # Counted, so that nothing goes on for ever.
        self._tickets = 0
        self._visits: Counter[str] = Counter()
        self._steps_this_event = 0
        self._wrong_keys = 0
        self._questions = 0
        self._deaf_waits = 0
        # How long the caller has been kept waiting, and where a ladder goes on when its situation happens again.
        self._hold: Hold | None = None
        self._held: float | None = None
        self._next_rungs: dict[str, int] = {}
        # How it ended.
        self._outcome = ""
        self._first_to_hang_up = ""

    # ── what can be asked ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def flow(self) -> CallFlow:
        """The flow this call started with and keeps."""
        return self._flow

    @property
    def deadline(self) -> float | None:
        """Session time at which `DeadlineReached` is due; None before arrival and when the call is over."""
        return self._deadline

    @property
    def waiting_for(self) -> str:
        """What the deadline is for, in words; empty when none is armed."""
        return self._waiting_for

    @property
    def is_over(self) -> bool:
        """Whether the engine has nothing more to say to this call."""
        return self._phase.is_over

    @property
    def phase(self) -> str:
        """The phase of the call's lifecycle."""
        return self._phase.name

    @property
    def step(self) -> str:
        """Name of the step the call stands in, or "situation NAME" while one is played; empty before the first."""
        return self._place.name if self._visits else ""

    @property
    def task(self) -> m.Ticket:
        """Ticket of the task that was asked for and is not done yet; 0 when the call waits for none."""
        return self._standing.ticket if isinstance(self._standing, Tasking) else 0

    @property
    def trace(self) -> list[TraceLine]:
        """What happened so far, in order."""
        return self._trace

    @property
    def outcome(self) -> str:
        """How the call ended, in a word of the flow; empty while it lives."""
        return self._outcome

    @property
    def first_to_hang_up(self) -> str:
        """Who hung up first: "caller", "agent" or "ivrflow"; empty while nobody did."""
        return self._first_to_hang_up

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per rule of the standard, given on the trace."""
        return judge(self._flow.standard, self._trace, tolerance=self._flow.limits.tolerance)

    # ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, event: m.CallEvent, now: float) -> list[m.Action]:
        """Take what happened at `now` (seconds) and answer with what to do, in order."""
        is_first = self._arrived_at is None
        if self.is_over or is_first != isinstance(event, m.CallBegun):
            return []  # nothing happens before a call begins, it begins once, and once over it is over
        self._now = now
        self._actions = []
        self._steps_this_event = 0
        self._happened(event)
        while self._next_step:
            name, self._next_step = self._next_step, ""
            self._enter(name)
        if not self.is_over:
            assert self._deadline is not None, "every waiting state has one armed deadline"
            assert not isinstance(self._standing, Deciding), "a call always stands somewhere"
        return self._actions

    def _happened(self, event: m.CallEvent) -> None:  # noqa: C901 - the one list of all events; each branch is one line
        match event:
            case m.CallArrived():
                self._call_arrived(event)
            case m.CallOrdered():
                self._call_ordered(event)
            case m.CallAnswered():
                self._call_answered()
            case m.CallNotAnswered(why=why):
                self._call_not_answered(why)
            case m.KeyPressed(key=key):
                self._key_pressed(key)
            case m.SpeechStarted():
                self._speech_started()
            case m.SpeechEnded():
                self._speech_ended()
            case m.PromptEnded(ticket=ticket, how=how):
                self._prompt_ended(ticket, how)
            case m.DeadlineReached():
                self._deadline_reached()
            case m.AgentAnswered():
                self._agent_answered(event)
            case m.AgentUnavailable(ticket=ticket, why=why):
                self._agent_unavailable(ticket, why)
            case m.AgentLeft(ticket=ticket):
                self._agent_left(ticket)
            case m.QueueMoved():
                self._queue_moved(event)
            case m.HoldStarted(ticket=ticket):
                self._hold_started(ticket)
            case m.HoldEnded(ticket=ticket):
                self._hold_ended(ticket)
            case m.AgentKeyed(ticket=ticket, code=code):
                self._agent_keyed(ticket, code)
            case m.TransferOrdered(step=name):
                self._transfer_ordered(name)
            case m.MessageRecorded():
                self._message_recorded(event)
            case m.AnswerReceived():
                self._answer_received(event)
            case m.SituationStarted(name=name):
                self._situation_started(name)
            case m.SituationCancelled():
                self._situation_cancelled()
            case m.SignalGiven(word=word):
                self._signal_given(word)
            case m.TaskDone(ticket=ticket):
                self._task_done(ticket)
            case m.ValuesLearned(values=values):
                self._values |= values
            case m.HearingLost():
                self._hearing_lost()
            case m.HearingRestored():
                self._hearing_restored()
            case m.CallerHungUp(cause=cause):
                self._caller_hung_up(cause)
            case m.LineLost():
                self._line_lost()
            case _:
                assert_never(event)

    def _deadline_reached(self) -> None:  # noqa: C901 - the one list of what can be waited for; each branch is a line or two
        if self._deadline is None or self._now < self._deadline:
            return
        if self._now >= self._call_ends:
            self._note(Fact.LIMIT_REACHED, detail="call_length")
            self._end_call("call_too_long")
            return
        due = self._leg.due() if self._leg else None
        if self._leg and due is not None and self._now >= due:
            self._queue_due(self._leg)
            return
        standing = self._standing
        match standing:
            case Answering():
                self._fall_back("the line did not open")
            case Dialling():
                self._rang_in_vain()
            case Saying():
                self._prompt_end_lost(standing)
            case Pausing() | Keying() if self._is_deaf:
                self._wait_again(standing)
            case Pausing(footing=footing):
                self._note(Fact.WAIT_USED_UP)
                self._climb_on(footing)
            case Keying(entry=entry):
                self._note(Fact.WAIT_USED_UP, detail=entry.timeout_name)
                self._entry_over(entry)
            case Tasking(footing=footing):
                self._note(Fact.WAIT_USED_UP, detail="task")
                self._climb_on(footing)
            case Ringing(ticket=ticket):
                self._actions.append(m.StopRinging(ticket=ticket))
                self._agent_unavailable(ticket, "no_answer")
            case Talking():
                self._talk_too_long(standing)
            case Recording():
                self._recording_lost(standing)
            case Asking():
                self._answer_overdue(standing)
            case Guarding():
                self._guard_used_up(standing)
            case Queueing() | Deciding():
                raise AssertionError(
                    "waiting in a queue ends when the queue is due; no deadline is armed while deciding"
                )
            case _:
                assert_never(standing)

    # ── arriving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _call_arrived(self, event: m.CallArrived) -> None:
        self._arrived_at = event.arrived_at
        self._began = self._now
        self._caller = event.caller
        self._values |= event.values
        self._note(Fact.ARRIVED, detail=self._flow.title)
        self._actions.append(m.Answer())
        self._stand(Answering(), ANSWER_GUARD_S, "the line to open")

    def _call_answered(self) -> None:
        if isinstance(self._standing, Answering):
            self._opened(self._flow.start)
        elif isinstance(self._standing, Dialling):
            assert self._flow.places_calls is not None, "only such a flow dials"
            self._note(Fact.LADDER_LEFT, detail="answered")
            self._place = Place(self._place.step)
            self._opened(self._flow.places_calls.start)

    def _opened(self, start: str) -> None:
        self._phase.take("answer")
        self._note(Fact.ANSWERED)
        recording = self._flow.recording
        if recording and recording.whole_call:
            self._record_call()
            self._place = Place(self._flow.steps[HANG_UP])  # no step takes keys yet: they are kept for the first one
            self._say(recording.announce, ThenEnter(start))
        else:
            self._go(start)

    # ── calls we place ────────────────────────────────────────────────────────────────────────────────────────────────

    def _call_ordered(self, event: m.CallOrdered) -> None:
        self._arrived_at = event.arrived_at
        self._began = self._now
        self._caller = event.caller
        self._values |= event.values
        self._note(Fact.ORDERED, detail=self._flow.title)
        placing = self._flow.places_calls
        reason = hindrance(self._flow, event.caller, event.arrived_at)
        if placing is None or reason is not None:
            self._note(Fact.NOT_PLACED, detail=str(reason))
            self._over(reason.outcome if reason else "not_allowed", by="")
            return
        footing = Footing(placing.ladder)
        self._set_foot(footing)
        self._phase.take("dial")
        self._note(Fact.LADDER_BEGUN, detail=placing.ladder.name)
        self._note(Fact.DIALLING, seconds=placing.ring_for)
        self._actions.append(m.Dial(seconds=placing.ring_for))
        self._stand(Dialling(footing), placing.ring_for, "somebody to pick up")

    def _call_not_answered(self, why: str) -> None:
        if isinstance(self._standing, Dialling):
            self._note(Fact.NOT_ANSWERED, detail=why)
            self._over(why, by="")

    def _rang_in_vain(self) -> None:
        self._note(Fact.WAIT_USED_UP)
        self._note(Fact.LADDER_USED_UP, detail=self._place.footing.ladder.then if self._place.footing else "")
        self._actions.append(m.StopDialling())
        self._over("no_answer", by="")

    # ── leaving ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _caller_hung_up(self, cause: int) -> None:
        if isinstance(self._standing, Saying):
            self._note(Fact.PHRASE_ENDED, phrase=self._standing.phrase, detail="stopped: caller hung up")
            footing = self._place.footing
            if footing and footing.number > 1 and footing.rung.say == self._standing.phrase:
                self._promise(completed(self._flow, footing))  # all but the last words were heard
        self._note(Fact.CALLER_HUNG_UP, detail=f"cause {cause}" if cause else "")
        self._keep_what_was_said()
        self._release_agent()
        self._over("caller_hung_up", by="caller")

    def _line_lost(self) -> None:
        """Nobody hung up, and nobody is there any more."""
        if isinstance(self._standing, Saying):
            self._note(Fact.PHRASE_ENDED, phrase=self._standing.phrase, detail="stopped: line lost")
        self._note(Fact.LINE_LOST)
        self._keep_what_was_said()
        self._release_agent()
        self._over("line_lost", by="")

    def _end_call(self, outcome: str) -> None:
        self._stop_playing("call ended")
        self._release_agent()
        self._actions.append(m.EndCall(outcome=outcome))
        self._over(outcome, by="ivrflow")

    def _fall_back(self, reason: str) -> None:
        """Give up on deciding, never on the caller: the PBX apologises and rings the duty extension."""
        self._stop_playing("handed over")
        self._release_agent()
        self._note(Fact.HANDED_OVER, detail=reason)
        self._actions.append(m.FallBack(reason=reason))
        self._over("handed_to_fallback", by="")

    def _over(self, outcome: str, *, by: str) -> None:
        self._outcome = outcome
        self._first_to_hang_up = self._first_to_hang_up or by
        self._note(Fact.ENDED, detail=outcome, seconds=self._now - self._began)
        self._phase.take("end")
        self._decide()

    # ── steps: one branch per kind, each with its section below ───────────────────────────────────────────────────────

    def _go(self, name: str) -> None:
        """Enter a step as soon as the present one is left: a circle of steps is a loop, not a recursion."""
        self._decide()
        self._next_step = name

    def _enter(self, name: str) -> None:  # noqa: C901 - the one list of the kinds of steps; each branch is a line or two
        self._visits[name] += 1
        self._steps_this_event += 1
        self._wrong_keys = self._questions = self._deaf_waits = 0
        limit = self._limit_reached(name)
        if limit:
            self._place = Place(self._place.step)
            self._note(Fact.LIMIT_REACHED, detail=f"{limit} at step {name}")
            self._fall_back(f"limit {limit} reached at step {name}")
            return
        step = self._flow.steps[name]
        self._place = Place(step)
        stays = isinstance(step, Say) or (isinstance(step, Transfer) and step.warm is not None)
        if self._leg and not (self._leg.has_answered and stays):
            self._let_agent_go()
        self._is_sent_on = self._is_sent_on and isinstance(step, Say | Transfer | Queue)
        self._pause_recording(step)
        self._keys_ahead = self._place.useful(self._keys_ahead)
        self._note(Fact.STEP_ENTERED)
        if self._phase.name in {"closing", "awaiting hangup"} and not isinstance(step, HangUp):
            self._phase.take("request_arises")  # also before closing once more: the question is asked again
        match step:
            case Say() | Climb() | Menu():
                self._begin(step.ladder)
            case Collect():
                self._say((step.ask,), ThenCollect(step))
            case Hours():
                self._choose_by_time(step)
            case Transfer():
                self._say((*self._recording_announced(), *step.announce), ThenRing(step))
            case Queue():
                # Where the caller stood in another queue says nothing of this one.
                self._values = without_place(self._values)
                self._say((*self._recording_announced(), *step.announce), ThenQueue(step))
            case Record():
                self._say(step.ask, ThenRecord(step))
            case PlayBack():
                self._play_back(step)
            case Keep():
                self._keep_message()
                self._go(step.then)
            case Score():
                self._note(Fact.SCORED, detail=f"{step.survey}: {step.score} of {step.most}")
                self._actions.append(m.NoteScore(survey=step.survey, score=step.score, most=step.most))
                self._go(step.then)
            case CallBack():
                self._order_callback(step)
            case Ask():
                self._enquire(step)
            case Close():
                self._phase.take("begin_closing")
                self._begin(step.ladder)
            case HangUp():
                self._end_call(step.outcome)
            case _:
                assert_never(step)

    def _limit_reached(self, name: str) -> str:
        """Name of the limit that entering this step exceeds, or "" when none."""
        if self._steps_this_event > self._flow.limits.steps_per_event:
            return "steps_per_event"
        return "visits_per_step" if self._visits[name] > self._flow.limits.visits_per_step else ""

    def _choose_by_time(self, step: Hours) -> None:
        window = window_at(step, self._local_time, self._flow.calendar)
        if window:
            self._say(window.says, ThenEnter(window.then))
        else:
            self._go(step.otherwise)

    # ── ladders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, ladder: Ladder, first: int = 0) -> None:
        if not ladder.rungs:
            self._ladder_used_up(ladder)
            return
        footing = Footing(ladder, first)
        if not ladder.greets:  # the rule's ladder begins after the greeting
            self._set_foot(footing)
            self._note(Fact.LADDER_BEGUN, detail=ladder.name)
        self._climb(footing)

    def _climb(self, footing: Footing) -> None:
        """Do what the rung says."""
        footing = chosen_footing(self._flow, footing, self._local_time)
        self._set_foot(footing)
        rung = footing.rung
        if rung.task is None:
            self._set_hold(None)
        if rung.say is not None:
            self._say((rung.say,), ThenPause(footing))
        elif rung.task is not None:
            self._ask_for(rung.task, footing)
        else:
            self._pause(footing)

    def _ask_for(self, task: str, footing: Footing) -> None:
        interrupted = self._place.interrupted
        if interrupted and interrupted.has_agent and self._leg is None and task not in DONE_BEFORE:
            self._give_up(interrupted)
            return
        hold = hold_during(task, self._hold, self._now)
        if hold and self._leg and self._leg.holds:
            hold = replace(hold, has_music=True)  # the agent's telephone keeps no line open
        if hold and hold.has_music:
            self._part()
        elif footing.rung.is_waited_for:
            self._join()
        self._set_hold(hold)
        self._note(Fact.TASK_ASKED, detail=task)
        if task in DONE_BEFORE:
            self._note(Fact.TASK_DONE, detail=task, seconds=0.0)
            self._climb_on(footing)
            return
        ticket = self._next_ticket()
        self._actions.append(m.Instruct(ticket=ticket, task=task))
        if footing.rung.is_waited_for:
            wait = footing.rung.wait or self._flow.limits.task_wait
            self._stand(Tasking(ticket, self._now, footing), wait, f"task {task}")
        else:
            self._climb_on(footing)

    def _set_hold(self, hold: Hold | None) -> None:
        """Begin a hold, go on with it, or end it (None); the caller hears music while it has some."""
        before, self._hold = self._hold, hold
        had_music, has_music = bool(before and before.has_music), bool(hold and hold.has_music)
        if before and not hold:
            self._held = (self._held or 0.0) + before.seconds(self._now)
            self._note(Fact.HOLD_OVER, seconds=before.seconds(self._now))
            if self._phase.name == "held":
                self._phase.take("take_back")
        elif hold and not before:
            if self._phase.name == "bridged":
                self._phase.take("hold")
            self._note(Fact.HOLD_BEGUN, detail="with music" if has_music else "with the line open")
        if had_music != has_music:
            if has_music:
                self._start_music()
            else:
                self._stop_music()

    def _pause(self, footing: Footing) -> None:
        """Begin the rung's wait, its silence clock at zero, unless the caller has already said or keyed something."""
        step, wait = self._place.step, footing.rung.wait
        if self._use_input_ahead():
            return
        if wait <= 0:
            self._climb_on(footing)  # keys that led nowhere are kept for what comes next
            return
        wrong_keys = [] if self._place.interrupted else self._keys_ahead
        if wrong_keys:
            self._keys_ahead = []
            if isinstance(step, Menu):
                self._wrong_key(step, footing)  # together one wrong choice
                return
        self._join()
        if self._leg and self._leg.is_queued:
            self._start_music()
        self._note(Fact.WAIT_BEGUN, seconds=wait)
        self._stand(Pausing(footing), wait, "the rung's wait")

    def _climb_on(self, footing: Footing) -> None:
        if footing.rung.on_recurrence and self._place.interrupted:
            self._next_rungs[footing.ladder.name] = footing.index + 1
            self._set_hold(None)
            self._note(Fact.LADDER_PAUSED, detail="until it happens again")
            self._situation_over(self._place.interrupted, RETURN)
            return
        following = footing.next()
        if following is None or following.index > footing.index:  # a ladder that goes round promises once
            self._promise(completed(self._flow, footing))
        if following:
            if following.index == following.ladder.greets:
                self._set_foot(following)
                self._note(Fact.LADDER_BEGUN, detail=following.ladder.name)
            self._climb(following)
        else:
            self._set_hold(None)
            self._note(Fact.LADDER_USED_UP, detail=footing.ladder.then)
            self._ladder_used_up(footing.ladder)

    def _ladder_used_up(self, ladder: Ladder) -> None:
        if self._place.interrupted:
            self._situation_over(self._place.interrupted, self._flow.outcomes.get(ladder.then, RETURN))
            return
        step = self._place.step
        match step:
            case Say(then=then):
                self._go(then)
            case Climb(used_up=used_up):
                self._go(used_up)
            case Menu(no_input=no_input):
                self._go(no_input)
            case Close(survey=survey) if survey and self._has_talked and not self._was_surveyed:
                self._was_surveyed = True
                self._go(survey)
            case Close():
                self._place = Place(step)
                self._phase.take("await_hangup")
                self._guard(step, reminded=False)
            case Queue():
                self._wait_on(step)
            case (
                Collect()
                | Hours()
                | Transfer()
                | Record()
                | PlayBack()
                | Keep()
                | Score()
                | CallBack()
                | Ask()
                | HangUp()
            ):
                raise AssertionError(f"step {step.name} has no ladder")
            case _:
                assert_never(step)

    def _leave(self, word: str, target: str) -> None:
        """Leave the ladder because of `word`."""
        footing = self._place.footing
        if footing and footing.rung.on_recurrence and word != "cancelled":
            self._next_rungs[footing.ladder.name] = footing.index + 1
        self._set_hold(None)
        self._note(Fact.LADDER_LEFT, detail=word)
        self._promise(agreed(self._flow, footing, word) if footing else None)
        if self._place.interrupted:
            self._situation_over(self._place.interrupted, target)
        else:
            self._go(target)

    def _promise(self, promise: Promise | None) -> None:
        """Note what the rung stood on has promised, if anything."""
        footing = self._place.footing
        if promise is None or footing is None:
            return
        before = tuple(self._promises.values())
        made = promised(promise, footing.rung.rule or "", self._local_time, self._values, self._flow.calendar, before)
        self._promises[made.note.number] = made.note
        self._note(made.fact, detail=made.told, seconds=round(made.note.due_at - self._local_time.timestamp(), 3))
        self._actions += [made.note] if made.is_news else []

    def _signal_given(self, word: str) -> None:
        self._note(Fact.SIGNAL_GIVEN, detail=word)
        target = None if isinstance(self._standing, Dialling) else self._place.left_by(word, self._flow.leaves)
        if target is not None:
            self._stop_playing(f"signal {word}")
            self._leave(word, target)

    def _task_done(self, ticket: m.Ticket) -> None:
        tasking = self._standing
        if not isinstance(tasking, Tasking) or tasking.ticket != ticket:
            return
        seconds, rung = self._now - tasking.since, tasking.footing.rung
        waited = self._hold.seconds(self._now) if self._hold else seconds
        self._decide()
        self._note(Fact.TASK_DONE, detail=rung.task or "", seconds=seconds)
        word = rung.leave_on or ""
        target = self._place.left_by(word, self._flow.leaves) if tasking.footing.is_left_by_task(waited) else None
        if target is not None:
            self._leave(word, target)
        else:
            self._climb_on(tasking.footing)

    # ── prompts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, phrases: tuple[str, ...], after: After) -> None:
        """Play phrases one after the other, then go on with `after`."""
        chosen = chosen_phrases(self._flow, phrases, self._local_time)
        phrases = chosen.phrases
        if not phrases:
            self._said(after)
            return
        if self._keys_ahead and self._place.may_cut(self._keys_ahead[0]):
            # Keyed before there was anything to cut, by somebody who knows the way: the prompt does not even begin.
            self._use_key(self._keys_ahead.pop(0))
            return
        self._spoke_ahead = False  # what was said during an earlier phrase is no answer to this one
        key, prompt = phrases[0], self._prompt(phrases[0])
        whispers = isinstance(after, ThenThank)
        self._part()
        if not whispers:
            self._stop_music()  # a colleague is told who is coming while the caller has music
        heard_by = hearer(self._leg, is_on_hold=self._hold is not None, whispers=whispers)
        ticket = self._next_ticket()
        footing = self._place.footing
        why = chosen.why or (footing.rung.why if footing and footing.rung.say == key else "")
        self._note(Fact.PHRASE_STARTED, phrase=key, detail=why, seconds=prompt.seconds)
        self._actions.append(
            m.Play(
                ticket=ticket,
                phrase=key,
                prompt=prompt.file,
                seconds=prompt.seconds,
                loudest_frame=prompt.loudest_frame,
                parts=prompt.parts,
                hearer=heard_by,
                leg=self._leg.ticket if self._leg and heard_by != "caller" else 0,
            )
        )
        self._stand(Saying(ticket, key, phrases[1:], after), prompt.seconds + PROMPT_GUARD_S, "the prompt to end")

    def _prompt(self, key: str) -> Prompt:
        phrase = self._flow.phrases[key]
        text = phrase.without or phrase.text
        unrendered = Prompt(file="", text=text, seconds=round(len(text) * SECONDS_PER_CHARACTER, 2))
        prompt, unspoken = self._flow.prompts.choose(phrase, self._values)
        if unspoken is not None:
            self._note(Fact.IGNORED, phrase=key, detail=str(unspoken))
        return prompt or unrendered

    def _prompt_ended(self, ticket: m.Ticket, how: str) -> None:
        saying = self._standing
        if not isinstance(saying, Saying) or saying.ticket != ticket:
            return  # rule 4: an ending with an old ticket
        self._note(Fact.PHRASE_ENDED, phrase=saying.phrase, detail=how)
        self._decide()
        self._say(saying.rest, saying.after)

    def _prompt_end_lost(self, saying: Saying) -> None:
        self._note(Fact.PHRASE_ENDED, phrase=saying.phrase, detail="its end was never reported")
        self._actions.append(m.StopPlaying(ticket=saying.ticket))
        self._decide()
        self._say(saying.rest, saying.after)

    def _stop_playing(self, why: str) -> None:
        if isinstance(self._standing, Saying):
            self._note(Fact.PHRASE_ENDED, phrase=self._standing.phrase, detail=f"stopped: {why}")
            self._actions.append(m.StopPlaying(ticket=self._standing.ticket))
            self._decide()

    def _said(self, after: After) -> None:
        match after:
            case ThenPause(footing=footing):
                self._pause(footing)
            case ThenClimb(footing=footing):
                self._climb(footing)
            case ThenAsk(step=step):
                self._say((step.ask,), ThenCollect(step))
            case ThenCollect(step=step):
                self._take_keys_ahead(DigitEntry(step))
            case ThenRing(step=step):
                self._ring(step)
            case ThenQueue(step=step):
                self._queue(step)
            case ThenRecord(step=step):
                self._record_message(step)
            case ThenEnquire():
                self._filled(after)
            case ThenTalk(step=step):
                self._talk(step)
            case ThenThank(step=step):
                self._say(step.warm.thanks if step.warm else (), ThenTalk(step))
            case ThenGuard(step=step):
                self._guard(step, reminded=True)
            case ThenEnter(name=name):
                self._go(name)
            case _:
                assert_never(after)

    # ── what the caller keys and says ─────────────────────────────────────────────────────────────────────────────────

    def _key_pressed(self, key: str) -> None:
        self._note(Fact.KEY_PRESSED, key=key)
        is_late_end_key, self._late_end_key = key == self._late_end_key, ""
        if is_late_end_key:
            return
        standing = self._standing
        match standing:
            case Saying() | Pausing() | Tasking() if self._is_with_agent:
                pass  # nothing asks for keys there, and what comes after the talk was not heard yet
            case Saying() | Pausing() | Tasking() if self._place.interrupted:
                self._keys_ahead.append(key)  # a situation takes no keys: they wait until it is over
            case Saying() if self._place.may_cut(key):
                self._keys_ahead = []  # they lead nowhere, or they would have cut the prompt themselves
                self._stop_playing("barge-in by key")
                self._use_key(key)
            case Saying():
                self._keys_ahead.append(key)
            case Pausing() | Keying():
                self._use_key(key)
            case Queueing() if target := self._place.listening.keys.get(key):
                self._leave("key", target)
            case Recording(ticket=ticket, step=step) if key == step.end_key:
                self._actions.append(m.StopRecordingMessage(ticket=ticket))
            case (
                Answering()
                | Dialling()
                | Tasking()
                | Ringing()
                | Queueing()
                | Talking()
                | Recording()
                | Asking()
                | Guarding()
                | Deciding()
            ):
                pass
            case _:
                assert_never(standing)

    def _speech_started(self) -> None:
        self._is_speaking = True
        self._note(Fact.SPEECH_STARTED)
        listening = self._place.listening
        match self._standing:
            case Saying() if listening.speech and "speech" in listening.barge_in:
                self._stop_playing("barge-in by speech")
                self._use_input_ahead()
            case Saying():
                self._spoke_ahead = True
            case Pausing() if listening.speech:
                self._leave("speech", listening.speech)
            case _:
                pass

    def _speech_ended(self) -> None:
        self._is_speaking = False
        self._note(Fact.SPEECH_ENDED)

    def _use_input_ahead(self) -> bool:
        """Act on what the caller keyed or said while a prompt that it may not cut was playing; a key comes first.

        Returns:
            Whether that led away from here.
        """
        listening = self._place.listening
        spoke, self._spoke_ahead = self._spoke_ahead or self._is_speaking, False
        for position, key in enumerate(self._keys_ahead):
            if key in listening.keys:
                self._keys_ahead = self._keys_ahead[position + 1 :]
                self._leave("key", listening.keys[key])
                return True
        if spoke and listening.speech:
            self._leave("speech", listening.speech)
            return True
        return False

    def _use_key(self, key: str) -> None:
        step, footing = self._place.step, self._place.footing
        target = self._place.listening.keys.get(key)
        if isinstance(step, Collect):
            self._use_digit(self._standing.entry if isinstance(self._standing, Keying) else DigitEntry(step), key)
        elif target:
            self._leave("key", target)
        elif isinstance(step, Menu) and footing:
            self._wrong_key(step, footing)

    def _wrong_key(self, menu: Menu, footing: Footing) -> None:
        self._wrong_keys += 1
        if self._wrong_keys > menu.invalid_repeats:
            self._leave("invalid keys", menu.invalid_then)
        else:
            self._say((menu.invalid,), ThenClimb(footing))

    # ── digits ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _use_digit(self, entry: DigitEntry, key: str) -> None:
        keyed = entry.keyed(key)
        if keyed != entry:  # a key that is no digit leads nowhere, and the deadline stands
            self._take_keys_ahead(keyed)

    def _take_keys_ahead(self, entry: DigitEntry) -> None:
        """Go on with an entry: first with what was keyed ahead, if anything, then with the next timeout."""
        while self._keys_ahead and not entry.is_over:
            entry = entry.keyed(self._keys_ahead.pop(0))
        if entry.is_over:
            self._entry_over(entry)
            return
        self._note(Fact.WAIT_BEGUN, detail=entry.timeout_name, seconds=entry.timeout)
        self._stand(Keying(entry), entry.timeout, f"the {entry.timeout_name}")

    def _entry_over(self, entry: DigitEntry) -> None:
        step, result = entry.step, entry.result
        self._decide()
        self._expect_late_end_key(entry)
        self._note(Fact.DIGITS_COLLECTED, detail=f"{result}, {len(entry.digits)} digits", key=entry.digits)
        if result == "done":
            self._digits[step.value] = entry.digits
            self._values = {**self._values, step.value: entry.digits}
            self._go(step.done)
        elif self._questions < step.repeats:
            self._questions += 1
            self._say((step.incomplete_say,) if result == "incomplete" else (), ThenAsk(step))
        else:
            self._go(step.incomplete if result == "incomplete" else step.no_input)

    def _expect_late_end_key(self, entry: DigitEntry) -> None:
        """The end key may still come, or has come, after the last possible digit or just after the timeout."""
        if not entry.digits or entry.ended:
            return
        if self._keys_ahead[:1] == [entry.step.end_key]:
            del self._keys_ahead[0]
        else:
            self._late_end_key = entry.step.end_key

    # ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hearing_lost(self) -> None:
        self._note(Fact.HEARING_LOST)
        self._is_deaf = True
        self._is_speaking = False  # we would miss the end of it

    def _hearing_restored(self) -> None:
        self._note(Fact.HEARING_RESTORED)
        was_deaf, self._is_deaf = self._is_deaf, False
        if was_deaf and isinstance(self._standing, Pausing | Keying):
            self._wait_again(self._standing)

    def _wait_again(self, standing: Pausing | Keying) -> None:
        """Silence proves nothing while we cannot hear: begin the wait again.

        Counted, or a line that comes and goes would keep one wait alive for ever.
        """
        self._deaf_waits += 1
        if self._deaf_waits > DEAF_WAITS:
            self._fall_back("the caller cannot be heard")
        else:
            self._resume(standing)

    # ── agents: sought ────────────────────────────────────────────────────────────────────────────────────────────────

    def _ring(self, step: Transfer) -> None:
        self._keys_ahead = []
        self._is_recording_announced = True
        if step.warm:
            self._part()
        giver = self._leg if step.warm else None
        is_handed_over = self._was_sent_on() or giver is not None
        ticket = self._next_ticket()
        self._leg = Leg(ticket, step, self._now, giver=giver, is_handed_over=is_handed_over, reason=self._reason)
        self._phase.take("ring_agent")
        self._note(Fact.RINGING, seconds=step.ring_for)
        self._start_music()
        self._actions.append(m.Ring(ticket=ticket, extension=step.extension, seconds=step.ring_for))
        self._stand(Ringing(ticket), step.ring_for, "the agent to answer")

    def _was_sent_on(self) -> bool:
        """Whether an agent who is gone sent the caller here, where another one is sought: that is then done."""
        was_sent_on, self._is_sent_on = self._is_sent_on, False
        if was_sent_on:
            self._first_to_hang_up = ""  # who hands a caller over does not hang up on them
        return was_sent_on

    def _queue(self, step: Queue) -> None:
        self._was_sent_on()
        self._is_recording_announced = True
        ticket = self._next_ticket()
        self._leg = Leg(ticket, step, self._now)
        self._phase.take("join_queue")
        self._note(Fact.QUEUED, detail=step.levels[0].queue, seconds=step.most)
        self._start_music()
        self._actions.append(m.JoinQueue(ticket=ticket, queue=step.levels[0].queue, priority=step.priority))
        if step.ladder.rungs:
            self._begin(step.ladder)
        else:
            self._wait_on(step)

    def _wait_on(self, step: Queue) -> None:
        """Nothing more is announced: music and keys until the queue is due."""
        assert self._leg is not None, "who waits in a queue has a leg"
        self._place = Place(step)
        self._start_music()
        if not self._use_input_ahead():
            self._stand(Queueing(self._leg.ticket), step.most, "an agent of the queue")

    def _queue_due(self, leg: Leg) -> None:
        """The next level is asked, or the caller has waited as long as the flow allows."""
        step = leg.step
        assert isinstance(step, Queue), "nobody else waits in a queue"
        self._actions.append(m.StopRinging(ticket=leg.ticket))
        if self._now >= leg.since + step.most or leg.next_level() is None:
            self._stop_playing("waited long enough")
            self._note(Fact.WAIT_USED_UP, detail="queue")
            self._agent_unavailable(leg.ticket, "no_answer")
        else:
            self._raise_level(leg, step)

    def _raise_level(self, leg: Leg, step: Queue) -> None:
        self._note(Fact.LEVEL_RAISED, detail=step.levels[leg.level + 1].queue)
        self._ask_level(replace(leg, level=leg.level + 1), step)

    def _ask_elsewhere(self, leg: Leg, step: Queue) -> None:
        """Nobody is there at this level: the next one is asked now, or the one before, which may still answer."""
        if leg.next_level():
            self._raise_level(leg, step)
        else:
            self._note(Fact.LEVEL_KEPT, detail=step.levels[leg.level - 1].queue)
            self._ask_level(replace(leg, level=leg.level - 1, stays=True), step)

    def _ask_level(self, leg: Leg, step: Queue) -> None:
        self._leg = replace(leg, ticket=self._next_ticket())
        self._values = without_place(self._values)
        self._actions.append(
            m.JoinQueue(
                ticket=self._leg.ticket,
                queue=step.levels[leg.level].queue,
                priority=step.priority,
                waited=round(self._now - leg.since, 3),
            )
        )
        self._arm()

    def _queue_moved(self, event: m.QueueMoved) -> None:
        if self._leg and self._leg.is_queued and self._leg.ticket == event.ticket:
            detail = f"position {event.position or 'unknown'}"
            self._note(Fact.QUEUE_MOVED, detail=detail, seconds=event.expected_s or None)
            self._values = without_place(self._values) | waiting_values(event)

    def _agent_answered(self, event: m.AgentAnswered) -> None:
        leg = self._leg
        if leg is None or leg.has_answered or leg.ticket != event.ticket:
            return
        self._stop_playing("an agent answered")
        self._decide()
        self._keys_ahead = []
        self._phase.take("agent_answers")
        self._place = Place(leg.step)
        rang = event.rang or (0.0 if leg.is_queued else round(self._now - leg.since, 3))
        self._note(Fact.AGENT_ANSWERED, detail=event.agent, seconds=rang or None)
        leg = self._leg = replace(leg, agent=event.agent, has_answered=True)
        step = leg.step
        if isinstance(step, Transfer) and step.warm and leg.is_handed_over:
            self._say((*step.warm.whisper, *step.warm.why.get(leg.reason, ())), ThenThank(step))
        elif isinstance(step, Queue) and self._now - leg.since > step.thanks_over:
            self._say(step.thanks, ThenTalk(step))
        else:
            self._talk(step)

    def _agent_unavailable(self, ticket: m.Ticket, why: str) -> None:
        leg = self._leg
        if leg is None or leg.has_answered or leg.ticket != ticket:
            return
        if why == "nobody" and isinstance(leg.step, Queue) and (leg.level or leg.next_level()):
            self._ask_elsewhere(leg, leg.step)
            return
        self._stop_playing("no agent")
        self._place = Place(leg.step)
        self._note(Fact.AGENT_UNAVAILABLE, detail=why)
        if leg.giver:
            self._phase.take("colleague_is_gone")
            self._give_back(leg.step, leg.giver)
            return
        self._leg = None
        self._phase.take("agent_is_gone")
        self._stop_music()
        self._go(gone_to(leg.step, why))

    def _give_back(self, step: Leads, giver: Leg) -> None:
        """No colleague: back to the agent who tried to hand the caller over."""
        self._leg = giver
        self._say(step.warm.back if isinstance(step, Transfer) and step.warm else (), ThenTalk(giver.step))

    # ── agents: on the line ───────────────────────────────────────────────────────────────────────────────────────────

    def _talk(self, step: Leads) -> None:
        """Join the caller with the agent the step led to, for what is left of the talk."""
        self._keys_ahead = []
        if self._leg is None:
            self._is_sent_on = False
            self._go(step.agent_left)  # who was to be joined has left meanwhile
            return
        leg = replace(self._leg, ends=self._leg.ends or self._now + step.talk_for)
        self._leg = leg
        self._place = Place(leg.step)
        self._stop_music()
        if leg.giver:
            self._actions.append(m.DropAgent(ticket=leg.giver.ticket))
            self._leg = leg = replace(leg, giver=None)
        if self._flow.recording and not self._recording:
            self._record_call()
        self._has_talked = True
        self._join()
        self._stand(Talking(leg.ticket), leg.talk_left(self._now), "the talk to end")
        if leg.holds:
            self._keep_on_hold()

    def _join(self) -> None:
        """Join the caller with the agent; nothing where they are joined, or where the agent's telephone holds."""
        leg = self._leg
        if leg and leg.has_answered and not leg.is_joined and not leg.holds:
            self._actions.append(m.Bridge(ticket=leg.ticket))
            if leg.has_talked:
                self._note(Fact.JOINED)
            self._leg = replace(leg, is_joined=True, is_apart=False, has_talked=True)

    def _part(self) -> None:
        """Take caller and agent apart, both stay on the line; nothing where they are apart."""
        leg = self._leg
        if leg and leg.has_answered and not leg.is_apart:
            self._actions.append(m.Part(ticket=leg.ticket))
            if leg.has_talked:
                self._note(Fact.PARTED)
            self._leg = replace(leg, is_joined=False, is_apart=True)

    def _agent_left(self, ticket: m.Ticket) -> None:
        leg = self._leg
        if leg and leg.giver and leg.giver.ticket == ticket:
            self._note(Fact.AGENT_LEFT, detail="handed over")
            self._leg = replace(leg, giver=None)
        elif leg and leg.has_answered and leg.ticket == ticket and leg.giver:
            self._stop_playing("the colleague is gone")
            self._note(Fact.AGENT_LEFT, detail="before being joined")
            self._give_back(leg.step, leg.giver)
        elif leg and leg.has_answered and leg.ticket == ticket:
            self._first_to_hang_up = self._first_to_hang_up or "agent"
            self._talk_over(leg)

    def _talk_too_long(self, talking: Talking) -> None:
        self._note(Fact.LIMIT_REACHED, detail="talk_for")
        self._actions.append(m.DropAgent(ticket=talking.ticket))
        if self._leg:
            self._talk_over(self._leg)

    def _talk_over(self, leg: Leg) -> None:
        """The agent is gone. What was begun for the caller goes on to its end, unless only an agent can end it."""
        self._phase.take("agent_is_gone")
        interrupted, standing = self._place.interrupted, self._standing
        is_on_the_way = not is_of_the_talk(interrupted.standing if interrupted else standing)
        self._note(Fact.AGENT_LEFT, detail="the caller is sent on" if is_on_the_way else "")
        self._leg = None
        if interrupted and isinstance(standing, Tasking):
            self._is_sent_on = True
            self._give_up(interrupted)
        elif interrupted or is_on_the_way:
            self._is_sent_on = True
        else:
            self._stop_playing(AGENT_GONE)
            self._place = Place(leg.step)
            self._go(leg.step.agent_left)

    @property
    def _is_with_agent(self) -> bool:
        """Whether what is said or waited for belongs to a talk, also when the agent has left it meanwhile."""
        interrupted = self._place.interrupted
        return interrupted.has_agent if interrupted else is_of_the_talk(self._standing)

    def _let_agent_go(self) -> None:
        """The call goes on without the agent, or without seeking one any longer."""
        leg, self._leg = self._leg, None
        if leg is None:
            return
        if leg.giver:
            self._actions.append(m.DropAgent(ticket=leg.giver.ticket))
        self._stop_music()
        self._actions.append(m.DropAgent(ticket=leg.ticket) if leg.has_answered else m.StopRinging(ticket=leg.ticket))
        self._phase.take("agent_is_gone")
        if leg.has_answered:
            self._note(Fact.AGENT_LEFT, detail="let go")

    def _release_agent(self) -> None:
        self._set_hold(None)
        if self._leg or self._has_music:
            self._let_agent_go()
            self._stop_music()
            self._decide()

    def _start_music(self) -> None:
        if not self._has_music:
            self._has_music = True
            self._actions.append(m.StartMusic())

    def _stop_music(self) -> None:
        if self._has_music:
            self._has_music = False
            self._actions.append(m.StopMusic())

    # ── agents: what they do ──────────────────────────────────────────────────────────────────────────────────────────

    def _hold_started(self, ticket: m.Ticket) -> None:
        if self._note_hold(ticket, holds=True) and isinstance(self._standing, Talking):
            self._keep_on_hold()

    def _hold_ended(self, ticket: m.Ticket) -> None:
        if not self._note_hold(ticket, holds=False):
            return
        footing = self._place.footing
        is_of_the_hold = footing is not None and footing.ladder.name in {self._flow.agents.hold, ONLY_MUSIC}
        if isinstance(self._standing, Tasking) and self._hold:
            self._task_done(self._standing.ticket)
            if is_of_the_hold:
                self._tasks_of_the_hold_done()
        elif self._place.interrupted and is_of_the_hold:
            self._stop_playing("the agent is back")
            self._leave("agent_back", RETURN)
        elif isinstance(self._standing, Pausing | Tasking):
            self._join()  # the phrase of another situation was said meanwhile

    def _tasks_of_the_hold_done(self) -> None:
        """Mute, look up, unmute: for the telephone it was all one hold."""
        while isinstance(self._standing, Tasking) and self._hold:
            self._task_done(self._standing.ticket)

    def _note_hold(self, ticket: m.Ticket, *, holds: bool) -> bool:
        """Note that an agent's telephone keeps the caller on hold, or no longer.

        Returns:
            Whether it is news of the agent who talks with the caller.
        """
        leg = self._leg
        giver = leg.giver if leg else None
        if leg and leg.has_answered and leg.ticket == ticket and leg.holds != holds:
            self._leg = replace(leg, holds=holds, has_waited=False, has_told=False)
            self._note(Fact.AGENT_HOLDS if holds else Fact.AGENT_BACK)
            return True
        if leg and giver and giver.ticket == ticket and giver.holds != holds:
            self._leg = replace(leg, giver=replace(giver, holds=holds, has_waited=False, has_told=False))
            self._note(Fact.AGENT_HOLDS if holds else Fact.AGENT_BACK, detail="while handing over")
        return False

    def _keep_on_hold(self) -> None:
        """Play the situation of a hold once; a hold that outlasts it has music, again and again until the talk is over."""
        leg, standing = self._leg, self._standing
        assert leg is not None, "only an agent on the line holds"
        assert isinstance(standing, Talking), "a hold interrupts a talk"
        left = leg.talk_left(self._now)
        if not left:
            return  # the talk is over this moment
        agents, where = self._flow.agents, self._flow.where
        told = self._flow.situations.get(agents.hold)
        is_first = not leg.has_waited
        if told and is_first and agents.hold_after:
            # Who is back by then need not have said a word.
            ladder = only_music(ONLY_MUSIC, where, min(agents.hold_after, left))
        elif told and not leg.has_told:
            ladder = told
        else:  # what follows the flow's own hold follows this one too
            ladder = only_music(told.name if told else ONLY_MUSIC, where, min(self._flow.limits.hold_wait, left))
        self._leg = replace(leg, has_waited=True, has_told=leg.has_told or ladder is told)
        fact = Fact.SITUATION_STARTED if is_first else Fact.SITUATION_FOLLOWED
        self._start(ladder, Interrupted(self._place, standing, has_agent=True), fact)

    def _agent_keyed(self, ticket: m.Ticket, code: str) -> None:
        leg = self._leg
        order = self._flow.agents.codes.get(code)
        if leg is None or not leg.has_answered or leg.ticket != ticket:
            return
        if order is None:
            self._note(Fact.IGNORED, detail="the agent keyed a code that is none of this flow")
            return
        self._note(Fact.ORDER_GIVEN, detail=f"{order.kind} {order.name}".strip())
        match order.kind:
            case "situation":
                self._situation_started(order.name)
            case "cancel":
                self._situation_cancelled()
            case "done":
                self._task_done(self.task)
            case "leave":
                footing = self._place.footing
                self._signal_given((footing.rung.leave_on if footing else None) or "")
            case "transfer":
                self._send_on(order.name)
            case _:
                assert_never(order.kind)

    def _transfer_ordered(self, name: str) -> None:
        if name in self._flow.agents.transfers:  # any other name is somebody's text, and stays out of the trace
            self._note(Fact.ORDER_GIVEN, detail=f"transfer {name}")
        self._send_on(name)

    def _send_on(self, name: str) -> None:
        if name not in self._flow.agents.transfers:
            self._note(Fact.IGNORED, detail="agents may not send callers there")
        elif not isinstance(self._standing, Talking):
            self._note(Fact.IGNORED, detail=f"transfer: not while waiting for {self.waiting_for}")
        else:
            self._reason = ""
            self._part()
            self._go(name)

    # ── recording the call ────────────────────────────────────────────────────────────────────────────────────────────

    def _record_call(self) -> None:
        self._recording = "on"
        self._note(Fact.RECORDING, detail="begun")
        self._actions.append(m.StartRecording())

    def _recording_announced(self) -> tuple[str, ...]:
        """What says that the call is recorded, before it is: once, however many agents are sought."""
        recording = self._flow.recording
        return recording.announce if recording and not self._recording and not self._is_recording_announced else ()

    def _pause_recording(self, step: Step) -> None:
        """Record nothing while the caller keys in personal data."""
        wanted = "paused" if isinstance(step, Collect) else "on"
        if self._recording and self._recording != wanted:
            self._recording = wanted
            self._note(Fact.RECORDING, detail="paused" if wanted == "paused" else "goes on")
            self._actions.append(m.PauseRecording() if wanted == "paused" else m.ResumeRecording())

    # ── messages ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _record_message(self, step: Record) -> None:
        self._keys_ahead = []
        ticket = self._next_ticket()
        self._actions.append(
            m.RecordMessage(ticket=ticket, seconds=step.most, silence=step.silence, end_key=step.end_key)
        )
        self._note(Fact.WAIT_BEGUN, detail="the caller's message", seconds=step.most)
        self._stand(Recording(ticket, step, self._now), step.most + RECORDING_GUARD_S, "the message to end")

    def _message_recorded(self, event: m.MessageRecorded) -> None:
        recording = self._standing
        if isinstance(recording, Recording) and recording.ticket == event.ticket:
            self._message_over(recording, event.how, event.seconds)

    def _recording_lost(self, recording: Recording) -> None:
        self._actions.append(m.StopRecordingMessage(ticket=recording.ticket))
        self._message_over(recording, "its end was never reported", 0.0)

    def _message_over(self, recording: Recording, how: str, seconds: float) -> None:
        step = recording.step
        self._decide()
        self._note(Fact.MESSAGE_RECORDED, detail=how, seconds=seconds)
        if how == "failed" or seconds == 0 or seconds < step.least:  # nobody may be told that it is there
            self._go(step.nothing)
        else:
            self._message = LeftMessage(recording.ticket, step.about, seconds)
            self._go(step.done)

    def _play_back(self, step: PlayBack) -> None:
        message = self._message
        if message is None:
            self._go(step.then)
            return
        ticket = self._next_ticket()
        self._note(Fact.PHRASE_STARTED, detail="the caller's message", seconds=message.seconds)
        self._actions.append(
            m.Play(ticket=ticket, phrase="", prompt="", seconds=message.seconds, message=message.ticket)
        )
        self._stand(
            Saying(ticket, "", (), ThenEnter(step.then)), message.seconds + PROMPT_GUARD_S, "the message to end"
        )

    def _keep_message(self) -> None:
        message, self._message = self._message, None
        if message:
            self._note(Fact.MESSAGE_KEPT, detail=message.about, seconds=message.seconds)
            self._actions.append(m.KeepMessage(ticket=message.ticket, about=message.about, seconds=message.seconds))

    def _keep_what_was_said(self) -> None:
        """Who hangs up after speaking has left a message."""
        recording = self._standing
        if isinstance(recording, Recording) and self._now - recording.since >= recording.step.least:
            self._message = LeftMessage(recording.ticket, recording.step.about, round(self._now - recording.since, 3))
        self._keep_message()

    # ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _order_callback(self, step: CallBack) -> None:
        to = number_to_ring(step, self._digits, self._caller)
        if not may_be_rung(step.to, to):
            self._note(Fact.IGNORED, detail="callback: this number may not be rung")
            self._go(step.undiallable)
            return
        self._callbacks += 1
        self._note(Fact.CALLBACK_ORDERED, detail=f"by {step.flow}", seconds=step.within_h * 3600)
        made_at = self._local_time.timestamp()
        self._actions.append(callback_order(step, to, number=self._callbacks, made_at=made_at, values=self._values))
        self._go(step.then)

    # ── look-ups ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _enquire(self, step: Ask) -> None:
        ticket = self._enquiry = self._next_ticket()
        self._answer = None
        self._note(Fact.ENQUIRED, seconds=step.most)
        self._actions.append(enquiry(step, ticket, {**self._values, **self._digits, "caller": self._caller}))
        ends = self._now + step.most
        wait = min(step.filler_after, step.most) if step.filler else step.most
        self._stand(Asking(ticket, step, ends, filled=not step.filler), wait, "the answer of the look-up")

    def _answer_overdue(self, asking: Asking) -> None:
        if not asking.filled and self._now < asking.ends:
            self._say(asking.step.filler, ThenEnquire(asking.ticket, asking.step, asking.ends))
        else:
            self._enquiry_over("late", asking.step.late)

    def _filled(self, after: ThenEnquire) -> None:
        """The filler is said: act on an answer that came meanwhile, or wait on, with music."""
        if self._answer is not None:
            self._use_answer(after.step, self._answer)
        elif self._now >= after.ends:
            self._enquiry_over("late", after.step.late)
        else:
            self._start_music()
            asking = Asking(after.ticket, after.step, after.ends, filled=True)
            self._stand(asking, after.ends - self._now, "the answer of the look-up")

    def _answer_received(self, event: m.AnswerReceived) -> None:
        standing = self._standing
        match standing:
            case Asking(ticket=ticket, step=step) if ticket == event.ticket:
                self._decide()
                self._use_answer(step, event)
            case _ if event.ticket == self._enquiry:
                self._answer = event  # the filler is heard to its end, and so is a situation that interrupts it
            case _:
                pass

    def _use_answer(self, step: Ask, answer: m.AnswerReceived) -> None:
        self._answer = None
        self._values = {**self._values, **learned(step, answer)}
        self._enquiry_over(answer.how, leads_to(step, answer))

    def _enquiry_over(self, how: str, target: str) -> None:
        self._enquiry = 0
        self._stop_music()
        self._note(Fact.ENQUIRY_OVER, detail=how)
        self._go(target)

    # ── closing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _guard(self, step: Close, *, reminded: bool) -> None:
        """Wait for the caller to hang up first (the general rule of closing), never for ever."""
        self._note(Fact.WAIT_BEGUN, detail="for the caller to hang up first", seconds=step.guard)
        self._stand(Guarding(step, reminded), step.guard, "the caller to hang up first")

    def _guard_used_up(self, guarding: Guarding) -> None:
        self._note(Fact.WAIT_USED_UP, detail="for the caller to hang up first")
        if guarding.step.reminder and not guarding.reminded:
            self._say((guarding.step.reminder,), ThenGuard(guarding.step))
        else:
            self._end_call("closed_by_ivrflow")

    # ── situations ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _situation_started(self, name: str) -> None:
        found = interruption(self._flow, name, self._place, self._standing, self._leg, self.waiting_for)
        if isinstance(found, str):
            self._note(Fact.IGNORED, detail=f"situation {name}: {found}")
            return
        self._stop_playing(f"situation {name}")
        self._spoke_ahead = False
        self._start(self._flow.situations[name], found, Fact.SITUATION_STARTED)

    def _start(self, ladder: Ladder, interrupted: Interrupted, fact: Fact) -> None:
        """Play a situation on top of what it interrupted: from its first rung, or where its ladder was paused."""
        if fact is Fact.SITUATION_STARTED or not (self._leg and self._leg.holds):
            self._held = None
        first = self._next_rungs.get(ladder.name, 0)
        foot = Footing(ladder, min(first, len(ladder.rungs) - 1))
        self._place = Place(interrupted.place.step, foot, interrupted)
        self._note(fact, detail=ladder.name)
        if first < len(ladder.rungs):
            self._begin(ladder, first)
        else:  # it happens again, and there is nothing left to say
            self._note(Fact.LADDER_USED_UP, detail=ladder.then)
            self._ladder_used_up(ladder)

    def _situation_cancelled(self) -> None:
        if self._place.interrupted is None:
            self._note(Fact.IGNORED, detail="no situation to cancel")
            return
        self._stop_playing("situation cancelled")
        self._leave("cancelled", RETURN)

    def _situation_over(self, interrupted: Interrupted, target: str) -> None:
        self._note(Fact.SITUATION_OVER, detail=target)
        ladder = self._place.footing.ladder if self._place.footing else None
        is_there = not self._leg.holds if self._leg else not interrupted.has_agent
        is_back = target == RETURN and is_there  # no apology before the agent is there, and none once the agent is gone
        following = follower(self._flow, ladder, self._held) if ladder and is_back else None
        if following:
            self._start(following, interrupted, Fact.SITUATION_FOLLOWED)
            return
        if target != RETURN:
            self._reason = ladder.name if ladder else ""
            self._go(target)
            return
        self._return_to(interrupted)

    def _give_up(self, interrupted: Interrupted) -> None:
        """Only the agent, who is gone, could go on with the situation. Where it hands the caller over, that is still done."""
        self._decide()
        self._set_hold(None)
        self._note(Fact.SITUATION_OVER, detail=AGENT_GONE)
        ladder = self._place.footing.ladder if self._place.footing else None
        target = self._flow.outcomes.get(ladder.then, RETURN) if ladder else RETURN
        if ladder and isinstance(self._flow.steps.get(target), Transfer | Queue):
            self._reason = ladder.name
            self._go(target)
        else:
            self._return_to(interrupted)

    def _return_to(self, interrupted: Interrupted) -> None:
        self._place = interrupted.place
        self._spoke_ahead = False
        if not isinstance(interrupted.standing, Keying):
            self._keys_ahead = self._place.useful(self._keys_ahead)
        self._resume(interrupted.standing)

    def _resume(self, standing: Interruptible) -> None:
        """Go on where the call was: a phrase cut off is said again, a wait begins anew."""
        match standing:
            case Saying() if isinstance(self._place.step, PlayBack):
                self._play_back(self._place.step)
            case Saying(after=ThenTalk(step=step) | ThenThank(step=step)) if self._leg is None:
                self._talk(step)  # nobody is left to thank for, or to go back to
            case Saying(phrase=phrase, rest=rest, after=after):
                self._say((phrase, *rest), after)
            case Pausing(footing=footing):
                self._pause(footing)
            case Keying(entry=entry):
                self._take_keys_ahead(entry)
            case Talking():
                self._talk_again()
            case Guarding(step=step, reminded=reminded):
                self._guard(step, reminded=reminded)
            case _:
                assert_never(standing)

    def _talk_again(self) -> None:
        step = self._place.step
        assert isinstance(step, Transfer | Queue), "only these lead to a talk"
        self._talk(step)

    # ── the places that write state for all ───────────────────────────────────────────────────────────────────────────

    @property
    def _local_time(self) -> datetime:
        """What the clock on the flow's wall shows."""
        assert self._arrived_at is not None, "only a call that has arrived says or chooses anything"
        return datetime.fromtimestamp(self._arrived_at + self._now - self._began, self._flow.timezone)

    @property
    def _call_ends(self) -> float:
        return self._began + self._flow.limits.call_length

    def _stand(self, standing: Standing, seconds: float, purpose: str) -> None:
        """Stand somewhere new, under one deadline `seconds` from now, never later than the call's own end."""
        self._standing = standing
        if isinstance(standing, Pausing | Keying):
            self._late_end_key = ""  # from here on it is a key like any other
        self._until, self._purpose = self._now + seconds, purpose
        self._arm()

    def _arm(self) -> None:
        """The one deadline: what the call waits for, or what comes before that."""
        self._deadline, self._waiting_for = self._until, self._purpose
        due = self._leg.due() if self._leg else None
        if due is not None and due <= self._deadline:
            self._deadline, self._waiting_for = due, "an agent of the queue"
        if self._call_ends <= self._deadline:
            self._deadline, self._waiting_for = self._call_ends, "the longest a call may last"

    def _decide(self) -> None:
        """Stand nowhere until this event is dealt with: what was playing, waiting or ringing is over, once."""
        self._standing = Deciding()
        self._deadline, self._waiting_for = None, ""

    def _set_foot(self, footing: Footing) -> None:
        self._place = Place(self._place.step, footing, self._place.interrupted)

    def _next_ticket(self) -> m.Ticket:
        self._tickets += 1
        return self._tickets

    def _note(
        self, fact: Fact, *, phrase: str = "", detail: str = "", key: str = "", seconds: float | None = None
    ) -> None:
        place = self._place
        footing = place.footing
        if footing and phrase not in {"", footing.rung.say}:
            footing = None  # a correction on the way is no rung of the ladder, nor of its rule
        rung = footing.rung if footing else None
        line = TraceLine(
            at=round(self._now - self._began, 6),
            fact=fact,
            step=self.step,
            rule=(rung.rule or "") if rung else "",
            also_rule=(rung.also_rule or "") if rung else "",
            rung=footing.number if footing else 0,
            phrase=phrase,
            detail=detail,
            key=key,
            seconds=seconds,
            where=str((rung or (place.step if self._visits else self._flow)).where),
        )
        self._trace.append(line if self._trace else dated(line, self._flow, self._local_time))
