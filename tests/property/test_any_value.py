"""Whatever an agent fills in: it is read, or refused in words; never anything else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ivrflow.flow.model import Phrase, Prompt, PromptCatalogue
from ivrflow.flow.problems import Location
from ivrflow.flow.speaking.composing import Unspoken, composed
from ivrflow.flow.speaking.spoken_values import WAYS, NotSpeakable, SpokenAs, spoken

ways: st.SearchStrategy[SpokenAs] = st.sampled_from(sorted(WAYS))
values = st.one_of(
    st.text(max_size=60),
    st.text("0123456789０１２٣²-–/.:：,，年月日号点时分元¥￥ +上午下零一二两半整\n", max_size=30),
    st.from_regex(r"\d{1,4}[-/.:]\d{1,2}([-/.:]\d{1,2})?", fullmatch=True),
    st.integers().map(str),
    st.floats().map(str),
)


@given(values, ways)
@example("٣", "digits")
@example("²", "number")
@example("2026-02-30", "date")
@example("9999999999999.99", "amount")
def test_a_value_is_said_in_chinese_characters_or_refused(value: str, spoken_as: SpokenAs) -> None:
    try:
        groups = spoken(value, spoken_as)
    except NotSpeakable as problem:
        why = str(problem)
        assert why
        assert "\n" not in why
        return
    assert groups
    assert all(group and all("\u4e00" <= sign <= "\u9fff" for sign in group) for group in groups)


@given(st.from_regex(r"[A-Z]{3}\d{3}[^\d\s]{4}", fullmatch=True), ways)
def test_why_not_never_tells_the_value(value: str, spoken_as: SpokenAs) -> None:
    with pytest.raises(NotSpeakable) as caught:
        spoken(value, spoken_as)
    assert value not in str(caught.value)


@given(values, values, ways, ways)
def test_a_phrase_with_any_values_is_put_together_or_spoken_without_them(
    one: str, other: str, spoken_as: SpokenAs, other_as: SpokenAs
) -> None:
    text = "您好{one}{other}，请您在{one}内记下{other}。"
    said = composed("s", text, {"one": spoken_as, "other": other_as}, {"one": one, "other": other}, lambda _: True)
    where = Location("f.yaml", 1, 1)
    phrase = Phrase("s/p", text, where, ("one", "other"), "您好", "", {"one": spoken_as, "other": other_as})
    prompt, unspoken = PromptCatalogue({("s/p", ()): Prompt("p", "您好", 1.0)}).choose(
        phrase, {"one": one, "other": other}
    )
    assert prompt == Prompt("p", "您好", 1.0)
    assert unspoken is not None
    if not isinstance(said, Unspoken):
        assert [key for key, _ in said].count("s/segment") == 3
