"""The list of authorities, and finding them in texts."""

from __future__ import annotations

import pytest

from kb.proposals.authorities import all_authorities, mentions


def names(text: str, *, places: bool = False) -> list[str]:
    return [mention.authority.name for mention in mentions(text, places=places)]


def test_the_list_has_every_municipality_and_region() -> None:
    kinds = [authority.kind for authority in all_authorities()]
    assert (kinds.count("municipalities"), kinds.count("regions")) == (98, 5)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Aarhus Kommune", "Aarhus Kommune"), ("Århus Kommunes veje", "Aarhus Kommune"),
        ("SVENDBORG KOMMUNE", "Svendborg Kommune"), ("Københavns Kommune", "Københavns Kommune"),
        ("Bornholms Regionskommune", "Bornholms Regionskommune"), ("i Region Syddanmark.", "Region Syddanmark"),
        ("Undervisningsministeriets plan", "Børne- og Undervisningsministeriet"), ("KL's vejledning", "KL"),
        ("SDFE", "Klimadatastyrelsen"), ("Høje Tåstrup Kommune", "Høje-Taastrup Kommune"),
    ],
)  # fmt: skip
def test_an_authority_is_found_in_its_forms(text: str, name: str) -> None:
    assert names(text) == [name]


@pytest.mark.parametrize("text", ["kl. 14", "OS2sofd", "en star i en kasse", "Viborgvej 2", "kommunen"])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert names(text, places=True) == []


def test_a_place_alone_is_told_from_the_municipality() -> None:
    found = list(mentions("Svendborg og Svendborg Kommune", places=True))
    assert [(mention.by_place, mention.start) for mention in found] == [(True, 0), (False, 13)]
