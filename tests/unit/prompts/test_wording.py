from pathlib import Path

import pytest
from tone_voice import STANDARD, standards_folder

from ivrflow.flow.model import Standard
from ivrflow.flow.problems import FlowError, Location, ProblemList
from ivrflow.flow.speaking.composing import segment_key
from ivrflow.prompts.wording import (
    JOINED_MS,
    PAUSE_MS,
    load_standard,
    planned_again,
    planned_ahead,
    planned_part,
    planned_prompts,
)


@pytest.fixture
def standard(tmp_path: Path) -> Standard:
    return load_standard(standards_folder(tmp_path) / "demo.yaml")


def _problems(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = standards_folder(tmp_path, text) / "demo.yaml"
    with pytest.raises(FlowError) as caught:
        planned_prompts(load_standard(path), {})
    return [(problem.where.line, problem.message) for problem in caught.value.problems]


def test_a_standard_needs_one_prompt_for_every_wording_a_caller_can_hear(standard: Standard) -> None:
    planned = planned_prompts(standard, {})
    assert [(prompt.key, prompt.variant, prompt.values, prompt.text) for prompt in planned] == [
        ("demo/greet", "none", (), "您好！"),
        ("demo/reply", "without", (), "您好，请讲！"),
        ("demo/reply", "values", (("honorific", "先生"),), "先生，您好！"),
        ("demo/reply", "values", (("honorific", "女士"),), "女士，您好！"),
        ("demo/number", "without", (), "很高兴为您服务。"),
        ("demo/both", "without", (), "我是话务员。"),
    ]


def test_file_names_are_ascii_distinct_and_stable(standard: Standard) -> None:
    stems = [prompt.stem for prompt in planned_prompts(standard, {})]
    assert stems == [
        "greet",
        "reply-without",
        "reply-42d75335",
        "reply-4edeb2e5",
        "number-without",
        "both-without",
    ]
    assert all(stem.isascii() for stem in stems)


def test_values_given_ahead_combine_with_closed_ones(standard: Standard) -> None:
    ahead = planned_ahead(standard, {"agent_id": ["1024", "7"]}, {})
    assert [(prompt.key, dict(prompt.values), prompt.spoken) for prompt in ahead] == [
        ("demo/number", {"agent_id": "1024"}, "我的工号是幺零二四。"),
        ("demo/number", {"agent_id": "7"}, "我的工号是七。"),
        ("demo/both", {"agent_id": "1024", "honorific": "先生"}, "先生，我的工号是幺零二四。"),
        ("demo/both", {"agent_id": "1024", "honorific": "女士"}, "女士，我的工号是幺零二四。"),
        ("demo/both", {"agent_id": "7", "honorific": "先生"}, "先生，我的工号是七。"),
        ("demo/both", {"agent_id": "7", "honorific": "女士"}, "女士，我的工号是七。"),
    ]


def test_a_closed_placeholder_given_ahead_narrows_the_combinations(standard: Standard) -> None:
    ahead = planned_ahead(standard, {"agent_id": ["7"], "honorific": ["女士"]}, {})
    assert [prompt.text for prompt in ahead] == ["我的工号是7。", "女士，我的工号是7。"]


def test_nothing_is_rendered_ahead_without_all_open_values(standard: Standard) -> None:
    assert planned_ahead(standard, {"honorific": ["女士"]}, {}) == []


def test_a_prompt_rendered_ahead_follows_the_wording_of_today(standard: Standard) -> None:
    again = planned_again(standard, "demo/number", (("agent_id", "7"),), {})
    assert again is not None
    assert again.text == "我的工号是7。"
    assert planned_again(standard, "demo/gone", (), {}) is None
    assert planned_again(standard, "demo/number", (("topic", "路灯"),), {}) is None


def test_the_digest_changes_exactly_with_the_sound(tmp_path: Path, standard: Standard) -> None:
    greet = planned_prompts(standard, {})[0]
    moved = "# a comment moves every line\n" + STANDARD
    same = planned_prompts(load_standard(standards_folder(tmp_path, moved) / "demo.yaml"), {})[0]
    assert same.where != greet.where
    assert same.digest("a") == greet.digest("a")
    assert greet.digest("b") != greet.digest("a")
    read_otherwise = planned_prompts(standard, {"您好": "nin2 hao3"})[0]
    assert read_otherwise.digest("a") != greet.digest("a")
    unconcerned = planned_prompts(standard, {"诚恳地": "cheng2 ken3 de5"})[0]
    assert unconcerned.digest("a") == greet.digest("a")


def test_all_that_cannot_be_spoken_is_reported_in_one_pass(tmp_path: Path) -> None:
    problems = _problems(
        tmp_path,
        'id: demo\nname: "x"\nsource: "x"\nphrases:\n'
        '  sign: {text: "请按@键。"}\n'
        '  mixed: {text: "Please call 服务热线 & wait."}\n'
        '  fine: {text: "好。"}\n',
    )
    assert [line for line, _ in problems] == [5, 6]
    assert "cannot speak '@'" in problems[0][1]
    assert "cannot speak '&.'" in problems[1][1]


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "id: demo\n", "id: [a\n", "a: \tb: c: d", STANDARD.replace("without", "wihtout")]
)
def test_what_is_no_standard_is_an_authors_error(tmp_path: Path, text: str) -> None:
    assert _problems(tmp_path, text)


def test_bad_utf_8_is_an_authors_error(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_bytes(b"id: \xff\xfe")
    with pytest.raises(FlowError, match="UTF-8"):
        load_standard(path)


PARTS = """\
id: demo
name: 演示
source: house
direction: [inbound]
placeholders:
  surname: {spoken_as: name}
  honorific: {values: ["先生", "女士"]}
  agent_id: {spoken_as: digits}
  topic: {about: "the matter"}
phrases:
  hello: {text: "{surname}{honorific}，您好！", without: "您好！"}
  number: {text: "{honorific}，我是12345热线{agent_id}号", without: "您好！"}
  topic: {text: "{surname}，关于{topic}", without: "您好！"}
  english: {text: "Hello, Mr. {surname}", without: "您好！"}
rules: []
taboo: {}
"""


def test_a_phrase_that_is_put_together_is_recorded_in_segments(tmp_path: Path) -> None:
    standard = load_standard(standards_folder(tmp_path, PARTS) / "demo.yaml")
    parts = [prompt for prompt in planned_prompts(standard, {"您好": "nin2 hao3"}) if prompt.variant == "part"]
    assert [(prompt.text, prompt.spoken, prompt.edges_ms) for prompt in parts] == [
        ("…，您好！", "您好！", (PAUSE_MS, None)),
        ("…先生…", "先生", (JOINED_MS, JOINED_MS)),
        ("…女士…", "女士", (JOINED_MS, JOINED_MS)),
        ("…，我是12345热线…", "我是幺二三四五热线", (PAUSE_MS, JOINED_MS)),
        ("…号", "号", (JOINED_MS, None)),
    ]
    assert {(prompt.key, *prompt.values) for prompt in parts[:1]} == {("demo/segment", ("words", "…，您好！"))}
    assert parts[0].words == {"您好": "nin2 hao3"}
    assert len({prompt.stem for prompt in parts}) == len(parts)
    assert all(prompt.stem.startswith("segment-") for prompt in parts)


def test_the_same_words_with_other_silence_around_them_are_another_recording() -> None:
    problems = ProblemList()
    where = Location("a.yaml", 1, 1)
    digests = {
        planned_part(segment_key("s", text), text, where, {}, problems).digest("tones")
        for text in ("…您好…", "…，您好…", "您好…", "…您好，…", "…您好")
    }
    assert len(digests) == 5
