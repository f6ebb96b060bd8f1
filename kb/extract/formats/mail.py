"""E-mail: a message saved from a mail program (EML), and Outlook's own files (MSG) after they are put as one.

The subject is the title, the first line says when the mail was sent, by whom and to whom; the names of persons are
handed on to be masked, wherever they stand. The text is the mail's plain text, else its web page. What the mail quotes
of earlier ones is left to parts of their own (:func:`parts`), as are its attachments: an earlier mail that is in the
base itself is then recognised as the same document and not taken twice. Pictures that stand in the text, signatures
and invitations are no attachments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import getaddresses, parsedate_to_datetime
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath

from kb.core.errors import DamagedFileError, ProtectedFileError
from kb.core.privacy import is_person, names_of
from kb.extract.blocks import Block, Content, Kind, Properties
from kb.extract.cleaning import clean, one_line
from kb.extract.encoding import decode
from kb.extract.formats.outlook import as_message
from kb.extract.formats.plain_text import text_blocks
from kb.extract.formats.thread import Earlier, split
from kb.extract.html import html_blocks
from kb.extract.options import ReadOptions
from kb.extract.part import Part

NO_SUBJECT = "E-mail uden emne"
# In an earlier mail that is given out as a file: when it was sent, as the one that quotes it says, and who took part.
_WHEN, _OTHERS = "x-sendt", "x-deltagere"
_MONTHS = (
    *("januar", "februar", "marts", "april", "maj", "juni"),
    *("juli", "august", "september", "oktober", "november", "december"),
)
_ANSWER = re.compile(r"(?:(?:sv|vs|re|fw|fwd|svar|aw|wg)\s?(?:\[\d{1,3}\])?:\s{0,9}){1,20}", re.IGNORECASE)
_ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
_NOT_ATTACHED = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature", "text/calendar"}
)
_MAX_DEPTH = 20
# Receivers named; the others are counted.
_NAMED = 10


def read_eml(data: bytes, _options: ReadOptions) -> Content:
    """A saved mail; raises a :class:`ReadError` for what is damaged or encrypted."""
    return _content("email", _parsed(data))


def read_msg(data: bytes, _options: ReadOptions) -> Content:
    """A mail saved from Outlook; raises as :func:`read_eml`."""
    return _content("oxmsg", as_message(data))


def eml_parts(data: bytes) -> tuple[Part, ...]:
    """The attachments of a saved mail, and the earlier mails that it quotes."""
    return _parts(_parsed(data))


def msg_parts(data: bytes) -> tuple[Part, ...]:
    """The same of a mail saved from Outlook."""
    return _parts(as_message(data))


def _parsed(data: bytes) -> EmailMessage:
    try:
        message = message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n"), policy=policy.default)
    except (MessageError, ValueError, LookupError) as error:
        raise DamagedFileError("E-mailen er beskadiget og kan ikke læses.") from error
    return message


def _content(reader: str, message: EmailMessage) -> Content:
    if message.get_content_type() in _ENCRYPTED:
        raise ProtectedFileError("E-mailen er krypteret.")
    own, earlier = _thread(message)
    sender, receivers = _people(message, "from"), _people(message, "to", "cc")
    quoted = [pair for mail in earlier for pair in _addresses(*mail.people)]
    title = _subject(message)
    blocks = [Block(Kind.HEADING, title, level=1)]
    if opening := _opening(message, sender, receivers):
        blocks.append(Block(Kind.PARAGRAPH, opening))
    properties = Properties(title, published=True)
    names = names_of([*sender, *receivers, *_people(message, "reply-to", "sender", "bcc", _OTHERS), *quoted])
    return Content(reader, (*blocks, *own), properties, names=names)


def _subject(message: Message) -> str:
    subject = _ANSWER.sub("", one_line(_header(message, "subject")), count=1).strip()
    return subject or NO_SUBJECT


def _opening(message: Message, sender: Sequence[tuple[str, str]], receivers: Sequence[tuple[str, str]]) -> str:
    """When the mail was sent, by whom and to whom, in one line."""
    said = [("Sendt", _sent(message)), ("Fra", _shown(sender)), ("Til", _shown(receivers))]
    return ". ".join(f"{label}: {value}" for label, value in said if value)


def _sent(message: Message) -> str:
    if written := one_line(_header(message, _WHEN)):
        return written
    try:
        sent = parsedate_to_datetime(_header(message, "date"))
    except (ValueError, TypeError, IndexError):
        return ""
    return f"{sent.day}. {_MONTHS[sent.month - 1]} {sent.year}"


def _shown(people: Sequence[tuple[str, str]]) -> str:
    """Those who sent or received a mail: organisations by name, persons by a name that is masked and where they are."""
    shown = [_one_shown(name, address) for name, address in people[:_NAMED]]
    more = len(people) - len(shown)
    return ", ".join(dict.fromkeys(shown)) + (f" og {more} andre" if more > 0 else "")


def _one_shown(name: str, address: str) -> str:
    place = address.partition("@")[2]
    if not is_person(name, address):
        return name or address
    label = name if name and "@" not in name else address
    return f"{label} ({place})" if place and label != address else label


def _people(message: Message, *headers: str) -> list[tuple[str, str]]:
    return _addresses(*(_header(message, header) for header in headers))


def _addresses(*written: str) -> list[tuple[str, str]]:
    """The names and addresses that headers hold; a name alone, as a quoted mail has it, has no address."""
    found = [(one_line(name), address.strip()) for name, address in getaddresses(written)]
    return [(name, address) if "@" in address else (name or address, "") for name, address in found if name or address]


def _header(message: Message, name: str) -> str:
    """A header's text, whether it is encoded as it should be or has plain letters of some encoding."""
    for key, value in message.raw_items():
        if key.lower() == name:
            plain = decode(str(value).encode("utf-8", "surrogateescape"))
            try:
                return str(make_header(decode_header(plain)))
            except (HeaderParseError, LookupError, UnicodeError, ValueError):
                return plain
    return ""


# --- The text ---------------------------------------------------------------------------------------------------------


def _thread(message: Message) -> tuple[list[Block], list[Earlier]]:
    """What the mail itself says, and the earlier mails that it quotes."""
    texts = [leaf for leaf in _leaves(message) if not _is_attached(leaf)]
    plain = [_text(leaf) for leaf in texts if leaf.get_content_type() == "text/plain"]
    if any(text.strip() for text in plain):
        own, earlier = split(clean("\n\n".join(plain)))
        return text_blocks(own), earlier
    pages = [_text(leaf) for leaf in texts if leaf.get_content_type() == "text/html"]
    blocks = [block for page in pages for block in html_blocks(page)]
    place = next((place for place, block in enumerate(blocks) if _opens_earlier(block)), len(blocks))
    return blocks[:place], split("\n\n".join(block.text for block in blocks[place:]))[1]


def _opens_earlier(block: Block) -> bool:
    """Whether what stands above a quoted mail stands in a block, so that all below it is that mail."""
    return not split(f"{block.text}\n\nx")[0]


def _text(leaf: Message) -> str:
    data = leaf.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = leaf.get_content_charset() or ""
    try:
        return data.decode(charset) if charset else decode(data)
    except (LookupError, UnicodeDecodeError):
        return decode(data)


def _leaves(message: Message, depth: int = 0) -> Iterator[Message]:
    """The parts of a message that hold no other parts; a mail inside the mail is one."""
    if message.get_content_type() == "message/rfc822" and depth:
        yield message
    elif message.is_multipart():
        for part in message.get_payload() if depth < _MAX_DEPTH else ():
            if isinstance(part, Message):
                yield from _leaves(part, depth + 1)
    else:
        yield message


def _is_attached(leaf: Message) -> bool:
    return leaf.get_content_disposition() == "attachment" or bool(leaf.get_filename())


# --- What is a document of its own -----------------------------------------------------------------------------------


def _parts(message: EmailMessage) -> tuple[Part, ...]:
    attached = [leaf for leaf in _leaves(message) if _is_document(leaf)]
    parts = [Part(_name(leaf, number), partial(_bytes_of, leaf)) for number, leaf in enumerate(attached, start=1)]
    earlier = _thread(message)[1]
    return (
        *parts,
        *(
            Part(f"tidligere e-mail {n}.eml", partial(_written, mail, message))
            for n, mail in enumerate(earlier, start=1)
        ),
    )


def _is_document(leaf: Message) -> bool:
    kind = leaf.get_content_type()
    if kind == "message/rfc822":
        return True
    if kind in _NOT_ATTACHED or not _is_attached(leaf):
        return False
    return not (kind.startswith("image/") and (leaf["Content-ID"] or leaf.get_content_disposition() == "inline"))


def _name(leaf: Message, number: int) -> str:
    given = leaf.get_filename() or ""
    if not given and leaf.get_content_type() == "message/rfc822":
        inner = leaf.get_payload(0)
        given = f"{_subject(inner) if isinstance(inner, Message) else NO_SUBJECT}.eml"
    else:
        given = PurePosixPath(PureWindowsPath(one_line(given)).name).name
    return given.replace("/", "-") or f"vedhæftet fil {number}"


def _bytes_of(leaf: Message) -> bytes:
    if leaf.get_content_type() == "message/rfc822":
        inner = leaf.get_payload(0)
        return inner.as_bytes() if isinstance(inner, Message) else b""
    data = leaf.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _written(mail: Earlier, answer: Message) -> bytes:
    """An earlier mail as a file of its own; one that is quoted without its subject has that of the answer."""
    others = (_header(answer, key) for key in ("from", "to", "cc"))
    headers = {
        "From": mail.sender,
        "To": mail.receivers,
        "Subject": mail.subject or _subject(answer),
        _WHEN: mail.sent,
        _OTHERS: ", ".join(filter(None, [mail.copies, *others])),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    head = "".join(f"{key}: {one_line(value)}\n" for key, value in headers.items())
    return f"{head}\n{mail.text}\n".encode()
