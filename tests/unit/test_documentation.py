"""What the documentation and the comments cite is there, and the decisions have the form of records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
TOPICS = sorted(file for file in DECISIONS.glob("*.md") if file.name != "README.md")
# Our own folders: what was installed or made beside them is not ours to hold.
FOLDERS = ("kb", "benchmarks", "tools", "training", "tests")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(page for folder in FOLDERS for page in (ROOT / folder).rglob("README.md")),
        ROOT / "index" / "README.md",
    ]
)
SOURCES = sorted(
    file
    for folder in FOLDERS
    for file in (ROOT / folder).rglob("*")
    if file.suffix in {".py", ".sh", ".toml", ".yaml", ".html"} and file != Path(__file__)
)
CITING = [*PAGES, *SOURCES, ROOT / "Makefile", ROOT / "pyproject.toml"]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
LONGEST_CELL = 600
_DOCS_PATH = re.compile(r"(?<![\w/.])docs/[\w./-]*[\w/]")
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
# In small letters: a name in capitals stands for one of several.
_MODULE_RUN = re.compile(r"python -m ((?:benchmarks|training)(?:\.[a-z_]+)*)(?![\w.]*[A-Z])")
_FILE_RUN = re.compile(r"(?:python|pytest)(?: -\S+)* ((?:benchmarks|tools|tests)/[\w./-]+)")
_TARGET = re.compile(r"`make ([a-z-]+)`")
# Files that a test makes and removes.
_MADE_BY_TESTS = ("docs/prøve.md",)


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def anchors(file: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", _LINK.sub(r"\1", text).lower()).replace(" ", "-") for text in headings}


def records() -> Iterator[tuple[Path, str, str]]:
    """Every record with its file and heading."""
    for file in TOPICS:
        _, *parts = re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for part in parts:
            heading, _, body = part.partition("\n")
            yield file, heading, body


def missing_paths(text: str) -> list[str]:
    """The paths below docs/ that a text names and that are not there."""
    return [path for path in _DOCS_PATH.findall(text) if path not in _MADE_BY_TESTS and not (ROOT / path).exists()]


def missing_commands(text: str) -> list[str]:
    """The files and targets of commands that a text names and that are not there."""
    modules = [name for name in _MODULE_RUN.findall(text) if not _is_module(name)]
    files = [path for path in _FILE_RUN.findall(text) if not (ROOT / path).exists()]
    targets = [name for name in _TARGET.findall(text) if name not in TARGETS]
    return modules + files + targets


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.rstrip(".").split("."))
    return any(file.is_file() for file in (path.with_suffix(".py"), path / "__init__.py", path / "__main__.py"))


def test_every_page_and_command_that_is_cited_is_there() -> None:
    texts = {name_of(file): file.read_text(encoding="utf-8") for file in CITING}
    missing = {name: [*missing_paths(text), *missing_commands(text)] for name, text in texts.items()}
    assert {name: cited for name, cited in missing.items() if cited} == {}


def test_a_missing_page_or_command_is_found() -> None:
    assert missing_paths("see docs/decisions/search.md and docs/decisions-search.md") == ["docs/decisions-search.md"]
    text = (
        "`python -m benchmarks.quality`, `python -m benchmarks.gone`, `pytest tests/gone.py`, `make check`, `make gone`"
    )
    assert missing_commands(text) == ["benchmarks.gone", "tests/gone.py", "gone"]


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
            target = page.parent / path if path else page
            assert target.exists(), f"{name_of(page)}: {path}"
            assert not anchor or anchor in anchors(target), f"{name_of(page)}: {path}#{anchor}"


def test_no_table_cell_is_an_essay() -> None:
    for page in PAGES:
        rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
        assert [cell for row in rows for cell in row.split("|") if len(cell) >= LONGEST_CELL] == [], name_of(page)


def test_every_decision_has_its_context_choice_figure_and_command() -> None:
    for file, heading, body in records():
        intro = file.read_text(encoding="utf-8").partition("\n## ")[0]
        for label in ("Context", "Choice", "Figure"):
            assert re.search(rf"^\* \*\*{label}:\*\* \S", body, re.MULTILINE), f"{file.name}: {heading}: {label}"
        assert "* **Command:** " in body or "`" in intro, f"{file.name}: {heading}: Command"


def test_the_index_names_every_decision_in_order() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\* \[(.+)\]\(([\w-]+\.md)#", index, re.MULTILINE)
    assert sorted(listed) == sorted((heading, file.name) for file, heading, _ in records())


def test_the_readme_leads_to_every_page() -> None:
    linked = {path for path, _ in _LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
    pages = {name_of(page) for page in (ROOT / "docs").glob("*.md")}
    assert pages - linked == set()
