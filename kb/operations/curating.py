"""Changes of words and pinned passages: checked by the language, previewed on what was asked, and put in force.

    changed = with_new_words(held.curation, ["skraldebil", "renovationsbil"], "")
    preview(searcher, held.curation, changed, questions).changes

The preview asks the questions that are stored: those on the list of gaps and those readers gave feedback on. An answer
is a function of the question's analysis and the build, so only questions that the changed words analyse otherwise are
answered, by the words before and after, and no other answer can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb.answer import answer
from kb.answer.pinned import belonging
from kb.core.errors import InputError, NotFoundError, QuestionError
from kb.core.models import Answer
from kb.curation.words import Curation, checked_group
from kb.language import danish
from kb.language.synonyms import shipped_groups
from kb.language.vocabulary import words_of
from kb.retrieval.curated_snapshot import with_words
from kb.retrieval.searcher import Searcher

# As many questions are answered, by the words before and after, as an editor waits for: two answers take about half a
# second. The questions left are told of as not tried.
TRIED = 30


class Difference(StrEnum):
    """What a change makes of an answer. The values are the words shown."""

    FOUND = "får et svar"
    LOST = "får ikke længere et svar"
    OTHER = "får et andet svar"
    PINNED = "får et fremhævet sted"
    UNPINNED = "får ikke længere et fremhævet sted"


@dataclass(frozen=True, slots=True)
class Change:
    """A stored question and what becomes of its answer."""

    question: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change does to ``asked`` stored questions; ``unanswered`` more may change and were not tried."""

    asked: int
    changes: tuple[Change, ...]
    untried: int

    @property
    def changed(self) -> int:
        """How many questions are answered otherwise."""
        return len({one.question for one in self.changes})


def with_new_words(held: Curation, names: Iterable[str], note: str) -> Curation:
    """The curation with one more group of names; raises :class:`InputError` for one that cannot be searched by."""
    group = checked_group(names, note)
    for name in group.names:
        words = words_of(name)
        if not words or set(words) <= danish.stop_words():
            raise InputError(
                f"»{name}« kan ikke bruges: det er kun småord, som står overalt.", advice="Skriv et ord for sagen."
            )
    return held.with_group(group)


def switched(held: Curation, key: str, *, on: bool) -> Curation:
    """The curation with a shipped group on or off; raises :class:`NotFoundError` for one that is not shipped."""
    if key not in {one.key for one in shipped_groups()}:
        raise NotFoundError(f"»{key}« er ikke blandt de ord, Erfaringsbasen kommer med.", advice="Se listen over ord.")
    return held.switched(key, on=on)


def preview(searcher: Searcher, before: Curation, after: Curation, questions: Sequence[str]) -> Preview:
    """What becomes of the answers to ``questions``, the foremost first, when ``after`` takes ``before``'s place."""
    asked = tuple(dict.fromkeys(questions))
    old, new = with_words(searcher, before), with_words(searcher, after)
    touched = [question for question in asked if _reads_otherwise(old, new, question)]
    changes = _pin_changes(searcher, before, after, asked)
    for question in touched[:TRIED]:
        if difference := _difference(answer(old, question), answer(new, question)):
            changes.append(Change(question, difference))
    return Preview(len(asked), tuple(changes), max(0, len(touched) - TRIED))


def _reads_otherwise(old: Searcher, new: Searcher, question: str) -> bool:
    """Whether a question is searched for in another way; one that could not be asked now is not."""
    try:
        return old is not new and old.analyse(question) != new.analyse(question)
    except QuestionError:
        return False


def _difference(old: Answer, new: Answer) -> Difference | None:
    if old.refused != new.refused:
        return Difference.FOUND if old.refused else Difference.LOST
    return Difference.OTHER if _told(old) != _told(new) else None


def _told(one: Answer) -> tuple[object, ...]:
    """What a reader sees of an answer: its sentences, its projects and its sources."""
    sentences, projects = [sentence.text for sentence in one.sentences], [project.name for project in one.projects]
    return one.lead, sentences, projects, [source.passage_id for source in one.citations]


def _pin_changes(searcher: Searcher, before: Curation, after: Curation, asked: Sequence[str]) -> list[Change]:
    if before.pins == after.pins:
        return []
    found = []
    for question in asked:
        had, has = (set(belonging(searcher.embedder, question, one.pins)) for one in (before, after))
        if has - had:
            found.append(Change(question, Difference.PINNED))
        elif had - has:
            found.append(Change(question, Difference.UNPINNED))
    return found
