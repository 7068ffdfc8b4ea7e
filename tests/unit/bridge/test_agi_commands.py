import pytest
from agi_argument_model import application_arguments, words

from ivrflow.bridge import agi_commands as agi


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (agi.answer(), b"ANSWER\n"),
        (agi.hangup(), b"HANGUP\n"),
        (agi.noop(), b"NOOP\n"),
        (agi.noop("mark 7"), b'NOOP "mark 7"\n'),
        (agi.stream_file("/p/zh/hello"), b'STREAM FILE "/p/zh/hello" ""\n'),
        (agi.stream_file("hello", "12#", 800), b'STREAM FILE "hello" "12#" "800"\n'),
        (agi.wait_for_digit(3000), b'WAIT FOR DIGIT "3000"\n'),
        (agi.set_variable("TALK_DETECT(set)", "300,512"), b'SET VARIABLE "TALK_DETECT(set)" "300,512"\n'),
        (agi.get_variable("DIALSTATUS"), b'GET VARIABLE "DIALSTATUS"\n'),
        (agi.get_full_variable("${CHANNEL(state)}"), b'GET FULL VARIABLE "${CHANNEL(state)}"\n'),
        (agi.get_full_variable("${X}", "PJSIP/a-1"), b'GET FULL VARIABLE "${X}" "PJSIP/a-1"\n'),
        (agi.exec_("Bridge", "PJSIP/1001-0000002a"), b'EXEC "Bridge" "PJSIP/1001-0000002a"\n'),
        (agi.set_music("default"), b'SET MUSIC ON "default"\n'),
        (agi.set_music(None), b"SET MUSIC OFF\n"),
    ],
)
def test_goes_on_the_wire_as_asterisk_reads_it(command: agi.Command, line: bytes) -> None:
    assert command.line == line


def test_kinds_tell_what_a_reply_can_look_like() -> None:
    assert agi.stream_file("x").kind is agi.CommandKind.PLAYBACK
    assert agi.wait_for_digit(1).kind is agi.CommandKind.WAIT
    assert agi.exec_("Wait", "1").kind is agi.CommandKind.APPLICATION
    assert agi.answer().kind is agi.CommandKind.PLAIN


@pytest.mark.parametrize("text", ["", " ", 'a"b', "a\\", '\\"', "你好, 世界", "a\u00a0b", "${X}", "a b"])
def test_any_text_stays_one_argument(text: str) -> None:
    assert words(agi.set_variable("NAME", text).line) == ["SET", "VARIABLE", "NAME", text]


@pytest.mark.parametrize("text", ["a\nHANGUP", "a\rb", "a\x00b", "\x1b", "a\tb", "\x7f", "\ud800"])
def test_a_character_that_could_end_the_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot hold the character"):
        agi.set_variable("NAME", text)


def test_a_refusal_does_not_repeat_the_text() -> None:
    with pytest.raises(ValueError, match="position 11") as refusal:
        agi.set_variable("NUMBER", "13800138000\n")
    assert "138" not in str(refusal.value)


def test_application_arguments_stay_whole() -> None:
    arguments = ["a,b", 'c"d', "(e", "f]", "\\", "gm(default)"]
    last = words(agi.exec_("App", *arguments).line)[-1]
    assert application_arguments(last) == arguments


def test_the_longest_line_asterisk_reads() -> None:
    around = len(agi.set_variable("V", "").line)
    longest = agi.set_variable("V", "x" * (agi.MAX_COMMAND_BYTES - around))
    assert len(longest.line) == agi.MAX_COMMAND_BYTES
    with pytest.raises(ValueError, match="2048 bytes long; Asterisk reads at most 2047"):
        agi.set_variable("V", "x" * (agi.MAX_COMMAND_BYTES - around + 1))


def test_length_counts_bytes_not_characters() -> None:
    with pytest.raises(ValueError, match="bytes long"):
        agi.set_variable("V", "好" * 700)


def test_escape_digits_are_keys() -> None:
    with pytest.raises(ValueError, match="not keys of a telephone: \\['x'\\]"):
        agi.stream_file("hello", "1x")


def test_a_prompt_starts_at_or_after_its_beginning() -> None:
    with pytest.raises(ValueError, match="sample -1"):
        agi.stream_file("hello", offset=-1)


@pytest.mark.parametrize("milliseconds", [0, -1])
def test_a_wait_has_a_bound(milliseconds: int) -> None:
    with pytest.raises(ValueError, match="needs a bound"):
        agi.wait_for_digit(milliseconds)
