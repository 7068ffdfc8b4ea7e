"""FastAGI commands per second: ivrflow's server against panoramisk's, under the same load.

Plays Asterisk: 100 calls connect at once, each answers 20 commands and is closed, for several rounds. Every server runs
in a process of its own, takes its turn in every round, and serves the same conversation. Latency is what Asterisk sees:
from writing a reply to reading the next command, all calls at once.

The load generator needs about as much processor time per command as ivrflow's server. On a machine without two cores
to spare the two share one, and commands per second compare sums; commands per second of server processor time still
compare the servers.

    python bench/fastagi.py [--rounds 40] [--calls 100] [--commands 20] [--format json]
"""

import argparse
import asyncio
import json
import resource
import select
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import uvloop
from panoramisk.fast_agi import Application, Request

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import PlaybackFinished, Reply
from ivrflow.bridge.fastagi_server import AgiChannel, FastAgiServer

# One conversation for all: what a prompt costs besides playing it.
CONVERSATION = [
    agi.set_variable("TALK_DETECT(set)", "300,1000"),
    agi.noop("ivrflow bench"),
    agi.get_variable("IVRFLOW_BENCH"),
    agi.set_variable("IVRFLOW_BENCH", "1"),
]
COMPARED = ("commands_per_second", "best_commands_per_second", "commands_per_server_cpu_second")
REPLY = b"200 result=1\n"
WARM_UP_ROUNDS = 3
ROUND_SECONDS = 60.0
"""A round that takes longer will never end: fail."""
SERVERS = {
    "ivrflow": "ivrflow on uvloop",
    "panoramisk": "panoramisk on asyncio",
    "panoramisk-uvloop": "panoramisk on uvloop",
}


def environment(call: int) -> bytes:
    """What Asterisk 22 says of a call, in its length and order."""
    return (
        "agi_network: yes\nagi_network_script: bench\nagi_request: agi://127.0.0.1/bench\n"
        f"agi_channel: PJSIP/line-{call:08x}\nagi_language: zh\nagi_type: PJSIP\nagi_uniqueid: pbx-1795299552.{call}\n"
        "agi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\nagi_callingpres: 0\n"
        "agi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: 12345\nagi_rdnis: unknown\n"
        "agi_context: ivrflow\nagi_extension: 12345\nagi_priority: 2\nagi_enhanced: 0.0\nagi_accountcode: \n"
        "agi_threadid: 139901165201088\n\n"
    ).encode()


# --- the servers, each in its own process


class Conversation:
    """ivrflow's side: sends the next command when the one before is answered."""

    def __init__(self, channel: AgiChannel, commands: int) -> None:
        self._channel = channel
        self._left = commands
        self._next()

    def _next(self) -> None:
        if self._left:
            self._left -= 1
            self._channel.send(CONVERSATION[self._left % len(CONVERSATION)])
        else:
            self._channel.close()

    def replied(self, command_id: int, reply: Reply) -> None:  # noqa: ARG002 - the bench does not look at replies
        """Go on."""
        self._next()

    def playback_ended(self, ending: PlaybackFinished) -> None:
        """Nothing is played here."""

    def hung_up(self) -> None:
        """Nobody hangs up here."""

    def closed(self) -> None:
        """One call is over."""


async def serve(name: str, commands: int) -> None:
    """Serve until standard input ends, then print the processor seconds used."""
    loop = asyncio.get_running_loop()
    if name == "ivrflow":
        server = FastAgiServer(lambda channel: Conversation(channel, commands))
        await server.start("127.0.0.1", 0)
        port = server.port
    else:
        texts = [command.line.decode().rstrip("\n") for command in CONVERSATION]

        async def converse(request: Request) -> None:
            for left in reversed(range(commands)):
                await request.send_command(texts[left % len(texts)])

        application = Application(loop=loop)
        application.add_route("bench", converse)
        listener = await asyncio.start_server(application.handler, "127.0.0.1", 0, backlog=1024)
        port = listener.sockets[0].getsockname()[1]
    print(port, flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "cpu\n":
            used = resource.getrusage(resource.RUSAGE_SELF)
            print(used.ru_utime + used.ru_stime, flush=True)


class ServerProcess:
    """A server under test."""

    def __init__(self, name: str, commands: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--commands", str(commands)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._read())

    def cpu_seconds(self) -> float:
        """Processor time it has used so far."""
        assert self.process.stdin is not None
        self.process.stdin.write("cpu\n")
        self.process.stdin.flush()
        return float(self._read())

    def stop(self) -> None:
        """End it."""
        self.process.communicate()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


# --- the load


class Caller:
    """One call as Asterisk makes it."""

    def __init__(self, call: int, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answered = 0
        self.written = time.perf_counter()
        self.socket.send(environment(call))


def one_round(port: int, calls: int, commands: int, latencies: list[float]) -> float:
    """Place the calls at once; returns the seconds until the last is over.

    Bare sockets and epoll, so that the servers under test are the slower side.
    """
    poll = select.epoll()
    begun = time.perf_counter()
    callers = {}
    for call in range(calls):
        caller = Caller(call, port)
        callers[caller.socket.fileno()] = caller
        poll.register(caller.socket, select.EPOLLIN)
    live = calls
    while live:
        ready = poll.poll(ROUND_SECONDS)
        if not ready:
            sys.exit(f"bench: {live} of {calls} calls wait for a command that never comes")
        for descriptor, _ in ready:
            caller = callers[descriptor]
            data = caller.socket.recv(4096)
            now = time.perf_counter()
            if data:
                latencies.append(now - caller.written)
                lines = data.count(b"\n")
                caller.answered += lines
                caller.written = now
                caller.socket.send(REPLY * lines)
            else:
                poll.unregister(descriptor)
                caller.socket.close()
                live -= 1
    took = time.perf_counter() - begun
    poll.close()
    if any(caller.answered != commands for caller in callers.values()):
        sys.exit(f"bench: a call got {min(caller.answered for caller in callers.values())} commands of {commands}")
    return took


@dataclass
class Measured:
    """What one server did."""

    server: ServerProcess
    seconds: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    cpu_before: float = 0.0

    def result(self, calls: int, commands: int) -> dict[str, float]:
        """The figures: rates from the median round, latencies over all rounds."""
        cuts = statistics.quantiles(self.latencies, n=100)
        cpu = self.server.cpu_seconds() - self.cpu_before
        return {
            "commands_per_second": calls * commands / statistics.median(self.seconds),
            "best_commands_per_second": calls * commands / min(self.seconds),
            "latency_p50_ms": cuts[49] * 1000,
            "latency_p99_ms": cuts[98] * 1000,
            "commands_per_server_cpu_second": len(self.seconds) * calls * commands / cpu,
        }


def measure(rounds: int, calls: int, commands: int) -> dict[str, dict[str, float]]:
    """Run all servers in turns."""
    measured = {name: Measured(ServerProcess(name, commands)) for name in SERVERS}
    try:
        for turn in range(WARM_UP_ROUNDS + rounds):
            if sys.stderr.isatty():
                print(f"\rround {turn + 1} of {WARM_UP_ROUNDS + rounds}", end="", file=sys.stderr, flush=True)
            for one in measured.values():
                latencies: list[float] = []
                took = one_round(one.server.port, calls, commands, latencies)
                if turn >= WARM_UP_ROUNDS:
                    one.seconds.append(took)
                    one.latencies += latencies
                elif turn == WARM_UP_ROUNDS - 1:
                    one.cpu_before = one.server.cpu_seconds()
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return {name: one.result(calls, commands) for name, one in measured.items()}
    finally:
        for one in measured.values():
            one.server.stop()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--calls", type=int, default=100, help="calls at once")
    options.add_argument("--commands", type=int, default=20, help="commands per call")
    options.add_argument("--format", choices=["text", "json"], default="text")
    options.add_argument("--serve", choices=list(SERVERS), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        (asyncio if chosen.serve == "panoramisk" else uvloop).run(serve(chosen.serve, chosen.commands))
        return
    results = measure(chosen.rounds, chosen.calls, chosen.commands)
    ours = results["ivrflow"]
    ratios = {
        name: {figure: ours[figure] / result[figure] for figure in COMPARED}
        for name, result in results.items()
        if name != "ivrflow"
    }
    if chosen.format == "json":
        print(json.dumps({"servers": results, "ratios": ratios}, indent=2))
        return
    print(
        f"{chosen.calls} calls at once, {chosen.commands} commands each, {chosen.rounds} rounds, commands per second:"
    )
    print(f"{'':24}{'median':>10}{'best':>10}{'of server CPU':>16}{'p50 ms':>9}{'p99 ms':>9}")
    for name, result in results.items():
        print(
            f"{SERVERS[name]:24}{result['commands_per_second']:10,.0f}{result['best_commands_per_second']:10,.0f}"
            f"{result['commands_per_server_cpu_second']:16,.0f}"
            f"{result['latency_p50_ms']:9.2f}{result['latency_p99_ms']:9.2f}"
        )
    for name, ratio in ratios.items():
        shown = "".join(f"{ratio[figure]:{width}.1f}" for figure, width in zip(COMPARED, (10, 10, 16), strict=True))
        print(f"{'ivrflow : ' + name:24}{shown}")


if __name__ == "__main__":
    main()
