from __future__ import annotations

import inspect
import re

import pytest

from kb.core import errors
from kb.core.errors import KbError


def _drawn() -> list[tuple[str, str]]:
    """``(class, parent)`` as the tree in the module's docstring draws them."""
    found: list[tuple[str, str]] = []
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"( +)(\w+Error|KbError)\b", line)
        if match:
            depth = len(match[1])
            path = [entry for entry in path if entry[0] < depth]
            found.append((match[2], path[-1][1] if path else "Exception"))
            path.append((depth, match[2]))
    return found


def _classes() -> list[type[KbError]]:
    return [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, KbError)]


def test_the_tree_as_drawn_is_the_tree() -> None:
    assert sorted(_drawn()) == sorted((cls.__name__, cls.__bases__[0].__name__) for cls in _classes())


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_code_and_a_docstring(cls: type[KbError]) -> None:
    assert re.fullmatch(r"[a-zæøå]+(-[a-zæøå]+)*", cls.code)
    assert cls.__doc__


def test_codes_are_unique() -> None:
    own = [cls.code for cls in _classes() if "code" in vars(cls)]
    # A file that a reader chokes on for no better reason carries the root of its branch's code.
    assert len(own) == len(set(own))


def test_message_advice_and_code_are_kept() -> None:
    error = errors.IndexMissingError("Der er intet indeks.")
    assert (str(error), error.advice, error.code) == ("Der er intet indeks.", "Kør: kb index", "indeks-mangler")
    other = KbError("Noget.", advice="Gør noget.", code="særlig")
    assert (other.advice, other.code) == ("Gør noget.", "særlig")
