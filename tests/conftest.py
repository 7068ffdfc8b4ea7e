import os

import pytest
from hypothesis import settings

# No time limit per example: machines differ, and what is tested is what happens, not how fast. In CI the examples are the
# same every time, so that a red run is about the change; everywhere else each run looks for new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="golden calls and broken files: write what happens now instead of comparing; read the diff",
    )
