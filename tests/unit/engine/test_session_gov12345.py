"""The 12345 hotline as its files describe it: every documented situation, played through the flow that ships."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from driven_call import DrivenCall, call

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows

CALLFLOWS = Path(__file__).parents[3] / "callflows"
HOTLINE = load_flows([CALLFLOWS])["gov12345"]
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
NIGHT = datetime(2026, 3, 3, 23, 0, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
SITUATIONS = sorted(HOTLINE.situations)


def calling(flow: CallFlow = HOTLINE, at: float = NOON) -> DrivenCall:
    return call(flow, arrived_at=at)


def broken(judged: DrivenCall) -> list[str]:
    return [
        f"{verdict.rule}: {verdict.observed}"
        for verdict in judged.session.verdicts
        if verdict.judgement is Judgement.BROKEN
    ]


@pytest.mark.parametrize("at", [NOON, NIGHT], ids=["noon", "night"])
def test_a_silent_caller_is_treated_as_documented_at_every_hour(at: float) -> None:
    silent = calling(at=at).silence(120)
    assert silent.session.outcome
    assert silent.session.first_to_hang_up == "ivrflow"
    assert silent.verdict("gov12345/silent_call").judgement is Judgement.KEPT
    assert [wait.observed for wait in silent.verdict("gov12345/silent_call").waits] == [3.0, 3.0]
    assert silent.verdict("gov12345/greeting_inbound").judgement is Judgement.KEPT
    assert broken(silent) == []


def test_at_night_who_speaks_gets_the_duty_extension() -> None:
    night = calling(at=NIGHT).happens(m.SpeechStarted(), 1.0).happens(m.SpeechEnded(), 1.0).silence(20)
    assert (night.session.phase, night.session.step) == ("ringing", "duty")


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_runs_to_its_end_and_is_kept(name: str) -> None:
    """The agent does every task within a second, the caller says nothing."""
    asked = calling().situation(name, 0.5)
    assert asked.session.step == f"situation {name}"
    for _ in range(40):
        if asked.session.step != f"situation {name}":
            break
        if asked.session.waiting_for.startswith("task"):
            asked.happens(m.TaskDone(ticket=asked.ticket(m.Instruct)), after=1.0)
        elif asked.playing:
            asked.prompt_ends()
        else:
            asked.time_passes()
    assert Fact.SITUATION_OVER in asked.facts
    assert asked.verdict(f"gov12345/{name}").judgement is Judgement.KEPT
    asked.silence(HOTLINE.limits.call_length)
    assert asked.session.is_over
    assert broken(asked) == []


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_can_be_left_by_each_word_it_names(name: str) -> None:
    words = {rung.leave_on for rung in HOTLINE.situations[name].rungs if rung.leave_on and rung.say}
    for word in words - {"caller_hangup", "speech"}:
        asked = calling().situation(name, 0.5)
        while asked.session.step == f"situation {name}":
            rungs = {rung.say: rung.leave_on for rung in HOTLINE.situations[name].rungs}
            if asked.playing and rungs.get(asked.playing.phrase) == word:
                asked.signal(word, 0.1)
                break
            if asked.session.waiting_for.startswith("task"):
                asked.happens(m.TaskDone(ticket=asked.ticket(m.Instruct)), after=1.0)
            elif asked.playing:
                asked.prompt_ends()
            else:
                asked.time_passes()
        assert asked.session.step != f"situation {name}"
        assert asked.verdict(f"gov12345/{name}").observed.endswith(f"left on {word.replace('_', ' ')}")
        assert broken(asked) == []


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_caller_can_hang_up_during_every_situation(name: str) -> None:
    gone = calling().situation(name, 0.5).hangs_up(0.5)
    assert gone.session.is_over
    assert broken(gone) == []


@pytest.mark.parametrize("step", sorted(HOTLINE.steps))
def test_from_every_step_a_silent_caller_reaches_an_end_without_breaking_a_rule(step: str) -> None:
    silent = calling(replace(HOTLINE, start=step)).silence(HOTLINE.limits.call_length)
    assert silent.session.is_over
    assert silent.session.outcome != "handed_to_fallback"
    assert broken(silent) == []


def test_a_caller_served_by_an_agent_says_goodbye_and_hangs_up_first() -> None:
    served = calling().key("0", 1.0)
    served.prompt_ends()
    served.happens(m.AgentAnswered(ticket=served.ticket(m.Ring)), after=4.0)
    served.happens(m.AgentLeft(ticket=served.ticket(m.Bridge)), after=60.0)
    served.silence(9.0 + 3.0).hangs_up(0.5)
    assert served.verdict("gov12345/anything_else").judgement is Judgement.KEPT
    assert served.verdict("gov12345/closing").judgement is Judgement.KEPT
    assert broken(served) == []
