"""Who, what and when of a report by its own words, with their place; and what is not proposed."""

from __future__ import annotations

from kb.core.models import Certainty, Document, Heading, Metadata, Page
from kb.proposals.proposal import Proposal
from kb.proposals.proposing import propose
from kb.proposals.scope import crosses

BODY = "Vejene blev saltet efter behov i tre vintre, og det viste sig, at der kunne spares en tredjedel af saltet."


def document(*lines: str, title: str = "Salt på veje", path: str = "a.pdf", pages: int = 0) -> Document:
    text = "\n\n".join(lines)
    headings = (Heading(1, lines[0], 0, len(lines[0])),)
    metadata = Metadata("a", title, inferred=frozenset({"id", "titel"}))
    spans = tuple(Page(number + 1, number * 20, (number + 1) * 20) for number in range(pages))
    return Document(path, "", "application/pdf", "pdfium", metadata, text, headings, spans)


def proposed(found: Document, field: str) -> Proposal | None:
    return next((proposal for proposal in propose(found) if proposal.field == field), None)


def value(found: Document, field: str) -> str | int | None:
    proposal = proposed(found, field)
    return proposal.value if proposal else None


def test_evidence_is_the_reports_own_words_at_their_place() -> None:
    report = document("Salt på veje", "Team Vej, Vandby og Svendborg Kommune", "Version 2 - 14. 2. 2022", BODY, pages=9)
    found = propose(report)
    assert {proposal.field for proposal in found} == {"myndighed", "type", "kontakt", "år"}
    for proposal in found:
        assert proposal.start is not None
        assert report.text[proposal.start : proposal.end] == proposal.quote
        assert proposal.page == proposal.start // 20 + 1


def test_a_report_dated_on_its_cover_is_of_that_year_for_certain() -> None:
    found = proposed(document("Salt på veje", "Version 2 - 14. 2. 2022", BODY), "år")
    assert found is not None
    assert (found.value, found.certainty) == (2022, Certainty.SURE)


def test_years_of_sources_servers_and_plans_date_no_report() -> None:
    body = f"{BODY} Tallene er fra 2018, og planen løber til 2030 (Vejdirektoratet, 12. marts 2019)."
    assert value(document("Salt på veje", "Introduktion", body), "år") is None
    assert value(document("Strategi for salt i tiåret 2005-2014", BODY), "år") is None


def test_a_year_in_the_files_name_is_only_likely() -> None:
    found = proposed(document("Salt på veje", BODY, path="Salt på veje feb 2022.odp"), "år")
    assert found is not None
    assert (found.value, found.certainty, found.start, found.quote) == (
        2022, Certainty.LIKELY, None, "Salt på veje feb 2022.odp",
    )  # fmt: skip


def test_the_municipality_that_a_report_is_about_is_its_authority() -> None:
    body = (
        "Svendborg Kommune har afprøvet saltning. Kommunen saltede, og kommunens veje holdt. Svendborg Kommune sparede."
    )
    found = document("Svendborg Kommune", "Salt på veje", body, body)
    assert (value(found, "myndighed"), value(found, "type")) == ("Svendborg Kommune", "kommunal")


def test_whom_a_letter_is_to_and_whose_paper_it_is_about_answer_for_nothing() -> None:
    letter = document(
        "Undervisningsministeriet Vester Voldgade 123 1552 København V",
        "Høringssvar til Undervisningsministeriets strategi",
        BODY,
    )
    assert value(letter, "myndighed") is None


def test_of_two_municipalities_that_stand_alike_none_is_proposed() -> None:
    found = document("Salt på veje", "Svendborg Kommune", "Nyborg Kommune", BODY)
    assert value(found, "myndighed") is None


def test_a_project_that_the_report_names_is_certain() -> None:
    found = proposed(document("Afrapportering af projektet:", "“Salt efter behov” (jr. nr. 7)", BODY), "projekt")
    assert found is not None
    assert (found.value, found.certainty) == ("Salt efter behov", Certainty.SURE)


def test_a_guides_project_is_the_product_that_it_guides_to() -> None:
    body = "SaltØkonomi regner. Med SaltØkonomi kan man spare. SaltØkonomi er åben kildekode."
    assert value(document("Guide til SaltØkonomi", body, title="Guide til SaltØkonomi"), "projekt") == "SaltØkonomi"


def test_programs_and_places_are_no_projects() -> None:
    body = "PostGIS kan. PostGIS skal. PostGIS vil. Odense-projektet kan. Odense-projektet skal. Odense-projektet vil."
    title = "PostGIS i Odense"
    assert value(document(title, body, title=title), "projekt") is None


def test_a_period_is_read_where_the_report_says_it_is_one() -> None:
    found = document("Salt på veje", "Projektperiode: januar 2002 – december 2002", BODY)
    assert (value(found, "periode"), value(found, "år")) == ("januar 2002 – december 2002", 2002)


def test_a_report_about_many_says_by_what_it_was_recognised() -> None:
    report = document("Evaluering af de 40 saltprojekter", BODY)
    why = crosses(report.metadata, propose(report))
    assert "Evaluering af de 40 saltprojekter" in why
    assert crosses(document("Salt på veje", BODY).metadata, propose(document("Salt på veje", BODY))) == ""


def test_what_an_editor_wrote_decides_whether_a_report_is_about_many() -> None:
    found = propose(document("Evaluering af de 40 saltprojekter", BODY))
    assert crosses(Metadata("a", "A", omfang="ét projekt"), found) == ""
    assert crosses(Metadata("a", "A", projekt="Salt"), found) == ""
    assert crosses(Metadata("a", "A", omfang="flere projekter"), ())
    assert crosses(Metadata("a", "A", type="tværgående"), ())


def test_a_proposal_comes_back_from_json_the_same() -> None:
    for proposal in propose(document("Salt på veje", "Svendborg Kommune", "Version 2 - 14. 2. 2022", BODY, pages=9)):
        assert Proposal.from_dict(proposal.as_dict()) == proposal


def test_a_project_named_in_a_slides_list_is_not_the_reports() -> None:
    slides = document("Salt på veje", "- Udviklet i et europæisk projekt ”VINTER” med tre lande", "- Flere modeller")
    assert value(slides, "projekt") is None


def test_the_name_in_a_guides_title_is_an_unsure_proposal() -> None:
    title = "Brugervejledning til Saltplan"
    found = proposed(document(title, BODY, title=title), "projekt")
    assert found is not None
    assert (found.value, found.certainty) == ("Saltplan", Certainty.UNSURE)


def test_a_period_in_a_subtitle_is_found() -> None:
    found = document("Salt på veje", "– resultater fra december 2005 til december 2006", BODY)
    assert value(found, "periode") == "december 2005 til december 2006"
    assert value(found, "år") is None
