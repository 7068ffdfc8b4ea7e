from pathlib import Path

import msgspec
import pytest
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.prompts.index import INDEX_NAME, PromptIndex, read_index, write_index
from ivrflow.prompts.renderer import render_masters
from ivrflow.prompts.wording import PlannedPrompt, load_standard, planned_ahead, planned_prompts
from ivrflow.settings import SettingsError


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered")
    standard = load_standard(standards_folder(root) / "demo.yaml")
    render_masters(planned_prompts(standard, {}), ToneVoice(), root / "masters", "demo")
    render_masters(planned_ahead(standard, {"agent_id": ["7"]}, {}), ToneVoice(), root / "ahead", "demo")
    return root


@pytest.fixture
def masters(rendered: Path) -> Path:
    return rendered / "masters"


@pytest.fixture
def ahead(rendered: Path) -> Path:
    return rendered / "ahead"


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("demo/greet", {}, "您好！"),
        ("demo/greet", {"honorific": "女士"}, "您好！"),
        ("demo/reply", {"honorific": "女士"}, "女士，您好！"),
        ("demo/reply", {}, "您好，请讲！"),
        ("demo/reply", {"honorific": "博士"}, "您好，请讲！"),
        ("demo/number", {"agent_id": "7"}, "我的工号是7。"),
        ("demo/number", {"agent_id": "8"}, "很高兴为您服务。"),
        ("demo/both", {"agent_id": "7"}, "我是话务员。"),
        ("demo/both", {"agent_id": "7", "honorific": "先生", "topic": "路灯"}, "先生，我的工号是7。"),
    ],
)
def test_the_wording_with_all_its_values_or_the_one_that_does_without(
    masters: Path, ahead: Path, key: str, values: dict[str, str], text: str
) -> None:
    entry = PromptIndex.load(masters, ahead).lookup(key, values)
    assert entry is not None
    assert entry.text == text


def test_an_unknown_phrase_has_no_prompt(masters: Path) -> None:
    assert PromptIndex.load(masters).lookup("demo/nothing") is None


def test_the_flow_sees_the_same_prompts(masters: Path) -> None:
    index = PromptIndex.load(masters)
    catalogue = index.catalogue()
    prompt = catalogue.prompts["demo/reply", (("honorific", "女士"),)]
    entry = index.lookup("demo/reply", {"honorific": "女士"})
    assert entry is not None
    assert prompt.file == entry.sound == f"demo/{entry.stem}"
    assert prompt.seconds == entry.duration_ms / 1000
    assert prompt.loudest_frame == entry.loudest_frame > 0
    assert catalogue.prompts["demo/greet", ()].file == "demo/greet"


def test_changed_and_new_wordings_are_outdated_and_nothing_else(tmp_path: Path, masters: Path) -> None:
    index = PromptIndex.load(masters)
    changed = STANDARD.replace("我是话务员。", "我是接线员。").replace('["先生", "女士"]', '["先生", "女士", "同学"]')
    standard = load_standard(standards_folder(tmp_path, changed) / "demo.yaml")
    assert [prompt.text for prompt in index.outdated(planned_prompts(standard, {}))] == ["同学，您好！", "我是接线员。"]


def test_an_index_is_sorted_and_reads_back(tmp_path: Path, masters: Path) -> None:
    entries = read_index(masters / "demo")
    write_index(tmp_path, "demo", reversed(entries))
    assert (tmp_path / INDEX_NAME).read_bytes() == (masters / "demo" / INDEX_NAME).read_bytes()
    assert [entry.key for entry in entries] == sorted(entry.key for entry in entries)
    assert [path.name for path in tmp_path.glob(f".{INDEX_NAME}*")] == []


def test_one_changed_entry_is_a_small_difference(tmp_path: Path, masters: Path) -> None:
    before = (masters / "demo" / INDEX_NAME).read_text("utf-8").splitlines()
    entries = read_index(masters / "demo")
    write_index(tmp_path, "demo", [msgspec.structs.replace(entries[0], duration_ms=1), *entries[1:]])
    after = (tmp_path / INDEX_NAME).read_text("utf-8").splitlines()
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"standard": "demo"}', b'{"standard": "demo", "prompts": [{}]}', b"\xff"]
)
def test_a_damaged_index_is_an_operators_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / INDEX_NAME).write_bytes(content)
    with pytest.raises(SettingsError, match="prompts build"):
        PromptIndex.load(tmp_path)


def test_no_folder_is_no_prompts(tmp_path: Path) -> None:
    assert PromptIndex.load(tmp_path / "nowhere").entries == {}


def _with_second_voice(tmp_path: Path) -> tuple[Path, list[PlannedPrompt]]:
    """Everything in the default voice, the greeting by a person, and three prompts in a second voice."""
    planned = planned_prompts(load_standard(standards_folder(tmp_path) / "demo.yaml"), {})
    root = tmp_path / "two"
    person, default = ToneVoice("recorded/1234"), ToneVoice("tones/zf_xiaobei")
    render_masters(planned, lambda prompt, _known: person if prompt.key == "demo/greet" else default, root, "demo")
    render_masters(planned[:3], ToneVoice("tones/zm_yunxi"), root, "demo", speaker="zm_yunxi")
    return root, planned


def test_a_second_voice_is_kept_apart(tmp_path: Path) -> None:
    root, planned = _with_second_voice(tmp_path)
    index = PromptIndex.load(root)
    assert len(index.entries) == 6
    assert {voice: len(entries) for voice, entries in index.voices.items()} == {"zm_yunxi": 3}
    assert len(list(index.everything)) == 9
    without = index.voices["zm_yunxi"]["demo/reply", ()]
    assert (without.speaker, without.folder, without.sound) == (
        "zm_yunxi",
        "demo/zm_yunxi",
        "demo/zm_yunxi/reply-without",
    )
    assert (root / without.folder / without.file).exists()
    assert [prompt.key for prompt in index.outdated(planned)] == []
    assert [prompt.key for prompt in index.outdated(planned, "zm_yunxi")] == ["demo/reply", "demo/number", "demo/both"]


def test_a_voice_is_heard_where_it_spoke_and_a_person_before_any_voice(tmp_path: Path) -> None:
    index = PromptIndex.load(_with_second_voice(tmp_path)[0])

    def heard(key: str, voice: str) -> str:
        entry = index.lookup(key, {}, voice)
        assert entry is not None
        return entry.voice

    assert heard("demo/reply", "zf_xiaobei") == "tones/zf_xiaobei"
    assert heard("demo/reply", "zm_yunxi") == "tones/zm_yunxi"
    assert heard("demo/both", "zm_yunxi") == "tones/zf_xiaobei", "the second voice did not record it"
    assert heard("demo/greet", "zm_yunxi") == "recorded/1234"
    catalogue = index.catalogue()
    second = catalogue.spoken_by("zm_yunxi")
    assert {key: second.prompts[key, ()].file for key in ("demo/greet", "demo/reply", "demo/both")} == {
        "demo/greet": "demo/greet",
        "demo/reply": "demo/zm_yunxi/reply-without",
        "demo/both": "demo/both-without",
    }
    assert catalogue.spoken_by("zf_xiaobei").prompts == catalogue.prompts
