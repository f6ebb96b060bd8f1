"""MSG, Outlook's own file of a mail, put as a message of the standard library, so that there is one reader of mails."""

from __future__ import annotations

import io
import mimetypes
import re
from email.message import EmailMessage
from email.parser import HeaderParser
from email.utils import format_datetime

from olefile import OleFileIO
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from kb.core.errors import DamagedFileError, ProtectedFileError
from kb.extract.cleaning import one_line

# Tags of MAPI's properties.
_CLASS, _SUBJECT, _BODY, _HTML, _SENT, _HEADERS = 0x001A, 0x0037, 0x1000, 0x1013, 0x0039, 0x007D
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_RECEIVER, _RECEIVER_ADDRESS, _RECEIVER_SMTP = 0x3001, 0x3003, 0x39FE
_DISPLAY_TO = 0x0E04
_DATA, _FILE, _SHORT_FILE, _CONTENT_ID = 0x3701, 0x3707, 0x3704, 0x3712
# An attached mail lies in a storage of this name.
_ATTACHED_MAIL = "__substg1.0_3701000D"
# The lengths of what stands before the properties: of a file, of a mail attached to it, of an attachment or receiver.
_WHOLE, _ATTACHED, _PART = 32, 24, 8
_INTERNET = re.compile(r"[!-;=?A-~]{1,64}@[A-Za-z0-9.-]{1,250}")
_MAX_DEPTH = 5


def as_message(data: bytes) -> EmailMessage:
    """The mail in Outlook's file; raises a :class:`ReadError` for what is damaged or encrypted."""
    try:
        with OleFileIO(io.BytesIO(data)) as file:
            root = Storage.from_ole(file)
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise DamagedFileError("Outlook-filen er beskadiget og kan ikke læses.") from error
    return _message(root, _WHOLE, 0)


def _message(storage: Storage, header: int, depth: int) -> EmailMessage:
    said = Properties(storage, properties_header_offset=header)
    if "smime" in (said.str_prop_value(_CLASS) or "").casefold():
        raise ProtectedFileError("E-mailen er krypteret.")
    message = EmailMessage()
    message["Subject"] = one_line(said.str_prop_value(_SUBJECT) or "")
    message["From"] = _address(said, _SENDER, _SENDER_SMTP, _SENDER_ADDRESS)
    people = [_receiver(found) for found in storage.iter_recipient_storages()]
    message["To"] = ", ".join(filter(None, people)) or one_line(said.str_prop_value(_DISPLAY_TO) or "")
    message["Date"] = _date(said)
    plain, html = said.str_prop_value(_BODY) or "", _html(said)
    message.set_content(plain)
    if html:
        message.add_alternative(html, subtype="html")
    for attached in storage.iter_attachment_storages():
        _attach(message, attached, depth)
    return message


def _html(said: Properties) -> str:
    """The mail's web page, which is kept as bytes and in older files as text."""
    data = said.binary_prop_value(_HTML)
    return data.decode(said.body_encoding, "replace") if data else said.str_prop_value(_HTML) or ""


def _receiver(storage: Storage) -> str:
    said = Properties(storage, properties_header_offset=_PART)
    return _address(said, _RECEIVER, _RECEIVER_SMTP, _RECEIVER_ADDRESS)


def _address(said: Properties, name: int, *addresses: int) -> str:
    """A name with the first address that is one of the internet's, as a header has them."""
    written = one_line(said.str_prop_value(name) or "").replace('"', "").replace("\\", "")
    found = (one_line(said.str_prop_value(tag) or "") for tag in addresses)
    address = next((one for one in found if _INTERNET.fullmatch(one)), "")
    return " ".join(filter(None, [f'"{written}"' if written else "", f"<{address}>" if address else ""]))


def _date(said: Properties) -> str:
    """When it was sent: as the mail's own header says, with the sender's time, else as Outlook has noted."""
    headers = HeaderParser().parsestr(said.str_prop_value(_HEADERS) or "")
    sent = said.date_prop_value(_SENT)
    return one_line(str(headers["Date"] or "")) or (format_datetime(sent) if sent else "")


def _attach(message: EmailMessage, storage: Storage, depth: int) -> None:
    said = Properties(storage, properties_header_offset=_PART)
    inner = next((one for one in storage.storages if one.name == _ATTACHED_MAIL), None)
    if inner is not None:
        if depth < _MAX_DEPTH:
            message.add_attachment(_message(inner, _ATTACHED, depth + 1))
        return
    data = said.binary_prop_value(_DATA)
    if data is None:
        return
    name = said.str_prop_value(_FILE) or said.str_prop_value(_SHORT_FILE) or ""
    kind, _, subtype = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
    content_id = said.str_prop_value(_CONTENT_ID) or ""
    cid = f"<{one_line(content_id)}>" if content_id else None
    message.add_attachment(data, maintype=kind, subtype=subtype, filename=one_line(name), cid=cid)
