"""What is done to a report leaves it for those it was for, unless an editor says otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from kb.core.models import DocumentRecord, Metadata
from kb.core.settings import Settings
from kb.extract.corpus_files import sidecar_of
from kb.index.store import StoredRecord
from kb.operations import editing
from tests.support import make_settings

TEXT = "# Rapport\n\nProjektet undersøgte lønnen i tre kommuner og fandt ud af en del.\n"


class Sent:
    """A file that is sent, as Werkzeug gives it."""

    def __init__(self, source: Path) -> None:
        self.filename: str | None = source.name
        self._source = source

    def save(self, dst: Path) -> None:
        shutil.copy(self._source, dst)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path, access_groups=True)


def stored(settings: Settings, name: str, *, inferred: bool = False) -> StoredRecord:
    metadata = Metadata("sag", "Sag", adgang=("HR",), inferred=frozenset({"adgang"} if inferred else set()))
    record = DocumentRecord("sag", name, "", "text/markdown", "markdown", metadata, 0, 0, 0)
    return StoredRecord(record, str(settings.corpus), "")


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    file = tmp_path / "ny.md"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.mark.parametrize("inferred", [False, True])
def test_a_new_file_in_an_old_ones_place_has_its_groups(settings: Settings, new_file: Path, inferred: bool) -> None:
    old = settings.corpus / "sag.md"
    old.parent.mkdir(parents=True)
    old.write_text(f"---\nadgang: HR\n---\n{TEXT}", encoding="utf-8")
    editing.replace(settings, stored(settings, "sag.md", inferred=inferred), Sent(new_file))
    assert old.read_text(encoding="utf-8") == TEXT
    written = yaml.safe_load(sidecar_of(old).read_text(encoding="utf-8")) if sidecar_of(old).is_file() else {}
    # What the folder says goes on being what it says.
    assert written.get("adgang") == (None if inferred else ["HR"])


def test_an_uploaded_files_name_never_tells_that_it_was_taken(settings: Settings, new_file: Path) -> None:
    names = {editing.add(settings, Sent(new_file)) for _ in range(2)}
    assert len(names) == 2
    assert not any(name.endswith(("ny.md", "ny-2.md")) for name in names)
