"""One run at a time holds the index, and no lock outlives its holder."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.core.errors import LockedError
from kb.indexing.locking import LOCK_FILE, lock

HOLD = "import sys; from pathlib import Path; from kb.indexing.locking import lock\nwith lock(Path(sys.argv[1])):\n"


@contextmanager
def held_by_another_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The lock of a folder, held by a process that is killed at the end."""
    hold = f"{HOLD}    print('holds', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_whoever_is_refused_is_told_who_holds_it_every_time(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path) as holder:
        for _ in range(2):  # the first refusal must not wipe out what the file says
            with pytest.raises(LockedError, match=re.escape(f"proces {holder.pid},")), lock(tmp_path):
                pass


@pytest.mark.slow
def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path) as holder:
        pass
    assert str(holder.pid) in (tmp_path / LOCK_FILE).read_text(encoding="utf-8")
    with lock(tmp_path):
        pass
    assert (tmp_path / LOCK_FILE).read_text(encoding="utf-8") == ""


def test_it_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        _ = 1 / 0
    with lock(tmp_path):
        pass
