"""When a scenario's steps are due, as the simulator predicts."""

from ivrflow.scenario.load.timetable import Timetable, timetable
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import play


def table_of(scenario: Scenario) -> Timetable:
    """The timetable of one call."""
    return timetable(scenario, play(scenario))
