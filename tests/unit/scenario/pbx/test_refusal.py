"""Why a call came to nothing."""

import pytest

from ivrflow.scenario.pbx.refusal import why_no_call
from ivrflow.softphone.call import CallRefused, NoAnswer, PhoneError


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            CallRefused(404, "Not Found"),
            "the call was refused: 404 Not Found: usually the PBX does not know the number that was dialled",
        ),
        (
            CallRefused(488, "Not Acceptable Here"),
            "the call was refused: 488 Not Acceptable Here: usually the PBX speaks none of the codecs this phone offers",
        ),
        (CallRefused(499, ""), "the call was refused: 499"),
        (NoAnswer("not answered in 20 s"), "the call came to nothing: not answered in 20 s"),
    ],
)
def test_one_sentence_each(problem: PhoneError, sentence: str) -> None:
    assert why_no_call(problem) == sentence
