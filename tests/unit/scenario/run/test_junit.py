"""The JUnit file, read back by a reader that is not ours and by the plain XML parser."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml
from made_results import a_finding, a_result, a_scenario, an_observation

from ivrflow.scenario.observation import Heard
from ivrflow.scenario.run.junit import junit_xml

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SCENARIO = a_scenario(
    "a silent caller", file="scenarios/gov12345/silence/silent.yaml", proves=("gov12345/silent_call",)
)


def the_case(xml: bytes) -> ET.Element:
    case = ET.fromstring(xml).find("testsuite/testcase")
    assert case is not None
    return case


def test_a_passed_scenario_is_a_test_case_with_its_place_and_time() -> None:
    case = the_case(junit_xml([a_result(SCENARIO, took=17.92)], began=BEGAN))
    assert case.attrib == {
        "classname": "pbx.scenarios.gov12345.silence",
        "name": "a silent caller",
        "file": "scenarios/gov12345/silence/silent.yaml",
        "line": "1",
        "time": "17.920",
    }
    assert case.find("failure") is None


def test_what_it_proves_stands_in_its_properties() -> None:
    case = the_case(junit_xml([a_result(SCENARIO, tries=2)], began=BEGAN))
    assert [(found.get("name"), found.get("value")) for found in case.iter("property")] == [
        ("rule", "gov12345/silent_call"),
        ("tries", "2"),
    ]


def test_a_failure_says_what_was_expected_and_observed_and_where_that_is_written() -> None:
    result = a_result(SCENARIO, findings=(a_finding(SCENARIO), a_finding(SCENARIO, at=None)))
    failure = the_case(junit_xml([result], began=BEGAN)).find("failure")
    assert failure is not None
    assert failure.get("type") == "pause"
    assert failure.get("message") == "expected a pause of 3 s; observed 4.10 s (and 1 more)"
    assert failure.text is not None
    assert f"{SCENARIO.file}:7:5: pause (second 6.20)\n    expected a pause of 3 s\n    observed 4.10 s" in failure.text


def test_what_is_only_worth_a_word_is_no_failure_but_can_be_read() -> None:
    case = the_case(junit_xml([a_result(SCENARIO, findings=(a_finding(SCENARIO, fails=False),))], began=BEGAN))
    assert case.find("failure") is None
    assert "note: pause (second 6.20)" in case.findtext("system-out", "")


def test_what_could_not_be_played_is_an_error() -> None:
    error = the_case(junit_xml([a_result(SCENARIO, trouble="refused: 503")], began=BEGAN)).find("error")
    assert error is not None
    assert error.get("message") == "refused: 503"
    assert error.text == f"{SCENARIO.where}: refused: 503"


def test_what_was_left_out_says_why() -> None:
    result = a_result(SCENARIO, trouble="only on the simulator: it takes an hour", skipped=True)
    skipped = the_case(junit_xml([result], began=BEGAN)).find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "only on the simulator: it takes an hour"


def test_the_output_is_what_the_caller_heard() -> None:
    heard = (
        Heard("phrase", "gov12345/greeting", 0.02, 3.75, completeness=0.98),
        Heard("music", "", 5.0, 9.0),
        Heard("tone", "440 Hz", 10.0, 11.0),
        Heard("phrase", "gov12345/bye", 12.0, 13.0, text="再见"),
    )
    result = a_result(SCENARIO, observation=an_observation(lasted=17.9, heard=heard))
    assert the_case(junit_xml([result], began=BEGAN)).findtext("system-out", "").splitlines() == [
        "   0.02    3.75  gov12345/greeting  98%",
        "   5.00    9.00  music",
        "  10.00   11.00  tone 440 Hz",
        "  12.00   13.00  gov12345/bye  100%  understood: 再见",
        "  17.90          ended by the other side",
    ]


def test_each_stage_is_a_suite_that_counts_its_own() -> None:
    results = [
        a_result(SCENARIO, stage="simulator", took=0.5),
        a_result(SCENARIO, stage="pbx", findings=(a_finding(SCENARIO),), took=10.0),
        a_result(a_scenario("b"), stage="pbx", trouble="refused", took=1.0),
        a_result(a_scenario("c"), stage="pbx", trouble="only there", skipped=True, took=0.0),
    ]
    suites = ET.fromstring(junit_xml(results, began=BEGAN))
    counted = ("name", "tests", "failures", "errors", "skipped", "time")
    assert [[suite.get(name) for name in counted] for suite in suites] == [
        ["simulator", "1", "0", "0", "0", "0.500"],
        ["pbx", "3", "1", "1", "1", "11.000"],
    ]
    assert [suites.get(name) for name in counted[1:]] == ["4", "1", "1", "1", "11.500"]
    assert suites[0].get("timestamp") == "2026-11-20T10:00:00+00:00"


def test_leaks_fail_a_case_of_their_own() -> None:
    suites = ET.fromstring(junit_xml([a_result(SCENARIO)], began=BEGAN, leaks=("2 channels are left",)))
    case = suites[0][-1]
    assert case.get("name") == "nothing is left behind"
    assert case.find("failure") is not None
    assert suites.get("failures") == "1"


def test_a_run_that_could_not_go_on_is_no_green_one() -> None:
    suites = ET.fromstring(junit_xml([], began=BEGAN, could_not="nothing answers SIP"))
    (case,) = suites.iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert (case.get("name"), failure.get("message")) == ("all scenarios can be played", "nothing answers SIP")
    assert suites.get("failures") == "1"


def test_repetitions_have_names_of_their_own() -> None:
    xml = ET.fromstring(junit_xml([a_result(SCENARIO)] * 3, began=BEGAN))
    assert [case.get("name") for case in xml.iter("testcase")] == [
        "a silent caller",
        "a silent caller (2)",
        "a silent caller (3)",
    ]


def test_no_character_breaks_the_file() -> None:
    scenario = a_scenario('<&"> \x00\x1b[31m 您好 \U0001f600 \ud800', file="a&b.yaml")
    case = the_case(junit_xml([a_result(scenario, trouble="\x07 ]]> &")], began=BEGAN))
    assert case.get("name") == '<&"> \ufffd\ufffd[31m 您好 \U0001f600 \ufffd'
    assert case.get("classname") == "pbx.scenarios"


def test_an_absolute_path_below_this_folder_is_told_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = the_case(junit_xml([a_result(a_scenario(file=str(tmp_path / "mine/one.yaml")))], began=BEGAN))
    assert case.get("classname") == "pbx.mine"


def test_a_reader_that_is_not_ours_counts_the_same(tmp_path: Path) -> None:
    results = [
        a_result(SCENARIO),
        a_result(a_scenario("b"), findings=(a_finding(SCENARIO),)),
        a_result(a_scenario("c"), trouble="refused"),
        a_result(a_scenario("d"), trouble="only there", skipped=True),
    ]
    (tmp_path / "junit.xml").write_bytes(junit_xml(results, began=BEGAN))
    read = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    (suite,) = read
    cases = list(suite)
    assert [case.name for case in cases] == ["a silent caller", "b", "c", "d"]
    assert [type(case.result[0]).__name__ if case.result else "" for case in cases] == [
        "",
        "Failure",
        "Error",
        "Skipped",
    ]
    suite.update_statistics()  # type: ignore[no-untyped-call] # it counts the cases itself; the package has no types for it
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 1, 1)
