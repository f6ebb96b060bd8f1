"""What a house decides of words and passages: checked before it is stored, and the same again when it is read."""

from __future__ import annotations

import pytest

from kb.core.errors import InputError, NotFoundError
from kb.curation import words
from kb.curation.words import Curation, checked_group, checked_pin, names_of

GROUP = checked_group(["skraldebil", "renovationskøretøj"], "Affaldsplanen")
PIN = checked_pin("Hvornår tømmes skraldet?", "affald", "Skraldet tømmes om\nmandagen.")


def test_names_are_written_one_a_line_or_between_commas() -> None:
    assert [name.strip() for name in names_of("skraldebil, renovationsbil\n\nlastbil; vogn\r\n")] == [
        "skraldebil", "renovationsbil", "lastbil", "vogn",
    ]  # fmt: skip


def test_a_group_has_each_name_once_in_the_order_written() -> None:
    names = [" Skraldebil ", "renovations\nbil", "skraldebil", ""]
    assert checked_group(names).names == ("Skraldebil", "renovations bil")


@pytest.mark.parametrize(
    "names", [[], ["skraldebil"], ["skraldebil", "Skraldebil"], ["skraldebil", "2026"], ["a", "b" * 81]]
)
def test_what_is_no_group_of_names_is_refused(names: list[str]) -> None:
    with pytest.raises(InputError):
        checked_group(names)


def test_personal_data_is_masked_in_names_notes_and_questions() -> None:
    group = checked_group(["010190-1238", "skraldebil"], "Spørg anna.and@kommune.dk")
    assert group.names[0] == "[CPR-nummer skjult]"
    assert "anna" not in group.note
    assert "010190" not in checked_pin("Hvem er 010190-1238?", "affald", "Ord.").question


def test_what_is_read_again_is_the_same() -> None:
    held = Curation(switched_off=("hospital",)).with_group(GROUP).with_pin(PIN)
    assert Curation.from_json(held.to_json()) == held


def test_groups_and_pins_come_once_and_go_by_their_ids() -> None:
    held = Curation().with_group(GROUP).with_group(GROUP).with_pin(PIN).with_pin(PIN)
    assert (held.groups, held.pins) == ((GROUP,), (PIN,))
    assert held.without_group(GROUP.id).without_pin(PIN.id) == Curation()
    for remove in (Curation().without_group, Curation().without_pin):
        with pytest.raises(NotFoundError):
            remove("findes-ikke")


def test_a_shipped_group_is_switched_off_and_on() -> None:
    off = Curation().switched("hospital", on=False).switched("hospital", on=False)
    assert off.switched_off == ("hospital",)
    assert off.switched("hospital", on=True) == Curation()


def test_there_is_a_limit_to_how_much_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST_GROUPS", 1)
    with pytest.raises(InputError, match="for mange"):
        Curation().with_group(GROUP).with_group(checked_group(["a", "b"]))
