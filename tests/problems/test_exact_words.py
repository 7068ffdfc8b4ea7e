"""Broken files and the exact words their authors are told.

Each `NAME.yaml` below `flows/` and `standards/` has a `NAME.txt` beside it with what `ivrflow check` reports. After a
change of wording: `pytest tests/problems --update`, then read the difference.
"""

from pathlib import Path

import pytest

from ivrflow.flow_files import check_paths

HERE = Path(__file__).parent
CASES = [path.relative_to(HERE) for folder in ("flows", "standards") for path in sorted((HERE / folder).glob("*.yaml"))]


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.with_suffix("")))
def test_is_told_in_these_words(case: Path, monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    monkeypatch.chdir(HERE)
    report = check_paths([case])

    told = "".join(f"{problem}\n" for problem in report.problems) or "in order\n"

    expected = HERE / case.with_suffix(".txt")
    if update:
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def test_every_expectation_has_its_case() -> None:
    expectations = {path.relative_to(HERE).with_suffix("") for path in HERE.glob("*/*.txt")}

    assert expectations == {case.with_suffix("") for case in CASES}
