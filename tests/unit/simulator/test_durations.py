import pytest

from ivrflow.simulator.durations import LONGEST_S, read_seconds, write_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("500ms", 0.5), ("0s", 0.0), ("1.5m", 90.0), ("24h", LONGEST_S), ("0.25s", 0.25)],
)
def test_a_number_and_its_unit(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1e3s", "1 s", "1S", "1s2", "½s", "1,5s", "inf"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time") as refused:
        read_seconds(text)
    assert refused.value.args[1] == "write for example 2s, 500ms or 1m"


def test_a_missing_unit_gets_the_most_likely_one_as_hint() -> None:
    with pytest.raises(ValueError, match="'5' is not a length") as refused:
        read_seconds("5")
    assert refused.value.args[1] == "write it with its unit, for example 5s"


def test_a_slip_of_the_finger_is_not_believed() -> None:
    with pytest.raises(ValueError, match="longer than a day"):
        read_seconds("2000h")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "2s"), (0.5, "500ms"), (0.0, "0s"), (60.0, "1m"), (90.0, "90s"), (1.25, "1.25s"), (12345.678, "12345.678s")],
)
def test_the_shortest_way_to_write_it(seconds: float, text: str) -> None:
    assert write_seconds(seconds) == text
    assert read_seconds(text) == seconds
