"""Whatever happens on a call, in whatever order: the session's rules hold."""

from dataclasses import replace
from typing import TypeAlias

import msgspec
from driven_call import BEGIN, DrivenCall
from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import HOLD_RULES, RULES, flow, hotline, menu, silent_call_flow, with_limits

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow, Limits

CALL_LENGTH = 240.0
LIMITS = Limits(call_length=CALL_LENGTH)
HOTLINE = with_limits(hotline(), LIMITS)
FLOWS = {"silent call": with_limits(silent_call_flow(), LIMITS)}
FLOWS |= {f"hotline from {step}": replace(HOTLINE, start=step) for step in HOTLINE.steps}
EVERY_RULE = (*RULES, *HOLD_RULES)
FLOWS["holds"] = with_limits(flow(menu(keys={"1": "hang_up"}), rules=EVERY_RULE), LIMITS)
STALE = 10_000
"""A ticket no action ever had."""

CURRENT = -1
"""Stands for the ticket of what is under way when the event happens."""

Story: TypeAlias = list[tuple[m.CallEvent, float]]
"""What happens, and how many seconds after the one before."""

KEYS = st.sampled_from("0123456789*#AD").map(lambda key: m.KeyPressed(key=key))
SPEECH: st.SearchStrategy[m.CallEvent] = st.sampled_from([m.SpeechStarted(), m.SpeechEnded()])
HEARD = st.just(m.PromptEnded(ticket=CURRENT))
UNHEARD = st.sampled_from(
    [
        m.PromptEnded(ticket=CURRENT, how="stopped"),
        m.PromptEnded(ticket=CURRENT, how="missing"),
        m.PromptEnded(ticket=CURRENT, how="failed"),
    ]
)
TIME = st.just(m.DeadlineReached())
AGENTS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.AgentAnswered(ticket=CURRENT),
        m.AgentUnavailable(ticket=CURRENT, why="busy"),
        m.AgentUnavailable(ticket=CURRENT, why="unreachable"),
        m.AgentLeft(ticket=CURRENT),
        m.TaskDone(ticket=CURRENT),
    ]
)
SITUATIONS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [*(m.SituationStarted(name=rule.name) for rule in EVERY_RULE), m.SituationCancelled()]
)
WORDS = st.sampled_from(
    [
        "audible",
        "understood",
        "caller_agrees",
        "caller_civil",
        "caller_has_request",
        "lookup_done",
        "refusal",
        "speech",
    ]
).map(lambda word: m.SignalGiven(word=word))
HEARING: st.SearchStrategy[m.CallEvent] = st.sampled_from([m.HearingLost(), m.HearingRestored()])
NOTHING: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.PromptEnded(ticket=STALE),
        m.AgentAnswered(ticket=STALE),
        m.AgentUnavailable(ticket=STALE),
        m.AgentLeft(ticket=STALE),
        m.TaskDone(ticket=STALE),
        m.CallAnswered(),
        m.CallArrived(number="1", arrived_at=0.0),
        m.ValuesLearned(values={"name": "Li"}),
        m.SituationStarted(name="no such"),
        m.SignalGiven(word="no such"),
    ]
)
ORDINARY: list[st.SearchStrategy[m.CallEvent]] = [HEARD, HEARD, TIME, TIME, KEYS, SPEECH, AGENTS, SITUATIONS, WORDS]
SECONDS = st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 7.0, 30.0])


def stories(*happenings: st.SearchStrategy[m.CallEvent]) -> st.SearchStrategy[Story]:
    """Short ones, which shrink well, and long ones, which get far."""
    happening = st.tuples(st.one_of(*happenings), SECONDS)
    return st.lists(happening, max_size=8) | st.lists(happening, min_size=20, max_size=60)


STORIES = stories(*ORDINARY, UNHEARD, HEARING, NOTHING)
ORDINARY_STORIES = stories(*ORDINARY, HEARING)
NEVER_MOVES = (m.ValuesLearned, m.SpeechEnded, m.HearingLost, m.CallArrived)
PATIENTLY = settings(deadline=None, max_examples=150)
"""No test here is about how busy the machine is."""

FLOW = st.sampled_from(sorted(FLOWS))


class WatchedCall(DrivenCall):
    """A driven call that is told of every deadline in time, and whose every answer is checked."""

    def __init__(self, flow: CallFlow) -> None:
        self.ringing: int | None = None
        self.apart: int | None = None
        self.bridged: int | None = None
        self.music = False
        self.log: list[tuple[m.CallEvent, float, list[m.Action]]] = []
        super().__init__(flow)

    def fit(self, event: m.CallEvent) -> m.CallEvent:
        """The event with the ticket of what is under way."""
        if getattr(event, "ticket", None) != CURRENT:
            return event
        if isinstance(event, m.PromptEnded):
            ticket = self.playing.ticket if self.playing else STALE
        else:
            kind = m.Instruct if isinstance(event, m.TaskDone) else m.Ring
            ticket = max((action.ticket for action in self.actions if isinstance(action, kind)), default=STALE)
        return msgspec.structs.replace(event, ticket=ticket)

    def story_goes_on(self, event: m.CallEvent, after: float) -> None:
        """Something happens `after` seconds later; deadlines that come first are reached first."""
        until = self.now + after
        while (deadline := self.session.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.happens(m.DeadlineReached())
        self.now = until
        if isinstance(event, m.DeadlineReached) and self.session.deadline is not None:
            self.now = self.session.deadline
        self.happens(self.fit(event))

    def happens(self, event: m.CallEvent, after: float = 0.0) -> "WatchedCall":
        was_over, old_deadline, old_step = self.session.is_over, self.session.deadline, self.session.step
        was_keying = "digit timeout" in self.session.waiting_for
        super().happens(event, after)
        self.log.append((event, self.now, self.last))
        assert not (was_over and self.last), "once over, silent"
        self.check_deadline()
        self.check_agents(event)
        unmoved = self.last == [] and self.session.step == old_step and not was_over
        if old_deadline and (getattr(event, "ticket", 0) == STALE or isinstance(event, NEVER_MOVES)):
            assert unmoved
            assert self.session.deadline == old_deadline
        is_noise = isinstance(event, m.SpeechStarted) or (
            isinstance(event, m.KeyPressed) and not (was_keying and event.key in "0123456789#")
        )
        if is_noise and unmoved:
            assert self.session.deadline == old_deadline, "noise moves no deadline"
        return self

    def check_deadline(self) -> None:
        deadline = self.session.deadline
        assert (deadline is None) == self.session.is_over
        assert (self.session.waiting_for == "") == self.session.is_over
        if deadline is not None:
            assert self.now <= deadline <= BEGIN + CALL_LENGTH

    def check_agents(self, event: m.CallEvent) -> None:  # noqa: C901 - one list of what may follow what
        if self.ringing is not None:
            if isinstance(event, m.AgentAnswered) and event.ticket == self.ringing:
                self.apart, self.ringing = self.ringing, None
            elif isinstance(event, m.AgentUnavailable) and event.ticket == self.ringing:
                self.ringing = None
        if isinstance(event, m.AgentLeft):
            self.bridged = None if event.ticket == self.bridged else self.bridged
            self.apart = None if event.ticket == self.apart else self.apart
        for action in self.last:
            match action:
                case m.Ring(ticket=ticket):
                    assert (self.ringing, self.bridged, self.apart) == (None, None, None)
                    self.ringing = ticket
                case m.StopRinging(ticket=ticket):
                    assert ticket == self.ringing, "it rings no more"
                    self.ringing = None
                case m.Bridge(ticket=ticket):
                    assert ticket == self.apart, "nobody answered, or they are joined"
                    self.bridged, self.apart = ticket, None
                case m.Part(ticket=ticket):
                    assert ticket == self.bridged, "they are not joined"
                    self.bridged, self.apart = None, ticket
                case m.Play(hearer="both", leg=leg):
                    assert leg == self.apart, "nobody else is there to hear it"
                case m.DropAgent(ticket=ticket):
                    assert ticket in {self.bridged, self.apart}, "no such agent is on the line"
                    self.bridged = self.apart = None
                case m.StartMusic() | m.StopMusic():
                    assert self.music == isinstance(action, m.StopMusic)
                    self.music = not self.music
                case m.EndCall() | m.FallBack():
                    assert action is self.last[-1], "nothing is asked for after the end"
                case _:
                    pass
        assert self.apart is None or self.session.step.startswith("situation"), "who answers is joined at once"
        assert (self.ringing is not None) == (self.session.phase == "ringing")
        assert ((self.bridged or self.apart) is not None) == (self.session.phase in {"bridged", "held"})
        holds = [line for line in self.trace if line.fact in {Fact.HOLD_BEGUN, Fact.HOLD_OVER}]
        is_on_hold = bool(holds) and holds[-1].detail == "with music"
        assert self.music == (self.session.phase == "ringing" or is_on_hold)
        if self.playing or self.session.is_over:
            assert not self.music, "no phrase is said into the music, and none plays for nobody"


def told(flow: str, story: Story) -> WatchedCall:
    watched = WatchedCall(FLOWS[flow])
    watched.answered()
    for event, after in story:
        watched.story_goes_on(event, after)
    return watched


@PATIENTLY
@given(FLOW, STORIES)
def test_the_rules_of_the_session_hold_whatever_happens(flow: str, story: Story) -> None:
    watched = told(flow, story)
    assert [line.at for line in watched.trace] == sorted(line.at for line in watched.trace)


@PATIENTLY
@given(FLOW, STORIES)
def test_then_silence_and_every_call_ends_within_its_length(flow: str, story: Story) -> None:
    watched = told(flow, story)
    watched.silence(CALL_LENGTH)
    assert watched.session.is_over
    assert watched.now <= BEGIN + CALL_LENGTH or not watched.last
    assert watched.session.outcome
    assert watched.trace[-1].fact is Fact.ENDED
    assert watched.trace[-1].at <= CALL_LENGTH


@PATIENTLY
@given(FLOW, STORIES)
def test_it_ends_even_when_no_ending_is_ever_reported(flow: str, story: Story) -> None:
    watched = told(flow, story)
    for _ in range(1000):
        if watched.session.is_over:
            break
        watched.time_passes()
    assert watched.session.is_over


@PATIENTLY
@given(FLOW, STORIES, SECONDS)
def test_a_caller_who_hangs_up_leaves_nobody_behind(flow: str, story: Story, after: float) -> None:
    watched = told(flow, story)
    watched.story_goes_on(m.CallerHungUp(), after)
    assert watched.session.is_over
    assert (watched.ringing, watched.bridged, watched.music) == (None, None, False)


@PATIENTLY
@given(FLOW, STORIES)
def test_the_same_events_give_the_same_call(flow: str, story: Story) -> None:
    watched = told(flow, story)
    again = CallSession(FLOWS[flow])
    assert [again.handle(event, now) for event, now, _ in watched.log] == [actions for _, _, actions in watched.log]
    assert again.trace == watched.trace
    assert again.verdicts == watched.session.verdicts


@PATIENTLY
@given(FLOW, STORIES)
def test_every_rule_gets_a_verdict_and_kept_waits_are_within_their_band(flow: str, story: Story) -> None:
    verdicts = told(flow, story).silence(CALL_LENGTH).session.verdicts
    assert [verdict.rule for verdict in verdicts] == [rule.id for rule in FLOWS[flow].standard.rules.values()]
    for verdict in verdicts:
        assert verdict.judgement in Judgement
        for wait in verdict.waits:
            within = wait.least - LIMITS.tolerance <= wait.observed <= wait.most + LIMITS.tolerance
            assert within or verdict.judgement is Judgement.BROKEN


@PATIENTLY
@given(FLOW, ORDINARY_STORIES)
def test_no_rule_is_broken_while_the_pbx_works_and_no_limit_strikes(flow: str, story: Story) -> None:
    """The engine keeps the standard whatever callers and agents do: only lost prompts and limits can break a rule."""
    watched = told(flow, story)
    for verdict in watched.session.verdicts:
        if verdict.judgement is Judgement.BROKEN:
            excused = ("cut off: ", "its end was never reported")
            assert any(words in verdict.observed for words in excused), verdict


@PATIENTLY
@given(stories(HEARD, TIME, SITUATIONS, WORDS, AGENTS))
def test_each_occurrence_takes_the_next_rung_and_the_one_after_the_last_ends_the_call(story: Story) -> None:
    watched = told("holds", [(m.SituationStarted(name="abuse"), 1.0), *story])
    said = [phrase for phrase in watched.says if phrase in {"be civil", "last warning"}]
    taken_back = sum(line.detail == "cancelled" for line in watched.trace if line.rule == "gov/abuse")
    assert len(said) <= 3 + taken_back
    assert said == sorted(said), "'be civil' before 'last warning'"


@PATIENTLY
@given(FLOW, STORIES, st.lists(st.floats(0.0, 100.0), min_size=60, max_size=60), st.booleans())
def test_even_a_peer_that_reports_deadlines_late_raises_nothing(
    flow: str, story: Story, delays: list[float], answered: bool
) -> None:
    late = DrivenCall(FLOWS[flow])
    if answered:
        late.answered()
    tickets = WatchedCall(FLOWS[flow])  # never fed; it knows which ticket fits
    for (event, _), after in zip(story, delays, strict=False):
        tickets.actions, tickets.playing = late.actions, late.playing
        late.happens(tickets.fit(event), after)
        assert (late.session.deadline is None) == late.session.is_over
