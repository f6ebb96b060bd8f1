"""Lessons leave as files and come back as they were."""

from __future__ import annotations

import json

import pytest

from kb.core.errors import InputError
from kb.core.stages import Phase
from kb.lessons.exchange import COLUMNS, from_json, from_rows, rows, to_json
from kb.lessons.lesson import Evidence, Lesson, LessonStatus

LESSONS = [
    Lesson(
        lesson="Begynd med hjemlen.",
        event="Driften manglede hjemmel.\nDet tog et år.",
        evidence=(Evidence.of("air", "Driften manglede hjemmel."), Evidence.of("asta", "Juristerne kom sent.")),
        phase=Phase.LAW_AND_DATA,
        themes=("jura", "data"),
        owner="digital@kommune.dk",
        review_by="2027-01-31",
        status=LessonStatus.CONFIRMED,
        id="a1",
        made="2026-11-29T10:00:00+00:00",
    ),
    Lesson(lesson="Afprøv i det små.", id="b2"),
]
HEADINGS = tuple(COLUMNS.values())


def test_a_json_file_comes_back_as_it_was() -> None:
    assert from_json(to_json(LESSONS)) == LESSONS


def test_a_spreadsheet_comes_back_as_it_was_whatever_order_its_columns_have() -> None:
    table = [HEADINGS, *rows(LESSONS)]
    assert len(table) == 4
    assert from_rows(table) == LESSONS
    assert from_rows([row[::-1] for row in table]) == LESSONS


def test_rows_without_an_id_are_lessons_of_their_own() -> None:
    found = from_rows([("læring", "rapport", "citat"), ("En.", "air", "Ord."), ("To.", "", ""), ("", "", "")])
    assert [(one.id, one.lesson, len(one.evidence)) for one in found] == [("", "En.", 1), ("", "To.", 0)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([], "tom"),
        ([("læring", "vejr")], "Ukendt kolonne: vejr"),
        ([("læring", "fase"), ("En.", "sommer")], "»En.« kan ikke læses: fase"),
        ([("læring",), ("",), (" x ",), ("\x00",)], "ikke er tekst"),
        ([("læring", "status"), ("En.", "bekræftet")], "Erfaring 1: En bekræftet erfaring skal have"),
    ],
)
def test_a_wrong_row_is_named(table: list[tuple[str, ...]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_rows(table)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lessons": [{"lesson": "x", "vejr": 1}]}', "\x00"])
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="kan ikke læses"):
        from_json(text)


def test_a_wrong_lesson_of_a_file_is_named() -> None:
    text = json.dumps({"lessons": [{"lesson": "En."}, {"lesson": "To.", "themes": ["vejr"]}]})
    with pytest.raises(InputError, match="Erfaring 2: Ukendt tema: vejr"):
        from_json(text)
