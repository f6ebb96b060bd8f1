"""Keeps the index in line with a folder for as long as it is asked to: ``kb index --watch``.

The folder is looked at every few seconds, by the size and time of each file; nothing is opened until something has
changed. Looking works where notices from the operating system do not: on network drives, where other machines write.
A change is taken in when nothing has changed for the settle time, so that files still being copied are waited for; a
folder that never comes to rest is indexed every ``PATIENCE`` settle times nevertheless, and a file that changes while
it is read is read again. A run that cannot be made (the disk is full, another run is at
work, a module is missing) is tried again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kb import indexing
from kb.core.errors import InstallationError, KbError, LockedError, StorageError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.extract import find_files
from kb.extract.corpus_files import existing_sidecar

PATIENCE = 60
# Settle times before a run that could not be made, whatever the files, is tried again.
RETRY = 3

Look = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """``interval`` seconds between looks; ``settle`` seconds without change before a run."""

    interval: float = 2.0
    settle: float = 5.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told: of each run's report, of each error (the watching goes on), and of a run's progress."""

    report: Callable[[indexing.RunReport], None]
    error: Callable[[KbError], None]
    progress: indexing.Progress | None = None


def watch(
    settings: Settings,
    embedder: Embedder,
    listener: Listener,
    stop: threading.Event,
    *,
    roots: Sequence[Path] = (),
    pace: Pace | None = None,
    started_by: str = "kb index --watch",
) -> None:
    """Index now, and again whenever the folder has changed and come to rest, until ``stop`` is set."""
    pace = pace or Pace()
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    taken: Look | None = None
    while not stop.is_set():
        seen = _at_rest(folders, taken, pace, stop)
        if stop.is_set():
            return
        try:
            report = indexing.run(settings, embedder, roots=roots, started_by=started_by, progress=listener.progress)
        except (LockedError, StorageError, InstallationError) as error:
            listener.error(error)
            stop.wait(RETRY * pace.settle)
        except KbError as error:
            listener.error(error)
            taken = seen  # a fault of the files: wait for a change before trying them again
        else:
            # What changed during the run differs from what was seen before it, and is taken in next.
            taken = seen
            listener.report(report)
        stop.wait(pace.interval)


def _at_rest(folders: Sequence[Path], taken: Look | None, pace: Pace, stop: threading.Event) -> Look:
    """Wait until the folders differ from what was taken in last, and have come to rest; returns how they look."""
    seen = look(folders)
    since = begun = time.monotonic()
    while not stop.is_set():
        now = time.monotonic()
        if seen == taken:
            begun = now
        elif now - since >= pace.settle or now - begun >= PATIENCE * pace.settle:
            break
        stop.wait(min(pace.interval, pace.settle))
        again = look(folders)
        if again != seen:
            seen, since = again, time.monotonic()
    return seen


def look(folders: Sequence[Path]) -> Look:
    """Size and time of change of every document and of its metadata file, and of what is skipped, by path."""
    found = {}
    there = find_files([folder for folder in folders if os.path.exists(folder)])
    for path in (*there.files, *(one.path for one in there.skipped)):
        for file in filter(None, (path, existing_sidecar(path))):
            with suppress(OSError):  # gone meanwhile
                status = _status(file)
                found[str(file)] = (status.st_size, status.st_mtime_ns)
    return found


def _status(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except OSError:
        return file.lstat()  # a link that leads nowhere
