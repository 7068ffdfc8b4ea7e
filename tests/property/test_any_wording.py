"""Whatever a wording or a taboo sentence holds: comparing never fails, and the other script hides nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.flow.model import Phrase, Standard
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.wording.script import Script, simplified, strangers, traditional
from ivrflow.flow.wording.taboo import SaidPattern, comparable
from ivrflow.flow.wording.wording_lint import lint_standard

WHERE = Location("s.yaml", 1, 1)
ANY = st.text(
    st.one_of(
        st.characters(), st.sampled_from("您你喂嗯。！？，…{}*～XX什么這是規定"), st.characters(categories=["Cs"])
    )
)
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30)
SCRIPTS: st.SearchStrategy[Script] = st.sampled_from(("simplified", "traditional"))
SENTENCES = (
    "你问我，我问谁？",
    "这是规定，我有什么办法。",
    "没法查！没办法！",
    "我不清楚，我不知道，你找XX地方问。",
    "喂",
    "为什么？",
    "讲呀！我听着呢。",
    "移动公司不是为你家开的，说怎样就怎样。",
)

quick = settings(deadline=None)


@quick
@given(sentence=ANY, wording=ANY, anywhere=st.booleans())
def test_anything_can_be_compared_with_anything(sentence: str, wording: str, anywhere: bool) -> None:
    SaidPattern(sentence, anywhere=anywhere).is_in(comparable(wording))


@quick
@given(text=ANY, script=SCRIPTS)
def test_any_text_has_a_script(text: str, script: Script) -> None:
    found = strangers(text, script)

    assert found is None or (found.characters and found.better != text)


@quick
@given(text=HAN, script=SCRIPTS)
def test_what_is_written_instead_holds_no_stranger_that_was_named(text: str, script: Script) -> None:
    found = strangers(text, script)

    assert found is None or not set(found.characters) & set(found.better)


@quick
@given(text=ANY, taboo=ANY, script=SCRIPTS)
def test_a_standard_of_anything_is_linted(text: str, taboo: str, script: Script) -> None:
    phrases = {"x/p": Phrase("x/p", text, WHERE, without=text)}

    lint_standard(Standard("x", "X", "", WHERE, phrases, {}, taboo={"a": (taboo,)}, script=script), ProblemList())


@quick
@given(sentence=st.sampled_from(SENTENCES), before=HAN, after=HAN)
def test_a_long_sentence_is_found_between_other_words_and_in_traditional_characters(
    sentence: str, before: str, after: str
) -> None:
    said = f"{before}。{sentence}。{after}"

    assert SaidPattern(sentence).is_in(comparable(said))
    assert SaidPattern(sentence).is_in(comparable(f"{before}。{traditional(sentence)}。{after}"))
    assert SaidPattern(traditional(sentence)).is_in(comparable(said))


@quick
@given(sentence=HAN)
def test_every_sentence_is_found_in_itself_and_its_twins(sentence: str) -> None:
    pattern = SaidPattern(sentence)

    assert pattern.is_in(comparable(sentence))
    assert pattern.is_in(comparable(simplified(sentence)))
