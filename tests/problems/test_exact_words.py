"""Broken files and the exact words their authors are told.

Each `NAME.yaml` below `flows/`, `standards/`, `lint/` (flows of the shipped standards), `scenarios/` and `holidays/` has a
`NAME.txt` beside it with what `ivrflow check`, or `ivrflow scenario`, reports. After a change of wording:
`pytest tests/problems --update`, then read the difference.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ivrflow.flow.keys.holiday_file import read_calendar
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError, Problem
from ivrflow.flow_files import check_paths, load_flows
from ivrflow.scenario.language.reading import load_scenarios

HERE = Path(__file__).parent
CASES = [
    path.relative_to(HERE)
    for folder in ("flows", "standards", "lint", "scenarios", "holidays")
    for path in sorted((HERE / folder).glob("*.yaml"))
]


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="module")
def flows() -> Mapping[str, CallFlow]:
    """What answers in `scenarios/`."""
    return load_flows([HERE / "flows" / "nothing_wrong.yaml", HERE.parent / "talks" / "flows" / "talks.yaml"])


def problems_of(case: Path, flows: Mapping[str, CallFlow]) -> list[Problem]:
    if case.parent.name == "holidays":
        return list(read_calendar(case.read_text(encoding="utf-8"), str(case)).problems)
    if case.parent.name != "scenarios":
        return check_paths([case]).problems
    try:
        load_scenarios([case], flows)
    except FlowError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.with_suffix("")))
def test_is_told_in_these_words(
    case: Path, flows: Mapping[str, CallFlow], monkeypatch: pytest.MonkeyPatch, update: bool
) -> None:
    monkeypatch.chdir(HERE)

    told = "".join(f"{problem}\n" for problem in problems_of(case, flows)) or "in order\n"

    expected = HERE / case.with_suffix(".txt")
    if update:
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_every_expectation_has_its_case() -> None:
    expectations = {path.relative_to(HERE).with_suffix("") for path in HERE.glob("*/*.txt")}

    assert expectations == {case.with_suffix("") for case in CASES}
