"""Dine login, and everyone's for admins: who is signed in, since when and from where, and a button that ends it.

A session is named here by a part of its token's hash, which lets nobody in.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from kb.core.identity import AccessRole, Via
from kb.http.audit_trail import audited, note
from kb.http.gate import guard, needs
from kb.state.sessions import id_of

blueprint = Blueprint("logins", __name__)


@blueprint.after_request
def _never_kept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _token() -> str:
    """The token of the session that asks; 404 for whoever has none, as a key and a proxy's user have."""
    if g.identity is None or g.identity.via is not Via.SESSION:
        raise NotFound
    return request.cookies.get(guard().cookie, "")


def _own_id() -> str:
    return id_of(request.cookies.get(guard().cookie, ""))


@blueprint.get("/mine-login")
def own() -> str:
    """The sessions of whoever asks."""
    current = id_of(_token())
    sessions = guard().sessions.of_subject(g.identity.id)
    return render_template("mine-login.html", sessions=sessions, current=current)


@blueprint.post("/mine-login/<session_id>/afslut")
@audited("login afsluttet")
def end_own(session_id: str) -> BaseResponse:
    """End one of one's own sessions."""
    _token()
    guard().sessions.end_one(session_id, subject=g.identity.id)
    return redirect(url_for("logins.own"), 303)


@blueprint.post("/mine-login/andre/afslut")
@audited("login afsluttet")
def end_others() -> BaseResponse:
    """End all of one's own sessions but the one that asks."""
    count = guard().sessions.end_others(g.identity.id, token=_token())
    note(target=g.identity.name, detail=f"{count} andre")
    return redirect(url_for("logins.own"), 303)


@blueprint.get("/admin/login")
@needs(AccessRole.ADMIN)
def everyone() -> str:
    """Everyone who is signed in."""
    return render_template("admin/login.html", sessions=guard().sessions.all(), current=_own_id())


@blueprint.post("/admin/login/<session_id>/afslut")
@needs(AccessRole.ADMIN)
@audited("andens login afsluttet")
def end(session_id: str) -> BaseResponse:
    """End someone's session."""
    ended = guard().sessions.end_one(session_id)
    note(target=ended.session.name, detail=session_id)
    return redirect(url_for("logins.everyone"), 303)
