import re

from hotline_scenarios import GOV, TOP

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.source import parse
from ivrflow.scenario.language import agent_words, grammar, noted_words, step_words
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.language.reference import scenario_reference

SPECS = (grammar.SCENARIO_SPEC, grammar.EXPECT_SPEC, agent_words.QUEUE_SPEC, noted_words.LOOK_UP_SPEC)
PAGE = TOP / "docs" / "scenario-reference.md"


def test_the_page_in_the_documents_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == scenario_reference(), (
        "renew it: python -m ivrflow.scenario.language.reference > docs/scenario-reference.md"
    )


def test_every_key_and_every_word_is_described() -> None:
    rows = set(re.findall(r"^\| `(?:- )?(\w+)", scenario_reference(), re.MULTILINE))

    keys = {key.name for spec in SPECS for key in spec.keys}
    words = {word.name for word in (*step_words.STEP_WORDS, *agent_words.MANNERS)}
    long_forms = {key.name for word in step_words.STEP_WORDS if word.spec for key in word.spec.keys}
    assert keys | words | long_forms <= rows


def test_the_example_is_a_scenario() -> None:
    example = scenario_reference().partition("```yaml\n")[2].partition("```")[0]

    assert read_scenario(example, "example.yaml", {"gov12345": GOV}).caller


def test_every_step_is_shown_as_it_can_be_written() -> None:
    for word in step_words.STEP_WORDS:
        problems = ProblemList()
        node = parse(word.shown, "shown.yaml", problems)
        assert node is not None
        script = step_words.SCRIPT.read(node, problems)
        assert problems.problems == []
        assert script is not None
        assert [item.word for item in script] == [word]


def test_every_row_has_as_many_cells_as_its_table() -> None:
    rows = [line for line in scenario_reference().splitlines() if line.startswith("|")]

    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 4, 5}
