"""Index entries by hand."""

from ivrflow.prompts.index import PromptEntry


def entry(
    key: str = "demo/greet", spoken: str = "您好", *, speaker: str = "", without: bool = False, milliseconds: int = 1500
) -> PromptEntry:
    variant = "without" if without else "none"
    stem = key.partition("/")[2]
    return _entry(key, variant, {}, spoken, spoken, f"{stem}.opus", speaker, milliseconds)


def part(text: str, book: str = "pieces", *, speaker: str = "", milliseconds: int = 600) -> PromptEntry:
    kind = "piece" if book == "pieces" else "segment"
    spoken = text.replace("…", "")
    words = spoken if book == "pieces" else text
    return _entry(f"{book}/{kind}", "part", {"words": words}, text, spoken, f"{words}.opus", speaker, milliseconds)


def _entry(
    key: str, variant: str, values: dict[str, str], text: str, spoken: str, file: str, speaker: str, milliseconds: int
) -> PromptEntry:
    return PromptEntry(
        key=key,
        variant=variant,  # type: ignore[arg-type]  # one of the names, given as text
        values=values,
        text=text,
        spoken=spoken,
        voice="tones",
        digest="",
        file=file,
        duration_ms=milliseconds,
        leading_ms=50,
        trailing_ms=50,
        loudest_frame=1000,
        speaker=speaker,
    )
