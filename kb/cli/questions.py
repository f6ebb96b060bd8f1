"""The verb of saved questions: ``kb question notify``."""

from __future__ import annotations

from datetime import date

import click

from kb.cli.console import json_option, reports_errors
from kb.cli.mails import print_sent
from kb.core.settings import load_settings
from kb.operations.mail import MailReport
from kb.state.saved_questions import SavedQuestions


@click.group()
def question() -> None:
    """Spørgsmål, som brugerne har gemt."""


@question.command("notify")
@json_option
@reports_errors
def question_notify(as_json: bool) -> None:
    """Besvar de gemte spørgsmål igen efter et nyt indeks, og send mails om det nye; hver sendes én gang."""
    from kb.embedding.embedder import load_embedder
    from kb.operations.saved_questions import notify
    from kb.retrieval.permitted_snapshot import PermittedSnapshotHolder
    from kb.retrieval.snapshot_holder import SnapshotHolder

    settings = load_settings()
    if not SavedQuestions(settings.state).all():
        print_sent(settings, MailReport(), as_json=as_json)  # neither model nor index is needed for nothing
        return
    holder = PermittedSnapshotHolder(SnapshotHolder(settings, load_embedder(settings)), settings)
    print_sent(settings, notify(settings, holder.searcher, date.today()), as_json=as_json)
