"""The engine's side of a call, out of its journal."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from made_results import FLOW, a_scenario

from ivrflow.engine.messages import CallArrived
from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.model import PromptCatalogue
from ivrflow.runtime.journal_reader import MASK, CallSummary, Happening, NoSuchCallError, StoredCall
from ivrflow.scenario.pbx.engine_side import from_journal
from ivrflow.scenario.script import HungUpFirst

CALL = "pbx-1.1"
REAL_TIME = 1_000_000.0
ENGINE_TIME = 7000.0
"""When the call arrived, on the monotonic clock of the engine's machine."""

ELSEWHERE = (90.0, 91.0)
"""When the phone dialled and was answered, on the clock of another machine."""

TRACE = (
    TraceLine(0.0, Fact.ARRIVED),
    TraceLine(0.25, Fact.ANSWERED),
    TraceLine(3.0, Fact.KEY_PRESSED, key="42"),
    TraceLine(5.0, Fact.ENDED),
)
VERDICTS = (Verdict("house/hello", Judgement.KEPT, "say", "said"),)


def stored(*, outcome: str | None = "hung_up", ended_by: str | None = "ivrflow", at: float = REAL_TIME) -> StoredCall:
    return StoredCall(
        summary=CallSummary(CALL, FLOW.id, REAL_TIME, 5.0, "•••", outcome, ended_by, (), ()),
        source={},
        prompts=PromptCatalogue({}),
        phrases={},
        happenings=(Happening(1, ENGINE_TIME, CallArrived(number="1", arrived_at=at), ()),),
        missing=0,
        trace=TRACE if outcome else (),
        verdicts=VERDICTS if outcome else (),
    )


@dataclass
class Journal:
    """Answers each look with the next of what it has, the last one again and again."""

    answers: list[StoredCall | None]
    asked: list[str] = field(default_factory=list)

    def call(self, wanted: str) -> StoredCall:
        self.asked.append(wanted)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise NoSuchCallError(f"no call is called '{wanted}'")
        return answer


async def test_it_waits_for_the_ending_and_masks_keys() -> None:
    journal = Journal([None, stored(outcome=None, ended_by=None), stored()])
    told = await from_journal(journal, CALL, a_scenario(), ELSEWHERE, 5.0)
    assert journal.asked == [CALL] * 3
    assert (told.leak, told.trouble) == ("", "")
    side = told.side
    assert side is not None
    assert (side.call, side.answered_at, side.outcome, side.hung_up_first) == (CALL, 0.25, "hung_up", "ivrflow")
    assert side.verdicts == VERDICTS
    assert [line.at for line in side.trace] == [line.at for line in TRACE]
    assert [line.key for line in side.trace if line.key] == [MASK * 2]


@pytest.mark.parametrize(("ended_by", "first"), [("caller", "caller"), ("agent", "agent"), ("", "nobody")])
async def test_who_hung_up_first(ended_by: str, first: HungUpFirst) -> None:
    told = await from_journal(Journal([stored(ended_by=ended_by)]), CALL, a_scenario(), ELSEWHERE, 5.0)
    assert told.side is not None
    assert told.side.hung_up_first == first


async def test_a_call_the_engine_does_not_let_go_of() -> None:
    began = time.monotonic()
    told = await from_journal(Journal([stored(outcome=None, ended_by=None)]), CALL, a_scenario(), ELSEWHERE, 0.3)
    assert time.monotonic() - began >= 0.3
    assert told.side is None
    assert told.leak == "the engine still holds the call 0.3 s after its end"


async def test_a_call_the_journal_has_never_heard_of() -> None:
    told = await from_journal(Journal([None]), CALL, a_scenario(), ELSEWHERE, 0.0)
    assert told.side is None
    assert told.trouble.startswith("the journal does not know this call: ")


async def test_an_engine_that_does_not_believe_the_scenarios_clock() -> None:
    scenario = replace(a_scenario(), at=datetime.fromisoformat("2026-11-20T22:00"))
    wrong = await from_journal(Journal([stored()]), CALL, scenario, ELSEWHERE, 0.0)
    assert wrong.trouble == (
        "the engine went by its own clock, not by the scenario's 2026-11-20 22:00: "
        "start the engine with IVRFLOW_TEST_CALLS=yes"
    )
    assert wrong.side is not None
    believed = datetime.fromisoformat("2026-11-20T22:00").replace(tzinfo=FLOW.timezone).timestamp()
    right = await from_journal(Journal([stored(at=believed)]), CALL, scenario, ELSEWHERE, 0.0)
    assert right.trouble == ""


@pytest.mark.parametrize(
    ("phone", "answered_at"),
    [((ENGINE_TIME - 0.02, ENGINE_TIME + 0.003), 0.003), (ELSEWHERE, 0.25), ((ENGINE_TIME + 1, ENGINE_TIME + 2), 0.25)],
)
async def test_an_engine_on_the_same_machine_goes_by_the_same_clock(
    phone: tuple[float, float], answered_at: float
) -> None:
    told = await from_journal(Journal([stored()]), CALL, a_scenario(), phone, 0.0)
    assert told.side is not None
    assert told.side.answered_at == pytest.approx(answered_at)
