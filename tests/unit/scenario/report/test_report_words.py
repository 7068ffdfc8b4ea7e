from dataclasses import replace
from typing import get_args

import sample_results as made

from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import Finding, FindingKind
from ivrflow.scenario.report.words import HEADINGS, by_weight, first_words, in_one_sentence, tell


def test_a_finding_is_told_with_the_scenarios_own_line() -> None:
    assert tell(made.failed())[:3] == [
        "scenarios/gov/silent_call.yaml:8: - pause: as the rule says",
        "    expected  3 s, give or take 0.25 s",
        "    observed  5.21 s, at 3.82 s",
    ]


def test_what_fails_comes_first_and_in_order_of_time() -> None:
    told = [line for line in tell(made.failed()) if not line.startswith(" ")]
    assert [line.split(":")[1] for line in told] == ["8", "9", "11", "15", "8"]
    assert told[-1] == "scenarios/gov/silent_call.yaml:8: worth a word: - pause: as the rule says"


def test_nothing_is_told_of_what_passed() -> None:
    assert tell(made.passed()) == []


def test_why_something_was_not_played() -> None:
    assert tell(made.not_played()) == [
        "scenarios/gov/unreachable.yaml:3: nothing answers at 127.0.0.1:5060 (SIP over UDP); is the PBX running?"
    ]
    assert tell(made.not_run()) == ["scenarios/gov/no_rtp.yaml:3: only on the pbx: there is no RTP in the simulator"]


def test_a_place_is_named_once() -> None:
    result = replace(made.not_played(), trouble="scenarios/gov/unreachable.yaml:9:5: nobody knows the music")
    assert tell(result) == ["scenarios/gov/unreachable.yaml:9:5: nobody knows the music"]


def test_a_finding_in_another_file_or_beyond_the_end_is_told_by_its_kind() -> None:
    for where in (Location("standard.yaml", 2, 1), Location(made.FILE, 999, 1)):
        result = replace(made.passed(), findings=(Finding("verdict", where, "kept", "broken"),))
        assert tell(result)[0] == f"{where.file}:{where.line}: a verdict"


def test_one_sentence() -> None:
    assert in_one_sentence(made.passed()) == (
        "Everything was as the scenario says: 3 phrases heard, 2 documented waits, ivrflow hung up first, over after 17.9 s."
    )
    assert in_one_sentence(made.failed()) == (
        "A pause out of bounds: expected 3 s, give or take 0.25 s; observed 5.21 s. And 3 more findings."
    )
    assert in_one_sentence(made.not_run()).startswith("Not run: only on the pbx")
    assert in_one_sentence(made.not_played()).startswith("It could not be played: nothing answers")


def test_remarks_do_not_fail_but_are_mentioned() -> None:
    remark = Finding("clocks", made.where(8), "within 60 ms", "87 ms apart", fails=False)
    result = replace(made.passed(), findings=(remark,))
    assert result.word == "passed"
    assert in_one_sentence(result).endswith("; 1 remark.")
    assert first_words(result) == "the two clocks differ: 87 ms apart; expected within 60 ms"
    assert first_words(made.passed()) == ""


def test_weight() -> None:
    def finding(line: int, at: float | None, *, fails: bool = True) -> Finding:
        return Finding("pause", made.where(line), "", "", at, fails)

    remark, late, early, never = finding(1, 0.0, fails=False), finding(2, 9.0), finding(3, 1.0), finding(4, None)
    assert by_weight([remark, never, late, early]) == [early, late, never, remark]
    cause = replace(never, kind="trouble")
    assert by_weight([remark, never, late, cause]) == [cause, late, never, remark]


def test_a_comment_behind_a_step_is_not_told() -> None:
    noted = replace(
        made.failed().scenario,
        text='scenario: t\n  - pause: 3s     # or 2.5s-4s\n  - press: "86420#"\n',
    )
    found = tuple(Finding("pause", replace(made.where(line)), "", "") for line in (2, 3))
    told = tell(replace(made.failed(), scenario=noted, findings=found))
    assert [line.split(": ", 1)[1] for line in told if not line.startswith(" ")] == [
        "- pause: 3s",
        '- press: "86420#"',
    ]


def test_every_kind_of_finding_has_a_heading() -> None:
    assert set(HEADINGS) == set(get_args(FindingKind))
