"""What is dialled and keyed: nothing gets through that means something in a dial string."""

from __future__ import annotations

import re

import pytest

from ivrflow.flow.notations import CODE, EXTENSION, QUEUE
from ivrflow.flow.reading.reader import LONGEST_NAME


@pytest.mark.parametrize(
    ("notation", "written"),
    [
        (CODE, "*80"),
        (EXTENSION, "1"),
        (EXTENSION, "0" * 20),
        (QUEUE, "agents"),
        (QUEUE, "general_2"),
        (QUEUE, "generals"),
        (QUEUE, "a-1"),
        (QUEUE, "a" * LONGEST_NAME),
    ],
)
def test_what_is_written_so(notation: re.Pattern[str], written: str) -> None:
    assert notation.fullmatch(written)


@pytest.mark.parametrize(
    ("notation", "written"),
    [
        (CODE, "*8"),
        (CODE, "*800"),
        (CODE, "80"),
        (CODE, "*８０"),
        (CODE, "*80\n"),
        (EXTENSION, ""),
        (EXTENSION, "0" * 21),
        (EXTENSION, "１００１"),
        (EXTENSION, "1001\n"),
        (EXTENSION, "1001&1002"),
        (QUEUE, "h"),
        (QUEUE, "general"),
        (QUEUE, "general\n"),
        (QUEUE, "Agents"),
        (QUEUE, "agents,r"),
        (QUEUE, "a" * (LONGEST_NAME + 1)),
    ],
)
def test_what_is_not(notation: re.Pattern[str], written: str) -> None:
    assert not notation.fullmatch(written)
