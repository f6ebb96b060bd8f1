"""Masking of CPR numbers, e-mail addresses and telephone numbers. All numbers are made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.core.privacy import CPR, EMAIL, PHONE, REPLACEMENTS, birthday, find, mask, satisfies_modulus_11

# One number in each text, and the number as written.
CPR_POSITIVE = [
    # The standard form, modulus 11 satisfied, both sexes and all centuries.
    ("Borgeren 010190-0738 søgte om hjælp.", "010190-0738"),
    ("150367-2819", "150367-2819"),
    ("Født 311299-3613.", "311299-3613"),
    ("(290296-3165)", "290296-3165"),
    ("070745-1068, indlagt i marts", "070745-1068"),
    ("»240871-0300«", "240871-0300"),
    ("Patienten:120558-1339", "120558-1339"),
    ("barnet 300600-0559 og moderen", "300600-0559"),
    ("010100-0125 er ældst", "010100-0125"),
    ("Sagen om 180919-1431 blev lukket.", "180919-1431"),
    ("dvs. 230485-3215;", "230485-3215"),
    ("nr. 051174-3818", "051174-3818"),
    ("280231-3937/2020", "280231-3937"),
    ("Navn; 160362-2622; adresse", "160362-2622"),
    ("090988-2397!", "090988-2397"),
    ("010104-6524", "010104-6524"),
    ("eleven 150311-7068", "150311-7068"),
    ("240619-6952 (barn)", "240619-6952"),
    ("311207-4618", "311207-4618"),
    ("290208-4536 på en skuddag", "290208-4536"),
    ("070722-6803", "070722-6803"),
    ("120515-4619", "120515-4619"),
    ("300620-7978", "300620-7978"),
    ("010104-9647", "010104-9647"),
    ("150355-9583", "150355-9583"),
    ("240619-9250", "240619-9250"),
    ("311299-9646", "311299-9646"),
    # Given out after 2007: modulus 11 need not hold.
    ("Barnet 150311-6753 går i skole.", "150311-6753"),
    ("240619-6166", "240619-6166"),
    ("311207-5773", "311207-5773"),
    ("290208-5050", "290208-5050"),
    ("070722-4974", "070722-4974"),
    ("120515-5700", "120515-5700"),
    ("300620-4689", "300620-4689"),
    ("021007-6721", "021007-6721"),
    ("180923-7106", "180923-7106"),
    ("110125-5816", "110125-5816"),
    # Grown-ups who moved to Denmark after 2007.
    ("Hun fik nummeret 150367-1401.", "150367-1401"),
    ("311299-3615", "311299-3615"),
    ("010165-1372", "010165-1372"),
    ("010166-1961", "010166-1961"),
    # Other dashes, and spaces round them.
    ("010190–0738", "010190–0738"),
    ("150367‑2819", "150367‑2819"),
    ("311299−3613", "311299−3613"),
    ("290296 - 3165", "290296 - 3165"),
    ("070745- 1068", "070745- 1068"),
    # Without hyphen.
    ("Borgeren 2408710300 søgte om hjælp.", "2408710300"),
    ("1205581339", "1205581339"),
    ("barn 1503116753 uden modulus 11", "1503116753"),
    ("0101651372 fik en fødselsdag tildelt", "0101651372"),
    ("3006207978", "3006207978"),
    # With a space.
    ("Borgeren 230485 3215 søgte", "230485 3215"),
    ("051174 3818", "051174 3818"),
    ("barnet 240619 6166", "240619 6166"),
    ("280231\u00a03937", "280231\u00a03937"),
    # The date written with signs between its parts.
    ("16.03.62-2622", "16.03.62-2622"),
    ("16-03-62-2622", "16-03-62-2622"),
    ("09 09 88-2397", "09 09 88-2397"),
    ("09 09 88 2397", "09 09 88 2397"),
    # After a word that says what it is.
    ("CPR-nr.: 1503671401", "1503671401"),
    ("cpr 311299 3615", "311299 3615"),
    ("Personnummer 2902963553", "2902963553"),
    ("CPR: 07.07.45 2370", "07.07.45 2370"),
    ("Erstatnings-CPR 610190-0557", "610190-0557"),
    ("cpr-nummeret er 750367 0374", "750367 0374"),
    ("cprnr=2304851366", "2304851366"),
    ("CPR-NUMMER: 120558-3858", "120558-3858"),
    ("https://intern.dk/borger?cpr=0511743818", "0511743818"),
    ("CPR0511743818", "0511743818"),
    ("cpr_051174-3818", "051174-3818"),
]

CPR_NEGATIVE = [
    # Days that do not exist, or have not come.
    "320190-4217",
    "001290-4509",
    "311190-2819",
    "290297-5821",
    "151367-3236",
    "450101-5321",
    "990199-4649",
    "310404-4343",
    "150340-5535",
    "311257-5706",
    "CPR: 999999-9999",
    "CPR-nummer: 000000-0000",
    # Numbers of other things, named as such.
    "Sagsnr. 010190-0738",
    "sag 150367-2819",
    "Sagsnummer: 311299-3613",
    "Sagen 2902963165 er afsluttet",
    "J.nr. 070745-1068",
    "j.nr.: 240871-0300",
    "Journalnr. 120558-1339",
    "Journalnummer 300600-0559",
    "CVR-nr. 0101000125",
    "CVR 1809191431",
    "EAN-nr. 2304853215",
    "EAN 5790001234567",
    "Kontonr. 0511743818",
    "konto 2802313937",
    "Reg.nr. 1603622622",
    "Fakturanr. 0909882397",
    "faktura 010104-6524",
    "Ordrenr. 1503117068",
    "Tlf. 2406196952",
    "Dok.nr. 311207-4618",
    "Dokument nr. 290208-4536",
    "Bilag 070722-6803",
    "Ref. 120515-4619",
    "ISBN 3006207978",
    "Varenr. 0101049647",
    "Matrikel 150355-9583",
    "P-nr. 2406199250",
    "Ticket #3112999646",
    "Akt.id 1503116753",
    "Version 240619-6166",
    # Dates, periods and times.
    "perioden 010120-311220",
    "01.01.2020-31.12.2020",
    "i perioden 010123-3112",
    "uge 010190-2024",
    "2007-2013",
    "15.03.2011 kl. 10.30",
    "150311 1030 og 1130",
    "den 15. marts 2011-2012",
    "2011-03-15",
    "20110315-1030",
    "fra 150367-1401 til 160367",
    # Part of something longer.
    "12010190-0738",
    "010190-07381",
    "A010190-0738",
    "010190-0738B",
    "EMN-010190-0738",
    "010190-0738-01",
    "1-010190-0738",
    "DK5000400440116243",
    "12 010190 0738 34",
    "5790 0012 3456 7890",
    "0.0101900738",
    "0101900738,5",
    "https://eksempel.dk/artikel/0101900738",
    "fil_0101900738",
    # Ten digits that satisfy neither rule.
    "1503671401",
    "3112993615",
    "2902963553",
    "1234567890",
    "311299 3615",
    "150367 1401",
    "07.07.45 2370",
    "3.112.993.613",
    # Other numbers.
    "5,3 mio. kr.",
    "29.30.00-P05-1-18",
    "2024-012345",
    "4.500-5.000 borgere",
    "12 34 56 78",
    "100000-2000",
]


def test_there_are_enough_cases() -> None:
    assert len(CPR_POSITIVE) >= 60
    assert len(CPR_NEGATIVE) >= 60
    assert len({text for text, _ in CPR_POSITIVE}) == len(CPR_POSITIVE)
    assert len(set(CPR_NEGATIVE)) == len(CPR_NEGATIVE)


@pytest.mark.parametrize(("text", "number"), CPR_POSITIVE)
def test_cpr_number_is_masked(text: str, number: str) -> None:
    masked = mask(text)
    assert masked.text == text.replace(number, REPLACEMENTS[CPR])
    assert masked.counts == {CPR: 1}
    assert [text[span.start : span.end] for span in masked.spans] == [number]


@pytest.mark.parametrize("text", CPR_NEGATIVE)
def test_what_only_looks_like_a_cpr_number_is_left_alone(text: str) -> None:
    assert mask(text, contacts=False).text == text


def test_cpr_is_masked_even_when_contacts_are_not() -> None:
    assert mask("Ring 12345678 til jens.hansen@eksempel.dk om 010190-0738", contacts=False).counts == {CPR: 1}


def test_several_numbers_in_a_row_are_all_masked() -> None:
    assert mask("010190-0738 150367-2819, 311299-3613").counts == {CPR: 3}


@pytest.mark.parametrize(
    ("digits", "year"),
    [
        ("0101900738", 1990),
        ("0101049647", 2004),
        ("1503559583", 1955),
        ("1503116753", 2011),
        ("1503897883", 1889),
        ("1503404535", 1940),
        ("1503364535", 2036),
    ],
)
def test_the_seventh_digit_tells_the_century(digits: str, year: int) -> None:
    born = birthday(digits)
    assert (born.year if born else year) == year
    assert (born is None) == (year > 2026)


def test_modulus_11_finds_every_single_wrong_digit() -> None:
    good = "0101900738"
    assert satisfies_modulus_11(good)
    for place in range(10):
        for digit in "0123456789".replace(good[place], ""):
            assert not satisfies_modulus_11(good[:place] + digit + good[place + 1 :])


@pytest.mark.parametrize(
    "address",
    [
        "jens.hansen@eksempel.dk",
        "jh@kommune.dk",
        "Anne-Marie.Søndergaard@region.dk",
        "m.k.larsen@sub.eksempel.dk",
        "bt123@ministeriet.dk",
        "karen@eksempel.com",
    ],
)
def test_personal_address_is_masked(address: str) -> None:
    assert mask(f"Skriv til {address}.").text == f"Skriv til {REPLACEMENTS[EMAIL]}."
    assert mask(f"Skriv til {address}.", contacts=False).text == f"Skriv til {address}."


@pytest.mark.parametrize(
    "address",
    ["info@eksempel.dk", "post@svendborg.dk", "kontakt@kl.dk", "svendborg@svendborg.dk", "kommunen@eksempel.dk",
     "digital.post@eksempel.dk", "borgerservice@eksempel.dk", "dpo@region.dk", "noreply@eksempel.dk"],
)  # fmt: skip
def test_role_address_is_kept(address: str) -> None:
    assert mask(f"Skriv til {address}.").text == f"Skriv til {address}."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Kontakt projektleder Jens Hansen på tlf. 21 34 56 78.", "21 34 56 78"),
        ("Jens Hansen, mobil 21345678", "21345678"),
        ("Mobil: 2134 5678", "2134 5678"),
        ("Direkte +45 21 34 56 78", "+45 21 34 56 78"),
        ("Karen Nielsen, jh@eksempel.dk, tlf.: 21345678", "21345678"),
        ("Ring til Anne Sørensen (+4521345678)", "+4521345678"),
        ("Sagsbehandler Ole Madsen 21 34 56 78", "21 34 56 78"),
        ("Att. Lise Holm, telefon 2134 5678", "2134 5678"),
    ],
)
def test_persons_telephone_is_masked(text: str, number: str) -> None:
    masked = mask(text)
    assert number not in masked.text
    assert masked.counts[PHONE] == 1
    assert mask(text, contacts=False).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Kommunens hovednummer er 62 23 30 00.",
        "Svendborg Kommune, tlf. 62 23 30 00",
        "Ring til omstillingen på 62 23 30 00",
        "Borgerservice: telefon 62 23 30 00",
        "I alt 21345678 kr. blev brugt",
        "CVR-nr. 29189730",
        "Jens Hansen fik 21345678 kroner",
        "Tabellen viser 21 34 56 78 90",
        "EAN 5798007020012",
    ],
)
def test_main_numbers_and_other_numbers_are_kept(text: str) -> None:
    assert mask(text).text == text


PIECES = st.sampled_from(
    ["010190-0738", "1503116753", "jens.hansen@eksempel.dk", "Jens Hansen tlf. 21 34 56 78", "sag", "CPR", "æøå", " ",
     "\n", "-", "12", ".", "info@eksempel.dk", "perioden 010120-311220", "[", "skjult]", "0101900738", "😀"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=12).map("".join))


@given(TEXTS, st.booleans())
def test_spans_tell_exactly_what_was_replaced(text: str, contacts: bool) -> None:
    masked = mask(text, contacts=contacts)
    rebuilt, done, new_done = [], 0, 0
    for span in masked.spans:
        assert done <= span.start < span.end <= len(text)
        assert masked.text[new_done : span.new_start] == text[done : span.start]
        assert masked.text[span.new_start : span.new_end] == REPLACEMENTS[span.kind]
        rebuilt += [text[done : span.start], REPLACEMENTS[span.kind]]
        done, new_done = span.end, span.new_end
    assert "".join([*rebuilt, text[done:]]) == masked.text
    assert sum(masked.counts.values()) == len(masked.spans)


@given(TEXTS, st.booleans(), st.data())
def test_offsets_outside_masked_items_keep_their_character(text: str, contacts: bool, data: st.DataObject) -> None:
    masked = mask(text, contacts=contacts)
    offset = data.draw(st.integers(0, len(text)))
    translated = masked.translate(offset)
    inside = [span for span in masked.spans if span.start <= offset < span.end]
    if inside:
        assert translated == inside[0].new_start
    elif offset == len(text):
        assert translated == len(masked.text)
    else:
        assert masked.text[translated] == text[offset]


@given(TEXTS)
def test_offsets_keep_their_order(text: str) -> None:
    masked = mask(text)
    translated = [masked.translate(offset) for offset in range(len(text) + 1)]
    assert translated == sorted(translated)


@given(TEXTS)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


@pytest.mark.parametrize(
    "text",
    [
        "CPR 010190-1234:1001000001",
        "010190-1234,1001000001",
        "010190-1234/0101901234/0101901234",
        "CPR 010190-1234 og ordrenr. 1234567890",
    ],
)
def test_what_stands_beside_a_number_is_masked_at_once_or_never(text: str) -> None:
    once = mask(text)
    assert mask(once.text).text == once.text
    assert [text[: span.start] for span in once.spans] == sorted(text[: span.start] for span in once.spans)


@given(
    st.lists(st.sampled_from(["010190-1234", "0101901234", "1001000001", ",", ":", "/", "-", " ", "CPR"]), max_size=9)
)
def test_numbers_in_a_row_are_masked_at_once_or_never(parts: list[str]) -> None:
    once = mask("".join(parts)).text
    assert mask(once).text == once


def test_a_masked_number_is_no_label_of_the_next_number() -> None:
    once = mask("CPR 010190-1234 og ordrenr. 1234567890").text
    assert once.endswith("og ordrenr. 1234567890")


@given(st.text(max_size=20), st.sampled_from([number for _, number in CPR_POSITIVE[:27]]), st.text(max_size=20))
def test_a_standard_number_between_spaces_is_never_left(before: str, number: str, after: str) -> None:
    text = f"{before}\nBorger {number} {after}"
    if re.match(r"\s*\d", after):
        return
    assert any(start <= text.index(number) < end and kind == CPR for start, end, kind in find(text))


def test_numbers_among_addresses_are_found_in_time_with_their_length() -> None:
    """Each number was once held against every address in the paragraph."""
    pair = "tlf. 23 45 67 89 anders.and@x.dk. "
    calls = [mask(pair * times).counts for times in (1, 4000)]
    assert calls == [{PHONE: times, EMAIL: times} for times in (1, 4000)]


@pytest.mark.parametrize(("gap", "masked"), [(20, 1), (200, 0)])
@pytest.mark.parametrize("first", ["number", "address"])
def test_a_number_is_a_persons_when_a_personal_address_is_near(first: str, gap: int, masked: int) -> None:
    parts = ["tlf. 23 45 67 89", "anders.and@x.dk"]
    if first == "address":
        parts.reverse()
    text = f"b.c@x.dk {'. ' * 300}{(' ' + 'x. ' * (gap // 3)).join(parts)}{' .' * 300} d.e@x.dk"
    assert mask(text).counts.get(PHONE, 0) == masked
