"""English words as the sounds a Kokoro voice knows, with espeak-ng as the pronouncing dictionary (build time only)."""

from __future__ import annotations

import re

from ivrflow.prompts.espeak_voice import run_espeak

# What espeak-ng writes (IPA, "^" between the halves of one sound) and what the voice was trained on, longest first.
_SOUNDS = (
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ɔ^ɪ", "Y"),
    ("d^ʒ", "ʤ"),
    ("t^ʃ", "ʧ"),
    ("ə^l", "ᵊl"),
    ("ɜː", "ɜɹ"),
    ("ɜɹɹ", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("əɹɹ", "əɹ"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("o", "ɔ"),
    ("e", "A"),
    ("ː", ""),
    ("^", ""),
    ("-", ""),
)
_CLAUSE = re.compile(r"([,.;:!?]+)")
_SYLLABIC = re.compile("(\\S)\u0329")
_LINKING = re.compile("[\u200d\u0303]")


def english_sounds(text: str) -> str:
    """The text as sounds, its punctuation kept: it decides pauses and melody.

    Raises `SettingsError` when espeak-ng is not installed.
    """
    clauses = [clause.strip() for clause in _CLAUSE.split(text.replace("，", ", ").replace("’", "'"))]
    said = [_sounds_of(_ipa(clause)) if clause else "" for clause in clauses[::2]]
    signs = [*clauses[1::2], ""]
    return " ".join(words + sign[:1] for words, sign in zip(said, signs, strict=True) if words or sign).strip()


def _ipa(clause: str) -> str:
    return " ".join(run_espeak(["-v", "en-us", "-q", "--ipa", "--tie=^", clause]).decode("utf-8").split())


def _sounds_of(ipa: str) -> str:
    said = _LINKING.sub("", ipa)
    for written, sound in _SOUNDS:
        said = said.replace(written, sound)
    return _SYLLABIC.sub(r"ᵊ\1", said)
