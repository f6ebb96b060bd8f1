"""Opens runtimes by name, and makes a prepared model's record: export, then measure."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kb.core.digest import file_sha256
from kb.core.errors import ModelDamagedError
from kb.embedding.runtimes import choice, onnx_export, quantisation
from kb.embedding.runtimes.base import Runtime
from kb.embedding.runtimes.choice import GRAPHS, GRAPHS_FOLDER, PIECES_FILE, Name, Record
from kb.embedding.runtimes.measurement import Prefixes, Texts, fitting_texts, measure
from kb.embedding.runtimes.onnx_runtime import OnnxRuntime
from kb.embedding.runtimes.tokenization import OwnTokens, PieceTokens, Tokens, agree, write_pieces
from kb.embedding.runtimes.torch_runtime import TorchRuntime

log = logging.getLogger(__name__)


def open_runtime(name: Name, folder: Path, plan: onnx_export.Plan | None, tokens: Tokens) -> Runtime:
    """The runtime of that name for the model in ``folder``; raises :class:`ModelDamagedError` without a plan."""
    if name in GRAPHS:
        if plan is None:
            raise ModelDamagedError(f"Det vides ikke, hvordan {folder.name} er eksporteret.")
        return OnnxRuntime(folder, folder / GRAPHS_FOLDER / GRAPHS[name], plan, tokens)
    device = "cuda" if name is Name.CUDA else "cpu"
    return TorchRuntime(folder, device=device, bfloat16=name is Name.BFLOAT16)


def open_tokens(folder: Path, max_tokens: int, record: Record | None) -> Tokens:
    """The tokenizer of the model in ``folder``: the pieces written for it, else its own."""
    pieces = folder / GRAPHS_FOLDER / PIECES_FILE
    if record is not None and record.pieces is not None and pieces.is_file():
        return PieceTokens(pieces, record.pieces, max_tokens)
    return OwnTokens(folder, max_tokens)


def prepare(folder: Path, max_tokens: int, prefixes: Prefixes, texts: Texts, tell: Callable[[str], None]) -> Record:
    """The record of the model in ``folder``: the one it has where that still holds, else a new one, written.

    A model is exported once, and measured again when the machine or the versions are others. ``tell`` is given a
    Danish word on what is at work. Takes about a minute on two cores.
    """
    record = choice.read(folder)
    if record is None or not are_whole(folder, record):
        tell("eksporterer til ONNX Runtime")
        own = OwnTokens(folder, max_tokens)
        record = _with_pieces(folder, max_tokens, own, _exported(folder, own, prefixes), texts)
    if not record.measured or record.machine != choice.this_machine():
        tell("måler, hvad der er hurtigst her")
        record = _measured(folder, record, open_tokens(folder, max_tokens, record), prefixes, texts)
        choice.write(record, folder)
    return record


def are_whole(folder: Path, record: Record) -> bool:
    """Whether the graphs are there as they were written."""
    files = folder / GRAPHS_FOLDER
    return all((files / name).is_file() and file_sha256(files / name) == known for name, known in record.graphs.items())


def _exported(folder: Path, tokens: Tokens, prefixes: Prefixes) -> Record:
    """A record with nothing measured, after writing the graphs where the model can be exported."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    planned = onnx_export.plan(model, folder)
    if isinstance(planned, str):
        return _not_exported(planned)
    files = folder / GRAPHS_FOLDER
    files.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as scratch:
        staging = Path(scratch)
        try:
            onnx_export.export(model[0].auto_model, int(model.max_seq_length or 512), staging / GRAPHS[Name.ONNX])
        except Exception as error:  # any of the exporter's own errors, for a model it does not know
            log.warning("%s kan ikke eksporteres: %s", folder.name, error)
            return _not_exported(f"eksporten fejlede ({type(error).__name__})")
        whole = OnnxRuntime(folder, staging / GRAPHS[Name.ONNX], planned, tokens)
        ranges = quantisation.activation_ranges(staging / GRAPHS[Name.ONNX], _fitted_to(whole, prefixes))
        quantisation.quantise(staging / GRAPHS[Name.ONNX], staging / GRAPHS[Name.ONNX_INT8], ranges)
        for name in GRAPHS.values():
            onnx_export.with_plain_norms(staging / name)
            (staging / name).replace(files / name)
    graphs = {name: file_sha256(files / name) for name in GRAPHS.values()}
    return Record(machine={}, plan=planned, graphs=graphs, measured=())


def _with_pieces(folder: Path, max_tokens: int, own: OwnTokens, record: Record, texts: Texts) -> Record:
    """The record with the tokenizer's pieces, where they can be written and give the tokens that it gives itself."""
    files = folder / GRAPHS_FOLDER
    files.mkdir(exist_ok=True)
    staged = files / f"{PIECES_FILE}.new"
    pieces = write_pieces(folder, staged)
    if pieces is None:
        return record
    fitting = fitting_texts()
    tried = [*texts.questions, *texts.passages, *fitting.questions, *fitting.passages]
    if not agree(own, PieceTokens(staged, pieces, max_tokens), tried):
        log.warning("%s deler tekster anderledes end sine stykker; dens egen opdeling bruges", folder.name)
        staged.unlink()
        return record
    staged.replace(files / PIECES_FILE)
    graphs = {**record.graphs, PIECES_FILE: file_sha256(files / PIECES_FILE)}
    return replace(record, graphs=graphs, pieces=pieces)


def _fitted_to(runtime: OnnxRuntime, prefixes: Prefixes) -> Iterator[dict[str, Any]]:
    """The graph's inputs for the texts that 8 bits are fitted to."""
    texts = fitting_texts()
    for text in texts.questions:
        yield runtime.inputs([text], prefixes.question)
    for text in texts.passages:
        yield runtime.inputs([text], prefixes.passage)


def _not_exported(reason: str) -> Record:
    return Record(machine={}, plan=None, graphs={}, measured=(), left_out=dict.fromkeys(GRAPHS, reason))


def _measured(folder: Path, record: Record, tokens: Tokens, prefixes: Prefixes, texts: Texts) -> Record:
    reasons = {name: reason for name, reason in choice.at_hand(folder, record).items() if reason}
    names = [name for name in Name if name not in reasons]
    runtimes = {name: open_runtime(name, folder, record.plan, tokens) for name in names}
    measured = measure(runtimes, texts, prefixes, tokens)
    return replace(record, machine=choice.this_machine(), measured=measured, left_out=reasons)
