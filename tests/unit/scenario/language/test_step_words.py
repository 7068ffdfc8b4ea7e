from typing import Any

import pytest

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.forms import Form
from ivrflow.flow.reading.source import Node, parse
from ivrflow.scenario.language import agent_words
from ivrflow.scenario.language import step_words as w


def node(text: str) -> Node:
    problems = ProblemList()
    found = parse(text, "x.yaml", problems)
    assert found is not None
    return found


def script(text: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """The words of a script with their values, and the hints of what is wrong with it."""
    problems = ProblemList()
    items = w.SCRIPT.read(node(text), problems)
    return [(item.word.name, item.value) for item in items or ()], [problem.hint for problem in problems.problems]


def test_a_step_is_a_word_or_a_word_with_a_value() -> None:
    items, hints = script("[hang_up, hold, hold: 3s, hear_music, wait: 1s]")

    assert [(word, value.values if isinstance(value, Form) else value) for word, value in items] == [
        ("hang_up", None),
        ("hold", None),
        ("hold", {"for": 3.0}),
        ("hear_music", None),
        ("wait", 1.0),
    ]
    assert hints == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("listen", "hear"),
        ("Recieve", "hear"),
        ("playback", "say"),
        ("sleep", "wait"),
        ("DTMF", "press"),
        ("hangup", "hang_up"),
        ("hang up", "hang_up"),
        ("hear-music", "hear_music"),
        ("wait_untill", "wait_until"),
        ("unhold", "resume"),
    ],
)
def test_what_people_write_who_come_from_elsewhere(written: str, meant: str) -> None:
    assert script(f"[{written}: x]") == ([], [f"did you mean '{meant}'?"])


def test_a_colon_without_its_blank() -> None:
    assert script("[hear:hello]") == ([], ["write '- hear: hello', with a blank after the colon"])


def test_one_bad_step_does_not_hide_the_others() -> None:
    items, hints = script("[wait: 3, hang_up, press: x, done]")

    assert [name for name, _ in items] == ["hang_up", "done"]
    assert len(hints) == 2


def test_a_script_is_bounded() -> None:
    items, hints = script("\n".join(["- done"] * (w.MOST_STEPS + 5)))

    assert len(items) == w.MOST_STEPS
    assert hints == ["split the scenario"]


def test_long_and_short_forms_are_the_same() -> None:
    (short, long), _ = script("[hear: hello, hear: {phrase: hello}]")

    assert short[1][w.HEARD].text == long[1][w.HEARD].text == "hello"
    assert short[1][w.AT_LEAST] == long[1][w.AT_LEAST] == 0.7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2s", (2.0, "", "")),
        ("500ms", (0.5, "", "")),
        ("house/menu.main", (None, "house/menu.main", "")),
        ("1_2.x", (None, "", "")),
        ("hello.wav", (None, "", "hello.wav")),
        ("sub folder/你好.Flac", (None, "", "sub folder/你好.Flac")),
    ],
)
def test_what_is_said(text: str, said: tuple[float | None, str, str]) -> None:
    items, _ = script(f"[say: {text}]")

    if not items:
        assert said == (None, "", "")
        return
    spoken = items[0][1]
    assert (spoken.seconds, spoken.phrase.text, spoken.file) == said


def test_agents_keep_their_places_and_their_order() -> None:
    problems = ProblemList()
    agents = agent_words.AGENTS.read(node('{"1001": [ring: 2s, hang_up], "1000": busy}'), problems)

    assert agents is not None
    assert [(agent.extension.text, agent.manner.word.name, len(agent.steps)) for agent in agents] == [
        ("1001", "ring", 1),
        ("1000", "busy", 0),
    ]
    assert [agent.where.column for agent in agents] == [2, 31]
