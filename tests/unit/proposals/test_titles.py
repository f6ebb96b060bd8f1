"""The title that a person would give: of covers, letters, printed web pages, guides and magazines."""

from __future__ import annotations

import pytest

from kb.proposals.opening import Line
from kb.proposals.titles import best_title, name_of

TEXT = Line(
    "Kommunen ville vide, om vejene kunne saltes efter behov, og prøvede det af i tre vintre på alle mindre veje."
)


def title(*lines: Line | str, path: str = "a.pdf", own: str = "") -> str:
    return best_title(path, own, [line if isinstance(line, Line) else Line(line) for line in lines])


def test_a_cover_in_several_lines_is_put_together() -> None:
    cover = [Line("Version 2 - 14. 2. 2022"), Line("Dokumentationsrapport – Data til", 1), Line("vejvæsenet og Salt-")]
    assert title(*cover, Line("værktøjet", 1), Line("Forfattere", 3), TEXT) == (
        "Dokumentationsrapport – Data til vejvæsenet og Saltværktøjet"
    )


def test_a_product_and_the_name_of_its_guide_are_one_title() -> None:
    cover = [Line("OS2salt", 1), Line("Vejplanlægger", 3), Line("Version: 1.4"), Line("Date: 27.11.2025")]
    assert title(*cover, Line("1 Indledning", 1), TEXT) == "OS2salt – Vejplanlægger"


@pytest.mark.parametrize("section", ["Indledning", "1. Indledning", "Indholdsfortegnelse", "Forord", "1 Formål"])
def test_the_heading_of_a_first_section_is_no_title(section: str) -> None:
    assert title(Line(section, 1), TEXT, path="Salt på veje.docx") == "Salt på veje"


def test_a_letters_date_and_address_are_no_title() -> None:
    letter = [Line("Vejdirektoratet Niels Juels Gade 13 1059 København K", 1), Line("Vandby den 26. juni 2008", 1)]
    assert title(*letter, Line("Høringssvar om salt på veje", 2), TEXT) == "Høringssvar om salt på veje"


def test_what_a_letter_says_it_is_about_is_its_title() -> None:
    letter = [Line("VANDBY KOMMUNE", 1), Line("3951 Vandby 26 MAJ 2008", 1)]
    assert title(*letter, Line("Vedr.: Salt på mindre veje Jeg takker for jeres henvendelse")) == "Salt på mindre veje"


def test_a_browsers_print_header_is_no_title() -> None:
    page = [Line("12.3.2024 14.05 https://vandby.dk/salt"), Line("https://vandby.dk/salt 1/3"), Line("Salt på veje", 1)]
    assert title(*page, TEXT) == "Salt på veje"


def test_a_property_that_the_first_page_does_not_say_is_anothers() -> None:
    assert title(TEXT, path="salt-paa-veje.pdf", own="Årsregnskab for havnen") == "salt paa veje"
    assert title(TEXT, path="x.pdf", own="Saltes efter behov") == "Saltes efter behov"


def test_a_magazine_is_known_by_its_number() -> None:
    front = [Line("Tidsskriftet om vej og vinter", 5), Line("nr. 2 | 15. årgang | JUNI 2008")]
    assert title(*front, Line("GLOBAL", 1), Line("VINTER", 2), TEXT) == "GLOBAL VINTER nr. 2, juni 2008"


def test_a_title_without_a_style_stands_first() -> None:
    assert title("Salt i tre vintre", Line("Vandby Kommunes veje og deres salt.", 2), TEXT) == "Salt i tre vintre"


def test_running_text_is_no_title() -> None:
    assert title(TEXT, path="Salt på veje.pdf") == "Salt på veje"


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/Salt_på_veje.pdf", "Salt på veje"), ("salt-paa-veje.docx", "salt paa veje"), ("A - b.docx.pdf", "A - b")],
)
def test_a_files_name_is_read_without_its_ending(path: str, name: str) -> None:
    assert name_of(path) == name


def test_a_magazines_name_is_read_without_its_year_of_issue() -> None:
    assert (
        title(Line("ØKO•VEJ Årgang 10 Juni 2003 Nr. 53", 5), Line("Rettigheder", 6), TEXT)
        == "ØKO•VEJ nr. 53, juni 2003"
    )


def test_a_case_number_is_no_part_of_the_title() -> None:
    assert title(Line("Afrapportering vedr. “Salt” (jr. nr. TL 7)", 1), TEXT) == "Afrapportering vedr. “Salt”"


def test_a_title_that_goes_on_in_small_letters_is_one() -> None:
    assert title(Line("Salt", 1), Line("er vejen til", 2), Line("vinteren", 1), Line("— og våren", 3)) == (
        "Salt er vejen til vinteren"
    )


@pytest.mark.parametrize(
    "line", ["Dette er et link til en blog.", "Lavet med prøveversionen – www.pdfprogram.dk", "Navn"]
)
def test_sentences_watermarks_and_labels_of_forms_are_no_titles(line: str) -> None:
    assert title(line, path="Salt på veje.pdf") == "Salt på veje"


@pytest.mark.parametrize("who", ["Team Vej, Svendborg Kommune", "Svendborg Kommune", "Anna And, Vandby"])
def test_who_wrote_it_is_no_part_of_the_title(who: str) -> None:
    assert title(Line("Salt på veje", 1), who, "Version 2 - 14. 2. 2022", TEXT) == "Salt på veje"


def test_a_logos_line_is_no_title() -> None:
    assert title(Line("SVENDBORG KOMMUNE", 1), Line("Salt på mindre veje", 2), TEXT) == "Salt på mindre veje"
