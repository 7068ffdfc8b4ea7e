"""Whatever the engine can say, the journal gives back exactly: every message with every value, every time."""

import itertools
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from ivrflow.engine.messages import Action, CallEvent
from ivrflow.engine.trace import TraceLine, Verdict, WaitSeen
from ivrflow.flow.model import CallFlow, HangUp, Limits, PromptCatalogue, Standard
from ivrflow.flow.problems import Location
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.runtime.journal_store import Arrived, CallKnown, Entry, Happened, JournalStore, Over, to_row

PLACE = Location("x.yaml", 1, 1)
FLOW = CallFlow(
    id="any",
    title="any",
    numbers=(),
    standard=Standard("any", "any", "", PLACE, {}, {}),
    start="hang_up",
    steps={"hang_up": HangUp("hang_up", PLACE, "done")},
    outcomes={},
    situations={},
    phrases={},
    prompts=PromptCatalogue(),
    limits=Limits(),
    timezone=UTC,
    where=PLACE,
)

seconds = st.floats(allow_nan=False, allow_infinity=False)  # compared with ==: exact, but for the sign of zero
whole = st.integers(-(2**63), 2**63 - 1)


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a message type."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: any_value(hints[field.name]) for field in structs.fields(kind)})


def any_value(hint: Any) -> st.SearchStrategy[Any]:
    """Any value a field may have; numbers as far as JSON has them."""
    known = {
        float: seconds,
        int: whole,
        float | None: st.none() | seconds,
        tuple[int, ...]: st.lists(whole, max_size=4).map(tuple),
    }
    if hint == tuple[WaitSeen, ...]:
        return st.lists(any_of(WaitSeen), max_size=3).map(tuple)
    return known[hint] if hint in known else st.from_type(hint)


events = st.one_of([any_of(kind) for kind in get_args(CallEvent)])
actions = st.one_of([any_of(kind) for kind in get_args(Action)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journal")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[JournalStore]:
    store = JournalStore(f"sqlite:///{folder}/journal.sqlite")
    yield store
    store.close()


_call_ids = (f"call {n}." for n in itertools.count())


@settings(max_examples=100, deadline=None)
@given(
    happened=st.lists(st.tuples(seconds, events, st.lists(actions, max_size=4)), max_size=6),
    trace=st.lists(any_of(TraceLine), max_size=4),
    verdicts=st.lists(any_of(Verdict), max_size=4, unique_by=lambda verdict: verdict.rule),
    outcome=st.text(),
    arrived_at=seconds,
)
def test_what_goes_in_comes_out(
    store: JournalStore,
    folder: Path,
    happened: list[tuple[float, CallEvent, list[Action]]],
    trace: list[TraceLine],
    verdicts: list[Verdict],
    outcome: str,
    arrived_at: float,
) -> None:
    call = CallKnown(next(_call_ids), FLOW, arrived_at)
    lines = [Happened(call, n, at, event, actions) for n, (at, event, actions) in enumerate(happened, 1)]
    entries: list[Entry] = [Arrived(call), *lines, Over(call, len(lines), outcome, "", trace, verdicts)]
    store.write([to_row(entry) for entry in entries])
    stored = JournalReader(f"sqlite:///{folder}/journal.sqlite", show_personal=True).call(call.id)
    assert [(line.at, line.event, list(line.actions)) for line in stored.happenings] == happened
    assert list(stored.trace) == trace
    assert list(stored.verdicts) == verdicts
    assert (stored.summary.outcome, stored.summary.arrived_at) == (outcome, arrived_at)
