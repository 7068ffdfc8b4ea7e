"""The lanes of the telephones: what a caller or an agent did, and what it heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ivrflow.flow import notations
from ivrflow.scenario.observation import Act, Heard, PhoneSide
from ivrflow.scenario.report.privacy import Privacy
from ivrflow.scenario.report.scene import Lane, Look, Row, Shown, WaitShown, in_order, rows
from ivrflow.scenario.script import HEARD_AT_LEAST

PhraseText = Callable[[str], str]
"""The wording of a phrase key; "" where it is not known."""

WHOLE = 0.97
"""Share of a phrase from which it counts as heard to its end: the last block may be too quiet to tell."""

_ORDERS = ("situation", "cancel", "signal", "done", "value", "transfer")
_LOOKS: dict[str, Look] = {"say": "speech", "talk": "speech", "press": "keys", "hang": "hang_up", "background": "act"}
_LOOKS |= dict.fromkeys(_ORDERS, "order")
"""A code of the flow's, which tells nothing of anybody."""

_NO_DOING = ("hear", "pause", "wait", "resume")
"""First words of what the script names but nobody sees or hears it done; `resume` ends its `hold`."""


def caller_lane(side: PhoneSide, microphone: str, privacy: Privacy) -> Lane:
    """What the caller did. `microphone` says what it picked up from the start, "silence"."""
    about = f"microphone: {microphone}"
    return Lane("caller", "caller", about, rows(Row("marks", in_order(list(_doings(side, privacy))))))


def heard_lane(side: PhoneSide, waits: Sequence[WaitShown], text: PhraseText, others: Sequence[PhoneSide] = ()) -> Lane:
    """What the caller heard, the voices of `others` among it, and the pauses in between."""
    voices = _voices(others)
    shown = in_order([_heard(heard, side.heard, text, voices) for heard in side.heard])
    about = "" if shown else "nothing was heard"
    return Lane(
        "heard", "what the caller heard", about, rows(Row("two lines", shown), Row("waits", waits=tuple(waits)))
    )


def agent_lane(side: PhoneSide, text: PhraseText, privacy: Privacy, others: Sequence[PhoneSide] = ()) -> Lane:
    """An agent: the ringing, how long it was on the line, what it did, what it heard, the voices of `others` among it."""
    doings = list(_doings(side, privacy))
    if side.rang_at is not None:
        until = side.answered_at if side.answered_at is not None else side.ended_at
        until = side.rang_at if until is None else max(until, side.rang_at)
        what = "rings" if side.answered_at is not None else "rings, never answered"
        doings.append(Shown("ringing", side.rang_at, until, what, details=(what, _span(side.rang_at, until))))
    voices = _voices(others)
    heard = in_order([_heard(heard, side.heard, text, voices) for heard in side.heard])
    about = side.trouble or ("" if side.rang_at is not None else "it never rang")
    on_the_line = []
    if side.answered_at is not None and side.ended_at is not None:
        details = ("on the line", _span(side.answered_at, side.ended_at))
        on_the_line = [Shown("talk", side.answered_at, side.ended_at, "on the line", details=details)]
    return Lane(
        "agent",
        f"agent {side.name}",
        about,
        rows(Row("bars", tuple(on_the_line)), Row("marks", in_order(doings)), Row("two lines", heard)),
    )


def _voices(others: Sequence[PhoneSide]) -> list[Act]:
    """What was said at other telephones."""
    return [act for other in others for act in other.acts if act.what.startswith(("say ", "talk "))]


def _doings(side: PhoneSide, privacy: Privacy) -> Iterator[Shown]:
    hangs_up_by_script = False
    for act in side.acts:
        first = act.what.partition(" ")[0]
        if act.what.startswith("hear nothing"):
            yield Shown(
                "silence", act.start, act.end, "hears nothing", details=("hears nothing", *_when_and_where(act))
            )
        if first in _NO_DOING:
            continue
        if first == "hold":
            yield _hold(act, side)
        else:
            hangs_up_by_script |= first == "hang"
            yield _doing(act, _LOOKS.get(first, "act"), privacy)
    if side.ended_by == "phone" and side.ended_at is not None and not hangs_up_by_script:
        yield Shown("hang_up", side.ended_at, side.ended_at, "hangs up", details=("hangs up", _at(side.ended_at)))
    if stuck := side.gave_up:
        label = f"gave up: {stuck.waiting_for}"
        details = (label, f"waited {_span(stuck.since, stuck.at)}", _line(stuck.where.line))
        yield Shown("stuck", stuck.since, stuck.at, label, details=details)


def _doing(act: Act, look: Look, privacy: Privacy) -> Shown:
    if look == "keys":
        keys = act.keys if notations.CODE.fullmatch(act.keys) else privacy.keys(act.keys)
        many = f"{len(act.keys)} keys" if len(act.keys) > 1 else "a key"
        return Shown(look, act.start, act.end, keys, details=(f"presses {many}: {keys}", *_when_and_where(act)))
    label = {"hang_up": "hangs up"}.get(look, act.what)
    if look == "speech":
        label = "talks" if act.what.startswith("talk ") else "says " + act.what.removeprefix("say ").rpartition("/")[2]
    if look == "hang_up":
        return Shown(look, act.end, act.end, label, details=(label, _at(act.end), _line(act.where.line)))
    end = act.end if look == "speech" else act.start
    return Shown(look, act.start, end, label, details=(label, *_when_and_where(act)))


def _hold(act: Act, side: PhoneSide) -> Shown:
    """From the hold to the resume after it, or to the end."""
    resumed = next((other.start for other in side.acts if other.what == "resume" and other.start >= act.end), None)
    until = max(resumed if resumed is not None else side.ended_at or act.end, act.end)
    how = "holds the line" if resumed is not None else "holds the line to the end"
    return Shown("hold", act.start, until, how, details=(how, _span(act.start, until), _line(act.where.line)))


def _heard(heard: Heard, everything: Sequence[Heard], text: PhraseText, voices: Sequence[Act] = ()) -> Shown:
    if heard.kind != "phrase":
        unknown = (
            "a voice" if any(act.start < heard.end and heard.start < act.end for act in voices) else "unknown sound"
        )
        label = {"music": "hold music", "tone": f"tone {heard.name}".rstrip(), "unknown": unknown}[heard.kind]
        details = [label, _span(heard.start, heard.end)]
        details += [f"understood as: {heard.text}"] if heard.text else []
        small = heard.text or (f"{heard.end - heard.start:.1f} s")
        return Shown(heard.kind, heard.start, heard.end, label, small, tuple(details))
    name = heard.name.rpartition("/")[2]
    share = f"{heard.completeness:.0%}"
    is_whole = heard.completeness >= WHOLE
    details = [text(heard.name) or heard.name, heard.name, _span(heard.start, heard.end), f"{share} of it heard"]
    if heard.correlation < 1:
        details.append(f"matches the recording to {heard.correlation:.0%}")
    if heard.text:
        details.append(f"understood as: {heard.text}")
    if is_whole:
        return Shown("phrase", heard.start, heard.end, text(heard.name) or name, name, tuple(details))
    rest = _rest(heard, everything)
    small = f"{share} heard, {'cut' if heard.completeness < HEARD_AT_LEAST or rest else 'with gaps'} · {name}"
    return Shown("phrase", heard.start, heard.end, text(heard.name) or name, small, tuple(details), rest)


def _rest(heard: Heard, everything: Sequence[Heard]) -> float | None:
    """Up to where the unheard rest is drawn: the recording's own end, or what was heard instead."""
    whole = heard.start + heard.length
    following = min((other.start for other in everything if other.start >= heard.end), default=whole)
    rest = min(whole, following)
    return rest if rest - heard.end >= 0.1 else None


def _when_and_where(act: Act) -> tuple[str, str]:
    return (_span(act.start, act.end) if act.end > act.start else _at(act.start), _line(act.where.line))


def _at(second: float) -> str:
    return f"at {second:.2f} s"


def _span(start: float, end: float) -> str:
    return f"from {start:.2f} s to {end:.2f} s, {end - start:.2f} s long"


def _line(number: int) -> str:
    return f"line {number} of the scenario"
