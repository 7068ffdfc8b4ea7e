from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.flow.problems import FlowError
from ivrflow.prompts.reading import quantity, read_words, spoken_form, unspeakable, words_in


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("午休时间为12:00-14:00点，请您在14:00点后", "午休时间为十二点到十四点，请您在十四点后"),
        ("早上8:00-12:00 14:00-18:00 其它时间", "早上八点到十二点，十四点到十八点，其它时间"),
        ("１２：３０－１３：００", "十二点三十分到十三点"),
        ("请留下QQ，您是ＶＩＰ客户", "请留下扣扣，您是维爱批客户"),
        ("您的E-mail和WiFi", "您的伊妹儿和歪费"),
        ("×××先生，3×4米", "某某某先生，三乘四米"),
        ("I'm sorry. Room 12", "I'm sorry. Room 12"),
        ("这里是12345政府服务热线", "这里是幺二三四五政府服务热线"),
        ("业务咨询请按1，投诉请按2，人工请按0。", "业务咨询请按一，投诉请按二，人工请按零。"),
        ("我的工号是1024，", "我的工号是幺零二四，"),
        ("12345热线1024号话务员", "幺二三四五热线幺零二四号话务员"),
        ("07号窗口", "零七号窗口"),
        ("2小时内", "两小时内"),
        ("24小时内", "二十四小时内"),
        ("3天内", "三天内"),
        ("12天内", "十二天内"),
        ("2月2日", "二月二日"),
        ("2024年5月10日", "二零二四年五月十日"),
        ("共300元", "共三百元"),
        ("3-5天", "三到五天"),
        ("拨打021-12345678", "拨打零二幺，幺二三四五六七八"),
        ("上午9:05到12:30", "上午九点零五分到十二点三十分"),
        ("14:00", "十四点"),
        ("2:00", "两点"),
        ("满意率98.5%", "满意率百分之九十八点五"),
        ("1.5倍", "一点五倍"),
        ("22个", "二十二个"),
        ("１２３", "幺二三"),
        ("没有数字。", "没有数字。"),
    ],
)
def test_digits_are_written_out_as_a_caller_expects_them(written: str, spoken: str) -> None:
    assert spoken_form(written) == spoken


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (10, "十"),
        (19, "十九"),
        (20, "二十"),
        (101, "一百零一"),
        (110, "一百一十"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (10000, "一万"),
        (10010, "一万零一十"),
        (120305, "十二万零三百零五"),
        (100000001, "一亿零一"),
    ],
)
def test_quantities(number: int, said: str) -> None:
    assert quantity(number) == said


def _value(said: str) -> int:
    """The number a Chinese numeral means, worked out from the left: nothing in common with how it was written."""
    total = section = digit = 0
    for char in said:
        if char in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(char)
        elif char in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
        else:
            total = (total + section + digit) * {"万": 10**4, "亿": 10**8}[char]
            section = digit = 0
    return total + section + digit


@given(st.integers(0, 99_999_999))
def test_a_quantity_means_its_number(number: int) -> None:
    assert _value(quantity(number)) == number


@given(st.text(alphabet="0123456789:-.%年月日元个，好", max_size=30))
def test_no_digit_is_left_over(text: str) -> None:
    assert not any(char.isdigit() and char.isascii() for char in spoken_form(text))


def test_what_a_mandarin_voice_cannot_read_is_named_once() -> None:
    assert unspeakable("请加QQ群QA@，好吗？") == "QA@"
    assert unspeakable("Press # or * now.") == "#*"
    assert unspeakable("We'll contact you, good-bye!") == ""
    assert unspeakable("您好，请讲！") == ""


def test_words_are_read_with_their_syllables(tmp_path: Path) -> None:
    path = tmp_path / "readings.yaml"
    path.write_text('# comment\n"已调至": "yi3 tiao2 zhi4"\n"诚恳地": "cheng2 ken3 de5"\n', encoding="utf-8")
    words = read_words(path)
    assert words == {"已调至": "yi3 tiao2 zhi4", "诚恳地": "cheng2 ken3 de5"}
    assert words_in("音量已调至最大", words) == {"已调至": "yi3 tiao2 zhi4"}


def test_no_file_is_no_words(tmp_path: Path) -> None:
    assert read_words(tmp_path / "readings.yaml") == {}


def test_every_word_with_the_wrong_syllables_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "readings.yaml"
    path.write_text('"已调至": "yi3 tiao2"\n"好": "hao3"\n"重": "chong"\n"调": [tiao2]\n', encoding="utf-8")
    with pytest.raises(FlowError) as caught:
        read_words(path)
    assert [problem.where.line for problem in caught.value.problems] == [1, 3, 4]
