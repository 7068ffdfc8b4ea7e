from dataclasses import replace

from judged_scenarios import FLOW

from ivrflow.scenario.cues import ListenFor, SoundBegan, SoundEnded
from ivrflow.scenario.observation import Heard
from ivrflow.scenario.script import RECOGNISED_AFTER_S
from ivrflow.scenario.simulated.simulated_ear import SHORTEST_RECOGNISED_S, SimulatedEar


def an_ear() -> SimulatedEar:
    return SimulatedEar(FLOW)


def due(ear: SimulatedEar) -> float | None:
    return ear.due


def phrase(since: float = 0.0, name: str = "greeting") -> ListenFor:
    return ListenFor("phrase", name, since)


def test_a_phrase_is_known_a_little_after_it_began() -> None:
    ear = an_ear()
    ear.listen(phrase())
    assert due(ear) is None
    assert ear.tell(9.0) is None
    sound = ear.begins("phrase", "greeting", 4.0, 1.0)
    assert due(ear) == 1.0 + RECOGNISED_AFTER_S
    assert ear.tell(1.5) is None
    assert ear.tell(1.6) == SoundBegan(1.0)
    assert ear.tell(3.0) is None, "it has not ended yet"
    assert due(ear) is None
    sound.ends(5.0)
    assert due(ear) == 5.0
    assert ear.tell(5.0) == SoundEnded(5.0, 1.0)
    assert ear.tell(6.0) is None, "told once"


def test_a_short_phrase_is_known_at_its_end() -> None:
    ear = an_ear()
    ear.listen(phrase())
    ear.begins("phrase", "greeting", 0.4, 1.0).ends(1.4)
    assert ear.tell(1.4) == SoundBegan(1.0)
    assert ear.tell(1.4) == SoundEnded(1.4, 1.0)


def test_a_phrase_cut_too_early_is_never_known() -> None:
    ear = an_ear()
    ear.listen(phrase())
    ear.begins("phrase", "greeting", 4.0, 1.0).ends(1.5)
    assert due(ear) is None
    assert ear.tell(9.0) is None
    again = ear.begins("phrase", "greeting", 4.0, 2.0)
    again.ends(2.6)
    assert ear.tell(2.6) == SoundBegan(2.0)
    assert ear.tell(2.6) == SoundEnded(2.6, 0.15)


def test_what_lies_in_the_past_is_known_at_once() -> None:
    ear = an_ear()
    ear.begins("phrase", "greeting", 4.0, 1.0).ends(5.0)
    ear.listen(phrase(since=1.0))
    assert ear.tell(8.0) == SoundBegan(1.0)
    assert ear.tell(8.0) == SoundEnded(5.0, 1.0)


def test_what_began_before_is_not_listened_for() -> None:
    ear = an_ear()
    ear.begins("phrase", "greeting", 4.0, 1.0).ends(5.0)
    ear.listen(phrase(since=1.1))
    assert ear.tell(8.0) is None
    ear.begins("phrase", "greeting", 4.0, 8.0)
    assert ear.tell(8.6) == SoundBegan(8.0)


def test_other_sounds_are_not_what_is_listened_for() -> None:
    ear = an_ear()
    ear.begins("phrase", "connected", 4.0, 1.0)
    ear.begins("music", "", 0.0, 1.0)
    ear.listen(phrase())
    assert ear.tell(9.0) is None
    ear.listen(ListenFor("music", "", 0.0))
    assert ear.tell(9.0) == SoundBegan(1.0)
    ear.stop()
    assert ear.tell(9.0) is None


def test_phrases_of_the_same_words_are_the_same() -> None:
    phrases = {**FLOW.phrases, "hello": replace(FLOW.phrases["greeting"], key="hello")}
    ear = SimulatedEar(replace(FLOW, phrases=phrases))
    ear.begins("phrase", "hello", 4.0, 1.0)
    ear.listen(phrase())
    assert ear.tell(2.0) == SoundBegan(1.0)


def test_on_hold_nothing_is_heard() -> None:
    ear = an_ear()
    ear.begins("phrase", "greeting", 4.0, 1.0)
    ear.goes_deaf(3.0)
    assert ear.is_deaf
    ear.begins("phrase", "connected", 4.0, 5.0).ends(9.0)
    ear.hears_again()
    ear.begins("phrase", "change phone", 2.0, 10.0).ends(12.0)
    assert [(heard.name, heard.start, heard.end, heard.completeness) for heard in ear.heard()] == [
        ("greeting", 1.0, 3.0, 0.5),
        ("change phone", 10.0, 12.0, 1.0),
    ]


def test_afterwards_all_is_told_that_could_be_heard() -> None:
    ear = an_ear()
    ear.begins("phrase", "greeting", 4.0, 0.0).ends(1.0)
    ear.begins("music", "", 0.0, 1.0).ends(3.5)
    ear.begins("phrase", "connected", 4.0, 4.0).ends(4.0)  # begun and cut in the same moment
    ear.begins("phrase", "connected", 4.0, 4.0).ends(4.0 + SHORTEST_RECOGNISED_S - 0.1)
    ear.begins("unknown", "", 1.0, 5.0).ends(6.0)
    last = ear.begins("phrase", "change phone", 4.0, 7.0)
    ear.all_ends(11.0)
    last.ends(12.0)
    assert ear.heard() == (
        Heard("phrase", "greeting", 0.0, 1.0, 0.25, length=4.0),
        Heard("music", "", 1.0, 3.5, length=2.5),
        Heard("unknown", "", 4.0, 4.2, length=0.2),
        Heard("unknown", "", 5.0, 6.0, length=1.0),
        Heard("phrase", "change phone", 7.0, 11.0, 1.0, length=4.0),
    )
