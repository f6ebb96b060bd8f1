from __future__ import annotations

import unicodedata

import pytest

from kb.core.slug import slug


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Rapport 2.pdf", "rapport-2-pdf"), ("../../etc/passwd", "etc-passwd"), ("Å og Ø/Æble", "aa-og-oe-aeble"),
        (unicodedata.normalize("NFD", "Å og Ø/Æble"), "aa-og-oe-aeble"), ("Malmö über Łódź", "malmoe-yber-lodz"),
        ("日本", "dokument"), ("a" * 300, "a" * 100), ("a" * 99 + " b", "a" * 99),
    ],
)  # fmt: skip
def test_an_address_has_only_plain_letters(text: str, address: str) -> None:
    assert slug(text, longest=100, empty="dokument") == address
