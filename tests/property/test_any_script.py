"""Any script, whatever its phone and ear do: it never hangs, and nothing is done out of order."""

from hypothesis import given
from hypothesis import strategies as st

from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location
from ivrflow.scenario import cues as c
from ivrflow.scenario import script as s
from ivrflow.scenario.performer import Performer
from ivrflow.softphone.audio_source import Noise

PHRASES = st.sampled_from(["gov/a", "gov/b"])
SECONDS = st.floats(0.0, 60.0)
LINES = st.integers(1, 99).map(lambda line: Location("any.yaml", line, 1))
STEPS = st.one_of(
    st.builds(s.Hear, PHRASES, LINES, within=SECONDS),
    st.builds(s.HearStart, PHRASES, LINES, within=SECONDS),
    st.builds(s.HearMusic, LINES, within=SECONDS),
    st.builds(s.HearNothing, SECONDS, LINES),
    st.builds(s.Pause, st.just(Band(3, 3)), LINES, st.just(0.25)),
    st.builds(s.Wait, SECONDS, LINES),
    st.builds(s.WaitUntil, SECONDS, LINES),
    st.builds(s.Say, SECONDS, LINES, must_be_heard=st.booleans()),
    st.builds(s.Press, st.just("12"), LINES),
    st.builds(s.Background, st.just(Noise()), LINES),
    st.builds(s.Hold, LINES, st.booleans()),
    st.builds(s.Resume, LINES),
    st.builds(s.HangUp, LINES),
    st.builds(s.Order, st.sampled_from(["cancel", "done", "transfer"]), LINES),
)
CUES = st.one_of(
    st.just(c.Connected()),
    st.builds(c.SoundBegan, SECONDS),
    st.builds(c.SoundEnded, SECONDS, st.floats(0, 1)),
    st.sampled_from([c.DirectionDone(), c.DirectionDone("refused")]),
    st.just(c.DeadlineReached()),
)
BOUNDED_BY_OTHERS = {"the call to be answered", "the call to end"}
"""Dialling, hanging up and the whole scenario have bounds of their own."""


@given(st.lists(STEPS, max_size=12), st.lists(st.tuples(CUES, st.floats(0, 20)), max_size=30))
def test_it_always_has_a_deadline_or_waits_for_what_others_bound(
    steps: list[s.Step], happenings: list[tuple[c.Cue, float]]
) -> None:
    performer = Performer(steps)
    now = 0.0
    ended = 0
    for cue, later in happenings:
        now += later
        ended += sum(isinstance(direction, c.EndCall) for direction in performer.handle(cue, now))
        assert (performer.deadline is None) == (performer.waiting_for in BOUNDED_BY_OTHERS)
        assert not performer.is_over
        assert ended <= 1, "nobody hangs up twice"
    starts = [act.start for act in performer.acts]
    assert starts == sorted(starts)
    assert all(act.start <= act.end for act in performer.acts)
    done = [act.where for act in performer.acts]
    doings = [
        step.where
        for step in steps
        if isinstance(step, s.HearNothing | s.Say | s.Press | s.Background | s.Hold | s.Resume | s.HangUp | s.Order)
    ]
    assert done == doings[: len(done)], "everything in the script's order, nothing left out"
    performer.handle(c.CallEnded(), now)
    assert performer.is_over
    assert performer.deadline is None


@given(st.lists(STEPS, max_size=12))
def test_left_alone_with_its_deadlines_it_comes_to_its_end(steps: list[s.Step]) -> None:
    """No ear hears anything, nothing is ever reported done: the script still ends, and says what it waited for."""
    performer = Performer(steps)
    performer.handle(c.Connected(), 0.0)
    reached: list[float] = []
    while performer.deadline is not None and len(reached) <= len(steps):
        reached.append(performer.deadline)
        performer.handle(c.DeadlineReached(), performer.deadline)
    assert reached == sorted(reached)
    assert performer.waiting_for == "the call to end"
    stuck = any(
        not isinstance(step, s.Pause | s.Wait | s.WaitUntil | s.HearNothing | s.Background | s.Order)
        for step in _until_hang_up(steps)
    )
    assert (performer.gave_up is not None) == stuck


@given(st.lists(STEPS, max_size=12))
def test_one_hearing_never_serves_two_steps(steps: list[s.Step]) -> None:
    """An ear that hears every phrase for two seconds as soon as it may: each is listened for after the one before."""
    performer = Performer(steps)
    now = 0.0
    begun: dict[str, float] = {}
    directions = performer.handle(c.Connected(), now)
    for _ in range(4 * len(steps) + 4):
        listen = next((direction for direction in directions if isinstance(direction, c.ListenFor)), None)
        busy = any(isinstance(d, c.StartSaying | c.StartPressing | c.StartHold | c.StartResume) for d in directions)
        if listen is not None:
            at = listen.since
            assert at >= begun.get(listen.phrase, -1.0) + s.RECOGNISED_AFTER_S
            begun[listen.phrase] = at
            now = max(now, at + 0.6)
            directions = performer.handle(c.SoundBegan(at), now)
            if performer.waiting_for.endswith("to end") and performer.deadline is not None:
                now = max(now, at + 2)
                directions = performer.handle(c.SoundEnded(at + 2, 1.0), now)
        elif busy:
            directions = performer.handle(c.DirectionDone(), now)
        elif performer.deadline is not None:
            now = performer.deadline
            directions = performer.handle(c.DeadlineReached(), now)
        else:
            break
    assert performer.deadline is None


def _until_hang_up(steps: list[s.Step]) -> list[s.Step]:
    ends = next((place for place, step in enumerate(steps) if isinstance(step, s.HangUp)), len(steps))
    return steps[:ends]
