"""The one thing the model decides: which recording speaks a phrase."""

from dataclasses import replace

from ivrflow.flow.model import Phrase, Prompt, PromptCatalogue, Rule
from ivrflow.flow.problems import Location
from ivrflow.flow.speaking.composing import Unspoken, WordingKey, piece_key, segment_key

HERE = Location("f.yaml", 1, 1)
PHRASE = Phrase("s/hello", "{surname}{honorific}，您好", HERE, ("surname", "honorific"), "您好")
COMPOSABLE = replace(PHRASE, spoken_as={"surname": "name", "honorific": "words"})
PLAIN = Prompt("s/hello-without", "您好", 1.0)
NAMED = Prompt("s/hello-1", "王女士，您好", 1.5)
CATALOGUE = PromptCatalogue({("s/hello", ()): PLAIN, ("s/hello", (("honorific", "女士"), ("surname", "王"))): NAMED})


def test_all_values_known_and_recorded() -> None:
    assert CATALOGUE.best(PHRASE, {"surname": "王", "honorific": "女士", "topic": "路灯"}) is NAMED


def test_without_a_recording_of_the_values_the_wording_without_them_is_spoken() -> None:
    assert CATALOGUE.best(PHRASE, {"surname": "李", "honorific": "女士"}) is PLAIN


def test_one_value_missing_is_the_wording_without_them_too() -> None:
    assert CATALOGUE.best(PHRASE, {"honorific": "女士"}) is PLAIN
    assert CATALOGUE.best(PHRASE, {}) is PLAIN


def test_nothing_recorded_is_nothing() -> None:
    assert PromptCatalogue().best(PHRASE, {}) is None


def test_it_is_put_together_from_recordings_when_all_of_them_are_there() -> None:
    catalogue = PromptCatalogue(
        {
            ("s/hello", ()): PLAIN,
            segment_key("s", "…，您好"): Prompt("s/segment-1", "…，您好", 0.8, 900),
            segment_key("s", "…女士…"): Prompt("s/segment-2", "…女士…", 0.5, 700),
            piece_key("李"): Prompt("pieces/piece-1", "…李…", 0.4, 1100),
        }
    )
    values = {"surname": "李", "honorific": "女士"}
    assert catalogue.best(PHRASE, values) is PLAIN, "nothing says how its values are read"
    prompt, unspoken = catalogue.choose(COMPOSABLE, values)
    assert unspoken is None
    parts = ("pieces/piece-1", "s/segment-2", "s/segment-1")
    assert prompt == Prompt("", "李女士，您好", 1.7, 1100, parts)
    whole = PromptCatalogue({**catalogue.prompts, ("s/hello", tuple(sorted(values.items()))): NAMED})
    assert whole.choose(COMPOSABLE, values) == (NAMED, None), "what was recorded as a whole sounds better"


def test_why_it_is_spoken_without_its_values() -> None:
    values = {"surname": "李", "honorific": "女士"}
    assert CATALOGUE.choose(PHRASE, values) == (
        PLAIN,
        Unspoken("surname", "nobody recorded the phrase with these words"),
    )
    assert CATALOGUE.choose(COMPOSABLE, {"surname": "Li", "honorific": "女士"}) == (
        PLAIN,
        Unspoken("surname", "it is not a name in Chinese characters"),
    )
    assert CATALOGUE.choose(COMPOSABLE, {"honorific": "女士"}) == (PLAIN, None), "an unknown value is no trouble"


def test_what_can_be_put_together() -> None:
    assert COMPOSABLE.is_composable
    assert not PHRASE.is_composable
    assert not Phrase("s/p", "您好", HERE).is_composable
    english = Phrase("s/p", "Hello, Mr. {surname}", HERE, ("surname",), "Hello", spoken_as={"surname": "name"})
    assert not english.is_composable


def test_a_rule_is_named_without_its_standard() -> None:
    assert Rule("s/silent_call", "silent_call", "", (), "hangup", {}, "", HERE).name == "silent_call"


def test_a_phrase_is_never_put_together_from_two_voices() -> None:
    segment, piece = segment_key("s", "…，您好"), piece_key("李")
    title = segment_key("s", "…女士…")
    spoken = {("s/hello", ()): PLAIN, **{key: Prompt(f"a-{key[1][0][1]}", "", 0.5) for key in (segment, piece, title)}}
    values = {"surname": "李", "honorific": "女士"}

    def said(**voices: dict[WordingKey, Prompt]) -> tuple[str, ...]:
        prompt = PromptCatalogue(spoken, voices).spoken_by("low").best(COMPOSABLE, values)
        assert prompt is not None
        return prompt.parts or (prompt.file,)

    low = {key: Prompt(f"low-{key[1][0][1]}", "", 0.5) for key in (segment, piece, title)}
    assert said(low=low) == ("low-李", "low-…女士…", "low-…，您好")
    assert said(low={("s/other", ()): PLAIN}) == ("a-李", "a-…女士…", "a-…，您好"), "it has no parts: the default voice"
    assert said(low={segment: low[segment]}) == ("s/hello-without",), "nobody changes voices in a sentence"
    assert said(low={segment: spoken[segment]}) == ("a-李", "a-…女士…", "a-…，您好"), "a person's, heard in every voice"
