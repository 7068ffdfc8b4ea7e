"""What a rule declares under `lint:`."""

from ivrflow.flow.keys.lint import LINT_SPEC, asks_nothing, begins_with, is_among, read_lint
from ivrflow.flow.model import Lint, Phrase
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.forms import form_kind
from ivrflow.flow.reading.source import parse

WHERE = Location("s.yaml", 1, 1)
PHRASES = {f"x/{name}": Phrase(f"x/{name}", "您好！", WHERE) for name in ("hello", "bye.alt1", "bye.alt2", "ask")}


def read(text: str) -> tuple[Lint, list[str]]:
    problems = ProblemList()
    node = parse(text, "s.yaml", problems)
    assert node is not None
    form = form_kind(LINT_SPEC, "{}").read(node, problems)
    assert form is not None
    lint = read_lint("x", form, PHRASES, problems)
    return lint, [problem.message for problem in problems.problems]


def test_phrases_become_full_keys() -> None:
    lint, problems = read("{opening: [hello, house/hi], farewell: bye, ask_first: ask, order: [hello, bye.alt1]}")

    assert problems == []
    assert lint.opening == ("x/hello", "house/hi")
    assert lint.farewell == ("x/bye",)
    assert lint.ask_first == ("x/ask",)
    assert lint.order == ("x/hello", "x/bye.alt1")
    assert lint.calls == {"answered"}


def test_words_and_sentences_are_kept_as_written() -> None:
    lint, problems = read(
        '{calls: [answered, placed], courtesy: "请…好吗", never_first: [贵姓], taboo: shirk, caller_hangs_up_first: yes,'
        " never_without_a_word: yes}"
    )

    assert problems == []
    assert lint.calls == {"answered", "placed"}
    assert lint.courtesy == ("请…好吗",)
    assert lint.never_first == ("贵姓",)
    assert lint.taboo == ("shirk",)
    assert lint.caller_hangs_up_first
    assert lint.never_without_a_word


def test_the_beginning_of_names_stands_for_all_below_it() -> None:
    assert begins_with("x/bye", "x/bye")
    assert begins_with("x/bye.alt1", "x/bye")
    assert not begins_with("x/byebye", "x/bye")
    assert is_among("x/bye.alt1", ("x/hello", "x/bye"))
    assert not is_among("x/hello", ())


def test_a_phrase_nobody_has_is_noted() -> None:
    assert read("{opening: helo}")[1] == ["there is no phrase 'helo'"]


def test_what_asks_for_nothing_is_told_from_what_does() -> None:
    assert asks_nothing(read("{calls: placed}")[0])
    assert not asks_nothing(read("{opening: hello}")[0])
