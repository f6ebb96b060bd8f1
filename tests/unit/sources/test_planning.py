"""The plan of a sync: what is new, changed, renamed, deleted and waited for, and what must be confirmed first."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from kb.sources.listing import Listing, RemoteFile
from kb.sources.planning import Plan, Settling, loss_of, plan
from kb.state.sources import KnownFile

NOW = 1_000_000.0


def known(path: str, version: str = "1", identity: str = "") -> KnownFile:
    return KnownFile(path, version, identity, local=path, digest="d")


def planned(
    files: Sequence[RemoteFile],
    before: Sequence[KnownFile] = (),
    *,
    unseen: tuple[str, ...] = (),
    settle: float = 0.0,
    missing: Collection[str] = (),
    edited: Collection[str] = (),
) -> Plan:
    return plan(
        Listing(tuple(files), unseen=unseen),
        before,
        takes=lambda path: path.endswith(".pdf"),
        settling=Settling(NOW, settle),
        missing=missing,
        edited=edited,
    )


def paths(files: Sequence[RemoteFile | KnownFile]) -> list[str]:
    return [file.path for file in files]


def test_new_changed_deleted_and_other_kinds_are_told_apart() -> None:
    files = [RemoteFile("ny.pdf", "1"), RemoteFile("b.pdf", "2"), RemoteFile("ens.pdf", "1"), RemoteFile("x.exe", "1")]
    found = planned(files, [known("b.pdf"), known("ens.pdf"), known("væk.pdf")])
    assert (paths(found.new), paths(found.changed), paths(found.deleted)) == (["ny.pdf"], ["b.pdf"], ["væk.pdf"])
    assert (found.unchanged, found.passed_over) == (1, 1)
    assert found.summary == "1 ny, 1 ændret, 1 slettes"


def test_the_same_again_is_nothing_to_do() -> None:
    assert not planned([RemoteFile("a.pdf", "1")], [known("a.pdf")]).changes


def test_a_copy_that_is_gone_is_fetched_again() -> None:
    assert paths(planned([RemoteFile("a.pdf", "1")], [known("a.pdf")], missing={"a.pdf"}).changed) == ["a.pdf"]


def test_what_cannot_be_seen_is_not_taken_to_be_gone() -> None:
    before = [known("lukket/a.pdf"), known("lukket.pdf"), known("åben/b.pdf")]
    assert paths(planned([], before, unseen=("lukket",)).deleted) == ["lukket.pdf", "åben/b.pdf"]


def test_a_renamed_tree_is_renamed() -> None:
    before = [known(f"gammel/{name}.pdf", identity=name) for name in "abc"]
    found = planned([RemoteFile(f"ny/{name}.pdf", "1", identity=name) for name in "abc"], before)
    assert [(one.known.path, one.file.path, one.sure) for one in found.renamed] == [
        (f"gammel/{name}.pdf", f"ny/{name}.pdf", False) for name in "abc"
    ]
    assert not (found.new)
    assert not (found.deleted)


def test_copies_of_one_file_are_paired_by_name_or_not_at_all() -> None:
    before = [known("x/a.pdf", identity="same"), known("x/b.pdf", identity="same")]
    files = [RemoteFile("y/a.pdf", "1", identity="same"), RemoteFile("y/c.pdf", "1", identity="same")]
    found = planned(files, before)
    assert [(one.known.path, one.file.path) for one in found.renamed] == [("x/a.pdf", "y/a.pdf")]
    assert (paths(found.new), paths(found.deleted)) == (["y/c.pdf"], ["x/b.pdf"])


@pytest.mark.parametrize(("version", "sure"), [("1", True), ("2", False)])
def test_an_item_with_a_number_of_its_own_is_known_again_without_a_look(version: str, sure: bool) -> None:
    file = RemoteFile("ny.pdf", version, identity="7", certain=True)
    assert planned([file], [known("gl.pdf", identity="7")]).renamed[0].sure is sure


def test_a_file_that_may_still_be_written_is_waited_for() -> None:
    file = RemoteFile("a.pdf", "2", modified=NOW - 5)
    assert paths(planned([file], [known("a.pdf")], settle=60).waiting) == ["a.pdf"]
    assert paths(planned([file], settle=60).waiting) == ["a.pdf"]
    assert paths(planned([file], settle=3).new) == ["a.pdf"]


def test_a_file_from_the_future_is_taken_once_it_has_lain_still() -> None:
    file = RemoteFile("a.pdf", "2", modified=NOW + 10_000)
    seen = KnownFile("a.pdf", seen="2", seen_at=NOW - 61)
    assert paths(planned([file], [seen], settle=60).new) == ["a.pdf"]
    for too_early in (KnownFile("a.pdf", seen="2", seen_at=NOW - 59), KnownFile("a.pdf", seen="1", seen_at=0)):
        assert paths(planned([file], [too_early], settle=60).waiting) == ["a.pdf"]


def test_a_copy_that_someone_changed_here_is_neither_replaced_nor_deleted() -> None:
    before = [known("a.pdf"), known("b.pdf", identity="i")]
    found = planned(
        [RemoteFile("a.pdf", "2"), RemoteFile("c.pdf", "1", identity="i")], before, edited={"a.pdf", "b.pdf"}
    )
    assert (paths(found.edited), paths(found.released), paths(found.new)) == (["a.pdf"], ["b.pdf"], ["c.pdf"])
    assert not (found.changed)
    assert not (found.deleted)
    assert not (found.renamed)


def test_a_source_that_is_suddenly_empty_or_lost_much_must_be_confirmed() -> None:
    before = [known(f"{number}.pdf") for number in range(10)]
    files = [RemoteFile(one.path, "1") for one in before]
    assert "tom" in loss_of(planned([], before), 1.0)
    assert "3 af 10" in loss_of(planned(files[:7], before), 0.25)
    assert loss_of(planned(files[:8], before), 0.25) == ""
    assert loss_of(planned([], before), 0.25, confirmed=10) == ""
    assert loss_of(planned([], before), 0.25, confirmed=9) != ""
    assert loss_of(planned([]), 0.25) == ""
