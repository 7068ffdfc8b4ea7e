"""Wordings held against the standard they stand in, against a flow's, and against everybody's."""

from pathlib import Path

import pytest
from tiny_hotline import FLOW, HOUSE, SOURCE, TINY

from ivrflow.flow.compiling.compiler import check_flow, compile_flow
from ivrflow.flow.compiling.glances import check_standard
from ivrflow.flow.model import Standard
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.wording.wording_lint import lint_against, lint_said

SHIPPED = Path(__file__).parents[4] / "callflows" / "standards"


def read(text: str, name: str = "x") -> Standard:
    standard, problems = check_standard(text, f"{name}.yaml")
    assert standard is not None, problems
    return standard


def standard_text(phrases: str, rest: str = "", name: str = "x") -> str:
    return f"id: {name}\nname: X\nsource: made up\nphrases:\n{phrases}\n{rest}"


def told(text: str) -> list[str]:
    return [problem.message for problem in check_standard(text, "x.yaml")[1]]


RUDE = '  rude: {text: "對不起，這是規定，我們沒有辦法。"%s}'
TABOO = "script: %s\ntaboo:\n  shirk: [这是规定，我们没有办法]\n"


def test_a_taboo_sentence_is_an_error_in_either_script() -> None:
    assert told(standard_text(RUDE % "", TABOO % "traditional")) == [
        "'x/rude' says “这是规定，我们没有办法”, which nobody may say: x taboo shirk"
    ]


def test_a_reason_lets_it_stand() -> None:
    assert told(standard_text(RUDE % ', allowed: "as printed"', TABOO % "traditional")) == []


def test_the_wording_without_values_is_held_too() -> None:
    phrases = '  a: {text: "您好，{name}。", without: "喂！"}'
    rest = "placeholders: {name: {about: a name}}\ntaboo: {address: [喂]}"

    assert told(standard_text(phrases, rest)) == ["'x/a' says “喂”, which nobody may say: x taboo address"]


def test_conduct_is_no_wording() -> None:
    assert (
        told(
            standard_text('  a: {text: "在客户未挂断电话前就挂断电话"}', "conduct: {a: [在客户未挂断电话前就挂断电话]}")
        )
        == []
    )


@pytest.mark.parametrize(
    ("standard", "old", "new", "rule"),
    [
        ("woju", "请你稍等一分钟好吗？", "你等一分钟。", "woju/hold_request"),
        ("jiading_cable", "请您稍等，我帮您核实一下好吗？", "稍等，我核实一下。", "jiading_cable/hold_request"),
        ("china_mobile", "请别挂机，稍等片刻，好吗？谢谢！", "别挂机，稍等！", "china_mobile/hold_request"),
        ("gov12345", '{text: "非常抱歉，请您谅解。"', '{text: "非常抱歉，这是规定。"', "gov12345/ask_forgiveness"),
        ("jiading_cable", '{text: "祝您愉快，再见！"', '{text: "对不起，电脑故障。"', "jiading_cable/system_fault"),
        ("china_mobile", 'listening.alt1: {text: "对"', 'listening.alt1: {text: "嗯"', "china_mobile/in_call"),
    ],
)  # fmt: skip
def test_a_shipped_standard_is_refused_when_its_wording_breaks_its_rule(
    standard: str, old: str, new: str, rule: str
) -> None:
    file = SHIPPED / f"{standard}.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text

    broken = check_standard(text.replace(old, new), str(file))[1]

    assert check_standard(text, str(file))[1] == ()
    assert broken
    assert all(rule in problem.message for problem in broken)


def test_what_a_flow_says_from_another_file_is_held_against_its_standard() -> None:
    standard = read(standard_text('  a: {text: "您好！"}', "taboo: {address: [喂]}"))
    file = read(
        standard_text('  hey: {text: "喂！"}\n  ok: {text: "喂！", allowed: "no reason"}', name="house"), "house"
    )
    here = Location("f.yaml", 3, 4)
    problems = ProblemList()

    lint_said(
        standard, {"x": standard, "house": file}, {"house/hey": here, "house/ok": here, "gone/hey": here}, problems
    )

    assert [(problem.where, problem.message, problem.hint) for problem in problems.problems] == [
        (
            here,
            "'house/hey' says “喂”, which nobody may say: x taboo address",
            "say another phrase, or reword it in house.yaml:5:3",
        )
    ]


def test_another_standards_taboo_is_a_warning_and_ones_own_is_not_told_twice() -> None:
    first = read(standard_text('  a: {text: "我不知道。"}\n  b: {text: "嘿！", allowed: "no reason"}'))
    other = read(standard_text('  a: {text: "您好！"}', "taboo: {shirk: [我不知道], address: [嘿]}", name="y"), "y")
    problems = ProblemList()

    lint_against([first, other], [first, other], problems)

    assert [(problem.severity, problem.message) for problem in problems.problems] == [
        ("warning", "'x/a' says “我不知道”, which another standard forbids: y taboo shirk")
    ]


def test_a_flow_that_took_calls_compiles_again_whatever_the_lint_says_today() -> None:
    source = {**SOURCE, TINY: SOURCE[TINY] + "taboo:\n  menu: [咨询请按1，人工请按0]\n"}

    assert check_flow(source, FLOW).flow is None
    assert check_flow(source, FLOW, lint=False).flow is not None
    assert compile_flow(source, FLOW).phrases["house/menu"].text in SOURCE[HOUSE]
