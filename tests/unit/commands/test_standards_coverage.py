"""Which proofs belong to which rule, and what a rule still lacks."""

from pathlib import Path

import pytest

from ivrflow.commands.standards_coverage import (
    Proof,
    RuleCoverage,
    counts,
    cover,
    golden_proofs,
    joined,
    problem_proofs,
    scenario_proofs,
)
from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Standard
from ivrflow.flow_files import load_flows

ROOT = Path(__file__).parents[3]

RULES = """
id: toy
name: "toy"
source: "made up"
phrases:
  hello: {text: "您好！"}
rules:
  - {id: toy/plain, situation: s, trigger: "t", ladder: [{say: hello}], then: continue, met_by: on_demand}
  - {id: toy/timed, situation: s, trigger: "t", ladder: [{say: hello, wait_s: 3}], then: hangup, met_by: [clock, flow]}
  - {id: toy/due, situation: s, trigger: "t", ladder: [{say: hello}], then: callback, limits: {deadline_h: 24},
     met_by: promise, promise: {within: 24h, about: enquiry}}
  - {id: toy/chat, situation: s, trigger: "t", ladder: [{say: hello, wait_s: 600}], then: hangup,
     not_on_phone: "minutes of a chat window"}
  - {id: toy/open, situation: s, trigger: "t", ladder: [{say: hello}], then: continue}
"""


@pytest.fixture(scope="module")
def toy() -> Standard:
    standard, problems = check_standard(RULES, "toy.yaml")
    assert standard is not None, problems
    return standard


def lacks(toy: Standard, *proofs: Proof) -> dict[str, str]:
    given = {rule.id: proofs for rule in toy.rules.values()}
    return {one.rule.name: one.lacks for one in cover([toy], given)}


def test_a_rule_that_nobody_met_lacks_that_whatever_proves_it(toy: Standard) -> None:
    assert (
        lacks(toy, Proof("golden call", "a.call"), Proof("scenario", "a.yaml"))["open"] == "nobody said how it is met"
    )


def test_a_rule_without_a_golden_call_or_a_refused_file_lacks_one(toy: Standard) -> None:
    assert lacks(toy, Proof("scenario", "a.yaml"))["plain"] == "no golden call shows it"
    assert lacks(toy, Proof("golden call", "a.call"))["plain"] == ""
    assert lacks(toy, Proof("problem", "a.txt"))["plain"] == ""


def test_a_number_needs_a_scenario_on_the_real_pbx(toy: Standard) -> None:
    golden = Proof("golden call", "a.call")
    assert lacks(toy, golden)["timed"] == "it has a number and no scenario proves it"
    assert lacks(toy, golden, Proof("virtual clock", "a.yaml"))["timed"] == "it has a number and no scenario proves it"
    assert lacks(toy, golden, Proof("scenario", "a.yaml"))["timed"] == ""


def test_hours_and_days_may_be_proven_on_the_virtual_clock(toy: Standard) -> None:
    assert lacks(toy, Proof("golden call", "a.call"), Proof("virtual clock", "a.yaml"))["due"] == ""


def test_what_no_phone_line_can_do_needs_no_proof(toy: Standard) -> None:
    assert lacks(toy)["chat"] == ""


def test_the_counts_add_up(toy: Standard) -> None:
    number = counts(cover([toy], {}))
    assert number == {
        "rules": 5,
        "numbered": 3,
        "clock": 1,
        "flow": 1,
        "on_demand": 1,
        "lint": 0,
        "promise": 1,
        "report": 0,
        "not_on_phone": 1,
        "lacking": 4,
    }


def test_a_golden_call_proves_the_rules_it_kept_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    call = tmp_path / "deep" / "a.call"
    call.write_text(
        "flow: toy\n\n/silence\n---\n   0.00  caller  calls\n\nkept      toy/plain: say\nbroken    toy/timed: say\n"
    )
    assert golden_proofs(tmp_path) == {"toy/plain": [Proof("golden call", call.as_posix())]}


def test_a_refused_file_proves_the_rules_it_cites(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("a.yaml:3:5: '喂' is refused by toy/plain.\n    hint: no/such thing\n")
    assert problem_proofs(tmp_path, ["toy/plain", "toy/timed"]) == {"toy/plain": [Proof("problem", text.as_posix())]}


def test_a_scenario_proves_what_it_says_on_the_stage_it_is_played() -> None:
    flows = load_flows([ROOT / "callflows"])
    found = scenario_proofs(ROOT / "scenarios", flows)
    assert any(proof.file.endswith("silent_call.yaml") for proof in found["gov12345/silent_call"])
    assert {proof.kind for proofs in found.values() for proof in proofs} <= {"scenario", "virtual clock"}
    assert scenario_proofs(ROOT / "no such folder", flows) == {}


def test_proofs_of_several_kinds_come_together(toy: Standard) -> None:
    golden, played = Proof("golden call", "a"), Proof("scenario", "b")
    together = joined({"toy/plain": [golden]}, {"toy/plain": [played]})
    assert cover([toy], together)[0] == RuleCoverage(toy, toy.rules["plain"], (golden, played))
