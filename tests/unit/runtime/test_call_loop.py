"""The loop around one session: order, one timer, early and late wake-ups, and what a bug does to a caller."""

from collections.abc import Callable

import pytest
from pretended_calls import HandClock, Notebook, Script, Wire

from ivrflow.engine.messages import (
    Action,
    Answer,
    AnswerReceived,
    CallAnswered,
    CallArrived,
    CallerHungUp,
    DeadlineReached,
    EndCall,
    Enquire,
    FallBack,
    Play,
    PromptEnded,
)
from ivrflow.runtime.call_loop import LiveCall

ARRIVED = CallArrived(number="1", arrived_at=0.0)
PLAY = Play(ticket=1, phrase="x/y", prompt="x/y", seconds=1.0)


def live(
    answers: list[list[Action] | Exception], deadlines: list[float | None]
) -> tuple[LiveCall, Script, Wire, HandClock, Notebook, list[LiveCall]]:
    session, wire, clock, notebook = Script(answers, deadlines), Wire(), HandClock(), Notebook()
    over: list[LiveCall] = []
    call = LiveCall("c1", session, wire, clock, notebook, over.append)  # type: ignore[arg-type]  # a scripted session
    return call, session, wire, clock, notebook, over


def test_an_event_is_decided_performed_and_recorded_at_the_same_time() -> None:
    call, session, wire, clock, notebook, over = live([[Answer()]], [110.0])
    call.happened(ARRIVED)
    assert session.handled == [(ARRIVED, 100.0)]
    assert wire.performed == [Answer()]
    assert notebook.lines == [(100.0, ARRIVED, (Answer(),))]
    assert [wake.when for wake in clock.armed] == [110.0]
    assert over == []


def test_exactly_one_timer_is_armed_after_every_event() -> None:
    call, _, _, clock, _, _ = live([[Answer()], [PLAY], []], [110.0, 120.0, 103.0])
    for event in (ARRIVED, CallAnswered(), PromptEnded(ticket=1)):
        call.happened(event)
        assert len(clock.armed) == 1
    assert clock.armed[0].when == 103.0


def test_an_early_wake_up_waits_for_the_deadline() -> None:
    call, session, _, clock, _, _ = live([[Answer()], []], [110.0, 120.0])
    call.happened(ARRIVED)
    clock.time = 109.9995
    clock.armed[0].wake()
    assert len(session.handled) == 1
    clock.time = 110.0
    clock.armed[-1].wake()
    assert session.handled[1] == (DeadlineReached(), 110.0)
    assert call.lateness == 0.0


def test_lateness_is_what_the_deadline_was_served_late_by() -> None:
    call, _, _, clock, _, _ = live([[Answer()], []], [110.0, 120.0])
    call.happened(ARRIVED)
    clock.time = 110.25
    clock.armed[0].wake()
    assert call.lateness == pytest.approx(0.25)


def test_an_event_that_comes_while_another_is_performed_waits_its_turn() -> None:
    call, session, wire, _, _, _ = live([[Answer(), PLAY], [], []], [110.0, 111.0, 112.0])
    wire.react = lambda action: call.happened(CallAnswered()) if isinstance(action, Answer) else None
    call.happened(ARRIVED)
    assert wire.performed == [Answer(), PLAY]
    assert [event for event, _ in session.handled] == [ARRIVED, CallAnswered()]


def test_the_end_is_recorded_once_and_nothing_is_armed_after_it() -> None:
    call, session, _, clock, notebook, over = live([[Answer()], [EndCall(outcome="done")]], [110.0, None])
    call.happened(ARRIVED)
    call.happened(CallAnswered())
    call.happened(CallerHungUp())
    assert notebook.ended == [("done", "caller")]
    assert notebook.findings == [(session.trace, session.verdicts)]
    assert clock.armed == []
    assert over == [call]
    assert len(session.handled) == 2


def test_a_bug_hands_the_caller_to_the_fallback_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    call, _, wire, clock, notebook, over = live([[Answer()], RuntimeError("boom")], [110.0, 110.0])
    call.happened(ARRIVED)
    call.happened(CallAnswered())
    assert wire.performed[-1] == FallBack(reason="a bug in the engine")
    assert notebook.ended == [("handed_to_fallback", "caller")]
    assert over == [call]
    assert clock.armed == []
    assert "boom" in caplog.text


def test_abandoning_a_call_that_is_over_does_nothing() -> None:
    call, _, wire, _, notebook, _ = live([[EndCall(outcome="done")]], [None])
    call.happened(ARRIVED)
    call.abandon("stopping")
    assert wire.performed == [EndCall(outcome="done")]
    assert notebook.ended == [("done", "caller")]


class Books:
    """Looks nothing up, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Enquire]] = []
        self.answered: Callable[[AnswerReceived], None] = lambda _answer: None
        self.forgotten: list[str] = []

    def begin(self, call_id: str, enquire: Enquire, answered: Callable[[AnswerReceived], None]) -> None:
        self.asked.append((call_id, enquire))
        self.answered = answered

    def forget(self, call_id: str) -> None:
        self.forgotten.append(call_id)


ENQUIRE = Enquire(ticket=4, url="https://crm.example", values={}, wanted=(), seconds=5.0)


def test_what_is_looked_up_is_none_of_the_lines_business_and_ends_with_the_call() -> None:
    session = Script([[ENQUIRE, PLAY], [], [EndCall(outcome="done")]], [110.0, 120.0, None])
    wire, clock, notebook, books = Wire(), HandClock(), Notebook(), Books()
    call = LiveCall("c1", session, wire, clock, notebook, lambda _call: None, books)  # type: ignore[arg-type]  # a scripted session
    call.happened(ARRIVED)
    assert books.asked == [("c1", ENQUIRE)]
    assert wire.performed == [PLAY]
    assert notebook.lines[0][2] == (ENQUIRE, PLAY), "a replay finds it in the journal"
    answer = AnswerReceived(ticket=4)
    books.answered(answer)
    assert session.handled[-1] == (answer, clock.now())
    assert books.forgotten == []
    call.happened(CallerHungUp())
    assert books.forgotten == ["c1"]
