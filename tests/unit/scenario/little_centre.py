"""The small hotline with a queue, a warm transfer, messages and look-ups, in phrases it has."""

from dataclasses import replace

from agent_flows import ask, call_back, colleague, queue, record
from small_flows import WHERE, ladder, rung
from tiny_hotline import compiled

from ivrflow.flow.model import Agents, Band, CallFlow, CallRecording, Keep, PlayBack, Score, Warm

HOTLINE = compiled()
ANNOUNCEMENTS = replace(
    ladder(
        rung(None, 10.0),
        rung("house/wrong_key", 30.0, band=Band(25, 30), rule="tiny/silent"),
        rung("house/too_few", 20.0),
    ),
    loops_from=2,
    rounds=6,
)
QUEUE = replace(
    queue("queue", "house/connecting", waiting=ANNOUNCEMENTS, keys={"1": "message"}),
    thanks=("tiny/hello",),
    agent_left="bye",
    no_answer="message",
    nobody="message",
    full="message",
)
COLLEAGUE = replace(
    colleague(),
    announce=("house/connecting",),
    warm=Warm(WHERE, ("house/menu",), ("tiny/hello",), ("house/too_few",)),
    agent_left="bye",
    no_answer="bye",
    busy="bye",
    unreachable="bye",
)
MESSAGE = replace(record(), ask=("house/ask_number",), done="play", nothing="bye")
ASK = replace(
    ask(), filler=("house/too_few",), cases={"open": "queue"}, done="queue", late="queue", wrong="bye", failed="bye"
)
STEPS = (
    QUEUE,
    COLLEAGUE,
    MESSAGE,
    PlayBack("play", WHERE, "keep"),
    Keep("keep", WHERE, "score"),
    Score("score", WHERE, "survey", 3, 5, "callback"),
    replace(call_back(), then="bye", undiallable="hang_up"),
    ASK,
)
NOTICE = CallRecording(WHERE, ("house/morning",))
CENTRE: CallFlow = replace(
    HOTLINE,
    start="queue",
    steps={step.name: step for step in STEPS} | {name: HOTLINE.steps[name] for name in ("bye", "hang_up")},
    situations={},
    agents=Agents(transfers=("colleague",)),
)
