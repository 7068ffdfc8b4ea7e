import pytest

from ivrflow.simulator.durations import read_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("500ms", 0.5), ("0s", 0.0), ("1m30s", 90.0), ("24h", 86_400.0), ("0.25s", 0.25)],
)
def test_lengths_are_written_as_in_flows(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("5", "'5' has no unit", "write 5s for seconds"),
        ("soon", "'soon' is not a duration", "3s, 500ms"),
        ("", "the value is missing", "3s"),
        ("-1s", "'-1s' is too short", "0s to 24h"),
        ("25h", "'25h' is too long", "24h"),
    ],
)
def test_anything_else_is_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(ValueError, match=r"duration|unit|too long|too short|missing") as refused:
        read_seconds(text)
    assert message in refused.value.args[0]
    assert hint in refused.value.args[1]
