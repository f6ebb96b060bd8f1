"""What the benchmarks' pages share."""

from __future__ import annotations

from pathlib import Path

from benchmarks import pages


def test_writing_again_replaces_what_stood_between_the_marks_alone(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text("# Speed\n\nfirst\n", encoding="utf-8")
    section = pages.Section(page, "<!-- a: begin -->", "<!-- a: end -->", heading="## A")
    section.write("old")
    page.write_text(page.read_text(encoding="utf-8") + "\nlast\n", encoding="utf-8")
    section.write("new")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Speed\n\nfirst\n\n## A\n")
    assert text.endswith(f"{section.begin}\nnew\n{section.end}\n\nlast\n")
    assert "old" not in text


def test_a_page_and_its_marks_are_made_where_they_are_missing(tmp_path: Path) -> None:
    section = pages.Section(tmp_path / "speed.md", "<!-- a: begin -->", "<!-- a: end -->")
    section.write("figures")
    assert section.page.read_text(encoding="utf-8") == f"# Speed\n\n{section.begin}\nfigures\n{section.end}\n"


def test_a_process_has_had_at_least_what_it_has() -> None:
    assert 0 < pages.memory("VmRSS") <= pages.memory("VmHWM")
