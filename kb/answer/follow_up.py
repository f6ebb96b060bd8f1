"""Completes a question that leans on the one before it ("Og hvad med Aarhus?", "Hvorfor?", "Er det i drift?") (pure).

    completed("Og hvad med Aarhus?", "Hvad kostede mailsorteringen i Norddjurs?")
    # "Hvad kostede mailsorteringen i Aarhus?"

Three kinds of question lean on another: one that names another place, project, subject, year or status to ask the same
of; a question word alone; and one that points at the subject by a pronoun. What they lack is taken from the words of
the question before, which is complete itself. Any other question stands by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.facts.municipalities import municipalities
from kb.language import danish
from kb.language.danish import Token
from kb.language.synonyms import shipped

_LINK = re.compile(r"(?:og|men|eller)(?: så)? ", re.IGNORECASE)
_SAME_OF = re.compile(
    r"(?:(?:hvad|hvordan)(?: så)? med|(?:gælder|gjaldt|sker|skete|er|var) det (?:også|så)|også) (?P<rest>.+)",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"(?P<word>hvorfor|hvordan|hvornår|hvor|hvor meget|hvor mange|hvor længe|(?:med )?hvem|hvad)(?: det| så| da)?",
    re.IGNORECASE,
)
_ADVERBS = frozenset(("hvorfor", "hvordan", "hvornår"))
_OPENS = re.compile(r"(?:hv\w+|med|af|til|fra|på|i) ", re.IGNORECASE)
_BY_ADVERB = re.compile(r"(?:hvorfor|hvordan|hvornår) ", re.IGNORECASE)
_WHO_DID = re.compile(r"hvem \w+e", re.IGNORECASE)
# A pronoun that stands for the subject: at the end, or before words that tell how it is with it.
_PRONOUN = re.compile(
    r"\b(?P<pronoun>det|den|de|dem)(?=$| (?:i (?:drift|gang|test)|på hold|stoppet|afsluttet|slut|færdige?|godt|endnu"
    r"|stadig|nu|også|det|egentlig)\b)",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(r"(?P<word>i|hos|for|ved|om|med|til|under|på|af|fra) ", re.IGNORECASE)
_PREPOSITIONS = "i|hos|for|ved|om|med|til|under|på|af|fra"
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_STATUS_WORDS = (
    r"(?:i drift|i driften|i test|i gang|på hold|på vej i drift|stoppet|afsluttet|sat i bero|droppet|opgivet|igangsat)"
)
_IS_STATUS = re.compile(rf"(?:(?:blev|er|var) )?(?P<status>{_STATUS_WORDS}|drift)", re.IGNORECASE)
_HAS_STATUS = re.compile(rf"\b(?:blev|bliver|er|var|er kommet|kom) (?P<status>{_STATUS_WORDS})(?!\w)", re.IGNORECASE)
# Those that a question across projects asks about.
_ALL_OF_THEM = re.compile(r"\b(?:projekterne|kommunerne|regionerne|myndighederne|rapporterne)\b", re.IGNORECASE)
_WHICH = re.compile(
    r"hvilke (?P<things>\w+) (?P<rest>(?:blev|er|har|havde|bruger|brugte|begyndte|fik|\w+ede) .+)", re.IGNORECASE
)
_DEFINITE_AT = re.compile(r"\b\w+(?:en|et)(?= (?:i|hos|på|for) $)")
_VERBS = re.compile(
    r"\w+(?:ede|te|ede|ået)|giver|gav|gik|siger|blev|bruger|gør|går|stod|fordeler|inddraget|deltog|svært"
)
MOST_WORDS = 4
MOST_LEANING_WORDS = 8


@dataclass(frozen=True, slots=True)
class _Span:
    """A run of words ``[start, end)`` of the question before."""

    start: int
    end: int
    text: str


def completed(asked: str, before: str) -> str | None:
    """The question that is meant by ``asked`` after ``before``; None where it stands by itself."""
    earlier, text = _bare(before), _bare(asked)
    linked = _LINK.match(text)
    rest = text[linked.end() :] if linked else text
    if not rest or not _telling(earlier):
        return None
    meant = _meant(rest, earlier, linked=linked is not None)
    return f"{meant[0].upper()}{meant[1:]}?" if meant else None


def _telling(earlier: str) -> bool:
    """Whether a question has anything that another can take over."""
    return bool(earlier) and bool(_topic(earlier) or _ALL_OF_THEM.search(earlier))


def _bare(question: str) -> str:
    return " ".join(question.split()).rstrip(" ?.!")


def _meant(rest: str, earlier: str, *, linked: bool) -> str | None:
    same_of = _SAME_OF.fullmatch(rest)
    if same_of:
        return _asked_of(same_of["rest"], earlier)
    if _QUESTION_WORD.fullmatch(rest):
        return _by_question_word(rest, earlier)
    if _WHO_DID.fullmatch(rest):
        return f"{rest} {_topic(earlier)}"
    if not _names(rest) and len(rest.split()) <= MOST_LEANING_WORDS and (pronoun := _PRONOUN.search(rest)):
        return _by_pronoun(rest, pronoun, earlier)
    if linked and len(rest.split()) <= MOST_WORDS and not rest.lower().startswith("hv"):
        return _asked_of(rest, earlier)
    return None


# The same of another


def _asked_of(rest: str, earlier: str) -> str:
    """The question before, asked of another place, project, year, status or subject."""
    preposition = _PREPOSITION.match(rest)
    word, named = (preposition["word"], rest[preposition.end() :]) if preposition else ("", rest)
    for takes_over in (_year, _status, _name, _after_preposition, _noun):
        found = takes_over(word, named, earlier)
        if found:
            return found
    return f"{earlier} {rest}"


def _year(word: str, named: str, earlier: str) -> str | None:
    if not _YEAR.fullmatch(named):
        return None
    return _YEAR.sub(named, earlier, count=1) if _YEAR.search(earlier) else f"{earlier} {word or 'i'} {named}"


def _status(word: str, named: str, earlier: str) -> str | None:
    new = _IS_STATUS.fullmatch(f"{word} {named}".strip())
    old = _HAS_STATUS.search(earlier)
    if not new or not old:
        return None
    return f"{earlier[: old.start()]}er {new['status']}{earlier[old.end() :]}"


def _name(word: str, named: str, earlier: str) -> str | None:
    """Another place or project in place of the one named, of the projects, or beside the rest."""
    if not named[0].isupper() or _is_subject(named):
        return None
    old = next((span for span in _names(earlier) if not _is_subject(span.text)), None)
    if old:
        return _put(earlier, old, named)
    general = _ALL_OF_THEM.search(earlier)
    if general and not word:
        return _put(earlier, _Span(general.start(), general.end(), ""), named)
    return f"{earlier} {word or 'i'} {named}"


def _after_preposition(word: str, named: str, earlier: str) -> str | None:
    """Another thing after the preposition that is in both questions."""
    if not word:
        return None
    places = list(re.finditer(rf"\b{word} ", earlier, re.IGNORECASE))
    if not places:
        return None
    start = places[-1].end()
    following = re.search(rf" (?:{_PREPOSITIONS}) ", earlier[start:])
    end = start + following.start() if following else len(earlier)
    return f"{earlier[:start]}{named}{earlier[end:]}"


def _noun(word: str, named: str, earlier: str) -> str | None:
    """Another subject in place of the one that is most like it in form."""
    if word:
        return None
    subjects = [span for span in _names(earlier) if _is_subject(span.text)]
    nouns = subjects or _nouns(earlier)
    if not nouns:
        return None
    best = max(_common_ending(span.text, named) for span in nouns)
    alike = [span for span in nouns if _common_ending(span.text, named) == best]
    # The thing that "hvilke" asks for comes first, and is as indefinite as another of its kind.
    first = earlier.lower().startswith("hvilke") and not named.endswith(("en", "et", "ne"))
    return _put(earlier, alike[0] if first else alike[-1], named)


def _common_ending(one: str, other: str) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-length - 1].lower() == other[-length - 1].lower():
        length += 1
    return length


# A question word alone


def _by_question_word(rest: str, earlier: str) -> str:
    found = _QUESTION_WORD.fullmatch(rest)
    assert found is not None
    word = found["word"].lower()
    if word in _ADVERBS and _BY_ADVERB.match(earlier):
        return f"{word} {earlier.partition(' ')[2]}"
    if word in _ADVERBS and not _OPENS.match(earlier):
        return f"{word} {earlier[0].lower()}{earlier[1:]}"
    return f"{earlier}, og {word}"


# A pronoun


def _by_pronoun(rest: str, pronoun: re.Match[str], earlier: str) -> str:
    """The pronoun as what it points at: projects, the project or place named, or else the subject."""
    which = _WHICH.fullmatch(earlier)
    word = pronoun["pronoun"].lower()
    if which and word in {"de", "dem"}:
        return _filled(rest, pronoun, f"de {which['things']}, der {which['rest']}")
    name = next((span.text for span in _names(earlier) if not _is_subject(span.text)), "")
    if name and word in {"de", "dem"}:
        return _with_subject(_filled(rest, pronoun, name), earlier)
    if name and _is_place(name) and _topic(earlier) == f"i {name}":
        return f"{rest} i {name}"
    return _filled(rest, pronoun, _topic(earlier))


def _with_subject(question: str, earlier: str) -> str:
    """A second pronoun at the end as the last subject of the question before."""
    subjects = _nouns(earlier)
    if not subjects or not re.search(r" (?:det|den)$", question):
        return question
    return f"{question.rpartition(' ')[0]} det med {subjects[-1].text}"


def _filled(rest: str, pronoun: re.Match[str], topic: str) -> str:
    return f"{rest[: pronoun.start()]}{topic}{rest[pronoun.end() :]}"


def _topic(earlier: str) -> str:
    """What a question is about, in its own words: a thing at a place, a project, a place, or its last noun."""
    name = next((span for span in _names(earlier) if not _is_subject(span.text)), None)
    if name:
        thing = _DEFINITE_AT.search(earlier[: name.start])
        if thing:
            return earlier[thing.start() : name.end]
        return f"i {name.text}" if _is_place(name.text) else name.text
    nouns = [span for span in _names(earlier) if _is_subject(span.text)] or _nouns(earlier)
    return nouns[-1].text if nouns else ""


# The words of a question


def _put(text: str, span: _Span, new: str) -> str:
    return f"{text[: span.start]}{new}{text[span.end :]}"


def _names(question: str) -> list[_Span]:
    """The runs of words with a capital, but for the first word."""
    runs: list[list[Token]] = []
    for token in danish.tokenise(question)[1:]:
        if not token.text[0].isupper():
            continue
        if runs and question[runs[-1][-1].end : token.start] == " ":
            runs[-1].append(token)
        else:
            runs.append([token])
    spans = [_Span(run[0].start, run[-1].end, question[run[0].start : run[-1].end]) for run in runs]
    return [part for span in spans for part in _without_subject(span)]


def _without_subject(span: _Span) -> Sequence[_Span]:
    """A run cut before a subject that follows a name ("Norddjurs GDPR")."""
    first, _, last = span.text.rpartition(" ")
    if first and _is_subject(last):
        cut = span.end - len(last)
        return _Span(span.start, cut - 1, first), _Span(cut, span.end, last)
    return (span,)


def _nouns(question: str) -> list[_Span]:
    """The words that can be a subject: no names, no function words, no verbs, and not the projects as such."""
    return [
        _Span(token.start, token.end, token.text)
        for token in danish.tokenise(question)[1:]
        if token.text[0].islower()
        and token.text not in danish.stop_words()
        and not _VERBS.fullmatch(token.text)
        and not _ALL_OF_THEM.fullmatch(token.text)
    ]


def _is_place(name: str) -> bool:
    return name.startswith("Region ") or name.removesuffix(" Kommune").casefold() in municipalities()


def _is_subject(name: str) -> bool:
    """Whether a word with a capital is the name of a law or a field, and of no place or project."""
    word = danish.normalise(name)
    return word in shipped().single_words or (name[:2].isupper() and "-" in name and name[-1].islower())
