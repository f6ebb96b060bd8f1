"""Answers: cited sentences, findings by project, how many projects speak to it, or an honest refusal.

    answer(searcher, "Hvordan håndterede projekterne GDPR?").sentences

There is no language model here: everything shown is a sentence of a report. ``intent`` says what is asked for,
``features`` how each sentence meets that, ``classifiers`` turns it into probabilities, ``selection`` picks sentences
and judges documents by them, ``composition`` lays the answer out, and ``refusal`` says why there is none.
"""

from kb.answer import composition
from kb.core.models import Answer
from kb.retrieval.searcher import FilterItems, Filters, Searcher, as_items, clean_question

__all__ = ["answer"]


def answer(searcher: Searcher, question: str, filters: Filters | None = None) -> Answer:
    """Answer a question from the searcher's build; raises :class:`QuestionError` or :class:`FilterError`."""
    asked = clean_question(question, searcher.settings.max_question_chars)
    found: Answer = searcher.kept(_answer, asked, as_items(filters))
    return found


def _answer(searcher: Searcher, question: str, items: FilterItems) -> Answer:
    return composition.answer(searcher, question, dict(items))
