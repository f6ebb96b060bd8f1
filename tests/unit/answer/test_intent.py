"""What a question asks for, and which sentences hold that kind of thing."""

from __future__ import annotations

import pytest

from kb.answer.intent import counted, has_number, holds, is_elliptical, is_general, is_vague, names_in, wanted
from kb.core.models import QuestionKind, Role


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Hvor mange borgere fik tilbuddet?", QuestionKind.NUMBER),
        ("Hvad koster en licens?", QuestionKind.NUMBER),
        ("Hvornår blev løsningen taget i brug?", QuestionKind.DATE),
        ("Hvem leder projektet?", QuestionKind.NAME),
        ("Hvilket universitet er partner?", QuestionKind.NAME),
        ("Må kommunen bruge løsningen?", QuestionKind.YES_NO),
        ("Hvilke projekter bruger røntgenbilleder?", QuestionKind.WHICH_PROJECTS),
        ("Hvilke af 2022-projekterne er afsluttet?", QuestionKind.WHICH_PROJECTS),
        ("Hvordan håndterede projekterne GDPR?", QuestionKind.WHICH_PROJECTS),
        ("Er der nogen, der har prøvet robotter i hjemmeplejen?", QuestionKind.WHICH_PROJECTS),
        ("Hvad har andre gjort for at få borgerne med?", QuestionKind.WHICH_PROJECTS),
        ("Hvor mange af projekterne er i drift?", QuestionKind.HOW_MANY_PROJECTS),
        ("Hvilken aldersgruppe handler Køges projekt om?", QuestionKind.OPEN),
        ("Hvorfor blev modellen sat på pause?", QuestionKind.OPEN),
        ("mailsortering norddjurs", QuestionKind.OPEN),
    ],
)
def test_the_first_words_say_what_is_asked_for(question: str, kind: QuestionKind) -> None:
    assert wanted(question).kind is kind


def test_the_focus_is_the_thing_asked_for() -> None:
    assert wanted("Hvilket programmeringssprog er modellen skrevet i?").focus == ("programmeringssprog",)
    assert wanted("Hvor mange elbiler har Syddjurs købt?").focus == ("elbiler",)
    assert wanted("Hvorfor blev modellen sat på pause?").focus == ()


def test_roles_named_in_a_question_are_wanted() -> None:
    assert Role.ADVICE in wanted("Hvilke råd giver Datatilsynet?").roles
    assert Role.CHALLENGE in wanted("Hvilke udfordringer var der med data?").roles


@pytest.mark.parametrize(
    ("question", "sentence", "share"),
    [
        ("Hvor mange borgere?", "Der var 12 borgere.", 1.0),
        ("Hvor mange borgere?", "Der var otte borgere.", 1.0),
        ("Hvor mange borgere?", "Projektet begyndte i 2021.", 0.0),
        ("Hvor meget hurtigere gik det?", "Tiden faldt med 66 procent.", 1.0),
        ("Hvor meget hurtigere gik det?", "Nu tager det halvdelen af tiden.", 1.0),
        ("Hvor meget hurtigere gik det?", "Alle 98 kommuner kan bruge løsningen.", 0.0),
        ("Hvor meget hurtigere gik det?", "Den blev prøvet i første halvår 2019.", 0.0),
        ("Hvad koster det?", "Det koster 5,3 mio. kr. om året.", 1.0),
        ("Hvad koster det?", "Der var 12 borgere.", 0.0),
        ("Hvornår begyndte det?", "Det begyndte i november 2021.", 1.0),
        ("Hvornår begyndte det?", "Det begyndte tidligt.", 0.0),
        ("Hvornår kan man lade være?", "Man kan lade være, hvis loven siger det.", 1.0),
        ("Hvem leverer systemet?", "Systemet leveres af Aktio.", 1.0),
        ("Hvem leverer systemet?", "Systemet leveres af en virksomhed.", 0.0),
        ("Hvorfor?", "Det ved ingen.", 0.5),
    ],
)
def test_a_sentence_holds_what_is_wanted_or_not(question: str, sentence: str, share: float) -> None:
    assert holds(wanted(question), sentence) == share


def test_a_year_alone_is_no_number() -> None:
    assert not has_number("Projektet begyndte i 2021.")
    assert has_number("Der var 2021 sager og 12 klager.")


def test_a_number_counts_the_words_after_it() -> None:
    assert counted("I alt 12 borgere blev spurgt, og ingen sagde nej.").startswith("borgere blev spurgt")
    assert counted("Ingenting blev talt.") == ""


def test_words_that_only_say_projects_are_general() -> None:
    assert is_general("signaturprojekterne")
    assert not is_general("røntgenbilleder")


@pytest.mark.parametrize(
    "question",
    [
        "Virker det?",
        "hvordan gik det så med det projekt?",
        "Hvad kostede den?",
        "Er de færdige med det?",
        "Gik det godt?",
        "Og hvad med Aarhus?",
        "Hvad med Norddjurs Kommune?",
        "Hvor langt er I?",
        "Hvordan går det med jer?",
    ],
)
def test_a_question_that_names_nothing_is_vague(question: str) -> None:
    assert is_vague(question)


@pytest.mark.parametrize(
    "question",
    [
        "Virker AIR?",
        "Hvordan gik det med mailsorteringen i Norddjurs?",
        "Hvad lærte de om data?",
        "Hvor hurtigt blev de akutte underretninger fundet?",
        "Har nogen brugt ChatGPT?",
        "Hvor langt er I med AIR?",
        "gdpr",
        "Må man det med samtykke til profilering?",
        "Hvad med GDPR i Aarhus?",
        "Og hvad med økonomien i Køge?",
    ],
)
def test_a_question_with_a_subject_a_name_or_for_the_projects_is_not(question: str) -> None:
    assert not is_vague(question)


def test_a_question_may_leave_out_what_it_asks() -> None:
    assert is_elliptical("Og hvad med lovgrundlaget?")
    assert is_elliptical("Hvordan med GDPR?")
    assert not is_elliptical("Hvad gjorde de med lovgrundlaget?")


def test_names_are_the_words_with_a_capital_after_the_first() -> None:
    assert names_in("Hvorfor stoppede Aalborg Kommune AIR?") == ("aalborg", "kommune", "air")
    assert names_in("Norddjurs mailsortering") == ()
    assert names_in("hvad kostede norddjurs' løsning") == ()
