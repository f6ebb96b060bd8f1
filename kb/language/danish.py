"""Segments Danish text into sentences and tokens, and stems words (pure; independent of any corpus).

*Sentences.* sentencex finds them, and its known errors on Danish are corrected. A line break always ends a sentence,
because a document's blocks are lines. An abbreviation that opens a sentence ("Bl.a. Kommunen ...") is joined with what
it opens, and one that never ends a sentence ("bl.a. Norddjurs") with what follows. A word or abbreviation that can also
end a sentence ("... er med. Projektet", "16 mio. kr. Projektet") does so before a capitalised word that is not part of
a name. An opening quotation mark after a full stop belongs to the sentence it opens, and a comma, colon or semicolon
after an end mark continues the sentence ("Er det lovligt?: Ja"); so does the rest of a name in capitals ("2021.AI",
"BETA.HEALTH", ".NET"). The spans cover the text without gaps: white space belongs to the sentence before it.

*Tokens.* A token is a span of the text. Numbers ("4,1", "1.000"), dates ("1. april 2020"), references to law and
annexes ("art. 6", "stk. 1", "§ 11", "bilag 3"), abbreviations ("bl.a.", "m.fl.") and words with hyphens
("AI-løsninger") are one token each; what is indexed for them is decided in ``kb.language.analysis``.

*Stems.* Snowball's Danish stemmer; the table ``stems.toml`` has the irregular words and the Latin plurals of
administrative Danish that it gets wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple

import sentencex
import Stemmer

from kb.core.tables import read_table

# Abbreviations that can open a sentence; sentencex takes some of them for a whole sentence.
_OPENING_ABBREVIATIONS = """
    bl.a. f.eks. fx. jf. jvf. jfr. ca. hhv. evt. pga. mht. dvs. iht. ifm. ift. vedr. inkl. ekskl. ang. kl. nr. pkt.
    art. stk. kap. § pr. dr. hr. fr. prof. d. m.a.o. s. p. bl. a. f. eks. mv. m.v. s.u. s.o. o.a.
"""
OPENING_ABBREVIATIONS = frozenset(_OPENING_ABBREVIATIONS.split())
# Abbreviations that never end a sentence, though sentencex lets them before a name ("bl.a. Norddjurs").
_NEVER_LAST = re.compile(
    r"(?<!\w)(?:bl\.\s?a|fx|iht|ift|vha|iflg|p\.g\.a|incl|excl|art|ph\.d|cand|adv|sagsnr)\.\s*\Z", re.IGNORECASE
)
# Ordinary words that sentencex takes for abbreviations when a full stop follows them.
_WORDS_TOO = """
    da del din el eng form i jul med nat ned nord par pass port regn rest sen sort sø tab ti to tv var vær
"""
# Abbreviations that may end a sentence: a capital after them begins one, unless it is a name or currency in capitals.
_CLOSING_ABBREVIATIONS = "kr osv etc mv m\\.m m\\.v m\\.fl o\\.l o\\.lign o\\.a pct f\\.Kr e\\.Kr"
# After these and after a letter alone ("litra g", "J. Hansen") only a function word shows that a sentence begins.
_SCALES = "mio mia"
_MISSED_END = re.compile(
    rf"""(?<![\w.-])(?:
        (?P<ends>litra\ [a-zæøå]|{"|".join((*_WORDS_TOO.split(), *_CLOSING_ABBREVIATIONS.split()))})
        | (?P<may_end>{"|".join(_SCALES.split())}|[^\W\d_])
    )\.\s+(?=["\u201c\u201d\u00bb]?(?P<next>[A-ZÆØÅ][a-zæøå]*)(?!\w))""",
    re.VERBOSE,
)
# Function words that are also parts of names ("E. De la Cruz").
_NAME_PARTICLES = frozenset(("de", "den", "der", "du"))
_QUOTES = re.compile('["\u201c\u201d\u00bb\u00ab]')
_HANGING_QUOTE = re.compile("(?<=\\s)[\u201d\u201c\u00bb\u00ab\"'\u2019(]+\\s*$")
_WHITE_SPACE = re.compile(r"\s")
# A name with a full stop inside: before it a word with a capital or a digit, or nothing; after it capitals alone.
_NAME_BEFORE_STOP = re.compile(r"(?:(?<!\S)|(?<![^\W_])[A-ZÆØÅ0-9][^\W_]{0,40})\.\Z")
_NAME_AFTER_STOP = re.compile(r"[A-ZÆØÅ]{2,}[0-9]*(?![^\W_])")
_LONGEST_NAME = 45
# Characters that continue a sentence whatever mark is before them.
_CONTINUATIONS = (",", ":", ";")
_LINES = re.compile(r"[^\n]*\n\s*|[^\n]+\Z")

_MONTHS = (
    "januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november",
    "december",
)  # fmt: skip
_MONTH_NUMBER = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name[:3]: number for number, name in enumerate(_MONTHS, 1)
}
_MONTH_PATTERN = "|".join([*_MONTHS, *(rf"{name[:3]}\." for name in _MONTHS if len(name) > 3)])
# Words that with a number after them refer to a place in a law or a report, with the form that is indexed.
REFERENCE_WORDS = {
    "art.": "artikel", "art": "artikel", "artikel": "artikel", "artiklen": "artikel",
    "§": "§", "§§": "§", "paragraf": "§", "par.": "§",
    "stk.": "stk", "stk": "stk", "stykke": "stk",
    "nr.": "nr", "nr": "nr", "nummer": "nr",
    "litra": "litra",
    "kap.": "kapitel", "kap": "kapitel", "kapitel": "kapitel",
    "bilag": "bilag", "pkt.": "punkt", "pkt": "punkt", "punkt": "punkt",
    "afs.": "afsnit", "afsnit": "afsnit", "tabel": "tabel", "figur": "figur", "fig.": "figur",
}  # fmt: skip
_REFERENCE_PATTERN = "|".join(re.escape(word) for word in sorted(REFERENCE_WORDS, key=len, reverse=True))

# Their first letters, as a cheap lookahead: few words are references.
_REFERENCE_START = "|".join(sorted({re.escape(word[:2]) for word in REFERENCE_WORDS}))

_LETTER = r"[^\W\d_]"
_TOKEN = re.compile(
    rf"""
    (?=[\w§])(?:
    (?P<date>\b\d{{1,2}}\.?\s?(?:{_MONTH_PATTERN})\s\d{{4}}\b
        | \b\d{{4}}-\d{{2}}-\d{{2}}\b
        | \b\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{4}}\b)
    | (?P<reference>(?<!\w)(?={_REFERENCE_START})(?:{_REFERENCE_PATTERN})\s?
        (?:\d+(?:\.\d+)*(?:\s?[a-z](?!\w))? | (?<=litra\s)[a-zæøå](?!\w)))
    | (?P<abbreviation>(?<![\w.]){_LETTER}{{1,4}}+(?:\.{_LETTER}{{1,4}})+\b\.?)
    | (?P<number>\d+(?:[.,:]\d+)*(?=\W|\Z|_))
    | (?P<word>\w+(?:[-\u2010\u2011\u00ad'\u2019&/]\w+)*)
    )""",
    re.IGNORECASE | re.VERBOSE,
)

# Foreign letters as they are rendered in Danish; other accents are dropped.
_FOREIGN = str.maketrans(
    {"ä": "æ", "ö": "ø", "ü": "y", "ð": "d", "þ": "th", "œ": "ø", "ß": "ss", "ł": "l", "đ": "d", "\u00ad": None}
)
_DANISH_LETTERS = frozenset("æøå")


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    DATE = "date"
    REFERENCE = "reference"
    ABBREVIATION = "abbreviation"


_KINDS = {kind.value: kind for kind in Kind}


class Token(NamedTuple):
    """A span of a text: ``text`` as written, and its characters ``[start, end)``."""

    text: str
    start: int
    end: int
    kind: Kind = Kind.WORD


def normalise(text: str) -> str:
    """Fold case and Unicode forms; æ, ø and å stay apart from ae, oe and aa, and from a and o.

    normalise("ÅRHUS Café") == "århus cafe"
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOREIGN)
    if folded.isascii():
        return folded
    return "".join(_without_accent(letter) for letter in folded)


def _without_accent(letter: str) -> str:
    if letter in _DANISH_LETTERS:
        return letter
    return "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c))


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as ``[start, end)``; together they cover it. An empty text has none."""
    spans: list[tuple[int, int]] = []
    for line in _LINES.finditer(text):
        spans.extend(_sentences_of_line(line.group(), line.start()))
    return _joined_blanks(text, spans)


def _sentences_of_line(line: str, offset: int) -> Iterator[tuple[int, int]]:
    ends = [end for end in _corrected_ends(line) if end < len(line)]
    starts = [0, *ends]
    for start, end in zip(starts, [*ends, len(line)], strict=True):
        yield offset + start, offset + end


def _boundaries(line: str) -> list[int]:
    """Where sentencex ends sentences; nowhere in a line that it gives up on.

    It counts bytes where it means characters at white space of several bytes (a hard space before a full stop) and
    panics, with an exception of Rust's that is no :class:`Exception`. Such a line is tried again with plain spaces.
    """
    for text in (line, _WHITE_SPACE.sub(" ", line)):
        try:
            return [boundary["end_index"] for boundary in sentencex.get_sentence_boundaries("da", text)]
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
    return []


def _corrected_ends(line: str) -> list[int]:
    """Where sentences end inside one line, with the errors of sentencex corrected."""
    ends: list[int] = []
    start = 0
    for boundary in _boundaries(line):
        end, sentence = boundary, line[start:boundary]
        if _continues(sentence, line[end : end + 1]) or _is_inside_name(line, end):
            continue
        ends.extend(start + missed for missed in _missed_ends(sentence))
        hanging = _HANGING_QUOTE.search(sentence)
        if hanging and sentence[: hanging.start()].strip() and end < len(line) and not line[end].isspace():
            end = start + hanging.start()
        ends.append(end)
        start = end
    return ends


def _continues(sentence: str, following: str) -> bool:
    """Whether a sentence found by sentencex continues after its end; ``following`` is the character after it."""
    return (
        following in _CONTINUATIONS
        or normalise(sentence.strip()) in OPENING_ABBREVIATIONS
        or _NEVER_LAST.search(sentence) is not None
    )


def _is_inside_name(line: str, end: int) -> bool:
    """Whether a full stop stands inside a name, with no space after it."""
    before = line[max(0, end - _LONGEST_NAME) : end]
    return _NAME_BEFORE_STOP.search(before) is not None and _NAME_AFTER_STOP.match(line, end) is not None


def _missed_ends(sentence: str) -> Iterator[int]:
    """The ends of sentences that sentencex missed inside a sentence, outside quotations and brackets."""
    for match in _MISSED_END.finditer(sentence):
        head = sentence[: match.start()]
        inside = head.count("(") > head.count(")") or len(_QUOTES.findall(head)) % 2
        if not inside and _begins_sentence(match):
            yield match.end()


def _begins_sentence(match: re.Match[str]) -> bool:
    """Whether the capitalised word after a full stop begins a sentence, and is not part of a name or currency."""
    following = match["next"]
    if match["ends"]:
        return len(following) == 1 or not following.isupper()
    word = normalise(following)
    return word in stop_words() and not (match["may_end"].isupper() and word in _NAME_PARTICLES)


def _joined_blanks(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans of white space alone to the sentence before them (at the beginning, to the one after)."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and (text[start:end].isspace() or text[joined[-1][0] : joined[-1][1]].isspace()):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def opening(text: str, letters: int = 120) -> str:
    """The first sentence on one line, cut at a word to at most ``letters``; the stand-in for a missing title."""
    first = next(iter(sentences(text)), (0, 0))
    line = " ".join(text[slice(*first)].split())
    return line if len(line) <= letters else line[:letters].rsplit(" ", 1)[0]


def tokenise(text: str) -> list[Token]:
    """The tokens of a text in order; punctuation is left out.

    [t.text for t in tokenise("Jf. art. 6, stk. 1")] == ["Jf", "art. 6", "stk. 1"]
    """
    tokens = []
    for match in _TOKEN.finditer(text):
        assert match.lastgroup is not None
        tokens.append(Token(match.group(), match.start(), match.end(), _KINDS[match.lastgroup]))
    return tokens


def iso_date(text: str) -> str:
    """A date token as year-month-day ("1. april 2020" gives "2020-04-01"); unchanged if it is not a date."""
    parts = [part for part in re.split(r"[\s./-]+", normalise(text)) if part]
    if len(parts) != 3:
        return text
    if len(parts[0]) == 4:
        return "-".join(parts)
    day, month, year = parts
    number = _MONTH_NUMBER.get(month) or (int(month) if month.isdigit() else 0)
    return f"{year}-{number:02}-{int(day):02}"


@cache
def _irregular_stems() -> Mapping[str, str]:
    words = (
        line.split() for group in read_table("kb.language", "stems.toml").values() for line in group.split("\n") if line
    )
    return {form: _snowball(forms[0]) for forms in words for form in forms}


@cache
def stop_words() -> frozenset[str]:
    """Function words, which carry no topic, in their normalised form."""
    words: str = read_table("kb.language", "stop_words.toml")["words"]
    return frozenset(words.split())


@cache
def endings() -> frozenset[str]:
    """Inflectional and derivational endings that are also words; no compound is split before one."""
    words: str = read_table("kb.language", "stop_words.toml")["endings"]
    return frozenset(words.split())


@lru_cache(maxsize=500_000)
def stem(word: str) -> str:
    """The stem of a normalised word."""
    return _irregular_stems().get(word) or _snowball(word)


def _snowball(word: str) -> str:
    # A stemmer has state and is not documented as thread-safe, so each call creates one; the cache makes that cheap.
    result: str = Stemmer.Stemmer("danish", 0).stemWord(word)
    return result
