"""Questions that people saved, and what was found for each: the cited words of its answers, by their digest.

    saved = SavedQuestions(settings.state)
    question = saved.add(SavedQuestion(owner="anna", question="Hvad kostede det?"), build_id, finds)
    saved.note_answer(question.id, build_id, finds)     # of a later build: what was not there before is new
    saved.news(question)

Of what is found only the place is kept, and no text: what leaves the reports leaves here too. A find is told of in one
mail at most: :meth:`SavedQuestions.batch` puts those that wait into one, whose name never changes again, so that a mail
that was interrupted is the same mail when it is made anew.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from kb.core.access import Access
from kb.core.errors import InputError, NotFoundError
from kb.core.state_place import StatePlace
from kb.state.database import Database
from kb.state.repository import repository_of, timestamp

# Questions that one person may save.
MOST = 50
LONGEST_TITLE = 200
# Pages seen within this time belong to one visit.
VISIT = timedelta(minutes=30)
NO_ACCESS = Access()
# The batch of finds that are told of in no mail.
UNMAILED = "uden mail"
MAIL_KEY = "spørgsmål"


class Frequency(StrEnum):
    """How often news is mailed. The values are the words shown."""

    DAILY = "dagligt"
    WEEKLY = "ugentligt"
    NEVER = "aldrig"


DAYS_BETWEEN: Mapping[Frequency, int] = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}


@dataclass(frozen=True, slots=True)
class SavedQuestion:
    """A question that someone saved; ``owner`` is the id they sign in with. The times are set by the one who stores it.

    ``visited_before`` is when the visit before the present or last one ended, ``checked_build`` the build that it was
    last answered from, ``mailed`` the date of its last mail, and ``stop_key`` signs the links that stop its mails.
    ``access`` is what its owner might see when they were last here: its news are found and told by that.
    """

    owner: str
    question: str
    owner_name: str = ""
    title: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frequency: Frequency = Frequency.NEVER
    mail: str = ""
    paused: bool = False
    id: str = ""
    created: str = ""
    visited: str = ""
    visited_before: str = ""
    checked_build: str = ""
    mailed: str = ""
    stop_key: bytes = b""
    access: Access = NO_ACCESS

    @property
    def is_mailed(self) -> bool:
        """Whether news of it are mailed."""
        return bool(self.mail) and not self.paused and self.frequency is not Frequency.NEVER

    def is_due(self, today: date) -> bool:
        """Whether a mail may go out today: daily or weekly, counted from the last one."""
        if not self.is_mailed:
            return False
        between = timedelta(days=DAYS_BETWEEN[self.frequency])
        return not self.mailed or date.fromisoformat(self.mailed) + between <= today

    def seen(self, now: str) -> SavedQuestion:
        """The question when its page was seen ``now``: what was new stays new for the rest of the visit."""
        new_visit = datetime.fromisoformat(now) - datetime.fromisoformat(self.visited) > VISIT
        return replace(self, visited=now, visited_before=self.visited if new_visit else self.visited_before)

    @property
    def stop_token(self) -> str:
        """The signed token of the links that stop its mails."""
        return f"{self.id}.{hmac.new(self.stop_key, self.id.encode(), 'sha256').hexdigest()}"


@dataclass(frozen=True, slots=True)
class Find:
    """Cited words that answer a saved question: their digest, and where they stood in the build they were found in.

    ``found`` is when, and empty for what the first answer cited.
    """

    digest: str
    passage_id: str
    start: int
    end: int
    found: str = ""


_COLUMNS = tuple(one.name for one in fields(SavedQuestion))
_FIND_COLUMNS = ", ".join(f'"{one.name}"' for one in fields(Find))


class SavedQuestions:
    """The tables of saved questions; a connection a call, safe from several threads and processes."""

    def __init__(self, place: StatePlace) -> None:
        self._repository = repository_of(place)

    def add(self, question: SavedQuestion, build_id: str, finds: Iterable[Find]) -> SavedQuestion:
        """Save a question with what its answer cites now; the one there is where its owner has it already.

        Raises :class:`InputError` where they have as many as they may.
        """
        now = timestamp()
        made = replace(
            question, id=secrets.token_hex(8), created=now, visited=now, visited_before=now, checked_build=build_id,
            stop_key=secrets.token_bytes(32),
        )  # fmt: skip
        with self._repository.transaction(immediate=True) as database:
            own = _questions(database, "owner = ?", question.owner)
            for one in own:
                if (one.question, one.filters) == (question.question, question.filters):
                    return one
            if len(own) >= MOST:
                raise InputError(f"Du har gemt {MOST} spørgsmål.", advice="Slet et, du ikke bruger mere.")
            marks = ", ".join("?" * len(_COLUMNS))
            sql = f"INSERT INTO saved_questions ({', '.join(_COLUMNS)}) VALUES ({marks})"
            database.execute(sql, tuple(_row(made).values()))
            _add_finds(database, made.id, finds, found="")
        return made

    def of_owner(self, owner: str) -> list[SavedQuestion]:
        """Someone's questions, the newest first."""
        return self._find("owner = ?", owner) if self._repository.exists else []

    def all(self) -> list[SavedQuestion]:
        """Everyone's questions."""
        return self._find("1 = 1") if self._repository.exists else []

    def get(self, question_id: str, owner: str) -> SavedQuestion:
        """One of someone's questions; raises :class:`NotFoundError`."""
        found = self._find("id = ? AND owner = ?", question_id, owner) if self._repository.exists else []
        if not found:
            raise NotFoundError("Spørgsmålet er ikke blandt dem, du har gemt.", advice="Se listen over dem igen.")
        return found[0]

    def of_token(self, token: str) -> SavedQuestion | None:
        """The question whose mails a token stops; None for a token that was not given out."""
        found = self._find("id = ?", token.partition(".")[0]) if self._repository.exists else []
        given = token.encode("utf-8", "surrogateescape")
        return next((one for one in found if hmac.compare_digest(one.stop_token.encode(), given)), None)

    def change(self, question: SavedQuestion) -> None:
        """Store what people may change of a question: title, frequency, address, and whether it is paused."""
        values = (question.title, question.frequency.value, question.mail, int(question.paused), question.id)
        self._execute("UPDATE saved_questions SET title = ?, frequency = ?, mail = ?, paused = ? WHERE id = ?", *values)

    def note_visit(self, question: SavedQuestion) -> None:
        """Store when a question's page was seen."""
        sql = "UPDATE saved_questions SET visited = ?, visited_before = ? WHERE id = ?"
        self._execute(sql, question.visited, question.visited_before, question.id)

    def note_access(self, owner: str, access: Access) -> None:
        """Store what someone may see now, for the news of all their questions."""
        if self._repository.exists:
            self._execute("UPDATE saved_questions SET access = ? WHERE owner = ?", access.as_text(), owner)

    def delete(self, question_id: str, owner: str) -> None:
        """Delete one of someone's questions with all that is kept of it; raises :class:`NotFoundError`."""
        self.get(question_id, owner)
        self._delete("id = ?", question_id)

    def note_answer(self, question_id: str, build_id: str, finds: Iterable[Find]) -> int:
        """Store what a question's answer cites in a build; returns how much of it was never cited before."""
        with self._repository.transaction(immediate=True) as database:
            sql = "UPDATE saved_questions SET checked_build = ? WHERE id = ?"
            # It may have been deleted while it was answered.
            if not database.execute(sql, (build_id, question_id)).rowcount:
                return 0
            return _add_finds(database, question_id, finds, found=timestamp())

    def news(self, question: SavedQuestion) -> list[Find]:
        """What was found since the visit before, the newest first."""
        sql = f"SELECT {_FIND_COLUMNS} FROM saved_question_finds WHERE question_id = ? AND found >= ? AND found <> ''"
        with self._repository.transaction() as database:
            rows = database.execute(f"{sql} ORDER BY found DESC, rowid", (question.id, question.visited_before))
            return [Find(*row) for row in rows]

    def batch(self, question_id: str, today: date) -> None:
        """Put what waits to be told into a mail, where one is due; what no mail is wanted of waits no longer."""
        with self._repository.transaction(immediate=True) as database:
            found = _questions(database, "id = ?", question_id)
            question = found[0] if found else None
            if question is None or (question.is_mailed and not question.is_due(today)):
                return
            name = f"{today.isoformat()} {secrets.token_hex(4)}" if question.is_mailed else UNMAILED
            sql = "UPDATE saved_question_finds SET batch = ? WHERE question_id = ? AND batch = '' AND found <> ''"
            if database.execute(sql, (name, question_id)).rowcount and name != UNMAILED:
                sql = "UPDATE saved_questions SET mailed = ? WHERE id = ?"
                database.execute(sql, (today.isoformat(), question_id))

    def open_batches(self, question_id: str) -> dict[str, list[Find]]:
        """What is in each of a question's mails that was not handed over, by the mail's key."""
        sql = (
            f"SELECT batch, {_FIND_COLUMNS} FROM saved_question_finds WHERE question_id = ? AND batch NOT IN ('', ?)"
            " AND NOT EXISTS (SELECT 1 FROM sent_mail WHERE key = ? || batch) ORDER BY batch, rowid"
        )
        prefix = f"{MAIL_KEY} {question_id} "
        batches: dict[str, list[Find]] = {}
        with self._repository.transaction() as database:
            for batch, *row in database.execute(sql, (question_id, UNMAILED, prefix)):
                batches.setdefault(f"{prefix}{batch}", []).append(Find(*row))
        return batches

    def of_person(self, name: str) -> list[dict[str, str]]:
        """What is kept of the questions of someone of this name or id."""
        return [
            {column: str(value) for column, value in _row(one).items() if column != "stop_key"}
            for one in (self._find("owner = ? OR owner_name = ?", name, name) if self._repository.exists else [])
        ]

    def delete_all(self, name: str) -> int:
        """Delete every question of someone of this name or id; returns how many."""
        return self._delete("owner = ? OR owner_name = ?", name, name)

    def _find(self, where: str, *values: str) -> list[SavedQuestion]:
        with self._repository.transaction() as database:
            return _questions(database, where, *values)

    def _delete(self, where: str, *values: str) -> int:
        with self._repository.transaction(immediate=True) as database:
            gone = _questions(database, where, *values)
            for one in gone:
                database.execute("DELETE FROM saved_questions WHERE id = ?", (one.id,))
                database.execute("DELETE FROM saved_question_finds WHERE question_id = ?", (one.id,))
                key = f"{MAIL_KEY} {one.id} "
                database.execute("DELETE FROM sent_mail WHERE substr(key, 1, ?) = ?", (len(key), key))
        return len(gone)

    def _execute(self, sql: str, *values: object) -> None:
        with self._repository.transaction() as database:
            database.execute(sql, values)


def _questions(database: Database, where: str, *values: str) -> list[SavedQuestion]:
    sql = f"SELECT {', '.join(_COLUMNS)} FROM saved_questions WHERE {where} ORDER BY created DESC, rowid DESC"
    return [_question(dict(zip(_COLUMNS, row, strict=True))) for row in database.execute(sql, values)]


def _question(row: dict[str, Any]) -> SavedQuestion:
    filters = {name: tuple(values) for name, values in json.loads(row["filters"]).items()}
    typed = {"filters": filters, "frequency": Frequency(row["frequency"]), "paused": bool(row["paused"])}
    return SavedQuestion(**{**row, **typed, "access": Access.from_text(row["access"])})


def _row(question: SavedQuestion) -> dict[str, Any]:
    plain = {"filters": json.dumps(dict(question.filters), ensure_ascii=False), "paused": int(question.paused)}
    return {**asdict(question), **plain, "frequency": question.frequency.value, "access": question.access.as_text()}


def _add_finds(database: Database, question_id: str, finds: Iterable[Find], *, found: str) -> int:
    columns = 'question_id, digest, passage_id, start, "end", found, batch'
    sql = f"INSERT INTO saved_question_finds ({columns}) VALUES (?,?,?,?,?,?,'') ON CONFLICT DO NOTHING"
    return sum(
        database.execute(sql, (question_id, one.digest, one.passage_id, one.start, one.end, found)).rowcount
        for one in finds
    )
