"""One call, decided: event and time in, actions and one deadline out.

ALL STATE OF A CALL CHANGES IN THIS FILE, through one door: `CallSession.handle`. Its rules:

1. Time is the argument `now` (seconds, any origin, never going back); nothing here reads a clock.
2. Until the call is over exactly one absolute deadline is armed (`deadline`, named by `waiting_for`). It is set only in
   `_stand`, together with what the call is now waiting for, and never moves because of noise or a key that leads nowhere.
3. A silence clock starts when playback *ended*, never when it was sent.
4. An ending that carries an old ticket is ignored. That one rule removes the barge-in races.
5. Input that may not barge in is kept and acted on when the prompt has ended; it is never swallowed.
6. Limits are worded outcomes, never exceptions. An exception out of here is a bug.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from ivrflow.engine import messages as m
from ivrflow.engine.digits import DIGITS, DigitEntry
from ivrflow.engine.lifecycle import CallLifecycle
from ivrflow.engine.standing import (
    After,
    Answering,
    Deciding,
    Footing,
    Guarding,
    Keying,
    Pausing,
    Place,
    Ringing,
    Saying,
    Standing,
    Talking,
    Tasking,
)
from ivrflow.engine.trace import Fact, TraceLine, Verdict
from ivrflow.engine.verdict import judge
from ivrflow.flow.model import (
    HANG_UP,
    RETURN,
    CallFlow,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Ladder,
    Listening,
    Menu,
    Prompt,
    Say,
    Step,
    Transfer,
)

ANSWER_GUARD_S = 10.0
"""Seconds the PBX has to open the line."""

PROMPT_GUARD_S = 3.0
"""Seconds past a prompt's own length after which its ending counts as lost."""

SECONDS_PER_CHARACTER = 0.22
"""Speaking time per character for a wording nobody rendered yet (measured mean of the rendered ones)."""

DEAF_WAITS = 10
"""How often one wait is begun again while the caller cannot be heard, before a person takes over."""

_WAITED_NO_MORE_THAN = re.compile(r"waited_no_more_than_(\d+)_s")


@dataclass(frozen=True, slots=True)
class _Armed:
    """The one deadline: absolute session time, and what it is for."""

    at: float
    purpose: str


class CallSession:
    """The state machine of one call. See the module's first lines for its rules."""

    def __init__(self, flow: CallFlow) -> None:
        self._flow = flow
        self._lifecycle = CallLifecycle()
        self._trace: list[TraceLine] = []
        self._actions: list[m.Action] = []
        self._armed: _Armed | None = None
        self._arrived: m.CallArrived | None = None
        self._began = 0.0
        self._now = 0.0
        self._tickets = 0
        self._step: Step = flow.steps[HANG_UP]
        self._footing: Footing | None = None
        self._standing: Standing = Answering()
        self._interrupted: Place | None = None
        self._values: dict[str, str] = {}
        self._digits: dict[str, str] = {}
        self._keys_ahead: list[str] = []
        self._spoke_ahead = False
        self._is_speaking = False
        self._is_deaf = False
        self._deaf_waits = 0
        self._wrong_keys = 0
        self._questions = 0
        self._late_end_key = ""
        self._visits: Counter[str] = Counter()
        self._steps_this_event = 0
        self._next_step = ""
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
        return self._armed.at if self._armed else None

    @property
    def waiting_for(self) -> str:
        """What the deadline is for, in words; empty when none is armed."""
        return self._armed.purpose if self._armed else ""

    @property
    def is_over(self) -> bool:
        """Whether the engine has nothing more to say to this call."""
        return self._lifecycle.phase == "over"

    @property
    def phase(self) -> str:
        """The phase of the call's lifecycle."""
        return self._lifecycle.phase

    @property
    def step(self) -> str:
        """Name of the step the call stands in, or "situation NAME" while one is played; empty before the first."""
        if not self._visits:
            return ""
        return f"situation {self._footing.ladder.name}" if self._interrupted and self._footing else self._step.name

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
        if self.is_over or (self._arrived is None and not isinstance(event, m.CallArrived)):
            return []
        self._now = now
        self._actions = []
        self._steps_this_event = 0
        self._happened(event)
        while self._next_step:
            name, self._next_step = self._next_step, ""
            self._enter(name)
        if not self.is_over:
            assert self._armed is not None, "every waiting state has one armed deadline"
            assert not isinstance(self._standing, Deciding), "a call always stands somewhere"
        return self._actions

    def _happened(self, event: m.CallEvent) -> None:  # noqa: C901 - the one list of all events; each branch is one line
        match event:
            case m.CallArrived():
                self._call_arrived(event)
            case m.CallAnswered():
                self._call_answered()
            case m.KeyPressed(key=key):
                self._key_pressed(key)
            case m.SpeechStarted():
                self._speech_started()
            case m.SpeechEnded():
                self._is_speaking = False
                self._note(Fact.SPEECH_ENDED)
            case m.PromptEnded(ticket=ticket, how=how):
                self._prompt_ended(ticket, how)
            case m.DeadlineReached():
                self._deadline_reached()
            case m.AgentAnswered(ticket=ticket):
                self._agent_answered(ticket)
            case m.AgentUnavailable(ticket=ticket, why=why):
                self._agent_unavailable(ticket, why)
            case m.AgentLeft(ticket=ticket):
                self._agent_left(ticket)
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
            case _:
                assert_never(event)

    # ── arriving and leaving ──────────────────────────────────────────────────────────────────────────────────────────

    def _call_arrived(self, event: m.CallArrived) -> None:
        if self._arrived:
            return
        self._arrived = event
        self._began = self._now
        self._values |= event.values
        self._note(Fact.ARRIVED, detail=self._flow.title)
        self._actions.append(m.Answer())
        self._stand(Answering(), ANSWER_GUARD_S, "the line to open")

    def _call_answered(self) -> None:
        if not isinstance(self._standing, Answering):
            return
        self._lifecycle.answer()
        self._note(Fact.ANSWERED)
        self._go(self._flow.start)

    def _caller_hung_up(self, cause: int) -> None:
        if isinstance(self._standing, Saying):
            self._note(Fact.PHRASE_ENDED, phrase=self._standing.phrase, detail="stopped: caller hung up")
        self._note(Fact.CALLER_HUNG_UP, detail=f"cause {cause}" if cause else "")
        self._release_agent()
        self._over("caller_hung_up", by="caller")

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
        self._lifecycle.end()
        self._decide()

    def _release_agent(self) -> None:
        match self._standing:
            case Ringing(ticket=ticket):
                self._actions += [m.StopMusic(), m.StopRinging(ticket=ticket)]
            case Talking(ticket=ticket):
                self._actions.append(m.DropAgent(ticket=ticket))
            case _:
                return
        self._decide()

    # ── steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _go(self, name: str) -> None:
        """Enter a step as soon as the present one is left: a circle of steps is a loop, not a recursion."""
        self._decide()
        self._next_step = name

    def _enter(self, name: str) -> None:
        self._interrupted = None
        self._footing = None
        self._visits[name] += 1
        self._steps_this_event += 1
        limits = self._flow.limits
        if self._steps_this_event > limits.steps_per_event or self._visits[name] > limits.visits_per_step:
            which = "steps_per_event" if self._steps_this_event > limits.steps_per_event else "visits_per_step"
            self._note(Fact.LIMIT_REACHED, detail=f"{which} at step {name}")
            self._fall_back(f"limit {which} reached at step {name}")
            return
        step = self._flow.steps[name]
        self._step = step
        self._wrong_keys = self._questions = self._deaf_waits = 0
        self._note(Fact.STEP_ENTERED)
        if self._lifecycle.phase in {"closing", "awaiting hangup"} and not isinstance(step, HangUp):
            self._lifecycle.request_arises()  # also before closing once more: the question is asked again
        self._forget_useless_keys()
        match step:
            case Say() | Climb() | Menu():
                self._begin(step.ladder)
            case Collect():
                self._say((step.ask,), After.KEYING)
            case Hours():
                self._choose_by_time(step)
            case Transfer():
                self._say(step.announce, After.RING)
            case Close():
                self._lifecycle.begin_closing()
                self._begin(step.ladder)
            case HangUp():
                self._end_call(step.outcome)
            case _:
                assert_never(step)

    def _choose_by_time(self, step: Hours) -> None:
        assert self._arrived is not None
        local = datetime.fromtimestamp(self._arrived.arrived_at + self._now - self._began, self._flow.timezone)
        minute = local.hour * 60 + local.minute
        for window in step.windows:
            runs_past_midnight = window.closes <= window.opens
            day = local.weekday()
            if runs_past_midnight and minute < window.closes:
                day = (day - 1) % 7  # the small hours belong to the evening before
                holds = True
            elif runs_past_midnight:
                holds = minute >= window.opens
            else:
                holds = window.opens <= minute < window.closes
            if holds and day in window.days:
                self._say(window.says, After.STEP, target=window.then)
                return
        self._go(step.otherwise)

    # ── ladders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, ladder: Ladder) -> None:
        if not ladder.rungs:
            self._ladder_used_up()
            return
        self._footing = Footing(ladder)
        self._note(Fact.LADDER_BEGUN, detail=ladder.name)
        self._climb()

    def _climb(self) -> None:
        """Do what the present rung says."""
        assert self._footing is not None
        rung = self._footing.rung
        if rung.say is not None:
            self._say((rung.say,), After.RUNG)
        elif rung.task is not None:
            ticket = self._next_ticket()
            self._note(Fact.TASK_ASKED, detail=rung.task)
            self._actions.append(m.Instruct(ticket=ticket, task=rung.task))
            self._stand(Tasking(ticket, self._now), rung.wait or self._flow.limits.task_wait, f"task {rung.task}")
        else:
            self._pause()

    def _pause(self) -> None:
        """Begin the rung's wait, its silence clock at zero, unless the caller has already said or keyed something."""
        assert self._footing is not None
        rung = self._footing.rung
        if self._use_input_ahead(waits=rung.wait > 0):
            return
        if rung.wait <= 0:
            self._next_rung()
            return
        self._note(Fact.WAIT_BEGUN, seconds=rung.wait)
        self._stand(Pausing(), rung.wait, "the rung's wait")

    def _next_rung(self) -> None:
        assert self._footing is not None
        following = self._footing.next()
        if following is None:
            self._ladder_used_up()
            return
        self._footing = following
        self._climb()

    def _ladder_used_up(self) -> None:
        ladder = self._footing.ladder if self._footing else None
        if ladder:
            self._note(Fact.LADDER_USED_UP, detail=ladder.then)
        if self._interrupted and ladder:
            self._situation_over(self._flow.outcomes.get(ladder.then, RETURN))
            return
        step = self._step
        match step:
            case Say():
                self._go(step.then)
            case Climb():
                self._go(step.used_up)
            case Menu():
                self._go(step.no_input)
            case Close():
                self._footing = None
                self._lifecycle.await_hangup()
                self._guard(reminded=False)
            case _:
                raise AssertionError(f"step {step.name} has no ladder")

    def _leave(self, word: str, target: str) -> None:
        """Leave the ladder because of `word`."""
        self._note(Fact.LADDER_LEFT, detail=word)
        if self._interrupted:
            self._situation_over(target)
        else:
            self._go(target)

    def _guard(self, *, reminded: bool) -> None:
        """Wait for the caller to hang up first (the general rule of closing), never for ever."""
        assert isinstance(self._step, Close)
        self._note(Fact.WAIT_BEGUN, detail="for the caller to hang up first", seconds=self._step.guard)
        self._stand(Guarding(reminded), self._step.guard, "the caller to hang up first")

    # ── playing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, phrases: tuple[str, ...], after: After, target: str = "") -> None:
        """Play phrases one after the other, then do what `after` says."""
        if not phrases:
            self._said(after, target)
            return
        if self._keys_ahead and self._may_cut(self._keys_ahead[0]):
            # Keyed before there was anything to cut, by somebody who knows the way: the prompt does not even begin.
            self._use_key(self._keys_ahead.pop(0))
            return
        self._spoke_ahead = False  # what was said during an earlier phrase is no answer to this one
        phrase = self._flow.phrases[phrases[0]]
        prompt = self._flow.prompts.best(phrase, self._values)
        if prompt is None:
            text = phrase.without or phrase.text
            prompt = Prompt(file="", text=text, seconds=round(len(text) * SECONDS_PER_CHARACTER, 2))
        ticket = self._next_ticket()
        self._note(Fact.PHRASE_STARTED, phrase=phrase.key, seconds=prompt.seconds)
        self._actions.append(
            m.Play(
                ticket=ticket,
                phrase=phrase.key,
                prompt=prompt.file,
                seconds=prompt.seconds,
                loudest_frame=prompt.loudest_frame,
            )
        )
        saying = Saying(ticket, phrase.key, phrases[1:], after, target)
        self._stand(saying, prompt.seconds + PROMPT_GUARD_S, "the prompt to end")

    def _prompt_ended(self, ticket: m.Ticket, how: str) -> None:
        saying = self._standing
        if not isinstance(saying, Saying) or saying.ticket != ticket:
            return  # rule 4: an ending with an old ticket
        self._note(Fact.PHRASE_ENDED, phrase=saying.phrase, detail=how)
        self._decide()
        self._say(saying.rest, saying.after, saying.target)

    def _said(self, after: After, target: str) -> None:
        match after:
            case After.RUNG:
                self._pause()
            case After.RUNG_AGAIN:
                self._climb()
            case After.KEYING:
                self._collect()
            case After.ASK_AGAIN:
                assert isinstance(self._step, Collect)
                self._say((self._step.ask,), After.KEYING)
            case After.STEP:
                self._go(target)
            case After.RING:
                self._ring()
            case After.GUARD:
                self._guard(reminded=True)
            case _:
                assert_never(after)

    def _stop_playing(self, why: str) -> None:
        if isinstance(self._standing, Saying):
            self._note(Fact.PHRASE_ENDED, phrase=self._standing.phrase, detail=f"stopped: {why}")
            self._actions.append(m.StopPlaying(ticket=self._standing.ticket))
            self._decide()

    # ── what the caller does ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _listening(self) -> Listening:
        """What may be done in the present place."""
        if self._interrupted and self._footing:
            # A situation's ladder is left by speech only where the standard says so; nobody barges into it.
            return Listening(speech=RETURN if self._footing.rung.leave_on == "speech" else None)
        match self._step:
            case Say(listening=listening) | Climb(listening=listening) | Menu(listening=listening):
                return listening
            case Collect(barge_in=barge_in):
                return Listening(barge_in=barge_in)
            case Close(barge_in=barge_in, request=request) if self._footing:
                keys = dict.fromkeys("0123456789*#", request) if self._asks_for_request else {}
                return Listening(barge_in, request if self._asks_for_request else None, keys)
            case _:
                return Listening()

    @property
    def _asks_for_request(self) -> bool:
        return self._footing is not None and self._footing.rung.leave_on is not None

    @property
    def _heard_ahead(self) -> bool:
        return (self._spoke_ahead or self._is_speaking) and self._listening.speech is not None

    def _key_pressed(self, key: str) -> None:
        self._note(Fact.KEY_PRESSED, key=key)
        is_late_end_key, self._late_end_key = key == self._late_end_key, ""
        if is_late_end_key:
            return
        match self._standing:
            case Saying() | Pausing() | Tasking() if self._interrupted:
                self._keys_ahead.append(key)  # a situation takes no keys: they wait until it is over
            case Saying() if self._may_cut(key):
                self._keys_ahead.clear()  # they lead nowhere, or they would have cut the prompt themselves
                self._stop_playing("barge-in by key")
                self._use_key(key)
            case Saying():
                self._keys_ahead.append(key)
            case Pausing() | Keying():
                self._use_key(key)
            case Answering() | Tasking() | Ringing() | Talking() | Guarding() | Deciding():
                pass
            case _:
                assert_never(self._standing)

    def _may_cut(self, key: str) -> bool:
        return "key" in self._listening.barge_in and self._leads_somewhere(key)

    def _leads_somewhere(self, key: str) -> bool:
        """Whether this key may cut a prompt: one that leads nowhere must not (a menu answers every key)."""
        match self._step:
            case Menu():
                return True
            case Collect(end_key=end_key):
                return key in DIGITS or key == end_key
            case _:
                return key in self._listening.keys

    def _forget_useless_keys(self) -> None:
        """On entering a step, keys pressed before it count only if it offers them: its question was not heard yet."""
        match self._step:
            case Collect():
                useful = frozenset(DIGITS)
            case Climb(listening=listening) | Menu(listening=listening):
                useful = frozenset(listening.keys)
            case Close():
                useful = frozenset()
            case _:
                return  # nothing is asked here: they are for what comes next
        while self._keys_ahead and self._keys_ahead[0] not in useful:
            del self._keys_ahead[0]

    def _speech_started(self) -> None:
        self._is_speaking = True
        self._note(Fact.SPEECH_STARTED)
        listening = self._listening
        match self._standing:
            case Saying() if "speech" in listening.barge_in and listening.speech is not None:
                self._stop_playing("barge-in by speech")
                self._spoke_ahead = True
                self._use_input_ahead(waits=False)
            case Saying():
                self._spoke_ahead = True
            case Pausing():
                self._use_speech()
            case _:
                pass

    def _use_input_ahead(self, *, waits: bool) -> bool:
        """Act on what the caller keyed or said while a prompt that it may not cut was playing.

        A key that leads somewhere comes first, then speech, then (in a menu) the wrong keys, together one wrong choice.

        Args:
            waits: whether a wait for the caller begins here; keys that lead nowhere in it are then done with.

        Returns:
            Whether that led away from here.
        """
        heard, self._spoke_ahead = self._heard_ahead, False
        keys = [] if self._interrupted else self._keys_ahead
        for position, key in enumerate(keys):
            if key in self._listening.keys:
                del self._keys_ahead[: position + 1]
                self._use_key(key)
                return True
        if heard:
            self._use_speech()
            return True
        if keys and waits:
            self._keys_ahead = []
            if isinstance(self._step, Menu):
                self._wrong_key(self._step)
                return True
        return False

    def _use_key(self, key: str) -> None:
        target = self._listening.keys.get(key)
        if isinstance(self._step, Collect):
            self._use_digit(self._standing.entry if isinstance(self._standing, Keying) else DigitEntry(self._step), key)
        elif target is not None:
            self._leave("key", target)
        elif isinstance(self._step, Menu):
            self._wrong_key(self._step)

    def _use_speech(self) -> None:
        target = self._listening.speech
        if target is not None:
            self._leave("speech", target)

    def _wrong_key(self, menu: Menu) -> None:
        self._wrong_keys += 1
        if self._wrong_keys > menu.invalid_repeats:
            self._leave("invalid keys", menu.invalid_then)
        else:
            self._say((menu.invalid,), After.RUNG_AGAIN)

    # ── digits ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self) -> None:
        """Begin an entry with what was keyed while the question played, if anything."""
        assert isinstance(self._step, Collect)
        self._take_keys_ahead(DigitEntry(self._step))

    def _take_keys_ahead(self, entry: DigitEntry) -> None:
        while self._keys_ahead and not entry.is_over:
            entry = entry.keyed(self._keys_ahead.pop(0))
        if entry.is_over:
            self._entry_over(entry)
        else:
            self._stand_keying(entry)

    def _stand_keying(self, entry: DigitEntry) -> None:
        self._note(Fact.WAIT_BEGUN, detail=entry.timeout_name, seconds=entry.timeout)
        self._stand(Keying(entry), entry.timeout, f"the {entry.timeout_name}")

    def _use_digit(self, entry: DigitEntry, key: str) -> None:
        keyed = entry.keyed(key)
        if keyed != entry:  # a key that is no digit leads nowhere, and the deadline stands
            self._take_keys_ahead(keyed)

    def _entry_over(self, entry: DigitEntry) -> None:
        step = entry.step
        self._decide()
        if entry.digits and not entry.ended and step.end_key:
            # The end key may still come, or has come, after the last possible digit or just after the timeout.
            if self._keys_ahead[:1] == [step.end_key]:
                del self._keys_ahead[0]
            else:
                self._late_end_key = step.end_key
        self._note(Fact.DIGITS_COLLECTED, detail=f"{entry.result}, {len(entry.digits)} digits", key=entry.digits)
        if entry.result == "done":
            self._digits[step.value] = entry.digits
            self._go(step.done)
        elif self._questions < step.repeats:
            self._questions += 1
            self._say((step.incomplete_say,) if entry.result == "incomplete" else (), After.ASK_AGAIN)
        else:
            self._go(step.incomplete if entry.result == "incomplete" else step.no_input)

    # ── the deadline ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _deadline_reached(self) -> None:
        if self._armed is None or self._now < self._armed.at:
            return
        if self._now >= self._began + self._flow.limits.call_length:
            self._note(Fact.LIMIT_REACHED, detail="call_length")
            self._end_call("call_too_long")
            return
        match self._standing:
            case Answering():
                self._fall_back("the line did not open")
            case Saying(ticket=ticket, phrase=phrase, rest=rest, after=after, target=target):
                self._note(Fact.PHRASE_ENDED, phrase=phrase, detail="its end was never reported")
                self._actions.append(m.StopPlaying(ticket=ticket))
                self._decide()
                self._say(rest, after, target)
            case Pausing() | Keying() if self._is_deaf:
                self._wait_again()
            case Pausing():
                self._note(Fact.WAIT_USED_UP)
                self._next_rung()
            case Keying(entry=entry):
                self._note(Fact.WAIT_USED_UP, detail=entry.timeout_name)
                self._entry_over(entry)
            case Tasking():
                self._note(Fact.WAIT_USED_UP, detail="task")
                self._next_rung()
            case Ringing(ticket=ticket):
                self._actions.append(m.StopRinging(ticket=ticket))
                self._agent_unavailable(ticket, "no_answer")
            case Talking(ticket=ticket):
                self._note(Fact.LIMIT_REACHED, detail="talk_for")
                self._actions.append(m.DropAgent(ticket=ticket))
                self._agent_is_gone()
            case Guarding(reminded=reminded):
                self._guard_used_up(reminded=reminded)
            case Deciding():
                pass
            case _:
                assert_never(self._standing)

    def _guard_used_up(self, *, reminded: bool) -> None:
        assert isinstance(self._step, Close)
        self._note(Fact.WAIT_USED_UP, detail="for the caller to hang up first")
        if self._step.reminder and not reminded:
            self._say((self._step.reminder,), After.GUARD)
        else:
            self._end_call("closed_by_ivrflow")

    def _wait_again(self) -> None:
        """Silence proves nothing while we cannot hear: begin the wait again, a bounded number of times."""
        self._deaf_waits += 1
        if self._deaf_waits > DEAF_WAITS:
            self._fall_back("the caller cannot be heard")
        else:
            self._resume(self._standing)

    def _hearing_lost(self) -> None:
        self._note(Fact.HEARING_LOST)
        self._is_deaf = True
        self._is_speaking = False  # we would miss the end of it

    def _hearing_restored(self) -> None:
        self._note(Fact.HEARING_RESTORED)
        was_deaf, self._is_deaf = self._is_deaf, False
        if was_deaf and isinstance(self._standing, Pausing | Keying):
            self._wait_again()  # counted, or a line that comes and goes would keep one wait alive for ever

    # ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ring(self) -> None:
        step = self._step
        assert isinstance(step, Transfer)
        self._keys_ahead.clear()
        ticket = self._next_ticket()
        self._lifecycle.ring_agent()
        self._note(Fact.RINGING, seconds=step.ring_for)
        self._actions += [
            m.StartMusic(),
            m.Ring(ticket=ticket, extension=step.extension, seconds=step.ring_for),
        ]
        self._stand(Ringing(ticket), step.ring_for, "the agent to answer")

    def _agent_answered(self, ticket: m.Ticket) -> None:
        if self._standing != Ringing(ticket):
            return
        assert isinstance(self._step, Transfer)
        self._lifecycle.agent_answers()
        self._note(Fact.AGENT_ANSWERED)
        self._actions += [m.StopMusic(), m.Bridge(ticket=ticket)]
        self._stand(Talking(ticket), self._step.talk_for, "the talk to end")

    def _agent_unavailable(self, ticket: m.Ticket, why: str) -> None:
        if self._standing != Ringing(ticket):
            return
        step = self._step
        assert isinstance(step, Transfer)
        self._lifecycle.agent_is_gone()
        self._note(Fact.AGENT_UNAVAILABLE, detail=why)
        self._actions.append(m.StopMusic())
        self._go({"busy": step.busy, "unreachable": step.unreachable}.get(why, step.no_answer))

    def _agent_left(self, ticket: m.Ticket) -> None:
        if self._standing == Talking(ticket):
            self._first_to_hang_up = self._first_to_hang_up or "agent"
            self._agent_is_gone()

    def _agent_is_gone(self) -> None:
        assert isinstance(self._step, Transfer)
        self._lifecycle.agent_is_gone()
        self._note(Fact.AGENT_LEFT)
        self._go(self._step.agent_left)

    # ── situations ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _situation_started(self, name: str) -> None:
        ladder = self._flow.situations.get(name)
        standing = self._standing
        if ladder is None or not ladder.rungs:
            why = "no such situation"
        elif self._interrupted:
            why = f"not during {self.step}"
        elif not isinstance(standing, Saying | Pausing | Keying | Guarding):
            why = f"not while waiting for {self.waiting_for}"
        else:
            self._stop_playing(f"situation {name}")
            self._interrupted = Place(self._step, self._footing, standing)
            self._spoke_ahead = False
            self._footing = Footing(ladder)
            self._note(Fact.SITUATION_STARTED, detail=name)
            self._begin(ladder)
            return
        self._note(Fact.IGNORED, detail=f"situation {name}: {why}")

    def _situation_cancelled(self) -> None:
        if self._interrupted is None:
            self._note(Fact.IGNORED, detail="no situation to cancel")
            return
        self._stop_playing("situation cancelled")
        self._note(Fact.LADDER_LEFT, detail="cancelled")
        self._situation_over(RETURN)

    def _situation_over(self, target: str) -> None:
        place = self._interrupted
        assert place is not None
        self._note(Fact.SITUATION_OVER, detail=target)
        self._interrupted = None
        if target == RETURN:
            self._step, self._footing = place.step, place.footing
            self._spoke_ahead = False
            if not isinstance(place.standing, Keying):
                self._forget_useless_keys()
            self._resume(place.standing)
        else:
            self._go(target)

    def _resume(self, standing: Standing) -> None:
        """Go on where the call was: a phrase cut off is said again, a wait begins anew."""
        match standing:
            case Saying(phrase=phrase, rest=rest, after=after, target=target):
                self._say((phrase, *rest), after, target)
            case Pausing():
                self._pause()
            case Keying(entry=entry):
                self._take_keys_ahead(entry)
            case Guarding(reminded=reminded):
                self._guard(reminded=reminded)
            case _:
                raise AssertionError(f"nothing to resume in {standing}")

    def _signal_given(self, word: str) -> None:
        self._note(Fact.SIGNAL_GIVEN, detail=word)
        target = self._left_to(word)
        if target is not None:
            self._stop_playing(f"signal {word}")
            self._leave(word, target)

    def _left_to(self, word: str) -> str | None:
        """Where `word` leads from the present rung; None when it does not leave it."""
        if self._footing is None or self._footing.rung.leave_on != word:
            return None
        if self._interrupted:
            return self._flow.leaves.get(self._footing.ladder.name, {}).get(word, RETURN)
        match self._step:
            case Close(request=request):
                return request
            case Climb(left=left):
                return left.get(word)
            case _:
                return None

    def _task_done(self, ticket: m.Ticket) -> None:
        tasking = self._standing
        if not isinstance(tasking, Tasking) or tasking.ticket != ticket:
            return
        self._decide()
        assert self._footing is not None
        self._note(Fact.TASK_DONE, detail=self._footing.rung.task or "", seconds=self._now - tasking.since)
        word = self._footing.rung.leave_on or ""
        bound = _WAITED_NO_MORE_THAN.fullmatch(word)
        target = self._left_to(word) if bound and self._now - tasking.since <= float(bound[1]) else None
        if target is not None:
            self._leave(word, target)
        else:
            self._next_rung()

    # ── the two places that write state for all ───────────────────────────────────────────────────────────────────────

    def _stand(self, standing: Standing, seconds: float, purpose: str) -> None:
        """Stand somewhere new, under one deadline `seconds` from now, never later than the call's own end."""
        self._standing = standing
        if isinstance(standing, Pausing | Keying):
            self._late_end_key = ""  # from here on it is a key like any other
        call_ends = self._began + self._flow.limits.call_length
        if self._now + seconds < call_ends:
            self._armed = _Armed(self._now + seconds, purpose)
        else:
            self._armed = _Armed(call_ends, "the longest a call may last")

    def _decide(self) -> None:
        """Stand nowhere until this event is dealt with: what was playing, waiting or ringing is over, once."""
        self._standing = Deciding()
        self._armed = None

    def _next_ticket(self) -> m.Ticket:
        self._tickets += 1
        return self._tickets

    def _note(
        self, fact: Fact, *, phrase: str = "", detail: str = "", key: str = "", seconds: float | None = None
    ) -> None:
        rung = self._footing.rung if self._footing else None
        if rung and phrase not in {"", rung.say}:
            rung = None  # a correction on the way is no rung of the ladder, nor of its rule
        place = rung or (self._step if self._visits else self._flow)
        self._trace.append(
            TraceLine(
                at=round(self._now - self._began, 6),
                fact=fact,
                step=self.step,
                rule=(rung.rule or "") if rung else "",
                also_rule=(rung.also_rule or "") if rung else "",
                rung=self._footing.place if self._footing and rung else 0,
                phrase=phrase,
                detail=detail,
                key=key,
                seconds=seconds,
                where=str(place.where),
            )
        )
