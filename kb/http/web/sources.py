"""Redaktionen, for administrators: the sources that reports are fetched from, and what became of each.

What takes time is done beside the server (:mod:`kb.operations.source_jobs`); a page shows what was last found. No
secret is read here, and none is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from kb.core.errors import InputError
from kb.core.identity import AccessRole
from kb.http import job_services
from kb.http.audit_trail import audited, note
from kb.http.gate import is_at_least, needs
from kb.http.services import services, there
from kb.operations.source_jobs import Action
from kb.operations.syncing import Preview, preview_of
from kb.sources.configuration import FolderSource, SharePointSource, Source, load_sources
from kb.state.sources import KnownFile, SourceState

FILES_SHOWN = 200
KINDS = {"folder": "Mappe", "webdav": "WebDAV", "sharepoint": "SharePoint", "website": "Websted"}

blueprint = Blueprint("kilder", __name__, url_prefix="/admin/kilder")


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def may_administer() -> bool:
    """Whether the one who asks is an administrator."""
    return is_at_least(AccessRole.ADMIN)


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source as its pages show it; ``busy`` is what is being done with it."""

    source: Source
    state: SourceState
    files: list[KnownFile]
    preview: Preview | None
    busy: str

    @property
    def kind(self) -> str:
        """What kind of source it is, in Danish."""
        return KINDS[self.source.kind]

    @property
    def place(self) -> str:
        """Where it is."""
        if isinstance(self.source, FolderSource):
            return str(self.source.path)
        return self.source.site if isinstance(self.source, SharePointSource) else self.source.url

    @property
    def held(self) -> int:
        """How many copies there are."""
        return sum(bool(one.local) for one in self.files)

    @property
    def wrong(self) -> list[KnownFile]:
        """The files that something is wrong with."""
        return [one for one in self.files if one.reason]


def _view(source: Source) -> SourceView:
    store = services().source_store
    state = store.state(source.name)
    busy = services().sources.busy().get(source.name, "")
    return SourceView(source, state, store.files(source.name), preview_of(state), busy)


@blueprint.get("")
@needs(AccessRole.ADMIN)
def source_list() -> str:
    """Every source, with how it went."""
    sources = load_sources(services().settings)
    left = sorted(set(services().source_store.states()) - set(sources))
    return render_template("admin/kilder.html", views=[_view(one) for one in sources.values()], left=left)


@blueprint.get("/<source_name>")
@needs(AccessRole.ADMIN)
def source(source_name: str) -> str:
    """One source: what a sync would do, and the files that something is wrong with."""
    found = load_sources(services().settings).get(source_name)
    view = there(_view(found) if found else None)
    return render_template("admin/kilde.html", view=view, most=FILES_SHOWN)


@blueprint.post("/<source_name>/se-efter")
@needs(AccessRole.ADMIN)
@audited("kilde set efter")
def look(source_name: str) -> BaseResponse:
    """Look the source through and show what a sync would do."""
    return _start(source_name, Action.PREVIEW, confirmed=0)


@blueprint.post("/<source_name>/synkroniser")
@needs(AccessRole.ADMIN)
@audited("synkronisering af kilde sat i gang")
def sync(source_name: str) -> BaseResponse:
    """Bring the copies in line with the source; many deletions need the number that was seen and a yes to it."""
    confirmed = request.form.get("slettes", 0, int) if request.form.get("bekraeft") == "ja" else 0
    return _start(source_name, Action.SYNC, confirmed=confirmed)


def _start(name: str, action: Action, *, confirmed: int) -> BaseResponse:
    there(load_sources(services().settings).get(name))
    note(target=name)
    if not services().sources.start(name, action, by=job_services.who(), via="side", confirmed=confirmed):
        raise InputError(f"Kilden {name} er i gang.", advice="Vent, til det er færdigt, og prøv igen.")
    return redirect(url_for("kilder.source", source_name=name), 303)
