"""JSON Schema of scenario files, for editors; generated from the words and keys the reader reads by."""

from __future__ import annotations

from ivrflow.flow.reading.json_schema import Schema, document
from ivrflow.scenario.language.agent_words import MANNER_SCHEMA, QUEUE_SCHEMA
from ivrflow.scenario.language.grammar import SCENARIO_SPEC
from ivrflow.scenario.language.step_words import STEP_SCHEMA


def scenario_schema() -> Schema:
    """The schema of a scenario file."""
    about = (
        "A call as a tester writes it. `ivrflow scenario run` knows more than any editor: it looks whether the flow has"
        " what is named."
    )
    step = {"description": "What a telephone does or waits for.", **STEP_SCHEMA}
    manner = {"description": "What happens when the telephone rings.", **MANNER_SCHEMA}
    queue = {"description": "The queue whose calls the agent takes.", **QUEUE_SCHEMA}
    body = {**SCENARIO_SPEC.schema, "$defs": {"step": step, "manner": manner, "queue": queue}}
    return document("scenario", "ivrflow scenario", about, body)
