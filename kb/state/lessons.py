"""Lessons, their uses, the proposals that were decided on, and how many questions were asked, in the state database.

    store = LessonStore(settings.state)
    saved = store.add(checked(lesson))
    store.replace(saved.id, changed, revision=saved.revision)

A lesson's revision counts its changes: whoever saves one that someone else has changed meanwhile is told.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kb.core.access import EVERYTHING, Access
from kb.core.errors import InputError, NotFoundError
from kb.core.stages import Phase
from kb.core.state_place import StatePlace
from kb.lessons.lesson import Evidence, Lesson, LessonStatus, LessonUse, UseOutcome
from kb.state.database import Database, upsert
from kb.state.repository import repository_of, timestamp
from kb.state.restricted import is_withheld, withheld_lessons

_ID_BYTES = 6
_COLUMNS = (
    "id, revision, status, made, changed, confirmed, lesson, context, event, handling, phase, themes, applies_to,"
    " owner, review_by"
)


class Decision(StrEnum):
    """What an editor made of a proposal. The values are the words shown."""

    TAKEN = "taget"
    TURNED_DOWN = "afvist"


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import did."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class QuestionCounts:
    """How many questions were asked, and how many of them refused."""

    asked: int
    refused: int


class LessonStore:
    """The tables of lessons; a connection a call, safe from several threads and processes.

    A lesson that rests on a report which ``access`` does not permit is not there: it is neither listed nor found.
    Raises what :class:`kb.state.repository.Repository` raises.
    """

    def __init__(self, place: StatePlace, access: Access = EVERYTHING) -> None:
        self._repository = repository_of(place)
        self._access = access

    def all(self) -> list[Lesson]:
        """All lessons, the last changed first; none where there is no state file, which is not created."""
        if not self._repository.exists:
            return []
        with self._repository.transaction() as database:
            evidence: dict[str, list[Evidence]] = defaultdict(list)
            sql = "SELECT lesson_id, document_id, quote, digest FROM lesson_evidence ORDER BY lesson_id, place"
            for lesson_id, *values in database.execute(sql):
                evidence[lesson_id].append(Evidence(*values))
            rows = database.execute(f"SELECT {_COLUMNS} FROM lessons ORDER BY changed DESC, id").fetchall()
            withheld = withheld_lessons(database, self._access)
        return [_lesson(row, evidence[row[0]]) for row in rows if row[0] not in withheld]

    def get(self, lesson_id: str) -> Lesson:
        """One lesson; raises :class:`NotFoundError`."""
        with self._repository.transaction() as database:
            return self._get(database, lesson_id)

    def add(self, lesson: Lesson, *, proposal_id: str = "") -> Lesson:
        """Store a checked lesson as a new one and give it back; a proposal it was made from counts as taken."""
        with self._repository.transaction(immediate=True) as database:
            if proposal_id:
                _decide(database, proposal_id, Decision.TAKEN)
            return _insert(database, replace(lesson, id=secrets.token_hex(_ID_BYTES)), self._access)

    def replace(self, lesson_id: str, lesson: Lesson, *, revision: int) -> Lesson:
        """Put a checked lesson in the place of revision ``revision`` and give it back.

        Raises :class:`NotFoundError`, and :class:`InputError` where someone else has changed it meanwhile.
        """
        with self._repository.transaction(immediate=True) as database:
            held = self._get(database, lesson_id)
            if held.revision != revision:
                raise InputError(
                    "Erfaringen er ændret af en anden, siden du åbnede den.",
                    advice="Åbn den igen, og læg dine rettelser ind.",
                )
            return _update(database, held, lesson, self._access)

    def delete(self, lesson_id: str) -> None:
        """Remove a lesson with its uses; raises :class:`NotFoundError`."""
        with self._repository.transaction(immediate=True) as database:
            self._get(database, lesson_id)
            for table, column in (("lesson_evidence", "lesson_id"), ("lesson_uses", "lesson_id"), ("lessons", "id")):
                database.execute(f"DELETE FROM {table} WHERE {column} = ?", (lesson_id,))

    def take_in(self, lessons: Sequence[Lesson]) -> ImportCounts:
        """Store checked lessons, all of them or none; one with a known id replaces the one that has it."""
        counts = {"added": 0, "changed": 0, "unchanged": 0}
        with self._repository.transaction(immediate=True) as database:
            withheld = withheld_lessons(database, self._access)
            for given in lessons:
                lesson = replace(given, id="") if given.id in withheld else given
                held = _find(database, lesson.id) if lesson.id else None
                if held is None:
                    _insert(database, replace(lesson, id=lesson.id or secrets.token_hex(_ID_BYTES)), self._access)
                    counts["added"] += 1
                elif _same(held, lesson):
                    counts["unchanged"] += 1
                else:
                    _update(database, held, lesson, self._access)
                    counts["changed"] += 1
        return ImportCounts(**counts)

    # --- Uses ---

    def note_use(self, use: LessonUse) -> None:
        """Store that a lesson was used; raises :class:`NotFoundError`."""
        with self._repository.transaction() as database:
            self._get(database, use.lesson_id)
            database.execute(
                "INSERT INTO lesson_uses (lesson_id, at, project, outcome, note) VALUES (?,?,?,?,?)",
                (use.lesson_id, timestamp(), use.project, use.outcome.value, use.note),
            )

    def uses(self) -> list[LessonUse]:
        """The uses of all lessons, newest first."""
        if not self._repository.exists:
            return []
        with self._repository.transaction() as database:
            withheld = withheld_lessons(database, self._access)
            sql = "SELECT lesson_id, project, outcome, note, at FROM lesson_uses ORDER BY id DESC"
            return [
                LessonUse(lesson_id, project, UseOutcome(outcome), note, at)
                for lesson_id, project, outcome, note, at in database.execute(sql)
                if lesson_id not in withheld
            ]

    def _get(self, database: Database, lesson_id: str) -> Lesson:
        found = _find(database, lesson_id)
        if found is None or lesson_id in withheld_lessons(database, self._access):
            raise NotFoundError(f"Der er ingen erfaring med id {lesson_id}.", advice="Se dem alle under Erfaringer.")
        return found

    # --- Proposals ---

    def turn_down(self, proposal_id: str) -> None:
        """Remember that an editor does not want a proposal."""
        with self._repository.transaction() as database:
            _decide(database, proposal_id, Decision.TURNED_DOWN)

    def decisions(self) -> dict[str, Decision]:
        """What editors decided on proposals, by the proposals' ids."""
        rows = self._repository.rows("lesson_proposals", "id, decision")
        return {id_: Decision(decision) for id_, decision in rows}

    # --- Questions ---

    def count_question(self, *, refused: bool) -> None:
        """Count a question of today; neither its words nor who asked are kept."""
        with self._repository.transaction() as database:
            database.execute(
                "INSERT INTO question_counts VALUES (?,1,?) ON CONFLICT (day) DO UPDATE"
                " SET asked = question_counts.asked + 1, refused = question_counts.refused + excluded.refused",
                (timestamp()[:10], int(refused)),
            )

    def question_counts(self, since: str = "") -> QuestionCounts:
        """The questions from a day on (ISO 8601)."""
        rows = self._repository.rows("question_counts", "day, asked, refused")
        wanted = [(asked, refused) for day, asked, refused in rows if day >= since]
        return QuestionCounts(sum(asked for asked, _ in wanted), sum(refused for _, refused in wanted))


def _find(database: Database, lesson_id: str) -> Lesson | None:
    row = database.execute(f"SELECT {_COLUMNS} FROM lessons WHERE id = ?", (lesson_id,)).fetchone()
    if row is None:
        return None
    sql = "SELECT document_id, quote, digest FROM lesson_evidence WHERE lesson_id = ? ORDER BY place"
    return _lesson(row, [Evidence(*values) for values in database.execute(sql, (lesson_id,))])


def _insert(database: Database, lesson: Lesson, access: Access) -> Lesson:
    now = timestamp()
    stored = replace(lesson, revision=1, made=lesson.made or now, changed=now, confirmed=_confirmed(lesson, None, now))
    _write(database, stored, access)
    return stored


def _update(database: Database, held: Lesson, lesson: Lesson, access: Access) -> Lesson:
    now = timestamp()
    confirmed = _confirmed(lesson, held, now)
    stored = replace(lesson, id=held.id, revision=held.revision + 1, made=held.made, changed=now, confirmed=confirmed)
    _write(database, stored, access)
    return stored


def _confirmed(lesson: Lesson, held: Lesson | None, now: str) -> str:
    """When the lesson was last stood behind anew; an outdated one keeps the time it had."""
    if lesson.is_confirmed:
        return now
    return held.confirmed if held and lesson.status is LessonStatus.OUTDATED else ""


def _same(held: Lesson, lesson: Lesson) -> bool:
    """Whether two are equal beside what the store sets."""
    return held == replace(
        lesson, id=held.id, revision=held.revision, made=held.made, changed=held.changed, confirmed=held.confirmed
    )


def _write(database: Database, lesson: Lesson, access: Access) -> None:
    values = (
        lesson.id, lesson.revision, lesson.status.value, lesson.made, lesson.changed, lesson.confirmed, lesson.lesson,
        lesson.context, lesson.event, lesson.handling, lesson.phase.value if lesson.phase else "",
        json.dumps(list(lesson.themes), ensure_ascii=False), lesson.applies_to, lesson.owner, lesson.review_by,
    )  # fmt: skip
    database.execute(upsert("lessons", _COLUMNS.split(", "), key=("id",)), values)
    database.execute("DELETE FROM lesson_evidence WHERE lesson_id = ?", (lesson.id,))
    database.executemany(
        "INSERT INTO lesson_evidence VALUES (?,?,?,?,?,?)",
        [
            (
                lesson.id,
                place,
                one.document_id,
                one.quote,
                one.digest,
                int(not is_withheld(database, one.document_id, access)),
            )
            for place, one in enumerate(lesson.evidence)
        ],
    )


def _decide(database: Database, proposal_id: str, decision: Decision) -> None:
    values = (proposal_id, decision.value, timestamp())
    database.execute(upsert("lesson_proposals", ("id", "decision", "at"), key=("id",)), values)


def _lesson(row: Sequence[str | int], evidence: Sequence[Evidence]) -> Lesson:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    phase, themes = str(values.pop("phase")), json.loads(str(values.pop("themes")))
    status = LessonStatus(str(values.pop("status")))
    revision = int(values.pop("revision"))
    texts = {name: str(value) for name, value in values.items()}
    return Lesson(
        **texts,
        phase=Phase(phase) if phase else None,
        themes=tuple(themes),
        status=status,
        revision=revision,
        evidence=tuple(evidence),
    )
