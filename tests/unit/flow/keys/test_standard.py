from pathlib import Path

import pytest

from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Band, Standard

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def gov12345() -> Standard:
    path = ROOT / "callflows" / "standards" / "gov12345.yaml"
    standard, problems = check_standard(path.read_text(encoding="utf-8"), str(path))
    assert problems == ()
    assert standard is not None
    return standard


def test_every_rule_and_phrase_of_the_hotline_is_carried_over(gov12345: Standard) -> None:
    assert len(gov12345.rules) == 49
    assert len(gov12345.phrases) == 85
    assert all(rule.id == f"gov12345/{name}" for name, rule in gov12345.rules.items())


def test_the_silent_call_is_as_documented(gov12345: Standard) -> None:
    rule = gov12345.rules["silent_call"]

    assert [(rung.say, rung.wait, rung.leave_on) for rung in rule.rungs] == [
        ("gov12345/silent_call.greeting", Band(3, 3), "speech"),
        ("gov12345/silent_call.connected", Band(3, 3), "speech"),
        ("gov12345/silent_call.change_phone", None, None),
    ]
    assert (rule.situation, rule.then, rule.name) == ("silent_call", "hangup", "silent_call")


def test_limits_are_numbers_or_pairs(gov12345: Standard) -> None:
    assert gov12345.rules["noise"].limits == {"repeats": 1.0}
    assert gov12345.rules["hold_request_short"].limits == {"max_open_line_wait_s": (10.0, 30.0)}


def test_what_nobody_may_say_is_kept(gov12345: Standard) -> None:
    assert gov12345.taboo["hold_return"] == ("不好意思，让您久等",)


def test_closed_placeholders_list_their_values(gov12345: Standard) -> None:
    assert gov12345.placeholders["pronoun"].values == ("他", "她")
    assert gov12345.placeholders["agent_id"].values == ()


MINIMAL = """\
id: x
name: X
source: made up
phrases: {hello: {text: 您好}}
rules:
  - {id: x/a, situation: a, trigger: b, ladder: [RUNG], then: continue}
"""


@pytest.mark.parametrize(
    ("written", "band"), [("[3, 5]", Band(3, 5)), ("2", Band(2, 2)), ("[0.5, 0.5]", Band(0.5, 0.5)), ("0", Band(0, 0))]
)
def test_waits_are_one_number_or_two(written: str, band: Band) -> None:
    standard, problems = check_standard(MINIMAL.replace("RUNG", f"{{say: hello, wait_s: {written}}}"), "x.yaml")

    assert problems == ()
    assert standard is not None
    assert standard.rules["a"].rungs[0].wait == band


@pytest.mark.parametrize("written", ["[5, 3]", "-1", "[1, 2, 3]", "[]", "3s", "nan", "{a: 1}", "[[1], 2]", "99999"])
def test_other_waits_are_told_at_their_place(written: str) -> None:
    text = MINIMAL.replace("RUNG", f"{{say: hello, wait_s: {written}}}")
    column = text.splitlines()[5].index("wait_s: ") + len("wait_s: ") + 1

    standard, problems = check_standard(text, "x.yaml")

    assert standard is None
    assert problems
    for problem in problems:
        assert problem.where.line == 6
        assert column <= problem.where.column <= column + len(written)


def test_a_phrase_file_needs_no_rules() -> None:
    standard, problems = check_standard("id: x\nname: X\nsource: y\nphrases: {a: {text: b}}\n", "x.yaml")

    assert problems == ()
    assert standard is not None
    assert standard.rules == {}


def test_the_id_is_the_files_name() -> None:
    _, problems = check_standard("id: x\nname: X\nsource: y\nphrases: {a: {text: b}}\n", "callflows/standards/z.yaml")

    assert [str(problem) for problem in problems] == [
        "callflows/standards/z.yaml:1:5: the file is called 'z', its id is 'x'\n    hint: write id: z"
    ]


def test_taboo_conduct_and_script_are_kept() -> None:
    text = MINIMAL.replace("RUNG", "{say: hello}") + (
        "script: traditional\ntaboo: {shirk: [這是規定]}\ntaboo_anywhere: shirk\nconduct: {rude: [hanging up]}\n"
    )
    standard, problems = check_standard(text, "x.yaml")

    assert problems == ()
    assert standard is not None
    assert standard.script == "traditional"
    assert standard.taboo == {"shirk": ("這是規定",)}
    assert standard.taboo_anywhere == ("shirk",)
    assert standard.conduct == {"rude": ("hanging up",)}


def test_what_nobody_may_do_is_no_taboo_sentence() -> None:
    for name in ("woju", "netdisk"):
        path = ROOT / "callflows" / "standards" / f"{name}.yaml"
        standard, _ = check_standard(path.read_text(encoding="utf-8"), str(path))
        assert standard is not None
        assert standard.conduct
        assert not set(standard.conduct) & set(standard.taboo)
