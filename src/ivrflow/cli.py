"""The command line: `ivrflow COMMAND`. A command is imported only when asked for."""

from __future__ import annotations

import os

import click

from ivrflow.commands_on_demand import CommandsOnDemand

_COMMANDS = {
    "check": (
        "ivrflow.commands.flow_commands:check",
        "Check flows and standards; report every problem with file:line:column.",
    ),
    "try": (
        "ivrflow.commands.simulator_commands:try_",
        "Be the caller at this terminal: the same engine on a virtual clock.",
    ),
    "draw": ("ivrflow.commands.flow_commands:draw", "Draw a flow as a Mermaid diagram."),
    "explain": (
        "ivrflow.commands.explain_commands:explain",
        "Say what a caller would meet at a moment, and why, with file and line.",
    ),
    "schema": ("ivrflow.commands.schema_commands:schema", "Print the JSON Schema of a kind of file, for your editor."),
    "serve": ("ivrflow.commands.serve_commands:serve", "Serve calls on the PBX until stopped."),
    "reload": (
        "ivrflow.commands.order_commands:reload",
        "Let the running engine read flows, standards and prompts anew.",
    ),
    "doctor": ("ivrflow.commands.serve_commands:doctor", "Look whether everything a call needs is there."),
    "call": (
        "ivrflow.commands.call_commands:call",
        "Let the running engine ring somebody, with a flow that places calls.",
    ),
    "live": ("ivrflow.commands.order_commands:live", "List the calls that run now."),
    "play": ("ivrflow.commands.order_commands:play", "Start a situation of the standard on a running call."),
    "cancel": ("ivrflow.commands.order_commands:cancel", "Take a situation back; the call goes on where it was."),
    "done": ("ivrflow.commands.order_commands:done", "Say that the task the agent was asked to do is done."),
    "signal": (
        "ivrflow.commands.order_commands:signal",
        "Give a word that leaves what is being played, such as understood.",
    ),
    "transfer": (
        "ivrflow.commands.order_commands:transfer",
        "Send the caller of a talk to a transfer step of the flow.",
    ),
    "agents": (
        "ivrflow.commands.agent_commands:agents",
        "Who serves the queues: list, log in and out, pause; the list of codes.",
    ),
    "calls": ("ivrflow.commands.journal_commands:calls", "List the calls in the journal."),
    "trace": ("ivrflow.commands.journal_commands:trace", "Show what happened on one call, with the verdict per rule."),
    "promises": (
        "ivrflow.commands.promise_commands:promises",
        "What callers were promised, what is due, what became of it.",
    ),
    "callbacks": (
        "ivrflow.commands.callback_commands:callbacks",
        "Who waits to be called back; taking a callback back.",
    ),
    "recordings": ("ivrflow.commands.recording_commands:recordings", "Recorded calls; deleting what is too old."),
    "messages": ("ivrflow.commands.recording_commands:messages", "The messages callers left."),
    "report": ("ivrflow.commands.report_commands:report", "Key figures, rules and promises of a stretch of time."),
    "replay": (
        "ivrflow.commands.simulator_commands:replay",
        "Put a journaled call through the engine again and compare.",
    ),
    "scenario": (
        "ivrflow.scenario.commands:scenario",
        "For testers: play written calls with real phones and prove them.",
    ),
    "standards": (
        "ivrflow.commands.standards_commands:standards",
        "The service standards: how every rule is met and proven.",
    ),
    "prompts": ("ivrflow.prompts.commands:prompts", "Make the recordings callers hear, list, play, verify them."),
}


@click.command(cls=CommandsOnDemand, listed=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ivrflow")
def main() -> None:
    """Make a documented service standard happen on every call, and prove it.

    \b
    First steps:
      ivrflow check                      are the flows and standards in callflows/ in order?
      ivrflow try gov12345               ring the hotline from this terminal, without a PBX
      ivrflow doctor && ivrflow serve    serve real calls
      ivrflow calls && ivrflow trace last
      ivrflow scenario --help            written calls, played with real phones

    Exit codes: 0 fine, 1 problems, 2 wrong usage.
    """  # noqa: D301 - \b keeps the lines apart in --help
    if os.environ.get("NO_COLOR"):  # no-color.org; rich looks by itself, click does not
        click.get_current_context().color = False
