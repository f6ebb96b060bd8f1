from __future__ import annotations

from functools import partial

import pytest

from kb.recent import Recent


class Finding:
    """Finds a key's capitals, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked = ""

    def in_(self, recent: Recent, keys: str) -> str:
        return "".join(recent.of(key, partial(self._find, key)) for key in keys)

    def _find(self, key: str) -> str:
        self.asked += key
        if not key.isalpha():
            raise ValueError(key)
        return key.upper()


def test_what_was_found_is_found_once() -> None:
    finding = Finding()
    assert finding.in_(Recent(2), "aabab") == "AABAB"
    assert finding.asked == "ab"


def test_the_key_asked_for_longest_ago_gives_way() -> None:
    finding = Finding()
    assert finding.in_(Recent(2), "abacab") == "ABACAB"
    assert finding.asked == "abcb"


def test_an_error_is_not_kept() -> None:
    finding, recent = Finding(), Recent(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="1"):
            finding.in_(recent, "1")
    assert finding.asked == "11"
