"""The factory: one Flask application with the Danish pages on it.

    app = create_app(settings, SnapshotHolder(settings, load_embedder(settings)))

The API's blueprints and its maker of error bodies are handed in, so that pages and API do not import one another.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Flask, url_for

from kb.core.errors import IndexUnusableError
from kb.core.fields import THEME_LABELS
from kb.core.settings import Settings
from kb.http import security
from kb.http.services import EXTENSION, Holder, Services, snapshot
from kb.http.web import admin, documents, error_pages, exports, feedback_pages, pages, static_files
from kb.http.web.presenters import labels

FORM_LIMIT = 256 * 1024


def create_app(
    settings: Settings,
    holder: Holder,
    *,
    blueprints: Sequence[Blueprint] = (),
    api_problem: error_pages.ApiProblem | None = None,
) -> Flask:
    """The application: pages, then whatever ``blueprints`` add; errors under ``/api/`` go to ``api_problem``."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_LIMIT
    app.extensions[EXTENSION] = Services(settings, holder)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(static_url=static_files.static_url, labels=THEME_LABELS)
    app.jinja_env.filters.update(
        dato=labels.danish_timestamp,
        klokken=labels.danish_clock,
        antal=labels.counted,
        tal=labels.number,
    )
    app.context_processor(_frame)
    security.protect(app)
    error_pages.register(app, api_problem)
    own = (static_files, pages, documents, exports, feedback_pages, admin)
    for blueprint in (*(module.blueprint for module in own), *blueprints):
        app.register_blueprint(blueprint)
    return app


def _frame() -> dict[str, object]:
    """What the frame of every page shows; an error page must come out without an index as well."""
    admin_url = url_for("redaktion.overview") if admin.may_edit() else ""
    try:
        return {"build": snapshot().manifest, "admin_url": admin_url}
    except IndexUnusableError:
        return {"build": None, "admin_url": admin_url}
