"""Lexical analysis: from Danish text to index terms, and from a question to weighted query terms.

A word is indexed as its stem, and a compound also as the stems of its parts, at half the weight, so that
"databehandleraftaler" matches "aftale". A word of a question gives these terms, each with a weight and a kind:

* its stem, and the stems of its parts if it is a compound;
* the compound of two neighbouring words ("data migrering" matches "datamigrering");
* the other spelling of æ, ø and å ("Aarhus" matches "Århus");
* the other names and abbreviations of what it names (:mod:`kb.language.synonyms`);
* for a string that is no word and that none of these finds, the most similar words of the corpus.

Words in quotation marks are a phrase, which must occur as written, case aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kb.core.models import Match, MatchKind
from kb.language import danish
from kb.language.compounds import CompoundSplitter
from kb.language.danish import Kind, Token
from kb.language.spelling import Speller
from kb.language.synonyms import Synonyms, shipped
from kb.language.vocabulary import CACHED_FORMS, Vocabulary, word_form, words_of, written_parts

# The weight of a term relative to the word of the question itself, chosen on the development halves of the evaluation
# sets (docs/decisions/search.md).
PART_WEIGHT = 0.5
JOINED_WEIGHT = 0.5
VARIANT_WEIGHT = 0.8
SYNONYM_WEIGHT = 0.5
CORRECTED_WEIGHT = 0.8

_QUOTED = re.compile(
    '["\u201c\u201d\u201e\u00bb\u00ab]([^"\u201c\u201d\u201e\u00bb\u00ab]+)["\u201c\u201d\u201f\u00ab\u00bb]'
)
_SPELLINGS = (("aa", "å"), ("ae", "æ"), ("oe", "ø"))


@dataclass(frozen=True, slots=True)
class IndexTerms:
    """What is indexed for a text: ``words`` as written, in order; ``stems`` of the words that carry a subject;
    ``parts`` of the compounds among them.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    parts: tuple[str, ...]


class TokenTerms(NamedTuple):
    """What is indexed for one token: its written form, its stem (none where it carries no subject) and the stems of
    the parts of a compound.
    """

    word: str
    stems: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term to search for; ``word`` is the word of the question that it is derived from."""

    term: str
    weight: float
    kind: MatchKind
    word: str


@dataclass(frozen=True, slots=True)
class QueryPhrase:
    """Words that must be adjacent, as written: another name for ``word``, or a phrase that the question quotes."""

    words: tuple[str, ...]
    weight: float
    word: str


@dataclass(frozen=True, slots=True)
class Question:
    """An analysed question.

    ``words`` are its words as written and the corrections of unknown ones; ``phrases`` are other names of several
    words; ``quoted`` are the phrases in quotation marks, which a passage must hold; ``corrections`` maps an unknown
    word, as written, to the known words searched for as well. ``meant`` is the text with the names that only the house
    uses replaced by those that reports use, and is what is analysed, embedded and read; empty where it is the text.
    """

    text: str
    terms: tuple[QueryTerm, ...]
    words: tuple[str, ...] = ()
    phrases: tuple[QueryPhrase, ...] = ()
    quoted: tuple[tuple[str, ...], ...] = ()
    corrections: Mapping[str, tuple[str, ...]] = frozenset()  # type: ignore[assignment]
    meant: str = ""

    @property
    def read_as(self) -> str:
        """What is embedded and read."""
        return self.meant or self.text


@dataclass(frozen=True, slots=True)
class Mechanisms:
    """The mechanisms of an analysis. All are on in use; benchmarks switch them off to measure each."""

    stems: bool = True
    compounds: bool = True
    joined: bool = True
    spellings: bool = True
    synonyms: bool = True
    corrections: bool = True


class Analyser:
    """Analyses passages and questions by one corpus's vocabulary.

    analyser = Analyser(Vocabulary.of(texts))
    question = analyser.question("Hvordan gik det med datamigreringen?")
    analyser.matches(question, passage.text)
    """

    def __init__(self, vocabulary: Vocabulary, mechanisms: Mechanisms | None = None) -> None:
        self.vocabulary = vocabulary
        self.synonyms = shipped()
        self._use = mechanisms or Mechanisms()
        self._splitter = CompoundSplitter(vocabulary)
        self._speller = Speller(vocabulary, self._splitter)
        self._terms_of = lru_cache(maxsize=CACHED_FORMS)(self._terms_of_token)

    def with_synonyms(self, synonyms: Synonyms) -> Analyser:
        """The same analyser with other synonyms, which questions alone are analysed by: no build depends on them."""
        other = copy(self)
        other.synonyms = synonyms
        return other

    def index_terms(self, text: str) -> IndexTerms:
        """What is indexed for a text."""
        tokens = self.analysed(text)
        return IndexTerms(
            tuple(token.word for token in tokens),
            tuple(stem for token in tokens for stem in token.stems),
            tuple(part for token in tokens for part in token.parts),
        )

    def analysed(self, text: str) -> list[TokenTerms]:
        """What is indexed for each token of a text, in order."""
        return [self._terms_of(token.text, token.kind) for token in danish.tokenise(text)]

    def question(self, text: str) -> Question:
        """Analyse a question; one of stop words alone keeps them."""
        meant = self._meant(text)
        return replace(self._question(meant), text=text, meant=meant if meant != text else "")

    def _meant(self, text: str) -> str:
        """The text with the names that only the house uses replaced, unless it quotes words."""
        if not self.synonyms.house or not self._use.synonyms or _QUOTED.search(text):
            return text
        tokens = danish.tokenise(text)
        found = list(self.synonyms.in_use([word_form(token) for token in tokens], self.vocabulary.knows))
        for start, end, name in reversed(found):
            text = f"{text[: tokens[start].start]}{name}{text[tokens[end - 1].end :]}"
        return text

    def _question(self, text: str) -> Question:
        quoted = tuple(words for words in map(words_of, _QUOTED.findall(text)) if words)
        tokens = danish.tokenise(text)
        carrying = [token for token in tokens if word_form(token) not in danish.stop_words()] or tokens
        joined = list(self._joined(tokens))
        names = list(self.synonyms.others([word_form(token) for token in tokens])) if self._use.synonyms else []
        # What joins its neighbour or has another name is found by that.
        found = {word for _, name in names for word in name.split()} | {word for word, _ in joined}
        unfound = [token for token in carrying if word_form(token) not in found]
        corrections = {token.text: near for token in unfound if (near := self._corrections(token))}
        terms = [term for token in carrying for term in self._terms(token, corrections.get(token.text, ()))]
        terms += [term for _, term in joined]
        terms += [
            QueryTerm(self._stem(name[0]), SYNONYM_WEIGHT, MatchKind.SYNONYM, word)
            for name, word in names
            if len(name) == 1
        ]
        phrases = tuple(QueryPhrase(name, SYNONYM_WEIGHT, word) for name, word in names if len(name) > 1)
        written = [word_form(token) for token in tokens] + [word for near in corrections.values() for word in near]
        return Question(text, _heaviest(terms), tuple(written), phrases, quoted, corrections)

    def matches(self, question: Question, text: str) -> tuple[Match, ...]:
        """The words of a text that match the question, in order."""
        wanted = {term.term: term for term in question.terms}
        tokens = danish.tokenise(text)
        by_start = {match.start: match for match in _phrase_matches(question, tokens)}
        for token in tokens:
            match = self._match(wanted, token)
            if match is not None:
                by_start.setdefault(token.start, match)
        return tuple(by_start[start] for start in sorted(by_start))

    def _terms_of_token(self, text: str, kind: Kind) -> TokenTerms:
        token = Token(text, 0, len(text), kind)
        word = word_form(token)
        if word in danish.stop_words():
            return TokenTerms(word, (), ())
        return TokenTerms(word, (self._stem(word),), tuple(self._parts(token, word)))

    def _stem(self, word: str) -> str:
        return danish.stem(word) if self._use.stems else word

    def _match(self, wanted: Mapping[str, QueryTerm], token: Token) -> Match | None:
        terms = self._terms_of(token.text, token.kind)
        # A stop word has no stem in the index; it is matched by a question of stop words alone.
        whole = wanted.get(terms.stems[0] if terms.stems else self._stem(terms.word))
        if whole is not None:
            kind = MatchKind.EXACT if whole.kind is MatchKind.STEM and whole.word == terms.word else whole.kind
            return Match(token.start, token.end, kind, whole.word)
        parts = [wanted[part] for part in terms.parts if part in wanted]
        if not parts:
            return None
        heaviest = max(parts, key=lambda term: term.weight)
        return Match(token.start, token.end, MatchKind.COMPOUND, heaviest.word)

    def _parts(self, token: Token, word: str) -> Iterator[str]:
        """The stems of a word's parts, each once: those the writer separated, and those of the compound."""
        if not self._use.compounds:
            return
        whole = self._stem(word)
        written = [self._stem(part) for part in written_parts(token) if part not in danish.stop_words()]
        for part in dict.fromkeys([*written, *self._splitter.parts(word)]):
            if part != whole:
                yield part

    def _terms(self, token: Token, corrected: Sequence[str]) -> Iterator[QueryTerm]:
        """A word's own terms: its stem, parts, other spellings and corrections."""
        word = word_form(token)
        yield QueryTerm(self._stem(word), 1.0, MatchKind.STEM, word)
        for part in self._parts(token, word):
            yield QueryTerm(part, PART_WEIGHT, MatchKind.COMPOUND, word)
        for variant in _spelling_variants(word):
            if self._use.spellings and self.vocabulary.knows(variant):
                yield QueryTerm(self._stem(variant), VARIANT_WEIGHT, MatchKind.STEM, word)
        for near in corrected:
            yield QueryTerm(self._stem(near), CORRECTED_WEIGHT, MatchKind.CORRECTED, word)
            for part in self._splitter.parts(near):
                yield QueryTerm(part, CORRECTED_WEIGHT * PART_WEIGHT, MatchKind.CORRECTED, word)

    def _corrections(self, token: Token) -> tuple[str, ...]:
        """Words of the corpus for a string that is none; one of several written parts is known if they are."""
        if not self._use.corrections:
            return ()
        written = written_parts(token)
        if written and all(self.vocabulary.knows(part) for part in written):
            return ()
        word = word_form(token)
        if self._use.spellings and any(map(self.vocabulary.knows, _spelling_variants(word))):
            return ()
        return self._speller.suggest(word)

    def _joined(self, tokens: Sequence[Token]) -> Iterator[tuple[str, QueryTerm]]:
        """For each of two neighbouring words their compound in the corpus, with or without a linking s."""
        for left, right in pairwise(tokens) if self._use.joined else ():
            first, second = word_form(left), word_form(right)
            if {first, second} & danish.stop_words() or not (first.isalpha() and second.isalpha()):
                continue
            for joined in (first + second, f"{first}s{second}"):
                if self.vocabulary.knows(joined):
                    term = QueryTerm(self._stem(joined), JOINED_WEIGHT, MatchKind.COMPOUND, joined)
                    yield from ((first, term), (second, term))


def _spelling_variants(word: str) -> Iterator[str]:
    """The word with each of aa, ae and oe as å, æ and ø, and the other way round."""
    for plain, danish_letter in _SPELLINGS:
        for old, new in ((plain, danish_letter), (danish_letter, plain)):
            if old in word:
                yield word.replace(old, new)


def _heaviest(terms: Iterable[QueryTerm]) -> tuple[QueryTerm, ...]:
    """Each term once, at its greatest weight."""
    best: dict[str, QueryTerm] = {}
    for term in terms:
        if term.term not in best or term.weight > best[term.term].weight:
            best[term.term] = term
    return tuple(best.values())


def _phrase_matches(question: Question, tokens: Sequence[Token]) -> Iterator[Match]:
    """The occurrences of whole phrases: other names, and quoted phrases."""
    wanted = [(phrase.words, MatchKind.SYNONYM, phrase.word) for phrase in question.phrases]
    wanted += [(quoted, MatchKind.EXACT, " ".join(quoted)) for quoted in question.quoted]
    words = [word_form(token) for token in tokens] if wanted else []
    for phrase, kind, word in wanted:
        for start in range(len(words) - len(phrase) + 1):
            if tuple(words[start : start + len(phrase)]) == phrase:
                place = tokens[start : start + len(phrase)]
                yield Match(place[0].start, place[-1].end, kind, word)
