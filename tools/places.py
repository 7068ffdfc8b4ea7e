"""Where things are in a checkout, and where set-up keeps what it makes."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
RECIPE = CHECKOUT / "asterisk"
"""The PBX's configuration: templates, the defaults of their settings, and the script that puts the two together."""
DOCKER = CHECKOUT / "docker"

STATE = CHECKOUT / ".ivrflow"
"""Everything that set-up makes; git ignores it and `make clean` removes it."""
SECRETS = STATE / "secrets.env"
IMAGES = STATE / "images"
PBX = STATE / "pbx"
PROMPTS = STATE / "prompts"
"""The formats the PBX plays."""
RECORDINGS = STATE / "recordings"
"""Recorded calls and callers' messages."""
MUSIC = STATE / "music"
"""The hold music it plays."""
