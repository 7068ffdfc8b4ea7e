"""How a value is said."""

from collections.abc import Callable

import pytest

from ivrflow.flow.speaking.spoken_values import MOST_DIGITS, NotSpeakable, SpokenAs, spoken


@pytest.mark.parametrize(
    ("spoken_as", "value", "said"),
    [
        ("digits", "1024", "幺零二四"),
        ("digits", "007", "零零七"),
        ("digits", " 10 24 ", "幺零二四"),
        ("digits", "１０２４", "幺零二四"),
        ("telephone", "13812345678", "幺三八 幺二三四 五六七八"),
        ("telephone", "+86 138-1234-5678", "幺三八 幺二三四 五六七八"),
        ("telephone", "008613812345678", "幺三八 幺二三四 五六七八"),
        ("telephone", "021-62345678", "零二幺 六二三四 五六七八"),
        ("telephone", "400-820-8820", "四零零 八二零 八八二零"),
        ("telephone", "6234567", "六二三 四五六七"),
        ("telephone", "12345", "幺二三四五"),
        ("number", "0", "零"),
        ("number", "2", "两"),
        ("number", "12", "十二"),
        ("number", "24", "二十四"),
        ("number", "110", "一百一十"),
        ("number", "1,024", "一千零二十四"),
        ("number", "2000", "两千"),
        ("number", "20000", "两万"),
        ("number", "120000", "十二万"),
        ("number", "1020000", "一百零二万"),
        ("number", "2.5", "二点五"),
        ("number", "10.05", "十点零五"),
        ("time", "13:30", "十三点三十分"),
        ("time", "13：30", "十三点三十分"),
        ("time", "14:00", "十四点"),
        ("time", "02:05", "两点零五分"),
        ("time", "24:00", "二十四点"),
        ("time", "下午2点半", "下午两点半"),
        ("time", "上午9:30", "上午九点三十分"),
        ("time", "8点整", "八点"),
        ("date", "2026-10-01", "二零二六年十月一日"),
        ("date", "2026/1/12", "二零二六年一月十二日"),
        ("date", "2024-02-29", "二零二四年二月二十九日"),
        ("date", "10月1日", "十月一日"),
        ("date", "2月2号", "二月二日"),
        ("date", "10-31", "十月三十一日"),
        ("amount", "128.50", "一百二十八元五角"),
        ("amount", "¥1,280.00", "一千二百八十元"),
        ("amount", "128.05", "一百二十八元零五分"),
        ("amount", "2.22元", "两元两角两分"),
        ("amount", "0.05", "五分"),
        ("amount", "0.50", "五角"),
        ("amount", "0", "零元"),
        ("name", "王", "王"),
        ("name", " 欧阳 ", "欧阳"),
        ("words", "路灯", "路灯"),
    ],
)
def test_as_mandarin_speakers_say_it(spoken_as: SpokenAs, value: str, said: str) -> None:
    assert " ".join(spoken(value, spoken_as)) == said


@pytest.mark.parametrize(
    ("spoken_as", "value", "why"),
    [
        ("digits", "A12", "it is not made of digits alone"),
        ("digits", "1" * 40, f"it has 40 digits; nobody notes more than {MOST_DIGITS}"),
        ("digits", "", "it is empty"),
        ("digits", " \u3000", "it is empty"),
        ("telephone", "138x2345678", "it is not a telephone number"),
        ("telephone", "1" * 21, "it has 21 digits; nobody notes more than 20"),
        ("number", "a few", "it is not a number"),
        ("number", "-3", "it is not a number"),
        ("number", "1" * 13, "it is not a number"),
        ("number", "12,34", "it is not a number"),
        ("time", "25:00", "there is no such time of day"),
        ("time", "24:01", "there is no such time of day"),
        ("time", "9点61分", "there is no such time of day"),
        ("time", "soon", "it is not a time of day such as 13:30"),
        ("date", "2026-13-01", "there is no such day"),
        ("date", "2026-02-29", "there is no such day"),
        ("date", "0000-01-01", "there is no such day"),
        ("date", "tomorrow", "it is not a date such as 2026-10-01"),
        ("amount", "12.345", "it is not an amount such as 128.50"),
        ("name", "Wang", "it is not a name in Chinese characters"),
        ("name", "五个字的姓", "it is not a name in Chinese characters"),
        ("words", "QQ", "it is not in Chinese characters alone"),
    ],
)
def test_what_cannot_be_read_says_why_without_the_value(spoken_as: SpokenAs, value: str, why: str) -> None:
    with pytest.raises(NotSpeakable) as caught:
        spoken(value, spoken_as)
    assert str(caught.value) == why


@pytest.fixture(scope="module")
def reference() -> Callable[[str], str]:
    """WeTextProcessing's own rules, run by another library."""
    from wetext import Normalizer

    normalise: Callable[[str], str] = Normalizer(lang="zh", operator="tn").normalize
    return normalise


REFERENCE_NUMBERS = [0, *range(3, 10), *range(10, 130, 7), 200, 305, 350, 999, 1000, 1005, 1010, 1015, 1999, 2000, 3050]


def test_numbers_agree_with_wetext_processing(reference: Callable[[str], str]) -> None:
    """Where both speak of the same thing; 200 is 二百 or 两百 to either ear."""
    for number in REFERENCE_NUMBERS:
        assert spoken(str(number), "number")[0] == reference(f"{number}个").removesuffix("个").replace("两百", "二百")


def test_dates_and_times_agree_with_it(reference: Callable[[str], str]) -> None:
    for month in range(1, 13):
        written = f"2026-{month:02}-{2 * month:02}"
        assert spoken(written, "date")[0] == reference(written)
    for hour in range(24):
        written = f"{hour:02}:{5 + 2 * hour:02}"
        assert spoken(written, "time")[0] == reference(written)


def test_mobile_numbers_agree_with_it(reference: Callable[[str], str]) -> None:
    for written in ("13800138000", "15912345678", "18698765432"):
        assert "".join(spoken(written, "telephone")) == reference(written)
