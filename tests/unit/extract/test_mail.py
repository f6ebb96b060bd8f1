"""Mails: their text, the names in them masked, earlier mails and attachments as parts."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from kb.core.errors import ProtectedFileError
from kb.extract import ReadOptions
from kb.extract.formats.mail import eml_parts
from kb.extract.formats.thread import split
from kb.extract.part import Place
from kb.extract.reader import read_place
from tests.unit.extract.making import eml, msg, read, written

TEXT = "Kære Bo\n\nForsøget går godt.\n\nMvh Anne Hansen\nTlf. 23 45 67 89"
READ = (
    "Status på forsøget\n\nSendt: 4. maj 2023. Fra: [navn skjult] (odense.dk). Til: {receivers}\n\n"
    "Kære [navn skjult]\n\nForsøget går godt.\n\nMvh [navn skjult] Tlf. [telefonnummer skjult]"
)


def test_a_mail_has_its_subject_as_title_and_its_persons_masked(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.eml", eml(TEXT, subject="SV: VS: Status på forsøget")))
    assert document.text == READ.format(receivers="[navn skjult] (vejle.dk), Vejle Kommune")
    assert document.metadata.titel == "Status på forsøget"
    assert document.masked["navn"] == 4


def test_a_mail_of_outlook_is_read_as_any_other(tmp_path: Path) -> None:
    data = msg(TEXT, attached={"Referat 1.txt": b"Aftalt: en pause.", "tomt.txt": b""})
    file = written(tmp_path, "a.msg", data)
    found = read_place(Place(file), tmp_path, ReadOptions())
    assert found.document is not None
    assert found.document.text == READ.format(receivers="[navn skjult] (vejle.dk)")
    attached = read_place(Place(file, ("Referat 1.txt",)), tmp_path, ReadOptions()).document
    assert attached is not None
    assert (attached.path, attached.text) == ("a.msg › Referat 1.txt", "Aftalt: en pause.")


def test_names_stay_where_an_editor_has_said_that_contacts_may(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a.eml", eml(TEXT)), ReadOptions(mask_contacts=False))
    assert "Fra: Anne Hansen (odense.dk)" in document.text


def test_a_mail_of_a_web_page_alone_is_read_down_to_what_it_quotes(tmp_path: Path) -> None:
    html = (
        "<p>Vi fortsætter.</p><ul><li>Drift</li></ul><p><b>Fra:</b> Bo Lund<br><b>Sendt:</b> 3. maj 2023<br>"
        "<b>Til:</b> Anne<br><b>Emne:</b> Pause?</p><p>Holder vi pause?</p>"
    )
    file = written(tmp_path, "a.eml", eml("", html=html))
    assert read(file).text.endswith("Vi fortsætter.\n\n- Drift")
    (earlier,) = eml_parts(file.read_bytes())
    document = read_place(Place(file, (earlier.name,)), tmp_path, ReadOptions()).document
    assert document is not None
    assert document.text == ("Pause?\n\nSendt: 3. maj 2023. Fra: [navn skjult]. Til: [navn skjult]\n\nHolder vi pause?")


def test_attachments_are_parts_and_pictures_in_the_text_are_not() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.dk", "Bilag"
    message.set_content("Se her")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="C:\\mapper\\bilag.pdf")
    message.add_attachment(b"y", maintype="image", subtype="png", filename="logo.png", cid="<1>")
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "c@d.dk", "Videre"
    inner.set_content("Hej")
    message.add_attachment(inner)
    parts = eml_parts(message.as_bytes())
    assert [part.name for part in parts] == ["bilag.pdf", "Videre.eml"]
    assert parts[0].read() == b"x"


def test_an_encrypted_mail_is_named_as_such(tmp_path: Path) -> None:
    data = b"From: a@b.dk\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\nAAAA"
    with pytest.raises(ProtectedFileError):
        read(written(tmp_path, "a.eml", data))


MARKED = "Fint.\n\nDen 3. maj 2023 kl. 9.00 skrev Bo Lund <\nbl@vejle.dk>:\n> Holder vi pause?\n>> Ældre.\n\nMere."
BELOW = (
    "Fint.\n\n-----Oprindelig meddelelse-----\nFra: Bo Lund\nSendt: 3. maj 2023\nTil: Anne;\n Carl\nEmne: Pause\n\n"
    "Holder vi?\n\nOn 2 May 2023, at 10:15, Carl Bo <c@d.dk> wrote:\n\nÆldre."
)


def test_lines_that_are_marked_are_of_earlier_mails() -> None:
    own, earlier = split(MARKED)
    assert own == "Fint.\n\n\nMere."
    assert [(mail.sender, mail.sent, mail.text) for mail in earlier] == [
        ("Bo Lund < bl@vejle.dk>", "3. maj 2023 kl. 9.00", "Holder vi pause?"),
        ("", "", "Ældre."),
    ]


def test_what_stands_below_headers_is_an_earlier_mail() -> None:
    own, earlier = split(BELOW)
    assert own == "Fint."
    assert [(mail.sender, mail.sent, mail.subject, mail.text) for mail in earlier] == [
        ("Bo Lund", "3. maj 2023", "Pause", "Holder vi?"),
        ("Carl Bo <c@d.dk>", "2 May 2023, at 10:15", "", "Ældre."),
    ]


@pytest.mark.parametrize("text", ["Den plan skrev vi under på:\n\nEt. To.", "Fra: nu af er alt nyt.\nTil: alle.", "> "])
def test_ordinary_text_is_no_earlier_mail(text: str) -> None:
    assert split(text)[1] == []
