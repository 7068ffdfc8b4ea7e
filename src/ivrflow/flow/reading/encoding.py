"""The bytes of a file people edit, as text: UTF-8, at most a megabyte; whatever is wrong with that is said in one go."""

from __future__ import annotations

from ivrflow.flow.problems import Location, ProblemList

SIZE_LIMIT = 1_000_000
"""Bytes (or characters) a file may have. The largest real one has 45,000."""

_PLACES_SHOWN = 10
_MARKS = (  # the longer one first: UTF-32's begins like UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)


def too_large(size: int, file: str, problems: ProblemList) -> bool:
    """Note a file of `size` bytes that is over the limit, without looking into it."""
    if size <= SIZE_LIMIT:
        return False
    problems.error(
        Location(file, 1, 1),
        f"the file has {size / 1e6:.1f} MB; at most {SIZE_LIMIT / 1e6:g} MB are read",
        "a call flow is a page of text; is this the right file?",
    )
    return True


def decode(data: bytes, file: str, problems: ProblemList) -> str | None:
    """The text of `data`, or None when there is no point in reading on.

    After a problem the text is what the author most likely sees, so that reading on finds the other problems too.
    """
    if too_large(len(data), file, problems):
        return None
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            problems.error(Location(file, 1, 1), f"the file is written in {name}", "save it as UTF-8")
            return data.decode(codec, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_anyway(data, file, problems)


def _decode_anyway(data: bytes, file: str, problems: ProblemList) -> str:
    guess = data.decode("utf-8", errors="replace")
    bad = guess.count("\ufffd")
    good = sum(character > "\x7f" for character in guess) - bad
    if bad > max(good, 2):  # a stray byte or two is damage, not another encoding
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            pass
        else:
            where = _places(data, file)[0][0]
            problems.error(where, "the file is not UTF-8; it looks like GB18030 (GBK)", "save it as UTF-8")
            return text
    for where, byte in _places(data, file):
        problems.error(
            where, f"byte 0x{byte:02x} is not UTF-8", "save the file as UTF-8 and write this character again"
        )
    return guess


def _places(data: bytes, file: str) -> list[tuple[Location, int]]:
    """The first bad byte of each line, for the first ten such lines."""
    places: list[tuple[Location, int]] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode("utf-8")) + 1
            places.append((Location(file, number, column), line[error.start]))
            if len(places) == _PLACES_SHOWN:
                break
    return places
