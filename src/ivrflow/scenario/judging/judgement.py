"""What was observed, held against what the scenario says: findings in a tester's words. Pure.

What was heard is aligned with what each script says is heard, in order, so that one missing phrase does not make
everything after it wrong. Without the engine's side nothing is guessed of outcome and verdicts: that is a finding too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivrflow.engine.trace import Judgement
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.between_phones import between_phones, in_a_word
from ivrflow.scenario.judging.clock_pairs import clock_pairs, in_words
from ivrflow.scenario.judging.engine_spans import PLAYED_BACK, RINGS, TONE, WAITS, Span, joined_up, spans_of, whispers
from ivrflow.scenario.judging.left_behind import left_behind
from ivrflow.scenario.judging.listened import Listened, PauseSeen, listened
from ivrflow.scenario.judging.promised import promised
from ivrflow.scenario.observation import (
    CLOCKS_APART_S,
    Act,
    ClockPair,
    EngineSide,
    Finding,
    Heard,
    Observation,
    PhoneSide,
)
from ivrflow.scenario.performer import in_words as step_in_words
from ivrflow.scenario.script import AgentPart, Hold, HungUpFirst, Resume, Scenario

SHORTEST_SOUND_S = 0.3
"""Seconds below which nobody can tell what a sound was: a phrase cut at its very beginning, a click."""

_AROUND_S = 0.5
"""Seconds around a ring, a talk or a hold in which its sounds may still be heard."""


def judge(scenario: Scenario, observation: Observation) -> tuple[tuple[Finding, ...], tuple[ClockPair, ...]]:
    """Compare.

    Returns:
        What was not as the scenario says, by the second at which it happened; every documented wait on both clocks.
    """
    judging = _Judging(scenario, observation)
    troubles = list(judging.troubles())
    leaks = list(judging.leaks())
    if observation.caller.answered_at is None and not scenario.is_never_answered:
        return (*troubles, *leaks), ()
    pairs = clock_pairs(scenario.flow, observation)
    findings = [
        *judging.hearing(),
        *between_phones(scenario, observation.caller, observation.agents),
        *judging.given_up(),
        *judging.ending(),
        *judging.verdicts(),
        *(promised(scenario.expect, observation.engine) if observation.engine is not None else ()),
        *(left_behind(scenario.expect, observation.engine) if observation.engine is not None else ()),
        *judging.clocks(pairs),
    ]
    findings.sort(key=lambda finding: (finding.at is None, finding.at or 0.0))
    return (*troubles, *findings, *leaks), pairs


class _Judging:
    """One scenario and one observation of it; each method tells the findings of one sort."""

    def __init__(self, scenario: Scenario, observation: Observation) -> None:
        self._scenario = scenario
        self._observation = observation
        self._expect = scenario.expect
        flow = scenario.flow
        self._caller = listened(flow, scenario.caller, observation.caller)
        self._agents = [
            (part, side, listened(flow, part.steps, side))
            for part in scenario.agents
            if (side := observation.agents.get(part.extension)) is not None
        ]

    def _place(self, name: str) -> Location:
        return self._expect.places.get(name, self._scenario.where)

    def _short(self, name: str) -> str:
        return name.removeprefix(f"{self._scenario.flow.standard.id}/")

    # ── the phones themselves ─────────────────────────────────────────────────────────────────────────────────────────

    def troubles(self) -> Iterator[Finding]:
        """Phones that could not play their part, and an engine nobody could look into."""
        scenario, caller = self._scenario, self._observation.caller
        if caller.trouble:
            yield Finding("trouble", scenario.where, "the caller's phone can play its part", caller.trouble)
        elif caller.answered_at is None and not scenario.is_never_answered:
            yield Finding("trouble", scenario.where, "the call is answered", "nobody answered it")
        for part, side, _ in self._agents:
            if side.trouble:
                expected = f"the phone of agent {part.extension} can play its part"
                yield Finding("trouble", part.where, expected, side.trouble)
        if self._observation.engine is None and (caller.answered_at is not None or scenario.called):
            needed = self._needs_the_engine()
            expected = "a journal to look into, for " + (needed or "the verdicts")
            observed = "nobody could look up this call in a journal: IVRFLOW_JOURNAL, or the manager login by which it is found"
            yield Finding("trouble", scenario.where, expected, observed, fails=bool(needed))

    def _needs_the_engine(self) -> str:
        expect = self._expect
        wanted = [
            *(["the outcome"] if expect.outcome is not None else []),
            *(["the verdicts"] if expect.verdicts or self._scenario.proves else []),
            *(["the promises"] if expect.promises else []),
            *(["the messages"] if expect.messages is not None else []),
            *(["the scores"] if expect.scores else []),
            *(["the callbacks"] if expect.callbacks is not None else []),
        ]
        return " and ".join(wanted)

    def leaks(self) -> Iterator[Finding]:
        """What was left behind."""
        for leak in self._observation.leaks:
            yield Finding("leak", self._scenario.where, "nothing is left behind after the call", leak)

    def given_up(self) -> Iterator[Finding]:
        """Steps that did not come to their end, apart from phrases that were not heard, and agents nobody called."""
        yield from self._given_up(self._observation.caller, self._caller)
        for part, side, heard in self._agents:
            yield from self._given_up(side, heard)
            was_called = side.rang_at is not None or side.answered_at is not None or side.ended_at is not None
            is_wanted = part.manner != "unreachable" and (part.queues is None or part.steps)
            if is_wanted and not was_called and not side.trouble:
                yield Finding("gave up", part.where, f"agent {part.extension} is called", "its phone never rang")

    def _given_up(self, side: PhoneSide, heard: Listened) -> Iterator[Finding]:
        gave_up = side.gave_up
        if gave_up is None or heard.is_told_as_not_heard:
            return
        step = heard.stuck_at
        expected = f"'{step_in_words(step)}' is done" if step is not None else "every step is done"
        yield Finding("gave up", gave_up.where, expected, self._said_of(side, gave_up.waiting_for), gave_up.at)

    # ── what was heard ────────────────────────────────────────────────────────────────────────────────────────────────

    def hearing(self) -> Iterator[Finding]:
        """Everything about phrases, pauses and other sounds."""
        for side, heard in [(self._observation.caller, self._caller), *((side, h) for _, side, h in self._agents)]:
            yield from self._phrases(side, heard)
            yield from self._pauses(side, heard)
        yield from self._sounds_not_named()
        for part, side, heard in self._agents:
            yield from self._prompts_not_named(part, side, heard)

    def _phrases(self, side: PhoneSide, listened_to: Listened) -> Iterator[Finding]:
        for wanted in listened_to.wanted:
            name, heard = self._short(wanted.name) or "hold music", wanted.heard
            if heard is None:
                if wanted.was_reached:
                    observed = self._said_of(side, listened_to.why_not_heard(wanted))
                    at = listened_to.not_heard_at(wanted)
                    yield Finding("not heard", wanted.step.where, f"{name} is heard", observed, at)
            elif wanted.step is listened_to.stuck_at:
                continue  # the phone gave up there and hung up: that is told, and is what cut it
            elif heard.kind == "phrase" and heard.completeness < wanted.at_least - 0.005:
                expected = f"{name} is heard to its end (at least {_percent(wanted.at_least)} of it)"
                yield Finding("cut", wanted.step.where, expected, self._said_of(side, _share(heard)), heard.end)
            elif heard.kind == "phrase" and heard.completeness > wanted.at_most + 0.005:
                expected = f"{name} is cut before {_percent(wanted.at_most)} of it was heard"
                yield Finding("not cut", wanted.step.where, expected, self._said_of(side, _share(heard)), heard.end)

    def _pauses(self, side: PhoneSide, listened_to: Listened) -> Iterator[Finding]:
        for pause in listened_to.pauses:
            step, seconds = pause.step, pause.seconds
            if step.band.least - step.tolerance <= seconds <= step.band.most + step.tolerance:
                continue
            observed = f"{seconds:.2f} s" if seconds >= 0 else f"none: it began {-seconds:.2f} s before that"
            expected = self._pause_in_words(pause)
            yield Finding("pause", step.where, expected, self._said_of(side, observed), pause.ends)

    def _pause_in_words(self, pause: PauseSeen) -> str:
        step, after = pause.step, self._short(pause.after) or "hold music"
        then = ", then the end of the call" if pause.ends_call else ""
        by = f", by rule {step.rule}" if step.rule else ""
        return f"a pause of {in_words(step.band)} (±{step.tolerance:g} s) after {after}{then}{by}"

    def _said_of(self, side: PhoneSide, words: str) -> str:
        return words if side.name == "caller" else f"agent {side.name}: {words}"

    def _sounds_not_named(self) -> Iterator[Finding]:
        """What the caller heard and the script does not say."""
        for place, heard in self._caller.others:
            what = self._short(in_a_word(heard))
            when = f"{heard.start:.2f}-{heard.end:.2f} s"
            if heard.kind == "phrase" and (never := self._caller.never(heard, self._expect.never_hear)) is not None:
                expected = f"{self._short(never)} is never heard"
                observed = f"{_percent(heard.completeness)} of {what} was heard: {when}"
                yield Finding("never", self._expect.never_hear[never], expected, observed, heard.start)
            elif not self._expect.heard_else and not self._is_explained(heard):
                before, where = self._caller.around(place)
                expected = "nothing is heard that the script does not name"
                expected += f", after {self._short(before)}" if before else ""
                expected += " (heard_else: yes allows it)"
                where = where or self._place("heard_else")
                yield Finding("unexpected", where, expected, f"{what} was heard: {when}", heard.start)

    def _prompts_not_named(self, part: AgentPart, side: PhoneSide, listened_to: Listened) -> Iterator[Finding]:
        """Phrases that an agent heard from ivrflow and the agent's script does not say."""
        said = [(act.what, act.start, act.end) for act in self._acts()]
        for place, heard in listened_to.others:
            by_somebody = any(what == f"say {heard.name}" and _within(heard, *span) for what, *span in said)
            if heard.kind != "phrase" or self._expect.heard_else or by_somebody:
                continue
            before, where = listened_to.around(place)
            expected = f"agent {part.extension} hears no phrase that its script does not name"
            expected += f", after {self._short(before)}" if before else ""
            expected += " (heard_else: yes allows it)"
            observed = f"{self._short(heard.name)} was heard: {heard.start:.2f}-{heard.end:.2f} s"
            yield Finding("unexpected", where or part.where, expected, self._said_of(side, observed), heard.start)

    def _acts(self) -> Iterator[Act]:
        yield from self._observation.caller.acts
        for _, side, _ in self._agents:
            yield from side.acts

    def _is_explained(self, heard: Heard) -> bool:
        """Whether what went on explains a sound: waiting music and ringing, voices, holds, the caller's own message."""
        if heard.kind == "phrase":
            return any(
                act.what == f"say {heard.name}" and _within(heard, act.start, act.end)
                for _, side, _ in self._agents
                for act in side.acts
            )
        if heard.kind == "unknown":
            spans = [*self._talks(), *self._spans(PLAYED_BACK)]
            return heard.end - heard.start < SHORTEST_SOUND_S or any(_within(heard, *span) for span in spans)
        spans = [*self._rings(), *self._spans(WAITS)]
        if heard.kind == "tone":
            spans += [*self._talks("background tone"), *self._spans(TONE)]
            return any(_within(heard, *span) for span in spans)
        engine = self._observation.engine
        spans += [*self._holds(), *(whispers(engine, self._scenario.flow) if engine else ())]
        return any(_within(heard, *span) for span in joined_up(spans))

    def _spans(self, span: Span) -> list[tuple[float, float | None]]:
        """From when to when something went on, by the engine."""
        engine = self._observation.engine
        return [] if engine is None else spans_of(engine, span)

    def _rings(self) -> list[tuple[float, float | None]]:
        """From when to when somebody's phone rang for the caller, by the phones and by the engine."""
        rings = [
            (side.rang_at, side.answered_at if side.answered_at is not None else side.ended_at)
            for _, side, _ in self._agents
            if side.rang_at is not None
        ]
        return [*rings, *self._spans(RINGS)]

    def _talks(self, doing: str = "") -> list[tuple[float, float | None]]:
        """From when to when agents were on the line; of those only who did that."""
        return [
            (side.answered_at, side.ended_at)
            for _, side, _ in self._agents
            if side.answered_at is not None and (not doing or any(act.what.startswith(doing) for act in side.acts))
        ]

    def _holds(self) -> list[tuple[float, float | None]]:
        """From when to when an agent had the caller on hold."""
        holds: list[tuple[float, float | None]] = []
        for _, side, _ in self._agents:
            since: float | None = None
            for act in side.acts:
                if act.what == step_in_words(Hold(act.where)):
                    since = act.start
                elif act.what == step_in_words(Resume(act.where)) and since is not None:
                    holds.append((since, act.end))
                    since = None
            if since is not None:
                holds.append((since, side.ended_at))
        return holds

    # ── how it ended ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ending(self) -> Iterator[Finding]:
        """Who hung up, with which outcome, after how long."""
        expect, caller, engine = self._expect, self._observation.caller, self._observation.engine
        ended_at = caller.ended_at
        first = hung_up_first(self._observation)
        if expect.hung_up_first is not None and first != expect.hung_up_first:
            yield Finding(
                "ended",
                self._place("hung_up_first"),
                f"{_WHO[expect.hung_up_first]} hangs up first",
                f"{_WHO[first]} hung up first" if ended_at is None else f"{_WHO[first]} did",
                ended_at,
            )
        if expect.outcome is not None and engine is not None and engine.outcome != expect.outcome:
            observed = f"outcome {engine.outcome}" if engine.outcome else "the call has none: it did not end"
            yield Finding("outcome", self._place("outcome"), f"outcome {expect.outcome}", observed, ended_at)
        if expect.lasts is not None and (ended_at is None or not expect.lasts.least <= ended_at <= expect.lasts.most):
            observed = "it did not end" if ended_at is None else f"{ended_at:.2f} s"
            expected = f"the call lasts {in_words(expect.lasts)}"
            yield Finding("length", self._place("lasts"), expected, observed, ended_at)

    def verdicts(self) -> Iterator[Finding]:
        """What each rule got, and what each proof needs."""
        engine = self._observation.engine
        if engine is None:
            return
        given = {verdict.rule: verdict for verdict in engine.verdicts}
        for rule, wanted in self._expect.verdicts.items():
            verdict = given.get(rule)
            judgement = verdict.judgement if verdict else None
            if judgement is not wanted.judgement:
                asked = f": {verdict.expected}" if verdict and wanted.judgement is not Judgement.NOT_APPLICABLE else ""
                observed = f"{verdict.judgement}: {verdict.observed}" if verdict else "the call got no such verdict"
                at = _last_evidence(engine, rule)
                yield Finding("verdict", wanted.where, f"{rule} {wanted.judgement}{asked}", observed, at)
        for rule, verdict in given.items():
            if verdict.judgement is Judgement.BROKEN and rule not in self._expect.verdicts:
                expected, observed = f"{rule} kept: {verdict.expected}", f"broken: {verdict.observed}"
                yield Finding("verdict", self._place("verdicts"), expected, observed, _last_evidence(engine, rule))
        for rule in self._scenario.proves:
            verdict = given.get(rule)
            if verdict is None or verdict.judgement is Judgement.NOT_APPLICABLE:
                why = verdict.observed if verdict else "the call got no such verdict"
                expected = f"a call that proves {rule}"
                observed = f"it proves nothing about that rule: {why}"
                yield Finding("verdict", self._scenario.where, expected, observed)

    def clocks(self, pairs: tuple[ClockPair, ...]) -> Iterator[Finding]:
        """Waits of which wire and engine tell different lengths."""
        for pair in pairs:
            if pair.apart is None or abs(pair.apart) <= CLOCKS_APART_S:
                continue
            yield Finding(
                "clocks",
                self._pause_at(pair.at) or self._scenario.where,
                f"wire and engine agree to {CLOCKS_APART_S * 1000:.0f} ms on the wait of rule {pair.rule}, rung {pair.rung}",
                f"engine {pair.engine:.3f} s, wire {pair.wire:.3f} s: {abs(pair.apart) * 1000:.0f} ms apart",
                pair.at,
                fails=False,
            )

    def _pause_at(self, at: float) -> Location | None:
        return next((pause.step.where for pause in self._caller.pauses if abs(pause.begins - at) < 0.001), None)


_WHO: dict[HungUpFirst, str] = {
    "caller": "the caller",
    "ivrflow": "ivrflow",
    "agent": "the agent",
    "nobody": "nobody",
}


def hung_up_first(observation: Observation) -> HungUpFirst:
    """Who hung up first: the engine's word, else what the phones saw."""
    engine, caller = observation.engine, observation.caller
    if engine is not None and engine.hung_up_first is not None:
        return engine.hung_up_first
    for side in observation.agents.values():
        left = side.answered_at is not None and side.ended_by == "phone" and side.ended_at is not None
        if left and (caller.ended_at is None or (side.ended_at or 0.0) < caller.ended_at):
            return "agent"
    match caller.ended_by:
        case "phone":
            return "caller"
        case "peer":
            return "ivrflow"
        case _:
            return "nobody"


def _share(heard: Heard) -> str:
    return f"{_percent(heard.completeness)} of it was heard: {heard.start:.2f}-{heard.end:.2f} s"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _within(heard: Heard, begins: float, ends: float | None) -> bool:
    """Whether it was heard from then to then, give or take what signalling takes."""
    return begins - _AROUND_S <= heard.start and (ends is None or heard.end <= ends + _AROUND_S)


def _last_evidence(engine: EngineSide, rule: str) -> float | None:
    """Second of the last trace line of a rule's verdict."""
    evidence = next((verdict.evidence for verdict in engine.verdicts if verdict.rule == rule), ())
    places = [place for place in evidence if place < len(engine.trace)]
    return engine.trace[places[-1]].at - engine.answered_at if places else None
