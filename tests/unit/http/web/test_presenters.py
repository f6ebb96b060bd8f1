"""What templates are given: dates and counts in Danish, marked runs, filters, and a document's text in blocks."""

from __future__ import annotations

import pytest

from kb.core.models import (
    Answer,
    AnswerSentence,
    Certainty,
    Citation,
    Coverage,
    Document,
    DocumentRecord,
    Finding,
    Heading,
    Hit,
    Match,
    MatchKind,
    Metadata,
    Page,
    Passage,
    ProjectAnswer,
    QuestionKind,
    Refusal,
    RefusalReason,
    Role,
    Scores,
)
from kb.core.stages import Status
from kb.extract.recognition import Format
from kb.facts import Fact, FactKind
from kb.facts.standing import Standing
from kb.http.web.presenters import answers, facets, hits, labels, quotes, report_text, table_rows
from kb.http.web.presenters.quotes import Segment

TEXT = """Rapport om vand

Formål

Vi målte vandet. Det var koldt.

- første punkt
- andet punkt

Læring

Mål oftere."""

REFUSED = Refusal(RefusalReason.NO_SUBJECT, "Intet.", (), ())


def match(start: int, end: int) -> Match:
    return Match(start, end, MatchKind.EXACT, "ord")


def document(text: str = TEXT, pages: tuple[Page, ...] = ()) -> Document:
    headings = tuple(
        Heading(level, name, text.index(name), text.index(name) + len(name))
        for level, name in ((1, "Rapport om vand"), (2, "Formål"), (2, "Læring"))
    )
    metadata = Metadata(id="vand", titel="Rapport om vand")
    return Document("vand.md", "0", "text/markdown", "markdown", metadata, text, headings, pages)


def passage_of(found: Document, quote: str) -> Passage:
    start = found.text.index(quote)
    return Passage("vand.1", "vand", 0, quote, start, start + len(quote), ("Rapport om vand", "Formål"))


def test_dates_numbers_and_lists_are_danish() -> None:
    assert labels.danish_timestamp("2026-11-23T10:00:00+00:00") == "23. november 2026"
    assert labels.danish_timestamp("ikke en tid") == "ikke en tid"
    assert labels.counted(1, "rapport", "rapporter") == "1 rapport"
    assert labels.counted(12345, "rapport", "rapporter") == "12.345 rapporter"


def test_marked_runs_join_into_the_text_again() -> None:
    runs = quotes.marked("GDPR i projektet", [match(7, 14), match(0, 4), match(2, 4)])
    assert runs == (Segment("GDPR", True), Segment(" i "), Segment("projekt", True), Segment("et"))


def test_matches_beyond_the_text_are_left_out() -> None:
    assert quotes.marked("kort", [match(10, 12)]) == (Segment("kort"),)


@pytest.mark.parametrize(
    ("first", "last", "label"), [(None, None, ""), (4, 4, "side 4"), (4, 5, "side 4-5"), (4, None, "side 4")]
)
def test_where_in_a_paged_document(first: int | None, last: int | None, label: str) -> None:
    assert quotes.pages(first, last) == label


def test_a_text_falls_into_headings_paragraphs_and_lists() -> None:
    (page,) = report_text.document_pages(document())
    assert [(block.kind, block.level) for block in page.blocks] == [
        ("heading", 2), ("paragraph", 0), ("list", 0), ("heading", 2), ("paragraph", 0),
    ]  # fmt: skip
    assert [item[0].text for item in page.blocks[2].items] == ["første punkt", "andet punkt"]


def test_the_cited_place_is_marked_and_anchored_once() -> None:
    found = document()
    (page,) = report_text.document_pages(found, passage_of(found, "Det var koldt.\n\n- første punkt"))
    marked = [run for block in page.blocks for item in block.items for run in item if run.marked]
    assert marked == [Segment("Det var koldt.", True, "vand.1"), Segment("første punkt", True)]


def test_a_place_that_begins_at_a_bullet_is_anchored() -> None:
    found = document()
    (page,) = report_text.document_pages(found, passage_of(found, "- andet punkt"))
    marked = [run for block in page.blocks for item in block.items for run in item if run.marked]
    assert marked == [Segment("andet punkt", True, "vand.1")]


def test_no_text_is_lost_or_doubled_between_pages() -> None:
    middle = TEXT.index("- andet")
    found = document(pages=(Page(1, 0, middle), Page(2, middle, len(TEXT))))
    shown = [
        run.text
        for page in report_text.document_pages(found)
        for block in page.blocks
        for item in block.items
        for run in item
    ]
    words = TEXT.replace("- ", "").removeprefix("Rapport om vand").split()
    assert " ".join(shown).split() == words


def test_contents_leave_out_the_title() -> None:
    assert [(entry.text, entry.deeper) for entry in report_text.contents(document())] == [
        ("Formål", False), ("Læring", False),
    ]  # fmt: skip


def test_every_contents_entry_leads_to_a_heading() -> None:
    found = document()
    anchors = {block.anchor for page in report_text.document_pages(found) for block in page.blocks}
    assert {entry.anchor for entry in report_text.contents(found)} <= anchors


def test_filters_show_choices_and_keep_what_is_chosen() -> None:
    counts = {"temaer": {"jura": 3, "data": 1}, "type": {"kommunal": 4}, "rolle": {"andet": 2, "råd": 1, "formål": 5}}
    shown = facets.facet_views(counts, {"myndighed": ("Vandby",)})
    assert [(facet.field, facet.open) for facet in shown] == [("temaer", False), ("rolle", False), ("myndighed", True)]
    assert [option.label for option in shown[1].options] == ["Formål", "Råd"]
    assert shown[2].options == (facets.Option("Vandby", "Vandby", 0, True),)


def test_statuses_stand_in_the_order_of_a_project_s_life_and_years_newest_first() -> None:
    counts = {"status": {"stoppet": 5, "i drift": 2, "idé": 1}, "periode": {"2020": 1, "2022": 3}}
    status, period = facets.facet_views(counts, {"periode": ("2020-2022",)})
    assert [(one.label, one.count) for one in status.options] == [("Idé", 1), ("I drift", 2), ("Stoppet", 5)]
    assert [(one.value, one.count) for one in period.options] == [("2022", 3), ("2020-2022", None), ("2020", 1)]


def test_a_status_that_the_report_tells_is_shown_with_its_place_and_an_editor_s_is_not() -> None:
    said = Fact(FactKind.STATUS, "i drift", "a.3", 20, 60, date="2023-05")
    told = report_text.told_status(Standing(Status.OPERATION, "2023-05", evidence=said))
    assert told == report_text.ToldStatus("I drift (maj 2023)", "a.3", "20-60")
    assert report_text.told_status(Standing(Status.OPERATION)) is None


def test_removing_a_filter_keeps_the_others() -> None:
    active = facets.active_filters({"temaer": ("jura", "data"), "år": ("2020",)})
    assert [(one.label, dict(one.without)) for one in active] == [
        ("Jura", {"temaer": ("data",), "år": ("2020",)}),
        ("Data", {"temaer": ("jura",), "år": ("2020",)}),
        ("2020", {"temaer": ("jura", "data")}),
    ]


def test_a_filter_nobody_knows_is_shown_as_it_is() -> None:
    assert facets.active_filters({"rolle": ("<b>",)})[0].label == "<b>"


def test_the_copied_passage_names_its_source() -> None:
    metadata = Metadata("a", "Titlen", myndighed="Vandby", år=2020)
    record = DocumentRecord("a", "a.pdf", "0", "application/pdf", "pdf", metadata, 3, 1, 9)
    passage = Passage("a.1", "a", 0, "Vand er vådt.", 0, 13, ("Titlen", "Læring"), 2, 2, Role.LESSON)
    assert quotes.citation_text(passage, record) == (
        "»Vand er vådt.«\nTitlen, Vandby, 2020, side 2, afsnittet Læring (a.1)"
    )


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert labels.inert(cell) == f"'{cell}"
    assert labels.inert("almindelig") == "almindelig"


def test_a_hit_leads_to_the_other_places_with_its_text() -> None:
    metadata = Metadata("a", "Titlen", sprog="en")
    record = DocumentRecord("a", "a.pdf", "0", "application/pdf", "pdf", metadata, 3, 1, 9)
    passage = Passage("a.1", "a", 0, "Vand er vådt.", 0, 13)
    hit = Hit(1, passage, record, Scores(0.5), (), ("b-1.4", "fjernet.2"))
    view = hits.hit_view(hit, {"a": "Titlen", "b-1": "Den anden"})
    assert view.duplicates == (hits.Duplicate("b-1.4", "b-1", "Den anden"),)
    assert view.lang == "en"


@pytest.mark.parametrize("read", list(Format))
def test_every_format_that_is_read_has_a_name_for_people(read: Format) -> None:
    assert labels.file_format(read.value) == labels.FORMATS[read.value]


def test_rows_of_a_quotation_are_a_table_and_its_prose_is_left() -> None:
    text = "Støtten var:\nÅr: 2022; Pris: 3; 4\nÅr: 2023; Pris: 5\nDet var nok."
    before, table, after = table_rows.blocks([Segment(text[:40]), Segment(text[40:], marked=True)])
    assert (before.segments, after.segments) == ((Segment("Støtten var:\n"),), (Segment("Det var nok.", marked=True),))
    assert table.columns == ("År", "Pris")
    assert [row.cells for row in table.rows] == [("2022", "3; 4"), ("2023", "5")]
    assert table.rows[1].marked


def test_a_sentence_of_the_short_answer_is_not_repeated_under_its_project() -> None:
    def finding(number: int) -> Finding:
        return Finding(Role.LESSON, f"Sætning {number}.", number)

    project = ProjectAnswer(
        "Vand",
        "vand",
        ("vand",),
        "By",
        cross_cutting=False,
        certainty=Certainty.SURE,
        findings=(finding(1), finding(2)),
    )
    given = Answer(
        question="Hvad?", kind=QuestionKind.OPEN, build_id="b", created="2026-01-01", filters={},
        sentences=(AnswerSentence("Sætning 1.", (1,), Certainty.SURE),), projects=(project,),
        coverage=Coverage((), ()), certainty=Certainty.SURE, citations=(),
    )  # fmt: skip
    shown = answers.answer_view(given, {}, {}).projects[0]
    assert [one.citation for group in shown.groups for one in group.findings] == [2]
    assert shown.said == (1,)


@pytest.mark.parametrize(("refusal", "shown"), [(None, [TEXT, "koldt"]), (REFUSED, [TEXT])])
def test_a_passage_stands_once_among_the_sources(refusal: Refusal | None, shown: list[str]) -> None:
    def cited(number: int, quote: str) -> Citation:
        start = TEXT.index(quote)
        return Citation(
            number=number, document_id="vand", passage_id="vand.1", start=start, end=start + len(quote), quote=quote,
            title="Vand", project="", heading_path=(), page=None, role=Role.OTHER, inferred=False,
        )  # fmt: skip

    passage = Passage("vand.1", "vand", 1, TEXT, 0, len(TEXT))
    given = Answer(
        question="Hvad?", kind=QuestionKind.OPEN, build_id="b", created="2026-01-01", filters={}, sentences=(),
        projects=(), coverage=Coverage((), ()), certainty=Certainty.SURE, refusal=refusal,
        citations=(cited(1, "vandet"), cited(2, "koldt")),
    )  # fmt: skip
    views = answers.answer_view(given, {"vand.1": passage}, {}).citations
    assert ["".join(segment.text for segment in view.context) for view in views] == shown
