"""Reading many files, each in a worker process that may crash, hang or eat memory without harming the run.

A pool of worker processes is fed one file at a time over a socket. A worker is used again after a file that went well
or failed with a reason, and replaced after one that crashed it, passed its time or ran out of memory; that file
alone fails. Workers run :mod:`kb.extract.worker` in a fresh interpreter, so they never inherit the model, the threads
or the open files of the process that asks, and never run its main module again, as those of ``multiprocessing`` do.
Each leads its own process group: programs it started (LibreOffice, Tesseract) end with it. A worker whose parent dies
ends after the file it is reading. What is inside a file is given out after it, each as a file of its own with its own
limits; of one file no more than :data:`MOST_PARTS` parts. Before a worker opens a file it loads the reader that the
suffix asks for, and says so: a module that cannot be loaded is a fault of the installation, and is told as one instead
of being laid on the file.

``recognise_file`` says what one file is in the same way, for a server that is handed one: nothing of a foreign file is
looked at in the process that asks. Its worker loads no readers, so that it starts quickly.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from pathlib import Path, PurePath

from kb.core.errors import InstallationError, ReadError
from kb.core.models import Document
from kb.extract.corpus_files import relative_name
from kb.extract.options import ReadOptions
from kb.extract.part import Place
from kb.extract.reader import Extracted, load_reader, read_place, take_out
from kb.extract.recognition import Format, likely_format, recognise

# Warnings that mean: part of what the file holds was not read.
PARTIAL_CODES = frozenset(
    {"afkortet", "sider-uden-tekst", "sider-mangler", "kræver-ocr", "ulæselig-skrift", "dele-mangler"}
)
# Parts of one file that are read, those inside its parts with them.
MOST_PARTS = 1000
# A worker is replaced after this many files, in case a library leaks.
_FILES_PER_WORKER = 200
# Seconds a process that has ended or been killed is waited for; a busy machine may need some.
_GRACE = 20.0
# Seconds a worker may take to start or to load a reader, beside the time of the file.
_START = 30.0
# Seconds of telling what a file is: it takes time in proportion to the length, some tenths for the largest upload.
_RECOGNISING = 20.0
# Seconds between two times that a caller is asked whether to stop.
_STOP_INTERVAL = 0.2


class ReadStatus(StrEnum):
    """How reading one file ended."""

    READ = "læst"
    PARTIAL = "læst delvist"
    FAILED = "ikke læst"


@dataclass(frozen=True)
class ReadOutcome:
    """How reading one file ended: ``code`` is stable, ``reason`` a Danish sentence, both empty when all was read.

    ``file`` is the path of the file that the document is, or is inside; ``parts`` are the names of what is inside it
    and comes next. An archive, which is read when it is opened, has no document.
    """

    path: str
    status: ReadStatus
    document: Document | None = None
    code: str = ""
    reason: str = ""
    seconds: float = 0.0
    file: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Failure:
    """What a worker sends back for a file it could not read; ``spent`` asks to be replaced."""

    code: str
    reason: str
    spent: bool = False


# Of a worker whose answer is none of those there are.
_WRONG_ANSWER = _Failure("læser-gik-ned", "Læseren svarede forkert.", True)


@dataclass(frozen=True)
class _Begun:
    """What a worker sends before it opens a file: why it cannot read files of its format, or nothing."""

    fault: str = ""


@dataclass(frozen=True)
class _Reading:
    """What a worker is for: reading files below ``root``."""

    root: Path
    options: ReadOptions

    def load(self, place: Place) -> None:
        """Load what a file takes; raises what a module that cannot be loaded raises."""
        for name in (place.file.name, *place.inside):
            if form := likely_format(PurePath(name).suffix):
                load_reader(form)

    def do(self, place: Place) -> Extracted:
        """Read a file; raises a :class:`ReadError`."""
        return read_place(place, self.root, self.options)


@dataclass(frozen=True)
class _Recognising:
    """What a worker is for: telling what files are that were sent under names with ``suffix``."""

    suffix: str
    options: ReadOptions

    def load(self, _place: Place) -> None:
        """Load what a file takes: nothing more."""

    def do(self, place: Place) -> Format:
        """Recognise a file; raises a :class:`ReadError`."""
        return recognise(take_out(place), self.suffix)


@dataclass(frozen=True)
class _TakingOut:
    """What a worker is for: unpacking what is inside files."""

    options: ReadOptions

    def load(self, _place: Place) -> None:
        """Load what a file takes: nothing more."""

    def do(self, place: Place) -> bytes:
        """Unpack what is inside a file; raises a :class:`ReadError`."""
        return take_out(place)


_Task = _Reading | _Recognising | _TakingOut


def outcome_of(document: Document, seconds: float) -> ReadOutcome:
    """The outcome for a document that was read, in full or in part."""
    for warning in document.warnings:
        if warning.code in PARTIAL_CODES:
            return ReadOutcome(
                document.path, ReadStatus.PARTIAL, document, warning.code, warning.message, round(seconds, 3)
            )
    return ReadOutcome(document.path, ReadStatus.READ, document, seconds=round(seconds, 3))


def _never() -> bool:
    return False


def read_files(
    paths: Sequence[Path], root: Path, options: ReadOptions, *, stop: Callable[[], bool] = _never
) -> Iterator[ReadOutcome]:
    """Read files in isolated processes, ``options.workers`` at a time; outcomes come as they are ready.

    Closing the iterator, or an interrupt, ends the workers at once; so, in a thread that neither reaches, does ``stop``
    when it says yes. Raises :class:`InstallationError` when the readers cannot be loaded.
    """
    longest = math.inf if stop is _never else _STOP_INTERVAL
    waiting = deque(Place(path) for path in paths)
    taken: Counter[Path] = Counter()
    workers: list[_Worker] = []
    try:
        while (waiting or any(worker.place for worker in workers)) and not stop():
            _feed(workers, waiting, root, options)
            for place, outcome in _collect(workers, root, longest):
                whole = _within_most(outcome, MOST_PARTS - taken[place.file])
                taken[place.file] += len(whole.parts)
                waiting.extendleft(Place(place.file, (*place.inside, name)) for name in reversed(whole.parts))
                yield whole
    finally:
        for worker in workers:
            worker.kill()


def recognise_file(path: Path, suffix: str, options: ReadOptions) -> Format:
    """What one file is, told by a process of its own; raises a :class:`ReadError` that says why no reader takes it.

    Raises :class:`InstallationError` when that process cannot start.
    """
    task = _Recognising(suffix, replace(options, timeout=min(options.timeout, _RECOGNISING)))
    answer = _alone(task, Place(path))
    if isinstance(answer, Format):
        return answer
    raise _refused(answer)


def take_out_isolated(place: Place, options: ReadOptions) -> bytes:
    """The bytes of what is inside a file, unpacked by a process of its own; raises as :func:`recognise_file`."""
    answer = _alone(_TakingOut(options), place)
    if isinstance(answer, bytes):
        return answer
    raise _refused(answer)


def _refused(answer: object) -> ReadError:
    failure = answer if isinstance(answer, _Failure) else _WRONG_ANSWER
    return ReadError(failure.reason, code=failure.code)


def _alone(task: _Task, place: Place) -> object:
    """What a worker of its own says of one file, or the failure it came to."""
    worker = _Worker(task)
    try:
        return _answer(worker, place)
    finally:
        worker.kill()


def _answer(worker: _Worker, place: Place) -> object:
    if not worker.give(place):
        worker.check_start()
        return worker.crashed()
    while True:
        ready = _ready([worker])
        if not ready:
            return worker.timed_out()
        if worker.begun:
            return worker.take()
        worker.hear_begun()
        if not worker.begun:
            return worker.take()


def _within_most(outcome: ReadOutcome, room: int) -> ReadOutcome:
    """The outcome with no more parts than there is room for; said where some are left out."""
    if len(outcome.parts) <= room:
        return outcome
    reason = f"Kun {room} af de {len(outcome.parts)} filer i filen er læst; grænsen er {MOST_PARTS} i alt."
    return replace(
        outcome, status=ReadStatus.PARTIAL, code="afkortet", reason=reason, parts=outcome.parts[: max(room, 0)]
    )


def _feed(workers: list[_Worker], waiting: deque[Place], root: Path, options: ReadOptions) -> None:
    """Give every free worker a file, starting workers up to the number asked for."""
    while waiting:
        free = next((worker for worker in workers if worker.place is None), None)
        if free is None:
            if len(workers) >= max(options.workers, 1):
                return
            free = _Worker(_Reading(root, options))
            workers.append(free)
        if not free.give(waiting[0]):
            workers.remove(free)  # it died between two files
            free.kill()
            free.check_start()
            continue
        waiting.popleft()


def _collect(workers: list[_Worker], root: Path, longest: float) -> Iterator[tuple[Place, ReadOutcome]]:
    """Wait for the next answer, death or deadline, and report it; for nothing more than ``longest`` seconds."""
    busy = [(worker, worker.place) for worker in workers if worker.place is not None]
    ready = _ready([worker for worker, _ in busy], longest)
    for worker, place in busy:
        if worker.connection in ready and not worker.begun:
            worker.hear_begun()
            if worker.begun:
                continue
        if worker.connection in ready:
            answer = worker.take()
        elif time.monotonic() >= worker.deadline:
            answer = worker.timed_out()
        else:
            continue
        if worker.is_spent or (isinstance(answer, _Failure) and answer.spent):
            workers.remove(worker)
            worker.kill()
        yield place, _outcome(place, root, answer, worker.seconds)


def _ready(workers: Sequence[_Worker], longest: float = math.inf) -> Sequence[object]:
    """The connections with an answer or an end; none when the first deadline, or ``longest`` seconds, have passed."""
    until = min(worker.deadline for worker in workers) - time.monotonic()
    return wait([worker.connection for worker in workers], timeout=max(0.0, min(until, longest)))


def _outcome(place: Place, root: Path, answer: object, seconds: float) -> ReadOutcome:
    name, file = place.path(root), relative_name(place.file, root)
    if isinstance(answer, Extracted):
        read = outcome_of(answer.document, seconds) if answer.document else ReadOutcome(name, ReadStatus.READ)
        return replace(read, file=file, parts=answer.parts)
    failure = answer if isinstance(answer, _Failure) else _WRONG_ANSWER
    return ReadOutcome(name, ReadStatus.FAILED, None, failure.code, failure.reason, round(seconds, 3), file)


class _Worker:
    """One worker process as seen by the parent.

    ``begun`` tells whether it has begun on the file it has; ``seconds`` is what its last file took.
    """

    def __init__(self, task: _Task) -> None:
        ours, theirs = socket.socketpair()
        self.connection = Connection(ours.detach())
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kb.extract.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        with contextlib.suppress(OSError):  # one that died at once is found out by the first file
            self.connection.send(task)
        self.place: Place | None = None
        self.begun = False
        self.deadline = 0.0
        self.seconds = 0.0
        self._began_at = 0.0
        self._files = 0
        self._timeout = task.options.timeout

    @property
    def is_spent(self) -> bool:
        """Whether it has read as many files as one worker may."""
        return self._files >= _FILES_PER_WORKER

    def give(self, place: Place) -> bool:
        """Send a file; False when the worker is gone."""
        try:
            self.connection.send(place)
        except (BrokenPipeError, OSError):
            return False
        self.place = place
        self.begun = False
        self._began_at = time.monotonic()
        # A file waits for the process to start and its reader to load, and has its full time from then on.
        self.deadline = self._began_at + self._timeout + _START
        self._files += 1
        return True

    def hear_begun(self) -> None:
        """Hear that the worker begins on its file; raises :class:`InstallationError` when it cannot load its reader."""
        try:
            word = self.connection.recv()
        except (EOFError, OSError):
            self.check_start()
            return
        if isinstance(word, _Begun) and word.fault:
            raise InstallationError(f"Filerne kan ikke læses, fordi læserne ikke kan indlæses ({word.fault}).")
        self.begun = True
        self._began_at = time.monotonic()
        self.deadline = self._began_at + self._timeout

    def check_start(self) -> None:
        """Raise :class:`InstallationError` for a worker that gave up before its first file; not for a killed one."""
        code = self._exit_code()
        if self._files <= 1 and not self.begun and code is not None and code > 0:
            raise InstallationError(f"Filerne kan ikke læses, fordi læseprocessen ikke kan starte (kode {code}).")

    def take(self) -> object:
        """The answer for the file it has; a failure that says so when the worker crashed over it."""
        self._finish()
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return self.crashed()
        except Exception:  # what came over the pipe was not whole
            return self.crashed()

    def timed_out(self) -> _Failure:
        """The failure of the file it has, which passed its time."""
        self._finish()
        return _Failure("tidsgrænse", f"Læsningen blev opgivet efter {self._timeout:g} sekunder.", spent=True)

    def crashed(self) -> _Failure:
        """The failure of a file that a worker died over."""
        code = self._exit_code()
        cause = f" (signal {signal.Signals(-code).name})" if code is not None and code < 0 else ""
        return _Failure("læser-gik-ned", f"Læseren gik ned under læsningen af filen{cause}.", spent=True)

    def kill(self) -> None:
        """End the process and everything it started."""
        self.connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._exit_code()

    def _exit_code(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(_GRACE)
        return None

    def _finish(self) -> None:
        self.place = None
        self.seconds = time.monotonic() - self._began_at


def _environment() -> dict[str, str]:
    """The environment of a worker: it must find this very package, however the parent found it."""
    home = str(Path(__file__).parents[2])
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{others}" if others else home}


# --- In the worker --------------------------------------------------------------------------------------------------


def work(connection: Connection) -> None:
    """Do what it is for to files as they come until the parent closes the connection; first comes what it is for."""
    try:
        task: _Task = connection.recv()
    except (EOFError, OSError):
        return
    _settle_in(task.options)
    while True:
        try:
            place = connection.recv()
            fault = _loading_fault(task, place)
            connection.send(_Begun(fault))
        except (EOFError, OSError):
            return
        if fault:
            return
        answer = _attempt(task, place)
        try:
            connection.send(answer)
        except MemoryError:
            connection.send(_out_of_memory(task.options))
        except OSError:
            return  # the parent died meanwhile
        if isinstance(answer, _Failure) and answer.spent:
            return


def _settle_in(options: ReadOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; an interrupt reaches it too
    logging.disable(logging.CRITICAL)  # libraries tell of every oddity in a file; ours are warnings on the document
    sys.setrecursionlimit(3000)
    _limit_memory(options.memory_mb)


def _loading_fault(task: _Task, place: Place) -> str:
    """Why what a file takes cannot be loaded; empty when it is, or when memory does not suffice for the file."""
    try:
        task.load(place)
    except MemoryError:
        return ""  # the file meets the limit again, and is told of it
    except Exception as error:  # a module that is missing, cut short or of another version raises what it likes
        return f"{type(error).__name__}: {error}"
    return ""


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    limit = megabytes << 20
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _attempt(task: _Task, place: Place) -> Extracted | Format | bytes | _Failure:
    try:
        return task.do(place)
    except ReadError as error:
        reason = f"{error} {error.advice}".strip()
        return _Failure(error.code, reason, spent=error.code == "hukommelsesgrænse")
    except MemoryError:
        return _out_of_memory(task.options)
    except Exception as error:
        return _Failure("læsefejl", f"Læseren fejlede ({type(error).__name__}).", spent=True)


def _out_of_memory(options: ReadOptions) -> _Failure:
    return _Failure("hukommelsesgrænse", f"Læsningen brugte mere end {options.memory_mb} MiB hukommelse.", spent=True)
