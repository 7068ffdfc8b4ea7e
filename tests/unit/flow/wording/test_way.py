"""What is said on the way through a flow."""

from dataclasses import replace

from agent_flows import QUEUE_EXITS, ask, call_back, colleague, queue, record, with_agents
from small_flows import WHERE, flow, ladder, rung, say
from tiny_hotline import compiled

from ivrflow.flow.model import HANG_UP, CallRecording, Keep, PlayBack, Score
from ivrflow.flow.wording.way import all_hold, begun, first_said, lines, spoken, spoken_at_once, surely, waits, ways

FLOW = compiled()
LINES = "\nwordings:\n  hi:\n    - {days: mon, say: [hello, house/morning]}\n    - {say: []}\n\noutcomes:"
WITH_LINES = compiled(("    opening: hello\n", "    greeting: when/hi\n"), ("\noutcomes:", LINES))


def keys(said: object) -> list[str]:
    assert isinstance(said, tuple)
    return [one.key for one in said]


def test_a_step_says_its_rungs_in_order_and_at_once_those_before_the_first_wait() -> None:
    welcome = FLOW.steps["welcome"]

    assert keys(spoken(FLOW, welcome)) == ["tiny/hello", "tiny/silent.again", "tiny/silent.goodbye"]
    assert keys(spoken_at_once(FLOW, welcome)) == ["tiny/hello"]
    assert keys(spoken(FLOW, FLOW.steps["number"])) == ["house/ask_number"]
    assert keys(spoken(FLOW, FLOW.steps["agent"])) == ["house/connecting"]
    assert keys(spoken(FLOW, FLOW.steps["bye"])) == ["tiny/anything_else.ask", "tiny/closing.thanks"]
    assert spoken(FLOW, FLOW.steps["hang_up"]) == ()


def test_what_waits_for_somebody_is_told_from_what_goes_on() -> None:
    assert {name for name, step in FLOW.steps.items() if not waits(step)} == {"hang_up"}


def test_each_exit_knows_what_was_said_by_then() -> None:
    by_word = {way.word: keys(way.said) for way in ways(FLOW, FLOW.steps["welcome"])}

    assert by_word["speech"] == ["tiny/hello"]
    assert by_word["used_up"] == ["tiny/hello", "tiny/silent.again", "tiny/silent.goodbye"]


def test_every_line_of_the_calendar_may_be_said() -> None:
    said = spoken_at_once(WITH_LINES, WITH_LINES.steps["welcome"])

    assert [keys(line) for line in lines(WITH_LINES, said)] == [["tiny/hello", "house/morning"], []]
    assert all_hold(FLOW, spoken_at_once(FLOW, FLOW.steps["welcome"]), lambda line: "tiny/hello" in line)
    assert not all_hold(WITH_LINES, said, lambda line: "tiny/hello" in line)


def test_the_beginning_of_a_call_goes_up_to_the_first_wait() -> None:
    assert [(keys(said), name) for said, name in first_said(FLOW, "welcome")] == [(["tiny/hello"], "welcome")]
    assert first_said(FLOW, "nowhere") == ()


def test_something_is_surely_said_when_it_is_on_every_way() -> None:
    hello = surely(FLOW, {"welcome": False}, lambda line: "tiny/hello" in line, lambda _step, _way: False)
    again = surely(FLOW, {"welcome": False}, lambda line: "tiny/silent.again" in line, lambda _step, _way: False)

    assert hello["bye"]
    assert not hello["welcome"]
    assert again["hang_up"]
    assert not again["bye"]


def test_exits_that_are_skipped_lead_nowhere() -> None:
    reached = surely(FLOW, {"welcome": False}, lambda _: False, lambda _step, way: way.word == "used_up")

    assert "hang_up" not in reached
    assert "bye" in reached


# ── agents, messages and look-ups ─────────────────────────────────────────────────────────────────────────────────────

WAITING = queue("queue", "joining", waiting=ladder(rung(None, 10.0), rung("still busy", 30.0)), keys={"1": "nobody"})
ANSWERS = tuple(say(name, name) for name in ("done", "late", "wrong", "failed", "open"))
NOTICE = CallRecording(WHERE, ("recorded from now on",))
CENTRE = with_agents(flow(WAITING, *QUEUE_EXITS, colleague(), record(), ask(), *ANSWERS, rules=()), "colleague")
RECORDED = replace(CENTRE, recording=NOTICE)
WHOLE_CALL = replace(CENTRE, recording=replace(NOTICE, whole_call=True))


def test_steps_with_agents_messages_and_look_ups_say_what_the_caller_hears() -> None:
    steps = CENTRE.steps

    assert keys(spoken(CENTRE, steps["queue"])) == ["joining", "still busy", "thanks for waiting"]
    assert keys(spoken_at_once(CENTRE, steps["queue"])) == ["joining"]
    assert keys(spoken(CENTRE, steps["colleague"])) == ["transferring", "thank you for waiting"], (
        "the whisper is not for them"
    )
    assert keys(spoken(CENTRE, steps["message"])) == ["speak now"]
    assert keys(spoken(CENTRE, steps["ask"])) == ["one moment"]
    assert spoken_at_once(CENTRE, steps["ask"]) == ()


def test_that_talks_are_recorded_is_said_where_an_agent_is_sought() -> None:
    assert keys(spoken_at_once(RECORDED, RECORDED.steps["queue"])) == ["recorded from now on", "joining"]
    assert keys(spoken_at_once(RECORDED, RECORDED.steps["message"])) == ["speak now"]
    assert keys(spoken_at_once(WHOLE_CALL, RECORDED.steps["queue"])) == ["joining"]


def test_that_the_whole_call_is_recorded_is_said_before_anything_else() -> None:
    ((said, name),) = first_said(WHOLE_CALL, "message")

    assert (keys(said), name) == (["recorded from now on", "speak now"], "message")
    assert begun(WHOLE_CALL, "message", lambda line: "recorded from now on" in line) == {"message": True}
    assert begun(RECORDED, "message", lambda line: "recorded from now on" in line) == {"message": False}


def test_a_look_up_waits_for_nobody_on_the_call() -> None:
    assert [name for name, step in CENTRE.steps.items() if not waits(step)] == [
        *(step.name for step in QUEUE_EXITS),
        "ask",
        *(step.name for step in ANSWERS),
        HANG_UP,
    ]
    assert {(*keys(said), name) for said, name in first_said(CENTRE, "ask")} == {
        (*filler, name, HANG_UP)
        for filler in ((), ("one moment",))
        for name in ("done", "late", "wrong", "failed", "open")
    }


def test_nothing_is_surely_said_in_a_look_up_or_after_the_announcement_of_a_queue() -> None:
    by_word = {way.word: keys(way.said) for way in ways(CENTRE, CENTRE.steps["queue"])}

    assert set(by_word) == {"key", "agent_left", "no_answer", "nobody", "full", "transfer"}
    assert set(map(tuple, by_word.values())) == {("joining",)}
    assert not surely(CENTRE, {"ask": False}, lambda line: "one moment" in line, lambda _step, _way: False)["done"]


def test_whoever_talks_may_send_the_caller_on() -> None:
    reached = surely(CENTRE, {"queue": False}, lambda line: "joining" in line, lambda _step, _way: False)

    assert reached["colleague"], "the announcement of the queue was said before"


def test_what_takes_no_time_says_nothing_and_waits_for_nothing() -> None:
    for step in (PlayBack("p", WHERE, "x"), Keep("k", WHERE, "x"), Score("s", WHERE, "survey", 3, 5, "x"), call_back()):
        assert spoken(CENTRE, step) == spoken_at_once(CENTRE, step) == ()
        assert not waits(step)
    assert [way.word for way in ways(CENTRE, call_back())] == ["then", "undiallable"]
