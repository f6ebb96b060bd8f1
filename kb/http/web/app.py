"""The pages put on an application: their blueprints, and what every template may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, url_for

from kb.core.errors import IndexUnusableError, StateUnavailableError
from kb.core.fields import THEME_LABELS
from kb.core.identity import AccessRole
from kb.core.public_address import PublicAddress, public_address
from kb.core.settings import Settings
from kb.http.gate import is_at_least
from kb.http.services import snapshot
from kb.http.web import (
    admin,
    compare_pages,
    curation,
    documents,
    exports,
    feedback_pages,
    handbook,
    lessons,
    overview_pages,
    pages,
    project_start,
    saved_questions,
    sign_ins,
    sources,
    static_files,
)
from kb.http.web.other_versions import other_versions
from kb.http.web.presenters import labels, overview, table_rows
from kb.language.sentences import is_row

# The package whose folder holds the templates.
PACKAGE = __package__
MODULES = (
    static_files, pages, overview_pages, compare_pages, documents, exports, project_start, feedback_pages, lessons,
    admin, curation, sources, handbook, saved_questions, sign_ins,
)  # fmt: skip


def install(app: Flask) -> None:
    """Put the pages on an application."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        static_url=static_files.static_url,
        labels=THEME_LABELS,
        theme_questions=labels.THEME_QUESTIONS,
        went_labels=overview.WENT_LABELS,
        other_versions=other_versions,
        may_edit=lessons.is_editor,
        may_save=saved_questions.may_save,
        may_administer=sources.may_administer,
    )
    app.jinja_env.filters.update(
        dato=labels.danish_timestamp,
        klokken=labels.danish_clock,
        antal=labels.counted,
        tal=labels.number,
        blocks=table_rows.blocks,
        is_row=is_row,
        plain=table_rows.plain,
    )
    app.context_processor(_frame)
    for module in MODULES:
        app.register_blueprint(module.blueprint)


@contextmanager
def addresses(settings: Settings) -> Iterator[None]:
    """Let the addresses of reports be made where there is no request, as the command line does for a Word file.

    They lie below ``KB_PUBLIC_URL``, else where the server listens.
    """
    address = public_address(settings) or PublicAddress("http", f"{settings.host}:{settings.port}", "")
    app = Flask(PACKAGE, static_folder=None)
    app.register_blueprint(documents.blueprint)
    app.config.update(
        PREFERRED_URL_SCHEME=address.scheme, SERVER_NAME=address.host, APPLICATION_ROOT=address.root or "/"
    )
    with app.app_context():
        yield


def _frame() -> dict[str, object]:
    """What the frame of every page shows; an error page must come out without an index and a state as well."""
    admin_url = url_for("redaktion.overview") if is_at_least(AccessRole.EDITOR) else ""
    try:
        return {"build": snapshot().manifest, "admin_url": admin_url}
    except (IndexUnusableError, StateUnavailableError):
        return {"build": None, "admin_url": admin_url}
