from datetime import datetime

import pytest
import small_flows

from ivrflow.flow.model import CallFlow
from ivrflow.simulator.call_file import place_call
from ivrflow.simulator.caller import Vocabulary
from ivrflow.simulator.simulation import Simulation

TEN_IN_THE_MORNING = datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local to the flow


@pytest.fixture(scope="session")
def hotline() -> CallFlow:
    """A flow with a step of every kind; each phrase takes two seconds."""
    return small_flows.hotline()


@pytest.fixture(scope="session")
def vocabulary(hotline: CallFlow) -> Vocabulary:
    return Vocabulary.of(hotline)


@pytest.fixture
def call(hotline: CallFlow) -> Simulation:
    """A call that has just been answered: "good day", then the silent-call ladder of step welcome."""
    return place_call(hotline, TEN_IN_THE_MORNING)
