"""What is proven of a flow, in words: a short block, the reasoning step by step, and data for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ivrflow.flow.proof.departures import Leg
from ivrflow.flow.proof.proof import Loop, Proof
from ivrflow.flow.proof.quiet_moments import Moment
from ivrflow.flow.proof.silence import Silence
from ivrflow.flow.proof.to_human import WayToHuman
from ivrflow.flow.reading.syntax import counted
from ivrflow.flow.reading.times import written

_WIDTH = 14


def time(seconds: float) -> str:
    """Seconds as a flow writes them, to a tenth of a second, rounded up: a bound must not look smaller than it is."""
    tenths = -int(-round(seconds * 10, 6) // 1)
    return written(tenths / 10)


# ── one line each ─────────────────────────────────────────────────────────────────────────────────────────────────────


def silence_path(silence: Silence) -> str:
    """What is waited for in a silence, in one line."""
    counted = Counter(silence.moments)
    parts = [f"{moment.place} {moment.what} ({moment.where})" for moment in counted]
    times = f", round and round, at most {silence.rounds} times" if silence.rounds > 1 else ""
    return ", then ".join(parts) + times


def way_path(way: WayToHuman) -> str:
    """The steps to a person in one line, with the seconds in each."""
    stages = [f"{stage.step} {time(stage.seconds)}, {stage.word}" for stage in way.stages]
    return " → ".join(stages)


def summary(proof: Proof) -> list[str]:
    """The block `ivrflow check` shows of a flow."""
    lines = [f"{proof.flow.id}"]
    ways = f"{counted(proof.steps, 'step')} with {counted(proof.ways, 'way')} on"
    if proof.holds:
        named = f"{counted(proof.outcomes, 'outcome')} and {counted(proof.leaves, 'leave')} of situations"
        lines.append(_row("no dead ends", f"{ways}, {named}: each leads to an end or to a person"))
    else:
        lines.append(_row("dead ends", "; ".join(f"{end.place}: {end.why}" for end in proof.dead_ends) or "none"))
        if proof.unreachable:
            lines.append(_row("unreachable", ", ".join(proof.unreachable)))
    longest = max(proof.waits, key=lambda moment: moment.seconds, default=None)
    about = f"; the longest {time(longest.seconds)}: {longest.place}, {longest.what}" if longest else ""
    lines.append(_row("waits", f"{len(proof.waits)}, all bounded{about}"))
    lines.append(_row("loops", _loops(proof.loops, proof.flow.limits.visits_per_step)))
    lines.append(_row("silence", _silences(proof)))
    lines += [_row("to a person" if not number else "", _way(way)) for number, way in enumerate(proof.to_human)]
    return lines


def _row(name: str, text: str) -> str:
    return f"  {name:{_WIDTH}}{text}"


def _loops(loops: Iterable[Loop], visits: int) -> str:
    needs = Counter(loop.needs or "nobody" for loop in loops)
    if not needs:
        return "none"
    alone = needs.pop("nobody", 0)
    words = [f"{number} that need the {who}" for who, number in needs.items()]
    words += [f"{alone} by itself" if alone == 1 else f"{alone} by themselves"] if alone else []
    return f"{', '.join(words)}; limits.visits_per_step ends each: {visits}"


def _silences(proof: Proof) -> str:
    limits = proof.flow.limits
    text = f"at most {time(proof.silence.seconds)}{_bound(limits.silence)}"
    if proof.task_silence.seconds > proof.silence.seconds:
        text += f"; {time(proof.task_silence.seconds)} while an agent works{_bound(limits.task_silence)}"
    return text


def _bound(bound: float | None) -> str:
    return f" (bound {written(bound)})" if bound is not None else ""


def _way(way: WayToHuman) -> str:
    start = f"{way.start}: " if way.start else ""
    if way.seconds is None:
        return f"{start}never: {way.why_never}"
    estimated = "; some wordings are not recorded, their lengths estimated" if way.is_estimated else ""
    reached = f"in the queue {way.queue}, for {time(way.waits)} at most" if way.queue else f"{way.extension} rings"
    return f"{start}at most {time(way.seconds)}, then {reached}{estimated}"


# ── the reasoning ─────────────────────────────────────────────────────────────────────────────────────────────────────

_MEASURED = {
    "silence": "Nothing is heard from one sound to the next. Music, ringing and talk are sounds; each digit of an entry"
    " begins it anew;\n    one situation may begin within it.",
    "to a person": "From the answer until an agent's telephone begins to ring, or the caller stands in a queue, for a caller"
    " who hears\n    everything out, waits to the last moment, presses wrong keys as often as they are corrected, fails entries"
    " as often as\n    is asked again, and takes the longest way that still ends with a person, entering no step twice by"
    " choice.",
}


def reasoning(proof: Proof) -> list[str]:
    """Everything behind the block: each loop, the longest silences, the worst ways, with their places."""
    lines = [*summary(proof), "", "  loops"]
    lines += [line for loop in proof.loops for line in _loop(loop)] or ["    none"]
    for again in proof.repetitions:
        lines.append(
            f"    {again.step} {again.what}: {counted(again.times, 'time')} ({again.counted_by})  {again.where}"
        )
    lines += ["", "  silence", f"    {_MEASURED['silence']}"]
    lines += _silence("while nobody works for the caller", proof.silence)
    if proof.task_silence.seconds > proof.silence.seconds:
        lines += _silence("with an agent's tasks", proof.task_silence)
    lines += ["", "  to a person", f"    {_MEASURED['to a person']}"]
    for way in proof.to_human:
        lines += _stages(way)
    lines += ["", "  waits, the longest first"]
    lines += [
        f"    {time(seconds):>8}  {place}: {what}  {where}"
        for seconds, place, what, where in sorted(
            {(moment.seconds, moment.place, moment.what, str(moment.where)) for moment in proof.waits}, reverse=True
        )
    ]
    return lines


def _loop(loop: Loop) -> list[str]:
    round_ = " → ".join(f"{name} ({way.word})" for name, way in loop.ways)
    who = f"needs the {loop.needs}" if loop.needs else "runs by itself"
    return [
        f"    {round_} → {loop.ways[0][0]}  {loop.where}",
        f"      {who}; a round takes at most {time(loop.seconds)}; limits.visits_per_step: {loop.most_rounds} rounds",
    ]


def _silence(what: str, silence: Silence) -> list[str]:
    lines = [f"    {time(silence.seconds)} {what}"]
    lines += [
        f"      {time(moment.seconds):>8}  {moment.place}: {moment.what}  {moment.where}" for moment in silence.moments
    ]
    if silence.rounds > 1:
        lines.append(f"      these come round without a sound, at most {silence.rounds} times each")
    return lines


def _stages(way: WayToHuman) -> list[str]:
    lines = [f"    {_way(way)}"]
    at = 0.0
    for stage in way.stages:
        for leg in stage.legs:
            at += leg.seconds
            lines.append(f"      {time(at):>8}  {stage.step}: {_leg(leg)}  {leg.where}")
        lines.append(f"      {time(at):>8}  {stage.step}: {stage.word}")
    return lines


def _leg(leg: Leg) -> str:
    length = written(round(leg.seconds, 2))
    says = leg.what if leg.what.endswith(length) else f"{leg.what}, {length}"
    return says + (" (estimated)" if leg.is_estimated else "")


# ── for machines ──────────────────────────────────────────────────────────────────────────────────────────────────────


def as_data(proof: Proof) -> dict[str, object]:
    """The same as plain data; times are seconds."""
    return {
        "flow": proof.flow.id,
        "holds": proof.holds,
        "steps": proof.steps,
        "ways": proof.ways,
        "dead_ends": [{"place": end.place, "why": end.why, "where": str(end.where)} for end in proof.dead_ends],
        "unreachable": list(proof.unreachable),
        "waits": [_moment(moment) for moment in proof.waits],
        "loops": [
            {
                "ways": [{"step": name, "word": way.word, "target": way.target} for name, way in loop.ways],
                "needs": loop.needs,
                "round_s": loop.seconds,
                "most_rounds": loop.most_rounds,
                "where": str(loop.where),
            }
            for loop in proof.loops
        ],
        "repetitions": [
            {"step": one.step, "what": one.what, "times": one.times, "counted_by": one.counted_by}
            for one in proof.repetitions
        ],
        "silence": _silence_data(proof.silence, proof.flow.limits.silence),
        "task_silence": _silence_data(proof.task_silence, proof.flow.limits.task_silence),
        "to_human": [_way_data(way, proof.flow.limits.to_human) for way in proof.to_human],
    }


def _moment(moment: Moment) -> dict[str, object]:
    return {"place": moment.place, "what": moment.what, "seconds": moment.seconds, "where": str(moment.where)}


def _silence_data(silence: Silence, bound: float | None) -> dict[str, object]:
    path = [_moment(moment) for moment in silence.moments]
    return {"seconds": silence.seconds, "bound": bound, "rounds": silence.rounds, "path": path}


def _way_data(way: WayToHuman, bound: float | None) -> dict[str, object]:
    return {
        "start": way.start,
        "seconds": way.seconds,
        "bound": bound,
        "why_never": way.why_never,
        "on_purpose": way.on_purpose,
        "extension": way.extension,
        "queue": way.queue,
        "waits_s": way.waits,
        "is_estimated": way.is_estimated,
        "path": [
            {
                "step": stage.step,
                "word": stage.word,
                "legs": [{"what": leg.what, "seconds": leg.seconds, "where": str(leg.where)} for leg in stage.legs],
            }
            for stage in way.stages
        ],
    }
