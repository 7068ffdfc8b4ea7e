"""What a run says on stdout: words for people, one object for programs, keys only when asked for."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from made_results import a_finding, a_result, a_scenario, an_observation

from ivrflow.engine.trace import Judgement, Verdict
from ivrflow.scenario.observation import Act, ClockPair, EngineSide, Heard, PhoneSide, Result
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.run.run_output import as_json, counted, in_words

SUMMARY = RunSummary(
    began=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
    took=93.21,
    stages=("simulator", "pbx"),
    called="127.0.0.1:15060",
    version="0.1.0",
)
SCENARIO = a_scenario("a silent caller", file="scenarios/silent.yaml")


def words(*results: Result, summary: RunSummary = SUMMARY, stopped: bool = False) -> list[str]:
    return list(in_words(results, summary, stopped=stopped))


def test_when_all_is_well_there_is_one_line() -> None:
    assert words(a_result(SCENARIO, stage="simulator"), a_result(SCENARIO)) == [
        "1 passed on the simulator; 1 passed on the PBX; 93.2 s"
    ]


def test_what_failed_is_told_with_its_place_what_was_expected_and_observed() -> None:
    told = words(a_result(SCENARIO, findings=(a_finding(SCENARIO),)))
    assert told[0] == "FAILED  a silent caller (on the PBX)"
    assert told[1].startswith("    scenarios/silent.yaml:7")
    assert "expected  a pause of 3 s" in told[2]
    assert "observed  4.10 s" in told[3]
    assert told[-1] == "1 failed on the PBX; 93.2 s"


def test_what_is_only_worth_a_word_is_told_of_one_that_passed() -> None:
    told = words(a_result(SCENARIO, findings=(a_finding(SCENARIO, fails=False),)))
    assert told[0] == "passed  a silent caller (on the PBX)"
    assert told[-1] == "1 passed on the PBX; 93.2 s"


def test_several_tries_are_told_with_their_reason() -> None:
    assert words(a_result(SCENARIO, trouble="no answer", tries=3))[0] == (
        "FAILED  a silent caller (on the PBX, played 3 times: this machine stood still)"
    )


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    left_out = a_result(SCENARIO, trouble="only on the simulator: it takes an hour", skipped=True)
    assert words(left_out, left_out, a_result(SCENARIO)) == [
        "not run: 2 × only on the simulator: it takes an hour",
        "1 passed, 2 not run on the PBX; 93.2 s",
    ]


def test_leaks_and_a_stop_are_told() -> None:
    summary = replace(SUMMARY, left_behind=("2 channels are left on the PBX",))
    assert words(a_result(SCENARIO), summary=summary, stopped=True) == [
        "FAILED  left behind: 2 channels are left on the PBX",
        "1 passed on the PBX; 93.2 s; stopped before the end",
    ]


def test_nothing_played_is_said() -> None:
    assert counted([], SUMMARY) == "nothing was played; 93.2 s"


# ── for programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def a_full_result() -> Result:
    verdict = Verdict("gov12345/silent_call", Judgement.KEPT, "wait 3 s", "3.00 s")
    engine = EngineSide("1795.1", 0.02, (), (verdict,), "hung_up", "ivrflow")
    caller = PhoneSide(
        "caller",
        answered_at=0.0,
        ended_at=17.9,
        ended_by="peer",
        heard=(Heard("phrase", "gov12345/greeting", 0.0201, 3.75, completeness=0.98123),),
        acts=(Act("pressed keys", 4.0, 4.1, SCENARIO.where, keys="86420"),),
    )
    observation = replace(
        an_observation(), caller=caller, engine=engine, agents={"1001": PhoneSide("1001")}, stalls=((3.0, 0.2),)
    )
    pair = ClockPair("gov12345/silent_call", 1, "3 s", 3.0, 3.0, engine=3.0, wire=3.08, at=3.84)
    return replace(
        a_result(SCENARIO, findings=(a_finding(SCENARIO),), observation=observation), clocks=(pair,), tries=2
    )


def test_programs_get_everything_in_one_object() -> None:
    data = json.loads(as_json([a_full_result()], SUMMARY))
    assert (data["passed"], data["failed"], data["not_run"], data["called"]) == (0, 1, 0, "127.0.0.1:15060")
    (one,) = data["results"]
    assert (one["file"], one["title"], one["stage"], one["result"], one["tries"]) == (
        "scenarios/silent.yaml",
        "a silent caller",
        "pbx",
        "failed",
        2,
    )
    assert one["findings"] == [
        {
            "kind": "pause",
            "file": "scenarios/silent.yaml",
            "line": 7,
            "column": 5,
            "expected": "a pause of 3 s",
            "observed": "4.10 s",
            "at": 6.2,
            "fails": True,
        }
    ]
    assert one["waits"] == [
        {
            "rule": "gov12345/silent_call",
            "rung": 1,
            "allowed": [3.0, 3.0],
            "wire": 3.08,
            "engine": 3.0,
            "apart": 0.08,
        }
    ]
    assert one["caller"]["heard"][0]["start"] == 0.02
    assert one["engine"] == {
        "call": "1795.1",
        "outcome": "hung_up",
        "hung_up_first": "ivrflow",
        "verdicts": {"gov12345/silent_call": "kept"},
    }
    assert list(one["agents"]) == ["1001"]
    assert one["stood_still"] == [[3.0, 0.2]]


def test_keys_are_told_only_when_asked_for() -> None:
    masked = as_json([a_full_result()], SUMMARY)
    shown = as_json([a_full_result()], SUMMARY, show_personal=True)
    assert b"86420" not in masked
    assert json.loads(shown)["results"][0]["caller"]["did"][0]["keys"] == "86420"


def test_what_was_not_played_has_no_sides() -> None:
    data = json.loads(as_json([a_result(SCENARIO, trouble="refused: 503")], SUMMARY, stopped=True))
    (one,) = data["results"]
    assert (one["trouble"], one["caller"], one["agents"], one["engine"]) == ("refused: 503", None, None, None)
    assert data["stopped"] is True
