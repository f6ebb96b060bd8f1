"""What the reports of a project say of it as a check needs it: its sentences with vectors, roles, traits and facts.

A profile is made of a project's reports when a plan first comes near them, and kept as long as the build is held. A
report of no project that tells of one case is a profile of its own; one about many projects, or about rules, is none.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from cachetools import LRUCache

from kb.core.models import Certainty, DocumentRecord, ProjectRef, Role
from kb.embedding.embedder import Embedder
from kb.facts import Fact, FactKind
from kb.facts.subject import Subject, Whose
from kb.index.store import StoredRecord
from kb.language.analysis import Question
from kb.language.roles import role_of_sentence
from kb.language.sentences import Sentence
from kb.project_start.challenges import spaced, told_in
from kb.project_start.traits import rules_in, techniques_in
from kb.proposals.contact import unit_written
from kb.proposals.proposal import Proposal
from kb.proposals.scope import crosses
from kb.retrieval.caches import Owned
from kb.retrieval.ports import Vectors
from kb.retrieval.snapshot import Snapshot
from kb.retrieval.text_vectors import TextVectors

# How many passages each index is asked for, to find the projects worth comparing with.
PASSAGES_ASKED = 200
# A project's score by words is the mean of so many of its passages.
BEST_PASSAGES = 2
PROFILES_REMEMBERED = 2_000
LONGEST_LABEL = 60
# How many sentences the level of cosines in the base is taken from.
BACKGROUND_ROWS = 4_096
# The roles of the sentences that tell what a project does.
TELLING = (Role.PURPOSE, Role.METHOD, Role.DATA)
# The roles of the sentences that a technique is read from.
_DESCRIBING = frozenset((Role.PURPOSE, Role.METHOD, Role.DATA, Role.HANDLING, Role.RESULT, Role.OTHER))
_OF_ONE_AUTHORITY = frozenset(("kommunal", "regional", "statslig"))
_USED_FACTS = (FactKind.STATUS, FactKind.REASON, FactKind.DATA, FactKind.SUPPLIER)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a report: its vector, its role, and the kinds of challenges that it tells of."""

    sentence: Sentence
    document: DocumentRecord
    vector: Vectors
    role: Role
    challenges: tuple[str, ...]

    @property
    def is_own(self) -> bool:
        """Whether it is the report's own statement and not the collector's reading of it."""
        return not self.sentence.passage.inferred


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask of a project: its authority and the unit, which is never a person; empty where no one says it.

    ``sentence`` has the words of the report that name the unit, None where an editor wrote it.
    """

    authority: str
    unit: str = ""
    sentence: Sentence | None = None
    document: DocumentRecord | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A project, or a report of none that tells of one case, with its lines and facts.

    ``subject`` is its title with what its metadata say that it tried, or else its first sentence that does.
    """

    project: ProjectRef
    contact: Contact
    subject: str
    lines: tuple[Line, ...]
    facts: tuple[tuple[Fact, Line], ...]
    is_case: bool

    def lessons(self) -> list[Line]:
        """The lessons and advice, the collector's own readings among them; not what only says whose they are."""
        roles = (Role.LESSON, Role.ADVICE)
        return [line for line in self.lines if line.role in roles and (line.is_own or not _is_disclaimer(line))]

    def own(self, roles: Collection[Role] = tuple(Role)) -> list[Line]:
        """The report's own lines of some roles."""
        return [line for line in self.lines if line.is_own and line.role in roles]

    def of_kind(self, kind: FactKind) -> list[tuple[Fact, Line]]:
        """The facts of a kind with their lines."""
        return [(fact, line) for fact, line in self.facts if fact.kind is kind]

    def facts_by_value(self, kind: FactKind) -> Mapping[str, list[Line]]:
        """The lines that state each value of a kind of facts."""
        return _grouped((fact.value, line) for fact, line in self.of_kind(kind))

    def techniques(self) -> Mapping[str, list[Line]]:
        """The techniques that it names, each with the lines that do."""
        return _grouped((name, line) for line in self.own(_DESCRIBING) for name in techniques_in(line.sentence.text))

    def rules(self) -> Mapping[str, list[Line]]:
        """The sets of rules that it names, each with the lines that do."""
        return _grouped((name, line) for line in self.own() for name in rules_in(line.sentence.text))


def _grouped(pairs: Iterable[tuple[str, Line]]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for name, line in pairs:
        found.setdefault(name, []).append(line)
    return found


class Profiles:
    """The profiles of a build, made when asked for; safe from several threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._known: LRUCache[str, Profile] = LRUCache(PROFILES_REMEMBERED)
        self._lock = threading.Lock()
        self._facts: dict[str, list[Fact]] = {}
        for document_id, fact in snapshot.facts(_USED_FACTS):
            self._facts.setdefault(document_id, []).append(fact)
        self._projects = {
            id_: ProjectRef(project.name, project.slug, project.document_ids)
            for project in snapshot.projects()
            for id_ in project.document_ids
        }
        self.background: Vectors = snapshot.sentence_sample(BACKGROUND_ROWS)

    def near(self, vector: Vectors, question: Question) -> list[tuple[Profile, float]]:
        """The profiles of the projects with a passage among those nearest a plan, each with its score by words."""
        allowed = self._snapshot.allowed()
        by_meaning = self._snapshot.dense.search(vector, PASSAGES_ASKED, allowed)
        by_words = self._snapshot.sparse.search(question, PASSAGES_ASKED, allowed)
        stored = self._snapshot.store.passages([key for key, _ in (*by_meaning, *by_words)])
        scores: dict[str, list[float]] = {self._key(stored[key].passage.document_id): [] for key, _ in by_meaning}
        for key, score in by_words:
            scores.setdefault(self._key(stored[key].passage.document_id), []).append(score)
        most = math.sqrt(max(1, len(question.terms)))
        found = [
            (self._profile(key), sum(words[:BEST_PASSAGES]) / BEST_PASSAGES / most) for key, words in scores.items()
        ]
        return [(profile, words) for profile, words in found if profile.is_case and profile.lines]

    def across(self) -> list[Profile]:
        """The profiles of the reports that tell of no single case: guidance, rules, tools."""
        ids = [id_ for id_, stored in self._snapshot.records.items() if _is_across(stored) and not stored.copy_of]
        return [self._profile(id_) for id_ in ids[:PASSAGES_ASKED]]

    def _key(self, document_id: str) -> str:
        project = self._projects.get(document_id)
        return project.document_ids[0] if project else document_id

    def _profile(self, key: str) -> Profile:
        with self._lock:
            if key not in self._known:
                self._known[key] = self._make(key)
            return self._known[key]

    def _make(self, key: str) -> Profile:
        first = self._snapshot.record(key)
        metadata = first.record.metadata
        project = self._projects.get(key) or ProjectRef(metadata.titel, "", (key,))
        records = [self._snapshot.record(id_) for id_ in project.document_ids]
        lines = [line for stored in records if not stored.copy_of for line in self._lines(stored)]
        return Profile(
            project=project,
            contact=self._contact(records),
            subject=f"{metadata.titel}. {metadata.emne or _purpose(lines)}".strip(),
            lines=tuple(lines),
            facts=tuple(_with_lines(lines, self._facts)),
            is_case=not _is_across(first),
        )

    def _contact(self, records: Sequence[StoredRecord]) -> Contact:
        """The contact of the first report that has one: an editor's word before what is proposed and likely."""
        authority = next((one.record.metadata.myndighed for one in records if one.record.metadata.myndighed), "")
        for stored in records:
            if unit := unit_written(str(stored.record.metadata.value("kontakt") or "")):
                return Contact(authority, unit)
        for stored in records:
            for proposal in stored.proposals:
                sentence = self._words_of(stored, proposal) if _is_contact(proposal) else None
                if sentence:
                    return Contact(authority, str(proposal.value), sentence, stored.record)
        return Contact(authority)

    def _words_of(self, stored: StoredRecord, proposal: Proposal) -> Sentence | None:
        """The words that a proposal rests on, in the passage that has them all."""
        start, end = proposal.start or 0, proposal.end or 0
        passages = self._snapshot.passages_of(stored.record.id)
        return next((Sentence(one, start, end) for one in passages if one.start <= start < end <= one.end), None)

    def _lines(self, stored: StoredRecord) -> Iterator[Line]:
        subject = Subject.of(stored.record.metadata)
        passages = self._snapshot.passages_of(stored.record.id)
        sentences = self._snapshot.sentences_of([passage.id for passage in passages])
        for passage in passages:
            if passage.id not in sentences:
                continue
            ranges, vectors = sentences[passage.id]
            for (start, end), vector in zip(ranges, vectors, strict=True):
                sentence = Sentence(passage, start, end)
                if not _is_label(sentence.text):
                    yield _line(sentence, stored, vector, subject)


def _line(sentence: Sentence, stored: StoredRecord, vector: Vectors, subject: Subject) -> Line:
    passage, record = sentence.passage, stored.record
    role = role_of_sentence(sentence.text, passage.role)
    # What is said of many projects or of another one is no trouble of this one.
    is_own = subject.whose(sentence.text.lower()) is not Whose.OTHERS and not passage.inferred
    is_challenge = role is Role.CHALLENGE and is_own
    told = told_in(sentence.text, passage.heading_path) if is_challenge else ()
    return Line(sentence, record, vector, role, told)


def _purpose(lines: Iterable[Line]) -> str:
    """The first of a report's own sentences that tells what its project does; empty where none does."""
    return next((line.sentence.text for line in lines if line.is_own and line.role in TELLING), "")


def _is_contact(proposal: Proposal) -> bool:
    return proposal.field == "kontakt" and proposal.certainty is not Certainty.UNSURE


def _is_label(text: str) -> bool:
    """Whether a text is a label with its value ("Emne: Mails") and no sentence."""
    label, colon, _ = text.partition(": ")
    return bool(colon) and len(label) <= LONGEST_LABEL and not text.endswith((".", "!", "?"))


def _is_disclaimer(line: Line) -> bool:
    """Whether a line of the collector's only says that something is the collector's."""
    words = spaced(line.sentence.text)
    return " kilde" in words or "slutning" in words


def _with_lines(lines: Sequence[Line], facts: Mapping[str, Sequence[Fact]]) -> Iterator[tuple[Fact, Line]]:
    """The facts with the lines that say them; those whose sentence is no line are left out, as none could be cited."""
    by_place = {(line.document.id, line.sentence.start): line for line in lines}
    for document_id in dict.fromkeys(line.document.id for line in lines):
        for fact in facts.get(document_id, ()):
            if line := by_place.get((document_id, fact.start)):
                yield fact, line


def _is_across(stored: StoredRecord) -> bool:
    """Whether a report tells of no case of its own: rules, guidance, and what is of many projects by its own words.

    One of a single authority that an editor counts to no project may still be a case: a ruling, or news of one.
    """
    metadata = stored.record.metadata
    if metadata.type in _OF_ONE_AUTHORITY:
        metadata = replace(metadata, omfang="")
    return bool(crosses(metadata, stored.proposals))


PROFILES = Owned(Profiles)
# A subject's vector outlives the build it was first compared on.
_SUBJECTS = TextVectors(PROFILES_REMEMBERED, lambda embedder, texts: embedder.embed_passages(texts))


def subject_vectors(embedder: Embedder, profiles: Sequence[Profile]) -> Vectors:
    """The vectors of the subjects of some profiles; what is not known yet is embedded together."""
    return _SUBJECTS.of(embedder, [profile.subject for profile in profiles])


def background_of(cosines: Vectors) -> tuple[float, float]:
    """The centre and spread of a plan's cosines with the base."""
    if not len(cosines):
        return 0.0, 1.0
    return float(np.mean(cosines)), max(float(np.std(cosines)), 1e-6)
