"""Changes to the corpus folder stay inside it, keep ids and metadata, and never show half a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kb import indexing
from kb.core.errors import InputError, UnreadableUploadError
from kb.core.settings import Settings
from kb.index.places import place_of
from kb.index.store import Failure, StoredRecord
from kb.indexing.run import UNPACKED
from kb.operations import editing
from kb.operations.inside_files import unpacked_file
from kb.retrieval.opening import open_snapshot
from kb.retrieval.snapshot_holder import SnapshotHolder
from kb.retrieval.visible_snapshot import VisibleSnapshotHolder
from kb.state.upload_names import UploadNames, shown_name
from tests.support import HashEmbedder, make_settings, write_odd_files
from tests.unit.extract.making import container, eml


class Sent:
    """An upload of some text."""

    def __init__(self, filename: str | None, text: str = "Ny tekst om vand i kommunen.") -> None:
        self.filename = filename
        self._text = text

    def save(self, dst: Path) -> None:
        dst.write_text(self._text, encoding="utf-8")


class Sparse(Sent):
    """An upload of 900 MiB that takes no room on the disk."""

    def save(self, dst: Path) -> None:
        super().save(dst)
        with dst.open("ab") as file:
            file.truncate(900 << 20)


class Broken(Sent):
    """An upload whose connection is lost halfway."""

    def save(self, dst: Path) -> None:
        dst.write_text("halv", encoding="utf-8")
        raise ConnectionResetError


def record(settings: Settings, document_id: str) -> StoredRecord:
    return open_snapshot(place_of(settings)).records[document_id]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Rapport æøå (2).pdf", "Rapport æøå (2).pdf"), ("../../etc/passwd", "passwd"),
        ("C:\\mapper\\fil.docx", "fil.docx"), ("a\x00b\nc.txt", "a b c.txt"), ("", "uden navn"),
        ("010190-1238 sag.pdf", "[CPR-nummer skjult] sag.pdf"),
        ("a" * 300 + ".pdf", "a" * 147 + "…" + "a" * 8 + ".pdf"),
    ],
)  # fmt: skip
def test_a_name_is_shown_without_what_is_none_of_it(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_file_is_kept_under_a_name_of_our_own_and_known_by_its_own(settings: Settings) -> None:
    sent = {
        "Årsrapport (2).txt": "indlagt/aarsrapport-2.txt",
        "årsrapport 2.md": "indlagt/aarsrapport-2.md",
        "ÅRSRAPPORT-2.txt": "indlagt/aarsrapport-2-2.txt",
        "010190-1238.txt": "indlagt/cpr-nummer-skjult.txt",
    }
    assert [editing.add(settings, Sent(name)) for name in sent] == list(sent.values())
    names = UploadNames(settings.state_dir).all()
    assert names["indlagt/aarsrapport-2.txt"] == "Årsrapport (2).txt"
    assert names["indlagt/cpr-nummer-skjult.txt"] == "[CPR-nummer skjult].txt"


def test_what_no_reader_takes_is_not_kept(settings: Settings) -> None:
    with pytest.raises(UnreadableUploadError, match="program"):
        editing.add(settings, Sent("rapport.pdf", "MZ og mere"))
    assert list((settings.corpus / editing.FOLDER).iterdir()) == []


def test_what_is_sent_is_looked_at_under_the_limits_of_reading(settings: Settings) -> None:
    """In this process the same file would be read whole, whatever its size."""
    small = settings.model_copy(update={"read_memory_mb": 256})
    with pytest.raises(UnreadableUploadError, match="256 MiB"):
        editing.add(small, Sparse("stor.md"))
    assert list((settings.corpus / editing.FOLDER).iterdir()) == []


def test_a_lost_connection_leaves_nothing_behind(settings: Settings) -> None:
    with pytest.raises(ConnectionResetError):
        editing.add(settings, Broken("a.md"))
    assert list((settings.corpus / editing.FOLDER).iterdir()) == []


@pytest.mark.slow
def test_metadata_is_kept_where_nothing_is_said_of_it_and_emptied_where_it_is(indexed: Settings) -> None:
    path = indexed.corpus / "asta.md"
    sidecar = path.with_name("asta.md.meta.yaml")
    sidecar.write_text("kilder: [{url: 'https://example.dk'}]\ntitel: Gammel\nemne: Notater\n", encoding="utf-8")
    editing.replace_metadata(indexed, record(indexed, "asta"), {"titel": "Ny", "emne": "", "år": 2024})
    assert yaml.safe_load(sidecar.read_text(encoding="utf-8")) == {
        "kilder": [{"url": "https://example.dk"}], "titel": "Ny", "emne": "", "år": 2024,
    }  # fmt: skip


@pytest.mark.slow
def test_a_replaced_report_keeps_its_address_in_another_format(indexed: Settings) -> None:
    path = editing.replace(indexed, record(indexed, "asta"), Sent("Ny udgave.txt"))
    assert path == "asta.txt"
    assert UploadNames(indexed.state_dir).all() == {"asta.txt": "Ny udgave.txt"}
    assert not (indexed.corpus / "asta.md").exists()
    indexing.run(indexed, HashEmbedder())
    document = open_snapshot(place_of(indexed)).document("asta").document
    assert "Ny tekst om vand" in document.text
    assert (document.metadata.projekt, document.metadata.år) == ("ASTA", 2021)


def test_a_removed_report_takes_its_metadata_along(indexed: Settings) -> None:
    stored = record(indexed, "asta")
    editing.replace_metadata(indexed, stored, {"titel": "Ny"})
    editing.remove(indexed, stored)
    assert not list(indexed.corpus.glob("asta*"))


@pytest.mark.slow
def test_a_replaced_report_of_the_same_format_stays_in_its_place(indexed: Settings) -> None:
    assert editing.replace(indexed, record(indexed, "asta"), Sent("Ny udgave.markdown")) == "asta.md"
    assert (indexed.corpus / "asta.md").read_text(encoding="utf-8").startswith("Ny tekst")
    with pytest.raises(UnreadableUploadError):
        editing.replace(indexed, record(indexed, "asta"), Sent("Ny udgave.md", "MZ"))
    assert sorted(path.name for path in indexed.corpus.glob(".*")) == []


def test_nothing_outside_the_corpus_is_touched(indexed: Settings, tmp_path: Path) -> None:
    outside = tmp_path / "andet.md"
    outside.write_text("# Andet\n", encoding="utf-8")
    stored = record(indexed, "asta")
    astray = replace(stored, record=replace(stored.record, path="../andet.md"))
    for change in (
        lambda: editing.remove(indexed, astray),
        lambda: editing.replace(indexed, astray, Sent("b.md")),
        lambda: editing.replace_metadata(indexed, astray, {"titel": "x"}),
        lambda: editing.remove_unread(indexed, Failure(stored.root, "../andet.md", "", "", "")),
    ):
        with pytest.raises(InputError, match="uden for"):
            change()
    assert sorted(path.name for path in tmp_path.glob("andet*")) == ["andet.md"]


@pytest.mark.slow
def test_a_report_whose_name_leaves_no_room_for_metadata_is_told_of(indexed: Settings) -> None:
    long = "l" * 250 + ".md"
    (indexed.corpus / "asta.md").rename(indexed.corpus / long)
    indexing.run(indexed, HashEmbedder())
    (stored,) = [one for one in open_snapshot(place_of(indexed)).records.values() if one.record.path == long]
    for change in (
        lambda: editing.replace_metadata(indexed, stored, {"titel": "x"}),
        lambda: editing.replace(indexed, stored, Sent("b.html", "<html><p>Ny tekst om vand.</p></html>")),
    ):
        with pytest.raises(InputError, match="for langt"):
            change()
    editing.remove(indexed, stored)
    assert sorted(path.name for path in indexed.corpus.glob("*")) == ["faldrisiko.md", "mail", "noter.txt"]


def test_what_cannot_be_removed_from_here_is_told_of(settings: Settings) -> None:
    write_odd_files(settings.corpus)
    (settings.corpus / "mappe.pdf").mkdir()
    with pytest.raises(InputError, match="kan ikke slettes") as caught:
        editing.remove_unread(settings, failed(settings, "to\\nlinjer.md", "ugyldigt-navn"))
    assert "på serveren" in caught.value.advice
    with pytest.raises(InputError, match="kan ikke slettes"):
        editing.remove_unread(settings, failed(settings, "mappe.pdf", "kan-ikke-åbnes"))
    editing.remove_unread(settings, failed(settings, "rundt.md", "link-følges-ikke"))
    assert not (settings.corpus / "rundt.md").is_symlink()


def test_removing_a_link_leaves_what_it_leads_to(settings: Settings) -> None:
    (settings.corpus / "link.md").symlink_to("asta.md")
    editing.remove_unread(settings, failed(settings, "link.md", "læsefejl"))
    assert (settings.corpus / "asta.md").is_file()
    assert not (settings.corpus / "link.md").exists()


def failed(settings: Settings, path: str, code: str) -> Failure:
    return Failure(str(settings.corpus.resolve()), path, "", code, "")


@pytest.mark.slow
def test_what_is_inside_a_file_is_indexed_and_edited_with_the_file(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    settings.corpus.mkdir(parents=True, exist_ok=True)
    mail = eml("Hej\n\nForsøget går godt.", referat_md=b"# Referat\n\nDer var enighed om en pause.")
    archive = settings.corpus / "sager.zip"
    archive.write_bytes(container({"m.eml": mail, "x.png": b"\x89PNG\r\n\x1a\n" + bytes(50)}))
    embedder = HashEmbedder()
    report = indexing.run(settings, embedder)
    attached = "sager.zip › m.eml › referat.md"
    assert report.added == ("sager.zip › m.eml", attached)
    assert report.failed.keys() == {"sager.zip › x.png"}
    id_ = "sager-zip-m-eml-referat"
    stored = record(settings, id_)
    assert (stored.record.metadata.projekt, editing.lies_in(stored)) == ("Status på forsøget", "sager.zip")
    assert indexing.run(settings, embedder).published is False

    editing.replace_metadata(settings, stored, {"projekt": "Pausen"})
    assert indexing.run(settings, embedder).changed == ("sager.zip › m.eml", attached)
    stored = record(settings, id_)
    assert stored.record.metadata.projekt == "Pausen"
    assert unpacked_file(settings, archive, stored).read_bytes().startswith(b"# Referat")

    with pytest.raises(InputError, match=r"inde i sager\.zip"):
        editing.replace(settings, stored, Sent("ny.md"))
    with pytest.raises(InputError, match="inde i en anden fil"):
        editing.remove_unread(settings, open_snapshot(place_of(settings)).failures()[0])
    holder = VisibleSnapshotHolder(SnapshotHolder(settings, embedder), settings)
    assert holder.searcher().snapshot.records.keys() == {id_, "sager-zip-m"}
    editing.remove(settings, stored)
    assert not archive.exists()
    assert holder.searcher().snapshot.records.keys() == set()
    assert indexing.run(settings, embedder).removed == ("sager.zip › m.eml", attached)
    assert not any((settings.index_dir / UNPACKED).iterdir())
