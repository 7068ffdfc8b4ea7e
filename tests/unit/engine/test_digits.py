import pytest
from small_flows import collect

from ivrflow.engine.digits import DigitEntry


def entry(keys: str, *, least: int = 2, most: int = 4, end_key: str = "#") -> DigitEntry:
    made = DigitEntry(collect(least=least, most=most, end_key=end_key))
    for key in keys:
        made = made.keyed(key)
    return made


@pytest.mark.parametrize(
    ("keys", "digits", "is_over", "result"),
    [
        ("", "", False, "no_input"),
        ("#", "", True, "incomplete"),
        ("1", "1", False, "incomplete"),
        ("1#", "1", True, "incomplete"),
        ("12", "12", False, "done"),
        ("12#", "12", True, "done"),
        ("1234", "1234", True, "done"),
        ("12345", "1234", True, "done"),
        ("1*2A3", "123", False, "done"),
        ("٣1", "1", False, "incomplete"),
    ],
)
def test_what_keys_make_of_an_entry(keys: str, digits: str, is_over: bool, result: str) -> None:
    made = entry(keys)
    assert (made.digits, made.is_over, made.result) == (digits, is_over, result)


def test_without_an_end_key_the_hash_key_leads_nowhere() -> None:
    assert entry("12#", end_key="").is_over is False
    assert entry("12#", end_key="").digits == "12"


def test_the_first_digit_and_the_next_ones_have_their_own_timeouts() -> None:
    assert (entry("").timeout, entry("").timeout_name) == (6.0, "first-digit timeout")
    assert (entry("1").timeout, entry("1").timeout_name) == (4.0, "inter-digit timeout")


def test_a_key_that_changes_nothing_gives_an_equal_entry() -> None:
    assert entry("1*") == entry("1")
    assert entry("*") == entry("")
