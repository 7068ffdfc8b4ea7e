"""Whatever agents, queues, colleagues, look-ups and message-leaving callers do, in whatever order: the engine's rules hold.

What is watched here is what would be heard: nothing plays while something else does, nobody talks over a prompt, music
is turned on and off in turn, and every agent who was sought is let go exactly once.
"""

from typing import TypeAlias

import msgspec
from any_centre import CALL_LENGTH, CODES, EVERY_RULE, FLOWS
from driven_call import BEGIN, DrivenCall
from hypothesis import given, settings
from hypothesis import strategies as st
from watched_line import WatchedLine

from ivrflow.engine import messages as m
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow

STALE = 10_000
"""A ticket no action ever had."""

CURRENT = -1
"""Stands for the ticket of what is under way when the event happens."""

FORMER = -2
"""Stands for the ticket of the agent who has been on the line longest."""

Story: TypeAlias = list[tuple[m.CallEvent, float]]
"""What happens, and how many seconds after the one before."""

KEYS: st.SearchStrategy[m.CallEvent] = st.sampled_from("0123456789*#").map(lambda key: m.KeyPressed(key=key))
SPEECH: st.SearchStrategy[m.CallEvent] = st.sampled_from([m.SpeechStarted(), m.SpeechEnded()])
HEARD: st.SearchStrategy[m.CallEvent] = st.just(m.PromptEnded(ticket=CURRENT))
UNHEARD: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [m.PromptEnded(ticket=CURRENT, how="missing"), m.PromptEnded(ticket=CURRENT, how="failed")]
)
TIME: st.SearchStrategy[m.CallEvent] = st.just(m.DeadlineReached())
ANSWERS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [m.AgentAnswered(ticket=CURRENT), m.AgentAnswered(ticket=CURRENT, agent="1001", rang=3.0)]
)
REFUSES: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.AgentUnavailable(ticket=CURRENT),
        m.AgentUnavailable(ticket=CURRENT, why="busy"),
        m.AgentUnavailable(ticket=CURRENT, why="unreachable"),
        m.AgentUnavailable(ticket=CURRENT, why="nobody"),
        m.AgentUnavailable(ticket=CURRENT, why="full"),
    ]
)
LEAVES: st.SearchStrategy[m.CallEvent] = st.sampled_from([m.AgentLeft(ticket=CURRENT), m.AgentLeft(ticket=FORMER)])
MOVES: st.SearchStrategy[m.CallEvent] = st.builds(m.QueueMoved, st.just(CURRENT), st.integers(1, 9), st.just(30.0))
HOLDS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.HoldStarted(ticket=CURRENT),
        m.HoldEnded(ticket=CURRENT),
        m.HoldStarted(ticket=FORMER),
        m.HoldEnded(ticket=FORMER),
    ]
)
CODED: st.SearchStrategy[m.CallEvent] = st.builds(
    m.AgentKeyed, st.sampled_from([CURRENT, CURRENT, FORMER]), st.sampled_from([*CODES, "*80", "*99"])
)
ORDERS: st.SearchStrategy[m.CallEvent] = st.sampled_from(["colleague", "agent", "menu", "no such"]).map(
    m.TransferOrdered
)
RECORDED: st.SearchStrategy[m.CallEvent] = st.builds(
    m.MessageRecorded,
    st.just(CURRENT),
    st.sampled_from(["key", "silence", "full", "failed"]),
    st.sampled_from([0.0, 5.0]),
)
ANSWERED: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.AnswerReceived(ticket=CURRENT, values={"state": "open", "name": "Li"}),
        m.AnswerReceived(ticket=CURRENT),
        m.AnswerReceived(ticket=CURRENT, how="wrong"),
        m.AnswerReceived(ticket=CURRENT, how="failed"),
    ]
)
TASKS: st.SearchStrategy[m.CallEvent] = st.just(m.TaskDone(ticket=CURRENT))
SITUATIONS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [*(m.SituationStarted(name=rule.name) for rule in EVERY_RULE), m.SituationCancelled()]
)
WORDS: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    ["audible", "caller_agrees", "caller_civil", "caller_has_request", "lookup_done", "refusal", "speech"]
).map(lambda word: m.SignalGiven(word=word))
HEARING: st.SearchStrategy[m.CallEvent] = st.sampled_from([m.HearingLost(), m.HearingRestored()])
STALE_ONES: st.SearchStrategy[m.CallEvent] = st.sampled_from(
    [
        m.PromptEnded(ticket=STALE),
        m.AgentAnswered(ticket=STALE),
        m.AgentUnavailable(ticket=STALE),
        m.AgentLeft(ticket=STALE),
        m.QueueMoved(ticket=STALE, position=1),
        m.HoldStarted(ticket=STALE),
        m.HoldEnded(ticket=STALE),
        m.AgentKeyed(ticket=STALE, code="*80"),
        m.MessageRecorded(ticket=STALE, how="full"),
        m.AnswerReceived(ticket=STALE),
        m.TaskDone(ticket=STALE),
    ]
)
SECONDS = st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0, 2.0, 3.0, 7.0, 30.0])
USUAL = [HEARD, HEARD, HEARD, TIME, KEYS, SPEECH, ANSWERS, ANSWERS, HOLDS, HOLDS, CODED, CODED, ORDERS, TASKS]
USUAL += [REFUSES, LEAVES, MOVES, RECORDED, ANSWERED, SITUATIONS, SITUATIONS, WORDS]


def stories(*happenings: st.SearchStrategy[m.CallEvent]) -> st.SearchStrategy[Story]:
    """Short ones, which shrink well, and long ones, which get far."""
    happening = st.tuples(st.one_of(*happenings), SECONDS)
    return st.lists(happening, max_size=10) | st.lists(happening, min_size=20, max_size=70)


ANSWER = m.AgentAnswered(ticket=CURRENT, agent="1001", rang=3.0)
TALK: Story = [(ANSWER, 5.0), (m.SpeechStarted(), 1.0), (m.SpeechEnded(), 1.0)]
HANDED_OVER: Story = [*TALK, (m.TransferOrdered(step="colleague"), 1.0), (m.SpeechStarted(), 3.0)]
OPENINGS: list[Story] = [
    [],
    TALK,
    [*TALK, (m.HoldStarted(ticket=CURRENT), 1.0)],
    [*TALK, (m.SituationStarted(name="short_lookup"), 1.0), (m.SpeechStarted(), 2.5)],
    [(ANSWER, 15.0)],
    HANDED_OVER,
    [*HANDED_OVER, (ANSWER, 4.0)],
]
"""How a story may begin, so that more of it happens while agents are on the line."""


def beginning(story: st.SearchStrategy[Story]) -> st.SearchStrategy[Story]:
    """Any opening, then the story."""
    return st.builds(lambda opening, rest: [*opening, *rest], st.sampled_from(OPENINGS), story)


STORIES = beginning(stories(*USUAL, UNHEARD, HEARING, STALE_ONES))
ORDINARY_STORIES = beginning(stories(*USUAL, HEARING))
FLOW = st.sampled_from(sorted(FLOWS))
PATIENTLY = settings(deadline=None, max_examples=200)
"""No test here is about how busy the machine is."""


class WatchedCall(DrivenCall):
    """A driven call that is told of every deadline in time, and whose every answer is checked."""

    def __init__(self, watched: CallFlow) -> None:
        self.line = WatchedLine()
        self.log: list[tuple[m.CallEvent, float, list[m.Action]]] = []
        super().__init__(watched)

    def fit(self, event: m.CallEvent) -> m.CallEvent:
        """The event with the ticket of what is under way."""
        asked_for = getattr(event, "ticket", 0)
        if asked_for not in {CURRENT, FORMER}:
            return event
        sought = [ticket for ticket, leg in self.line.legs.items() if not leg.is_there]
        there = sorted(ticket for ticket, leg in self.line.legs.items() if leg.is_there)
        match event:
            case m.PromptEnded():
                ticket = self.playing.ticket if self.playing else STALE
            case m.AgentAnswered() | m.AgentUnavailable() | m.QueueMoved():
                ticket = sought[0] if sought else STALE
            case m.AgentLeft() | m.HoldStarted() | m.HoldEnded() | m.AgentKeyed():
                ticket = (there[-1] if asked_for == CURRENT else there[0]) if there else STALE
            case m.MessageRecorded():
                ticket = self.line.message or STALE
            case m.AnswerReceived():
                ticket = self.line.asked or STALE
            case _:
                tasks = [action.ticket for action in self.actions if isinstance(action, m.Instruct)]
                ticket = tasks[-1] if tasks else STALE
        return msgspec.structs.replace(event, ticket=ticket)

    def story_goes_on(self, event: m.CallEvent, after: float) -> None:
        """Something happens `after` seconds later; prompts that end, and deadlines that come, before that do so."""
        until = self.now + after
        self.silence(after)
        self.now = max(self.now, until)
        if isinstance(event, m.DeadlineReached) and self.session.deadline is not None:
            self.now = self.session.deadline
        self.happens(self.fit(event))

    def happens(self, event: m.CallEvent, after: float = 0.0) -> "WatchedCall":
        was_over, old_deadline = self.session.is_over, self.session.deadline
        super().happens(event, after)
        self.log.append((event, self.now, self.last))
        assert not (was_over and self.last), "once over, silent"
        if old_deadline and getattr(event, "ticket", 0) == STALE:
            assert (self.last, self.session.deadline) == ([], old_deadline), "a stranger's ending moves nothing"
        self.check_deadline()
        self.line.happens(event, self.last)
        self.line.check(self.session, self.now)
        return self

    def check_deadline(self) -> None:
        deadline = self.session.deadline
        assert (deadline is None) == self.session.is_over
        assert (self.session.waiting_for == "") == self.session.is_over
        if deadline is not None:
            assert self.now <= deadline <= BEGIN + CALL_LENGTH


def told(name: str, story: Story) -> WatchedCall:
    watched = WatchedCall(FLOWS[name])
    watched.answered()
    for event, after in story:
        watched.story_goes_on(event, after)
    return watched


@PATIENTLY
@given(FLOW, STORIES)
def test_the_rules_hold_whatever_agents_do(name: str, story: Story) -> None:
    watched = told(name, story)
    assert [line.at for line in watched.trace] == sorted(line.at for line in watched.trace)


@PATIENTLY
@given(FLOW, STORIES)
def test_then_silence_and_the_call_ends_within_its_length_with_everybody_let_go(name: str, story: Story) -> None:
    watched = told(name, story)
    watched.silence(CALL_LENGTH)
    assert watched.session.is_over
    assert watched.trace[-1].fact is Fact.ENDED
    assert watched.trace[-1].at <= CALL_LENGTH


@PATIENTLY
@given(FLOW, STORIES)
def test_it_ends_even_when_no_ending_is_ever_reported(name: str, story: Story) -> None:
    watched = told(name, story)
    for _ in range(2000):
        if watched.session.is_over:
            break
        watched.time_passes()
    assert watched.session.is_over


@PATIENTLY
@given(FLOW, STORIES, SECONDS, st.sampled_from([m.CallerHungUp(), m.LineLost()]))
def test_a_caller_who_is_gone_leaves_nobody_behind(name: str, story: Story, after: float, event: m.CallEvent) -> None:
    watched = told(name, story)
    watched.story_goes_on(event, after)
    assert watched.session.is_over


@PATIENTLY
@given(FLOW, STORIES)
def test_the_same_events_give_the_same_call(name: str, story: Story) -> None:
    watched = told(name, story)
    again = CallSession(FLOWS[name])
    assert [again.handle(event, now) for event, now, _ in watched.log] == [actions for _, _, actions in watched.log]
    assert again.trace == watched.trace
    assert again.verdicts == watched.session.verdicts


@PATIENTLY
@given(FLOW, STORIES, st.sampled_from([1.0, 10.0, 100.0]))
def test_even_a_peer_that_reports_deadlines_late_raises_nothing(name: str, story: Story, slowness: float) -> None:
    late = WatchedCall(FLOWS[name])
    late.check_deadline = lambda: None  # type: ignore[method-assign]  # here they are late on purpose
    late.answered()
    for event, after in story:
        late.happens(late.fit(event), after * slowness)


@PATIENTLY
@given(FLOW, ORDINARY_STORIES)
def test_no_rule_is_broken_while_the_pbx_works_and_no_limit_strikes(name: str, story: Story) -> None:
    """The engine keeps the standard whatever agents do: only lost prompts and limits can break a rule.

    And agents whose telephone holds the caller for longer than the rule allows: nobody can take the caller back for them.
    """
    watched = told(name, story)
    holds = [line for line in watched.session.trace if line.fact is Fact.AGENT_HOLDS]
    for verdict in watched.session.verdicts:
        if verdict.judgement is Judgement.BROKEN:
            excused = ("cut off: ", "its end was never reported", *([", not at most "] if holds else []))
            assert any(words in verdict.observed for words in excused), verdict
