"""The one thing the model decides: which recording speaks a phrase."""

from ivrflow.flow.model import Phrase, Prompt, PromptCatalogue, Rule
from ivrflow.flow.problems import Location

HERE = Location("f.yaml", 1, 1)
PHRASE = Phrase("s/hello", "{surname}{honorific}，您好", HERE, ("surname", "honorific"), "您好")
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


def test_a_rule_is_named_without_its_standard() -> None:
    assert Rule("s/silent_call", "silent_call", "", (), "hangup", {}, "", HERE).name == "silent_call"
