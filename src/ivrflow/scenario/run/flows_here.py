"""The flows a tester's scenarios are about: those of the settings, with the recordings there are."""

from __future__ import annotations

from dataclasses import replace

from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.settings import Settings


def flows_here(settings: Settings) -> dict[str, CallFlow]:
    """Every flow by its id; a phrase without a recording takes as long as its text.

    Raises:
        FlowError: a flow or a standard is not in order.
        SettingsError: there are no flows, or the index of the recordings is damaged.
    """
    prompts = PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir)).catalogue()
    return {
        name: replace(flow, prompts=prompts.spoken_by(flow.voice))
        for name, flow in load_flows([settings.flows]).items()
    }
