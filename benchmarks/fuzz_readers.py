"""Read damaged files for a while and see that nothing but the file fails.

    python -m benchmarks.fuzz_readers [--seconds 120] [--seed 1]

Test documents and shipped reports are damaged at random: bytes changed, cut, doubled, zeroed, moved; the parts of
zipped formats also from inside, so that the damage gets past the container. Each is read in isolation. The run fails
when a file gets no outcome, or one without a reason.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.readers_page import ROOT, SHARED, write_section
from kb.extract import ReadOptions, ReadOutcome, ReadStatus, find_files, read_files

LARGEST = 600_000
BATCH = 24
OPTIONS = ReadOptions(timeout=20, memory_mb=1024, workers=2, ocr=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chooser = random.Random(arguments.seed)  # noqa: S311 -- damage, not secrets
    sources = [
        path for path in find_files([ROOT / "corpus", SHARED / "documents"]).files if path.stat().st_size < LARGEST
    ]
    counts: Counter[str] = Counter()
    slowest = 0.0
    until = time.monotonic() + arguments.seconds
    while time.monotonic() < until:
        for outcome in _batch(sources, chooser):
            counts[f"{outcome.status} {outcome.code}".strip()] += 1
            slowest = max(slowest, outcome.seconds)
    text = "\n".join(
        [
            f"{counts.total()} damaged files of {len(sources)} sources in {arguments.seconds:g} s, "
            f"seed {arguments.seed}; "
            f"slowest {slowest:.1f} s; every file got its outcome and the parent process went on.",
            "",
            "| outcome | files |",
            "|---|---:|",
            *(f"| {name} | {count} |" for name, count in counts.most_common()),
        ]
    )
    write_section("fuzz", text)
    print(text)


def _batch(sources: list[Path], chooser: random.Random) -> list[ReadOutcome]:
    with tempfile.TemporaryDirectory(prefix="kb-fuzz-") as folder:
        root = Path(folder)
        for number in range(BATCH):
            source = chooser.choice(sources)
            (root / f"{number:02}{source.suffix}").write_bytes(damaged(source.read_bytes(), chooser))
        paths = find_files([root]).files
        outcomes = list(read_files(paths, root, OPTIONS))
    assert len(outcomes) == len(paths)
    assert all(outcome.status is ReadStatus.READ or (outcome.code and outcome.reason) for outcome in outcomes)
    return outcomes


def damaged(data: bytes, chooser: random.Random) -> bytes:
    """A damaged copy."""
    if data.startswith(b"PK") and chooser.random() < 0.7:
        return _damaged_inside(data, chooser)
    for _ in range(chooser.choice((1, 1, 2, 4, 16))):
        data = chooser.choice(_DAMAGES)(data, chooser)
    return data


def _damaged_inside(data: bytes, chooser: random.Random) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        hit = chooser.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(
                name, chooser.choice(_DAMAGES)(part, chooser) if name == hit or chooser.random() < 0.1 else part
            )
    return result.getvalue()


def _changed(data: bytes, chooser: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chooser.choice((1, 8, 64))):
        if changed:
            changed[chooser.randrange(len(changed))] = chooser.randrange(256)
    return bytes(changed)


def _cut(data: bytes, chooser: random.Random) -> bytes:
    return data[: chooser.randrange(len(data) + 1)]


def _doubled(data: bytes, chooser: random.Random) -> bytes:
    start, end = sorted(chooser.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[start:end] * chooser.choice((1, 1, 3)) + data[end:]


def _zeroed(data: bytes, chooser: random.Random) -> bytes:
    start, end = sorted(chooser.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + b"\0" * (end - start) + data[end:]


def _moved(data: bytes, chooser: random.Random) -> bytes:
    a, b, c = sorted(chooser.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _numbers(data: bytes, chooser: random.Random) -> bytes:
    """Numbers in a text format made huge, negative or circular."""
    place = chooser.randrange(len(data) + 1)
    digits = [index for index in range(place, min(len(data), place + 4000)) if data[index : index + 1].isdigit()]
    if not digits:
        return _changed(data, chooser)
    at = digits[0]
    return data[:at] + chooser.choice((b"99999999999", b"-1", b"0", b"1e99")) + data[at + 1 :]


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (_changed, _cut, _doubled, _zeroed, _moved, _numbers)


if __name__ == "__main__":
    main()
