"""What the verbs that send mails tell: what was sent, refused, and left open by a crash."""

from __future__ import annotations

import sys

from kb.cli import results
from kb.cli.console import EXIT_FAILED, out, print_json
from kb.core.settings import Settings
from kb.operations.mail import MailReport
from kb.state.sent_mail import SentMail


def print_sent(settings: Settings, report: MailReport, *, as_json: bool) -> None:
    """Tell what became of some mails; exits with 1 where one was refused."""
    unsure = [key for key, *_ in SentMail(settings.state).unsure()]
    refused = dict(report.refused or {})
    if as_json:
        told = results.Reminded(sent=list(report.sent), already=list(report.already), refused=refused, unsure=unsure)
        print_json(told)
    else:
        out.print(f"{len(report.sent)} mails er sendt; {len(report.already)} var sendt før.")
        for key, said in refused.items():
            out.print(f"Afvist: {key}: {said}", style="yellow", markup=False)
        for key in unsure:
            out.print(f"Usikkert, om den nåede ud: {key}", style="yellow", markup=False)
    if refused:
        sys.exit(EXIT_FAILED)
