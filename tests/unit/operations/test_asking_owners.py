"""The letter to whoever is behind a project: opened in a mail program as it is, and sent only to an address."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from kb.core.errors import InputError, SettingsError
from kb.operations.asking_owners import LONGEST_LETTER, Letter, letter_to, send_letter
from tests.support import make_settings

LETTER = letter_to(
    "Æbler & pærer", ["Hvad kostede 50 % mere?", "Prisen?"], "post@kommune.dk", address="https://x/sporg?q=a", asker=""
)


def test_the_link_holds_the_whole_letter() -> None:
    link = urlsplit(LETTER.mailto)
    said = parse_qs(link.query, strict_parsing=True)
    assert (link.scheme, link.path) == ("mailto", "post@kommune.dk")
    assert said == {"subject": [LETTER.subject], "body": [LETTER.text]}
    assert "* Hvad kostede 50 % mere?\n* Prisen?" in LETTER.text


def test_a_project_without_an_address_gets_a_letter_without_one() -> None:
    assert letter_to("A", ["B?"], "", address="", asker="Vandby").mailto.startswith("mailto:?subject=")


@pytest.mark.parametrize(
    "letter",
    [
        Letter("", "Emne", "Tekst"),
        Letter("a@b.dk, c@d.dk", "Emne", "Tekst"),
        Letter("a@b.dk\r\nBcc: c@d.dk", "Emne", "Tekst"),
        Letter("a@b.dk", " ", "Tekst"),
        Letter("a@b.dk", "Emne", "x" * (LONGEST_LETTER + 1)),
    ],
)
def test_what_is_no_letter_is_not_sent(tmp_path: Path, letter: Letter) -> None:
    with pytest.raises(InputError):
        send_letter(make_settings(tmp_path), letter, date(2026, 11, 29))


def test_without_a_mail_server_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="mailserver"):
        send_letter(make_settings(tmp_path), LETTER, date(2026, 11, 29))
