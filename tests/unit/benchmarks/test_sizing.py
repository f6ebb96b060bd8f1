"""The sizing table is arithmetic on measured points, and the page has it as it is reckoned."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sizing import DISK, DOCS, SECTION, Disk, Measured, Point, disk_of, needs, read_measured, table
from kb.core.settings import Settings

SMALL = Point(100_000, search_ms=8.0, resident_mb=200.0, opening_s=1.0, build_ms=1.0, peak_mb=400.0)
LARGE = Point(1_000_000, search_ms=16.0, resident_mb=1100.0, opening_s=10.0, build_ms=1.5, peak_mb=1300.0)
MEASURED = Measured(SMALL, LARGE, embedding_s=0.036)
BYTES = Disk(build=5000, words=1464, vectors=9000, readings=1000)


def test_at_the_measured_sizes_it_says_what_was_measured() -> None:
    for point in (SMALL, LARGE):
        found = needs(MEASURED, BYTES, point.passages)
        assert found.search_ms == pytest.approx(point.search_ms)
        assert found.resident_gb == pytest.approx(point.resident_mb / 1000)
        assert found.opening_s == pytest.approx(point.opening_s)
        assert found.building_hours == pytest.approx(point.build_ms * point.passages / 3_600_000)


def test_beyond_them_times_follow_the_power_and_memory_the_line() -> None:
    found = needs(MEASURED, BYTES, 10_000_000)
    assert found.search_ms == pytest.approx(32.0)
    assert found.building_hours == pytest.approx(2.25 * 10_000_000 / 3_600_000)
    assert found.resident_gb == pytest.approx(10.1)
    assert found.peak_gb == pytest.approx(10.3)


def test_disk_is_all_builds_and_the_caches() -> None:
    found = needs(MEASURED, BYTES, 1_000_000)
    assert found.build_disk_gb == pytest.approx(5.0)
    assert found.all_disk_gb == pytest.approx(4 * 5.0 + 9.0 + 1.0)


def test_as_many_machines_embed_as_a_night_takes() -> None:
    """100 million passages at 36 ms are 1,000 hours of one core; a machine does 14.4 of them an hour."""
    found = needs(MEASURED, BYTES, 100_000_000)
    assert found.embedding_core_hours == pytest.approx(1000)
    assert found.indexing_machines == 9
    assert found.indexing_hours - found.building_hours == pytest.approx(1000 / 14.4 / 9)


def test_as_many_machines_hold_vectors_and_words_as_their_memory_takes() -> None:
    found = needs(MEASURED, BYTES, 100_000_000)
    assert found.engine_gb == pytest.approx(300.0)  # 1,536 and 1,464 bytes a passage
    assert found.engine_machines == 7  # of 48 GB


def test_the_points_are_those_of_the_page_on_speed() -> None:
    page = """
<!-- peers: begin -->
2026-11-25, 2 cores (x86_64), Python 3.11.7
400 passages, 371 questions asked once each, hybrid search
| index built, vectors given | 0.40 s | 0.05 s | 0.02 s | 18.88 of LanceDB | ≤ 1 |
With the sentences that answers are made of, which the peers have nothing like, ours is built in 6.4 s.
<!-- large:begin -->
| | 100,000 passages | 1,000,000 passages | ratio | bound |
| search without embedding, p50 (ms) | 8.00 | 16.00 | 2.13 | ratio under 2 |
| resident after 200 questions (MB) | 200.00 | 1,100.00 | 3.71 | under 1,536 |
| opening the build, checksums included (s) | 1.00 | 10.00 | 21.08 |  |
| build, verify and publish (ms a passage) | 1.00 | 1.50 | 1.49 | ratio at most 1.3 |
| peak memory of building (MB) | 400.00 | 1,300.00 | 3.02 |  |
"""
    found = read_measured(page)
    assert (found.small, found.large) == (SMALL, LARGE)
    assert found.embedding_s == pytest.approx(0.03)
    with pytest.raises(ValueError, match="peak"):
        read_measured(page.replace("peak memory", "memory"))


def test_the_bytes_of_an_index_are_those_of_its_files(indexed: Settings) -> None:
    found = disk_of(indexed.index_dir)
    assert 0 < found.words < found.build
    assert found.vectors > 64 * 4  # numbers of 32 bits
    assert found.readings > 0


def test_the_page_has_the_table_as_it_is_reckoned() -> None:
    """``make reference`` writes it."""
    page = SECTION.page.read_text(encoding="utf-8")
    written = page.partition(SECTION.begin)[2].partition(SECTION.end)[0].strip()
    assert written == table(read_measured(Path(DOCS / "speed.md").read_text(encoding="utf-8")), DISK)
