"""Which phrases a scenario may hear with its own values in them."""

import dataclasses
from types import SimpleNamespace
from typing import cast

from ivrflow.flow.model import Collect, Ladder, Listening, Phrase, Prompt, PromptCatalogue, Queue, QueueLevel
from ivrflow.flow.problems import Location
from ivrflow.flow.speaking.composing import piece_key, segment_key
from ivrflow.scenario.script import Order, Press, Scenario, Wait
from ivrflow.scenario.values_said import said_with_values

HERE = Location("s.yaml", 1, 1)
HELLO = Phrase("s/hello", "{surname}，您好", HERE, ("surname",), "您好", "", {"surname": "name"})
NUMBER = Phrase("s/number", "我是{agent_id}号", HERE, ("agent_id",), "您好", "", {"agent_id": "digits"})
RECORDED = {
    ("s/hello", ()): Prompt("s/hello-without", "您好", 1.0),
    segment_key("s", "…，您好"): Prompt("s/segment-1", "…，您好", 0.8),
    segment_key("s", "我是…"): Prompt("s/segment-2", "我是…", 0.5),
    segment_key("s", "…号"): Prompt("s/segment-3", "…号", 0.3),
    segment_key("s", "第…"): Prompt("s/segment-4", "第…", 0.3),
    segment_key("s", "…位"): Prompt("s/segment-5", "…位", 0.3),
    **{piece_key(words): Prompt(f"pieces/{words}", f"…{words}…", 0.4) for words in ("王", "李", "七", "幺零", "一")},
}


PLACE = Phrase("s/place", "第{queue_position}位", HERE, ("queue_position",), "您好", "", {"queue_position": "number"})
ASKED = Collect("ask", HERE, "agent_id", "s/ask", 1, 4, "#", 6.0, 4.0, frozenset(), "", 1, "done", "done", "done")


def scenario(
    *caller: Order | Press | Wait, agent: tuple[Order, ...] = (), asks: tuple[Collect | Queue, ...] = ()
) -> Scenario:
    flow = SimpleNamespace(
        phrases={"s/hello": HELLO, "s/number": NUMBER},
        prompts=PromptCatalogue(RECORDED),
        steps={step.name: step for step in asks},
    )
    return cast("Scenario", SimpleNamespace(flow=flow, caller=caller, agents=(SimpleNamespace(steps=agent),)))


def value(name: str, text: str) -> Order:
    return Order("value", HERE, name, text)


def test_every_value_given_in_the_script_by_whomever() -> None:
    said = list(
        said_with_values(
            scenario(value("surname", "王"), Wait(1.0, HERE), value("surname", "李"), agent=(value("agent_id", "7"),))
        )
    )
    assert [(one.phrase, one.spoken) for one in said] == [
        ("s/hello", "王，您好"),
        ("s/hello", "李，您好"),
        ("s/number", "我是七号"),
    ]
    assert said[0].prompt.parts == ("pieces/王", "s/segment-1")


def test_the_caller_is_the_first_in_a_queue() -> None:
    line = Queue(
        name="line",
        where=HERE,
        levels=(QueueLevel(HERE, "agents"),),
        priority=0,
        announce=(),
        ladder=Ladder("line", (), "", HERE),
        listening=Listening(),
        most=60.0,
        thanks=(),
        thanks_over=0.0,
        talk_for=60.0,
        agent_left="end",
        no_answer="end",
        nobody="end",
        full="end",
    )
    waiting = scenario(asks=(line,))
    waiting.flow.phrases["s/place"] = PLACE  # type: ignore[index]  # a dictionary here
    assert [(one.phrase, one.spoken) for one in said_with_values(waiting)] == [("s/place", "第一位")]


def test_what_is_spoken_without_its_value_is_heard_as_ever() -> None:
    assert list(said_with_values(scenario(value("surname", "佘"), value("agent_id", "A1")))) == []
    assert list(said_with_values(scenario(dataclasses.replace(value("surname", "王"), what="situation")))) == []


def test_digits_keyed_in_may_be_read_back() -> None:
    keyed = Press("7#", HERE)
    assert [one.spoken for one in said_with_values(scenario(keyed, asks=(ASKED,)))] == ["我是七号"]
    assert list(said_with_values(scenario(keyed))) == [], "nothing is collected on this flow"
    assert list(said_with_values(scenario(Press("10777#", HERE), asks=(ASKED,)))) == [], "more digits than it takes"
