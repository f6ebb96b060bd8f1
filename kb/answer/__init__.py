"""Answers: cited sentences, findings by project, how many projects speak to it, or an honest refusal.

    answer(searcher, "Hvordan håndterede projekterne GDPR?").as_dict()

There is no language model here: everything shown is a sentence of a report. ``questions`` says what is asked for,
``sentences`` which sentences may answer, ``evidence`` how each meets the question, ``relevance`` turns that into
probabilities, ``choice`` picks, and ``composing`` lays the answer out.
"""

from kb.answer.composing import answer

__all__ = ["answer"]
