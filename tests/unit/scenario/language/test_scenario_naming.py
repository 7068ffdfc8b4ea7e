from hotline_scenarios import GOV, HOTLINE
from small_flows import hotline

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import Named
from ivrflow.scenario.language.naming import Naming, phrase_seconds
from ivrflow.scenario.language.phrases_said import said_by

HERE = Location("x.yaml", 1, 1)


def test_everything_a_call_can_say_is_known() -> None:
    said = said_by(hotline())

    assert {"good day", "connecting", "received", "one moment", "nobody there"} <= said


def test_what_no_step_leads_to_is_not_said_except_by_the_pbx() -> None:
    naming = Naming.of(GOV, ProblemList())

    assert "house/fallback.apology" in naming.phrases
    assert "house/menu.invalid" in naming.phrases
    assert "house/closing.please_hang_up" in naming.phrases
    assert "gov12345/praise.alt2" not in naming.phrases, "the engine says the first wording only"


def test_names_are_long_for_programs_and_short_for_people() -> None:
    naming = Naming.of(HOTLINE, ProblemList())

    assert naming.phrase(Named("hello", HERE)) == "tiny/hello"
    assert naming.phrase(Named("house/menu", HERE)) == "house/menu"
    assert naming.rule(Named("silent", HERE)) == naming.rule(Named("tiny/silent", HERE)) == "tiny/silent"
    assert naming.short("tiny/hello") == "hello"
    assert naming.short("house/menu") == "house/menu"
    assert naming.problems.problems == []


def test_outcomes_are_the_flows_and_the_engines() -> None:
    naming = Naming.of(HOTLINE, ProblemList())

    assert naming.outcomes == {
        "hung_up",
        "caller_hung_up",
        "closed_by_ivrflow",
        "call_too_long",
        "line_lost",
        "handed_to_fallback",
    }


def test_a_value_may_be_anything_where_the_standard_lists_none() -> None:
    problems = ProblemList()
    naming = Naming.of(GOV, problems)

    assert naming.value(Named("surname", HERE), Named("欧阳", HERE))
    assert naming.value(Named("honorific", HERE), Named("女士", HERE))
    assert not naming.value(Named("honorific", HERE), Named("欧阳", HERE))
    assert "欧阳" not in str(problems.problems), "it may be somebody's name"


def test_a_phrase_is_as_long_as_its_recording_else_as_its_wording() -> None:
    recorded = GOV.prompts.best(GOV.phrases["house/menu.main"], {})

    assert recorded
    assert phrase_seconds(GOV, "house/menu.main") == recorded.seconds
    assert phrase_seconds(HOTLINE, "tiny/result") == 1.98, "nine characters, said without a value"
