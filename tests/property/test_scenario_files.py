"""Whatever stands in a scenario file: problems with their places, or a scenario that is stable; nothing else, and quickly."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import load_flows
from ivrflow.scenario.language import agent_words, step_words
from ivrflow.scenario.language.phrases_said import said_by
from ivrflow.scenario.language.reading import load_scenarios, read_scenario
from ivrflow.scenario.script import Scenario

TOP = Path(__file__).parents[2]
FLOWS = load_flows([TOP / "tests" / "problems" / "flows" / "nothing_wrong.yaml"])
FILE = "one.yaml"
HEAD = "scenario: x\nflow: hotline\n"

few = settings(max_examples=150)
many = settings(max_examples=400)


def read(text: str) -> Scenario | None:
    """The scenario, or None when it has problems, each of them in its file."""
    try:
        return read_scenario(text, FILE, FLOWS)
    except FlowError as error:
        problems = error.problems
    assert problems
    for problem in problems:
        assert problem.where.file == FILE
        assert problem.where.line >= 1
        assert problem.where.column >= 1
        assert problem.message
    return None


@few
@given(data=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "any.yaml"
    path.write_bytes(data)

    with suppress(FlowError):
        load_scenarios([path], FLOWS)


# ── any YAML below any key ────────────────────────────────────────────────────────────────────────────────────────────

keys = st.sampled_from(
    ["scenario", "flow", "call", "at", "proves", "on", "why", "within", "background", "caller", "agents", "expect",
     "hung_up_first", "outcome", "verdicts", "never_hear", "heard_else", "lasts", "phrase", "keys", "1001", "x"]
)  # fmt: skip
words = st.sampled_from([word.name for word in (*step_words.STEP_WORDS, *agent_words.MANNERS)])
scalars = st.one_of(
    st.sampled_from(
        ["hello", "3s", "as the rule says", "2s-4s", "noise -40dB", "tone", "kept", "1001", "house/menu", "#"]
    ),
    st.from_regex(r"[-+]?[0-9]{0,9}[.:%/]?[0-9a-zA-Z]{0,6}", fullmatch=True),
    st.text(max_size=12),
    words,
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\n", " ") + "'"


def in_flow(value: object) -> str:
    match value:
        case list():
            return "[" + ", ".join(in_flow(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)}: {in_flow(item)}" for key, item in value.items()) + "}"
        case _:
            return quoted(str(value))


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | words | scalars, inner, max_size=3),
    max_leaves=12,
)


@many
@given(tables=st.dictionaries(keys, values, max_size=6))
def test_any_yaml(tables: dict[str, object]) -> None:
    read("".join(f"{key}: {in_flow(value)}\n" for key, value in tables.items()))
    read(
        HEAD + "".join(f"{key}: {in_flow(value)}\n" for key, value in tables.items() if key not in {"scenario", "flow"})
    )


@many
@given(steps=st.lists(st.dictionaries(words, values, min_size=1, max_size=2) | words, max_size=8))
def test_any_steps(steps: list[object]) -> None:
    written = "".join(f"  - {in_flow(step)}\n" for step in steps)
    read(f"{HEAD}caller:\n{written}")
    read(f'{HEAD}agents:\n  "1001":\n  - answers\n{written}')


def test_a_file_at_every_bound_is_read_quickly() -> None:
    for text in (
        HEAD + "caller:\n" + "  - hear: helo\n" * 400,
        HEAD + "caller:\n" + "  - {hear: hello}\n  - pause: as the rule says\n  - {hear: silent.again}\n" * 160,
        HEAD + "caller:\n" + "  - wait: 1s\n" * 60_000,
        HEAD + "x: " + "[" * 5000,
        HEAD + "title: " + "a" * 900_000,
        HEAD + "caller: [press: '" + "1" * 100_000 + "']",
        HEAD + "expect: {verdicts: {" + ", ".join(f"r{n}: kept" for n in range(10_000)) + "}}",
    ):
        began = time.process_time()
        read(text)
        assert time.process_time() - began < 10.0


# ── what reads is stable ──────────────────────────────────────────────────────────────────────────────────────────────

said = sorted(said_by(FLOWS["hotline"]))
seconds = st.integers(0, 90_000).map(lambda ms: f"{ms}ms")
good_steps = st.one_of(
    st.sampled_from(said).map(lambda phrase: f"hear: {phrase}"),
    st.sampled_from(said).map(lambda phrase: f"hear_start: {{phrase: {phrase}, at_most: 80%}}"),
    seconds.map(lambda length: f"wait: {length}"),
    st.text("0123456789*#", min_size=1, max_size=6).map(lambda pressed: f'press: "{pressed}"'),
    st.sampled_from(["pause: as the rule says", "pause: 2s-4s", "say: 2s", "situation: noise", "cancel", "done",
                     "background: breathing", "hold: 2s", "hear_music", "value: {topic: 路灯}", "signal: audible"]),
)  # fmt: skip


@many
@given(steps=st.lists(good_steps, max_size=10), hangs_up=st.booleans(), blank=st.integers(0, 3))
def test_a_scenario_that_reads_is_the_same_every_time(steps: list[str], hangs_up: bool, blank: int) -> None:
    lines = [f"  - {step}" for step in [*steps, *(["hang_up"] if hangs_up else [])]]
    text = HEAD + "caller:\n" + "\n".join(lines) + "\n"

    scenario = read(text)

    assert read(text) == scenario
    if scenario is None:
        return
    spaced = read(
        "# About it.\n" * bool(blank) + "\n" * blank + HEAD + "caller:\n" + "\n\n  # note\n".join(lines) + "\n"
    )
    assert spaced is not None
    assert [type(step) for step in spaced.caller] == [type(step) for step in scenario.caller]
    assert spaced.within == scenario.within
    assert scenario.within > 0
