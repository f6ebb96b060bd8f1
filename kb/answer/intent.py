"""What a question asks for, and whether a sentence holds that kind of thing (pure).

Danish questions say what they want in their first words: "hvor mange" wants a number, "hvornår" a date, "hvem" a name,
and a question that begins with its verb wants yes or no. A question for projects (:mod:`kb.answer.scope`) is answered
by a list and not by a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kb.answer.scope import asks_across
from kb.answer.wording import VAGUE_FROM, probability_vague
from kb.core.models import QuestionKind, Role
from kb.language import danish
from kb.language.danish import Kind, Token
from kb.language.vocabulary import word_form

_PROJECTS = r"[\w-]*(?:projekter(?:ne)?|løsninger(?:ne)?|initiativer(?:ne)?|cases)"
_HOW_MANY_PROJECTS = re.compile(rf"\bhvor mange\b(?:\s(?:af|de|disse|kommunale|regionale|statslige))*\s{_PROJECTS}\b")
# Words of a question across projects that say only that projects are asked for, and what they do in general.
_GENERAL = re.compile(
    r"[\w-]*projekt(?:er|erne|et|ers|ernes)?|løsning(?:er|erne)?|arbejde\w*|bruge\w*|brugt\w*|haft|gjort|fortæller|peger"
    r"|siger|sige|gør|handler|giver|givet|nævner|beskriver|mange|enkelte|af|fik|rettet|tænkt|bestemt"
)
_NUMBER = re.compile(
    r"\bhvor (?:mange|meget|store?|stort|lange?|langt|længe|hurtigt|ofte|tit|højt?|høje|gammel|gamle|dyrt?|præcist?"
    r"|sikkert)\b|\bantal(?:let)?\b|\bprocent(?:del)?\b|\bhvad (?:koster|kostede)\b|\bpris(?:en)?\b"
)
_DATE = re.compile(r"\bhvornår\b|\bhvilket år\b|\bhvilken (?:dato|måned|dag)\b")
_CONDITION = re.compile(r"\bhvornår (?:kan|må|skal|bør)\b")
_NAME = re.compile(
    r"\bhvem\b|\bhvad hedder\b"
    r"|\bhvilke[nt]? (?:firma|virksomhed|leverandør|universitet|kommune|region|myndighed|hospital|organisation)\w*\b"
)
_VERB_LIST = """
    må kan er har får bliver skal vil var havde blev fik kunne skulle ville bør findes virker fungerer ligner lytter
    byggede bruger gælder giver gav tager hjælper hjalp sparer sparede koster kræver kommer ligger går deltager
"""
_VERBS = frozenset(_VERB_LIST.split())
_NUMBER_WORD_LIST = """
    to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten tyve tredive
    fyrre halvtreds tres halvfjerds firs halvfems hundrede tusind halvdelen halv tredjedel fjerdedel dobbelt
    fordoblet begge ingen hver
"""
_NUMBER_WORDS = frozenset(_NUMBER_WORD_LIST.split())
_YEAR = re.compile(r"(?:19|20)\d\d")
_WHEN = re.compile(
    r"\b(?:januar|februar|marts|april|maj|juni|juli|august|september|oktober|november|december|primo|medio|ultimo"
    r"|efterår\w*|forår\w*|somme[nr]\w*|vinter\w*|kvartal|halvår)\b|(?:19|20)\d\d"
)
_IF = re.compile(r"\b(?:hvis|når|først når|medmindre|forudsat|kræver|betingelse\w*)\b")
_MODAL = re.compile(r"\b(?:må|kan|skal|bør|ikke|ingen|aldrig|kun|også|er|har|bliver|blev|var|får)\b")

# The words that open a question for a certain thing, and words after them that name none.
_OPENING = re.compile(
    r"\b(?:hvor (?:mange|meget|store?|stort|lange?|langt|længe|højt?|høje|gamle?|dyrt?)|hvilke[nt]?|hvem|hvad hedder"
    r"|hvad er|antal(?:let)?)\b"
)
# "Hvor meget hurtigere ..." asks by how much, and names no thing that is counted.
_BY_HOW_MUCH = re.compile(r"\bhvor meget (?:\w+ere|mere|mindre|færre)\b")
# What tells a difference: a number with a measure of it, or a word that is one.
_DIFFERENCE = re.compile(
    r"\d\s?(?:%|(?:pct|procent\w*|gange|sekunder|minut(?:ter)?|timer?|dage?|uger?|måned(?:er)?|km|kwh|tons?|kr|kroner)"
    r"\b)|\b(?:halve?|halver\w*|halvdelen|halvanden|dobbelt\w*|fordoble\w*|tredjedel\w*|fjerdedel\w*)\b"
)
_EMPTY = frozenset(("slags", "typer", "type", "form", "former", "del", "andel", "procent", "forskellige", "flere"))
_MONEY = re.compile(
    r"\b(?:koster?|kostede|penge|kroner|kr|beløb\w*|budget\w*|bevilling\w*|pris\w*|støtte|udgift\w*|\w+udgift\w*"
    r"|betale|bøde\w*|finansier\w*|mio|million\w*|løn)\b"
)
_AMOUNT = re.compile(r"\d\s*(?:mio\.?|mia\.?|million\w*|milliard\w*|t?kr\.?|kroner|euro)\b|\bkr\.?\s*\d", re.IGNORECASE)
FOCUS_WORDS = 2
COUNTED_WORDS = 4
KEPT_SENTENCES = 50_000

_WANTED_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (Role.ADVICE, re.compile(r"\b(?:råd|anbefal\w*|rådgiv\w*|rådede|råder)\b")),
    (Role.LESSON, re.compile(r"\b(?:læring\w*|lært\w*|erfaring\w*|læren)\b")),
    (Role.CHALLENGE, re.compile(r"\b(?:udfordring\w*|problem\w*|barriere\w*|svær\w*|besvær\w*|risi\w+|forhindr\w*)\b")),
    (Role.HANDLING, re.compile(r"\b(?:håndter\w*|løste|løst|undg\w+|sikre\w*|greb|gjorde|gør man|arbejdet med)\b")),
    (Role.RESULT, re.compile(r"\b(?:resultat\w*|effekt\w*|gevinst\w*|udbytte|kom der ud|opnå\w*|virkning\w*)\b")),
    (Role.PURPOSE, re.compile(r"\b(?:formål\w*|målet|hvorfor|går ud på|skal hjælpe|til for)\b")),
    (Role.DATA, re.compile(r"\b(?:data|datakilde\w*|oplysninger)\b")),
    (Role.METHOD, re.compile(r"\b(?:metode\w*|teknologi\w*|algoritme\w*)\b")),
)


# "Det", "de" and the like where they stand for something and open no noun phrase ("de akutte patienter").
_POINTS_AT_ONE = re.compile(r"\b(?:det|den|dette|denne|disse) (?:projekt|løsning|system)\b")
# "Hvor langt er I?" points at whoever reads it.
_POINTS_AT_YOU = re.compile(
    r"^(?:hvor langt er i|hvordan går det)(?: (?:nået|kommet|nu|i dag|egentlig|(?:med|hos) jer))*\W*$"
)
# A capital, a figure or a short form after the first word: something is named. "I" is you.
_NAMES_SOMETHING = re.compile(r"(?<=\s)(?!I\b)\S*[A-ZÆØÅ0-9]")
# "Og hvad med Aarhus?" names a place and leaves out what is asked.
_WHAT_ABOUT = re.compile(r"(?:og )?(?:hvad|hvordan) med\b")


_OWN_CASE = re.compile(
    r"\b(?:min|mit|mine) (?:egen |eget |egne |gamle )?(?:sag|sager|mor|far|forældre|barn|børn|datter|søn|kone"
    r"|mand|mands|kæreste|familie|ydelse|pension|boligstøtte|bolig|skat|pas|journal|hjemmehjælp|helbred|regning|adresse|cpr-nummer"
    r"|oplysninger|kontanthjælp|sagsbehandler|læge)s?\b|\b(?:synes|tænker) (?:i|du)\b"
)

# What a passage tells by the heading it stands under; data and methods are subjects as well.
STEPS = frozenset((Role.ADVICE, Role.LESSON, Role.CHALLENGE, Role.HANDLING, Role.RESULT, Role.PURPOSE))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question wants.

    ``focus`` are the written forms of the words that name the thing asked for ("programmeringssprog" in "Hvilket
    programmeringssprog er modellen skrevet i?"). ``difference`` says that the number is by how much ("hvor meget
    hurtigere"), ``money`` that it is an amount, ``condition`` that "hvornår" asks for a condition and not a date;
    ``roles`` are those the question names.
    """

    kind: QuestionKind
    focus: tuple[str, ...] = ()
    difference: bool = False
    money: bool = False
    condition: bool = False
    roles: tuple[Role, ...] = ()


def wanted(question: str) -> Wanted:
    """Read off a question what it wants."""
    text = danish.normalise(question)
    return Wanted(
        kind=_across(text) if asks_across(question) else _kind(text),
        focus=_focus(text),
        difference=bool(_BY_HOW_MUCH.search(text)),
        money=bool(_MONEY.search(text)),
        condition=bool(_CONDITION.search(text)),
        roles=tuple(role for role, pattern in _WANTED_ROLES if pattern.search(text)),
    )


ACROSS = (QuestionKind.WHICH_PROJECTS, QuestionKind.HOW_MANY_PROJECTS)
NUMBERS = (QuestionKind.NUMBER, QuestionKind.HOW_MANY_PROJECTS)
# In order: the first that matches says the kind of a question for one thing.
_KINDS = (
    (QuestionKind.NUMBER, _NUMBER),
    (QuestionKind.DATE, _DATE),
    (QuestionKind.NAME, _NAME),
)


def is_general(word: str) -> bool:
    """Whether a word of a question across projects says nothing of its subject."""
    return _GENERAL.fullmatch(word) is not None


def asks_for_role(word: str) -> bool:
    """Whether a question's word asks for a step of a project ("udfordringer", "håndterede") and is met by the step."""
    return any(role in STEPS and pattern.fullmatch(word) for role, pattern in _WANTED_ROLES)


def _across(text: str) -> QuestionKind:
    is_counting = _HOW_MANY_PROJECTS.search(text)
    return QuestionKind.HOW_MANY_PROJECTS if is_counting else QuestionKind.WHICH_PROJECTS


def _kind(text: str) -> QuestionKind:
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return kind
    first = text.split(maxsplit=1)[0] if text.split() else ""
    return QuestionKind.YES_NO if first in _VERBS else QuestionKind.OPEN


def _focus(text: str) -> tuple[str, ...]:
    """The first words of substance after the question word, up to the next verb once there is one."""
    opening = _OPENING.search(text)
    if opening is None or _BY_HOW_MUCH.search(text):
        return ()
    found: list[str] = []
    for token in danish.tokenise(text[opening.end() :]):
        word = word_form(token)
        if found and (word in _VERBS or word in danish.stop_words()):
            break
        if word not in danish.stop_words() and word not in _VERBS and word not in _EMPTY:
            found.append(word)
    return tuple(found[:FOCUS_WORDS])


def names_in(question: str) -> tuple[str, ...]:
    """The written forms of a question's names: the words with a capital, but for the first word's."""
    tokens = [token for token in danish.tokenise(question) if token.text[0].isalpha()]
    return tuple(word_form(token) for token in tokens[1:] if token.text[0].isupper())


def is_vague(question: str) -> bool:
    """Whether a question points at something that it does not name (:mod:`kb.answer.wording`).

    "Virker det?" and "Hvem bruger løsningen i dag?" are; a question with a name in it, or one for the projects in the
    base, is not.
    """
    text = danish.normalise(question)
    if _WHAT_ABOUT.match(text):
        # An abbreviation ("GDPR") is a subject and no place.
        named = {name.removesuffix("s") for name in names_in(question) if name.upper() not in question}
        return all(word.removesuffix("s") in named for word in _telling(text))
    if _NAMES_SOMETHING.search(question):
        return False
    pointing = _POINTS_AT_YOU.match(text) or (_POINTS_AT_ONE.search(text) and len(_telling(text)) <= 1)
    return bool(pointing) or probability_vague(question) >= VAGUE_FROM


def is_elliptical(question: str) -> bool:
    """Whether a question leaves out what it asks of its subject ("Og hvad med lovgrundlaget?")."""
    return _WHAT_ABOUT.match(danish.normalise(question)) is not None


def is_own_case(question: str) -> bool:
    """Whether a question is about the asker's own case ("Kan jeg få aktindsigt i min sag?") or for an opinion."""
    return _OWN_CASE.search(danish.normalise(question)) is not None


def _telling(text: str) -> list[str]:
    """The written forms of a question's words of substance."""
    forms = {word_form(token) for token in danish.tokenise(text) if token.text[0].isalpha()}
    return [word for word in forms - danish.stop_words() - _VERBS if not _GENERAL.fullmatch(word)]


def holds(want: Wanted, text: str) -> float:
    """How well a sentence holds the wanted kind of thing: 1 it does, 0 it does not; 0.5 where any sentence may."""
    if want.kind in (QuestionKind.OPEN, QuestionKind.WHICH_PROJECTS) and not want.money:
        return 0.5
    return float(_holds(want.kind, want.money, want.difference, want.condition, text))


@lru_cache(maxsize=KEPT_SENTENCES)
def _holds(kind: QuestionKind, money: bool, difference: bool, condition: bool, text: str) -> bool:
    """Whether a sentence holds what a kind of question wants: the same sentences are asked again and again."""
    folded = danish.normalise(text)
    if money:
        return holds_amount(text)
    if difference:
        return _DIFFERENCE.search(folded) is not None
    if kind in NUMBERS:
        return has_number(text)
    if kind is QuestionKind.DATE:
        pattern = _IF if condition else _WHEN
        return pattern.search(folded) is not None
    if kind is QuestionKind.NAME:
        return has_name(text)
    return _MODAL.search(folded) is not None


def has_number(text: str) -> bool:
    """Whether a sentence gives a number: in digits, but not a year or a date alone, or in words."""
    return any(is_number(token) for token in danish.tokenise(text))


def numbers_in(text: str) -> frozenset[str]:
    """The numbers of a text as written in digits, years and dates too."""
    return frozenset(token.text for token in danish.tokenise(text) if token.kind is Kind.NUMBER)


def is_number(token: Token) -> bool:
    """Whether a token gives a number that is no year."""
    if token.kind is Kind.NUMBER:
        return not _YEAR.fullmatch(token.text)
    return token.kind is Kind.WORD and word_form(token) in _NUMBER_WORDS


def tells_when(text: str) -> bool:
    """Whether a sentence gives a year, a month or a season."""
    return _WHEN.search(danish.normalise(text)) is not None


def has_name(text: str) -> bool:
    """Whether a sentence names something: a word with a capital that does not begin it."""
    return any(token.text[:1].isupper() for token in danish.tokenise(text)[1:])


def holds_amount(text: str) -> bool:
    """Whether a sentence gives an amount of money."""
    return bool(_AMOUNT.search(text))


def counted(text: str) -> str:
    """The words that a sentence's numbers count: the few after each number."""
    tokens = danish.tokenise(text)
    places = [place for place, token in enumerate(tokens) if is_number(token)]
    return " ".join(token.text for place in places for token in tokens[place + 1 : place + 1 + COUNTED_WORDS])
