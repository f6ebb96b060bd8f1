"""Answers: cited sentences, findings by project, how many projects speak to it, or an honest refusal.

    answer(searcher, "Hvordan håndterede projekterne GDPR?").sentences

There is no language model here: everything shown is a sentence of a report. ``intent`` says what is asked for,
``features`` how each sentence meets that, ``classifiers`` turns it into probabilities, ``selection`` picks sentences
and judges documents by them, ``composition`` lays the answer out, and ``refusal`` says why there is none.
"""

from kb.answer import composition
from kb.core.models import Answer
from kb.retrieval.caches import Cache, Owned
from kb.retrieval.filters import NO_FILTERS, Filters, GivenFilters
from kb.retrieval.searcher import Searcher

__all__ = ["answer"]

# Answers that a searcher remembers; some 100 kB each.
ANSWERS_REMEMBERED = 100


def _no_answers(_searcher: Searcher) -> Cache[tuple[str, Filters], Answer]:
    return Cache(ANSWERS_REMEMBERED)


# What many ask is worked out once: an answer does not change while the searcher's build does not.
_ANSWERS = Owned(_no_answers)


def answer(searcher: Searcher, question: str, filters: GivenFilters = NO_FILTERS) -> Answer:
    """Answer a question from the searcher's build; raises :class:`QuestionError` or :class:`FilterError`."""
    asked, wanted = searcher.analyse(question), Filters.of(filters)
    answers = _ANSWERS.of(searcher)
    return answers.get((asked.text, wanted), lambda: composition.answer(searcher, asked, wanted))
