from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.core.models import MatchKind
from kb.language import danish
from kb.language.analysis import PART_WEIGHT, Analyser, Question
from kb.language.synonyms import shipped
from kb.language.vocabulary import Vocabulary, word_form

CORPUS = [
    "Kommunen indgik databehandleraftaler med leverandøren. En databehandler skal følge aftalen om data.",
    "Aftaler om datamigrering tog lang tid. Migreringen af data gav fejlmeddelelser i kommuner.",
    "Persondataforordningen (GDPR) kræver en konsekvensanalyse, jf. art. 35, stk. 1.",
    "Århus og Aalborg deltog. Projektet fik 1.500 kr. den 1. april 2020. Sagsbehandlere brugte AI-løsninger.",
    "En behandler er ikke altid en sagsbehandler.",
    "Risici ved leverandøren blev vurderet i en sag om forvaltning af skolebørn.",
]


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser(Vocabulary.of(CORPUS))


def _terms(question: Question) -> dict[str, MatchKind]:
    return {term.term: term.kind for term in question.terms}


def _found(analyser: Analyser, question: str, text: str) -> dict[str, MatchKind]:
    return {text[m.start : m.end]: m.kind for m in analyser.matches(analyser.question(question), text)}


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("databehandleraftaler", {"data", "behandl", "databehandl", "aftal"}),
        ("leverandøraftale", {"leverandør"}),
        ("risikovurdering", set()),
        ("kommunerne", set()),
        ("forvaltningsrisici", {"forvaltning", "risiko"}),
    ],
)
def test_compounds_split_into_words_of_the_corpus(analyser: Analyser, word: str, parts: set[str]) -> None:
    found = set(analyser.index_terms(word).parts)
    assert parts <= found
    assert found or not parts


def test_a_word_that_only_looks_like_a_compound_is_left_whole(analyser: Analyser) -> None:
    assert analyser.index_terms("kommunen").parts == ()
    assert analyser.index_terms("behandlet").parts == ()


@pytest.mark.parametrize(
    ("question", "text", "place", "kind"),
    [
        ("Hvad er en databehandler?", "Vores databehandler", "databehandler", MatchKind.EXACT),
        ("Hvilke risici var der?", "Der var en risiko", "risiko", MatchKind.STEM),
        ("Hvilke aftaler?", "Alle databehandleraftaler", "databehandleraftaler", MatchKind.COMPOUND),
        ("data migrering", "Efter datamigreringen", "datamigreringen", MatchKind.COMPOUND),
        ("datamigrering", "Migrering af data", "Migrering", MatchKind.COMPOUND),
        ("Hvad med GDPR?", "Efter persondataforordningen", "persondataforordningen", MatchKind.SYNONYM),
        ("DPIA", "En konsekvensanalyse", "konsekvensanalyse", MatchKind.SYNONYM),
        ("MDR", "Efter forordningen om medicinsk udstyr skal", "forordningen om medicinsk udstyr", MatchKind.SYNONYM),
        ("komuner", "Alle kommuner", "kommuner", MatchKind.CORRECTED),
        ("Aarhus", "I Århus", "Århus", MatchKind.STEM),
        ("artikel 35", "jf. art. 35, stk. 1", "art. 35", MatchKind.EXACT),
        ("hvad skete i april 2020", "den 1. april 2020", "1. april 2020", MatchKind.COMPOUND),
        ("AI løsninger", "med AI-løsninger", "AI-løsninger", MatchKind.COMPOUND),
        ('"om data"', "følge aftalen om data", "om data", MatchKind.EXACT),
    ],
)
def test_question_meets_passage(analyser: Analyser, question: str, text: str, place: str, kind: MatchKind) -> None:
    assert _found(analyser, question, text)[place] is kind


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("komuner", "kommuner"),
        ("fejlmedelelser", "fejlmeddelelser"),
        ("persondatafororningen", "persondataforordningen"),
        ("levrandør", "leverandøren"),
    ],
)
def test_a_misspelled_word_is_matched_to_a_known_one(analyser: Analyser, wrong: str, right: str) -> None:
    question = analyser.question(f"Hvad med {wrong}?")
    assert [danish.stem(word) for word in question.corrections[wrong]] == [danish.stem(right)]
    assert danish.stem(right) in _terms(question)


@pytest.mark.parametrize("word", ["kommune", "kommunernes", "aftalerne", "databehandleraftalen", "skolesag", "GDPR"])
def test_a_known_word_is_never_altered(analyser: Analyser, word: str) -> None:
    assert analyser.question(word).corrections == {}


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("Hvem sparede?", "svarede"),
        ("Hvornår træder det i kraft?", "træner"),
        ("What projects were stopped?", "projekts"),
        ("Var der projektmodning?", "projektmodling"),
    ],
)
def test_a_word_of_the_language_is_never_altered(question: str, near: str) -> None:
    assert Analyser(Vocabulary.of([near])).question(question).corrections == {}


def test_a_misspelling_that_something_else_finds_is_not_corrected() -> None:
    analyser = Analyser(Vocabulary.of(["dåtamigrering", "datamogrering", "forløbsdåta", "forløbsdato"]))
    assert analyser.question("forløbsdaata").corrections == {}
    assert Analyser(Vocabulary.of(["forløbsdato"])).question("forløbsdaata").corrections


def test_the_question_weighs_its_own_words_most(analyser: Analyser) -> None:
    weights = {term.term: term.weight for term in analyser.question("databehandleraftaler og aftaler").terms}
    assert weights["aftal"] == 1.0
    assert weights["behandl"] == PART_WEIGHT


def test_stop_words_are_dropped_unless_there_is_nothing_else(analyser: Analyser) -> None:
    assert _terms(analyser.question("Hvad er data?")) == {"data": MatchKind.STEM}
    assert set(_terms(analyser.question("hvad er det"))) == {"hvad", "er", "det"}


def test_quotation_marks_make_a_phrase(analyser: Analyser) -> None:
    assert analyser.question("Hvad sker „i en sag“ her?").quoted == (("i", "en", "sag"),)
    assert analyser.question('Et "uafsluttet citat').quoted == ()


def test_numbers_have_one_form(analyser: Analyser) -> None:
    assert [word_form(token) for token in danish.tokenise("1.500 kr. og 1500 og 4,1")] == [
        "1500",
        "kr",
        "og",
        "1500",
        "og",
        "4,1",
    ]


def test_every_synonym_group_has_several_names_and_no_name_is_in_two() -> None:
    names = [name for group in shipped().groups for name in group]
    assert all(len(set(group)) > 1 for group in shipped().groups)
    assert len(names) == len(set(names))


@given(st.text(max_size=60))
@example("\ufdfa")  # one letter that folds into four words
@example("a\u037ab")
def test_any_text_can_be_analysed(text: str) -> None:
    analyser = Analyser(Vocabulary.of([*CORPUS, text]))
    terms = analyser.index_terms(text)
    assert all(term and not any(letter.isspace() for letter in term) for term in (*terms.words, *terms.stems))
    for match in analyser.matches(analyser.question(text), text):
        assert 0 <= match.start < match.end <= len(text)
