import re
from pathlib import Path

from ivrflow.flow.keys import grammar
from ivrflow.flow.pages.reference import flow_reference

PAGE = Path(__file__).parents[4] / "docs" / "flow-reference.md"


def test_the_page_in_the_documents_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == flow_reference(), (
        "renew it: python -m ivrflow.flow.pages.reference > docs/flow-reference.md"
    )


def test_every_step_and_every_key_is_described() -> None:
    page = flow_reference()

    for kind in grammar.STEP_KINDS:
        section = page.partition(f"### {kind.main.name}\n")[2].partition("\n### ")[0]
        keys = {key.name for key in kind.spec.keys} | {key.name for key in (kind.exits.keys if kind.exits else ())}
        assert keys <= set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)), kind.main.name


def test_every_row_has_as_many_cells_as_its_table() -> None:
    rows = [line for line in flow_reference().splitlines() if line.startswith("|")]

    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}

    assert widths == {3, 4, 5}
