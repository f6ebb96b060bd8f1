"""Reading takes time in proportion to the length: a file sixteen times as long takes about sixteen times the time.

The square of it would be 256 times, so that the limit between them is far from both. Each kind has taken the square,
or is near to one that has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.timing import out_of_proportion
from tests.unit.extract.making import docx, opendocument, read, word_xml, written

SENTENCE = "Kommunen begyndte forsøget i foråret og havde travlt. "
PARAGRAPH = "<w:p><w:r><w:t>a</w:t></w:r></w:p>"
ROW = f"<w:tr><w:tc>{PARAGRAPH}</w:tc><w:tc>{PARAGRAPH}</w:tc></w:tr>"
KINDS: dict[str, tuple[str, Callable[[int], str | bytes]]] = {
    "one long paragraph": ("a.txt", lambda size: SENTENCE * (size * 4)),
    "lines with hyphens": ("a.txt", lambda size: (SENTENCE[:40] + "be-\n") * size),
    "addresses and numbers": ("a.txt", lambda size: "tlf. 23 45 67 89 anders.and@x.dk " * size),
    "accents": ("a.txt", lambda size: "e" + "\u0301\u0323" * size * 4),
    "headings": ("a.md", lambda size: "".join(f"# Afsnit {number}\n\ntekst\n\n" for number in range(size))),
    "brackets": ("a.md", lambda size: "[a" * size),
    "links": ("a.md", lambda size: "[a](/b) " * size),
    "nested tables": ("a.html", lambda size: "<html><body>" + "<table><tr><td>a" * (size // 4)),
    "rows": ("a.html", lambda size: "<html><body><table>" + "<tr><td>a<td>b" * size),
    "nested articles": ("a.html", lambda size: "<html><body>" + "<article>a" * size),
    "style sheets": ("a.html", lambda size: "<html><body>" + "<style>.a,.b{display:none}</style><p>x" * size),
    "rows of Word": ("a.docx", lambda size: word_xml(f"<w:tbl>{ROW * (size // 2)}</w:tbl>")),
    "list of OpenDocument": (
        "a.odt",
        lambda size: opendocument(
            f"<text:list>{'<text:list-item><text:p>a</text:p></text:list-item>' * size}</text:list>"
        ),
    ),
}
SIZE = 150
LONGER = 16
# The middle between the length and its square.
LIMIT = 4
# Less than this many seconds are not compared.
QUICK = 0.16


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_times_the_length_takes_about_sixteen_times_the_time(tmp_path: Path, kind: str) -> None:
    name, made = KINDS[kind]
    read(written(tmp_path, "først.docx", docx()))  # loads the readers
    long, short = written(tmp_path, f"lang-{name}", made(LONGER * SIZE)), written(tmp_path, f"kort-{name}", made(SIZE))
    assert not out_of_proportion(lambda: read(long), lambda: read(short), LONGER, LIMIT, QUICK)
