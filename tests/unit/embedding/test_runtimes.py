from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from kb.core.errors import ModelDamagedError, SettingsError
from kb.embedding.embedder import ModelEmbedder
from kb.embedding.model_store import CARD_FILE, ModelCard
from kb.embedding.runtimes import choice
from kb.embedding.runtimes.base import Vectors, by_length, encode_in_batches
from kb.embedding.runtimes.choice import GRAPHS, GRAPHS_FOLDER, LEAST_COSINE, MOST_SWAY, Measured, Name, Purpose, Record
from kb.embedding.runtimes.measurement import Prefixes, Texts, fitting_texts, measure, shipped_texts
from kb.embedding.runtimes.onnx_export import Plan
from kb.embedding.runtimes.onnx_runtime import pooled
from kb.embedding.runtimes.safetensors_rows import Rows, holds

REFERENCE = Measured(Name.REFERENCE, 1.0, 1.0, 0.0, question_ms=20.0, passages_per_second=10.0)
FAITHFUL = Measured(Name.ONNX, 1.0, 1.0, 0.0, question_ms=8.0, passages_per_second=15.0)
QUICK = Measured(Name.ONNX_INT8, LEAST_COSINE, LEAST_COSINE, MOST_SWAY, question_ms=5.0, passages_per_second=25.0)
MEASURED = (REFERENCE, FAITHFUL, QUICK)
RECORD = Record({"cores": 2}, Plan("mean", "words"), {"fp32.onnx": "0"}, MEASURED, {Name.CUDA: "nej"})


class Counting:
    """Vectors that tell a text's number; notes its batches."""

    def __init__(self, tokens_per_batch: int, workers: int) -> None:
        self.tokens_per_batch = tokens_per_batch
        self.workers = workers
        self.batches: list[list[str]] = []
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        with self._lock:
            self.batches.append(list(texts))
        angles = np.array([float(text.split()[0]) for text in texts]) / 1000
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


class Words:
    """Takes words for tokens."""

    def count(self, text: str) -> int:
        return len(text.split())

    def ids(self, text: str) -> list[int]:
        return list(range(self.count(text)))


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 120))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = by_length(lengths, budget)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= budget


@pytest.mark.parametrize("workers", [1, 3])
def test_vectors_come_in_the_texts_order_whatever_the_batches(workers: int) -> None:
    runtime = Counting(tokens_per_batch=12, workers=workers)
    texts = [f"{number} {'ord ' * (number * 7 % 11)}" for number in range(50)]
    found = encode_in_batches(runtime, texts, "", Words())
    np.testing.assert_allclose(np.arctan2(found[:, 1], found[:, 0]) * 1000, range(50), atol=1e-3)
    assert len(runtime.batches) > 20


def test_the_quickest_that_serves_is_chosen() -> None:
    for purpose in Purpose:
        assert choice.choose(RECORD.measured, purpose, list(Name)) is Name.ONNX_INT8


@pytest.mark.parametrize("stray", [replace(QUICK, question_cosine=0.9949), replace(QUICK, passage_cosine=0.9949)])
def test_a_runtime_that_strays_from_the_reference_is_never_chosen(stray: Measured) -> None:
    measured = (REFERENCE, FAITHFUL, stray)
    for purpose in Purpose:
        assert choice.choose(measured, purpose, list(Name)) is Name.ONNX


def test_a_runtime_whose_vectors_hang_on_their_neighbours_embeds_no_questions() -> None:
    measured = (REFERENCE, FAITHFUL, replace(QUICK, sway=2e-5))
    assert choice.choose(measured, Purpose.QUESTIONS, list(Name)) is Name.ONNX
    assert choice.choose(measured, Purpose.PASSAGES, list(Name)) is Name.ONNX_INT8


def test_a_runtime_in_torch_must_be_worth_loading_it() -> None:
    for rate, expected in ((26.0, Name.ONNX_INT8), (40.0, Name.BFLOAT16)):
        bfloat16 = replace(QUICK, runtime=Name.BFLOAT16, passages_per_second=rate)
        assert choice.choose((REFERENCE, QUICK, bfloat16), Purpose.PASSAGES, list(Name)) is expected


def test_what_the_machine_does_not_have_is_not_chosen() -> None:
    assert choice.choose(RECORD.measured, Purpose.PASSAGES, [Name.REFERENCE, Name.ONNX]) is Name.ONNX
    assert choice.choose(RECORD.measured, Purpose.PASSAGES, [Name.REFERENCE]) is Name.REFERENCE
    assert choice.choose((), Purpose.QUESTIONS, list(Name)) is Name.REFERENCE


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert choice.read(tmp_path) is None
    choice.write(RECORD, tmp_path)
    assert choice.read(tmp_path) == RECORD


def test_a_record_of_another_format_is_made_again_and_a_damaged_one_is_told_of(tmp_path: Path) -> None:
    choice.write(RECORD, tmp_path)
    file = tmp_path / choice.RUNTIME_FILE
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "format": choice.FORMAT + 1}))
    assert choice.read(tmp_path) is None
    for damaged in ("{", "[]", json.dumps({**values, "measured": [{"runtime": "findes-ikke"}]})):
        file.write_text(damaged)
        with pytest.raises(ModelDamagedError, match=choice.RUNTIME_FILE):
            choice.read(tmp_path)


def _model(folder: Path, *, graphs: Sequence[Name] = ()) -> Path:
    card = ModelCard("lille", "f", 2, 512, "query: ", "passage: ")
    (folder / CARD_FILE).write_text(json.dumps(asdict(card)))
    (folder / GRAPHS_FOLDER).mkdir()
    for name in graphs:
        (folder / GRAPHS_FOLDER / GRAPHS[name]).touch()
    return folder


def test_a_model_that_was_not_measured_runs_on_the_reference(tmp_path: Path) -> None:
    embedder = ModelEmbedder(_model(tmp_path))
    assert set(embedder.runtimes.values()) == {Name.REFERENCE}
    assert embedder.measured == ()


def test_a_model_whose_graph_is_gone_runs_on_the_next_best(tmp_path: Path) -> None:
    choice.write(RECORD, _model(tmp_path, graphs=[Name.ONNX]))
    assert set(ModelEmbedder(tmp_path).runtimes.values()) == {Name.ONNX}


def test_a_processor_without_16_bit_instructions_takes_the_next_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bfloat16 = replace(QUICK, runtime=Name.BFLOAT16, passages_per_second=90.0)
    choice.write(replace(RECORD, measured=(REFERENCE, FAITHFUL, bfloat16)), _model(tmp_path, graphs=list(GRAPHS)))
    for has, expected in ((True, Name.BFLOAT16), (False, Name.ONNX)):
        monkeypatch.setattr(choice, "has_bfloat16", lambda has=has: has)
        assert ModelEmbedder(tmp_path).runtimes[Purpose.PASSAGES] is expected


def test_what_is_set_is_taken_and_what_cannot_run_here_is_refused_with_what_can(tmp_path: Path) -> None:
    choice.write(RECORD, _model(tmp_path, graphs=list(GRAPHS)))
    taken = ModelEmbedder(tmp_path, {Purpose.QUESTIONS: Name.REFERENCE}).runtimes
    assert taken == {Purpose.QUESTIONS: Name.REFERENCE, Purpose.PASSAGES: Name.ONNX_INT8}
    (tmp_path / GRAPHS_FOLDER / GRAPHS[Name.ONNX]).unlink()
    with pytest.raises(SettingsError, match="KB_PASSAGE_RUNTIME=onnx-fp32") as caught:
        ModelEmbedder(tmp_path, {Purpose.PASSAGES: Name.ONNX})
    assert "onnx-int8" in caught.value.advice


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_rows_are_read_from_where_the_tensor_lies(tmp_path: Path, kind: type[np.floating]) -> None:
    words = np.arange(60, dtype=kind).reshape(12, 5)
    file = tmp_path / "m.safetensors"
    save_file({"a": np.ones((3, 3), dtype=kind), "words": words, "z": np.ones(2, dtype=kind)}, file)
    rows = Rows(file, "words")
    np.testing.assert_array_equal(rows.take([11, 0, 3, 3]), words[[11, 0, 3, 3]].astype(np.float32))
    assert rows.width == 5


def test_a_file_without_the_tensor_or_of_another_kind_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    for content in (b"", b"\xff" * 20):
        file.write_bytes(content)
        with pytest.raises(ModelDamagedError):
            Rows(file, "words")
    save_file({"words": np.ones((3, 3), dtype=np.int8), "flat": np.ones(3, dtype=np.float32)}, file)
    assert not any(holds(file, name) for name in ("words", "flat", "andet"))


def test_pooling_leaves_out_what_fills_up() -> None:
    hidden = np.array([[[3.0, 0.0], [0.0, 3.0], [9.0, 9.0]], [[0.0, 2.0], [9.0, 9.0], [9.0, 9.0]]], dtype=np.float32)
    np.testing.assert_allclose(pooled(hidden, [2, 1], "mean"), [[0.5**0.5, 0.5**0.5], [0.0, 1.0]], atol=1e-6)
    np.testing.assert_allclose(pooled(hidden, [2, 1], "cls"), [[1.0, 0.0], [0.0, 1.0]], atol=1e-6)


def test_measuring_finds_the_least_cosine_and_the_sway() -> None:
    class Turned(Counting):
        """A little beside the reference, and more so in company."""

        def encode(self, texts: Sequence[str], prefix: str) -> Vectors:
            angle = 0.01 if len(texts) == 1 else 0.02
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], dtype=np.float32)
            return super().encode(texts, prefix) @ turn

    texts = Texts([f"{number} hvad" for number in range(6)], [f"{number} noget" for number in range(9)])
    runtimes = {Name.REFERENCE: Counting(100, 1), Name.ONNX: Turned(100, 1)}
    reference, turned = measure(runtimes, texts, Prefixes("", ""), Words())
    assert (reference.runtime, turned.runtime) == (Name.REFERENCE, Name.ONNX)
    assert reference.sway == 0
    assert reference.passage_cosine == pytest.approx(1, abs=1e-6)
    assert turned.passage_cosine == pytest.approx(np.cos(0.02), abs=1e-6)
    assert turned.sway == pytest.approx(0.01, rel=0.05)


def test_the_texts_measured_on_are_danish_and_of_every_length() -> None:
    texts = shipped_texts()
    lengths = sorted(len(text) for text in texts.passages)
    assert lengths[0] < 10
    assert lengths[-1] > 2000
    assert len(texts.questions) >= 30
    assert sum(any(letter in text for letter in "æøå") for text in texts.passages) > len(texts.passages) / 2


def test_eight_bits_are_fitted_to_other_texts_than_they_are_measured_on() -> None:
    measured, fitting = shipped_texts(), fitting_texts()
    assert fitting.questions
    assert fitting.passages
    assert not {*measured.questions, *measured.passages} & {*fitting.questions, *fitting.passages}
