"""The embedding models on disk: prepare the packaged one, take in others, choose one, and know each by fingerprint.

A model lives in ``index/models/<name>/`` as an ordinary sentence-transformers folder with a ``kb-model.json`` beside
its weights, and beside these the exports and measurements of :mod:`kb.embedding.runtimes`, which its fingerprint leaves
out. ``index/models/SELECTED`` holds the chosen name. A folder is made in a staging folder and renamed into place, so
that an interrupted preparation leaves nothing half done. Nothing here reaches the network, except :func:`use` when it
is given a hub name that is not a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb.core.errors import InputError, ModelMissingError
from kb.core.file_modes import give_mode_of
from kb.core.settings import Settings
from kb.embedding import packaged_model
from kb.embedding.runtimes import choice, opening
from kb.embedding.runtimes.measurement import Prefixes, shipped_texts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SELECTED_FILE = "SELECTED"
CARD_FILE = "kb-model.json"
DEFAULT_MODEL = packaged_model.MODEL_NAME
# The family's own prefixes (model card of intfloat/multilingual-e5): its folders do not carry them as prompts.
E5_PROMPTS = {"query": "query: ", "document": "passage: "}
HASHED_SUFFIXES = (".safetensors", ".bin", ".json", ".txt", ".model")
# What is not the model itself: notes on it, and versions of libraries.
NOT_HASHED = {CARD_FILE, choice.RUNTIME_FILE, "config_sentence_transformers.json"}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
# The libraries' own bars and notices would stand between ours.
QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}


Tell = Callable[[str], None]


def _in_silence(_word: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a prepared model. ``max_tokens`` includes prefix and special tokens."""

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str


def stay_offline() -> None:
    """Tell the hub libraries, before they are imported, to make no attempt at a connection and to keep quiet."""
    os.environ.update(OFFLINE | QUIET)


def model_folder(settings: Settings) -> Path:
    """The folder of the model in use: ``KB_MODEL``, else the selected one, else the default.

    Raises :class:`ModelMissingError` when it has not been prepared.
    """
    name = settings.model or selected(settings)
    folder = Path(name) if (Path(name) / CARD_FILE).is_file() else settings.models_dir / name
    if not (folder / CARD_FILE).is_file():
        raise ModelMissingError(f"Sprogmodellen {name} er ikke klargjort.")
    return folder


def selected(settings: Settings) -> str:
    """The name of the chosen model."""
    path = settings.models_dir / SELECTED_FILE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else DEFAULT_MODEL


def read_card(folder: Path) -> ModelCard:
    """The model's card; raises :class:`ModelMissingError` when the folder has none."""
    try:
        return ModelCard(**json.loads((folder / CARD_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelMissingError(f"Mappen {folder.name} er ikke en klargjort sprogmodel.") from error


def is_whole(folder: Path) -> bool:
    """Whether the files of a prepared model are still those its fingerprint was made of.

    Of the weights it can be told for the packaged model alone: the prefixes of others may be more than the card keeps.
    """
    card = read_card(folder)
    record = choice.read(folder)
    if record and not opening.are_whole(folder, record):
        return False
    prompts = {"query": card.query_prefix, "document": card.passage_prefix}
    return card.name != DEFAULT_MODEL or _fingerprint(folder, prompts) == card.fingerprint


def cards(settings: Settings) -> list[ModelCard]:
    """The prepared models, by name."""
    return [read_card(path.parent) for path in sorted(settings.models_dir.glob(f"*/{CARD_FILE}"))]


def prepare(settings: Settings, *, force: bool = False, tell: Tell = _in_silence) -> ModelCard:
    """Make the packaged model ready, and the selected one quick on this machine; with ``force`` from the beginning.

    What is done already is not done again. ``tell`` is given a Danish word on what is at work.
    """
    card = _packaged(settings, force=force, tell=tell)
    folders = {settings.models_dir / card.name}
    with suppress(ModelMissingError):
        folders.add(model_folder(settings))
    for folder in sorted(folders):
        _make_quick(folder, tell)
    return card


def _make_quick(folder: Path, tell: Tell) -> None:
    stay_offline()
    card = read_card(folder)
    prefixes = Prefixes(card.query_prefix, card.passage_prefix)
    opening.prepare(folder, card.max_tokens, prefixes, shipped_texts(), tell)
    give_mode_of(folder / CARD_FILE, folder)


def _packaged(settings: Settings, *, force: bool, tell: Tell) -> ModelCard:
    folder = settings.models_dir / DEFAULT_MODEL
    if (folder / CARD_FILE).is_file() and not force:
        return read_card(folder)
    stay_offline()
    tell("pakker sprogmodellen ud")
    packaged = packaged_model.read(packaged_model.find())
    with _StagingFolders(folder) as (plain, staging):
        packaged_model.write_transformers_folder(packaged, plain)
        model = _assemble(plain)
        return _finish(model, staging, folder)


def use(
    name_or_folder: str, settings: Settings, *, prompts: Mapping[str, str] | None = None, tell: Tell = _in_silence
) -> ModelCard:
    """Choose a model: a prepared one by name, else any sentence-transformers folder or hub name, which is taken in.

    ``prompts`` overrides the model's own prefixes, with the keys ``query`` and ``document``.
    """
    prepared = settings.models_dir / name_or_folder
    if (prepared / CARD_FILE).is_file():
        card = read_card(prepared)
    elif name_or_folder == DEFAULT_MODEL:
        card = _packaged(settings, force=False, tell=tell)
    else:
        tell("henter modellen ind")
        card = _take_in(name_or_folder, settings, prompts)
    _make_quick(settings.models_dir / card.name, tell)
    _write_atomically(settings.models_dir / SELECTED_FILE, card.name + "\n")
    return card


def _take_in(name_or_folder: str, settings: Settings, prompts: Mapping[str, str] | None) -> ModelCard:
    local = Path(name_or_folder).is_dir()
    if local:
        stay_offline()
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(name_or_folder, device="cpu", local_files_only=local)
    except Exception as error:  # any of the libraries' own errors; the message says which
        raise InputError(
            f"{name_or_folder} kan ikke indlæses som sentence-transformers-model: {error}",
            advice="Angiv en mappe med en sentence-transformers-model eller et navn, der kan hentes herfra.",
        ) from error
    _set_prompts(model, name_or_folder, prompts)
    folder = settings.models_dir / _slug(name_or_folder)
    with _StagingFolders(folder) as (_plain, staging):
        return _finish(model, staging, folder)


def _set_prompts(model: SentenceTransformer, name: str, prompts: Mapping[str, str] | None) -> None:
    own = {key: value for key, value in (model.prompts or {}).items() if value}
    if not own and re.search(r"\be5\b", name, re.IGNORECASE):
        own = dict(E5_PROMPTS)
    model.prompts = {**own, **(prompts or {})}


def _assemble(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    transformer = Transformer(str(folder), max_seq_length=512)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=dict(E5_PROMPTS), device="cpu")


def _finish(model: SentenceTransformer, staging: Path, folder: Path) -> ModelCard:
    """Save the model into ``staging``, write its card, and put it in ``folder``'s place."""
    model.save(str(staging))
    prompts: dict[str, str] = model.prompts or {}
    card = ModelCard(
        name=folder.name,
        fingerprint=_fingerprint(staging, prompts),
        dimension=int(_dimension(model)),
        max_tokens=int(model.max_seq_length or 512),
        query_prefix=prompts.get("query", ""),
        passage_prefix=prompts.get("document", prompts.get("passage", "")),
    )
    (staging / CARD_FILE).write_text(json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    give_mode_of(staging / CARD_FILE, staging)
    if folder.exists():
        shutil.rmtree(folder)
    staging.rename(folder)
    return card


def _dimension(model: Any) -> int:
    size = model.get_embedding_dimension()
    if size is None:
        raise InputError("Modellen oplyser ikke sin dimension og kan ikke bruges.")
    return int(size)


def _fingerprint(folder: Path, prompts: Mapping[str, str]) -> str:
    """A short hash of weights, tokenizer, configuration and prefixes: two models that differ in any, differ in it."""
    digest = hashlib.sha256(json.dumps(dict(prompts), sort_keys=True).encode())
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        # What the runtimes made of the model comes after its fingerprint, and has checksums of its own.
        if inside.parts[0] == choice.GRAPHS_FOLDER:
            continue
        if path.suffix in HASHED_SUFFIXES and path.name not in NOT_HASHED:
            digest.update(inside.as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


class _StagingFolders:
    """Two temporary folders beside the target, removed afterwards: one for parts, one for the finished model."""

    def __init__(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = tempfile.TemporaryDirectory(prefix=".making-", dir=target.parent)

    def __enter__(self) -> tuple[Path, Path]:
        root = Path(self._scratch.name)
        parts, finished = root / "parts", root / "finished"
        parts.mkdir()
        finished.mkdir()
        return parts, finished

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", Path(name).name.lower()).strip("-.") or "model"


def _write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".new")
    staged.write_text(text, encoding="utf-8")
    staged.replace(path)
