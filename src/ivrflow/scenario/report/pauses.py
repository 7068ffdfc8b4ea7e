"""The waits of a call as they are drawn: the documented ones on the clocks, and the pauses the script asks for."""

from __future__ import annotations

from ivrflow.scenario.judging.listened import PauseSeen, listened
from ivrflow.scenario.observation import CLOCKS_APART_S, ClockPair, Result
from ivrflow.scenario.report.scene import WaitShown, band_words, fit_of
from ivrflow.scenario.script import Pause, Scenario

_SAME_MOMENT_S = 0.3
"""Seconds within which a pause of the script and a rule's wait begin that are one and the same."""


def waits_shown(result: Result) -> tuple[WaitShown, ...]:
    """Every wait of the caller's side, in order; the wire's number where there is one, else the engine's."""
    tolerances = _tolerances(result.scenario)
    default = result.scenario.flow.limits.tolerance
    waits = [
        wait for clock in result.clocks if (wait := _documented(clock, tolerances.get(clock.rule, default))) is not None
    ]
    if result.observation is not None:
        heard = listened(result.scenario.flow, result.scenario.caller, result.observation.caller)
        for pause in heard.pauses:
            if all(abs(wait.start - pause.begins) > _SAME_MOMENT_S for wait in waits):
                waits.append(_scripted(pause))
    return tuple(sorted(waits, key=lambda wait: wait.start))


def _tolerances(scenario: Scenario) -> dict[str, float]:
    """By rule, what the script itself grants."""
    return {step.rule: step.tolerance for step in scenario.caller if isinstance(step, Pause) and step.rule}


def _documented(clock: ClockPair, tolerance: float) -> WaitShown | None:
    observed = clock.wire if clock.wire is not None else clock.engine
    if observed is None:
        return None
    fit = fit_of(observed, clock.least, clock.most, tolerance)
    label = in_words(observed, clock.least, clock.most, tolerance)
    name = clock.rule.rpartition("/")[2]
    details = [f"{name} {clock.rung}: {label}", f"allowed: {band_words(clock.least, clock.most)} ± {tolerance:g} s"]
    details.append("wire: not seen" if clock.wire is None else f"wire: {clock.wire:.3f} s")
    details.append("engine: not seen" if clock.engine is None else f"engine: {clock.engine:.3f} s")
    apart = clock.apart
    is_apart = apart is not None and abs(apart) > CLOCKS_APART_S
    if is_apart and apart is not None:
        details.append(f"the clocks are {abs(apart) * 1000:.0f} ms apart")
    other = clock.at + clock.engine if is_apart and clock.engine is not None else None
    return WaitShown(
        clock.at, clock.at + observed, clock.least, clock.most, tolerance, fit, label, tuple(details), other,
    )  # fmt: skip


def _scripted(pause: PauseSeen) -> WaitShown:
    band, tolerance = pause.step.band, pause.step.tolerance
    label = in_words(pause.seconds, band.least, band.most, tolerance)
    details = (
        f"pause: {label}",
        f"allowed: {band_words(band.least, band.most)} ± {tolerance:g} s",
        f"from {pause.begins:.2f} s to {pause.ends:.2f} s",
        f"line {pause.step.where.line} of the scenario",
    )
    fit = fit_of(pause.seconds, band.least, band.most, tolerance)
    end = max(pause.begins, pause.ends)
    return WaitShown(pause.begins, end, band.least, band.most, tolerance, fit, label, details)


def in_words(observed: float, least: float, most: float, tolerance: float) -> str:
    """The number, and what is wrong with it: "3.02 s ✓", "5.21 s ✗ 2.21 s too long"."""
    match fit_of(observed, least, most, tolerance):
        case "within":
            return f"{observed:.2f} s ✓"
        case "too short":
            return f"{observed:.2f} s ✗ {least - observed:.2f} s too short"
        case "too long":
            return f"{observed:.2f} s ✗ {observed - most:.2f} s too long"
