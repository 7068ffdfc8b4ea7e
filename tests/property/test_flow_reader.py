"""No text and no bytes bring the reader down, whatever they are; what is put together from valid parts compiles."""

import contextlib
import string
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivrflow.flow.compiling.compiler import check_flow, compile_flow
from ivrflow.flow.compiling.glances import check_standard, is_flow, standards_named
from ivrflow.flow.compiling.routes import exits
from ivrflow.flow.model import HANG_UP, CallFlow
from ivrflow.flow.pages.drawing import draw_flow
from ivrflow.flow.problems import FlowError, Problem, ProblemList
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.reading.source import parse

CASES = Path(__file__).parents[1] / "problems"
GOOD = (CASES / "flows" / "nothing_wrong.yaml").read_text(encoding="utf-8")
WITH_AGENTS = (CASES / "flows" / "with_agents.yaml").read_text(encoding="utf-8")
STANDARDS = {
    f"callflows/standards/{name}.yaml": (CASES / "flows" / "standards" / f"{name}.yaml").read_text(encoding="utf-8")
    for name in ("tiny", "house", "service")
}
FLOW = "callflows/hotline.yaml"

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

# ── anything at all ───────────────────────────────────────────────────────────────────────────────────────────────────

YAML_SIGNS = [
    *"{}[]:,-?&*!|>'\"%@`#\n \t",
    *("- ", ": ", "\n  ", "&a ", "*a", "!!", "---\n", "...\n", "：", "\0", "\ufeff", "\u2028"),
]
WORDS = [
    "flow",
    "steps",
    "say",
    "menu",
    "on",
    "key",
    "then",
    "hang_up",
    "3s",
    "house/menu",
    "hello",
    "您好",
    "ladder",
    "silent",
    "hours",
]
texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from(YAML_SIGNS + WORDS), max_size=60).map("".join),
    st.text(alphabet=st.characters(codec=None, categories=None)),
)


def assert_useful(problems: tuple[Problem, ...], sources: Mapping[str, str]) -> None:
    """Every problem has words, and a place inside its file (or just behind its end)."""
    for problem in problems:
        assert problem.message
        assert "\n" not in problem.message
        lines = sources[problem.where.file].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert 1 <= problem.where.line <= len(lines) + 1
        line = lines[problem.where.line - 1] if problem.where.line <= len(lines) else ""
        assert 1 <= problem.where.column <= len(line) + 2


@quick
@given(texts)
def test_any_text_gives_a_flow_or_problems_with_places(text: str) -> None:
    sources = {FLOW: text, **STANDARDS}

    checked = check_flow(sources, FLOW)

    assert (checked.flow is None) == any(problem.severity == "error" for problem in checked.problems)
    assert_useful(checked.problems, sources)


@quick
@given(texts)
def test_any_text_as_a_standard_gives_a_standard_or_problems(text: str) -> None:
    standard, problems = check_standard(text, "x.yaml")

    assert (standard is None) == any(problem.severity == "error" for problem in problems)
    assert_useful(problems, {"x.yaml": text})


@quick
@given(texts)
def test_only_flow_errors_are_raised(text: str) -> None:
    standards_named(text, FLOW)
    is_flow(text, FLOW)
    with contextlib.suppress(FlowError):
        compile_flow({FLOW: text, **STANDARDS}, FLOW)


@quick
@given(
    st.binary()
    | st.binary().map(lambda tail: GOOD.encode()[:200] + tail)
    | texts.map(lambda text: text.encode("gb18030", "replace"))
)
def test_any_bytes_become_text_or_problems(data: bytes) -> None:
    problems = ProblemList()

    text = decode(data, FLOW, problems)

    if not problems.problems:
        assert text == data.decode("utf-8")
    assert text is not None
    check_flow({FLOW: text, **STANDARDS}, FLOW)


# ── a good flow, damaged ──────────────────────────────────────────────────────────────────────────────────────────────


@quick
@given(
    st.sampled_from([GOOD, WITH_AGENTS]).flatmap(lambda good: st.tuples(st.just(good), st.integers(0, len(good)))),
    st.integers(0, 12),
    st.sampled_from([*YAML_SIGNS, *WORDS, ""]),
)
def test_a_damaged_flow_is_never_a_traceback(place: tuple[str, int], cut: int, put: str) -> None:
    good, at = place
    sources = {FLOW: good[:at] + put + good[at + cut :], **STANDARDS}

    assert_useful(check_flow(sources, FLOW).problems, sources)


@quick
@given(st.data())
def test_a_damaged_line_is_where_the_problem_is_told(data: st.DataObject) -> None:
    """A step name replaced by an unknown one is told at exactly that name."""
    good = data.draw(st.sampled_from([GOOD, WITH_AGENTS]))
    words = ("agent", "main_menu", "bye", "wait_for_agent", "leave_message", "call_me_back", "ask_satisfaction")
    at, word = data.draw(st.sampled_from([place for word in words for place in _targets(good, word)]))
    text = good[:at] + "nowhere_at_all" + good[at + len(word) :]
    line, column = good[:at].count("\n") + 1, at - good[:at].rfind("\n")

    problems = check_flow({FLOW: text, **STANDARDS}, FLOW).problems

    assert (line, column) in {(problem.where.line, problem.where.column) for problem in problems}
    assert "there is no step 'nowhere_at_all'" in {problem.message for problem in problems}


def _targets(good: str, word: str) -> list[tuple[int, str]]:
    """Places where a step is referred to: after a colon and a blank."""
    found, at = [], good.find(f": {word}")
    while at >= 0:
        if good[at + 2 + len(word)] in "\n,}":
            found.append((at + 2, word))
        at = good.find(f": {word}", at + 1)
    return found


# ── flows put together from valid parts ───────────────────────────────────────────────────────────────────────────────

slugs = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=12).filter(
    lambda name: name[0] != "_" and name not in {"hang_up", "continue"}
)
durations = st.sampled_from(["500ms", "1s", "2.5s", "10s", "1m", "1m30s"])
phrases = st.sampled_from(["hello", "lookup.alt2", "house/menu", "house/morning", "tiny/closing.thanks", "result"])
phrase_lists = phrases | st.lists(phrases, min_size=1, max_size=3).map(lambda keys: f"[{', '.join(keys)}]")
clock = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda time: f"{time[0]:02}:{time[1]:02}")
days = st.sampled_from(["mon-fri", "[sat, sun]", "'mon,wed'", "mon-sun", "fri-mon", "[mon, wed]", "tue"])


def inputs(steps: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str]]:
    """`barge_in` and the entries of `on` that fit together."""
    keys = st.dictionaries(st.sampled_from("0123456789*#ABCD"), steps, min_size=1, max_size=4).map(
        lambda table: "{" + ", ".join(f'"{key}": {step}' for key, step in table.items()) + "}"
    )

    def joined(speech: str | None, key: str | None) -> tuple[str, str]:
        on = [f"speech: {speech}"] * (speech is not None) + [f"key: {key}"] * (key is not None)
        barge = ["speech"] * (speech is not None) + ["key"] * (key is not None)
        return f"[{', '.join(barge)}]", ", ".join(on)

    return st.builds(joined, st.none() | steps, st.none() | keys)


LEFT = ["record", "survey", "callback"]


@st.composite
def queue_texts(draw: st.DrawFn, steps: st.SearchStrategy[str], following: str) -> str:
    pauses = st.integers(2, 90)
    once = draw(st.lists(st.tuples(pauses, phrase_lists), max_size=3))
    around = draw(st.lists(st.tuples(pauses, phrase_lists), max_size=3))
    said = [f"{{after: {pause}s, say: {what}}}" for pause, what in once]
    said += [f"{{every: {pause}s, say: {what}}}" for pause, what in around]
    levels = draw(st.lists(st.integers(1, 599), max_size=3, unique=True).map(sorted))
    queues = ["{queue: agents}", *(f"{{queue: level{number}, after: {number}s}}" for number in levels)]
    announcements = f"announcements: [{', '.join(said)}], " if said else ""
    return (
        f"{{queue: [{', '.join(queues)}], announce: {draw(phrase_lists)}, {announcements}at_most: 10m, talk_for: 5m,"
        f" thanks: {{over: {draw(durations)}, say: {draw(phrase_lists)}}},"
        f" on: {{agent_left: {following}, no_answer: {draw(steps)}, nobody: {draw(steps)}, key: {{5: {draw(steps)}}}}}}}"
    )


@st.composite
def left_texts(draw: st.DrawFn, kind: str, steps: st.SearchStrategy[str], following: str) -> str:
    invalid = "invalid: {say: house/wrong_key}"
    noted = draw(st.sampled_from(["", "noted: house/connecting, "]))
    match kind:
        case "record":
            review = draw(st.sampled_from(["", f"review: {{say: hello, {invalid}}}, "]))
            exits_of = f"{{done: {following}, nothing: {draw(steps)}}}"
            return f"{{record: voicemail, ask: {draw(phrase_lists)}, at_most: 1m, {review}{noted}on: {exits_of}}}"
        case "survey":
            scores = draw(st.sampled_from(["1-5", "{1: 3, 2: 2, 3: 1}", '{"*": 1, 1: 10}']))
            thanks = noted.replace("noted", "thanks")
            exits_of = f"{{done: {following}, no_input: {draw(steps)}}}"
            return f"{{survey: how, ask: {draw(phrases)}, scores: {scores}, {invalid}, {thanks}on: {exits_of}}}"
        case _:
            offer = draw(st.sampled_from(["", "offer: hello, "]))
            exits_of = f"{{done: {following}, undiallable: {draw(steps)}, no_input: {draw(steps)}}}"
            return (
                f"{{callback: other, {offer}ask_number: {draw(phrases)}, incomplete_say: house/too_few, {invalid},"
                f" read_back: service/read_back, to: '1*', within: 24h, {noted}on: {exits_of}}}"
            )


@st.composite
def step_texts(draw: st.DrawFn, names: list[str], following: str) -> str:
    """A valid step; `following` is among its exits, so that a chain reaches every step."""
    steps = st.sampled_from([*names, "hang_up"])
    kinds = ["say", "ladder", "menu", "collect", "hours", "transfer", "close", "hang_up", "waiting", "look_up", *LEFT]
    kind = draw(st.sampled_from(kinds))
    barge, on = draw(inputs(steps))
    match kind:
        case "say":
            return f"{{say: {draw(phrase_lists)}, barge_in: {barge}, on: {{{on}}}, then: {following}}}"
        case "ladder":
            on = on if "speech:" in on else ", ".join(filter(None, [on, f"speech: {draw(steps)}"]))
            chosen = draw(st.sampled_from(["", "wait: [3.5s, 2s], ", "wait: [5s, 2s], "]))
            return f"{{ladder: silent, {chosen}barge_in: {barge}, on: {{{on}}}, used_up: {following}}}"
        case "menu":
            invalid = f"{{say: house/wrong_key, repeats: {draw(st.integers(0, 10))}, then: {draw(steps)}}}"
            return (
                f"{{menu: {draw(phrases)}, wait: {draw(durations)}, repeats: {draw(st.integers(0, 10))}, barge_in: [key],"
                f" invalid: {invalid}, on: {{key: {{1: {following}}}, no_input: {draw(steps)}}}}}"
            )
        case "collect":
            least = draw(st.integers(1, 20))
            return (
                f"{{collect: number, ask: {draw(phrases)}, length: {{min: {least}, max: {least + draw(st.integers(0, 20))}}},"
                f" first_digit: {draw(durations)}, inter_digit: {draw(durations)}, incomplete_say: house/too_few,"
                f" on: {{done: {following}, no_input: {draw(steps)}, incomplete: {draw(steps)}}}}}"
            )
        case "hours":
            opens, closes = draw(st.lists(clock, min_size=2, max_size=2, unique=True))
            return (
                f"{{hours: [{{days: {draw(days)}, from: '{opens}', to: '{closes}', say: {draw(phrase_lists)}, then: {draw(steps)}}}],"
                f" otherwise: {following}}}"
            )
        case "transfer":
            return f"{{transfer: '1001', ring_for: 20s, talk_for: 5m, on: {{agent_left: {following}, no_answer: {draw(steps)}}}}}"
        case "waiting":
            return draw(queue_texts(steps, following))
        case "look_up":
            return (
                f"{{look_up: 'https://crm.example/', send: caller, at_most: 5s, filler: {{after: 1s, say: {draw(phrases)}}},"
                f" choose: status, cases: {{a: {following}}}, on: {{done: {following}, failed: {following}, late: {draw(steps)}}}}}"
            )
        case "record" | "survey" | "callback":
            return draw(left_texts(kind, steps, following))
        case "close":
            return f"{{close: {{ask: anything_else, guard: {draw(durations)}}}, on: {{request: {following}}}}}"
        case _:
            return f"{{say: hello, then: {following}}}"


@st.composite
def flow_texts(draw: st.DrawFn) -> str:
    names = draw(st.lists(slugs, min_size=1, max_size=6, unique=True))
    steps = [draw(step_texts(names, following)) for following in [*names[1:], "hang_up"]]
    numbers = draw(st.lists(st.text("0123456789", min_size=1, max_size=12), min_size=1, max_size=3, unique=True))
    outcomes = {
        word: draw(st.sampled_from([*names, "hang_up", "continue"])) for word in ("hangup", "escalate", "closing")
    }
    lines = [
        f"flow: {draw(slugs)}",
        "title: x",
        "standard: tiny",
        f"numbers: [{', '.join(map(repr, numbers))}]",
        f"timezone: {draw(st.sampled_from(['Asia/Shanghai', 'UTC', 'Europe/Berlin']))}",
        f"start: {names[0]}",
        "steps:",
        *(f"  {name}: {step}" for name, step in zip(names, steps, strict=True)),
        "outcomes:",
        *(f"  {word}: {step}" for word, step in outcomes.items()),
    ]
    return "\n".join(lines) + "\n"


def compiled(text: str) -> CallFlow:
    return compile_flow({FLOW: text, **STANDARDS}, FLOW)


@quick
@given(flow_texts())
def test_every_flow_of_valid_parts_compiles_and_all_its_names_resolve(text: str) -> None:
    flow = compiled(text)

    assert HANG_UP in flow.steps
    for step in flow.steps.values():
        assert all(way.target in flow.steps for way in exits(step))
    for ladder in flow.situations.values():
        assert all(rung.say is None or rung.say in flow.phrases for rung in ladder.rungs)
        assert all(rung.band is None or rung.band.least <= rung.wait <= rung.band.most for rung in ladder.rungs)


@quick
@given(flow_texts())
def test_a_flow_is_the_same_from_its_source_and_draws_the_same(text: str) -> None:
    flow = compiled(text)
    again = compile_flow(flow.source, FLOW)

    assert again == flow
    assert draw_flow(again) == draw_flow(flow)


@quick
@given(flow_texts(), st.integers(0, 5))
def test_comments_and_blank_lines_change_nothing_but_places(text: str, every: int) -> None:
    lines = [
        line + ("  # 说明: a" if number % (every + 1) == 0 else "") for number, line in enumerate(text.splitlines())
    ]

    flow, commented = compiled(text), compiled("# {\n\n" + "\n\n".join(lines) + "\n")

    assert list(commented.steps) == list(flow.steps)
    assert draw_flow(commented) == draw_flow(flow)


@quick
@given(st.text(alphabet="[]{}:,&* ab'\"\n-", max_size=200))
def test_the_reader_of_nodes_is_bounded(text: str) -> None:
    problems = ProblemList()

    node = parse(text, FLOW, problems)

    assert node is not None or problems.errors
