"""The embedder and the reader of a server with several workers: they ask the one process that has the models.

    client = ModelClient("/tmp/kb-x/model")
    RemoteEmbedder(load_embedder(settings), client).embed_queries(["Hvad kostede det?"])
    RemoteReaders(client).reader().read("Hvad kostede det?", windows)

A task goes as one message over a Unix socket to :mod:`kb.embedding.model_process` and its result comes back; each
thread keeps a connection of its own. While that process is away, because it begins or died, whoever asks waits: a task
changes nothing, so it is sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from typing import Any, Generic, Protocol, TypeVar

from kb.core.errors import IndexBusyError, KbError, ModelMismatchError
from kb.embedding.embedder import Embedder, Vectors
from kb.embedding.reader.choice import Readers
from kb.embedding.reader.model import Reading, Window
from kb.embedding.wrapping import WrappedEmbedder

# Seconds that a task waits for its result, and between two attempts to reach the process.
PATIENCE = 30.0
RETRY_INTERVAL = 0.05
# A task that the process has died with so many times is not sent again: it may be what it died of.
MOST_SENT = 3
Result_co = TypeVar("Result_co", covariant=True)
Result = TypeVar("Result")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What the model process has in memory."""

    embedder: Embedder
    readers: Readers


class Task(Protocol[Result_co]):
    """What can be asked of the model process: a picklable value that changes nothing."""

    def carry_out(self, models: Models) -> Result_co:
        """The result; raises what the models raise."""
        ...


@dataclass(frozen=True, slots=True)
class Embed:
    """Texts to embed, ``as_passages`` or as questions, with the model of a fingerprint."""

    texts: tuple[str, ...]
    model: str
    as_passages: bool = False

    def carry_out(self, models: Models) -> Vectors:
        """A unit vector each; raises :class:`ModelMismatchError` where another model has taken the old one's place."""
        if models.embedder.fingerprint != self.model:
            message = "Sprogmodellen er skiftet, mens serveren kørte."
            raise ModelMismatchError(message, advice="Genstart serveren: systemctl restart erfaringsbasen")
        embed = models.embedder.embed_passages if self.as_passages else models.embedder.embed_queries
        return embed(self.texts)


@dataclass(frozen=True, slots=True)
class Read:
    """Windows to read for a question."""

    question: str
    windows: tuple[Window, ...]

    def carry_out(self, models: Models) -> list[Reading]:
        """One reading a window."""
        return models.readers.reader().read(self.question, self.windows)


@dataclass(frozen=True, slots=True)
class Reply(Generic[Result]):
    """What comes back: a result, or the error that the task ended with."""

    results: tuple[Result, ...] = ()
    error: Exception | None = None


def carried_out(task: Task[Result], models: Models) -> Reply[Result]:
    """The reply to a task; an error that nobody foresaw is logged here, and told of without what may not be sent."""
    try:
        return Reply((task.carry_out(models),))
    except KbError as error:
        return Reply(error=error)
    except Exception as error:
        log.exception("Modelprocessen kunne ikke udføre en opgave")
        return Reply(error=RuntimeError(f"modelprocessen: {error!r}"))


class ModelClient:
    """Asks the model process behind a socket; several threads may ask at once, and processes forked from this one."""

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        self._address = address
        self._patience = patience
        self._of_thread = threading.local()

    def ask(self, task: Task[Result]) -> Result:
        """The result of a task; raises the task's own errors, and :class:`IndexBusyError` where none came in time."""
        deadline = time.monotonic() + self._patience
        for _ in range(MOST_SENT):
            connection = self._connection(deadline)
            try:
                return _exchange(connection, task, deadline)
            except (EOFError, OSError):
                self._drop()  # the process died meanwhile
            except _NotInTimeError:
                break
        self._drop()  # what it still sends is no answer to the next task
        raise _away()

    def _connection(self, deadline: float) -> Connection[Any, Any]:
        held: Connection[Any, Any] | None = getattr(self._of_thread, "connection", None)
        while held is None:
            try:
                held = self._of_thread.connection = Client(self._address, family="AF_UNIX")
            except OSError:
                if time.monotonic() > deadline:
                    raise _away() from None
                time.sleep(RETRY_INTERVAL)
        return held

    def _drop(self) -> None:
        if connection := getattr(self._of_thread, "connection", None):
            connection.close()
        self._of_thread.connection = None


class _NotInTimeError(Exception):
    """No reply has come."""


def _exchange(connection: Connection[Any, Any], task: Task[Result], deadline: float) -> Result:
    connection.send(task)
    if not connection.poll(max(0.0, deadline - time.monotonic())):
        raise _NotInTimeError
    reply: Reply[Result] = connection.recv()
    if reply.error is not None:
        raise reply.error
    return reply.results[0]


def _away() -> IndexBusyError:
    return IndexBusyError(
        "Sprogmodellen svarer ikke lige nu.", advice="Prøv igen om lidt. Bliver det ved, så se loggen."
    )


class RemoteEmbedder(WrappedEmbedder):
    """Embeds in the model process; what needs no model in memory, the names and the tokens, it has of ``inner``.

    In a job's process it is ``inner`` alone, which loads the model there: a job outlives the server.
    """

    def __init__(self, inner: Embedder, client: ModelClient) -> None:
        super().__init__(inner)
        self._client = client

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a question, embedded together with those of all workers."""
        return self._client.ask(Embed(tuple(texts), self.fingerprint))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a passage."""
        return self._client.ask(Embed(tuple(texts), self.fingerprint, as_passages=True))


class RemoteReader:
    """Reads windows in the model process."""

    def __init__(self, client: ModelClient) -> None:
        self._client = client

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """One reading a window, in the order given."""
        return self._client.ask(Read(question, tuple(windows)))


class RemoteReaders:
    """Hands out the reader of the model process, which holds the one in use."""

    def __init__(self, client: ModelClient) -> None:
        self._reader = RemoteReader(client)

    def reader(self) -> RemoteReader:
        """The reader."""
        return self._reader
