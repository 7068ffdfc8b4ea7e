from dataclasses import replace

import sample_results as made

from ivrflow.scenario.observation import Result, SipLine
from ivrflow.scenario.report.scenario_page import ScenarioPage, scenario_page


def page(result: Result) -> ScenarioPage:
    return scenario_page(result, [], show_personal=False)


def test_findings_and_remarks_are_numbered_through() -> None:
    shown = page(made.failed())
    assert [one.number for one in shown.findings] == [1, 2, 3, 4]
    assert [one.number for one in shown.remarks] == [5]
    assert [one.anchor for one in shown.findings] == ["L8", "L9", "L11", "L15"]
    assert [pin.label for pin in shown.pictures[0].pins] == ["1", "2", "3", "5"]  # the fourth has no second


def test_the_facts_of_a_call() -> None:
    facts = dict(page(made.failed()).facts)
    assert facts["called"] == "12345 (12345 政府服务热线)"
    assert facts["local time of the call"] == "Friday 2026-11-20 10:00"
    assert facts["its end"] == "ivrflow hung up first"
    assert facts["played"] == "2 times, because the machine stood still during a try before"
    assert facts["the machine stood still"] == "0.2 s"


def test_nothing_is_missing_on_the_page_of_a_whole_call() -> None:
    shown = page(made.passed())
    assert (shown.no_clocks, shown.no_wire, shown.no_engine, shown.no_sip) == ("", "", "", "")
    assert shown.no_audio.endswith("With --keep-audio it is.")


def test_who_hung_up_is_known_from_the_phone_when_there_is_no_engine() -> None:
    leaves = made.caller_leaves()
    assert leaves.observation is not None
    assert page(leaves).pictures[0].ended_words == "the caller hung up first"
    alone = replace(leaves, observation=replace(leaves.observation, engine=None))
    assert page(alone).pictures[0].ended_words == "the caller hung up first"
    peer = replace(leaves.observation, engine=None, caller=replace(leaves.observation.caller, ended_by="peer"))
    assert page(replace(leaves, observation=peer)).pictures[0].ended_words == "call over"


def test_a_scenario_that_was_not_played_has_its_lines_and_no_picture() -> None:
    for result in (made.not_played(), made.not_run()):
        shown = page(result)
        assert shown.pictures == ()
        assert len(shown.listing) == 16
        assert shown.ladders == ()


def test_the_numbers_of_the_scenario_itself_stay_readable() -> None:
    result = made.with_agents()
    assert result.observation is not None
    invite = SipLine(0.0, "in", "", "INVITE sip:1001@h SIP/2.0\r\nFrom: <sip:1002@h>\r\nTo: <sip:1003@h>\r\n\r\n")
    ringing = replace(result.observation.caller, sip=(invite,))
    [text] = [
        rung.text
        for ladder in page(replace(result, observation=replace(result.observation, caller=ringing))).ladders[:1]
        for rung in ladder.rungs
    ]
    assert "sip:1001@h" in text
    assert "sip:1002@h" in text
    assert "1003" not in text


def test_troubles_and_leaks_stand_at_the_top() -> None:
    assert page(made.nothing_heard()).troubles == (
        "caller: no RTP came from 127.0.0.1 within 34 s",
        "1 channel was left behind: PJSIP/caller-00000007",
    )


def test_the_rules_to_prove_come_with_their_situation() -> None:
    assert page(made.passed()).proves == (("gov/silent_call", "when silent call is what it is about"),)
    unknown = replace(made.passed(), scenario=replace(made.passed().scenario, proves=("other/rule",)))
    assert page(unknown).proves == (("other/rule", ""),)
