"""Asking those behind a project what the base could not answer: a mail that an editor sees before it goes.

    letter = letter_to(project, ["Hvad kostede det?"], address)
    send_letter(settings, letter, date.today())

It opens in the editor's own mail program by a ``mailto`` link, and where a mail server is set up it can be sent from
here: to one address the same letter once a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from kb.core.errors import InputError
from kb.core.settings import Settings
from kb.lessons.lesson import is_address
from kb.operations.mail import Mail, MailReport, send

LONGEST_SUBJECT = 150
LONGEST_LETTER = 4000
MOST_WORDINGS = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to whoever is behind a project; ``to`` is empty where no report names an address."""

    to: str
    subject: str
    text: str

    @property
    def mailto(self) -> str:
        """The letter as a link that a mail program opens."""
        return f"mailto:{quote(self.to, safe='@')}?subject={quote(self.subject)}&body={quote(self.text)}"


def letter_to(project: str, questions: Sequence[str], to: str, *, address: str, asker: str) -> Letter:
    """The letter that asks a project; ``address`` is where the base answers, and ``asker`` whose base it is, if any."""
    wordings = "\n".join(f"* {question}" for question in questions[:MOST_WORDINGS])
    lines = [
        "Hej",
        f"I står bag projektet {project}. Vi bliver spurgt om det her, og vores Erfaringsbase kan ikke svare:",
        wordings,
        "Kan I svare, eller har I en rapport eller et notat om det, som vi må lægge ind?",
        f"Det, vi har nu, står her: {address}",
        f"Venlig hilsen\n{asker}".strip(),
    ]
    return Letter(to, f"Spørgsmål om projektet {project}"[:LONGEST_SUBJECT], "\n\n".join(lines))


def send_letter(settings: Settings, letter: Letter, today: date) -> MailReport:
    """Send a letter; raises :class:`InputError` for what it lacks, and what :func:`kb.operations.mail.send` raises."""
    subject = " ".join(letter.subject.split())
    if not is_address(letter.to):
        raise InputError("Modtageren er ikke en e-mailadresse.", advice="Skriv én adresse, fx digital@kommune.dk.")
    if not subject or not letter.text.strip():
        raise InputError("Mailen mangler emne eller tekst.", advice="Skriv begge dele.")
    if len(subject) > LONGEST_SUBJECT or len(letter.text) > LONGEST_LETTER:
        raise InputError(
            "Mailen er for lang.", advice=f"Skriv højst {LONGEST_SUBJECT} tegn i emnet og {LONGEST_LETTER} i teksten."
        )
    text = letter.text.replace("\r\n", "\n")
    digest = hashlib.sha256(f"{subject}\0{text}".encode()).hexdigest()[:16]
    return send(settings, [Mail(key=f"spørg {letter.to} {today} {digest}", to=letter.to, subject=subject, text=text)])
