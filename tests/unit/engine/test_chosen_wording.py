from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ivrflow.engine.messages import KeyPressed, SpeechEnded, SpeechStarted
from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.model import CallFlow
from ivrflow.simulator.simulation import Simulation

FLOW = """
flow: festive
title: Festive
standard: shop
phrase_files: []
numbers: ["100"]
timezone: Asia/Shanghai
start: welcome
wordings:
  greeting:
    - {days: [new_year, spring_festival], say: holiday.new_year}
    - {days: holidays, say: holiday.festival}
    - {days: weekends, say: [wish, hello]}
    - {from: "08:30", to: "12:00", say: day.morning}
    - {from: "22:00", to: "05:00", say: []}
    - {say: day.evening}
  farewell:
    - {days: holidays, say: bye.festival}
    - {say: bye.daily}
steps:
  welcome:
    ladder: silent
    greeting: when/greeting
    greeting_wait: 2s
    on: {speech: bye, key: {1: shut}}
    used_up: hang_up
  shut:
    say: [when/greeting, hello]
    then: hang_up
  bye:
    close: {ask: more, farewell: when/farewell, guard: 5s}
    on: {request: shut}
outcomes: {hangup: hang_up, continue: continue}
"""

STANDARD = """
id: shop
name: Shop
source: made up for these tests
phrases:
  hello: {text: 您好}
  wish: {text: 周末好}
  holiday.new_year: {text: 新年好}
  holiday.festival: {text: 节日好}
  day.morning: {text: 早上好}
  day.evening: {text: 晚上好}
  silent.anyone: {text: 请问有人吗}
  silent.bye: {text: 再见}
  more.ask: {text: 还有吗}
  bye.daily: {text: 再会}
  bye.festival: {text: 节日愉快}
rules:
  - {id: shop/hello, situation: greeting, trigger: t, ladder: [{say: hello}], then: continue}
  - {id: shop/festival, situation: greeting, trigger: t, ladder: [{say: holiday.festival}], then: continue}
  - {id: shop/new_year, situation: greeting, trigger: t, ladder: [{say: holiday.new_year}], then: continue}
  - {id: shop/day, situation: greeting, trigger: t, ladder: [{say: day.morning}], then: continue}
  - id: shop/silent
    situation: silent_call
    trigger: t
    ladder: [{say: silent.anyone, wait_s: [3, 3], leave_on: speech}, {say: silent.bye}]
    then: hangup
  - {id: shop/more, situation: more, trigger: t, ladder: [{say: more.ask, wait_s: [2, 2], leave_on: request}], then: continue}
  - {id: shop/bye, situation: bye, trigger: t, ladder: [{say: bye.daily}], then: hangup}
"""


@pytest.fixture(scope="module")
def flow() -> CallFlow:
    return compile_flow({"festive.yaml": FLOW, "standards/shop.yaml": STANDARD}, "festive.yaml")


def call(flow: CallFlow, at: str) -> Simulation:
    local = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return Simulation(flow, arrived_at=local.timestamp())


def said(simulation: Simulation) -> list[str]:
    return [line.phrase.partition("/")[2] for line in simulation.session.trace if line.fact is Fact.PHRASE_STARTED]


def kept(simulation: Simulation) -> set[str]:
    verdicts = simulation.session.verdicts
    assert not [verdict for verdict in verdicts if verdict.judgement is Judgement.BROKEN]
    return {verdict.rule for verdict in verdicts if verdict.judgement is Judgement.KEPT}


@pytest.mark.parametrize(
    ("at", "greeting", "rules"),
    [
        ("2026-02-17T10:00", ["holiday.new_year"], {"shop/new_year"}),
        ("2026-10-03T10:00", ["holiday.festival"], {"shop/festival"}),
        ("2026-10-17T10:00", ["wish", "hello"], {"shop/hello"}),
        ("2026-10-10T10:00", ["day.morning"], {"shop/day"}),  # a Saturday that is worked
        ("2026-11-20T08:30", ["day.morning"], {"shop/day"}),
        ("2026-11-20T12:00", ["day.evening"], {"shop/day"}),
        ("2026-11-20T23:00", [], set()),
        ("2026-11-21T03:00", ["wish", "hello"], {"shop/hello"}),  # Saturday begins at midnight
        ("2027-10-01T10:00", ["day.morning"], {"shop/day"}),  # nobody knows its holidays: a Friday
    ],
)
def test_a_silent_caller_is_greeted_by_the_calendar(
    flow: CallFlow, at: str, greeting: list[str], rules: set[str]
) -> None:
    silent = call(flow, at)
    silent.run_out()

    assert said(silent) == [*greeting, "silent.anyone", "silent.bye"]
    assert kept(silent) == {*rules, "shop/silent"}
    assert silent.session.outcome == "hung_up"


def test_the_greeting_has_its_own_wait_and_the_ladder_begins_after_it(flow: CallFlow) -> None:
    silent = call(flow, "2026-10-17T10:00")
    silent.run_out()

    trace = silent.session.trace
    waits = [line.seconds for line in trace if line.fact is Fact.WAIT_BEGUN]
    assert waits == [2.0, 3.0]
    begun = [index for index, line in enumerate(trace) if line.fact is Fact.LADDER_BEGUN]
    assert [(trace[index].rule, trace[index].detail) for index in begun] == [("shop/silent", "silent")]
    assert trace[begun[0] + 1].phrase == "shop/silent.anyone"


def test_speech_after_the_greeting_leaves_before_the_ladder_begins(flow: CallFlow) -> None:
    simulation = call(flow, "2026-10-03T10:00")
    simulation.advance(2.0)
    simulation.feed(SpeechStarted())
    simulation.feed(SpeechEnded())
    simulation.run_out()

    assert said(simulation) == ["holiday.festival", "more.ask", "bye.festival"]
    assert kept(simulation) == {"shop/festival", "shop/more", "shop/bye"}


def test_the_trace_says_why_and_where(flow: CallFlow) -> None:
    def first(at: str) -> tuple[str, str, str]:
        line = next(line for line in call(flow, at).session.trace if line.fact is Fact.PHRASE_STARTED)
        return line.phrase, line.detail, line.where

    assert first("2026-02-17T10:00") == (
        "shop/holiday.new_year",
        "when/greeting: new_year,spring_festival",
        "festive.yaml:11:7",
    )
    assert first("2026-11-20T09:00") == ("shop/day.morning", "when/greeting: 08:30-12:00", "festive.yaml:14:7")
    assert first("2026-11-20T19:00") == ("shop/day.evening", "when/greeting: no other line holds", "festive.yaml:16:7")


def test_a_wording_in_a_list_is_chosen_when_its_turn_comes(flow: CallFlow) -> None:
    """A minute before midnight it is still Friday evening; what is said then is chosen then."""
    simulation = call(flow, "2026-11-20T23:59:59")
    simulation.advance(1.5)
    simulation.feed(KeyPressed(key="1"))
    simulation.run_out()

    assert said(simulation) == ["wish", "hello", "hello"]
