"""The guide to scenarios: what it gives to copy plays as it stands."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivrflow.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
WHOLE = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "\nscenario: " in f"\n{block}"]


def test_there_is_one_of_a_caller_alone_and_one_with_an_agent() -> None:
    assert ["agents:" in block for block in WHOLE] == [False, True]


@pytest.mark.parametrize("block", WHOLE, ids=["caller", "agent"])
def test_it_passes_on_the_simulator(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    file = tmp_path / "mine.yaml"
    file.write_text(block, encoding="utf-8")

    result = CliRunner().invoke(main, ["scenario", "run", str(file), "--on", "simulator"])

    assert (result.exit_code, "1 passed" in result.output) == (0, True), result.output
