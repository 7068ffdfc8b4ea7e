from dataclasses import replace

import pytest
from load_shown import BEGAN_AT, SILENT, a_sample, a_side, an_ending, shown
from made_results import a_result, a_scenario

from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import Location
from ivrflow.scenario.load.load_figures import process_figures, spread, waits_of
from ivrflow.scenario.load.load_records import ProcessSample
from ivrflow.scenario.load.packets import PacketFigures
from ivrflow.scenario.observation import ClockPair
from ivrflow.scenario.script import Expectations, ExpectedVerdict


def test_a_spread_is_made_of_values_that_were_there() -> None:
    values = [float(number) for number in range(1, 101)]
    told = spread(reversed(values))
    assert told is not None
    assert (told.count, told.least, told.p50, told.p95, told.p99, told.most) == (100, 1, 50, 95, 99, 100)


def test_the_rarest_of_few_values_is_the_greatest() -> None:
    told = spread([2.0, 1.0, 9.0])
    assert told is not None
    assert (told.p50, told.p95, told.p99, told.most) == (2.0, 9.0, 9.0, 9.0)


def test_of_nothing_there_is_no_spread() -> None:
    assert spread([]) is None


def test_waits_are_off_by_what_the_rule_does_not_allow() -> None:
    exact, late, early = (waits_of([an_ending(seconds)], BEGAN_AT)[0].off for seconds in (3.0, 3.25, 2.75))
    assert (exact, late, early) == (0.0, 0.25, -0.25)
    inside, beyond = (waits_of([an_ending(s, band=(10.0, 30.0))], BEGAN_AT)[0].off for s in (17.0, 30.5))
    assert (inside, beyond) == (0.0, 0.5)


def test_waits_are_placed_by_the_line_they_began_with() -> None:
    waits = waits_of([an_ending(3.0, 3.5, at=7.0), an_ending(3.0, at=2.0)], BEGAN_AT)
    assert [wait.at for wait in waits] == pytest.approx([12.0, 17.0, 27.0])
    assert [(wait.rule, wait.rung) for wait in waits] == [(SILENT, 1), (SILENT, 1), (SILENT, 2)]


def test_late_waits_are_counted_from_20_and_from_100_ms_on() -> None:
    told = shown(endings=[an_ending(3.0, 3.019, 3.021, 3.099, 3.101, 2.5)])
    assert (told.late, told.very_late) == (3, 1)
    assert told.waits is not None
    assert told.waits.least == pytest.approx(-0.5)
    assert told.off is not None
    assert told.off.least == 0.0
    assert told.off.most == pytest.approx(0.5)


def test_rules_are_counted_over_all_calls() -> None:
    broken = an_ending(4.0, call="pbx-1.7", judgement=Judgement.BROKEN)
    told = shown(endings=[an_ending(3.0), an_ending(3.0), broken])
    assert (told.kept, told.broken, told.broken_calls) == ({SILENT: 2}, {SILENT: 1}, ("pbx-1.7",))
    assert told.journaled == 3


def test_a_rule_the_scenario_expects_to_be_broken_is_not_held_against_a_call() -> None:
    expected = {SILENT: ExpectedVerdict(Judgement.BROKEN, Location("scenarios/a.yaml", 9, 3))}
    scenario = replace(a_scenario(), expect=Expectations(verdicts=expected))
    told = shown(endings=[an_ending(4.0, judgement=Judgement.BROKEN)], scenario=scenario)
    assert (told.broken, told.broken_calls) == ({SILENT: 1}, ())


def test_without_a_journal_nothing_is_told_of_rules_and_waits() -> None:
    told = shown(endings=None)
    assert (told.journaled, told.waits, told.kept) == (None, None, {})


def test_a_call_without_an_ending_is_counted() -> None:
    assert shown(endings=[an_ending(3.0), an_ending(outcome=None)]).unfinished == 1


def test_waits_are_told_as_they_were_heard_too() -> None:
    pairs = (
        ClockPair(SILENT, 1, "3 s", 3.0, 3.0, 3.0, 3.04, 4.0),
        ClockPair(SILENT, 2, "3 s", 3.0, 3.0, 3.0, None, 9.0),
    )
    told = shown(a_side(listened=[replace(a_result(), clocks=pairs)]))
    assert told.wire is not None
    assert told.wire.count == 1
    assert told.wire.most == pytest.approx(0.04)


def test_packets_of_all_calls_come_together() -> None:
    told = shown(a_side(packets=[PacketFigures(100, 2, 0.01, 0.03, 0.001), PacketFigures(100, 1, 0.02, 0.09, 0.004)]))
    assert told.packets_lost == 3
    assert (told.first_sound and told.first_sound.most, told.gap and told.gap.most) == (0.02, 0.09)
    assert (told.jitter and told.jitter.most) == 0.004


def test_a_process_is_told_by_mean_peak_and_the_course_of_its_memory() -> None:
    samples = [
        a_sample(1.0, engine=None),
        a_sample(2.0, engine=ProcessSample(10.0, 100)),
        a_sample(3.0, engine=ProcessSample(30.0, 300)),
        a_sample(4.0, engine=ProcessSample(20.0, 200)),
    ]
    told = process_figures(samples, lambda sample: sample.engine)
    assert told is not None
    assert (told.cpu_mean, told.cpu_peak) == (20.0, 30.0)
    assert (told.memory_start, told.memory_peak, told.memory_end) == (100, 300, 200)
    assert process_figures([a_sample(1.0, pbx=None)], lambda sample: sample.pbx) is None


def test_the_machine_is_told_by_mean_and_peak() -> None:
    told = shown(samples=[a_sample(1.0, stolen=2.0, others=10.0), a_sample(2.0, stolen=6.0, others=30.0)])
    assert (told.stolen_mean, told.stolen_peak) == (4.0, 6.0)
    assert (told.others_mean, told.others_peak) == (20.0, 30.0)


def test_sipp_has_no_audio_of_ours() -> None:
    assert shown(a_side(kind="sipp")).pacer_late is None
    assert shown().pacer_late is not None
