"""The sheet of codes: what is on it, and that the type is as large as the codes allow."""

from dataclasses import replace
from pathlib import Path

import pytest
from strict_html import StrictHtml

from ivrflow.flow.pages.code_list import Code, CodeList, code_list
from ivrflow.flow_files import load_flows
from ivrflow.report.code_page import code_page, type_size

FLOWS = load_flows([Path(__file__).parents[3] / "callflows"])
CODE = Code("*20", "situation", "noise", "loud noise on the caller's line", "对不起，我听不清{honorific}的声音。")
FEW = CodeList("hotline", "政府热线", ("12345",), (CODE,), "music until you take the caller back", "")


def many(number: int) -> CodeList:
    return replace(FEW, codes=(CODE,) * number)


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_a_sheet_is_sound_and_needs_nothing_beside_it(name: str) -> None:
    listed = code_list(FLOWS[name])
    seen = StrictHtml(code_page(listed))

    assert (seen.problems, seen.outside) == ([], [])
    assert "script" not in seen.tags
    assert seen.tags.count("dt") == len(listed.codes)
    for one in listed.codes:
        assert f"{one.code}{one.does}" in seen.text


def test_a_code_with_what_is_said_and_its_name() -> None:
    seen = StrictHtml(code_page(FEW))

    assert "*20loud noise on the caller's line“对不起，我听不清…的声音。”noise" in seen.text
    assert 'lang="zh-CN">政府热线</h1>' in code_page(FEW)
    assert "*11 log in, *12 log out, *13 pause, *14 ready." in seen.text


def test_text_of_a_flow_is_text() -> None:
    page = code_page(replace(FEW, title="<b>", codes=(replace(CODE, does="<i>&"),)))

    assert "<h1>&lt;b&gt;</h1>" in page
    assert "&lt;i&gt;&amp;" in page


def test_a_flow_without_codes_says_so() -> None:
    seen = StrictHtml(code_page(replace(FEW, codes=())))

    assert "This flow has no codes." in seen.text
    assert "*11 log in" in seen.text
    assert seen.problems == []


def test_few_codes_are_large_and_many_are_small() -> None:
    sizes = [type_size(many(number)) for number in (1, 40, 50, 60, 300)]

    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (15.0, 7.0)
    assert sizes[1] > sizes[2] > sizes[3] > sizes[4]


def test_long_words_make_the_type_smaller() -> None:
    wordy = replace(CODE, does=" ".join([CODE.does] * 4))

    assert type_size(replace(FEW, codes=(wordy,) * 40)) < type_size(many(40))


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_every_flow_of_ours_fits_on_a_sheet(name: str) -> None:
    assert type_size(code_list(FLOWS[name])) > 7
