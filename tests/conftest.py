import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="golden calls and broken files: write what happens now instead of comparing; read the diff",
    )
