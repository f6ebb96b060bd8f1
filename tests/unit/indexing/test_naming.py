"""Titles told apart, and a project of its own for each report without one."""

from __future__ import annotations

from kb.core.models import Document, Metadata
from kb.indexing.naming import Naming, named
from kb.proposals.proposing import propose


def document(id_: str, title: str, path: str, *, project: str = "", written: bool = False) -> Document:
    inferred = frozenset({"id"} if written else {"id", "titel"})
    return Document(path, "", "", "", Metadata(id_, title, projekt=project, inferred=inferred), title)


def named_by_id(*documents: Document, versions: dict[str, str] | None = None) -> dict[str, Metadata]:
    naming = Naming()
    for one in documents:
        naming.seen(one)
    names = naming.names(versions or {})
    return {one.id: named(one, names[one.id], propose(one)).metadata for one in documents}


def test_two_reports_of_one_title_are_told_apart_by_their_files() -> None:
    found = named_by_id(document("a", "Nyt fra vejen", "nr 6.pdf"), document("b", "Nyt fra vejen", "nr 7.pdf"))
    assert [one.titel for one in found.values()] == ["Nyt fra vejen (nr 6)", "Nyt fra vejen (nr 7)"]


def test_a_title_that_an_editor_wrote_is_left_alone() -> None:
    found = named_by_id(
        document("a", "Nyt fra vejen", "a.pdf", written=True), document("b", "Nyt fra vejen", "nr 7.pdf")
    )
    assert [one.titel for one in found.values()] == ["Nyt fra vejen", "Nyt fra vejen (nr 7)"]


def test_a_report_without_a_project_is_its_own_and_says_that_it_was_inferred() -> None:
    found = named_by_id(document("a", "Salt", "a.pdf"), document("b", "Grus", "b.pdf", project="Vinter"))
    assert (found["a"].projekt, "projekt" in found["a"].inferred) == ("Salt", True)
    assert (found["b"].projekt, "projekt" in found["b"].inferred) == ("Vinter", False)


def test_versions_share_their_project_and_keep_their_titles() -> None:
    twins = document("a", "Salt på veje", "a.pdf"), document("b", "Salt på veje", "b.docx")
    found = named_by_id(*twins, versions={"b": "a"})
    assert [(one.titel, one.projekt) for one in found.values()] == [("Salt på veje", "Salt på veje")] * 2


def test_a_report_about_many_is_of_no_project() -> None:
    assert named_by_id(document("a", "Evaluering af de 40 saltprojekter", "a.pdf"))["a"].projekt == ""


def test_files_of_one_name_in_several_folders_are_told_apart_by_their_folders() -> None:
    found = named_by_id(
        document("a", "Notat", "2023/notat.docx"),
        document("b", "Notat", "2024/notat.docx"),
        document("c", "Notat", "x.docx"),
    )
    assert [one.titel for one in found.values()] == ["Notat (2023)", "Notat (2024)", "Notat (x)"]


def test_what_is_attached_to_a_mail_is_of_its_project() -> None:
    mail, attached = document("a", "Salt", "m.eml"), document("b", "Bilag", "m.eml › bilag.pdf")
    assert named_by_id(mail, attached)["b"].projekt == "Salt"
    assert named_by_id(mail, attached, versions={"a": "b"})["b"].projekt == "Salt"
