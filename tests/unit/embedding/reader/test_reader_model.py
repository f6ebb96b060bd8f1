"""The reader that comes with the product: whole, the same however it is asked, and exchangeable."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb.core.digest import file_sha256
from kb.core.errors import ModelDamagedError
from kb.embedding.reader.choice import PACKAGED, ReaderSource, load_reader, reader_folder, use_packaged, use_reader
from kb.embedding.reader.encoding import MAX_TOKENS
from kb.embedding.reader.model import CARD_FILE, FILES, GRAPH_FILE, ReaderModel, Window, check, read_card
from tests.support import make_settings

QUESTION = "Hvem leverede systemet til Vandby Kommune?"
RIGHT = Window(
    "Digital post i Vandby Kommune › Drift",
    ("Systemet blev leveret af firmaet Brevdata.", "Det kører på kommunens egne servere."),
)
WRONG = Window(
    "Digital post i Vandby Kommune › Formål",
    ("Vandby Kommune ville fordele posten hurtigere.", "Systemet skulle læse brevene og sende dem videre."),
)
MOST_MEGABYTES = 40


@pytest.fixture(scope="module")
def reader() -> ReaderModel:
    return ReaderModel(PACKAGED)


def test_the_packaged_files_are_those_of_the_card_and_small_enough() -> None:
    card = read_card(PACKAGED)
    assert {name: file_sha256(PACKAGED / name) for name in FILES} == dict(card.files)
    assert sum((PACKAGED / name).stat().st_size for name in FILES) <= MOST_MEGABYTES * 1e6


def test_the_packaged_graph_does_not_tell_where_it_was_made() -> None:
    graph = (PACKAGED / GRAPH_FILE).read_bytes()
    assert [trace for trace in (b"stack_trace", b"site-packages", b'File "/') if trace in graph] == []


def test_a_window_that_answers_is_told_from_one_of_the_same_subject(reader: ReaderModel) -> None:
    right, wrong = reader.read(QUESTION, [RIGHT, WRONG])
    assert right.window > wrong.window
    assert right.sentences[0] > right.sentences[1]


def test_a_reading_does_not_hang_on_what_is_read_beside_it(reader: ReaderModel) -> None:
    (alone,) = reader.read(QUESTION, [RIGHT])
    beside = reader.read(QUESTION, [WRONG, RIGHT, WRONG, WRONG])[1]
    assert beside.window == pytest.approx(alone.window, abs=0.02)
    assert beside.sentences == pytest.approx(alone.sentences, abs=0.02)


def test_many_askers_at_once_get_what_each_gets_alone(reader: ReaderModel) -> None:
    alone = [reader.read(QUESTION, [window])[0].window for window in (RIGHT, WRONG)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda window: reader.read(QUESTION, [window])[0].window, [RIGHT, WRONG] * 8))
    assert found == pytest.approx(alone * 8, abs=0.02)


def test_a_window_of_more_than_the_model_takes_is_read_from_its_beginning(reader: ReaderModel) -> None:
    long = Window(RIGHT.context, RIGHT.sentences + ("Et ord om noget andet i rapporten. " * 12,) * 8)
    (reading,) = reader.read(QUESTION * 20, [long])
    assert 2 <= len(reading.sentences) < len(long.sentences) <= MAX_TOKENS
    assert len(reading.about) == len(reading.sentences)


def test_no_windows_and_empty_sentences_are_read_without_error(reader: ReaderModel) -> None:
    assert reader.read(QUESTION, []) == []
    (nothing,) = reader.read("", [Window("", ("",))])
    assert len(nothing.sentences) == 1


def test_a_changed_or_missing_file_is_named_with_advice(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED, tmp_path / "own")
    (tmp_path / "own" / FILES[1]).write_bytes(b"andet")
    with pytest.raises(ModelDamagedError, match=FILES[1]) as error:
        check(tmp_path / "own", read_card(tmp_path / "own"))
    assert "--reader" in error.value.advice
    (tmp_path / "own" / CARD_FILE).unlink()
    with pytest.raises(ModelDamagedError, match=CARD_FILE):
        ReaderModel(tmp_path / "own")


def test_a_reader_that_is_taken_in_is_used_until_the_packaged_one_is_chosen_again(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    assert reader_folder(settings) == PACKAGED
    shutil.copytree(PACKAGED, tmp_path / "own")
    use_reader(tmp_path / "own", settings)
    assert reader_folder(settings).is_relative_to(settings.models_dir)
    assert load_reader(settings).folder == reader_folder(settings)
    use_packaged(settings)
    assert reader_folder(settings) == PACKAGED


def test_a_source_opens_a_reader_once_and_another_when_it_is_taken_in(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    source = ReaderSource(settings)
    packaged = source.reader()
    assert source.reader() is packaged
    shutil.copytree(PACKAGED, tmp_path / "own")
    use_reader(tmp_path / "own", settings)
    assert source.reader().folder == reader_folder(settings)
    assert source.reader() is source.reader()
