"""What a base takes, from what is measured to 100 million passages: ``python -m benchmarks.sizing``.

    python -m benchmarks.sizing [--write] [--disk INDEX]

Time and memory are read from the tables of ``docs/speed.md``, so that they follow what was measured last; the bytes on
disk were measured on the shipped corpus (``--disk`` measures an index). Between and beyond the two measured sizes,
what grows faster than the base follows the power of the size that goes through both points, and memory the straight
line. ``--write`` puts the table into ``docs/scale.md`` between its marks; a test holds the page to it.
"""

from __future__ import annotations

import argparse
import math
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import Section
from kb.index import builds
from kb.index.store import Store
from kb.index.verification import READINGS_CACHE, VECTORS_CACHE

DOCS = Path(__file__).parents[1] / "docs"
SECTION = Section(DOCS / "scale.md", "<!-- sizing:begin -->", "<!-- sizing:end -->", heading="## Sizing")
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
# Builds that are kept and the one underway (KB_KEEP_BUILDS is 3).
BUILDS = 4
# What a machine of a cluster is taken to have, and how full its memory may be.
MACHINE_CORES, MACHINE_GB, FULL = 16, 64, 0.75
# The night in which a base is to be embedded anew, and the share of its processors that a cluster keeps at work.
NIGHT_HOURS, AT_WORK = 8, 0.9
# 32-bit numbers of the model's vectors, as an engine keeps them that is not told otherwise.
VECTOR_BYTES = 384 * 4
GB = 1e9


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes a passage: of a build, of the words in it, and of the caches of vectors and of readings."""

    build: float
    words: float
    vectors: float
    readings: float


# Measured on the shipped corpus: 395 passages with 635 sentences that are embedded too.
DISK = Disk(build=4839, words=1215, vectors=12226, readings=633)


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one size of the base."""

    passages: int
    search_ms: float
    resident_mb: float
    opening_s: float
    build_ms: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The smaller and the larger base, and the processor seconds that embedding a passage and its sentences takes."""

    small: Point
    large: Point
    embedding_s: float

    def power(self, of: Callable[[Point], float], passages: int) -> float:
        """The value at a size, by the power of the size that goes through both points."""
        exponent = math.log(of(self.large) / of(self.small)) / math.log(self.large.passages / self.small.passages)
        return of(self.large) * float((passages / self.large.passages) ** exponent)

    def line(self, of: Callable[[Point], float], passages: int) -> float:
        """The value at a size, by the straight line through both points."""
        slope = (of(self.large) - of(self.small)) / (self.large.passages - self.small.passages)
        return of(self.large) + slope * (passages - self.large.passages)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a base of a size takes, on one machine and spread over several."""

    passages: int
    search_ms: float
    resident_gb: float
    peak_gb: float
    opening_s: float
    build_disk_gb: float
    all_disk_gb: float
    embedding_core_hours: float
    building_hours: float
    indexing_machines: int
    indexing_hours: float
    engine_gb: float
    engine_machines: int


def needs(measured: Measured, disk: Disk, passages: int) -> Needs:
    """What a base of so many passages takes."""
    core_hours = measured.embedding_s * passages / 3600
    machine_hours = core_hours / (MACHINE_CORES * AT_WORK)
    machines = max(1, math.ceil(machine_hours / NIGHT_HOURS))
    building = measured.power(lambda point: point.build_ms, passages) * passages / 3_600_000
    engine = (VECTOR_BYTES + disk.words) * passages / GB
    return Needs(
        passages=passages,
        search_ms=measured.power(lambda point: point.search_ms, passages),
        resident_gb=measured.line(lambda point: point.resident_mb, passages) / 1000,
        peak_gb=measured.line(lambda point: point.peak_mb, passages) / 1000,
        opening_s=measured.line(lambda point: point.opening_s, passages),
        build_disk_gb=disk.build * passages / GB,
        all_disk_gb=(BUILDS * disk.build + disk.vectors + disk.readings) * passages / GB,
        embedding_core_hours=core_hours,
        building_hours=building,
        indexing_machines=machines,
        indexing_hours=machine_hours / machines + building,
        engine_gb=engine,
        engine_machines=max(1, math.ceil(engine / (MACHINE_GB * FULL))),
    )


ROWS: Sequence[tuple[str, Callable[[Needs], float]]] = (
    ("**on one machine**", lambda _: math.nan),
    ("search without embedding, p50 (ms)", lambda one: one.search_ms),
    ("memory of a process that serves (GB)", lambda one: one.resident_gb),
    ("memory of building, at most (GB)", lambda one: one.peak_gb),
    ("opening a build (s)", lambda one: one.opening_s),
    ("a build on disk (GB)", lambda one: one.build_disk_gb),
    (f"{BUILDS} builds and the caches on disk (GB)", lambda one: one.all_disk_gb),
    ("embedding everything (hours of one core)", lambda one: one.embedding_core_hours),
    ("building, verifying and publishing (hours)", lambda one: one.building_hours),
    ("**on several machines**", lambda _: math.nan),
    (f"machines that embed in {NIGHT_HOURS} hours, {MACHINE_CORES} cores each", lambda one: one.indexing_machines),
    ("embedding there and building here (hours)", lambda one: one.indexing_hours),
    ("vectors and words in the memory of an engine (GB)", lambda one: one.engine_gb),
    (f"machines for them, {MACHINE_GB} GB each, {FULL:.0%} full", lambda one: one.engine_machines),
)


def table(measured: Measured, disk: Disk, sizes: Sequence[int] = SIZES) -> str:
    """The table of all sizes, and by what it was reckoned."""
    found = [needs(measured, disk, size) for size in sizes]
    lines = [f"| passages | {' | '.join(f'{size:,}' for size in sizes)} |", f"|---|{'---:|' * len(sizes)}"]
    lines += [f"| {name} | {' | '.join(_shown(value(one)) for one in found)} |" for name, value in ROWS]
    small, large = measured.small.passages, measured.large.passages
    return (
        "\n".join(lines)
        + f"\n\nMeasured at {small:,} and {large:,} passages ([speed.md](speed.md)); the rest is a model of them."
        f" A passage and its sentences take {measured.embedding_s * 1000:.1f} ms of one core to embed, and on disk"
        f" {disk.build:,.0f} bytes of a build and {disk.vectors + disk.readings:,.0f} of the caches."
    )


def _shown(value: float) -> str:
    if math.isnan(value):
        return ""
    if value < 0.1:
        return f"{value:.3f}"
    return f"{value:.1f}" if value < 10 and value != int(value) else f"{value:,.0f}"


def read_measured(page: str) -> Measured:
    """What ``docs/speed.md`` says was measured; raises ValueError where a row is missing."""
    header = _found(r"\| \| ([\d,]+) passages \| ([\d,]+) passages \|", page)
    columns = {
        "search_ms": _row(page, "search without embedding, p50 (ms)"),
        "resident_mb": _row(page, "resident after 200 questions (MB)"),
        "opening_s": _row(page, "opening the build, checksums included (s)"),
        "build_ms": _row(page, "build, verify and publish (ms a passage)"),
        "peak_mb": _row(page, "peak memory of building (MB)"),
    }
    small, large = (
        Point(int(_number(header[at])), **{name: values[at] for name, values in columns.items()}) for at in (0, 1)
    )
    return Measured(small, large, _embedding_s(page))


def _embedding_s(page: str) -> float:
    """Processor seconds a passage: the build with its sentences, less the same with vectors given."""
    cores = _number(_found(r"peers: begin -->\n[\d-]+, (\d+) cores", page)[0])
    passages = _number(_found(r"([\d,]+) passages, [\d,]+ questions asked once each", page)[0])
    whole = _number(_found(r"ours is built in ([\d.]+) s", page)[0])
    given = _number(_found(r"\| index built, vectors given \| ([\d.]+) s", page)[0])
    return (whole - given) * cores / passages


def _row(page: str, name: str) -> tuple[float, float]:
    small, large = _found(rf"\| {re.escape(name)} \| ([\d.,]+) \| ([\d.,]+) \|", page)
    return _number(small), _number(large)


def _found(pattern: str, page: str) -> Sequence[str]:
    match = re.search(pattern, page)
    if match is None:
        raise ValueError(f"docs/speed.md has nothing like: {pattern}")
    return match.groups()


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def disk_of(index_dir: Path) -> Disk:
    """Bytes a passage of the build in use and of the caches; of these, those of its texts alone."""
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        passages, sentences = len(store), store.sentence_count()
    build = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    words = sum(file.stat().st_size for file in (folder / "lexical").rglob("*") if file.is_file())
    vector = _bytes_a_row(index_dir / VECTORS_CACHE, "vectors")
    readings = (index_dir / READINGS_CACHE).stat().st_size
    return Disk(*(value / passages for value in (build, words, vector * (passages + sentences), readings)))


def _bytes_a_row(path: Path, table_name: str) -> float:
    with closing(sqlite3.connect(path)) as database:
        rows = int(database.execute(f"SELECT count(*) FROM {table_name}").fetchone()[0])
    return path.stat().st_size / rows


def main() -> None:
    """Print the table, or write it; or measure an index's bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table into docs/scale.md")
    parser.add_argument("--disk", type=Path, metavar="INDEX", help="print the bytes a passage of an index")
    given = parser.parse_args()
    if given.disk:
        print(disk_of(given.disk))
        return
    text = table(read_measured((DOCS / "speed.md").read_text(encoding="utf-8")), DISK)
    if given.write:
        SECTION.write(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
