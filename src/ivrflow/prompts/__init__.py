"""Wording to audio files: masters, voices and the formats the PBX plays."""
