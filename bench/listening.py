"""How exactly, how soon and how cheaply is heard what a call plays?

Every shipped prompt, in the very bytes the PBX sends for each codec, lies at known moments in calls made by hand: with
jitter, whole or cut at any packet, the next prompt right behind it or after a pause. After the call the moments found
are compared with the truth; while the call lasts, an ear is timed. Goals: start and end within 20 ms of the truth, a
phrase known 0.6 s after it began, its end 0.15 s after its last sound, and never another phrase instead.

    python -m bench.listening [--rounds 1] [--seed 1] [--format json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ivrflow.scenario.pbx.hearing import hear_all, load_sounds, named_prompts
from ivrflow.settings import Settings
from ivrflow.softphone.codecs import FRAME, FRAME_S, RATE, Samples
from ivrflow.softphone.ear import LOOK_EVERY_S, Began, Ear, Ended
from ivrflow.softphone.likeness import QUIET, STEP
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Repertoire, phrase_of
from ivrflow.softphone.rtp import RtpPacket
from tools.places import PROMPTS
from tools.run import MASTERS, prepare_prompts

PAYLOAD_TYPES = {"ulaw": 0, "alaw": 8, "g722": 9}
GOAL_S = 0.02
JITTER_S = 0.008
SHORTEST = 20  # packets a prompt is cut after, at least
BEGINNINGS_S = 2.0  # of every prompt, in which every other one is listened for


@dataclass(frozen=True, slots=True)
class Played:
    """A prompt as it was played: its phrase, when it began and when its last sound ended, and whether it was cut."""

    phrase: str
    start: float
    end: float
    cut: bool


class Line:
    """What a PBX sends to one phone, as (arrival, datagram)."""

    def __init__(self, codec_name: str, random: np.random.Generator) -> None:
        self.packets: list[tuple[float, bytes]] = []
        self._type = PAYLOAD_TYPES[codec_name]
        self._random = random
        self._timestamp = int(random.integers(0, 2**32))

    def play(self, payload: bytes, at: float) -> float:
        """Send it from second `at` on; when the next one can follow."""
        self._timestamp += 5000
        for number, start in enumerate(range(0, len(payload), FRAME)):
            packet = RtpPacket(
                self._type,
                len(self.packets) % 2**16,
                (self._timestamp + start) % 2**32,
                1,
                payload[start : start + FRAME],
            )
            late = float(self._random.uniform(0, JITTER_S)) if number else 0.0
            self.packets.append((at + number * FRAME_S + late, packet.pack()))
        self._timestamp += len(payload)
        return at + len(payload) / RATE

    def recording(self) -> Recording:
        """All of it."""
        recording = Recording()
        for at, datagram in sorted(self.packets):
            recording.add(datagram, at)
        return recording


def last_sound(samples: Samples) -> float:
    """Seconds until the last 10 ms that can be heard end."""
    steps = samples[: len(samples) // STEP * STEP].reshape(-1, STEP).astype(np.float64)
    sounding = np.flatnonzero(np.mean(steps**2, axis=1) >= QUIET**2)
    return float(sounding[-1] + 1) * STEP / RATE if len(sounding) else 0.0


def made_call(
    name: str, other: str, codec_name: str, sounds: Mapping[str, Samples], files: Mapping[str, bytes], seed: int
) -> tuple[Line, list[Played], float]:
    """Two prompts of which either may be cut, with a pause between them or none; the call, the truth, and when it ends."""
    random = np.random.default_rng(seed)
    line, at, truth = Line(codec_name, random), 100 + float(random.uniform(0, 1)), []
    for wording in (name, other):
        whole = len(files[wording])
        cut = bool(random.random() < 0.5)
        length = int(random.integers(SHORTEST, max(SHORTEST + 1, whole // FRAME))) * FRAME if cut else whole
        heard = sounds[wording][:length]
        truth.append(Played(phrase_of(wording), at, at + last_sound(heard), cut))
        at = line.play(files[wording][:length], at)
        at += 0.0 if random.random() < 0.4 else float(random.uniform(0.05, 3))
    return line, truth, at


def after_the_call(
    repertoire: Repertoire, files: Mapping[str, Mapping[str, bytes]], rounds: int, seed: int
) -> dict[str, dict[str, float]]:
    """Errors of what is found when the call is over, by codec."""
    alike = same_sounds(repertoire)
    figures: dict[str, dict[str, float]] = {}
    for codec_name, prompts in files.items():
        starts: list[float] = []
        ends: list[float] = []
        wrong = 0
        cost = seconds = 0.0
        names = list(prompts)
        for number, name in enumerate(names * rounds):
            other = names[(number * 7 + 3) % len(names)]
            line, truth, over = made_call(name, other, codec_name, repertoire.sounds, prompts, seed + number)
            recording = line.recording()
            began = time.process_time()
            found = hear_all(
                recording, repertoire, likely={played.phrase for played in truth}, answered_at=truth[0].start
            )
            cost += time.process_time() - began
            seconds += over - 100
            told = [one.name for one in found]
            if len(told) != len(truth) or not all(
                alike.get(one) == alike[played.phrase] for one, played in zip(told, truth, strict=True)
            ):
                wrong += 1
                print(f"{codec_name}: {truth} was heard as {found}", file=sys.stderr)
                continue
            starts += [abs(one.start + truth[0].start - played.start) for one, played in zip(found, truth, strict=True)]
            ends += [abs(one.end + truth[0].start - played.end) for one, played in zip(found, truth, strict=True)]
        figures[codec_name] = {
            "prompts": len(starts),
            "not_recognised_calls": wrong,
            **spread("start_off_ms", starts),
            **spread("end_off_ms", ends),
            "ms_for_a_call_of_20_s": cost / seconds * 20_000,
        }
    return figures


def spread(name: str, values: list[float]) -> dict[str, float]:
    """p50, p99 and the worst, in milliseconds."""
    p50, p99, worst = np.percentile(np.array(values) * 1000, [50, 99, 100])
    return {f"{name}_p50": float(p50), f"{name}_p99": float(p99), f"{name}_max": float(worst)}


def same_sounds(repertoire: Repertoire) -> dict[str, str]:
    """Each phrase's name, or that of the first phrase that sounds the same from beginning to end."""
    first: dict[bytes, str] = {}
    return {
        phrase_of(name): first.setdefault(samples.tobytes(), phrase_of(name))
        for name, samples in reversed(list(repertoire.sounds.items()))
    }


def while_it_lasts(repertoire: Repertoire, files: Mapping[str, Mapping[str, bytes]], seed: int) -> dict[str, float]:
    """How soon an ear tells of every prompt, and what listening costs."""
    began_after: list[float] = []
    ended_after: list[float] = []
    off: list[float] = []
    missed = 0
    cost = seconds = 0.0
    for number, (codec_name, prompts) in enumerate(files.items()):
        for name, payload in prompts.items():
            line = Line(codec_name, np.random.default_rng(seed + number))
            line.play(payload, 100.0)
            last = 100.0 + last_sound(repertoire.sounds[name])
            told: dict[type, tuple[float, Began | Ended]] = {}
            began = time.process_time()
            for now, heard in looks(line, repertoire, phrase_of(name), last + 1):
                told[type(heard)] = (now, heard)
            cost += time.process_time() - began
            seconds += last + 1 - 99.5
            if len(told) < 2:
                missed += 1
                continue
            began_after.append(told[Began][0] - 100.0)
            ended_after.append(told[Ended][0] - last)
            off += [abs(told[Began][1].at - 100.0), abs(told[Ended][1].at - last)]
    return {
        "prompts": len(began_after),
        "missed": missed,
        **spread("told_after_beginning_ms", began_after),
        **spread("told_after_end_ms", ended_after),
        **spread("off_ms", off),
        "ms_per_second_of_a_call": cost / seconds * 1000,
    }


def looks(line: Line, repertoire: Repertoire, phrase: str, until: float) -> Iterator[tuple[float, Began | Ended]]:
    """What an ear tells that listens for one phrase, and when."""
    recording = Recording()
    ear = Ear(recording, repertoire)
    ear.listen_for(phrase, 99.5)
    arrivals = sorted(line.packets)
    now, taken = 99.5, 0
    while now < until:
        while taken < len(arrivals) and arrivals[taken][0] <= now:
            recording.add(arrivals[taken][1], arrivals[taken][0])
            taken += 1
        if heard := ear.look(now):
            yield now, heard
        later = now + LOOK_EVERY_S
        now = min(later, ear.next_look) if ear.next_look and ear.next_look > now else later


def taken_for_another(repertoire: Repertoire, prompts: Mapping[str, bytes]) -> dict[str, float]:
    """How often an ear takes the beginning of a prompt for that of another: all against all."""
    alike = same_sounds(repertoire)
    line = Line("ulaw", np.random.default_rng(0))
    at, begins = 100.0, []
    for name, payload in prompts.items():
        begins.append((at, alike[phrase_of(name)]))
        at = line.play(payload[: int(BEGINNINGS_S * RATE) // FRAME * FRAME], at) + 0.5
    wrong = 0
    phrases = sorted({phrase_of(name) for name in prompts})
    for phrase in phrases:
        since = 99.5
        recording = line.recording()
        ear = Ear(recording, repertoire)
        ear.listen_for(phrase, since)
        while isinstance(heard := ear.look(at), Began):
            nearest = min(begins, key=lambda begin: abs(begin[0] - heard.at))
            wrong += abs(nearest[0] - heard.at) > GOAL_S or nearest[1] != alike[phrase]
            ear.listen_for(phrase, heard.at + 1.0)
    return {"phrases": len(phrases), "beginnings": len(begins), "taken_for_another": wrong}


def slow_to_tell(repertoire: Repertoire) -> dict[str, float]:
    """Phrases that are known later than 0.6 s after their beginning, since another one begins alike; in seconds."""
    known = {
        wording.name: wording.telling / RATE
        for phrase in {phrase_of(name) for name in repertoire.sounds}
        for wording in repertoire.wordings(phrase)
    }
    late = [(seconds, name) for name, seconds in known.items() if seconds > 0.6]
    return {name: seconds for seconds, name in sorted(late, reverse=True)}


def measure(rounds: int, seed: int) -> dict[str, dict[str, object]]:
    """Every figure."""
    settings = Settings(masters=MASTERS, prompts_dir=PROMPTS)
    repertoire = Repertoire(load_sounds(settings)[0])
    prompts = {name: entry.sound for name, entry in named_prompts(settings).items()}
    files = {
        codec_name: {name: (PROMPTS / f"{sound}.{codec_name}").read_bytes() for name, sound in prompts.items()}
        for codec_name in PAYLOAD_TYPES
    }
    slow = slow_to_tell(repertoire)  # first: it makes every phrase ready, which no call should be charged with
    return {
        "after the call": {**after_the_call(repertoire, files, rounds, seed)},
        "while it lasts": {**while_it_lasts(repertoire, files, seed)},
        "look-alikes": {**taken_for_another(repertoire, files["ulaw"])},
        "known after more than 0.6 s": {**slow},
    }


def show(figures: dict[str, dict[str, object]]) -> None:
    """Print the figures for people."""
    for title, part in figures.items():
        print(title)
        for name, value in part.items():
            if isinstance(value, dict):
                print(f"  {name}")
                for one, number in value.items():
                    print(f"    {one:28} {number:8.2f}")
            else:
                print(f"  {name:44} {value:8.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="calls for each prompt and codec")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    prepare_prompts()
    figures = measure(options.rounds, options.seed)
    if options.format == "json":
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
