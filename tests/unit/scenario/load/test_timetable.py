from dataclasses import replace

import pytest
from hotline_scenarios import GOV, caller, read
from made_timetables import table_of

from ivrflow.flow.problems import FlowError
from ivrflow.scenario.load.timetable import REACTION_S
from ivrflow.scenario.script import HangUp, Hold, Press, Resume, Say, Scenario
from ivrflow.softphone.audio_source import Noise


def refused(scenario: Scenario) -> list[str]:
    with pytest.raises(FlowError) as problem:
        table_of(scenario)
    return [f"{one.where.line}: {one.message}" for one in problem.value.problems]


def length(phrase: str) -> float:
    prompt = GOV.prompts.best(GOV.phrases[phrase], {})
    assert prompt is not None
    return prompt.seconds


GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
CHANGE_PHONE = "gov12345/silent_call.change_phone"


def test_a_silent_caller_has_nothing_to_do_and_is_hung_up_on_at_the_predicted_second() -> None:
    table = table_of(caller("hear: greeting_inbound.standard", flow=GOV))
    assert table.entries == ()
    assert table.ended_by == "peer"
    assert table.hears
    said = sum(map(length, (GREETING, CONNECTED, CHANGE_PHONE)))
    assert table.ends_at == pytest.approx(said + 2 * 3.0)
    assert table.ends_no_earlier_than == pytest.approx(table.ends_at - 2.0)


def test_what_follows_a_phrase_is_done_a_little_after_its_end() -> None:
    table = table_of(caller("hear: greeting_inbound.standard", 'press: "2"', "hang_up", flow=GOV))
    pressed, hung_up = table.entries
    assert isinstance(pressed.step, Press)
    assert pressed.step.keys == "2"
    assert length(GREETING) <= pressed.at <= length(GREETING) + 2 * REACTION_S
    assert isinstance(hung_up.step, HangUp)
    assert hung_up.at > pressed.at
    assert table.ended_by == "phone"


def test_what_hangs_on_the_answer_alone_is_done_to_the_second() -> None:
    table = table_of(caller("wait_until: 2s", "say: 1s", "wait: 500ms", "hang_up", flow=GOV))
    said, hung_up = table.entries
    assert (said.at, hung_up.at) == (2.0, 3.5)
    assert isinstance(said.step, Say)
    assert said.step.seconds == 1.0


def test_the_three_parts_of_one_line_are_told_apart() -> None:
    table = table_of(caller("wait: 1s", "hold: 2s", "hang_up", flow=GOV))
    held, resumed, hung_up = table.entries
    assert isinstance(held.step, Hold)
    assert isinstance(resumed.step, Resume)
    assert (held.at, resumed.at, hung_up.at) == (1.0, 3.0, 3.0)


def test_a_background_is_changed_when_the_script_says() -> None:
    (changed,) = table_of(caller("wait: 1s", "background: noise -40dB", flow=GOV)).entries
    assert changed.at == 1.0
    assert getattr(changed.step, "source", None) == Noise(-40.0)


@pytest.mark.parametrize("manner", ["ring: 2s", "busy", "rings_on"])
def test_a_scenario_with_an_agent_is_refused_at_the_agents_line(manner: str) -> None:
    scenario = read(f'caller:\n  - press: "0"\nagents:\n  "1001":\n    - {manner}\n', GOV)
    assert refused(scenario) == ["6: load plays callers only, and this scenario has an agent"]


def test_an_agent_who_is_not_there_is_none() -> None:
    scenario = read('caller:\n  - press: "0"\nagents:\n  "1001": [unreachable]\n', GOV)
    assert len(table_of(scenario).entries) == 1


def test_an_order_is_refused_at_its_line() -> None:
    assert refused(caller("wait: 1s", "situation: noise", flow=GOV)) == ["5: load gives ivrflow no orders"]


def test_a_scenario_for_the_simulator_alone_is_refused() -> None:
    scenario = replace(caller("wait: 1s", flow=GOV), stages=("simulator",))
    assert refused(scenario) == ["1: this scenario is for the simulator only"]


def test_a_caller_who_gets_stuck_on_the_simulator_is_refused_where() -> None:
    scenario = caller("hear: greeting_inbound.standard", "hear: house/menu.main", 'press: "1"', flow=GOV)
    (told,) = refused(scenario)
    assert told.startswith("5: this caller gets stuck here already on the simulator: ")
