"""Keeps the index in line with a folder until it is stopped: ``kb index --watch``.

The folder is polled: the size and modification time of every file are compared with those before, and no file is opened
until something has changed. Unlike the operating system's notifications, polling sees what other machines write to a
network drive; docs/decisions/indexing.md compares it with watchfiles. A change is indexed when nothing more has changed
for the settle time, so that files being copied are waited for; a folder that never settles is indexed every
``MAX_SETTLES`` settle times, and a file that changes while it is read is read again. A run that fails for other reasons
than the files (the disk is full, another run is in progress, a module is missing) is tried again.
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
from kb.core.errors import ClusterError, InstallationError, KbError, LockedError, StorageError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder
from kb.extract import find_files
from kb.extract.corpus_files import existing_sidecar
from kb.indexing.folder_access import RULE_FILE

MAX_SETTLES = 60
# Settle times until a run that failed for other reasons than the files is tried again.
RETRY = 3
# Polling takes at most a tenth of the time, however many files there are and however slow the drive is.
POLLS_APART = 9

FolderState = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """At least ``interval`` seconds between polls; ``settle`` seconds without a change before a run."""

    interval: float = 2.0
    settle: float = 5.0

    def wait_after(self, poll_seconds: float) -> float:
        """Seconds to wait after a poll that took so long."""
        return max(min(self.interval, self.settle), POLLS_APART * poll_seconds)


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks: the report of each run, each error (watching continues), and the progress of a run."""

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
    """Index now, and again whenever the folder has changed and settled, until ``stop`` is set."""
    pace = pace or Pace()
    folders = tuple(Path(root) for root in roots) or (settings.corpus,)
    indexed: FolderState | None = None
    while not stop.is_set():
        state = _settled(folders, indexed, pace, stop)
        if stop.is_set():
            return
        try:
            report = indexing.run(settings, embedder, roots=roots, started_by=started_by, progress=listener.progress)
        except (LockedError, StorageError, InstallationError, ClusterError) as error:
            listener.error(error)
            stop.wait(RETRY * pace.settle)
        except KbError as error:
            listener.error(error)
            indexed = state  # the files are at fault: wait for a change before trying again
        else:
            # What changed during the run differs from the state before it, and is indexed next.
            indexed = state
            listener.report(report)
        stop.wait(pace.interval)


def _settled(folders: Sequence[Path], indexed: FolderState | None, pace: Pace, stop: threading.Event) -> FolderState:
    """Wait until the folders differ from the state last indexed and have settled; returns their state."""
    state, poll_seconds = _timed_state(folders)
    last_change = first_change = time.monotonic()
    while not stop.is_set():
        now = time.monotonic()
        if state == indexed:
            first_change = now
        elif now - last_change >= pace.settle or now - first_change >= MAX_SETTLES * pace.settle:
            break
        stop.wait(pace.wait_after(poll_seconds))
        polled, poll_seconds = _timed_state(folders)
        if polled != state:
            state, last_change = polled, time.monotonic()
    return state


def _timed_state(folders: Sequence[Path]) -> tuple[FolderState, float]:
    begun = time.monotonic()
    return folder_state(folders), time.monotonic() - begun


def folder_state(folders: Sequence[Path]) -> FolderState:
    """Size and modification time of every document, its metadata file, its folders' rules and every skipped file."""
    state = {}
    files = find_files([folder for folder in folders if os.path.exists(folder)])
    paths = (*files.files, *(one.path for one in files.skipped))
    holding = {parent for path in {path.parent for path in paths} for parent in (path, *path.parents)}
    for path in (*paths, *(folder / RULE_FILE for folder in holding)):
        for file in filter(None, (path, existing_sidecar(path))):
            with suppress(OSError):  # deleted meanwhile
                status = _status(file)
                state[str(file)] = (status.st_size, status.st_mtime_ns)
    return state


def _status(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except OSError:
        return file.lstat()  # a dangling link
