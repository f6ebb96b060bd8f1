"""Reads the files of a plan and keeps what each gave, as soon as it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from kb.core.errors import IndexingError
from kb.core.models import Document
from kb.extract import MODULE_MISSING, ReadOptions, ReadOutcome, read_files
from kb.index.store import Failure, ReadCache, Reading, StoreWriter
from kb.indexing.plan import Place, Plan
from kb.indexing.prefetch import Ahead
from kb.indexing.progress import Stages

# Failures that may pass without the file changing: a tool gets installed, a busy machine gets quiet.
CHANGED_MEANWHILE = "ændret-undervejs"
PASSING_FAILURES = frozenset(
    {"grænse-nået", "kræver-ocr", "program-mangler", MODULE_MISSING, "læsefejl", "læser-gik-ned", CHANGED_MEANWHILE}
)
ID_TAKEN = "id-optaget"
READ_ATTEMPTS = 3


class Reader:
    """Reads by one set of options and remembers by :class:`ReadCache`."""

    def __init__(self, readings: ReadCache, options: ReadOptions, stages: Stages, ahead: Ahead) -> None:
        self.key = options.fingerprint()
        self._readings = readings
        self._options = options
        self._stages = stages
        self._ahead = ahead

    def now_reads_otherwise(self, plan: Plan) -> bool:
        """Whether a file whose failure may have passed gives something else when it is read again."""
        earlier = {}
        for place in plan.places:
            reading = self._readings.get(place.root, place.path, place.content_key, self.key)
            if reading and reading.code in PASSING_FAILURES and reading.document is None:
                earlier[place] = reading
        self._read(tuple(earlier))
        return any(
            self._readings.get(place.root, place.path, place.content_key, self.key) != reading
            for place, reading in earlier.items()
        )

    def read_all(self, plan: Plan, make_plan: Callable[[], Plan], *, full: bool) -> Plan:
        """Read what has no reading yet, and make the plan again for as long as files change meanwhile."""
        due = plan.places if full else tuple(place for place in plan.places if self._reading(place) is None)
        for _ in range(READ_ATTEMPTS - 1):
            if not self._read(due):
                return plan
            plan = make_plan()
            due = tuple(place for place in plan.places if self._reading(place) is None)
        for place in self._read(due):
            reason = "Filen blev ved med at blive ændret, mens den blev læst."
            self._readings.put(Reading(place.root, place.path, place.content_key, self.key, CHANGED_MEANWHILE, reason))
        return plan

    def _read(self, due: Sequence[Place]) -> list[Place]:
        """Read files; each reading is kept as soon as it is made. Returns those that changed while they were read.

        What was read of such a file is thrown away: kept, it would pass for the content the file had before.
        """
        changed: list[Place] = []
        by_root: dict[str, dict[str, Place]] = {}
        for place in due:
            by_root.setdefault(place.root, {})[place.path] = place
        with self._stages.stage("læser", len(due)):
            for root, places in by_root.items():
                files = [place.file for place in places.values()]
                for outcome in read_files(files, Path(root), self._options):
                    place = places[outcome.path]
                    if place.key_now() == place.content_key:
                        self._readings.put(_reading(place, self.key, outcome))
                        if outcome.document:
                            self._ahead.take(outcome.document)
                    else:
                        changed.append(place)
                    self._stages.step(note=place.path)
        return changed

    def _reading(self, place: Place) -> Reading | None:
        reading = self._readings.get(place.root, place.path, place.content_key, self.key)
        return None if reading and reading.code in PASSING_FAILURES else reading

    def documents(self, plan: Plan, writer: StoreWriter) -> list[tuple[Place, str]]:
        """Every place that gave a document with its id, by id; the others are written as failures.

        The first file by place keeps an id that several give. Another that only inferred it gets a suffix made of its
        path; one that was given it by an editor is refused, for two reports must not share an address.
        """
        taken: dict[str, Place] = {}
        for place in plan.places:
            reading = self.kept(place)
            if reading.document is None:
                failure = Failure(place.root, place.path, place.content_key, reading.code, reading.reason)
                writer.add_failure(failure)
                continue
            wanted = reading.document.id
            if wanted in taken and "id" in reading.document.metadata.inferred:
                wanted = f"{wanted}-{hashlib.sha256(place.path.encode()).hexdigest()[:6]}"
            if wanted in taken:
                reason = f"id {wanted} bruges allerede af {taken[wanted].path}."
                writer.add_failure(Failure(place.root, place.path, place.content_key, ID_TAKEN, reason))
                continue
            taken[wanted] = place
        return sorted(((place, id_) for id_, place in taken.items()), key=lambda pair: pair[1])

    def kept(self, place: Place) -> Reading:
        """What reading a place gave; raises :class:`IndexingError` when that was lost meanwhile."""
        reading = self._readings.get(place.root, place.path, place.content_key, self.key)
        if reading is None:
            raise IndexingError(f"Læsningen af {place.path} gik tabt undervejs.", advice="Kør kommandoen igen.")
        return reading

    def document(self, place: Place, document_id: str) -> Document:
        """A place's document under its final id."""
        document = self.kept(place).document
        if document is None:
            raise IndexingError(f"{place.path} har ingen tekst.", advice="Kør kommandoen igen.")
        return replace(document, metadata=replace(document.metadata, id=document_id))


def _reading(place: Place, read_key: str, outcome: ReadOutcome) -> Reading:
    given = (outcome.code, outcome.reason, outcome.document)
    return Reading(place.root, place.path, place.content_key, read_key, *given)
