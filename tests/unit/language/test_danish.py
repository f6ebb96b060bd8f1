from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.core.tables import read_table
from kb.language import danish
from kb.language.danish import Kind


def _cut(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in danish.sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Det gik godt. Bl.a. Kommunen deltog. Ja.", ["Det gik godt.", "Bl.a. Kommunen deltog.", "Ja."]),
        ("Bl.a. var der problemer. Ja.", ["Bl.a. var der problemer.", "Ja."]),
        (
            "Se jf. bilag 3, nr. 2. Det kostede 4,1 mio. kr. i alt.",
            ["Se jf. bilag 3, nr. 2.", "Det kostede 4,1 mio. kr. i alt."],
        ),
        ("Den begyndte d. 1. april 2020. Så gik det.", ["Den begyndte d. 1. april 2020.", "Så gik det."]),
        ("Jf. art. 6, stk. 1, litra e. Derefter.", ["Jf. art. 6, stk. 1, litra e.", "Derefter."]),
        (
            "M. Hansen sagde ja. ”Det var svært.” Men det gik.",
            ["M. Hansen sagde ja.", "”Det var svært.”", "Men det gik."],
        ),
        ("Alle papirer er med. Projektet begyndte.", ["Alle papirer er med.", "Projektet begyndte."]),
        ("De gav 16 mio. kr. Kommunen betalte.", ["De gav 16 mio. kr.", "Kommunen betalte."]),
        ("Det blev 5 mio. I Kolding mere.", ["Det blev 5 mio.", "I Kolding mere."]),
        ("Det koster 109 mio. EUR i alt. Ja.", ["Det koster 109 mio. EUR i alt.", "Ja."]),
        ("Efter stk. 2, litra g. Begge gælder.", ["Efter stk. 2, litra g.", "Begge gælder."]),
        ("Arkitekten F. W. Moody tegnede. Ja.", ["Arkitekten F. W. Moody tegnede.", "Ja."]),
        ("Raketten Saturn V. Disse var store.", ["Raketten Saturn V.", "Disse var store."]),
        ("Støtten kom fra bl.a. Norddjurs. Ja.", ["Støtten kom fra bl.a. Norddjurs.", "Ja."]),
        ("Han sagde (det gik ned. Derefter op) det. Ja.", ["Han sagde (det gik ned. Derefter op) det.", "Ja."]),
        ("Er der grundlag?: Ja; År: 2022", ["Er der grundlag?: Ja; År: 2022"]),
        ("- Punkt et\n- Punkt to\n\nNyt afsnit. Slut", ["- Punkt et", "- Punkt to", "Nyt afsnit.", "Slut"]),
        ("Den er bygget i .NET og ASP.NET. DFS sagde ja.", ["Den er bygget i .NET og ASP.NET.", "DFS sagde ja."]),
        ("Kommunen valgte 2021.AI og BETA.HEALTH. Ja.", ["Kommunen valgte 2021.AI og BETA.HEALTH.", "Ja."]),
        ("Det var slut.KL gik. Nu.Ja", ["Det var slut.", "KL gik.", "Nu.", "Ja"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert _cut(text) == expected


def test_a_line_that_sentencex_gives_up_on_is_read_all_the_same() -> None:
    text = "\ta\",åå😀,\u2028B\xa0.éé\tØ(Ø''\t?aB B?æ!("
    assert "".join(text[start:end] for start, end in danish.sentences(text)) == text


@given(st.text(alphabet=st.sampled_from("aB æØå.!?\n\t”\"'(§1,😀\u00a0\u2028é"), max_size=60))
def test_sentences_tile_any_text(text: str) -> None:
    spans = danish.sentences(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)
    if text.strip():
        assert all(text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Jf. art. 6, stk. 1, litra e",
            [("Jf", Kind.WORD), ("art. 6", Kind.REFERENCE), ("stk. 1", Kind.REFERENCE), ("litra e", Kind.REFERENCE)],
        ),
        ("§ 11 og §§ 4a", [("§ 11", Kind.REFERENCE), ("og", Kind.WORD), ("§§ 4a", Kind.REFERENCE)]),
        ("4,1 mio. kr.", [("4,1", Kind.NUMBER), ("mio", Kind.WORD), ("kr", Kind.WORD)]),
        ("d. 1. april 2020", [("d", Kind.WORD), ("1. april 2020", Kind.DATE)]),
        (
            "bl.a. AI-løsninger, DPIA'en",
            [("bl.a.", Kind.ABBREVIATION), ("AI-løsninger", Kind.WORD), ("DPIA'en", Kind.WORD)],
        ),
        ("bilaget har 3 sider", [("bilaget", Kind.WORD), ("har", Kind.WORD), ("3", Kind.NUMBER), ("sider", Kind.WORD)]),
        ("kapart. 6 Covid19", [("kapart", Kind.WORD), ("6", Kind.NUMBER), ("Covid19", Kind.WORD)]),
    ],
)
def test_tokens_keep_what_belongs_together(text: str, expected: list[tuple[str, Kind]]) -> None:
    assert [(t.text, t.kind) for t in danish.tokenise(text)] == expected


@given(st.text(max_size=80))
def test_tokens_lie_where_they_say(text: str) -> None:
    end = 0
    for token in danish.tokenise(text):
        assert token.start >= end
        assert text[token.start : token.end] == token.text != ""
        end = token.end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ÅRHUS Café", "århus cafe"),
        ("A\u030arhus", "århus"),
        ("Göteborg", "gøteborg"),
        ("Straße", "strasse"),
        ("na\u00advn", "navn"),
    ],
)
def test_normalise_keeps_danish_letters(text: str, expected: str) -> None:
    assert danish.normalise(text) == expected


@given(st.text(max_size=40))
def test_normalise_is_stable(text: str) -> None:
    once = danish.normalise(text)
    assert danish.normalise(once) == once


@pytest.mark.parametrize(
    "forms",
    [
        "risiko risici risikoen risiciene",
        "data dataene",
        "kommune kommuner kommunernes kommunen",
        "barn børn børnene",
        "by byer byens",
        "center centret centre",
        "aftale aftalen aftalt aftalerne",
        "lære lærer lærere lært",
        "databehandleraftale databehandleraftaler databehandleraftalen",
    ],
)
def test_inflections_share_a_stem(forms: str) -> None:
    assert len({danish.stem(form) for form in forms.split()}) == 1


def test_every_word_has_one_mended_stem() -> None:
    forms = " ".join(read_table("kb.language", "stems.toml").values()).split()
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. april 2020", "2020-04-01"),
        ("3.5.2021", "2021-05-03"),
        ("2021-05-03", "2021-05-03"),
        ("12. dec. 2019", "2019-12-12"),
    ],
)
def test_dates_have_one_form(text: str, expected: str) -> None:
    assert danish.iso_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Kommunen gik i gang.\nDet gik godt.", "Kommunen gik i gang."),
        ("ord " * 40, "ord ord ord ord ord"),
        ("x" * 30, "x" * 20),
        ("", ""),
    ],
)
def test_a_text_is_known_by_its_opening_words(text: str, expected: str) -> None:
    assert danish.opening(text, 20) == expected
