"""Checks everything against everything: a build against its manifest and itself, and the installation around it.

A build is checked when it is finished, before it is published, and again whenever ``kb verify`` is run: every file's
size and checksum, the database's own check, counts, every passage against its report's text, every vector's length and
(where the vector cache has it) its value, so that no two can have changed places, and searches for passages by their
own vector and their own words. :func:`everything` adds what a build cannot know: which build is named as the one in
use, the older builds, the caches, the state file, the model, and whether the reports are still those indexed. Nothing
is changed, and damage of one part never hides damage of another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.core.errors import (
    IndexBusyError,
    IndexDamagedError,
    IndexUnusableError,
    IndexVersionError,
    KbError,
    ModelDamagedError,
    ModelMissingError,
    StateUnavailableError,
    StateVersionError,
)
from kb.core.settings import Settings
from kb.core.state_place import StatePlace
from kb.embedding import model_store
from kb.embedding.reader.choice import reader_folder
from kb.embedding.reader.model import check as check_reader
from kb.embedding.reader.model import read_card as read_reader_card
from kb.extract import content_key
from kb.extract.corpus_files import on_disk
from kb.index import builds
from kb.index.places import IndexParts, Place, VectorPart, WordPart, place_of
from kb.index.store import Store, VectorCache, check_cache, check_database
from kb.state.repository import repository_of
from kb.state.sqlite_repository import STATE_FILE

READINGS_CACHE = "readings.sqlite"
VECTORS_CACHE = "vectors.sqlite"
BATCH = 2048
# Passages whose own words must find them again, spread evenly over the build.
WORD_PROBES = 40
PROBE_CHARACTERS = 200
# 16-bit floats of numbers below 1 are this near the 32-bit ones.
TOLERANCE = 2e-3
SHOWN = 5

MEND_CURRENT = "Kør: kb rollback, eller: kb index"
MEND_CACHE = "Kør: kb index --full"
REINDEX = "Kør: kb index"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: in which ``part``, what, and what to do about it, all in Danish."""

    part: str
    problem: str
    advice: str


def everything(settings: Settings) -> list[Finding]:
    """All that is wrong with the installation; raises ``IndexMissingError`` when there is no index, and
    ``IndexAwayError`` where the server that has it does not answer.
    """
    findings: list[Finding] = []
    place = place_of(settings)
    in_use = ""
    try:
        in_use = place.current_id()
        if in_use not in place.build_ids():
            raise IndexDamagedError(f"Indekset {in_use}, som er i brug, findes ikke.")
    except IndexDamagedError as error:
        findings.append(Finding("CURRENT", str(error), MEND_CURRENT))
    for build_id in place.build_ids():
        findings += _build_findings(place, build_id, in_use=build_id == in_use)
    findings += _cache_findings(settings.index_dir)
    findings += _state_findings(settings.state)
    findings += _around(settings, place.builds_dir / in_use) if in_use else []
    return findings


def _build_findings(place: Place, build_id: str, *, in_use: bool) -> Iterator[Finding]:
    advice = MEND_CURRENT if in_use else "Det kan ikke tages i brug igen; det forsvinder af sig selv, når der er nyere."
    for problem in verify_build(place, build_id):
        yield Finding(f"indeks {build_id}", problem, advice)


def _cache_findings(index_dir: Path) -> Iterator[Finding]:
    for name, what in ((VECTORS_CACHE, "Vektorlageret"), (READINGS_CACHE, "Læselageret")):
        if (index_dir / name).is_file() and (damage := check_cache(index_dir / name)):
            yield Finding(name, f"{what} kan ikke bruges: {damage.splitlines()[0]}.", MEND_CACHE)


def _state_findings(place: StatePlace) -> Iterator[Finding]:
    state = repository_of(place)
    if not state.exists:
        return
    part, told = STATE_FILE, "Tilstandsfilen er beskadiget"
    advice = "Hent den fra en sikkerhedskopi (kb restore), eller flyt den væk: så begynder listen over kørsler forfra."
    if state.is_shared:
        part, told, advice = "tilstand", "Databasen med tilstanden kan ikke bruges", StateUnavailableError.advice
    try:
        state.bring_up_to_date()
        problem = state.problem()
    except StateVersionError as error:
        yield Finding(part, str(error), error.advice)
        return
    except KbError as error:
        problem = str(error)
    if problem:
        yield Finding(part, f"{told}: {problem.splitlines()[0]}", advice)


def _around(settings: Settings, folder: Path) -> Iterator[Finding]:
    """What is wrong between the build in use and the model and the reports outside it."""
    try:
        manifest = builds.read_manifest(folder)
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            changed = list(_changed_files(store))
    except (IndexUnusableError, sqlite3.DatabaseError):
        return  # told of already
    if changed:
        shown = ", ".join(changed[:SHOWN]) + (" …" if len(changed) > SHOWN else "")
        yield Finding("rapporter", f"Flyttet, ændret eller slettet siden indekseringen: {shown}.", REINDEX)
    yield from _model_findings(settings, manifest)
    yield from _reader_findings(settings)


def _changed_files(store: Store) -> Iterator[str]:
    keys: dict[Path, str] = {}
    for stored in store.records():
        if not stored.root:
            continue
        file = on_disk(Path(stored.root), stored.record.path)
        if file not in keys:
            keys[file] = _key(file)
        if keys[file] != stored.content_key:
            yield stored.record.path


def _key(file: Path) -> str:
    """A file's content key; empty when it is gone."""
    try:
        return content_key(file)
    except OSError:
        return ""


def _model_findings(settings: Settings, manifest: builds.Manifest) -> Iterator[Finding]:
    try:
        folder = model_store.model_folder(settings)
        card = model_store.read_card(folder)
    except ModelMissingError as error:
        yield Finding("sprogmodel", str(error), error.advice)
        return
    if card.fingerprint != manifest.model:
        problem = f"Indekset er lavet med modellen {manifest.model_name}, men {card.name} er valgt."
        yield Finding("sprogmodel", problem, f"{REINDEX}, eller: kb model use {manifest.model_name}")
    if not model_store.is_whole(folder):
        yield Finding("sprogmodel", f"Modellen {card.name} er beskadiget.", "Kør: kb model prepare --force")


def _reader_findings(settings: Settings) -> Iterator[Finding]:
    folder = reader_folder(settings)
    try:
        check_reader(folder, read_reader_card(folder))
    except ModelDamagedError as error:
        yield Finding("læsemodel", str(error), error.advice)


def verify_build(place: Place, build_id: str) -> list[str]:
    """What is wrong with a build, as Danish sentences; empty when it is whole.

    Raises :class:`IndexBusyError` where the machine does not let it be told.
    """
    folder = place.builds_dir / build_id
    try:
        manifest = builds.read_manifest(folder)
    except IndexBusyError:
        raise
    except IndexUnusableError as error:
        return [str(error)]
    cache_file = place.index_dir / VECTORS_CACHE
    if not cache_file.is_file():
        return verify(place, folder, manifest)
    try:
        with VectorCache(cache_file) as cache:
            return verify(place, folder, manifest, cache)
    except (IndexVersionError, sqlite3.DatabaseError):
        return verify(place, folder, manifest)  # a cache that cannot be read is told of by itself


def verify(place: Place, folder: Path, manifest: builds.Manifest, cache: VectorCache | None = None) -> list[str]:
    """Check a build's files and parts against one another; returns what is wrong, as Danish sentences."""
    problems = builds.check_files(folder, manifest)
    if problems:
        return problems
    if damage := check_database(folder / builds.DATABASE_FILE):
        return [f"Databasen er beskadiget: {damage.splitlines()[0]}."]
    try:
        with closing(Store(folder / builds.DATABASE_FILE)) as store:
            return list(_check_parts(place.open(folder, manifest.id), manifest, store, cache))
    except IndexBusyError:
        raise
    except KbError as error:
        return [str(error)]


def _check_parts(
    parts: IndexParts, manifest: builds.Manifest, store: Store, cache: VectorCache | None
) -> Iterator[str]:
    index, words = parts.passages, parts.words
    yield from _check_counts(store, index, words, manifest)
    yield from _check_texts(store)
    known = (cache, manifest.model) if cache else None
    yield from _check_vectors(list(store.vector_keys()), index, known, "passage")
    if len(index) == len(store) > 0:
        yield from _probe_vectors(index)
    if len(words) == len(store):
        yield from _probe_words(store, words)
    if parts.sentences is not None:
        yield from _check_vectors([key for _, key in store.sentence_keys()], parts.sentences, known, "sætning")


def _check_counts(store: Store, index: VectorPart, words: WordPart, manifest: builds.Manifest) -> Iterator[str]:
    if len(store) != manifest.passages:
        yield f"Der er {len(store)} passager, men manifestet siger {manifest.passages}."
    if len(words) != len(store):
        yield f"Ordindekset har {len(words)} passager, databasen {len(store)}."
    if index.dimension != manifest.dimension:
        yield f"Vektorerne har {index.dimension} tal, men manifestet siger {manifest.dimension}."
    yield from index.differences(manifest)
    records = store.records()
    if len(records) != manifest.documents:
        yield f"Der er {len(records)} rapporter, men manifestet siger {manifest.documents}."


def _check_texts(store: Store) -> Iterator[str]:
    counted = 0
    for stored in store.stored_documents():
        passages = [one.passage for one in store.passages_of(stored.document.id)]
        counted += len(passages)
        for number, passage in enumerate(passages):
            if stored.document.text[passage.start : passage.end] != passage.text:
                yield f"Passagen {passage.id} står ikke på sin plads i rapporten."
            if passage.ordinal != number:
                yield f"Passagen {passage.id} er nummer {passage.ordinal + 1}, men burde være {number + 1}."
    if misplaced := store.misplaced_facts():
        yield f"{misplaced} oplysninger om projekter står ikke på deres plads i rapporten."
    if counted != len(store):
        yield f"{len(store) - counted} passager hører ikke til nogen rapport."


def _check_vectors(
    keys: Sequence[str], index: VectorPart, known: tuple[VectorCache, str] | None, what: str
) -> Iterator[str]:
    if len(index) != len(keys):
        yield f"Der er {len(index)} vektorer, men {len(keys)} skal have en ({what})."
        return
    start = 0
    for batch in index.batches(BATCH):
        lengths = np.linalg.norm(batch, axis=1)
        for offset in np.flatnonzero(~(np.abs(lengths - 1.0) < 0.01)):
            yield f"Vektoren i række {start + int(offset)} har ikke længden 1 ({what})."
        if known:
            cache, model = known
            for position, cached in cache.known(model, keys[start : start + len(batch)]):
                if not np.allclose(batch[position], cached, atol=TOLERANCE):
                    yield f"Vektoren i række {start + position} er ikke den, der hører til teksten ({what})."
        start += len(batch)


def _probe_vectors(index: VectorPart) -> Iterator[str]:
    probe = index.vectors(np.array([len(index) // 2], dtype=np.int64))
    row, score = index.search(probe, 1)[0]
    if score < 0.99:
        yield f"En prøvesøgning på betydning fandt ikke sin egen passage (række {row}, {score:.3f})."


def _probe_words(store: Store, words: WordPart) -> Iterator[str]:
    """Passages must score well on their own first words; in another build's index they would not."""
    step = max(1, len(store) // WORD_PROBES)
    for row, stored in store.passages(range(0, len(store), step)).items():
        question = words.analyser.question(stored.passage.text[:PROBE_CHARACTERS])
        best = words.search(question, 1)
        if best and words.scores(question, np.array([row], dtype=np.int64))[0] < best[0][1] / 2:
            yield f"En prøvesøgning på ord fandt ikke sin egen passage ({stored.passage.id})."
