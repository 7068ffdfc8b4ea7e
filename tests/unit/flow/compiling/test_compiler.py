from pathlib import Path

import pytest
from tiny_hotline import FLOW, HOUSE, SOURCE, TINY, checked, compiled, source, told

from ivrflow.flow.compiling.compiler import check_flow, compile_flow
from ivrflow.flow.model import HANG_UP, RETURN, Prompt, PromptCatalogue
from ivrflow.flow.problems import MOST_PROBLEMS, FlowError
from ivrflow.flow_files import check_paths

ROOT = Path(__file__).parents[4]


def test_the_flows_we_ship_have_no_problem_and_every_rule_of_a_phone_line_as_a_situation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)

    report = check_paths([Path("callflows")])

    assert report.problems == []
    served = {flow.standard.id for flow in report.flows.values()}
    assert served == {standard.id for standard in report.standards.values() if standard.rules}
    for flow in report.flows.values():
        on_phone = {name for name, rule in flow.standard.rules.items() if not rule.not_on_phone}
        assert set(flow.situations) == on_phone
    flow = report.flows["gov12345"]
    assert len(flow.situations) == 49
    assert {rung.rule for ladder in flow.situations.values() for rung in ladder.rungs} == {
        f"gov12345/{name}" for name in flow.situations
    }
    assert set(flow.source) == {
        f"callflows/{name}.yaml" for name in ("gov12345", "standards/gov12345", "standards/house")
    }


def test_a_flow_compiled_from_its_own_source_is_the_same_flow() -> None:
    flow = compiled()

    again = compile_flow(flow.source, FLOW)

    assert again == flow
    assert flow.source == SOURCE


def test_the_source_is_kept_as_it_was_given() -> None:
    given = source()
    flow = compile_flow(given, FLOW)
    given[FLOW] = "changed"

    assert flow.source[FLOW] == SOURCE[FLOW]


def test_what_a_flow_says_about_itself() -> None:
    flow = compiled()

    assert (flow.id, flow.title, flow.numbers, flow.start) == ("hotline", "Hotline", ("100",), "welcome")
    assert str(flow.timezone) == "Asia/Shanghai"
    assert flow.standard.id == "tiny"
    assert {"tiny/hello", "house/menu"} <= set(flow.phrases)
    assert flow.outcomes == {RETURN: RETURN, "hangup": HANG_UP, "escalate": "agent", "closing": "bye"}
    assert HANG_UP in flow.steps
    assert (flow.where.line, flow.where.column) == (1, 7)


def test_errors_are_raised_with_the_warnings() -> None:
    with pytest.raises(FlowError) as caught:
        compile_flow(source(("used_up: hang_up", "used_up: hangup"), ("talk_for: 10m", "talk_for: 2h")), FLOW)

    assert [problem.severity for problem in caught.value.problems] == ["error", "warning"]


def test_warnings_do_not_refuse_a_flow() -> None:
    result = checked(("talk_for: 10m", "talk_for: 2h"))

    assert result.flow is not None
    assert [problem.severity for problem in result.problems] == ["warning"]


def test_problems_of_all_files_are_told_at_once_each_in_its_file() -> None:
    changed = source(("used_up: hang_up", "used_up: hangup"))
    changed[TINY] = changed[TINY].replace("wait_s: [3, 5]", "wait_s: [5, 3]")
    changed[HOUSE] = changed[HOUSE].replace("name: House", "nam: House")

    problems = check_flow(changed, FLOW).problems

    assert [problem.where.file for problem in problems] == [FLOW, HOUSE, TINY]


def test_nothing_is_missed_in_a_standard_that_cannot_be_read() -> None:
    problems = check_flow({**SOURCE, TINY: "- no standard\n"}, FLOW).problems

    assert [str(problem.where) for problem in problems] == [f"{TINY}:1:1"]


def test_a_standard_that_is_not_there_is_told_once() -> None:
    problems = check_flow({FLOW: SOURCE[FLOW], HOUSE: SOURCE[HOUSE]}, FLOW, known=["tinny"]).problems

    assert [str(problem) for problem in problems] == [
        f"{FLOW}:3:11: there is no standard 'tiny'\n    hint: did you mean 'tinny'?"
    ]


def test_where_a_standard_is_looked_for_is_said() -> None:
    problems = check_flow({FLOW: SOURCE[FLOW], HOUSE: SOURCE[HOUSE]}, FLOW).problems

    assert problems[0].hint.startswith("it is looked for in callflows/standards/tiny.yaml")


def test_a_flow_that_uses_no_house_phrase_needs_no_house() -> None:
    text = (
        "flow: a\ntitle: A\nstandard: tiny\nnumbers: ['1']\ntimezone: UTC\nstart: x\n"
        "steps: {x: {say: hello, then: hang_up}}\noutcomes: {hangup: hang_up, escalate: x, closing: x}\n"
    )

    assert check_flow({FLOW: text, TINY: SOURCE[TINY]}, FLOW).problems == ()


def test_leaving_a_situation_early_may_lead_elsewhere() -> None:
    flow = compiled(("outcomes:", "leaves:\n  noise: {audible: agent}\n  lookup: {looked_up: continue}\noutcomes:"))

    assert flow.leaves == {"noise": {"audible": "agent"}, "lookup": {"looked_up": RETURN}}


def test_steps_that_only_situations_lead_to_are_reachable() -> None:
    only_there = ("outcomes:", "  only_there:\n    say: hello\n    then: bye\n\noutcomes:")

    assert told(only_there, ("escalate: agent", "escalate: only_there")) == []
    assert told(only_there) == ["48:3: nothing leads to the step 'only_there'"]


def test_a_typo_is_told_once_and_its_target_is_not_told_as_unreachable() -> None:
    assert told(("key: {1: number, 0: agent}", "key: {1: nubmer, 0: agent}")) == ["24:16: there is no step 'nubmer'"]


def test_a_file_full_of_problems_ends_at_a_bound() -> None:
    steps = "".join(f"  s{number}: {{say: hello, then: nowhere}}\n" for number in range(900))

    problems = checked(("outcomes:", f"{steps}\noutcomes:")).problems

    assert len(problems) == MOST_PROBLEMS + 1


SAID = (
    "tiny/hello",
    "tiny/silent.greeting",
    "tiny/silent.again",
    "tiny/silent.goodbye",
    "tiny/noise.louder",
    "tiny/lookup.alt1",
    "tiny/anything_else.ask",
    "tiny/closing.thanks",
    "house/menu",
    "house/wrong_key",
    "house/ask_number",
    "house/too_few",
    "house/connecting",
)
"""Every phrase the small flow, or a situation of its standard, can say."""


class TestPrompts:
    def catalogue(self, **changes: str | None) -> PromptCatalogue:
        """A recording of every phrase the flow can say, by name with '_' for '.', changed or left out."""
        phrases = compiled().phrases
        texts = {key: phrases[key].text for key in SAID}
        for name, text in changes.items():
            key = next(key for key in texts if key.partition("/")[2].replace(".", "_") == name)
            if text is None:
                del texts[key]
            else:
                texts[key] = text
        return PromptCatalogue({(key, ()): Prompt(key, text, 1.0) for key, text in texts.items()})

    def test_all_that_can_be_said_is_recorded(self) -> None:
        catalogue = self.catalogue()

        result = checked(catalogue=catalogue)

        assert result.problems == ()
        assert result.flow is not None
        assert result.flow.prompts is catalogue

    def test_a_missing_recording_is_told_where_it_would_be_heard(self) -> None:
        result = checked(catalogue=self.catalogue(menu=None, closing_thanks=None, silent_goodbye=None))

        assert [str(problem) for problem in result.problems] == [
            f"{FLOW}:19:11: there is no recording of 'house/menu'\n    hint: run: ivrflow prompts build",
            f"{TINY}:30:9: there is no recording of 'tiny/silent.goodbye'\n    hint: run: ivrflow prompts build",
            f"{TINY}:54:14: there is no recording of 'tiny/closing.thanks'\n    hint: run: ivrflow prompts build",
        ]

    def test_a_recording_of_yesterdays_wording_is_told(self) -> None:
        result = checked(catalogue=self.catalogue(hello="您早！"))

        assert [problem.message for problem in result.problems] == [
            f"the recording of 'tiny/hello' has another wording than {TINY}"
        ]

    def test_phrases_nobody_can_say_need_no_recording(self) -> None:
        assert ("tiny/result", ()) not in self.catalogue().prompts
        assert ("house/morning", ()) not in self.catalogue().prompts
