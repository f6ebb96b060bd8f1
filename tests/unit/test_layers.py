"""The import contract holds every module of the package."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = next(contract for contract in CONTRACTS if contract["type"] == "layers")


def outside(layers: Iterable[str], modules: Iterable[str]) -> list[str]:
    """The modules of ``kb`` that are neither a layer's package nor below one."""
    held = {f"kb.{name.strip()}" for layer in layers for name in layer.split("|")}
    return [module for module in modules if ".".join(module.split(".")[:2]) not in held]


def modules() -> list[str]:
    """Every module of the package, the package itself excepted."""
    files = (file.relative_to(ROOT).with_suffix("") for file in sorted((ROOT / "kb").rglob("*.py")))
    names = (".".join(file.parts).removesuffix(".__init__") for file in files)
    return [name for name in names if name != "kb"]


def test_every_module_is_held_by_a_layer() -> None:
    assert outside(LAYERS["layers"], modules()) == []


@pytest.mark.parametrize("module", ["kb.new", "kb.newpackage.part"])
def test_a_module_of_no_layer_is_found(module: str) -> None:
    assert outside(LAYERS["layers"], [*modules(), module]) == [module]


def test_the_contract_is_exhaustive_and_excepts_nothing() -> None:
    assert LAYERS["containers"] == ["kb"]
    assert LAYERS["exhaustive"] is True
    assert not LAYERS.keys() & {"ignore_imports", "exhaustive_ignores"}
