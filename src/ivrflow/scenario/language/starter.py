"""What `ivrflow scenario new` writes: a scenario that passes as it is, and shows in its comments what else there is."""

from __future__ import annotations

from dataclasses import dataclass

from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow, Queue, Transfer
from ivrflow.scenario.language.rule_pauses import rule_pauses
from ivrflow.simulator.call_file import USUAL_TIME
from ivrflow.simulator.caller_commands import Bare
from ivrflow.simulator.simulation import Simulation

_PHRASES = 2
"""Phrases the caller of a starter hears before hanging up."""


USUAL_AGENT = "1001"
"""The extension of an agent of a queue: queues do not say who is in them."""


@dataclass(frozen=True, slots=True)
class _Beginning:
    """How calls of a flow begin for a caller who says nothing: phrases in order, and the rules kept by then."""

    phrases: tuple[str, ...]
    kept: tuple[str, ...]


def starter(flow: CallFlow) -> str:
    """The text of a scenario file for calls that `flow` answers, with one of its own phrases in every example."""
    beginning = _beginning(flow)
    short = [phrase.removeprefix(f"{flow.standard.id}/") for phrase in beginning.phrases]
    rules = ", ".join(rule.partition("/")[2] for rule in beginning.kept)
    shown = short[0] if short else "house/menu.main"
    verdicts = ", ".join(f"{rule.partition('/')[2]}: kept" for rule in beginning.kept)
    lines = [
        "# What this call is for, in a sentence or two. These lines stand at the head of its report.",
        "# Every word is explained in docs/scenario-reference.md. Play it with: ivrflow scenario run THIS-FILE",
        "scenario: a caller listens for a while and hangs up",
        _noted(f"flow: {flow.id}", "the call flow that answers"),
        _noted(f'call: "{next(iter(flow.numbers), "")}"', "the number that is dialled"),
        _noted(f"at: {USUAL_TIME:%Y-%m-%dT%H:%M}", "local time of the call; without this line whatever time it is"),
        _noted(f"proves: [{rules}]" if rules else "# proves: []", "the rules this call is the proof of"),
        _noted("# background: breathing", "or silence, no_rtp, comfort_noise, noise -40dB, tone 1200Hz -20dB"),
        "",
        "# The caller's script, from the answer on: a step begins when the step before it has ended.",
        "# When the steps are used up, the caller stays silent until the call is over.",
        "caller:",
        *_caller(flow, beginning.phrases, short),
        "",
        "  # What else a caller can do; take the # away from a line to use it.",
        _noted(f"  # - hear_start: {shown}", "as soon as it has begun: the next step cuts it"),
        _noted("  # - say: 2s", "so much speech; or a phrase, or a sound file beside this one"),
        _noted('  # - press: "1"', 'or {keys: "86420#", gap: 300ms}'),
        _noted("  # - wait: 1s", "after the step before; wait_until: 12s counts from the answer"),
        _noted("  # - background: noise -30dB", "what the microphone picks up from here on"),
        *_situation(flow),
        _noted("  - hang_up", "the last step of a caller who hangs up"),
        *_agents(flow),
        "",
        "# What must have come of it. No rule may be broken that is not listed as broken.",
        "expect:",
        _noted("  hung_up_first: caller", "or ivrflow, agent, nobody"),
        _noted("  outcome: caller_hung_up", "how the call ends, in a word of the flow"),
        *([f"  verdicts: {{{verdicts}}}"] if verdicts else []),
        _noted(f"  # never_hear: [{shown}]", "phrases that must not be heard"),
        _noted("  # heard_else: yes", "phrases that stand nowhere in the script may be heard too"),
        _noted("  # lasts: 5s-60s", "from the answer to the end"),
    ]
    return "\n".join(lines) + "\n"


def _noted(line: str, note: str) -> str:
    return f"{line:44}  # {note}"


def _beginning(flow: CallFlow) -> _Beginning:
    """Let a silent caller ring, and hang up when the phrases are over."""
    call = Simulation(flow, arrived_at=USUAL_TIME.replace(tzinfo=flow.timezone).timestamp())
    trace = call.session.trace
    heard: list[str] = []
    while len(heard) < _PHRASES and call.step() is not None:
        heard = [line.phrase for line in trace if line.fact is Fact.PHRASE_ENDED and line.detail == "finished"]
        if any(line.fact in {Fact.RINGING, Fact.QUEUED, Fact.ENQUIRED} for line in trace):
            break
    call.caller(Bare.HANG_UP)
    kept = [verdict.rule for verdict in call.session.verdicts if verdict.judgement is Judgement.KEPT]
    return _Beginning(tuple(heard), tuple(kept))


def _caller(flow: CallFlow, phrases: tuple[str, ...], short: list[str]) -> list[str]:
    lines: list[str] = []
    pauses = rule_pauses(flow)
    for index, name in enumerate(short):
        if index:
            bands = {pause.band for pause in pauses.find(phrases[index - 1], phrases[index])}
            if len(bands) == 1:
                lines.append(_noted("  - pause: as the rule says", "between two phrases; or 3s, or 2.5s-4s"))
        lines.append(_noted(f"  - hear: {name}", "or {phrase: …, at_least: 90%}") if not index else f"  - hear: {name}")
    return lines or [_noted("  - wait: 5s", "nothing is said at the beginning of this flow")]


def _situation(flow: CallFlow) -> list[str]:
    name = next((name for name, ladder in flow.situations.items() if ladder.rungs), "")
    return [_noted(f"  # - situation: {name}", "what an agent would tell ivrflow about the call")] if name else []


def _agents(flow: CallFlow) -> list[str]:
    steps = flow.steps.values()
    extension = next((step.extension for step in steps if isinstance(step, Transfer)), "")
    queue = next((step.levels[0].queue for step in steps if isinstance(step, Queue)), "")
    if not extension and not queue:
        return []
    takes = (
        [_noted(f"#     - queue: {queue}", "whose calls this agent takes; without it only transfers ring")]
        if queue
        else []
    )
    return [
        "",
        "# Further telephones, by the extension that the flow or its queue rings.",
        "# agents:",
        f'#   "{extension or USUAL_AGENT}":',
        *takes,
        _noted("#     - ring: 2s", "then the agent answers; or answers, busy, declines, rings_on, unreachable"),
        _noted("#     - say: 2s", "then what the agent does, in the same words as the caller"),
        *([_noted("#     - hold: 10s", "the telephone's hold key")] if flow.agents.hold else []),
        *(
            [_noted(f'#     - press: "{next(iter(flow.agents.codes))}"', "a code of the flow")]
            if flow.agents.codes
            else []
        ),
        _noted("#     - wait: 5s", "an agent whose steps are used up stays until somebody hangs up"),
    ]
