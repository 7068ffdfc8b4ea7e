from load_shown import a_side

from ivrflow.scenario.load.load_records import PlacedCall, together


def test_a_call_that_was_never_answered_has_no_time_to_the_answer() -> None:
    assert PlacedCall(0, 1.0).setup is None
    assert PlacedCall(0, 1.0, answered_at=1.25).setup == 0.25


def test_the_rate_is_told_from_the_first_call_to_the_last() -> None:
    assert a_side(placed=11, placing=2.0).rate_reached == 5.0
    assert a_side(placed=1, placing=0.0, rate=7.0).rate_reached == 7.0


def test_most_calls_at_once() -> None:
    assert a_side(live=[(0.0, 1), (1.0, 7), (2.0, 3)]).most_live == 7
    assert a_side(live=[]).most_live == 0


def test_sipp_and_those_we_listen_to_are_one_load() -> None:
    sipp = a_side(
        kind="sipp", planned=8, placed=8, answered=7, well=6, failed=2, faults={"a": 2}, statuses={503: 1},
        setups=[0.001], live=[(0.0, 0), (1.0, 5), (2.0, 8)], began_at=101.0, took=9.0,
    )  # fmt: skip
    own = a_side(
        planned=2, placed=2, answered=2, well=1, failed=1, faults={"a": 1}, statuses={503: 2}, cut=1,
        setups=[0.002], live=[(0.5, 1), (1.5, 2)], began_at=100.0, took=12.0,
    )  # fmt: skip
    both = together(sipp, own)
    assert (both.kind, both.planned, both.placed, both.answered, both.most) == ("sipp", 10, 10, 9, 8)
    assert together(sipp, a_side(planned=0, most=1)).most == 4
    assert (both.well, both.failed, both.cut) == (7, 3, 1)
    assert (both.faults, both.statuses, both.setups) == ({"a": 3}, {503: 3}, [0.001, 0.002])
    assert both.live == [(0.0, 0), (1.0, 6), (2.0, 10)]
    assert (both.began_at, both.took) == (100.0, 12.0)
