"""Answers: cited sentences, findings by project, how many projects speak to it, or an honest refusal.

    answer(searcher, "Hvordan håndterede projekterne GDPR?").as_dict()

There is no language model here: everything shown is a sentence of a report. ``questions`` says what is asked for,
``evidence`` how each sentence meets that, ``relevance`` turns it into probabilities, ``judging`` picks sentences and
judges documents by them, ``composing`` lays the answer out, and ``refusing`` says why there is none.
"""

from kb.answer.composing import answer

__all__ = ["answer"]
