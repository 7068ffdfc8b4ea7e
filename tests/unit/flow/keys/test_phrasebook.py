from ivrflow.flow.keys.phrasebook import PLACEHOLDERS, read_phrases
from ivrflow.flow.model import Phrase, Placeholder
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.reader import NOWHERE
from ivrflow.flow.reading.source import Table, parse

DECLARED = {name: Placeholder(name, NOWHERE) for name in ("surname", "honorific", "topic")}


def read(text: str) -> tuple[dict[str, Phrase], list[str]]:
    problems = ProblemList()
    table = parse(text, "house.yaml", problems)
    assert isinstance(table, Table)
    return read_phrases("house", table, DECLARED, problems), [
        f"{p.where.line}:{p.where.column}: {p.message}" for p in problems.problems
    ]


def test_a_phrase_is_known_by_its_book_and_name() -> None:
    phrases, told = read('menu.main: {text: "请按1。", note: "at first"}\n')

    assert told == []
    phrase = phrases["house/menu.main"]
    assert (phrase.key, phrase.text, phrase.note, phrase.placeholders) == ("house/menu.main", "请按1。", "at first", ())
    assert (phrase.where.line, phrase.where.column) == (1, 1)


def test_placeholders_are_listed_once_in_the_order_of_the_text() -> None:
    phrases, told = read('a: {text: "{surname}{honorific}，{surname}关于{topic}", without: "您好"}\n')

    assert told == []
    assert phrases["house/a"].placeholders == ("surname", "honorific", "topic")
    assert phrases["house/a"].without == "您好"


def test_a_phrase_with_a_problem_still_exists() -> None:
    phrases, told = read('a: {text: "{topic}"}\nb: 您好\nc: {}\n')

    assert set(phrases) == {"house/a", "house/b", "house/c"}
    assert [line.partition(": ")[0] for line in told] == ["1:1", "2:4", "3:4"]


def test_braces_are_placeholders_or_mistakes() -> None:
    _, told = read('a: {text: "{topic"}\nb: {text: "{ topic }", without: "x"}\nc: {text: "{}", without: "x"}\n')

    assert told == [
        "1:11: a brace without its partner",
        "2:11: the placeholder '{ topic }' is not declared",
        "3:11: the placeholder '{}' is not declared",
    ]


def test_placeholders_are_closed_or_open() -> None:
    problems = ProblemList()
    node = parse('honorific: {values: [先生, 女士]}\ntopic: {about: "the matter"}\n', "a.yaml", problems)
    assert node is not None

    placeholders = PLACEHOLDERS.read(node, problems)

    assert placeholders is not None
    assert placeholders["honorific"].values == ("先生", "女士")
    assert (placeholders["topic"].values, placeholders["topic"].about) == ((), "the matter")


def test_a_placeholder_says_how_its_value_is_read() -> None:
    problems = ProblemList()
    node = parse("agent_id: {spoken_as: digits}\ntopic: {}\nhonorific: {values: [先生]}\n", "a.yaml", problems)
    assert node is not None
    placeholders = PLACEHOLDERS.read(node, problems)
    assert placeholders is not None
    assert [placeholder.spoken_as for placeholder in placeholders.values()] == ["digits", "words", "words"]

    table = parse(
        'a: {text: "{honorific}，工号{agent_id}", without: "您好"}\nb: {text: "关于{topic}", without: "您好"}\n',
        "b.yaml",
        problems,
    )
    assert isinstance(table, Table)
    phrases = read_phrases("s", table, placeholders, problems)
    assert phrases["s/a"].spoken_as == {"honorific": "words", "agent_id": "digits"}
    assert phrases["s/b"].spoken_as == {}
    assert not problems.problems
