"""What the PBX of a test has recorded."""

from pathlib import Path


def is_finished(path: Path) -> bool:
    """Whether its header tells its length, which the PBX writes last."""
    with path.open("rb") as file:
        header = file.read(44)
    if header[8:12] != b"WAVE":
        return False
    return int.from_bytes(header[40:44], "little") == path.stat().st_size - 44 > 0
