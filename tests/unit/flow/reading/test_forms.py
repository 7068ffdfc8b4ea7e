import pytest

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.forms import Form, FormSpec, Key, form_kind
from ivrflow.flow.reading.reader import STEP, TEXT
from ivrflow.flow.reading.source import Table, parse
from ivrflow.flow.reading.times import count, duration

WAIT = Key("wait", duration(), "how long", required=True)
REPEATS = Key("repeats", count(0, 5), "how often", default="2")
THEN = Key("then", STEP, "where to")
SPEC = FormSpec("a thing", (WAIT, REPEATS, THEN))


def read(text: str, spec: FormSpec = SPEC) -> tuple[Form, list[str]]:
    problems = ProblemList()
    table = parse(text, "a.yaml", problems)
    assert isinstance(table, Table)
    form = spec.read(table, table.where, problems)
    return form, [f"{p.where.line}:{p.where.column}: {p.message} | {p.hint}" for p in problems.problems]


def test_written_values_defaults_and_blanks() -> None:
    form, told = read("wait: 3s\n")

    assert told == []
    assert (form[WAIT], form[REPEATS], form[THEN].text) == (3.0, 2, "")
    assert form.wrote(WAIT)
    assert not form.wrote(REPEATS)


def test_an_unreadable_value_counts_as_written_and_reads_as_blank() -> None:
    form, told = read("wait: soon\n")

    assert len(told) == 1
    assert form.wrote(WAIT)
    assert form[WAIT] == 0.0
    assert "wait" not in form.values


def test_a_missing_key_is_told_with_what_to_write() -> None:
    _, told = read("then: a\n")

    assert told == ["1:1: a thing needs 'wait' | write wait: 3s  (how long)"]


def test_a_misspelt_key_is_not_told_as_missing_too() -> None:
    _, told = read("wiat: 3s\n")

    assert told == ["1:1: a thing has no 'wiat' | did you mean 'wait'?"]


def test_a_key_written_a_second_time_in_other_words_is_told_so() -> None:
    _, told = read("wait: 3s\nwaits: 4s\n")

    assert told == ["2:1: a thing has no 'waits' | 'wait' is there already; delete this"]


def test_an_unknown_key_gets_the_list_though_every_known_one_is_written() -> None:
    _, told = read("wait: 3s\nrepeats: 1\nthen: a\nvolume: 5\n")

    assert told == ["4:1: a thing has no 'volume' | known here: repeats, then, wait"]


def test_a_form_without_keys_says_to_delete_what_is_there() -> None:
    _, told = read("volume: 5\n", FormSpec("a thing", ()))

    assert told == ["1:1: a thing has no 'volume' | delete it"]


def test_open_forms_hand_over_the_rest() -> None:
    form, told = read("wait: 3s\nunderstood: a\n", FormSpec("a thing", (WAIT,), rest="a step per word"))

    assert told == []
    assert [entry.key.text for entry in form.rest] == ["understood"]


def test_of_many_unknown_keys_twenty_are_listed() -> None:
    _, told = read("wait: 3s\n" + "".join(f"zz{number}: 1\n" for number in range(50)))

    assert len(told) == 21
    assert told[-1].startswith("22:1: 30 more unknown keys")


def test_the_place_of_what_is_missing_is_the_form_itself() -> None:
    form, _ = read("wait: 3s\n")

    assert form.place(WAIT) == Location("a.yaml", 1, 1)
    assert form.place(REPEATS) == form.where


def test_a_form_is_a_value_too() -> None:
    problems = ProblemList()
    node = parse("[1]", "a.yaml", problems)
    assert node is not None

    assert form_kind(SPEC, "{wait: 3s}").read(node, problems) is None
    assert problems.problems[0].message == "expected keys and values, found a list"


def test_a_default_that_cannot_be_read_is_found_at_once() -> None:
    with pytest.raises(AssertionError, match="default of x"):
        Key("x", TEXT, "", default="[]").unwritten  # noqa: B018 - a property that checks
