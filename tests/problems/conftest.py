import contextlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # the golden calls have the same option
        parser.addoption("--update", action="store_true", help="write what is told now instead of comparing")
