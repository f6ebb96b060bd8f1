"""Every regular expression of some packages, and texts built against it.

``found_in`` collects the expressions mechanically: those that modules hold, however deep in tables, by importing them;
those written inside functions by their syntax. ``attacks`` builds texts from an expression's own parts: what it
repeats, repeated after what leads up to it and before what breaks it; what nearly matches, many times; and runs of
every character it tells apart, alone and in pairs.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

_parser: Any = importlib.import_module("re._parser")
_METHODS = frozenset({"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"})
_ANCHORED = frozenset({"match", "fullmatch"})
# A repetition of at most so many is no more than a constant.
_BOUNDED = 200
_BREAKERS = ("", "\x01", "\n", "a", "9", " ")
_CATEGORIES = {
    "CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a",
    "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_WORD": ".",
}  # fmt: skip
_ANY = "a1 .-\n#([<\"'|*_/:A\x01é"


@dataclass(frozen=True)
class Expression:
    """An expression, where it stands, and what is done with it: the name of a method of a pattern."""

    name: str
    pattern: re.Pattern[Any]
    method: str

    def __str__(self) -> str:
        return self.name

    def run(self, text: str) -> None:
        """Do to a text what is done with the expression, to the end of the text."""
        given: Any = text.encode("utf-8") if isinstance(self.pattern.pattern, bytes) else text
        if self.method in _ANCHORED:
            getattr(self.pattern, self.method)(given)
        else:
            for _ in self.pattern.finditer(given):
                pass


def found_in(packages: Sequence[str]) -> list[Expression]:
    """Every expression of the packages and modules of these names; fails for one that cannot be told."""
    modules = list(_modules(packages))
    trees = {module.__name__: ast.parse(Path(str(module.__file__)).read_text("utf-8")) for module in modules}
    used = _methods_by_name(trees)
    found: dict[tuple[str | bytes, int, str], Expression] = {}
    for module in modules:
        for name, pattern in _held(module):
            method = used.get(name.partition("[")[0], "search")
            found.setdefault(
                (pattern.pattern, pattern.flags, method), Expression(f"{module.__name__}.{name}", pattern, method)
            )
        for line, pattern, method in _inline(trees[module.__name__]):
            found.setdefault(
                (pattern.pattern, pattern.flags, method), Expression(f"{module.__name__}:{line}", pattern, method)
            )
    return list(found.values())


def _modules(packages: Sequence[str]) -> Iterator[ModuleType]:
    for name in packages:
        module = importlib.import_module(name)
        yield module
        for one in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."):
            if not one.name.endswith("__main__"):
                yield importlib.import_module(one.name)


def _held(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(module).items():
        yield from _patterns(name, value)


def _patterns(name: str, value: object) -> Iterator[tuple[str, re.Pattern[Any]]]:
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _patterns(f"{name}[{key}]", one)
    elif isinstance(value, tuple | list | set | frozenset) and not hasattr(value, "_fields"):
        for index, one in enumerate(value):
            yield from _patterns(f"{name}[{index}]", one)


def _methods_by_name(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """What is done with the patterns of each name; "search" where it is more than one thing."""
    methods: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in _METHODS:
                owner = node.value
                name = (
                    owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
                )
                methods.setdefault(name, set()).add(node.attr)
    return {
        name: "match" if "match" in used and used <= _ANCHORED else "fullmatch" if used <= _ANCHORED else "search"
        for name, used in methods.items()
    }


def _inline(tree: ast.Module) -> Iterator[tuple[int, re.Pattern[Any], str]]:
    """The expressions that functions write in their calls of ``re``."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _is_of_re(node.func):
                method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                yield node.lineno, re.compile(_written(node.args[0])), method if method in _METHODS else "search"


def _is_of_re(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in {*_METHODS, "compile"}
    )


def _written(argument: ast.expr) -> str:
    """An expression as it is written; what is put into it must be escaped or a plain name of ours."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if (joint := _joint_of_escaped(argument)) is not None:
        return joint.join(("navn", "navn"))
    assert isinstance(argument, ast.JoinedStr), (
        f"an expression made up elsewhere cannot be judged: {ast.unparse(argument)}"
    )
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "navn" for one in argument.values)


def _joint_of_escaped(argument: ast.expr) -> str | None:
    """What stands between escaped texts in ``"...".join(map(re.escape, texts))``; None of any other expression."""
    match argument:
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(joint)), attr="join"),
            args=[ast.Call(func=ast.Name(id="map"), args=[ast.Attribute(attr="escape"), _])],
        ):
            return joint
    return None


# --- Texts built against an expression -------------------------------------------------------------------------------


def attacks(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], str]]:
    """Makers of texts of about the length that is asked for; each text once."""
    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = _parser.parse(written, pattern.flags & ~re.UNICODE)
    example = _example(tree)
    made = {("", unit, end) for unit in (example, example[:-1], example[1:]) for end in ("", "\x01")}
    for prefix, body in _repeated(tree, ""):
        made |= {(start, body, end) for start in ("", prefix) for end in _BREAKERS}
        made.add(("", prefix + body, "\x01"))
    letters = sorted(_alphabet(tree))[:24]
    made |= {("", one, end) for one in letters for end in ("", "\x01")}
    made |= {("", one + other, "") for one, other in product(letters[:10], repeat=2)}
    for prefix, unit, end in sorted(made):
        if unit:
            yield lambda size, prefix=prefix, unit=unit, end=end: prefix + unit * (size // len(unit)) + end  # type: ignore[misc]


def _repeated(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """What leads up to each unbounded repetition, and texts of what it repeats."""
    for op, argument in tree:
        if str(op) in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            _, most, inside = argument
            if int(most) > _BOUNDED:
                for body in _variants(inside):
                    yield before, body
            yield from _repeated(inside, before)
        elif str(op) == "BRANCH":
            for alternative in argument[1]:
                yield from _repeated(alternative, before)
        elif str(op) in {"SUBPATTERN", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"}:
            yield from _repeated(argument if str(op) == "ATOMIC_GROUP" else argument[-1], before)
        before += _example([(op, argument)])


def _variants(tree: Any) -> set[str]:
    """Some texts that a part matches: its example, and one of each alternative or character in it."""
    found = {_example(tree)}
    for op, argument in tree:
        if str(op) == "BRANCH":
            found |= {_example(alternative) for alternative in argument[1][:8]}
        elif str(op) == "IN":
            found |= set(_characters(argument))
        elif str(op) == "SUBPATTERN":
            found |= _variants(argument[-1])
        elif str(op) in {"MAX_REPEAT", "MIN_REPEAT"}:
            found |= _variants(argument[2])
    return {text for text in found if text}


def _example(tree: Any) -> str:
    return "".join(_one(str(op), argument) for op, argument in tree)


def _one(op: str, argument: Any) -> str:
    """A text that one part of an expression matches; empty for a place between characters."""
    return _EXAMPLES[op](argument) if op in _EXAMPLES else ""


def _times(argument: Any) -> str:
    least, most, inside = argument
    return _example(inside) * max(int(least), min(int(most), 1))


_EXAMPLES: Mapping[str, Callable[[Any], str]] = {
    "LITERAL": chr,
    "NOT_LITERAL": lambda code: "b" if code == ord("a") else "a",
    "ANY": lambda _: "a",
    "IN": lambda members: _characters(members)[0],
    "BRANCH": lambda argument: _example(argument[1][0]),
    "SUBPATTERN": lambda argument: _example(argument[-1]),
    "ATOMIC_GROUP": _example,
    "MAX_REPEAT": _times,
    "MIN_REPEAT": _times,
    "POSSESSIVE_REPEAT": _times,
}


def _characters(members: Any) -> list[str]:
    """Characters that a set in brackets matches, one for each of its members."""
    negated = any(str(op) == "NEGATE" for op, _ in members)
    listed: list[str] = []
    for op, argument in members:
        if str(op) == "LITERAL":
            listed.append(chr(argument))
        elif str(op) == "RANGE":
            listed.append(chr(argument[0]))
        elif str(op) == "CATEGORY":
            listed.append(_CATEGORIES[str(argument)])
    if not negated:
        return listed[:8]
    inside = re.compile("|".join(map(re.escape, _literal(members))) or r"(?!)")
    return [one for one in _ANY if not inside.match(one) and one not in listed][:4] or ["ß"]


def _literal(members: Any) -> list[str]:
    return [chr(argument) for op, argument in members if str(op) == "LITERAL"]


def _alphabet(tree: Any) -> set[str]:
    """Every character that the expression tells apart."""
    found: set[str] = set()
    for op, argument in tree:
        name = str(op)
        if name == "LITERAL":
            found.add(chr(argument))
        elif name == "IN":
            found |= set(_characters(argument)[:4])
        elif name == "BRANCH":
            for alternative in argument[1]:
                found |= _alphabet(alternative)
        elif name in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
            found |= _alphabet(argument[-1])
        elif name == "ATOMIC_GROUP":
            found |= _alphabet(argument)
        elif name.endswith("REPEAT"):
            found |= _alphabet(argument[2])
    return found
