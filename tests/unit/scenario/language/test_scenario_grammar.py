from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.forms import Form, Key
from ivrflow.flow.reading.source import Table, parse
from ivrflow.scenario.language import grammar as g


def form(text: str) -> tuple[Form, list[str]]:
    problems = ProblemList()
    table = parse(text, "x.yaml", problems)
    assert isinstance(table, Table)
    read = g.SCENARIO_SPEC.read(table, table.where, problems)
    return read, [problem.message for problem in problems.problems]


def test_a_scenario_has_a_title_and_a_flow() -> None:
    assert form("{}")[1] == ["a scenario needs 'scenario'", "a scenario needs 'flow'"]
    assert form("{scenario: x, flow: y}")[1] == []


def test_what_is_not_written_counts_as_its_default() -> None:
    read, _ = form("{scenario: x, flow: y}")

    assert read[g.CALLER] == ()
    assert read[g.AGENTS_KEY] == ()
    assert read[g.PROVES] == ()
    assert read[g.AT] is None
    assert read[g.ON] is None
    assert read[g.EXPECT][g.HEARD_ELSE] is False
    assert read[g.EXPECT][g.VERDICTS] == ()


def test_on_and_no_are_words() -> None:
    read, messages = form("{scenario: no, flow: y, on: pbx, expect: {heard_else: yes}}")

    assert messages == []
    assert (read[g.TITLE], read[g.ON], read[g.EXPECT][g.HEARD_ELSE]) == ("no", "pbx", True)


def test_one_bad_verdict_does_not_hide_the_others() -> None:
    read, messages = form("{scenario: x, flow: y, expect: {verdicts: {a: kept, b: good, c: not_applicable, d: [x]}}}")

    assert [(name.text, judgement) for name, judgement, _ in read[g.EXPECT][g.VERDICTS]] == [
        ("a", Judgement.KEPT),
        ("c", Judgement.NOT_APPLICABLE),
    ]
    assert messages == ["'good' is not a verdict", "expected a verdict, found a list"]


def test_every_example_can_be_read_as_it_is_shown() -> None:
    for spec in (g.SCENARIO_SPEC, g.EXPECT_SPEC):
        for key in spec.keys:
            assert readable(key), key.name


def readable(key: Key[object]) -> bool:
    problems = ProblemList()
    shown = key.shown.replace("…", "x")
    node = parse(f"x: {shown}", "x.yaml", problems)
    assert isinstance(node, Table)
    return key.kind.read(node.entries[0].value, problems) is not None and not problems.problems
