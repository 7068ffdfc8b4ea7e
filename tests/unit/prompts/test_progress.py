import pytest

from ivrflow.prompts.progress import shown


def test_away_from_a_terminal_a_line_now_and_then_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with shown("recording") as report:
        for done in range(1, 101):
            report(done, 100, f"prompt{done}")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [f"recording {done}/100 prompt{done}" for done in range(10, 101, 10)]


def test_on_a_terminal_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with shown("recording") as report:
        report(1, 2, "one")
        report(2, 2, "two")
    out, err = capsys.readouterr()
    assert out == ""
    assert "2/2" in err
