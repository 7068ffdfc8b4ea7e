"""How late do rule timers get while the flows are read anew?

As `bench.timers`, with a reload every few seconds (SIGHUP) and without, one after the other, each beside the bystander.

    python -m bench.reload [--calls 300] [--seconds 20]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import uvloop

from bench.timers import measure
from tools.run import prepare_prompts

EVERY_S = 4.0
"""Seconds from one reload to the next; each takes one or two."""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    prepare_prompts()
    for every in (0.0, EVERY_S):
        with tempfile.TemporaryDirectory() as state:
            figures = uvloop.run(measure(options.calls, options.seconds, Path(state), reload_every=every))
        print(
            f"{options.calls} live calls, {f'a reload every {every:g} s' if every else 'no reload'}, {figures['timers']} timers"
        )
        print(
            f"  late: p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms, "
            f"p99.9 {figures['p99_9_ms']:.1f} ms, max {figures['max_ms']:.1f} ms"
        )
        print(
            f"  this machine itself meanwhile: p99.9 {figures['machine_p99_9_ms']:.1f} ms, "
            f"max {figures['machine_max_ms']:.1f} ms late; engine {figures['engine_mib']:.0f} MiB at the start, "
            f"{figures['engine_mib_after']:.0f} MiB at the end"
        )


if __name__ == "__main__":
    main()
