"""The operator's handbook: its commands are those of the program, its settings and links exist, and its steps work."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli.commands import main
from kb.core.settings import Settings, load_settings
from kb.embedding.model_store import model_folder

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "drift").glob("*.md"))
WRITTEN = [page for page in PAGES if page.name not in {"fejlkoder.md", "indstillinger.md"}]
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.M | re.S)


def commands(language: str) -> Iterator[tuple[str, str]]:
    """The commands of the handbook's blocks, page by page: those of ``sh`` are run, of ``console`` not all can be."""
    for page in WRITTEN:
        for kind, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == language:
                yield from ((page.name, line.strip()) for line in body.splitlines() if line.strip())


def invoked(command: str) -> list[str]:
    """The arguments of a ``kb`` command, without what the shell does with its output."""
    return shlex.split(command.partition(" > ")[0])[1:]


OF_KB = [(page, line) for language in ("sh", "console") for page, line in commands(language) if line.startswith("kb ")]


def test_there_are_commands_to_try() -> None:
    assert len(OF_KB) > 30
    assert all(line.startswith("kb ") for _, line in commands("sh"))


@pytest.mark.parametrize(("page", "command"), sorted(set(OF_KB)), ids=lambda value: value[:40])
def test_a_command_has_the_verbs_and_options_of_the_program(page: str, command: str) -> None:
    # The options are parsed before the help is given, and nothing is done.
    result = CliRunner().invoke(main, [*invoked(command), "--help"])
    assert result.exit_code == 0, f"{page}: {command}: {result.output}"
    assert "Usage" in result.output


def test_every_setting_that_is_named_exists() -> None:
    known = {f"KB_{name.upper()}" for name in Settings.model_fields}
    named = {(page.name, name) for page in WRITTEN for name in re.findall(r"\bKB_[A-Z_]+\b", page.read_text("utf-8"))}
    assert {(page, name) for page, name in named if name not in known} == set()


def test_every_file_and_page_that_is_named_exists() -> None:
    for page in WRITTEN:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (page.parent / target).is_file(), (page.name, target)
        for name in re.findall(r"\b(?:deploy|docs)/[\w./-]*\w", text):
            assert (ROOT / name).exists(), (page.name, name)


def test_every_page_stands_in_the_contents() -> None:
    contents = (ROOT / "docs" / "drift" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if page.name != "README.md" and f"]({page.name})" not in contents] == []


@pytest.mark.slow
def test_the_steps_work_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installation, keys, backup, restore, audit and deletion, as they are written, on a base of one report."""
    models = load_settings(index_dir=ROOT / "index").models_dir
    if not models.is_dir():
        pytest.skip("Sprogmodellen er ikke klargjort (make test gør det selv)")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    report = next((ROOT / "corpus" / "projekter").glob("*.md"))
    (tmp_path / "corpus" / report.name).write_bytes(report.read_bytes())
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(models.resolve())
    model_folder(load_settings())
    order = ("installation.md", "roller.md", "sikkerhedskopi.md", "opgradering.md", "overvaagning.md", "logge.md",
             "databeskyttelse.md")  # fmt: skip
    lines = sorted((one for one in commands("sh") if one[0] in order), key=lambda one: order.index(one[0]))
    for page, line in lines:
        result = CliRunner().invoke(main, invoked(line))
        # What is looked over here is no installation: the doctor finds what the machine of the tests lacks.
        assert result.exit_code == 0 or line == "kb doctor", f"{page}: {line}: {result.output} {result.exception}"
    assert (tmp_path / "hel-kopi.tar.gz").is_file()
