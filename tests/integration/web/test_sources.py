"""The administrators' page of sources: look, sync, and what is deleted in the source leaves the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from kb.core.identity import AccessRole
from kb.core.settings import Settings
from kb.http.server import make_app
from kb.state.audit import Audit
from kb.state.keys import KeyStore
from tests.support import HashEmbedder, report_text
from tests.timing import until

pytestmark = pytest.mark.slow


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path / "drev"
    folder.mkdir()
    for name in ("sneplove", "vejsalt"):
        (folder / f"{name}.md").write_text(report_text(name), encoding="utf-8")
    return folder


@pytest.fixture
def keys(indexed: Settings) -> dict[AccessRole, str]:
    store = KeyStore(indexed.state_dir)
    return {role: store.create(role.value, role)[1] for role in (AccessRole.EDITOR, AccessRole.ADMIN)}


@pytest.fixture
def app(indexed: Settings, keys: dict[AccessRole, str], share: Path, tmp_path: Path) -> Flask:
    assert keys  # a closed server without any does not start
    text = f'[drift]\nkind = "folder"\npath = "{share}"\nsettle_seconds = 0\nmax_loss = 0.1\n'
    (tmp_path / "kilder.toml").write_text(text, encoding="utf-8")
    with_sources = {"sources_file": tmp_path / "kilder.toml", "access": "closed"}
    return make_app(indexed.model_copy(update=with_sources), HashEmbedder())


def test_a_source_is_looked_through_synced_and_followed(
    app: Flask, keys: dict[AccessRole, str], share: Path, indexed: Settings
) -> None:
    editor, admin = app.test_client(), app.test_client()
    editor.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {keys[AccessRole.EDITOR]}"
    admin.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {keys[AccessRole.ADMIN]}"
    services = app.extensions["kb"]

    def do(what: str, **form: str) -> str:
        assert admin.post(f"/admin/kilder/drift/{what}", data=form).status_code == 303
        until(lambda: not services.sources.busy() and all(job.is_over for job in services.jobs.newest()))
        return admin.get("/admin/kilder/drift").text

    assert editor.get("/admin/kilder").status_code == 403
    assert editor.post("/admin/kilder/drift/synkroniser").status_code == 403
    assert "Ikke hentet endnu" in admin.get("/admin/kilder").text
    page = do("se-efter")
    assert "2 nye" in page
    assert "vejsalt.md" in page
    assert "2 nye" in do("synkroniser")
    assert "vejsalt" in admin.get("/sporg?q=vejsalt").text
    (share / "vejsalt.md").unlink()
    assert "1 af 2 filer ville blive slettet" in do("synkroniser")
    assert "1 fil skal slettes her" in do("se-efter")
    assert "1 slettet" in do("synkroniser", slettes="1", bekraeft="ja")
    assert "Rapport om vejsalt" not in admin.get("/dokumenter").text
    assert "Rapport om sneplove" in admin.get("/dokumenter").text
    actions = [entry.event.action for entry in Audit(indexed.state_dir).entries()]
    assert {"kilde set efter", "synkronisering af kilde sat i gang", "kilde synkroniseret"} <= set(actions)
    assert admin.get("/admin/kilder/findes-ikke").status_code == 404
