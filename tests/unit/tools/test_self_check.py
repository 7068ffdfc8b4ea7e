"""What a self-check call proves, and what counts against it."""

from collections.abc import Sequence

import pytest

from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.model import PromptCatalogue
from ivrflow.runtime.journal_reader import CallSummary, StoredCall
from ivrflow.softphone.call import CallEnd
from ivrflow.softphone.listening import HeardPrompt
from tools.self_check import SelfCheck, show_check

SAID = ("s/hello", "s/again")


def a_check(
    *,
    heard: Sequence[tuple[str, float]] = ((SAID[0], 1.0), (SAID[1], 1.0)),
    judgements: Sequence[Judgement] = (Judgement.KEPT, Judgement.NOT_APPLICABLE),
) -> SelfCheck:
    trace = tuple(
        TraceLine(at=5.0 * number, fact=Fact.PHRASE_STARTED, phrase=phrase, rule="s/silent", rung=number + 1)
        for number, phrase in enumerate(SAID)
    )
    verdicts = tuple(
        Verdict(f"s/rule{number}", judgement, "say", "too late" if judgement is Judgement.BROKEN else "said")
        for number, judgement in enumerate(judgements)
    )
    summary = CallSummary("c", "s", 0.0, 9.0, "", "hung_up", "ivrflow", (), ())
    stored = StoredCall(summary, {}, PromptCatalogue(), {"s/hello": "您好", "s/again": "请讲"}, (), 0, trace, verdicts)
    prompts = tuple(
        HeardPrompt(name, 100.0 + 5 * place, 102.0 + 5 * place, completeness, 1.0)
        for place, (name, completeness) in enumerate(heard)
    )
    return SelfCheck(prompts, CallEnd("peer", 109.0), 100.0, stored)


def test_all_kept_and_heard_in_order_is_proof() -> None:
    check = a_check()
    assert check.faults == []
    assert check.notes == []


def test_a_broken_rule_is_a_fault_with_its_reason() -> None:
    (fault,) = a_check(judgements=(Judgement.KEPT, Judgement.BROKEN)).faults
    assert "s/rule1" in fault
    assert "too late" in fault


def test_a_call_on_which_no_rule_applied_proves_nothing() -> None:
    assert any("nothing was proven" in fault for fault in a_check(judgements=(Judgement.NOT_APPLICABLE,)).faults)


@pytest.mark.parametrize("heard", [(), (("s/hello", 1.0),), (("s/again", 1.0), ("s/hello", 1.0))])
def test_what_was_said_and_not_heard_so_is_a_fault(heard: tuple[tuple[str, float], ...]) -> None:
    (fault,) = a_check(heard=heard).faults
    assert "the engine said s/hello, s/again" in fault


def test_a_torn_phrase_is_noted_and_no_fault() -> None:
    check = a_check(heard=(("s/hello", 0.5), ("s/again", 1.0)))
    assert check.faults == []
    assert [note.startswith("s/hello: 50%") for note in check.notes] == [True]


def test_it_is_shown_with_seconds_silences_rules_and_who_hung_up(capsys: pytest.CaptureFixture[str]) -> None:
    show_check(a_check())
    shown = capsys.readouterr().out
    assert "您好 (100%)" in shown
    assert "s/silent rung 2" in shown
    assert "3.00" in shown, "the silence between the two"
    assert "ivrflow hung up" in shown
    assert "Every verdict is kept" in shown
