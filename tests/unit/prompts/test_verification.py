"""What is kept of a hearing, what is heard again, and how all of it is judged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from made_entries import entry, part
from tone_voice import RATE, tone

from ivrflow.prompts.hearings import Hearing, master_hashes
from ivrflow.prompts.recogniser import RECOGNISER, Language
from ivrflow.prompts.soundness import Sound
from ivrflow.prompts.verification import (
    VERIFICATION_NAME,
    Judged,
    Understood,
    faults,
    figures,
    figures_of_phrases,
    judge,
    listen,
    read_verification,
    write_verification,
)
from ivrflow.prompts.verification_notes import Notes
from ivrflow.settings import SettingsError

GOOD = Sound(seconds=1.0, level_db=-24.0, peak=0.5, leading_ms=50, trailing_ms=50)


def _understood(said: str, heard: str, hash_: str = "h", name: str = "demo/greet") -> Understood:
    return Understood(
        name=name, hash=hash_, recogniser=RECOGNISER, said=said, heard=heard, length=0, errors=0, sound_errors=0
    ).counted()


def _judged(said: str, heard: str | None, excuse: str = "", homophones: str = "") -> Judged:
    hearing = Hearing((entry(spoken=said),))
    return Judged(hearing, None if heard is None else _understood(said, heard), excuse, homophones)


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_verification(tmp_path) == {}
    some = [_understood("您好", "您好", "b", "demo/two"), _understood("您好", "你好", "a", "demo/one")]
    write_verification(tmp_path, some)
    assert read_verification(tmp_path) == {"a": some[1], "b": some[0]}
    written = (tmp_path / VERIFICATION_NAME).read_text(encoding="utf-8")
    assert written.index("demo/one") < written.index("demo/two")
    before = (tmp_path / VERIFICATION_NAME).stat().st_mtime_ns
    write_verification(tmp_path, some)
    assert (tmp_path / VERIFICATION_NAME).stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == [VERIFICATION_NAME]


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / VERIFICATION_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(SettingsError, match="delete it and run: ivrflow prompts verify"):
        read_verification(tmp_path)


# ── listening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pending(tmp_path: Path) -> list[tuple[Hearing, str]]:
    entries = [entry(f"demo/{number}", "您好") for number in range(45)]
    (tmp_path / "demo").mkdir()
    for number, one in enumerate(entries):
        soundfile.write(tmp_path / "demo" / one.file, tone(0.2, 300 + number), RATE, format="OGG", subtype="OPUS")
    hashes = master_hashes(tmp_path, entries)
    return [(hearing, hearing.hash(hashes)) for hearing in (Hearing((one,)) for one in entries)]


@pytest.mark.parametrize("at_once", [1, 3])
def test_all_are_heard_and_kept_now_and_then(tmp_path: Path, pending: list[tuple[Hearing, str]], at_once: int) -> None:
    kept: list[list[Understood]] = []

    def recognise(sound: npt.NDArray[np.float32], language: Language) -> str:
        assert (len(sound), str(sound.dtype), language) == (3200, "float32", "zh")
        return " 你好 "

    reported: list[tuple[int, int]] = []
    listen(
        pending,
        tmp_path,
        recognise,
        lambda fresh: kept.append(list(fresh)),
        at_once,
        lambda done, total, _name: reported.append((done, total)),
    )
    assert sorted(one.hash for some in kept for one in some) == sorted(hash_ for _, hash_ in pending)
    assert len(kept) > 1
    assert {(one.heard, one.length, one.errors) for some in kept for one in some} == {("你好", 2, 1)}
    assert reported == [(done, 45) for done in range(1, 46)]


def test_what_was_heard_before_a_stop_is_kept(tmp_path: Path, pending: list[tuple[Hearing, str]]) -> None:
    kept: list[Understood] = []
    calls: list[int] = []

    def recognise(_sound: npt.NDArray[np.float32], _language: Language) -> str:
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return "您好"

    def keep(fresh: Sequence[Understood]) -> None:
        kept.extend(fresh)

    with pytest.raises(KeyboardInterrupt):
        listen(pending, tmp_path, recognise, keep)
    assert [one.hash for one in kept] == [hash_ for _, hash_ in pending[:7]]
    assert len(calls) == 8, "nothing more is begun"


# ── judging ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_understood_is_found_by_its_hash(tmp_path: Path, pending: list[tuple[Hearing, str]]) -> None:
    hearings = [hearing for hearing, _ in pending]
    hashes = master_hashes(tmp_path, [one for hearing in hearings for one in hearing.judged])
    known = {pending[0][1]: _understood("您好", "您好", pending[0][1])}
    judged = judge(hearings, hashes, known, Notes({"demo/0": "why"}, {"demo/1": "alike"}))
    assert judged[0].understood == known[pending[0][1]]
    assert (judged[0].excuse, judged[0].homophones) == ("why", "")
    assert (judged[1].understood, judged[1].homophones) == (None, "alike")


def test_rates_and_what_counts() -> None:
    plain = _judged("今天下午好", "今天下武好")
    assert plain.rate == pytest.approx(0.2)
    assert plain.fault == "", "20 % is not above 20 %"
    worse = _judged("您好吗", "您好妈")
    assert "understood as “您好妈”: 33%" in worse.fault
    assert _judged("您好吗", "您好妈", excuse="listened to").fault == ""
    assert _judged("您好", None).fault == "was never heard"
    assert _judged("您好", None).rate == 1.0


def test_by_sound_where_a_note_says_so() -> None:
    pytest.importorskip("pypinyin", reason="the asr extra is not installed")
    judged = _judged("您好吗", "您好妈", homophones="ma")
    assert (judged.rate, judged.fault) == (0.0, "")


def test_figures() -> None:
    found = figures("demo", [_judged("您好", "您好"), _judged("您好", "你好"), _judged("您好", None)])
    assert (found.phrases, found.heard, found.high) == (3, 2, 1)
    assert found.mean == found.mean_characters == pytest.approx(0.25)
    assert figures("demo", [_judged("您好", None)]).mean == 0.0


def test_of_all_characters_a_long_phrase_weighs_more() -> None:
    found = figures("demo", [_judged("您好", "你好"), _judged("感谢您的来电再见", "感谢您的来电再见")])
    assert found.mean == pytest.approx(0.25)
    assert found.pooled == pytest.approx(0.1)


def test_pieces_need_a_note_but_are_not_in_the_mean() -> None:
    piece = Judged(Hearing((part("…石…"),)), _understood("石", "时"))
    good = _judged("您好", "您好")
    assert figures_of_phrases([good, piece]).phrases == 1
    (fault,) = faults([good, piece], {})
    assert fault.startswith("pieces/piece 石 is understood as “时”")


def test_everything_that_is_wrong_is_a_sentence() -> None:
    good = [_judged("您好", "您好")]
    assert list(faults(good, {"demo/greet": GOOD})) == []
    loud = Sound(seconds=1.0, level_db=-20.0, peak=0.99, leading_ms=50, trailing_ms=120)
    assert len(list(faults(good, {"demo/greet": loud}))) == 3
    unheard = [*good, _judged("您好", None)]
    assert list(faults(unheard, {})) == ["1 were never heard (the first: demo/greet)"]
    assert list(faults(unheard, {}, sampled=True)) == []
    high = list(faults([*good, _judged("您好", "你好")], {}))
    assert len(high) == 2
    assert "mend it or note why it is right" in high[0]
    assert high[1] == "the mean error rate is 25.0%; 5% is the most"
    excused = [*good * 10, _judged("您好", "你好", excuse="listened to")]
    assert list(faults(excused, {})) == []
