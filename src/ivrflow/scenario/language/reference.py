"""The reference of the scenario language, written from the declarations the reader reads by.

`python -m ivrflow.scenario.language.reference > docs/scenario-reference.md` renews the page; a test fails when it is stale.
"""

from __future__ import annotations

from ivrflow.flow.pages.reference import cells, key_table
from ivrflow.flow.reading.times import written
from ivrflow.scenario.language import agent_words as a
from ivrflow.scenario.language import grammar as g
from ivrflow.scenario.language import noted_words as n
from ivrflow.scenario.language import step_words as w
from ivrflow.scenario.language.how_long import FACTOR, MARGIN_S
from ivrflow.scenario.script import HEARD_AT_LEAST, PATIENCE_S, RECOGNISED_AFTER_S
from ivrflow.softphone.audio_source import Breathing, Noise, Tone

_EXAMPLE = """\
# A caller who never says a word is asked twice, three seconds apart, and then hung up on.
scenario: a silent caller meets the whole ladder
flow: gov12345
at: 2026-11-20T10:00
proves: [silent_call, greeting_inbound]
caller:
  - hear: greeting_inbound.standard
  - pause: as the rule says
  - hear: silent_call.connected
  - pause: as the rule says
  - hear: silent_call.change_phone
expect:
  hung_up_first: ivrflow
  outcome: hung_up
  verdicts: {silent_call: kept}
"""

_OPENING = f"""\
# Scenario reference

<!-- Written by `python -m ivrflow.scenario.language.reference`; a test compares. -->

A scenario is one YAML file: who calls which number, what every telephone does and when, what must be heard, what must come
of it. `ivrflow scenario run` plays it on a real PBX, on the simulator, or on both; `ivrflow scenario new` writes a
commented one to begin with. Whatever is wrong in any file is told at once, as `file:line:column` with a hint.

```yaml
{_EXAMPLE}```

## How a script runs

Steps are done one after the other. A step begins at the *moment* the step before it ended: `hear` ends with the phrase's
last sound, `say` and `press` with the last packet sent, `wait` when its time is over. So a script never drifts: its times
count from what was really heard. The moment of `hear_start` is the phrase's first sound; which phrase it is can be known
{written(RECOGNISED_AFTER_S)} later, and no `wait` behind it can be shorter than that.

`pause` is not done, it is expected: how long it is quiet between the phrase before it and the phrase after it. Other steps
may stand between the three: a key pressed in the middle of a pause must not change it. Where the caller's script names no
phrase after a pause, it lasts until ivrflow ends the call: `- pause: as the rule says` as the last step proves that a rule
waits for its seconds before it hangs up.

When the steps are used up, the caller stays silent until the call is over, and an agent talks on until somebody hangs up.

## How values are written

| value | how | remarks |
|---|---|---|
"""

_VALUES = (
    ("a duration", "`3s` `500ms` `1m` `1m30s`", "a number and its unit; a bare number is an error"),
    (
        "a pause",
        "`3s` `2.5s-4s` `as the rule says`",
        "one number may be off by the flow's `tolerance`, as any band may",
    ),
    ("a phrase", "`silent_call.greeting` `house/menu.main`", "a key, not the wording; with `FILE/` from another file"),
    ("a rule", "`silent_call` `gov12345/silent_call`", "a rule of the flow's standard, with or without its id"),
    ("keys", '`"1"` `"86420#"`', "in quotes, or `#` begins a comment"),
    ("a share", "`90%`", "of a phrase's sound"),
    ("a sound file", "`hello.wav`", f"beside the scenario; {' '.join(f'`{ending}`' for ending in w.SOUND_ENDINGS)}"),
    ("a time", "`2026-11-20T10:00`", "local to the flow, without a zone"),
)

_STEPS = """\
## Steps

Each item of `caller`, and each but the first of an agent, is one of these.

| step | meaning |
|---|---|
"""

_AGENTS = """\
## Agents

`agents` holds a list per extension, which is also the name of the SIP account. Its first item says what happens when the
telephone rings; then follow steps as above, from the answer on. Before it may stand `queue`, for an agent who takes the
calls of a queue. An agent hears the caller while the two are joined, and what ivrflow plays to both, or to the agent alone.

| first item | meaning |
|---|---|
"""

_LOOK_UPS = """\
## Look-ups

`look_ups` holds, for each step of the flow that looks something up, what its other side does: `never`, `wrong` or `fails`
alone, or a table.

"""

_BACKGROUND = f"""\
## What a microphone picks up

| background | what is sent while nothing is said |
|---|---|
| `silence` | packets of silence, 50 a second |
| `no_rtp` | no packet at all |
| `comfort_noise` | comfort noise packets only, as telephones with silence suppression send them |
| `breathing -45dB` | breath: 1.5 s of soft noise, 1.5 s of silence; without a level {Breathing().level_dbfs:g}dB |
| `noise -40dB` | white noise; without a level {Noise().level_dbfs:g}dB |
| `tone 1200Hz -20dB` | a tone; without a level {Tone(1).level_dbfs:g}dB |

Levels are dB below full scale, so they are negative; a telephone voice has about -20dB.
"""

_EXPECT = f"""\
## What must have come of it

A phrase counts as heard from {HEARD_AT_LEAST:.0%} of its sound on. Phrases must be heard in the order of the script, and none
that it does not name, unless `heard_else: yes`. No rule may be broken that is not listed as broken.

"""

_BOUNDS = f"""\
## Bounds

A phrase is waited for {written(PATIENCE_S)} longer than the pause before it; `within` says otherwise. Then the telephone
hangs up and the scenario has failed, there. Everything together is bounded too: without `within` by what the script and
the agents are expected to take and the longest that the flow then goes on with a silent caller, times {FACTOR:g}, and
{written(MARGIN_S)} more. A talk that nobody ends is not expected: give it a `within`.
"""


def scenario_reference() -> str:
    """The text of `docs/scenario-reference.md`."""
    values = "".join(f"| {cells(*row)} |\n" for row in _VALUES)
    parts = [
        _OPENING + values,
        "## The scenario\n\n" + key_table(g.SCENARIO_SPEC),
        _STEPS + "".join(_step_row(word) for word in w.STEP_WORDS),
        *(
            f"`{word.name}` with more than {word.spec.keys[0].about}:\n\n{key_table(word.spec)}"
            for word in w.STEP_WORDS
            if word.spec
        ),
        _AGENTS + "".join(_step_row(word) for word in a.MANNERS),
        f"`queue` before it:\n\n{key_table(a.QUEUE_SPEC)}",
        _LOOK_UPS + key_table(n.LOOK_UP_SPEC),
        _BACKGROUND,
        _EXPECT + key_table(g.EXPECT_SPEC),
        _BOUNDS,
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _step_row(word: w.StepWord) -> str:
    ways = [f"`{word.shown}`"] + ([f"`- {word.name}`"] if word.alone and word.kind else [])
    return f"| {cells(' or '.join(ways), word.about)} |\n"


if __name__ == "__main__":
    print(scenario_reference(), end="")
