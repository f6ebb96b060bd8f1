"""A server that answers as Microsoft Graph does for a document library, with the shapes of its documentation.

https://learn.microsoft.com/graph/api/driveitem-delta: pages by ``@odata.nextLink``, what has changed by
``@odata.deltaLink``, deleted items as a facet, a renamed folder without what lies in it, 410 for a cursor that is too
old, 429 with ``Retry-After``, and content by a redirect to the site with a token in the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

SITE_ID = "kommune.sharepoint.com,11111111-2222,33333333-4444"
ROOT = {"id": "01ROOT", "name": "root", "root": {}, "folder": {"childCount": 2}, "parentReference": {"driveId": "b!D"}}
SECRET = "hemmelig"  # noqa: S105
PAGE = 2


def folder(id_: str, name: str, parent: str = "01ROOT") -> dict[str, Any]:
    return {"id": id_, "name": name, "parentReference": {"driveId": "b!D", "id": parent}, "folder": {"childCount": 1}}


def file(id_: str, name: str, parent: str = "01ROOT", content: str = "x", **more: object) -> dict[str, Any]:
    return {
        "id": id_, "name": name, "parentReference": {"driveId": "b!D", "id": parent}, "size": len(content),
        "file": {"mimeType": "application/pdf"}, "cTag": f'"c:{{{id_}}},{content}"', "eTag": f'"{{{id_}}},1"',
        "lastModifiedDateTime": "2026-11-01T10:00:00Z", **more,
    }  # fmt: skip


class Graph:
    """Graph and the site it sends on to. ``changes`` are the delta's answers, each a list of items."""

    def __init__(self, *first: Mapping[str, Any]) -> None:
        self.changes: list[list[Mapping[str, Any]]] = [[ROOT, *first]]
        self.content: dict[str, bytes] = {}
        self.site = ""
        self.tokens = 0
        self.spent: set[str] = set()
        self.busy = 0
        self.too_old = False
        self.asked: list[str] = []
        self.authorized_downloads: list[str] = []
        self.app = self._graph()
        self.site_app = self._site()

    def _graph(self) -> Flask:
        app = Flask("graph")

        @app.post("/kommune.dk/oauth2/v2.0/token")
        def token() -> tuple[Response, int] | Response:
            wanted = {"grant_type": "client_credentials", "client_secret": SECRET}
            if any(request.form.get(name) != value for name, value in wanted.items()):
                return jsonify(error="invalid_client"), 401
            self.tokens += 1
            return jsonify(token_type="Bearer", expires_in=3599, access_token=f"t{self.tokens}")  # noqa: S106

        @app.before_request
        def check() -> Response | None:
            self.asked.append(request.full_path)
            if request.path.endswith("/token"):
                return None
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not given or given in self.spent:
                return Response("{}", 401)
            if self.busy:
                self.busy -= 1
                return Response("{}", 429, {"Retry-After": "7"})
            return None

        @app.get("/v1.0/sites/<host>:/sites/projekter")
        def site(host: str) -> Response:
            return jsonify(id=SITE_ID, webUrl=f"https://{host}/sites/projekter")

        @app.get(f"/v1.0/sites/{SITE_ID}/drives")
        def drives() -> Response:
            return jsonify(value=[{"id": "b!A", "name": "Andet"}, {"id": "b!D", "name": "Dokumenter"}])

        @app.get("/v1.0/drives/b!D/root/delta")
        def delta() -> tuple[Response, int] | Response:
            since, skip = request.args.get("token", "0"), int(request.args.get("skip", 0))
            if self.too_old and since != "0":
                self.too_old = False
                return jsonify(error={"code": "resyncRequired"}), 410
            # From the beginning Graph gives what there is now, and since a token what has changed.
            items = self._now() if since == "0" else [one for told in self.changes[int(since) :] for one in told]
            here = f"{request.host_url}v1.0/drives/b!D/root/delta"
            if skip + PAGE < len(items):
                return jsonify(
                    value=items[skip : skip + PAGE], **{"@odata.nextLink": f"{here}?token={since}&skip={skip + PAGE}"}
                )
            return jsonify(value=items[skip:], **{"@odata.deltaLink": f"{here}?token={len(self.changes)}"})

        @app.get("/v1.0/drives/b!D/items/<id_>/content")
        def content(id_: str) -> BaseResponse:
            return redirect(f"{self.site}/download/{id_}?tempauth=kortvarig")

        return app

    def _now(self) -> list[Mapping[str, Any]]:
        items: dict[str, Mapping[str, Any]] = {}
        for told in self.changes:
            for one in told:
                items.pop(one["id"], None)
                if "deleted" not in one:
                    items[one["id"]] = one
        return list(items.values())

    def _site(self) -> Flask:
        app = Flask("site")

        @app.get("/download/<id_>")
        def download(id_: str) -> Response:
            self.authorized_downloads.append(request.headers.get("Authorization", ""))
            return Response(self.content[id_]) if id_ in self.content else Response("", 404)

        return app
