"""What a worker asks of the model process, and what becomes of it when that process is away, dies or cannot do it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kb.core.errors import IndexBusyError, ModelDamagedError, ModelMismatchError
from kb.embedding import remote
from kb.embedding.reader.choice import ReaderSource
from kb.embedding.reader.model import Window
from kb.embedding.remote import Embed, ModelClient, Models, Read, RemoteEmbedder, carried_out
from tests.support import HashEmbedder, make_settings

Serve = Callable[["Connection[Any, Any]"], None]


@contextmanager
def listening(path: Path, *each: Serve) -> Iterator[ModelClient]:
    """A process that does with each connection, in turn, what it is given."""

    def accept() -> None:
        with Listener(str(path), family="AF_UNIX") as listener:
            for serve in each:
                with listener.accept() as connection:
                    serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    yield ModelClient(str(path), patience=20.0)
    thread.join(20.0)


def test_texts_are_embedded_and_windows_read_as_in_one_process(tmp_path: Path) -> None:
    readers = ReaderSource(make_settings(tmp_path))
    models = Models(HashEmbedder(), readers)
    (vectors,) = carried_out(Embed(("Hvad kostede det?",), HashEmbedder().fingerprint), models).results
    assert np.array_equal(vectors, HashEmbedder().embed_queries(["Hvad kostede det?"]))
    windows = (Window("Rapport › Drift", ("Kommunen ejer koden.", "Den er åben.")),)
    (readings,) = carried_out(Read("Hvem ejer koden?", windows), models).results
    assert readings == readers.reader().read("Hvem ejer koden?", windows)


def test_another_model_than_the_index_is_of_embeds_nothing(tmp_path: Path) -> None:
    models = Models(HashEmbedder("ny"), ReaderSource(make_settings(tmp_path)))
    assert isinstance(carried_out(Embed(("a",), "trigram-64"), models).error, ModelMismatchError)


def answer(connection: Connection[Any, Any]) -> None:
    connection.send(carried_out(connection.recv(), Models(HashEmbedder(), None)))  # type: ignore[arg-type]


def die(connection: Connection[Any, Any]) -> None:
    connection.recv()


def refuse(connection: Connection[Any, Any]) -> None:
    connection.recv()
    connection.send(remote.Reply(error=ModelDamagedError("Vægtene er ødelagt.", advice="Hent dem igen.")))


def test_a_task_waits_for_a_process_that_begins_and_is_sent_again_to_one_that_died(tmp_path: Path) -> None:
    path = tmp_path / "model"
    embedder = RemoteEmbedder(HashEmbedder(), ModelClient(str(path), patience=20.0))
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(embedder.embed_queries(["vandløb"])))
    asking.start()
    with listening(path, die, answer):
        asking.join(20.0)
    assert np.array_equal(found[0], HashEmbedder().embed_queries(["vandløb"]))


def test_a_task_that_the_process_dies_of_is_given_up(tmp_path: Path) -> None:
    with listening(tmp_path / "model", *[die] * remote.MOST_SENT) as client, pytest.raises(IndexBusyError):
        client.ask(Embed(("a",), "trigram-64"))


def test_an_error_of_the_models_is_told_as_it_is(tmp_path: Path) -> None:
    with listening(tmp_path / "model", refuse) as client, pytest.raises(ModelDamagedError) as told:
        client.ask(Embed(("a",), "trigram-64"))
    assert told.value.advice == "Hent dem igen."


def test_a_late_result_is_no_answer_to_the_next_task(tmp_path: Path) -> None:
    late = threading.Event()

    def be_late(connection: Connection[Any, Any]) -> None:
        connection.recv()
        late.wait(20.0)

    with listening(tmp_path / "model", be_late, answer):
        client = ModelClient(str(tmp_path / "model"), patience=0.3)
        with pytest.raises(IndexBusyError):
            client.ask(Embed(("sent",), "trigram-64"))
        late.set()
        assert np.array_equal(client.ask(Embed(("ny",), "trigram-64")), HashEmbedder().embed_queries(["ny"]))


def test_a_process_that_does_not_come_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(IndexBusyError, match="Sprogmodellen"):
        ModelClient(str(tmp_path / "ingen"), patience=0.1).ask(Embed(("a",), "trigram-64"))
