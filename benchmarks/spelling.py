"""Which words spelling correction alters, and which misspellings it mends, with the word lists and without.

    python -m benchmarks.spelling [WORDS]

Real words are those of the judged questions and, up to WORDS (5,000), of other text, that a dictionary lists; none of
them may be corrected by the index in use. Misspellings are planted in words of the questions that the index knows: a
letter left out, doubled, replaced, or swapped with the next, never the first; those that give another listed word are
left out. One is mended where the word, or another form of it, is suggested. Prints the table of
docs/decisions/search.md.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from kb.core.settings import load_settings
from kb.index.places import place_of
from kb.language import danish
from kb.language.compounds import CompoundSplitter
from kb.language.spelling import Speller
from kb.language.vocabulary import Vocabulary, words_of
from kb.language.word_list import SHORTEST, is_listed, is_word
from kb.retrieval.opening import open_snapshot

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("KB_SHARED", ROOT.parent / "shared")) / "eval"
WORDS = 5_000
SHORTEST_MISSPELT = 7
LETTERS = "abdefghiklmnoprstuvyæøå"


def question_texts() -> Iterator[str]:
    """The questions that come with the code."""
    for file in sorted((ROOT / "benchmarks").glob("*/questions.jsonl")):
        yield from (json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines())


def other_texts() -> Iterator[str]:
    """The reports of the corpus and, where there are any, the questions of other collections."""
    yield from (file.read_text(encoding="utf-8") for file in sorted((ROOT / "corpus").rglob("*.md")))
    for file in sorted(SHARED.glob("*/queries.jsonl")):
        yield from (json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines())


def written_words(texts: Iterable[str]) -> Iterator[str]:
    """The different words of texts that are long enough to be corrected."""
    words = chain.from_iterable(words_of(text) for text in texts)
    yield from dict.fromkeys(word for word in words if word.isalpha() and len(word) >= SHORTEST)


def misspelt(word: str, chance: random.Random) -> str:
    """The word with one slip, not of its first letter."""
    at = chance.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + chance.choice(LETTERS) + word[at + 1 :],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    return chance.choice(slips)


def planted(words: Iterable[str], vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Words of the corpus, each with a misspelling that is no word itself."""
    chance = random.Random(8)  # noqa: S311 - misspellings, not secrets
    long = [word for word in words if len(word) >= SHORTEST_MISSPELT and vocabulary.knows(word)]
    pairs = [(word, misspelt(word, chance)) for word in long]
    return [(word, wrong) for word, wrong in pairs if not vocabulary.knows(wrong) and not is_listed(wrong)]


def mended(pairs: Sequence[tuple[str, str]], speller: Speller) -> float:
    """The share of misspellings for which the word is suggested, in any form."""
    right = sum(danish.stem(word) in map(danish.stem, speller.suggest(wrong)) for word, wrong in pairs)
    return right / len(pairs)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    vocabulary = open_snapshot(place_of(load_settings())).analyser.vocabulary
    of_questions = [word for word in written_words(question_texts()) if is_word(word)]
    others = (word for word in written_words(other_texts()) if is_word(word) and word not in of_questions)
    real = [*of_questions, *islice(others, max(0, int(arguments[0] if arguments else WORDS) - len(of_questions)))]
    pairs = planted(written_words(question_texts()), vocabulary)
    print(f"{len(real)} real words ({len(of_questions)} of questions), {len(pairs)} misspellings\n")
    print("| what is no word | real words corrected | misspellings mended |\n|---|---|---|")
    ways: dict[str, Callable[[str], bool]] = {"not in the corpus": lambda _: False, "nor in a dictionary": is_word}
    for name, in_dictionary in ways.items():
        speller = Speller(vocabulary, CompoundSplitter(vocabulary), in_dictionary)
        corrected = sum(bool(speller.suggest(word)) for word in real)
        print(f"| {name} | {corrected} | {mended(pairs, speller):.3f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
