from dataclasses import replace

import pytest
import sample_results as made

from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import Location
from ivrflow.scenario.observation import ClockPair, Heard, PhoneSide
from ivrflow.scenario.report import tables
from ivrflow.scenario.report.privacy import Privacy


def test_what_was_heard_with_the_silence_before_it() -> None:
    observation = made.passed().observation
    assert observation is not None
    rows = tables.heard_rows(observation.caller, observation.engine, made.scenario(), lambda key: made.TEXTS[key][0])
    assert rows[0].text == "您好，政府热线，请问有什么可以帮到您？"
    assert [row.silence for row in rows] == pytest.approx([0.02, 3.0, 3.0])
    assert [row.rules for row in rows] == [("gov/silent_call",)] * 3


def test_without_the_engine_the_standard_says_which_rule_a_phrase_is_for() -> None:
    side = PhoneSide("caller", answered_at=0.0, heard=(Heard("phrase", "gov/silent_call.connected", 1, 2),))
    [row] = tables.heard_rows(side, None, made.scenario(), lambda _: "")
    assert row.rules == ("gov/silent_call",)
    assert row.text == "gov/silent_call.connected"


def test_sounds_that_overlap_have_no_silence_between_them() -> None:
    side = PhoneSide(
        "caller", heard=(Heard("music", "", 1, 9), Heard("unknown", "", 4, 5), Heard("tone", "440 Hz", 8, 10))
    )
    rows = tables.heard_rows(side, None, made.scenario(), lambda _: "")
    assert [(row.text, row.silence) for row in rows] == [
        ("hold music", 1),
        ("an unknown sound", 0),
        ("a tone 440 Hz", 0),
    ]


def test_both_clocks() -> None:
    early = ClockPair("gov/r", 9, "3 s", 3.0, 3.0, 3.0, 2.9, 0.0)
    assert tables.clock_rows([early], 0.25)[0].is_apart
    far, near, unseen = (
        ClockPair("gov/r", rung, "3 s", 3.0, 3.0, 3.0, wire, 10.0 - rung)
        for rung, wire in enumerate((3.061, 2.95, None), 1)
    )
    rows = tables.clock_rows([far, near, unseen], 0.25)
    assert [row.clock for row in rows] == [unseen, near, far]
    assert [row.is_apart for row in rows] == [False, False, True]
    assert [row.wire_fit for row in rows] == [None, "within", "within"]
    assert tables.clock_rows([far], 0.05)[0].wire_fit == "too long"


def test_broken_verdicts_are_apart_from_kept_ones() -> None:
    engine = made.engine_side(made.silent_call())
    judged = tables.verdicts(engine)
    assert [one.rule for one in judged.kept] == ["gov/silent_call"]
    assert judged.broken == ()
    assert {one.judgement for one in judged.not_applicable} == {Judgement.NOT_APPLICABLE}
    assert len(judged.not_applicable) == len(engine.verdicts) - 1


def test_the_trace_counts_from_the_answer_and_covers_keys() -> None:
    observation = made.with_agents().observation
    assert observation is not None
    assert observation.engine is not None
    engine = replace(observation.engine, answered_at=1.0)
    rows = tables.trace_rows(engine, lambda _: "", Privacy())
    assert rows[0].at == -1.0
    keys = [row.words for row in rows if row.words.startswith("key ")]
    assert keys == ["key •"] * 7
    shown = [row.words for row in tables.trace_rows(engine, lambda _: "", Privacy(show=True))]
    assert "key 8" in shown


def test_lines_with_findings_are_marked() -> None:
    marks = [(1, made.where(8), True), (2, made.where(8), False), (3, Location("other.yaml", 9, 1), True)]
    lines = tables.listing(made.scenario(), marks)
    assert lines[7].findings == ((1, True), (2, False))
    assert lines[7].fails
    assert not lines[8].findings
    assert [line.number for line in lines] == list(range(1, 17))


def test_a_line_is_quoted_with_its_neighbours() -> None:
    quoted = list(tables.quoted(made.scenario(), made.where(8)))
    assert [(line.number, is_it) for line, is_it in quoted] == [(7, False), (8, True), (9, False)]
    assert [line.number for line, _ in tables.quoted(made.scenario(), made.where(1))] == [1, 2]
    assert list(tables.quoted(made.scenario(), made.where(99))) == []
    assert list(tables.quoted(made.scenario(), Location("other.yaml", 8, 1))) == []
