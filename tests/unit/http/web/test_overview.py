"""The pictures of many projects: what stands where, and what is left to the tables behind them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, url_for

from kb.core.models import DocumentRecord, Metadata
from kb.core.stages import Status
from kb.facts.standing import Standing
from kb.http.web import app as web
from kb.http.web.presenters.denmark import denmark_map, places_of, squares
from kb.http.web.presenters.overview import SHOWN, WENT_LABELS, WIDTH, overview, timeline, went
from kb.http.web.presenters.projects import ProjectLine, project_lines
from kb.index.store import StoredRecord
from kb.proposals.authorities import all_authorities
from kb.retrieval.snapshot import ProjectSummary


def report(id_: str, themes: tuple[str, ...] = (), standing: Standing | None = None) -> StoredRecord:
    metadata = Metadata(id=id_, titel=id_, projekt=id_, temaer=themes)
    record = DocumentRecord(id_, f"{id_}.md", "0" * 64, "text/markdown", "markdown", metadata, 0, 1, 10, (), {})
    return StoredRecord(record, "/korpus", "k", standing=standing or Standing())


def base(count: int) -> tuple[list[ProjectLine], dict[str, StoredRecord]]:
    """So many projects, every other of two themes, in years that differ, of Aarhus, Region Sjælland and KL in turn."""
    authorities = ("Aarhus Kommune", "Region Sjælland (Holbæk Sygehus)", "KL")
    statuses = (Status.OPERATION, Status.STOPPED, None)
    records, projects = {}, []
    for index in range(count):
        id_ = f"p{index}"
        themes = ("jura", "data") if index % 2 else ("etik",)
        years = (2000 + index % 20, 2001 + index % 20)
        records[id_] = report(id_, themes, Standing(statuses[index % 3], years=years))
        projects.append(
            ProjectSummary(
                id_, f"Et projekt med et langt navn, nummer {index}", (authorities[index % 3],), themes, (id_,)
            )
        )
    return project_lines(projects, records), records


def test_every_municipality_has_a_square_of_its_own() -> None:
    codes = [one.code for one in all_authorities() if one.kind == "municipalities"]
    assert sorted(squares()) == sorted(codes)
    assert len(codes) == len(set(squares().values())) == 98


@pytest.mark.parametrize(
    ("authority", "places"),
    [
        ("Aarhus Kommune", ["Aarhus Kommune"]),
        ("Syddjurs og Aalborg Kommuner", ["Syddjurs Kommune", "Aalborg Kommune"]),
        ("Region Hovedstaden (Amager og Hvidovre Hospital)", ["Region Hovedstaden"]),
        ("Sjællands Universitetshospital, Køge", []),
        ("Digitaliseringsstyrelsen, KL og Danske Regioner", []),
    ],
)
def test_an_authority_is_where_its_name_says(authority: str, places: list[str]) -> None:
    assert [place.name for place in places_of(authority)] == places


def test_projects_are_counted_where_they_are_and_none_is_lost() -> None:
    lines, _ = base(7)
    found = denmark_map(lines)
    assert [(place.name, len(place.projects)) for place in found.named] == [
        ("Aarhus Kommune", 3),
        ("Region Sjælland", 2),
    ]
    assert found.named[1].authorities == ("Region Sjælland (Holbæk Sygehus)",)
    assert len(found.elsewhere) == 2
    assert len(found.municipalities) + len(found.regions) == 98 + 5


def test_a_picture_holds_what_can_be_read_and_its_table_the_rest() -> None:
    lines, records = base(500)
    view = overview(lines, records)
    assert (len(view.matrix.shown), len(view.matrix.rows), view.matrix.is_cut) == (SHOWN, 500, True)
    assert all(row.reports == {"jura": 1, "data": 1} for row in view.matrix.shown)
    assert view.matrix.themes == ("jura", "data", "etik")
    assert (len(view.timeline.bars), len(view.timeline.lines), view.timeline.untold) == (SHOWN, 500, ())
    assert {bar.line.years[-1] for bar in view.timeline.bars} == {2020}


def test_a_name_is_cut_to_its_two_lines() -> None:
    name = "Uforholdsmæssigtlangtprojektnavn og mere end der er plads til på to linjer af billedet"
    lines = project_lines([ProjectSummary("a", name, (), ("jura",), ("a",))], {"a": report("a", ("jura",))})
    view = overview(lines, {"a": report("a", ("jura",))})
    assert view.matrix.shown[0].name == ("Uforholdsmæssigtlangtprojektn", "avn og mere end der er plads…")
    assert not view.matrix.is_cut


def test_a_bar_covers_its_years_of_the_axis_and_tells_how_it_went() -> None:
    records = {
        "a": report("a", (), Standing(Status.TEST, years=(2020, 2021))),
        "b": report("b", (), Standing(Status.ON_HOLD, years=(2022, 2023))),
        "c": report("c"),
    }
    lines = project_lines([ProjectSummary(id_, id_, (), (), (id_,)) for id_ in records], records)
    view = overview(lines, records).timeline
    assert [(bar.x, bar.width, bar.went) for bar in view.bars] == [(0, 180, "underway"), (180, 180, "stopped")]
    assert [year for year, _ in view.years] == [2020, 2021, 2022, 2023]
    assert [line.summary.name for line in view.untold] == ["c"]


def test_of_many_projects_those_that_ran_last_are_drawn_the_first_begun_uppermost() -> None:
    records = {f"p{year}": report(f"p{year}", (), Standing(years=(year,))) for year in range(1990, 2020)}
    records["lang"] = report("lang", (), Standing(years=(1985, 2021)))
    lines = project_lines([ProjectSummary(id_, id_, (), (), (id_,)) for id_ in records], records)
    bars = timeline(lines).bars
    assert [bar.line.summary.name for bar in bars] == ["lang", *(f"p{year}" for year in range(1996, 2020))]
    # A picture has room for thirty years: the bar begins where the axis does.
    assert (bars[0].x, round(bars[0].width)) == (0, WIDTH)


def test_every_status_has_a_colour_and_a_word() -> None:
    lines = [
        project_lines([ProjectSummary("a", "a", (), (), ("a",))], {"a": report("a", (), Standing(one))})[0]
        for one in Status
    ]
    assert {went(line) for line in lines} == set(WENT_LABELS)


@pytest.fixture(scope="module")
def app() -> Flask:
    made = Flask(web.__name__, root_path=str(Path(web.__file__).parent))
    web.install(made)
    return made


@pytest.mark.parametrize(("count", "pictures"), [(0, 0), (1, 3), (500, 3)])
def test_the_pictures_are_drawn_of_none_one_and_many(app: Flask, count: int, pictures: int) -> None:
    lines, records = base(count)
    with app.test_request_context():
        macro: Any = app.jinja_env.get_template("_billeder.html").module
        page = str(macro.pictures(overview(lines, records)))
        asked = url_for("sider.ask", q="Hvordan håndterede projekterne bias og gennemsigtighed?", temaer="etik")
    assert page.count("<table") == page.count("<section") == pictures
    # What is drawn is for the eye: no link in it can be reached by keyboard, and each stands in a table too.
    drawn = set(re.findall(r'<a href="([^"]+)" tabindex="-1">', page))
    assert drawn <= set(re.findall(r'<a href="([^"]+)">', page))
    assert (asked.replace("&", "&amp;") in page) == (count > 0)
    assert len(page) < 1_000_000


def test_a_click_asks_the_question_of_the_page(app: Flask) -> None:
    lines, records = base(2)
    with app.test_request_context():
        macro: Any = app.jinja_env.get_template("_billeder.html").module
        page = str(macro.folded_pictures(overview(lines, records), "Hvad med GDPR?"))
        none = str(macro.folded_pictures(None, "Hvad med GDPR?")).strip()
    assert "q=Hvad+med+GDPR?&amp;temaer=jura" in page
    assert "bias" not in page
    assert none == ""
