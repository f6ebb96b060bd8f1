"""Compares two ways to notice changes in a folder: by sizes and times, as the product does, and watchfiles' polling.

    pip install watchfiles
    python -m benchmarks.watching

Each change is made in a small folder that is watched. "Rests" says whether the folder then comes to rest, without which
no run begins. The last lines are the processor time of a look at 10,000 files. The choice that rests on it is in
docs/decisions/indexing.md.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch as watch_files  # type: ignore[import-not-found,unused-ignore]

from kb.indexing.watching import folder_state

POLL_SECONDS = 0.2
SETTLE_SECONDS = 2.0
FILES, FOLDERS = 10_000, 100

Change = Callable[[Path], None]


def _nothing(_root: Path) -> None:
    pass


def _add(root: Path) -> None:
    (root / "ny.md").write_text("En ny rapport.", encoding="utf-8")


def _grow(root: Path, *, later: int) -> None:
    """Rewrite a file and set its time to the one it had, plus some nanoseconds of the same second."""
    file = root / "a.md"
    before = file.stat().st_mtime_ns
    file.write_text("En helt anden og længere tekst.", encoding="utf-8")
    os.utime(file, ns=(before, before + later))


def _move_away_and_back(root: Path) -> None:
    aside = root.with_name("væk")
    root.rename(aside)
    time.sleep(2 * POLL_SECONDS)
    _add(aside)
    aside.rename(root)


def _link_to_nothing(root: Path) -> None:
    (root / "link.md").symlink_to(root / "findes-ikke.md")


def _link_in_a_circle(root: Path) -> None:
    (root / "rundt.md").symlink_to(root / "rundt.md")


def _add_name_not_in_utf8(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/b\xe6rbar.md")).write_text("Navnet er i Latin-1.", encoding="utf-8")


# A name, what is in the folder beforehand, and the change.
CHANGES: tuple[tuple[str, Change, Change], ...] = (
    ("new file", _nothing, _add),
    ("rewritten with the same time", _nothing, lambda root: _grow(root, later=0)),
    ("rewritten within the second", _nothing, lambda root: _grow(root, later=1)),
    ("folder away and back", _nothing, _move_away_and_back),
    ("dangling link", _nothing, _link_to_nothing),
    ("new file beside a dangling link", _link_to_nothing, _add),
    ("link in a circle", _nothing, _link_in_a_circle),
    ("new file beside a link in a circle", _link_in_a_circle, _add),
    ("name not in UTF-8", _nothing, _add_name_not_in_utf8),
)


def by_polling(root: Path, change: Change) -> str:
    """What watchfiles reports of a change."""
    stop = threading.Event()
    times: list[float] = []
    errors: list[str] = []

    def follow() -> None:
        try:
            for _ in watch_files(
                root, stop_event=stop, watch_filter=None, force_polling=True, poll_delay_ms=int(1000 * POLL_SECONDS)
            ):
                times.append(time.monotonic())
        except Exception as error:
            errors.append(f"fails: {error}")

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(4 * POLL_SECONDS)
    before = len(times)
    change(root)
    changed = time.monotonic()
    time.sleep(2 * SETTLE_SECONDS)
    stop.set()
    thread.join()
    if errors:
        return errors[0][:60]
    return _verdict(noticed=len(times) > before, rests=not times or times[-1] < changed + SETTLE_SECONDS)


def by_comparing(root: Path, change: Change) -> str:
    """What the comparison of sizes and times reports of a change."""
    before = folder_state([root])
    change(root)
    after = folder_state([root])
    return _verdict(noticed=after != before, rests=folder_state([root]) == after)


def _verdict(*, noticed: bool, rests: bool) -> str:
    return f"{'noticed' if noticed else 'missed'}, {'rests' if rests else 'never rests'}"


def _try(prepare: Change, change: Change, method: Callable[[Path, Change], str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "corpus"
        root.mkdir()
        (root / "a.md").write_text("En tekst.", encoding="utf-8")
        prepare(root)
        return method(root, change)


def _cost(root: Path) -> tuple[float, float]:
    """Seconds of processor for a look at a folder: by comparing, and by one poll."""
    for number in range(FILES):
        folder = root / str(number % FOLDERS)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text("En tekst.", encoding="utf-8")
    begun = time.process_time()
    folder_state([root])
    comparing = time.process_time() - begun
    stop = threading.Event()
    threading.Timer(10.5, stop.set).start()
    begun = time.process_time()
    for _ in watch_files(root, stop_event=stop, force_polling=True, poll_delay_ms=2000):
        pass
    return comparing, (time.process_time() - begun) / 6  # one scan at the start and one every two seconds


def main() -> None:
    """Print both verdicts on each change, and the costs."""
    print(f"{'change':36} {'comparing':24} polling")
    for name, prepare, change in CHANGES:
        print(f"{name:36} {_try(prepare, change, by_comparing):24} {_try(prepare, change, by_polling)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        comparing, polling = _cost(Path(folder))
    print(f"a look at {FILES} files, seconds of processor: comparing {comparing:.2f}, polling {polling:.2f}")


if __name__ == "__main__":
    main()
