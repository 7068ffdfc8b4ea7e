from dataclasses import replace
from datetime import UTC

from ivrflow.flow.model import CallFlow, CallRecording, HangUp, Limits, PromptCatalogue, Standard
from ivrflow.flow.problems import Location
from ivrflow.service.recordings_kept import recordings_kept

PLACE = Location("gov12345.yaml", 7, 1)
SILENT = CallFlow(
    id="gov12345",
    title="12345",
    numbers=("12345",),
    standard=Standard("gov12345", "12345", "", PLACE, {}, {}),
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


def test_only_flows_that_record_say_for_how_long() -> None:
    recorded = replace(SILENT, id="telecom", recording=CallRecording(PLACE, keep_days=30))
    assert recordings_kept([SILENT, recorded]) == {"telecom": 30}
