from typing import TypeVar

import pytest

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading import reader
from ivrflow.flow.reading.reader import KeyTarget, Kind, located, one_or_more
from ivrflow.flow.reading.source import parse

T = TypeVar("T")


def read(kind: Kind[T], written: str) -> tuple[T | None, list[str]]:
    """The value of a kind for what stands after `a: `, and what is told."""
    problems = ProblemList()
    table = parse(f"a: {written}\n", "a.yaml", problems)
    assert table is not None
    value = table.get("a")  # type: ignore[union-attr]  # it is a table: we wrote it
    assert value is not None
    return kind.read(value, problems), [f"{p.where.column}: {p.message} | {p.hint}" for p in problems.problems]


@pytest.mark.parametrize("name", ["welcome", "main_menu", "2nd_try", "a" * 64])
def test_names_are_slugs(name: str) -> None:
    value, told = read(reader.STEP, name)

    assert value is not None
    assert (value.text, value.where.column, told) == (name, 4, [])


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Main Menu", "write 'main_menu'"),
        ("wait-a-bit", "write 'wait_a_bit'"),
        ("主菜单", "use a-z, 0-9 and '_'"),
        ("_x", "write 'x'"),
        ("a" * 65, "write '" + "a" * 64 + "'"),
    ],
)
def test_other_names_are_told_how_to_be_slugs(written: str, hint: str) -> None:
    value, told = read(reader.STEP, written)

    assert value is None
    assert told[0].endswith(hint)


@pytest.mark.parametrize("written", ["silent_call.greeting", "house/menu.main", "hello", "a.alt1"])
def test_phrases_are_keys(written: str) -> None:
    value, told = read(reader.PHRASE, written)

    assert (value is not None and value.text, told) == (written, [])


@pytest.mark.parametrize("written", ["您好", "Hello there", "a//b", ".a", "a.", "house/", "a/b/c", "../../etc/passwd"])
def test_wordings_and_paths_are_no_phrases(written: str) -> None:
    value, told = read(reader.PHRASE, written)

    assert value is None
    assert "is no phrase" in told[0]


def test_a_key_table_reads_each_key_and_step_with_its_place() -> None:
    value, told = read(reader.KEY_TABLE, '{1: a, "#": b, "*": c, D: d}')

    assert told == []
    assert value is not None
    assert [(target.key, target.step.text) for target in value] == [("1", "a"), ("#", "b"), ("*", "c"), ("D", "d")]
    assert [target.where.column for target in value] == [5, 11, 19, 27]
    assert isinstance(value[0], KeyTarget)


def test_good_keys_survive_bad_ones() -> None:
    value, told = read(reader.KEY_TABLE, "{1: a, 10: b, e: c, ５: d}")

    assert value is not None
    assert [target.key for target in value] == ["1"]
    assert [line.partition(" | ")[2] for line in told] == [
        "one key at a time; several digits are a 'collect' step",
        'write 0-9, "*" or "#"',
        "write '5'",
    ]


@pytest.mark.parametrize(("written", "value"), [('"#"', "#"), ('"*"', "*"), ("A", "A"), ("none", "")])
def test_end_keys(written: str, value: str) -> None:
    assert read(reader.END_KEY, written) == (value, [])


def test_a_digit_cannot_end_digits() -> None:
    value, told = read(reader.END_KEY, "5")

    assert (value, told) == (None, ['4: a digit cannot end the digits | write "#", "*" or none'])


@pytest.mark.parametrize(("written", "names"), [("[speech, key]", ["speech", "key"]), ("key", ["key"]), ("[]", [])])
def test_inputs_stand_alone_or_in_a_list(written: str, names: list[str]) -> None:
    value, told = read(reader.INPUTS, written)

    assert value is not None
    assert ([entry.name for entry in value], told) == (names, [])


@pytest.mark.parametrize("written", ["no", "dtmf", "true", "[speech, dtmf]"])
def test_other_inputs_are_told_the_four_ways_to_write_them(written: str) -> None:
    value, told = read(reader.INPUTS, written)

    assert value is None
    assert told[0].endswith("write [speech, key], [key], [speech] or []")


@pytest.mark.parametrize("written", ["12345", "+8612345", "*100#", "011"])
def test_numbers_are_what_can_be_dialled(written: str) -> None:
    value, told = read(reader.NUMBER, f'"{written}"')

    assert (value is not None and value.text, told) == (written, [])


@pytest.mark.parametrize("written", ["１２３４５", "12-345", "12 345", "1OO", "sip:100@pbx", "1" * 25])
def test_a_number_that_cannot_be_dialled_is_not_repeated_in_the_message(written: str) -> None:
    value, told = read(reader.NUMBER, f'"{written}"')

    assert value is None
    assert written not in told[0]


@pytest.mark.parametrize("written", ["1001@pbx", "1001&1002", "PJSIP/1001", "1001,30", "${EXTEN}", "+1001", "１００１"])
def test_nothing_but_digits_becomes_an_extension(written: str) -> None:
    value, told = read(reader.EXTENSION, f'"{written}"')

    assert value is None
    assert "is no extension" in told[0]


@pytest.mark.parametrize("written", ["Europe", "/etc/localtime", "../UTC", "Asia/Shanghai/x", "a\\b", "x" * 5000])
def test_a_time_zone_is_one_of_the_database(written: str) -> None:
    value, told = read(reader.TIMEZONE, f"'{written}'")

    assert value is None
    assert "there is no time zone" in told[0]


def test_a_near_time_zone_is_suggested() -> None:
    assert read(reader.TIMEZONE, "Asia/Shangai")[1] == [
        "4: there is no time zone 'Asia/Shangai' | did you mean 'Asia/Shanghai'?"
    ]


@pytest.mark.parametrize(
    ("written", "found"), [("[a]", "a list"), ("{a: b}", "keys and values"), ("", "the value is missing")]
)
def test_what_was_found_is_said(written: str, found: str) -> None:
    _, told = read(reader.STEP, written)

    assert found in told[0]


def test_one_bad_item_spoils_a_list_but_all_are_told() -> None:
    value, told = read(one_or_more(reader.STEP, "steps"), "[a, B, [c], d]")

    assert value is None
    assert [line.partition(":")[0] for line in told] == ["8", "11"]


def test_an_empty_list_is_told_where_something_must_stand() -> None:
    value, told = read(reader.PHRASES, "[]")

    assert (value, told[0].partition(" |")[0]) == (None, "4: the list is empty")


def test_a_located_value_knows_its_place() -> None:
    value, _ = read(located(reader.END_KEY), '"*"')

    assert value is not None
    assert (value.value, value.where.column) == ("*", 4)
