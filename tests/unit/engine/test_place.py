import pytest
from small_flows import BOTH, WHERE, climb, close, collect, hours, ladder, listening, menu, rung, say, transfer

from ivrflow.engine.place import Interrupted, Place
from ivrflow.engine.standing import Footing, Pausing
from ivrflow.flow.model import RETURN, HangUp, Listening, Step

LISTENS = listening(barge_in=BOTH, speech="there", keys={"1": "there"})
SAY = say("s", "hello", listens=LISTENS)
CLIMB = climb("c", rung("hello", 3, leave_on="understood"), listens=LISTENS, left={"understood": "there"})
MENU = menu(keys={"1": "there"}, barge_in=BOTH)
COLLECT = collect(barge_in=BOTH)
CLOSE = close(barge_in=BOTH, request="there")
DEAF: list[Step] = [hours("h"), transfer("t"), HangUp("hang_up", WHERE, "hung_up")]


def on(step: Step, *, rung_number: int = 1) -> Place:
    rungs = getattr(step, "ladder", None)
    return Place(step, Footing(rungs, rung_number - 1) if rungs else None)


def played(leave_on: str | None) -> Place:
    """A situation on top of the menu."""
    under = on(MENU)
    footing = Footing(ladder(rung("please", 2, leave_on=leave_on), name="noise"))
    return Place(MENU, footing, Interrupted(under, Pausing(Footing(MENU.ladder))))


def test_a_place_is_named_after_its_step_or_the_situation_played() -> None:
    assert on(MENU).name == "menu"
    assert played(None).name == "situation noise"


@pytest.mark.parametrize("step", [SAY, CLIMB])
def test_a_step_with_its_own_listening_is_listened_to_so(step: Step) -> None:
    assert on(step).listening == LISTENS


@pytest.mark.parametrize("step", DEAF)
def test_the_other_steps_listen_to_nothing(step: Step) -> None:
    assert on(step).listening == Listening()
    assert not on(step).may_cut("1")


def test_closing_listens_where_it_asks_and_not_where_it_says_farewell() -> None:
    assert on(CLOSE).listening == Listening(BOTH, "there", dict.fromkeys("0123456789*#", "there"))
    assert on(CLOSE, rung_number=2).listening == Listening()
    assert Place(CLOSE).listening == Listening()


def test_a_situation_is_left_by_speech_only_where_the_standard_says_so() -> None:
    assert played("speech").listening == Listening(speech=RETURN)
    assert played("audible").listening == Listening()
    assert played(None).listening == Listening()


@pytest.mark.parametrize(
    ("step", "may", "may_not"),
    [
        (SAY, "1", "2*#A"),
        (CLIMB, "1", "2*#A"),
        (MENU, "12*#A", ""),
        (COLLECT, "0123456789#", "*A"),
        (CLOSE, "19*#", "A"),
    ],
)
def test_a_key_may_cut_where_it_leads_somewhere(step: Step, may: str, may_not: str) -> None:
    assert all(on(step).may_cut(key) for key in may)
    assert not any(on(step).may_cut(key) for key in may_not)


def test_no_key_may_cut_where_keys_may_not_barge_in() -> None:
    assert not on(menu(keys={"1": "there"}, barge_in=frozenset({"speech"}))).may_cut("1")
    assert not played("speech").may_cut("1")


@pytest.mark.parametrize(
    ("step", "keys", "useful"),
    [
        (MENU, "9*17", "17"),
        (MENU, "9*", ""),
        (CLIMB, "21", "1"),
        (COLLECT, "*#12#", "12#"),
        (CLOSE, "12", ""),
        (SAY, "9*", "9*"),
        (transfer("t"), "12", "12"),
    ],
)
def test_what_keys_pressed_before_a_step_are_still_good_for(step: Step, keys: str, useful: str) -> None:
    assert on(step).useful(keys) == list(useful)


def test_a_word_leads_where_the_rung_and_the_step_say() -> None:
    assert on(CLIMB).left_by("understood", {}) == "there"
    assert on(CLIMB).left_by("refusal", {}) is None
    assert on(CLOSE).left_by("caller_has_request", {}) == "there"
    assert on(CLOSE, rung_number=2).left_by("caller_has_request", {}) is None
    assert on(MENU).left_by("understood", {}) is None
    assert on(COLLECT).left_by("understood", {}) is None


def test_a_word_leaves_a_situation_back_to_where_the_caller_was_unless_the_flow_says_otherwise() -> None:
    assert played("audible").left_by("audible", {}) == RETURN
    assert played("audible").left_by("audible", {"noise": {"audible": "there"}}) == "there"
    assert played("audible").left_by("understood", {"noise": {"understood": "there"}}) is None
