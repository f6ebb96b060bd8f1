"""Letters that a PDF draws and does not name as letters (pure functions).

* Accents drawn by themselves over a letter, as pdfTeX does ("p˚a", "Resum´e"), become one letter with it: where the
  accent stands over the letter, or where the signs can mean nothing else.
* A ligature to which the font gives the width of one letter is followed by a space that lies inside it ("fi nde").
* Ligatures that a font maps to letters of other alphabets ("kommunikaƟon").
* Glyphs that a font maps to nothing ("\\ufffdnansieret") leave holes in words. A hole is filled where just one known
  word fits: one of the document's own, or one that was recognised on the page. ``holed_words`` names what is left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from kb.extract.cleaning import clean
from kb.extract.pdf.raw_page import BoxedText, RawPage, Run

HOLE = "\ufffd"
# By the sign as it stands alone: the same as a combining mark.
_ACCENTS = {
    "`": "\u0300", "´": "\u0301", "ˆ": "\u0302", "˜": "\u0303", "¯": "\u0304", "˘": "\u0306", "˙": "\u0307",
    "¨": "\u0308", "˚": "\u030a", "˝": "\u030b", "ˇ": "\u030c", "¸": "\u0327", "˛": "\u0328",
}  # fmt: skip
_DOTLESS = {"ı": "i", "ȷ": "j"}
# Signs that stand before a letter for no other reason than to be its accent; the acute is also set for an apostrophe.
_SURE = re.compile(r"([˚¨ˆ˜˘˝ˇ])([^\W\d_])|(?<=[a-zæøå])(´)(e)")
_LIGATURES = ("ff", "fi", "fl", "ffi", "ffl", "fj", "ft", "ti", "tt", "tti")
# Calibri's ligatures as Word writes them into its PDF files.
_FOREIGN = {"Ɵ": "ti", "Ʃ": "tt", "Ō": "ft"}
_FOREIGN_LETTER = re.compile(r"[ƟƩ](?=[a-zæøå])|(?<=[a-zæøå])[ƟƩŌ]")
# The private-use characters of the Symbol and Wingdings fonts are signs and no letters.
_UNNAMED = re.compile("[\ufffd\x00-\x08\x0e-\x1f\ue000-\uefff\uf100-\uf8ff]")
_FEWEST_LETTERS = 3
_SPLIT = re.compile(r"\b(\w*(?:fi|fl|ff|ffi|ffl)) ([a-zæøå]{2,})")
_WORD = re.compile(r"\w+")


_G = TypeVar("_G", bound=BoxedText)


def composed(accent: str, letter: str) -> str:
    """The letter with the accent, or nothing where there is no such letter."""
    mark = _ACCENTS.get(accent, "")
    both = unicodedata.normalize("NFC", _DOTLESS.get(letter, letter) + mark) if mark and letter.isalpha() else ""
    return both if len(both) == 1 else ""


def with_accents(glyphs: Sequence[_G]) -> list[tuple[_G, str]]:
    """The glyphs with their texts; an accent that stands over its neighbour becomes one with it."""
    inked = [glyph for glyph in glyphs if not glyph.text.isspace()]
    joined: dict[int, str] = {}
    dropped: set[int] = set()
    for index, accent in enumerate(inked):
        if accent.text not in _ACCENTS:
            continue
        neighbours = [*inked[index + 1 : index + 2], *inked[max(index - 1, 0) : index]]
        base = next((other for other in neighbours if _stands_over(accent, other)), None)
        if base is not None and id(base) not in joined:
            joined[id(base)] = composed(accent.text, base.text)
            dropped.add(id(accent))
    return [(glyph, joined.get(id(glyph), glyph.text)) for glyph in glyphs if id(glyph) not in dropped]


def _stands_over(accent: BoxedText, base: BoxedText) -> bool:
    middle = (accent.x0 + accent.x1) / 2
    return (
        base.x0 <= middle <= base.x1
        and abs(base.y - accent.y) < base.x1 - base.x0
        and bool(composed(accent.text, base.text))
    )


def without_squeezed_spaces(glyphs: Sequence[_G]) -> list[_G]:
    """The glyphs without spaces that begin inside the ligature before them.

    A ligature is told by its letters sharing one box. A space behind it begins where the ligature ends.
    """
    spaced: list[_G] = []
    for index, glyph in enumerate(glyphs):
        ligature = len(spaced) > 1 and (spaced[-1].x0, spaced[-1].x1) == (spaced[-2].x0, spaced[-2].x1)
        follows = glyphs[index + 1].text if index + 1 < len(glyphs) else ""
        if glyph.text == " " and ligature and follows.islower() and glyph.x0 < spaced[-1].x1 - _inside(spaced[-1]):
            continue
        spaced.append(glyph)
    return spaced


def _inside(ligature: BoxedText) -> float:
    return 0.2 * (ligature.x1 - ligature.x0)


def mended(pages: Sequence[RawPage]) -> list[RawPage]:
    """The pages with the letters mended that the signs, or the document's own words, make sure."""
    pages = [
        _with_texts(page, {run.text: _by_pattern(run.text) for run in (*page.runs, *page.aside)}) for page in pages
    ]
    known = known_words(clean(run.text) for page in pages for run in page.runs)
    return [_with_texts(page, {run.text: _by_words(run.text, known) for run in page.runs}) for page in pages]


def known_words(texts: Iterable[str]) -> frozenset[str]:
    """The whole words of some texts in small letters."""
    return frozenset(word for text in texts if not holed_words(text) for word in _WORD.findall(text.lower()))


def _by_pattern(text: str) -> str:
    text = _FOREIGN_LETTER.sub(lambda match: _FOREIGN[match[0]], text)
    return _SURE.sub(lambda match: composed(match[1] or match[3], match[2] or match[4]) or match[0], text)


def _by_words(text: str, known: frozenset[str]) -> str:
    fills = {word: whole for word in holed_words(text) if (whole := _ligature_in(word, known))}
    text = with_filled(text, fills)
    return _SPLIT.sub(lambda match: match[1] + match[2] if (match[1] + match[2]).lower() in known else match[0], text)


def _ligature_in(word: str, known: frozenset[str]) -> str:
    """The word with a ligature in its one hole, where only one makes a known word."""
    parts = _UNNAMED.split(_core(word))
    wholes = [ligature.join(parts) for ligature in _LIGATURES] if len(parts) == 2 else []
    fitting = [whole for whole in wholes if whole.lower() in known]
    return word.replace(_core(word), fitting[0]) if len(fitting) == 1 else ""


def holed_words(text: str) -> list[str]:
    """The words in which a letter is not named; signs in formulas and bullets are no words."""
    return [word for word in text.split() if _UNNAMED.search(word) and _is_holed(_core(word))]


def _is_holed(core: str) -> bool:
    letters = sum(char.isalpha() for char in core)
    whole = letters + len(_UNNAMED.findall(core)) == len(core.replace("-", ""))
    beside = re.search(rf"(?:^|[^\W\d_]){_UNNAMED.pattern}[a-zæøå]|[a-zæøå]{_UNNAMED.pattern}$", core)
    return letters >= _FEWEST_LETTERS and whole and beside is not None


def _core(word: str) -> str:
    """The word without the punctuation around it."""
    return re.sub(rf"^(?:(?!{_UNNAMED.pattern})[\W_])+|(?:(?!{_UNNAMED.pattern})[\W_])+$", "", word)


def filled_by(words: Sequence[str], recognised: Iterable[str]) -> dict[str, str]:
    """For each word with holes the one recognised word that fits it in all its other letters."""
    candidates = {_core(word) for text in recognised for word in text.split()}
    fills: dict[str, str] = {}
    for word in words:
        core = _core(word)
        pattern = re.compile(r"[^\W\d_]{1,3}".join(map(re.escape, _UNNAMED.split(core))), re.IGNORECASE)
        fitting = {candidate for candidate in candidates if pattern.fullmatch(candidate)}
        if len(fitting) == 1:
            fills[word] = word.replace(core, fitting.pop())
    return fills


def with_filled(text: str, fills: Mapping[str, str]) -> str:
    """The text with its words with holes replaced."""
    return re.sub(r"\S+", lambda match: fills.get(match[0], match[0]), text) if fills else text


def with_filled_page(page: RawPage, fills: Mapping[str, str]) -> RawPage:
    """The page with its words with holes replaced."""
    return _with_texts(page, {run.text: with_filled(run.text, fills) for run in page.runs})


def without_stray_holes(page: RawPage) -> RawPage:
    """The page with holes shown in words alone; elsewhere a glyph without a name is most often a space."""
    return _with_texts(page, {run.text: re.sub(r"\S+", _shown, run.text) for run in (*page.runs, *page.aside)})


def _shown(match: re.Match[str]) -> str:
    word = match[0]
    return _UNNAMED.sub(HOLE, word) if holed_words(word) else word.replace(HOLE, " ")


def holed_runs(page: RawPage) -> list[Run]:
    """The runs that have words with holes."""
    return [run for run in page.runs if holed_words(run.text)]


def _with_texts(page: RawPage, texts: Mapping[str, str]) -> RawPage:
    if all(before == after for before, after in texts.items()):
        return page

    def told(runs: Sequence[Run]) -> tuple[Run, ...]:
        return tuple(replace(run, text=texts.get(run.text, run.text)) for run in runs)

    return replace(page, runs=told(page.runs), aside=told(page.aside))
