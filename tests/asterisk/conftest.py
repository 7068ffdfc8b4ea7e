"""The real PBX, started once for all tests here, on ports of its own; and phones that call it.

    async def test_something(pbx: Pbx, phones: Phones) -> None:
        caller = await phones.open("caller")
        call = await caller.call("12345")

After each test no channel may be left on the PBX, and it may have logged no warning and no error but those the test
expects: `@pytest.mark.complains("a regular expression", ...)`.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from one_pbx import Phones as Phones
from one_pbx import complaints, no_channels_left, own_settings

from ivrflow.prompts.formats import build_formats
from tools.pbx import Pbx, PbxSettings, build
from tools.places import CHECKOUT, PROMPTS

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """The markers used here."""
    config.addinivalue_line("markers", "complains(*patterns): the PBX may log warnings and errors like these")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here share one event loop: the PBX lives in it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asterisk)
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def pbx_tree() -> Path:
    """The file tree of the PBX image, built when it is not there."""
    return build()


@pytest.fixture(scope="session")
def pbx_prompts() -> Path:
    """All prompts in the formats the PBX plays."""
    build_formats([CHECKOUT / "prompts"], PROMPTS)
    return PROMPTS


@pytest.fixture
def pbx_settings() -> PbxSettings:
    """Settings for one more PBX: the defaults, on free ports."""
    return own_settings()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_pbx(pbx_tree: Path, pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pbx]:
    """The PBX of all tests; use `pbx`."""
    state, recordings = tmp_path_factory.mktemp("pbx"), tmp_path_factory.mktemp("recordings")
    async with Pbx(state, own_settings(), prompts=pbx_prompts, recordings=recordings, tree=pbx_tree) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def pbx(shared_pbx: Pbx, request: pytest.FixtureRequest) -> AsyncIterator[Pbx]:
    """A running PBX without calls. Its engine is expected on `pbx.settings.agi_port`; tests start one there."""
    before = len(shared_pbx.log.read_text(encoding="utf-8"))
    yield shared_pbx
    await no_channels_left(shared_pbx)
    expected = [pattern for marker in request.node.iter_markers("complains") for pattern in marker.args]
    logged = complaints(shared_pbx.log.read_text(encoding="utf-8")[before:])
    assert [line for line in logged if not any(re.search(pattern, line) for pattern in expected)] == []


@pytest_asyncio.fixture(loop_scope="session")
async def phones(pbx: Pbx) -> AsyncIterator[Phones]:
    """Phones at the PBX."""
    async with AsyncExitStack() as closing:
        yield Phones(pbx, closing)
