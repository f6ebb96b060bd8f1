"""``docs/errors.md`` is what the errors and the API's problems say, each under one code."""

from __future__ import annotations

from collections import Counter

from kb.core.errors import FURTHER_CODES, IndexUnusableError, KbError
from kb.http.api.problem_details import NO_INDEX, PROBLEMS, problem_of
from tools import errors_page


def test_the_page_is_that_of_the_errors_and_the_problems() -> None:
    page = errors_page.TARGET.read_text(encoding="utf-8")
    assert page == errors_page.page(), "Kør: make reference"


def test_every_code_stands_there_once() -> None:
    rows = [line for line in errors_page.page().splitlines() if line.startswith("| `")]
    counted = Counter(line.split("`")[1] for line in rows)
    assert set(counted) == {kind.code for kind in errors_page.kinds()} | set(FURTHER_CODES) | set(PROBLEMS)
    assert max(counted.values()) == 1


def test_an_error_whose_code_is_a_problem_of_the_api_comes_out_as_that_problem() -> None:
    assert [kind for kind in errors_page.kinds() if kind.code in PROBLEMS and problem_of(kind).code != kind.code] == []
    assert problem_of(KbError).status == 500


def test_whatever_is_wrong_with_the_index_is_told_as_what_it_is() -> None:
    kinds = [kind for kind in errors_page.kinds() if issubclass(kind, IndexUnusableError)]
    told = {problem_of(kind).code for kind in kinds if kind is not IndexUnusableError}
    assert told == {*NO_INDEX, "anden-model"}
