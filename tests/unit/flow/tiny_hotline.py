"""The small flow and standard beside the broken ones, to be changed by a line or two per test."""

from pathlib import Path

from ivrflow.flow.compiling.compiler import Checked, check_flow
from ivrflow.flow.model import CallFlow, PromptCatalogue

_HERE = Path(__file__).parents[2] / "problems" / "flows"

FLOW = "callflows/hotline.yaml"
TINY = "callflows/standards/tiny.yaml"
HOUSE = "callflows/standards/house.yaml"

SOURCE = {
    FLOW: (_HERE / "nothing_wrong.yaml").read_text(encoding="utf-8"),
    TINY: (_HERE / "standards" / "tiny.yaml").read_text(encoding="utf-8"),
    HOUSE: (_HERE / "standards" / "house.yaml").read_text(encoding="utf-8"),
}


def source(*changes: tuple[str, str], file: str = FLOW) -> dict[str, str]:
    """The three files, one of them with changes; what is replaced must be there exactly once."""
    text = SOURCE[file]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {**SOURCE, file: text}


def checked(*changes: tuple[str, str], file: str = FLOW, catalogue: PromptCatalogue | None = None) -> Checked:
    return check_flow(source(*changes, file=file), FLOW, catalogue)


def compiled(*changes: tuple[str, str], file: str = FLOW) -> CallFlow:
    """The changed flow, which must be in order."""
    result = checked(*changes, file=file)
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.flow is not None
    return result.flow


def told(*changes: tuple[str, str], file: str = FLOW, catalogue: PromptCatalogue | None = None) -> list[str]:
    """Each problem as "line:column: message"."""
    return [
        f"{problem.where.line}:{problem.where.column}: {problem.message}"
        for problem in checked(*changes, file=file, catalogue=catalogue).problems
    ]
