"""The pieces that values are put together from."""

from pathlib import Path

import pytest

from ivrflow.flow.problems import FlowError
from ivrflow.flow.speaking.composing import MOST_PARTS, PIECES, Unspoken, composed
from ivrflow.flow.speaking.spoken_values import SpokenAs
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.pieces import PIECES_NAME, planned_pieces
from ivrflow.prompts.reading import read_words
from ivrflow.prompts.wording import JOINED_MS, PAUSE_MS

SHIPPED = Path(__file__).parents[3] / "prompts" / PIECES_NAME


def planned(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / PIECES_NAME
    path.write_text(text, encoding="utf-8")
    return [prompt.values[0][1] for prompt in planned_pieces(path, {})]


def test_no_file_no_pieces(tmp_path: Path) -> None:
    assert planned_pieces(tmp_path / PIECES_NAME, {}) == []


def test_names_are_recorded_alone_and_with_each_title(tmp_path: Path) -> None:
    pieces = planned(tmp_path, "family_names: [王, 李]\ntitles: [先生, 女士]\nwords: [路灯]\n")
    assert {"王", "王先生", "王女士", "李", "李先生", "先生", "女士", "路灯", "二十四", "幺零", "幺零，"} <= set(pieces)
    assert len(set(pieces)) == len(pieces)


def test_what_is_wrong_with_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlowError) as caught:
        planned(tmp_path, "family_name: [王]\n")
    assert "family_name" in str(caught.value)
    with pytest.raises(FlowError) as caught:
        planned(tmp_path, "words: [路☎灯, ☎]\n")
    assert "cannot speak '☎' in “…路☎灯…”" in str(caught.value)
    assert "nothing to speak in “…☎…”" in str(caught.value)


def test_a_piece_runs_on_unless_the_speaker_pauses_behind_it() -> None:
    edges = {prompt.values[0][1]: prompt.edges_ms for prompt in planned_pieces(SHIPPED, {})}
    assert edges["二十四"] == (JOINED_MS, JOINED_MS)
    assert edges["三八，"] == (JOINED_MS, PAUSE_MS)


def test_they_are_found_where_they_are_looked_for() -> None:
    pieces = planned_pieces(SHIPPED, {})
    assert {prompt.standard for prompt in pieces} == {PIECES}
    assert len({prompt.stem for prompt in pieces}) == len(pieces)


def test_each_kind_of_value_needs_some_of_them_only(tmp_path: Path) -> None:
    (tmp_path / PIECES_NAME).write_text("family_names: [王, 万]\n", encoding="utf-8")

    def planned_for(*spoken_as: SpokenAs) -> set[str]:
        return {prompt.values[0][1] for prompt in planned_pieces(tmp_path / PIECES_NAME, {}, spoken_as)}

    assert planned_for() == set()
    assert planned_for("name") == {"王", "万"}
    assert {"元", "万"} <= planned_for("amount")
    assert "元" not in planned_for("number")
    assert {"幺零"} <= planned_for("digits") < planned_for("telephone")
    assert planned_for("digits", "name") == planned_for("digits") | planned_for("name")


@pytest.mark.parametrize(
    ("spoken_as", "values"),
    [
        ("digits", ["0", "1", "12", "1024", "00700", "12345678901234567890"]),
        ("telephone", ["13812345678", "021-62345678", "4008208820", "10086", "95598"]),
        ("number", [*map(str, range(131)), "200", "305", "1001", "2000", "20202", "999999999999", "0.25", "2.5"]),
        ("time", [f"{hour}:{minute:02}" for hour in range(24) for minute in (0, 1, 10, 30, 59)] + ["下午2点半"]),
        ("date", [f"2026-{month}-{day}" for month in range(1, 13) for day in (1, 2, 10, 20, 28)] + ["10月31日"]),
        ("amount", ["0", "2", "2.2", "2.22", "0.05", "128.50", "10000.99"]),
        ("name", ["王", "欧阳"]),
    ],
)
def test_every_number_can_be_put_together_from_them(spoken_as: SpokenAs, values: list[str]) -> None:
    exists = {(prompt.key, prompt.values) for prompt in planned_pieces(SHIPPED, {}, [spoken_as])}.__contains__
    for value in values:
        said = composed("s", "{value}", {"value": spoken_as}, {"value": value}, exists)
        assert not isinstance(said, Unspoken), (value, said)
        assert len(said) <= MOST_PARTS


def test_every_piece_has_an_up_to_date_recording() -> None:
    """When this fails somebody added words: run `ivrflow prompts build` and commit the recordings."""
    planned = planned_pieces(SHIPPED, read_words(SHIPPED.with_name("readings.yaml")))
    assert [prompt.text for prompt in PromptIndex.load(SHIPPED.parent).outdated(planned)] == []
