from dataclasses import replace

from little_centre import CENTRE, HOTLINE, NOTICE

from ivrflow.scenario.language.phrases_said import heard_by_agents, ladders_climbed, said_besides_ladders, said_by


def test_a_caller_hears_announcements_thanks_questions_and_fillers() -> None:
    assert said_by(CENTRE) == {
        *("house/connecting", "house/wrong_key", "house/too_few", "house/ask_number"),
        *("tiny/hello", "tiny/anything_else.ask", "tiny/closing.thanks"),
    }
    assert "house/menu" not in said_by(CENTRE), "only the colleague hears who is coming"


def test_what_stands_on_no_rung() -> None:
    assert said_besides_ladders(CENTRE) == {"house/connecting", "tiny/hello", "house/too_few", "house/ask_number"}
    assert said_besides_ladders(HOTLINE) == {"house/wrong_key", "house/ask_number", "house/too_few", "house/connecting"}


def test_announcements_of_a_queue_are_climbed() -> None:
    assert [ladder.name for ladder in ladders_climbed(CENTRE)] == ["ladder", "bye"]


def test_an_agent_hears_the_whisper_the_thanks_and_what_is_played_to_both() -> None:
    assert heard_by_agents(CENTRE) == {"house/connecting", "house/menu", "house/too_few", "tiny/hello"}
    assert "house/connecting" not in heard_by_agents(HOTLINE), "it is said before the agent is there"
    assert "tiny/noise.louder" in heard_by_agents(HOTLINE), "a situation is played to both"


def test_the_notice_of_a_recording_is_heard() -> None:
    recorded = replace(CENTRE, recording=NOTICE)

    assert "house/morning" in said_by(recorded)
    assert "house/morning" in heard_by_agents(recorded), "by an agent who hands the caller over"
    assert "house/morning" not in heard_by_agents(replace(HOTLINE, recording=NOTICE))
