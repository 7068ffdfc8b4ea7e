import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivrflow.cli import main
from ivrflow.commands.schema_commands import SCHEMAS, as_text


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_printed(kind: str) -> None:
    result = CliRunner().invoke(main, ["schema", kind])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["$id"] == f"{kind}.schema.json"


def test_all_are_written_into_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["schema", "--into", str(tmp_path / "schemas")])

    assert (result.exit_code, result.stdout) == (0, "")
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "schemas").iterdir()}
    assert written == {f"{kind}.schema.json": as_text(kind) for kind in SCHEMAS}


@pytest.mark.parametrize("arguments", [[], ["flow", "--into", "somewhere"], ["nothing"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["schema", *arguments]).exit_code == 2


def test_a_folder_that_cannot_be_written_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    result = CliRunner().invoke(main, ["schema", "--into", str(tmp_path / "file" / "below")])

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
