import pytest
from service_hotline import FLOW, SOURCE, compiled, step, told

from ivrflow.flow.compiling.compiler import check_flow
from ivrflow.flow.compiling.routes import exits
from ivrflow.flow.model import CallBack, CallFlow, Collect, Keep, Menu, PlayBack, Record, Say, Score

REVIEW = "    review: {say: review, invalid: {say: house/wrong_key}}\n"


def parts(flow: CallFlow, name: str) -> list[str]:
    return [step for step in flow.steps if step.startswith(f"{name}.")]


def test_every_part_is_reached_from_the_step_that_is_written() -> None:
    flow = compiled()

    for name in ("leave_message", "ask_satisfaction", "call_me_back"):
        reached, ahead = set[str](), [name]
        while ahead:
            here = ahead.pop()
            if here not in reached:
                reached.add(here)
                ahead += [way.target for way in exits(flow.steps[here])]
        assert set(parts(flow, name)) <= reached


# ── a message ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_recorded_reviewed_and_kept() -> None:
    flow = compiled()

    record = flow.steps["leave_message"]
    assert isinstance(record, Record)
    assert (record.ask, record.about, record.end_key) == (("service/record",), "voicemail", "#")
    assert (record.most, record.silence, record.least) == (120.0, 4.0, 1.0)
    assert (record.done, record.nothing) == ("leave_message.review", "bye")
    review = flow.steps["leave_message.review"]
    assert isinstance(review, Menu)
    assert review.listening.keys == {"1": "leave_message.keep", "2": "leave_message.listen", "3": "leave_message"}
    assert (review.no_input, review.invalid_then) == ("leave_message.keep", "leave_message.keep")
    assert (review.invalid, review.invalid_repeats) == ("house/wrong_key", 2)
    assert [rung.wait for rung in review.ladder.rungs] == [5.0, 5.0]
    assert review.listening.barge_in == frozenset({"key"})
    listen, keep, noted = (flow.steps[f"leave_message.{part}"] for part in ("listen", "keep", "noted"))
    assert isinstance(listen, PlayBack)
    assert isinstance(keep, Keep)
    assert isinstance(noted, Say)
    assert (listen.then, keep.then, noted.then) == ("leave_message.review", "leave_message.noted", "bye")


def test_a_message_without_review_is_kept_at_once() -> None:
    flow = compiled((REVIEW, ""), ("    noted: noted\n    on: {done: bye, nothing", "    on: {done: bye, nothing"))

    assert parts(flow, "leave_message") == ["leave_message.keep"]
    record, keep = flow.steps["leave_message"], flow.steps["leave_message.keep"]
    assert isinstance(record, Record)
    assert isinstance(keep, Keep)
    assert (record.done, keep.then) == ("leave_message.keep", "bye")


@pytest.mark.parametrize(("written", "key"), [("5", "5"), ('"*"', "*"), ("none", "")])
def test_any_key_may_end_a_message(written: str, key: str) -> None:
    record = step(Record, "leave_message", ("    at_most: 2m\n", f"    at_most: 2m\n    end_key: {written}\n"))

    assert record.end_key == key


def test_keys_of_the_review_may_be_others() -> None:
    review = step(Menu, "leave_message.review", ("{say: review,", "{say: review, keep: 9, listen: 1, again: 2,"))

    assert review.listening.keys == {"9": "leave_message.keep", "1": "leave_message.listen", "2": "leave_message"}


# ── a score ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_survey_is_a_menu_and_a_step_per_score() -> None:
    flow = compiled()

    menu = flow.steps["ask_satisfaction"]
    assert isinstance(menu, Menu)
    assert menu.listening.keys == {
        "1": "ask_satisfaction.score3",
        "2": "ask_satisfaction.score2",
        "3": "ask_satisfaction.score1",
        "4": "ask_satisfaction.score1",
    }
    assert (menu.no_input, menu.invalid_then, menu.invalid_repeats) == ("bye", "bye", 1)
    scores = [step for step in flow.steps.values() if isinstance(step, Score)]
    assert [(one.score, one.most, one.survey, one.then) for one in scores] == [
        (score, 3, "satisfaction", "ask_satisfaction.thanks") for score in (3, 2, 1)
    ]


def test_keys_may_be_their_own_scores() -> None:
    flow = compiled(("{1: 3, 2: 2, 3: 1, 4: 1}", "1-5"), ("    thanks: noted\n", ""))

    menu = flow.steps["ask_satisfaction"]
    assert isinstance(menu, Menu)
    assert menu.listening.keys == {str(key): f"ask_satisfaction.score{key}" for key in range(1, 6)}
    best = flow.steps["ask_satisfaction.score5"]
    assert isinstance(best, Score)
    assert (best.most, best.then) == (5, "bye")


def test_silence_and_wrong_keys_may_lead_elsewhere() -> None:
    menu = step(Menu, "ask_satisfaction", ("on: {done: bye}", "on: {done: bye, no_input: status, invalid: number}"))

    assert (menu.no_input, menu.invalid_then) == ("status", "number")


# ── a number to be called back at ─────────────────────────────────────────────────────────────────────────────────────


def test_a_callback_offers_reads_back_and_orders() -> None:
    flow = compiled()

    offer, own = flow.steps["call_me_back"], flow.steps["call_me_back.own"]
    assert isinstance(offer, Menu)
    assert offer.listening.keys == {"1": "call_me_back.own", "2": "call_me_back.number"}
    assert (offer.no_input, offer.invalid_then) == ("leave_message", "leave_message")
    assert isinstance(own, CallBack)
    assert (own.number, own.flow, own.to) == ("", "hotline_callback", ("1*", "0*"))
    assert (own.within_h, own.tries, own.retry_after) == (24.0, 3, 900.0)
    assert (own.then, own.undiallable) == ("call_me_back.noted", "call_me_back.number")
    number, read_back = flow.steps["call_me_back.number"], flow.steps["call_me_back.read_back"]
    assert isinstance(number, Collect)
    assert (number.value, number.least, number.most, number.end_key) == ("callback_number", 7, 12, "#")
    assert (number.done, number.no_input, number.incomplete) == (
        "call_me_back.read_back",
        "leave_message",
        "leave_message",
    )
    assert isinstance(read_back, Menu)
    assert read_back.listening.keys == {"1": "call_me_back.order", "2": "call_me_back.number"}
    order = flow.steps["call_me_back.order"]
    assert isinstance(order, CallBack)
    assert (order.number, order.undiallable, order.then) == ("callback_number", "leave_message", "call_me_back.noted")


def test_without_an_offer_the_number_is_asked_for_at_once() -> None:
    flow = compiled(("    offer: offer\n", ""))

    assert isinstance(flow.steps["call_me_back"], Collect)
    assert parts(flow, "call_me_back") == ["call_me_back.read_back", "call_me_back.order", "call_me_back.noted"]
    read_back = flow.steps["call_me_back.read_back"]
    assert isinstance(read_back, Menu)
    assert read_back.listening.keys["2"] == "call_me_back"


def test_questions_may_be_heard_to_their_end() -> None:
    flow = compiled(("    to: [", "    barge_in: []\n    wait: 8s\n    repeats: 0\n    to: ["))

    offer, number = flow.steps["call_me_back"], flow.steps["call_me_back.number"]
    assert isinstance(offer, Menu)
    assert isinstance(number, Collect)
    assert (offer.listening.barge_in, number.barge_in, number.repeats) == (frozenset(), frozenset(), 0)
    assert [rung.wait for rung in offer.ladder.rungs] == [8.0]


def test_a_number_of_the_right_length_can_be_keyed_in() -> None:
    shorter = ('    to: ["1*", "0*"]\n', '    to: ["123", "1*"]\n')

    assert told(shorter) == [], "the number somebody rings from may be as short"
    assert told(shorter, ("    offer: offer\n", "")) == ["nobody can key in '123': a number has 7 to 12 digits"]


def test_nobody_can_write_the_name_of_a_part() -> None:
    assert told(("no_answer: leave_message\n      full", "no_answer: leave_message.keep\n      full")) == [
        "'leave_message.keep' cannot be a step: small letters, digits and '_', at most 64"
    ]


def test_parts_of_a_step_nothing_leads_to_are_not_told_one_by_one() -> None:
    messages = told(
        ("    on: {done: bye, undiallable: leave_message", "    on: {done: bye, undiallable: bye"),
        ("undiallable: bye, no_input: leave_message}", "undiallable: bye, no_input: bye}"),
        ("agent_left: ask_satisfaction, no_answer: leave_message", "agent_left: bye, no_answer: bye"),
        ("no_answer: leave_message\n      full", "no_answer: bye\n      full"),
        ("key: {1: leave_message, 2", "key: {2"),
    )

    assert messages == ["nothing leads to the step 'leave_message'"]


def test_wrong_keys_and_too_few_digits_have_the_usual_words_of_the_house() -> None:
    usual = {"menu.invalid": "没有这个选项。", "collect.incomplete": "号码不完整。"}
    house = SOURCE["callflows/standards/house.yaml"] + "".join(
        f"  {name}: {{text: {text}}}\n" for name, text in usual.items()
    )
    text = SOURCE[FLOW]
    for line in ("    incomplete_say: house/too_few\n    read_back", "    invalid: {say: house/wrong_key}\n    to:"):
        assert line in text
        text = text.replace(line, line.rpartition("\n")[2])

    flow = check_flow({**SOURCE, FLOW: text, "callflows/standards/house.yaml": house}, FLOW).flow

    assert flow is not None
    offer, number = flow.steps["call_me_back"], flow.steps["call_me_back.number"]
    assert isinstance(offer, Menu)
    assert isinstance(number, Collect)
    assert (offer.invalid, offer.invalid_repeats) == ("house/menu.invalid", 2)
    assert number.incomplete_say == "house/collect.incomplete"
