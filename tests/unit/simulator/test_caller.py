import pytest
from simulated_calls import HOTLINE

from ivrflow.flow.problems import Location
from ivrflow.simulator.caller import SPEECH_S, Mistake, Vocabulary, read_command
from ivrflow.simulator.caller_commands import Bare, Command, LearnValue, Press, Speak, Stay

KNOWN = Vocabulary({"noise", "harassment"}, {"understood"}, {"honorific"}, {"1001"})


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("1", Press("1")),
        ("#", Press("#")),
        ("  123#  ", Press("123#")),
        ("*0#", Press("*0#")),
        ("#1", Press("#1")),
        ("1#2", Press("1#2")),
        ("1 # consult", Press("1")),
        ("12#\t# the number and its end key", Press("12#")),
        ("", Bare.NEXT),
        ("   ", Bare.NEXT),
        ("/next", Bare.NEXT),
        ("/silence", Stay(None)),
        ("/silence 1.5s  # a while", Stay(1.5)),
        ("/speech", Speak(SPEECH_S)),
        ("/speech 500ms", Speak(0.5)),
        ("/value honorific = 女士", LearnValue("honorific", "女士")),
        ("/value honorific=a=b", LearnValue("honorific", "a=b")),
        ("# only a comment", None),
        ("#\ttoo", None),
        ("   # indented", None),
    ],
)
def test_lines_that_mean_something(line: str, command: Command | None) -> None:
    assert read_command(line, KNOWN) == command


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("hello", "'hello' is neither keys nor a command", "/help"),
        ("#comment", "'#' is a key here", "put a blank behind"),
        ("1 2 3", "'1 2 3' is not how keys are written", "write 123"),
        ("12a", "'12a' is not how keys are written", "write 12A"),
        ("١", "neither keys nor a command", "0-9"),
        ("/", "'/' is no command", "known here"),
        ("/hangupp", "'/hangupp' is no command", "did you mean '/hangup'?"),
        ("/Silence", "'/Silence' is no command", "did you mean '/silence'?"),
        ("/hangup now", "'/hangup' stands alone", "leave out 'now'"),
        ("/silence 5", "'5' has no unit", "5s"),
        ("/speech long", "'long' is not a duration", "500ms"),
        ("/situation", "which situation?", "harassment, noise"),
        ("/situation nois", "no situation 'nois'", "did you mean 'noise'?"),
        ("/signal understod", "no signal 'understod'", "did you mean 'understood'?"),
        ("/value honorific", "not NAME=VALUE", "honorific=女士"),
        ("/value =x", "which placeholder?", "honorific"),
        ("/value name=x", "no placeholder 'name'", "honorific"),
        ("/agent 1002 busy", "no extension '1002'", "1001"),
        ("/agent", "nothing is said about the agent", "answers"),
    ],
)
def test_lines_that_do_not(line: str, message: str, hint: str) -> None:
    with pytest.raises(Mistake) as mistaken:
        read_command(line, KNOWN)
    assert message in mistaken.value.message
    assert hint in mistaken.value.hint


def test_a_mistake_is_a_problem_once_it_has_a_place() -> None:
    problem = Mistake("wrong", "write right").at(Location("x.call", 7, 1))
    assert str(problem) == "x.call:7:1: wrong\n    hint: write right"


def test_the_flow_knows_its_names() -> None:
    known = Vocabulary.of(HOTLINE)
    assert {"noise", "short_lookup", "agreement"} <= set(known.situations)
    assert {"speech", "audible", "caller_has_request", "lookup_done"} <= set(known.signals)
    assert set(known.extensions) == {"1001"}


@pytest.mark.parametrize("line", ["x" * 5000, "/" + "x" * 5000, "1 " * 2500])
def test_a_line_of_garbage_is_not_repeated_in_full(line: str) -> None:
    with pytest.raises(Mistake) as told:
        read_command(line, KNOWN)
    assert all(len(text) < 200 for text in told.value.args)
