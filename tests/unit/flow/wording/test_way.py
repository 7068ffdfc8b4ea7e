"""What is said on the way through a flow."""

from tiny_hotline import compiled

from ivrflow.flow.wording.way import all_hold, first_said, lines, spoken, spoken_at_once, surely, waits, ways

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
