"""What the reader takes, the schema takes: a flow changed at random is never marked where `ivrflow check` is content."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ivrflow.flow.keys import grammar as g
from ivrflow.flow.keys.agents import AGENTS_SPEC, RECORDING_SPEC
from ivrflow.flow.keys.holiday_file import HOLIDAY_SPEC
from ivrflow.flow.keys.promises import PROMISE_SPEC
from ivrflow.flow.keys.queueing import ANNOUNCEMENT_SPEC, LEVEL_SPEC
from ivrflow.flow.keys.rules import ITEMS, RULE_SPEC, RUNG_SPEC
from ivrflow.flow.keys.standard import STANDARD_SPEC
from ivrflow.flow.keys.what_callers_leave import REVIEW_SPEC
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.forms import Key
from ivrflow.flow.reading.source import Items, Node, Table, Text

WHERE = Location("any.yaml", 1, 1)
KEYS: list[Key[object]] = [
    key
    for spec in (
        g.FLOW_SPEC, g.LIMITS_SPEC, AGENTS_SPEC, RECORDING_SPEC, LEVEL_SPEC, ANNOUNCEMENT_SPEC, REVIEW_SPEC, STANDARD_SPEC, RULE_SPEC, RUNG_SPEC, PROMISE_SPEC, HOLIDAY_SPEC,
        *(kind.spec for kind in g.STEP_KINDS), *(kind.exits for kind in g.STEP_KINDS if kind.exits),
    )
    for key in spec.keys
    # The items of these lists are read one by one afterwards, by their own keys, which are here too.
    if "$ref" not in str(key.schema) and key.kind.read is not ITEMS.read
]  # fmt: skip

VALIDATORS = [Draft202012Validator(dict(key.schema)) for key in KEYS]

words = st.sampled_from(
    [
        "agent",
        "main_menu",
        "1",
        "011",
        "1e3",
        "0x1",
        "3s",
        "500ms",
        "1m30s",
        "1.5s",
        "3",
        "2.5",
        "06:00",
        "22:15",
        "24:00",
        "mon-fri",
        "sat,sun",
        "workdays",
        "yes",
        "no",
        "true",
        "on",
        "speech",
        "key",
        "none",
        "#",
        "*",
        "silent_call.greeting",
        "house/menu",
        "gov12345/silent_call",
        "24h",
        "clock",
        "flow",
        "2027-02-06",
        "Asia/Shanghai",
        "先生",
        "UTC",
        "simplified",
        "new_year",
        "enquiry",
        "on_recurrence",
        "digits",
        "agents",
        "1-5",
        "90d",
        "https://crm.example/cases",
        "http://10.0.0.1:8080/a?b=c",
    ]
) | st.text(max_size=8)
texts = st.builds(lambda text, quoted: Text(text, WHERE, quoted), words, st.booleans())
nodes: st.SearchStrategy[Node] = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=3).map(lambda items: Items(tuple(items), WHERE)), max_leaves=4
)


def as_an_editor_reads(node: Node) -> object:
    match node:
        case Table(entries=entries):
            return {entry.key.text: as_an_editor_reads(entry.value) for entry in entries}
        case Items(items=items):
            return [as_an_editor_reads(item) for item in items]
        case Text(text=text, quoted=False):
            if re.fullmatch(r"[-+]?[0-9]+", text, flags=re.ASCII):
                return int(text)
            if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text, flags=re.ASCII):
                return float(text)
            return {"true": True, "false": False}.get(text, text)
        case Text(text=text):
            return text
        case _:
            raise AssertionError(node)


@settings(max_examples=3000, deadline=None)
@given(position=st.integers(0, len(KEYS) - 1), node=nodes)
def test_what_the_reader_takes_the_schema_takes(position: int, node: Node) -> None:
    key = KEYS[position]
    if isinstance(node, Text) and node.text.lower() in {"null", "~"}:
        return  # an editor reads them as nothing; nobody calls a step so
    problems = ProblemList()
    key.kind.read(node, problems)
    if not problems.errors:
        data = as_an_editor_reads(node)
        faults = [fault.message for fault in VALIDATORS[position].iter_errors(data)]
        assert faults == [], f"{key.name}: {data!r}"
