"""Who may see a report: groups of reports and of people, and how they are written."""

from __future__ import annotations

import pytest

from kb.core.access import EVERYTHING, NOBODY, Access, group_names, names_in, shared_by

HR = Access(frozenset({"HR"}))


@pytest.mark.parametrize(
    ("access", "needed", "permitted"),
    [
        (Access(), (), True),
        (Access(), ("HR",), False),
        (HR, ("HR", "Ledelse"), True),
        (HR, ("Ledelse",), False),
        (HR, ("hr",), False),
        (HR, (NOBODY,), False),
        (EVERYTHING, ("HR",), True),
        (EVERYTHING, (NOBODY,), True),
    ],
)
def test_one_of_a_reports_groups_is_enough_and_none_is_for_everyone(
    access: Access, needed: tuple[str, ...], permitted: bool
) -> None:
    assert access.permits(needed) is permitted


def test_what_was_written_by_someone_in_groups_is_for_those_in_all_of_them() -> None:
    assert HR.includes(("HR",))
    assert not HR.includes(("HR", "Jura"))
    assert Access().includes(())
    assert EVERYTHING.includes(("HR", "Jura"))


@pytest.mark.parametrize("access", [Access(), HR, Access(frozenset({"Løn, øst", '"'})), EVERYTHING])
def test_access_is_stored_whole(access: Access) -> None:
    assert Access.from_text(access.as_text()) == access


def test_a_groups_name_is_the_same_however_its_letters_are_composed() -> None:
    assert group_names(["Tåstrup", "Ta\u030astrup ", "", "HR"]) == ("HR", "Tåstrup")
    assert names_in(" HR;Jura, HR ,") == ("HR", "Jura")


@pytest.mark.parametrize(
    ("named", "needed"),
    [
        ([(), ()], ()),
        ([(), ("alle",)], ("alle",)),
        ([(), ("HR",)], ("HR",)),
        ([("HR", "Jura"), ("Jura",)], ("Jura",)),
        ([("HR",), ("Jura",)], (NOBODY,)),
        ([("HR",), ("alle",)], ("HR",)),
    ],
)
def test_a_file_is_for_those_who_may_see_all_that_is_in_it(
    named: list[tuple[str, ...]], needed: tuple[str, ...]
) -> None:
    assert shared_by(named) == needed
