"""What was measured of each runtime, kept as ``kb-runtime.json`` beside the model, and which is chosen by it.

The file holds measurements and not a choice: :func:`choose` makes it from them when the model is opened, among the
runtimes that the machine at hand has. So a folder moved to a machine without 16-bit instructions opens there as well.
"""

from __future__ import annotations

import importlib.util
import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from kb.core.errors import ModelDamagedError
from kb.embedding.runtimes.base import cores
from kb.embedding.runtimes.onnx_export import Plan
from kb.embedding.runtimes.tokenization import Pieces

RUNTIME_FILE = "kb-runtime.json"
GRAPHS_FOLDER = "runtime"
PIECES_FILE = "pieces.model"
# Of the file and what lies in the folder: others are made again.
FORMAT = 3
# A runtime is as good as the reference when no text's vector turns by more than this (cosine). At .9987 answers were
# measurably worse (docs/decisions/runtime.md), so the bound is closer than rankings alone would ask for.
LEAST_COSINE = 0.999
# The most that a number of a question's vector may move because others are embedded with it.
MOST_SWAY = 1e-5
# Loading torch takes seconds and half a GB: what needs it must be this many times as quick as what does not.
TORCH_COSTS = 1.25


class Name(StrEnum):
    """The runtimes, as settings and measurements name them."""

    REFERENCE = "sentence-transformers"
    BFLOAT16 = "torch-bf16"
    CUDA = "torch-cuda"
    ONNX = "onnx-fp32"
    ONNX_INT8 = "onnx-int8"


class Purpose(StrEnum):
    """What is embedded: a question that someone waits for, or passages by the thousand."""

    QUESTIONS = "questions"
    PASSAGES = "passages"


GRAPHS = {Name.ONNX: "fp32.onnx", Name.ONNX_INT8: "int8.onnx"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One runtime against the reference.

    ``question_cosine`` and ``passage_cosine`` are the least over the texts; ``sway`` is the most that a number of a
    question's vector differs between alone and among others; ``question_ms`` the median of one question alone.
    """

    runtime: Name
    question_cosine: float
    passage_cosine: float
    sway: float
    question_ms: float
    passages_per_second: float

    def serves(self, purpose: Purpose) -> bool:
        """Whether the vectors are faithful enough: to the reference, and for questions whatever their company."""
        faithful = min(self.question_cosine, self.passage_cosine) >= LEAST_COSINE
        return faithful and (purpose is Purpose.PASSAGES or self.sway <= MOST_SWAY)


@dataclass(frozen=True, slots=True)
class Record:
    """What a preparation found: ``machine`` it was measured on, ``plan`` of the export (None: ``left_out`` says why),
    ``graphs`` by file name with their sha256, ``measured``, ``left_out``: runtimes not measured, with the reason, and
    ``pieces``: what the sentencepiece model beside the graphs is used with, where the model's tokenizer is one.
    """

    machine: Mapping[str, str | int]
    plan: Plan | None
    graphs: Mapping[str, str]
    measured: tuple[Measured, ...]
    left_out: Mapping[Name, str] = field(default_factory=dict)
    pieces: Pieces | None = None


def choose(measured: Collection[Measured], purpose: Purpose, at_hand: Collection[Name]) -> Name:
    """The quickest of the runtimes at hand that serve the purpose; the reference when none does."""
    fit = [one for one in measured if one.runtime in at_hand and one.serves(purpose)]
    if not fit:
        return Name.REFERENCE
    return min(fit, key=lambda one: _cost(one, purpose)).runtime


def _cost(one: Measured, purpose: Purpose) -> float:
    spent = one.question_ms if purpose is Purpose.QUESTIONS else 1 / one.passages_per_second
    return spent if one.runtime in GRAPHS else spent * TORCH_COSTS


def at_hand(folder: Path, record: Record | None) -> dict[Name, str]:
    """Every runtime with why this machine cannot run it on the model in ``folder``; an empty text: it can."""
    return {name: _lacking(name, folder, record) for name in Name}


def _lacking(name: Name, folder: Path, record: Record | None) -> str:
    if name in GRAPHS:
        if importlib.util.find_spec("onnxruntime") is None:
            return "onnxruntime er ikke installeret"
        if record is None or record.plan is None or not (folder / GRAPHS_FOLDER / GRAPHS[name]).is_file():
            return (record and record.left_out.get(name)) or "modellen er ikke eksporteret"
        return ""
    if name is Name.BFLOAT16:
        return "" if has_bfloat16() else "processoren har ikke 16-bit-instruktioner (AVX512-BF16 eller AMX)"
    if name is Name.CUDA:
        return "" if has_cuda() else "her er intet grafikkort"
    return ""


@cache
def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself; without the instructions torch would emulate it, slowly."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "").split()
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def has_cuda() -> bool:
    """Whether torch finds a graphics card; torch is only loaded where the system has one."""
    if not Path("/proc/driver/nvidia").exists():
        return False
    import torch

    return torch.cuda.is_available()


def this_machine() -> dict[str, str | int]:
    """What a measurement depends on: when it is another, the measurement is made again."""
    from importlib.metadata import version

    packages = ("torch", "sentence-transformers", "onnxruntime")
    return {"processor": _processor(), "cores": cores(), **{name: version(name) for name in packages}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def read(folder: Path) -> Record | None:
    """The model's record; None where there is none yet, or one of an older format.

    Raises :class:`ModelDamagedError` for a file that is not one.
    """
    path = folder / RUNTIME_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            return None
        return _record(values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDamagedError(f"{RUNTIME_FILE} i {folder.name} kan ikke læses.") from error


def _record(values: dict[str, Any]) -> Record:
    measured = tuple(Measured(**{**one, "runtime": Name(one["runtime"])}) for one in values["measured"])
    left_out = {Name(name): reason for name, reason in values["left_out"].items()}
    plan = Plan(**values["plan"]) if values["plan"] else None
    return Record(values["machine"], plan, values["graphs"], measured, left_out, _pieces(values["pieces"]))


def _pieces(values: Mapping[str, Any] | None) -> Pieces | None:
    if values is None:
        return None
    steps = tuple(step if isinstance(step, str) else (step[0], step[1]) for step in values["steps"])
    return Pieces(steps, tuple(values["before"]), tuple(values["after"]))


def write(record: Record, folder: Path) -> None:
    """Put the record in place in one step."""
    path = folder / RUNTIME_FILE
    staged = path.with_suffix(".new")
    staged.write_text(json.dumps({"format": FORMAT, **asdict(record)}, indent=2) + "\n", encoding="utf-8")
    staged.replace(path)
