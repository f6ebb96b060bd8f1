"""The rules of folders: the nearest counts, and one that cannot be used keeps what it is about out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import indexing
from kb.core.errors import MetadataError
from kb.index.places import place_of
from kb.indexing.extraction import RESTRICTED
from kb.indexing.folder_access import RULE_FILE, FolderRules
from kb.indexing.plan import WRONG_RULE, Plan
from kb.retrieval.opening import open_snapshot
from kb.state.restricted import RestrictedReports
from tests.support import HashEmbedder, make_settings, report_text, write_corpus


def rule(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RULE_FILE).write_text(text, encoding="utf-8")


def test_the_nearest_rule_counts(tmp_path: Path) -> None:
    rule(tmp_path / "hr", "adgang: [HR, Ledelse]\n")
    rule(tmp_path / "hr" / "åben", "adgang: alle\n")
    rule(tmp_path / "hr" / "dybt" / "nede", "adgang: Jura\n")
    rules = FolderRules(tmp_path)
    assert rules.groups_of("a.md") == ()
    assert rules.groups_of("hr/a.md") == ("HR", "Ledelse")
    assert rules.groups_of("hr/dybt/a.md") == ("HR", "Ledelse")
    assert rules.groups_of("hr/dybt/nede/a.md") == ("Jura",)
    assert rules.groups_of("hr/åben/2024/a.md") == ()


@pytest.mark.parametrize(
    "text",
    ["", "adgang:\n", "adgang: []\n", "adgan: [HR]\n", "- HR\n", "adgang: [HR]\ntitel: x\n", "adgang: [HR, alle]"],
)
def test_a_rule_that_says_no_group_is_refused(tmp_path: Path, text: str) -> None:
    rule(tmp_path, text)
    with pytest.raises(MetadataError):
        FolderRules(tmp_path).groups_of("a.md")


def test_what_an_unusable_rule_is_about_is_not_read(tmp_path: Path) -> None:
    rule(tmp_path / "hr", "adgang HR")
    for name in ("hr/a.md", "b.md"):
        (tmp_path / name).write_text("tekst", encoding="utf-8")
    plan = Plan.make([tmp_path])
    assert [source.path for source in plan.sources] == ["b.md"]
    assert [(failure.path, failure.code) for failure in plan.unopened] == [("hr/a.md", WRONG_RULE)]


def test_the_same_bytes_for_other_readers_are_another_report_and_a_new_rule_another_plan(tmp_path: Path) -> None:
    rule(tmp_path / "hr", "adgang: HR\n")
    for name in ("hr/a.md", "b.md", "c.md"):
        (tmp_path / name).write_text("tekst", encoding="utf-8")
    plan = Plan.make([tmp_path])
    assert [(one.path, one.access, plan.aliases_of(one)) for one in plan.sources] == [
        ("b.md", (), ("c.md",)), ("hr/a.md", ("HR",), ()),
    ]  # fmt: skip
    rule(tmp_path / "hr", "adgang: Jura\n")
    assert Plan.make([tmp_path]).digest() != plan.digest()


@pytest.mark.slow
def test_what_is_for_some_is_not_read_where_reports_cannot_be(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    write_corpus(settings.corpus, {"hr/sag.md": report_text("sag"), "b.md": report_text("vand")})
    rule(settings.corpus / "hr", "adgang: HR\n")
    indexing.run(settings, HashEmbedder())
    with_groups = settings.model_copy(update={"access_groups": True})
    before = open_snapshot(place_of(settings))
    assert [(one.path, one.code) for one in before.failures()] == [("hr/sag.md", RESTRICTED)]
    assert list(before.records) == ["b"]
    indexing.run(with_groups, HashEmbedder())
    after = open_snapshot(place_of(settings))
    assert after.restricted == {"hr-sag": ("HR",)}
    assert RestrictedReports(settings.state_dir).known() == {"hr-sag": ("HR",)}
