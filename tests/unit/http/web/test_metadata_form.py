"""The editors' form: what stands in it for a report, and what is made of what was sent."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from kb.core.errors import InputError
from kb.core.fields import EDITABLE
from kb.core.models import Certainty, Metadata
from kb.http.web import metadata_form
from kb.proposals.proposal import Proposal

METADATA = Metadata(
    id="a", titel="Titel", type="statslig", år=2021, temaer=("jura", "etik"), inferred=frozenset({"titel"})
)


def test_every_field_an_editor_may_set_stands_there_with_its_value() -> None:
    entries = {entry.name: entry for entry in metadata_form.entries(METADATA, with_groups=True)}
    assert list(entries) == [field.name for field in EDITABLE]
    assert (entries["titel"].value, entries["titel"].inferred) == ("Titel", True)
    assert (entries["år"].value, entries["periode"].value) == ("2021", "")
    assert entries["temaer"].values == ("jura", "etik")
    assert entries["type"].words["statslig"] == "Statslig"


def test_what_is_sent_becomes_values_of_the_right_kind() -> None:
    sent = MultiDict(
        [("titel", " En  titel "), ("år", "2023"), ("type", "statslig"), ("temaer", "etik"), ("temaer", "data")]
    )
    values = metadata_form.read(sent)
    assert set(values) == {field.name for field in EDITABLE} - {"adgang"}
    assert (values["titel"], values["år"], values["type"]) == ("En titel", 2023, "statslig")
    assert values["temaer"] == ["data", "etik"]
    assert values["projekt"] == ""


def test_a_word_that_cannot_be_chosen_is_left_out_and_an_emptied_value_is_empty() -> None:
    values = metadata_form.read(MultiDict([("type", "privat"), ("temaer", "vejret"), ("år", " ")]))
    assert (values["type"], values["temaer"], values["år"]) == ("", [], None)


def test_groups_are_one_line_in_the_form_and_stay_as_they_are_where_it_has_none() -> None:
    held = Metadata("id", "Titel", adgang=("HR", "Jura"))
    by_name = {one.name: one for one in metadata_form.entries(held, with_groups=True)}
    assert by_name["adgang"].value == "HR, Jura"
    assert "adgang" not in {one.name for one in metadata_form.entries(held)}
    assert metadata_form.read(MultiDict([("adgang", " Jura ;HR,, Jura")]))["adgang"] == ["HR", "Jura"]
    assert metadata_form.read(MultiDict([("adgang", "")]))["adgang"] == []


@pytest.mark.parametrize("year", ["i fjor", "20233", "1799", "²⁰²³"])
def test_a_year_that_is_none_is_refused(year: str) -> None:
    with pytest.raises(InputError, match="År skal være"):
        metadata_form.read(MultiDict([("år", year)]))


def proposal(field: str, value: str | int, certainty: Certainty = Certainty.SURE) -> Proposal:
    return Proposal(field, value, certainty, "Står på forsiden.", str(value), 0, 4, 1)


def test_what_the_report_says_of_itself_is_filled_in_as_a_proposal() -> None:
    found = {
        entry.name: entry
        for entry in metadata_form.entries(Metadata("a", "A"), [proposal("år", 2022), proposal("myndighed", "KL")])
    }
    assert (found["år"].value, found["år"].proposals) == ("2022", (proposal("år", 2022),))
    assert (found["myndighed"].value, found["myndighed"].inferred) == ("KL", False)


def test_what_an_editor_wrote_stands_and_no_proposal_beside_it() -> None:
    found = {entry.name: entry for entry in metadata_form.entries(METADATA, [proposal("år", 2022)])}
    assert (found["år"].value, found["år"].proposals) == ("2021", ())


def test_an_unsure_proposal_is_told_of_and_not_filled_in() -> None:
    unsure = proposal("myndighed", "KL", Certainty.UNSURE)
    found = {entry.name: entry for entry in metadata_form.entries(Metadata("a", "A"), [unsure])}
    assert (found["myndighed"].value, found["myndighed"].proposals) == ("", (unsure,))


def test_a_project_of_its_own_is_not_written_by_saving() -> None:
    own = Metadata("a", "A", projekt="A", inferred=frozenset({"titel", "projekt"}))
    assert {entry.name: entry.value for entry in metadata_form.entries(own)}["projekt"] == ""


def test_what_other_reports_have_is_offered() -> None:
    found = {entry.name: entry for entry in metadata_form.entries(METADATA, known={"projekt": {"Asta": 2, "Bo": 1}})}
    assert found["projekt"].offered == ("Asta", "Bo")


def test_each_proposed_theme_has_its_evidence_and_the_sure_ones_are_ticked() -> None:
    proposals = [proposal("temaer", "jura"), proposal("temaer", "data", Certainty.UNSURE)]
    found = {entry.name: entry for entry in metadata_form.entries(Metadata("a", "A"), proposals)}
    assert (found["temaer"].values, found["temaer"].proposals) == (("jura",), tuple(proposals))


def test_what_reports_have_is_told_by_field_the_most_used_first_and_no_title_is() -> None:
    known = metadata_form.known_values(
        [Metadata("a", "A", projekt="Bo"), Metadata("b", "B", projekt="Asta"), Metadata("c", "C", projekt="Asta")]
    )
    assert known["projekt"] == ("Asta", "Bo")
    assert "titel" not in known
