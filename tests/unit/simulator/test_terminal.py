import fcntl
import io
import json
import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from simulated_calls import VOCABULARY, a_call

from ivrflow.simulator.caller_commands import Bare, Press, Stay
from ivrflow.simulator.simulation import Simulation
from ivrflow.simulator.terminal import Teller, Terminal, as_data, where_it_stands


def through_a_pipe(text: str, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    call = a_call()
    terminal = Terminal(call, VOCABULARY, Teller(call))
    terminal.converse()
    return terminal


def test_commands_come_through_a_pipe_and_the_caller_then_stays_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = through_a_pipe("/listen\n0   # the agent\n# nothing but a comment\n\n", monkeypatch)
    assert terminal.commands == [Bare.LISTEN, Press("0"), Bare.NEXT]
    assert terminal.simulation.is_over
    terminal.teller.tell_end()
    out = capsys.readouterr().out
    assert "caller   presses 0" in out
    assert "> " not in out, "a pipe sees no prompt"
    assert out.count("calls 12345") == 1


def test_each_happening_is_told_as_soon_as_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    call = a_call()
    terminal = Terminal(call, VOCABULARY, Teller(call))
    terminal.do(Stay(2.0))
    assert "says greeting" in capsys.readouterr().out
    terminal.do(Bare.LISTEN)
    out = capsys.readouterr().out
    assert "waits 3s" in out
    assert "says greeting" not in out


def test_a_line_that_is_no_command_is_reported_with_its_number_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = through_a_pipe("/listen\n/hangupp\n0\n/quit\n9\n", monkeypatch)
    assert terminal.mistakes == 1
    assert terminal.commands == [Bare.LISTEN, Press("0")]
    assert not terminal.simulation.is_over
    err = capsys.readouterr().err
    assert err == "<stdin>:2:1: '/hangupp' is no command\n    hint: did you mean '/hangup'?\n"


def test_help_and_where_are_answered_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = through_a_pipe("/help\n/listen\n/where\n/done\n/quit\n", monkeypatch)
    assert terminal.commands == [Bare.LISTEN, Bare.DONE]
    out = capsys.readouterr().out
    assert "/situation NAME" in out
    assert "    conversing, welcome: waiting for the rung's wait, 3s left\n" in out
    assert "    not done: no task is asked for\n" in out


def test_where_a_call_stands() -> None:
    call = a_call()
    assert where_it_stands(call) == ("conversing, hours: waiting for the prompt to end, 5s left; ends by itself in 2s")
    call.run_out()
    assert where_it_stands(call) == "the call is over: hung_up"


def test_the_end_tells_the_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    call = a_call()
    call.run_out()
    Teller(call).tell_end()
    out = capsys.readouterr().out
    assert "\nkept      gov/silent_call:" in out
    assert "not over" not in out


def test_a_call_that_was_left_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Teller(a_call()).tell_end()
    assert "the call is not over" in capsys.readouterr().out


def test_programs_get_json_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    call = a_call()
    teller = Teller(call, as_json=True)
    call.run_out()
    teller.tell()
    teller.tell_end()
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert data["outcome"] == "hung_up"
    assert data["happenings"][0]["event"]["type"] == "call_arrived"
    assert data["broken"] == []
    assert {verdict["judgement"] for verdict in data["verdicts"]} == {"kept", "not applicable"}
    assert "calls 12345" in err


def test_what_programs_get_is_whole() -> None:
    call = a_call()
    call.run_out()
    assert len(as_data(call)["verdicts"]) == len(call.session.flow.standard.rules)  # type: ignore[arg-type]  # an object to mypy


def at_a_terminal(keys: bytes, tmp_path: Path) -> tuple[str, int]:
    """What a person sees who types `keys` at a real terminal, and the exit code."""
    program = tmp_path / "talk.py"
    program.write_text(
        "from simulated_calls import VOCABULARY, a_call\n"
        "from ivrflow.simulator.terminal import Teller, Terminal\n"
        "call = a_call()\n"
        "terminal = Terminal(call, VOCABULARY, Teller(call))\n"
        "terminal.converse()\n"
        "terminal.teller.tell_end()\n"
    )
    outer, inner = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, str(program)],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it, as from a keyboard
    )
    os.close(inner)
    seen = b""
    typed = False
    while True:
        if typed and not select.select([outer], [], [], 2.0)[0]:
            os.write(outer, keys[-1:])  # a Ctrl-C that fell between two reads of the keyboard; a person presses again
        try:
            piece = os.read(outer, 65536)
        except OSError:  # the other end is closed: the program has ended
            break
        if not piece:
            break
        seen += piece
        if not typed and b"> " in seen:
            os.write(outer, keys)
            typed = True
    os.close(outer)
    return seen.decode(), process.wait(10)


@pytest.mark.parametrize("leaving", [b"/quit\r", b"\x04", b"\x03"], ids=["quit", "ctrl-d", "ctrl-c"])
def test_a_person_can_leave_in_three_ways(leaving: bytes, tmp_path: Path) -> None:
    seen, code = at_a_terminal(leaving, tmp_path)
    assert "Type keys or /help" in seen
    assert "the call is not over" in seen
    assert "Traceback" not in seen
    assert code == 0


def test_a_person_types_and_the_call_ends(tmp_path: Path) -> None:
    seen, code = at_a_terminal(b"\r\r/nonsense\r/hangup\r", tmp_path)
    assert "hint: " in seen
    assert "caller   hangs up" in seen
    assert "4.00  > " in seen, "the prompt tells the second"
    assert code == 0


def test_a_pending_simulation_is_left_alone() -> None:
    call: Simulation = a_call()
    Terminal(call, VOCABULARY, Teller(call)).do(Bare.WHERE)
    assert call.now == 0.0
