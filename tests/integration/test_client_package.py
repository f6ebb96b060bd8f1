"""The client's own package, built and used without network where nothing else of the program is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pydantic
import pytest

from kb.core.fields import FIELDS
from kb.http.api import response_models

ROOT = Path(__file__).parents[2]
# What the package's two dependencies are made of.
NEEDED = (
    "annotated_types", "certifi", "charset_normalizer", "idna", "pydantic", "pydantic_core", "requests",
    "typing_extensions.py", "typing_inspection", "urllib3",
)  # fmt: skip
USE = """
import importlib.util, sys
from kb.client import ApiError, Client
from kb.http.api.response_models import Answer
with Client("http://127.0.0.1:9") as client:
    try:
        client.answer("Hvad kostede det?")
    except OSError as error:
        print("ingen server")
print(Answer.model_fields["answer"].annotation.__name__)
print([name for name in ("torch", "faiss", "flask", "kb.cli") if importlib.util.find_spec(name)])
"""


@pytest.mark.slow
def test_it_is_built_and_used_in_a_bare_environment(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "client", source / "client")
    shutil.copytree(ROOT / "kb", source / "kb", ignore=lambda _folder, names: [n for n in names if n == "__pycache__"])
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(tmp_path), str(source / "client")], check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("erfaringsbasen_client-")
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    (packages,) = bare.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    installed = Path(pydantic.__file__).parents[1]
    for name in NEEDED:
        (packages / name).symlink_to(installed / name)
    run = subprocess.run(
        [str(bare / "bin" / "python"), "-I", "-c", USE], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert run.stdout.splitlines() == ["ingen server", "AnswerBody", "[]"], run.stderr


def test_it_has_the_version_and_the_demands_of_the_program() -> None:
    own, whole = (
        tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        for path in (ROOT / "client" / "pyproject.toml", ROOT / "pyproject.toml")
    )
    assert (own["version"], own["requires-python"]) == (whole["version"], whole["requires-python"])
    assert set(own["dependencies"]) <= set(whole["dependencies"])


def test_names_are_in_one_language_a_level() -> None:
    neutral = {"id", "type", "status", "url"}
    danish = {field.name for field in FIELDS} - neutral
    bodies = [
        model
        for model in vars(response_models).values()
        if isinstance(model, type) and issubclass(model, response_models.Body)
    ]
    mixed = {
        body.__name__: sorted(danish & set(body.model_fields))
        for body in bodies
        if danish & set(body.model_fields) and not set(body.model_fields) <= danish | neutral | {"udledt", "dato"}
    }
    assert mixed == {}
