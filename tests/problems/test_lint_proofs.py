"""Every rule of the shipped standards that is met by lint has a file here that breaks it, and is told so."""

from pathlib import Path

import pytest

from ivrflow.commands.standards_coverage import problem_proofs
from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Rule

ROOT = Path(__file__).parents[2]
STANDARDS = sorted((ROOT / "callflows" / "standards").glob("*.yaml"))


def rules_met_by_lint() -> list[Rule]:
    standards = [check_standard(file.read_text(encoding="utf-8"), str(file))[0] for file in STANDARDS]
    return [rule for one in standards if one for rule in one.rules.values() if "lint" in rule.met_by]


@pytest.mark.parametrize("rule", rules_met_by_lint(), ids=lambda rule: rule.id)
def test_a_broken_file_cites_the_rule(rule: Rule) -> None:
    assert problem_proofs(Path(__file__).parent, [rule.id])


def test_there_are_such_rules() -> None:
    assert len(rules_met_by_lint()) >= 30
