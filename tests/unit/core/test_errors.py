from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.core import errors
from kb.core.errors import KbError, ReadError


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


def test_a_code_says_one_thing() -> None:
    own = [cls.code for cls in _classes() if "code" in vars(cls) and cls is not errors.UnreadableUploadError]
    assert len([*own, *errors.FURTHER_CODES]) == len({*own, *errors.FURTHER_CODES})
    # A file that no reader takes is the same trouble where it is sent and where it lies.
    assert errors.UnreadableUploadError.code == errors.UnsupportedFormatError.code


def test_every_code_that_is_given_somewhere_is_in_the_table() -> None:
    known = {cls.code for cls in _classes()} | set(errors.FURTHER_CODES)
    texts = (path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    given = {code for text in texts if MAY_GIVE.search(text) for code in _codes_given(ast.parse(text))}
    assert {"tidsgrænse", "ugyldigt-navn", "læsefejl", "id-optaget", "modul-mangler"} <= given
    assert given <= known


PACKAGE = Path(errors.__file__).parents[1]
# What takes the code of a failure, and at which place; an error takes it by name.
TAKERS = {"_Failure": 0, "Skipped": 1, "Failure": 3, "Reading": 4}
MAY_GIVE = re.compile(rf"\bcode=|\b({'|'.join(TAKERS)})\(")


def _codes_given(tree: ast.Module) -> Iterator[str]:
    """The codes a module gives to errors and failures, as text or by a name the module gives a text."""
    named = {target.id: value for target, value in _assignments(tree) if isinstance(value, ast.Constant)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        place = TAKERS.get(call.func.id)
        given = [call.args[place]] if place is not None and len(call.args) > place else []
        if call.func.id.endswith("Error"):
            given += [word.value for word in call.keywords if word.arg == "code"]
        for node in given:
            constant = named.get(node.id) if isinstance(node, ast.Name) else node
            if isinstance(constant, ast.Constant) and constant.value:
                yield str(constant.value)


def _assignments(tree: ast.Module) -> Iterator[tuple[ast.Name, ast.expr]]:
    """The names a module gives values, those of tuples too."""
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                yield from ((one, value) for one, value in pairs if isinstance(one, ast.Name))


def test_message_advice_and_code_are_kept() -> None:
    error = errors.IndexMissingError("Der er intet indeks.")
    assert (str(error), error.advice, error.code) == ("Der er intet indeks.", "Kør: kb index", "indeks-mangler")
    other = KbError("Noget.", advice="Gør noget.", code="særlig")
    assert (other.advice, other.code) == ("Gør noget.", "særlig")


@pytest.mark.parametrize("cls", [one for one in _classes() if issubclass(one, ReadError)])
def test_what_an_editor_reads_of_a_file_asks_for_no_command_and_no_setting(cls: type[KbError]) -> None:
    assert not re.search(r"\bapt\b|apt-get|sudo|\bkb \w|KB_", cls.advice)
