import pytest

from ivrflow.flow.problems import ProblemList
from ivrflow.flow.reading.encoding import SIZE_LIMIT, decode, too_large


def decoded(data: bytes) -> tuple[str | None, list[str]]:
    problems = ProblemList()
    text = decode(data, "a.yaml", problems)
    return text, [str(problem).partition("\n")[0] for problem in problems.problems]


def test_utf8_is_read_as_it_is() -> None:
    assert decoded("您好\n".encode()) == ("您好\n", [])


def test_ten_megabytes_are_refused_without_looking_inside() -> None:
    text, told = decoded(b"\xff" * 10_000_000)

    assert text is None
    assert told == ["a.yaml:1:1: the file has 10.0 MB; at most 1 MB are read"]


def test_the_limit_itself_is_allowed() -> None:
    problems = ProblemList()

    assert not too_large(SIZE_LIMIT, "a.yaml", problems)
    assert too_large(SIZE_LIMIT + 1, "a.yaml", problems)


@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-16-be", b"\xfe\xff", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "UTF-32"),
    ],
)
def test_wide_encodings_are_named_and_still_read(codec: str, mark: bytes, name: str) -> None:
    text, told = decoded(mark + "flow: 您好".encode(codec))

    assert text == "flow: 您好"
    assert told == [f"a.yaml:1:1: the file is written in {name}"]


def test_gbk_is_recognised_and_still_read() -> None:
    text, told = decoded("flow: a\ntitle: 政府服务热线\n".encode("gb18030"))

    assert text == "flow: a\ntitle: 政府服务热线\n"
    assert told == ["a.yaml:2:8: the file is not UTF-8; it looks like GB18030 (GBK)"]


def test_a_damaged_byte_has_its_line_and_column_in_characters() -> None:
    text, told = decoded("一: 二\n您好".encode() + b"\x80 x\n")

    assert text == "一: 二\n您好\ufffd x\n"
    assert told == ["a.yaml:2:3: byte 0x80 is not UTF-8"]


def test_at_most_ten_damaged_lines_are_listed() -> None:
    _, told = decoded("您".encode() * 100 + b"\n\xff" * 50)

    assert len(told) == 10
