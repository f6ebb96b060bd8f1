"""Subjects that reports speak of without naming them, from ``topics.yaml`` (pure).

A question about GDPR is also met by a sentence on "hjemmel" or "samtykke", at a lower weight than by the word itself.
Terms are compared by their stems, as everywhere in an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files

import yaml

from kb.language import danish
from kb.language.vocabulary import words_of

TOPICS_FILE = "topics.yaml"
Name = tuple[str, ...]


@cache
def _topics() -> Mapping[str, tuple[tuple[Name, tuple[str, ...]], ...]]:
    """From the stem of a name's last word to the stems of the whole name and its subject's narrower terms."""
    found: dict[str, list[tuple[Name, tuple[str, ...]]]] = {}
    for topic in yaml.safe_load((files("kb.answer") / TOPICS_FILE).read_text(encoding="utf-8")):
        for name in map(stems_of, topic["names"]):
            found.setdefault(name[-1], []).append((name, tuple(topic["narrower"])))
    return {stem: tuple(topics) for stem, topics in found.items()}


@cache
def stems_of(term: str) -> Name:
    """The stems of a term's words."""
    return tuple(danish.stem(word) for word in words_of(term))


def narrower(form: str, question: Collection[str]) -> tuple[str, ...]:
    """The narrower terms of the subjects whose name ends with the word ``form`` and stands in the question.

    ``question`` are the stems of all the question's words.
    """
    topics = _topics().get(danish.stem(form), ())
    found = (term for name, terms in topics if all(word in question for word in name) for term in terms)
    return tuple(dict.fromkeys(found))
