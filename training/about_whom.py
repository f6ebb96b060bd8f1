"""Fits the head that says about whom a sentence speaks anew, on sentences of real reports besides the invented ones.

    python -m training.about_whom WEIGHTS TARGET --model FOLDER --vocabulary FILE [--base FOLDER]

Invented passages are about one project more evenly than reports are, so the head that was trained with the encoder
gives a report's own sentences away too often. The encoder stays as it is: what it makes of each sentence is read once,
and the head goes on from where it is. ``about_whom.jsonl`` holds windows of the corpus with their sentences, and
windows of the genuine documents with the sentences' sha256 alone, as those stay out of the repository: they take part
where ``--base``, an index folder of them, is given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from kb.embedding.reader.encoding import Encoder
from kb.embedding.reader.model import Window
from kb.index import builds
from kb.index.store import Store
from training.items import ABOUT, ITEMS, Passage, read
from training.model import Reader, batch_of, continued, sentence_means, trained

LABELS = Path(__file__).resolve().parent / "about_whom.jsonl"
# A hand that found two letters equally fair gave the better one first.
FIRST_OF_TWO = 0.65
# Each labelled window is read under this many questions, as the question colours what the encoder makes of a sentence.
QUESTIONS = 4
SENTENCES = 4
READ_TOGETHER = 16
# Chosen on the sentences that `benchmarks.reader_quality` counts: docs/reader.md.
OF_INVENTED = 0.3
EPOCHS = 20
RATE = 3e-4
DECAY = 0.05
BATCH = 64
SEED = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A window with one or two letters of :data:`training.items.ABOUT` a sentence."""

    window: Window
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentences:
    """``states`` of shape (sentences, dimension), and ``shares`` of the four letters, (sentences, 4)."""

    states: Tensor
    shares: Tensor


def labelled(lines: Iterable[str], known: dict[str, str]) -> Iterator[Labelled]:
    """The windows of ``about_whom.jsonl``; those whose sentences are not ``known`` by their sha256 are left out."""
    for line in lines:
        row = json.loads(line)
        sentences = row.get("sentences") or [known.get(digest, "") for digest in row["sha256"]]
        context = row.get("context") or known.get(row["context_sha256"], "")
        if context and all(sentences):
            yield Labelled(Window(context, tuple(sentences)), tuple(row["labels"]))


def texts_of(base: Path) -> Iterator[str]:
    """The sentences and headings of an index folder's build in use."""
    store = Store(builds.builds_dir(base) / builds.current_id(base) / builds.DATABASE_FILE)
    for stored in store.stored_documents():
        document = stored.document
        passages = store.passages_of(document.id)
        sentences = store.sentences_of_passages([one.passage.id for one in passages])
        for one in passages:
            yield " › ".join((document.metadata.titel, *one.passage.heading_path))
            yield from (document.text[place.start : place.end] for place in sentences.get(one.passage.id, ()))


def of_invented(passages: Iterable[Passage]) -> Iterator[Labelled]:
    """The written passages in windows as short as those that an answer reads."""
    for passage in passages:
        for first in range(0, len(passage.sentences) if passage.about else 0, SENTENCES):
            sentences = passage.sentences[first : first + SENTENCES]
            yield Labelled(Window(passage.heading, sentences), tuple(passage.about[first : first + SENTENCES]))


def states(reader: Reader, encoder: Encoder, windows: Sequence[Labelled], questions: Sequence[str]) -> Sentences:
    """What the encoder makes of each sentence under a question of its own, with the shares of its letters."""
    found: list[Tensor] = []
    shares: list[Tensor] = []
    encoded = [
        (encoder.encode(question, one.window.context, one.window.sentences), one.labels)
        for one, question in zip(windows, questions, strict=True)
    ]
    encoded.sort(key=lambda pair: len(pair[0].ids))  # windows of one length are read together, without padding
    for first in range(0, len(encoded), READ_TOGETHER):
        several = encoded[first : first + READ_TOGETHER]
        batch = batch_of([one for one, _ in several])
        with torch.no_grad():
            found.append(sentence_means(reader.hidden(batch), batch.spans))
        shares += [shares_of(letters) for one, labels in several for letters, _ in zip(labels, one.spans, strict=False)]
    return Sentences(torch.cat(found), torch.stack(shares))


def shares_of(letters: str) -> Tensor:
    """One letter is the whole, of two the first one has the more."""
    shares = torch.zeros(len(ABOUT))
    shares[ABOUT.index(letters[0])] = 1 if len(letters) == 1 else FIRST_OF_TWO
    if len(letters) == 2:
        shares[ABOUT.index(letters[1])] = 1 - FIRST_OF_TWO
    return shares


def fit(head: nn.Sequential, real: Sentences, invented: Sentences) -> None:
    """Go on with the head, in place: each batch of real sentences with as many invented ones."""
    chance = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(real.states), generator=chance), BATCH):
            others = torch.randint(len(invented.states), (BATCH,), generator=chance)
            loss = _loss(head, real, batch) + OF_INVENTED * _loss(head, invented, others)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def _loss(head: nn.Sequential, sentences: Sentences, batch: Tensor) -> Tensor:
    return -(sentences.shares[batch] * torch.log_softmax(head(sentences.states[batch]), dim=1)).sum(dim=1).mean()


def main() -> None:
    """Fit, write the weights, and say how many sentences took part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    known = {digest(text): text for text in (texts_of(options.base) if options.base else ())}
    passages = read(ITEMS)
    real = [*labelled(LABELS.read_text(encoding="utf-8").splitlines(), known)] * QUESTIONS
    invented = [*of_invented(passages)]
    chance = random.Random(SEED)
    asked = [question.text for passage in passages for question in passage.questions]
    reader = continued(options.weights, options.model, options.vocabulary, options.layers)
    encoder = Encoder(options.vocabulary)
    read_real = states(reader, encoder, real, chance.choices(asked, k=len(real)))
    read_invented = states(reader, encoder, invented, chance.choices(asked, k=len(invented)))
    fit(reader.about_head, read_real, read_invented)
    torch.save(trained(reader), options.target)
    print(f"{len(read_real.states)} readings of real sentences, {len(read_invented.states)} of invented ones")


def digest(text: str) -> str:
    """What a sentence that is not in the repository is known by."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()
