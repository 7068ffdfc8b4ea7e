from collections.abc import Mapping
from dataclasses import replace

import pytest

from ivrflow.flow.model import Phrase, Prompt, PromptCatalogue
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import Named
from ivrflow.flow.speaking.composing import WordingKey, piece_key, segment_key
from ivrflow.flow.wording.recorded import check_recorded

HERE, THERE = Location("flow.yaml", 3, 8), Location("flow.yaml", 9, 5)
PHRASES = {
    key: Phrase(key, text, Location("s.yaml", 1, 1), **more)  # type: ignore[arg-type]  # placeholders and without
    for key, text, more in (
        ("s/a", "您好！", {}),
        ("s/b", "再见！", {}),
        ("s/c", "谢谢！", {}),
        ("s/d", "{name}，请讲！", {"placeholders": ("name",), "without": "请讲！"}),
    )
}
SPOKEN: dict[WordingKey, Prompt] = {
    (key, ()): Prompt(key, phrase.without or phrase.text, 1.0) for key, phrase in PHRASES.items()
}
SAID = dict.fromkeys(PHRASES, THERE)


def told(voice: str, **voices: list[str]) -> list[tuple[Location, str, str, str]]:
    recorded: dict[str, dict[WordingKey, Prompt]] = {
        name: {(key, ()): SPOKEN[key, ()] for key in keys} for name, keys in voices.items()
    }
    problems = ProblemList()
    check_recorded(SAID, PHRASES, PromptCatalogue(SPOKEN, recorded), Named(voice, HERE), problems)
    return [(one.where, one.severity, one.message, one.hint) for one in problems.problems]


def test_the_default_voice_is_no_warning() -> None:
    assert told("zf_xiaobei") == []


def test_a_voice_that_recorded_everything_is_no_warning() -> None:
    assert told("zm_yunxi", zm_yunxi=list(PHRASES)) == []


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (["s/a", "s/b", "s/c"], "1 phrase is not recorded in the voice 'zm_yunxi': s/d"),
        (["s/b"], "3 phrases are not recorded in the voice 'zm_yunxi': s/a, s/c, s/d"),
    ],
)
def test_what_a_voice_did_not_record_is_one_warning(recorded: list[str], message: str) -> None:
    ((where, severity, said, hint),) = told("zm_yunxi", zm_yunxi=recorded)
    assert (where, severity) == (HERE, "warning")
    assert said == f"{message}; callers hear 'zf_xiaobei' instead"
    assert hint == "run: ivrflow prompts build"


def test_a_voice_nobody_recorded_may_be_a_slip_of_the_pen() -> None:
    ((_, _, said, hint),) = told("zm_yunxo", zm_yunxi=["s/a"])
    assert said == "nothing is recorded in the voice 'zm_yunxo'; callers hear 'zf_xiaobei' instead"
    assert hint == "did you mean 'zm_yunxi'?; or run: ivrflow prompts build"


def test_old_words_in_a_voice_are_an_error_as_in_any() -> None:
    old: dict[WordingKey, Prompt] = {("s/a", ()): replace(SPOKEN["s/a", ()], text="您早！")}
    problems = ProblemList()
    voice = Named("zm_yunxi", HERE)
    check_recorded(SAID, PHRASES, PromptCatalogue(SPOKEN, {"zm_yunxi": {**SPOKEN, **old}}), voice, problems)
    assert [(one.where, one.message) for one in problems.problems] == [
        (THERE, "the recording of 's/a' has another wording than s.yaml")
    ]


def test_values_that_a_voice_cannot_speak_are_told() -> None:
    phrase = replace(PHRASES["s/d"], spoken_as={"name": "name"})
    segment, piece = segment_key("s", "…，请讲！"), piece_key("王")
    spoken = {**SPOKEN, segment: Prompt("segment", "…，请讲！", 1.0), piece: Prompt("piece", "…王…", 0.3)}

    def found(default: Mapping[WordingKey, Prompt], *keys: WordingKey) -> list[str]:
        voices = {"zm_yunxi": {**SPOKEN, **{key: spoken[key] for key in keys}}}
        problems = ProblemList()
        catalogue = PromptCatalogue(default, voices)
        check_recorded({"s/d": HERE}, {"s/d": phrase}, catalogue, Named("zm_yunxi", HERE), problems)
        return [one.message for one in problems.problems]

    told = "1 phrase is not recorded in the voice 'zm_yunxi': s/d with its values; callers hear 'zf_xiaobei' instead"
    assert found(spoken) == [told]
    assert found(spoken, segment) == [told]
    assert found(spoken, segment, piece) == []
    assert found(SPOKEN) == [], "no voice speaks them: no voice is missed"
