"""JSON Schemas of flow, standard and holiday files, for editors; generated from the keys the reader reads by.

`ivrflow schema --into schemas` renews the files in the repository; a test fails when they are stale.
"""

from __future__ import annotations

from typing import Any

from ivrflow.flow.keys import grammar as g
from ivrflow.flow.keys.holiday_file import HOLIDAY_SPEC
from ivrflow.flow.keys.standard import STANDARD_SPEC
from ivrflow.flow.reading.json_schema import Schema, document

RENDERED_FROM = "`ivrflow check` knows more than any editor: it looks whether what is named is there."


def flow_schema() -> Schema:
    """The schema of a file in `callflows/`."""
    # A step is told by its main key, so that an editor describes that kind of step and no other.
    mains = [kind.main.name for kind in g.STEP_KINDS]
    step: dict[str, Any] = {
        "type": "object",
        "description": f"A step is told by its first key, one of {', '.join(mains)}.",
        "allOf": [
            {"if": {"required": [kind.main.name]}, "then": {"$ref": f"#/$defs/{kind.main.name}"}}
            for kind in g.STEP_KINDS
        ],
        "oneOf": [{"required": [main]} for main in mains],
        "properties": {kind.main.name: {"description": kind.about} for kind in g.STEP_KINDS},
    }
    kinds = {kind.main.name: {"description": kind.about, **kind.spec.schema} for kind in g.STEP_KINDS}
    body = {**g.FLOW_SPEC.schema, "$defs": {"step": step, **kinds}}
    return document("flow", "ivrflow call flow", f"Where a caller goes. {RENDERED_FROM}", body)


def standard_schema() -> Schema:
    """The schema of a file in `callflows/standards/`."""
    about = f"What callers hear, how long is waited, who hangs up first. {RENDERED_FROM}"
    return document("standard", "ivrflow service standard or phrase file", about, STANDARD_SPEC.schema)


def holidays_schema() -> Schema:
    """The schema of the file with public holidays and moved working days."""
    about = f"Days off and working days that the published table does not know. {RENDERED_FROM}"
    return document("holidays", "ivrflow holiday file", about, HOLIDAY_SPEC.schema)
