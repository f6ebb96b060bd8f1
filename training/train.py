"""Trains the reader model; resumable and seeded.

    python -m training.train OUT --model FOLDER --vocabulary FILE [--public FOLDER] [--steps N] [--processes N]
    python -m training.train OUT ... --begin WEIGHTS --judged FILE [--without FOLD] --rate 2e-5

Written items and public data are mixed in every batch; with ``--judged`` (training/judged.py) also judged development
questions, which are too few to be trained on alone. The losses: binary cross-entropy on windows and on sentences
(answering ones count double), cross-entropy on about whom, and the softmax of a question's right window against its
wrong one. AdamW with warm-up and linear decay; the heads learn :data:`HEAD_RATE` times as quickly. ``OUT/state.pt`` is
written every :data:`SAVED_EVERY` steps with the optimiser's state: a run that was stopped goes on from there. Each
process has a core and its share of every batch, and they share their gradients: two processes are a sixth quicker than
two threads of one. Products are made in bfloat16 where the processor has a unit for them; ``--whole`` makes them in
whole precision everywhere.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.distributed
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from kb.embedding.reader.encoding import Encoded, Encoder
from training.examples import Example, Window, of_items, public
from training.items import ITEMS, read
from training.judged import read_judged
from training.model import Reader, Scores, batch_of, start, trained

# Without dropout 1.5e-4 lets all states run together within 50 steps, and nothing is learnt.
RATE = 5e-5
# The states of the embedding model lie close together: the heads begin by telling them apart.
HEAD_RATE = 20
WARM_UP = 100
# Of all processes together.
WINDOWS_PER_BATCH = 16
# Batches of windows of like length are drawn from this many examples at a time.
POOL = 400
PUBLIC_SHARE = 0.1
JUDGED_SHARE = 0.4
ANSWER_WEIGHT = 2.0
RANKING_WEIGHT = 0.5
ABOUT_WEIGHT = 0.3
SAVED_EVERY = 100
TOLD_EVERY = 25

Encodings = list[tuple[Example, list[Encoded]]]


def batches(
    items: Sequence[Example],
    others: Sequence[Example],
    judged: Sequence[Example],
    encoder: Encoder,
    rng: random.Random,
    most: int,
) -> Iterator[Encodings]:
    """Batches of ``most`` windows without end: every written example once an epoch, public ones by their share.

    With judged examples an epoch is each of them once, among as many of the others as their share leaves.
    """
    while True:
        beside = int(len(judged) * (1 - JUDGED_SHARE) / JUDGED_SHARE)
        epoch = rng.sample(items, min(beside, len(items))) if judged else list(items)
        if others:
            wanted = int(len(epoch) * PUBLIC_SHARE / (1 - PUBLIC_SHARE)) if epoch else len(others)
            epoch += rng.sample(others, min(wanted, len(others)))
        epoch += judged
        rng.shuffle(epoch)
        for first in range(0, len(epoch), POOL):
            yield from _pooled([_encoded(example, encoder) for example in epoch[first : first + POOL]], rng, most)


def shares(made: Iterator[Encodings], rank: int, processes: int) -> Iterator[Encodings]:
    """Each batch's share of one process: examples of like length in all, so that none waits for the others."""
    for batch in made:
        if len(batch) >= processes:
            yield batch[rank::processes]


def _encoded(example: Example, encoder: Encoder) -> tuple[Example, list[Encoded]]:
    return example, [encoder.encode(example.question, one.context, one.sentences) for one in example.windows]


def _pooled(pool: Encodings, rng: random.Random, most: int) -> Iterator[Encodings]:
    pool.sort(key=lambda one: max(len(encoded.ids) for encoded in one[1]))
    made: list[Encodings] = [[]]
    count = 0
    for one in pool:
        if count + len(one[1]) > most:
            made.append([])
            count = 0
        made[-1].append(one)
        count += len(one[1])
    rng.shuffle(made)
    yield from made


def loss_of(scores: Scores, batch: Encodings) -> dict[str, Tensor]:
    """The losses of a batch by name, weighted."""
    windows = [window for example, _ in batch for window in example.windows]
    encoded = [one for _, several in batch for one in several]
    shown = [_shown(window, one) for window, one in zip(windows, encoded, strict=True)]
    window_labels = torch.tensor([float(any(window.labels)) for window in shown])
    sentence_labels = torch.tensor([float(label) for window in shown for label in window.labels])
    about = torch.tensor([place for window in shown for place in window.about])
    return {
        "window": functional.binary_cross_entropy_with_logits(scores.windows, window_labels),
        "sentence": functional.binary_cross_entropy_with_logits(
            scores.sentences, sentence_labels, pos_weight=torch.tensor(ANSWER_WEIGHT)
        ),
        "ranking": RANKING_WEIGHT * _ranking(scores.windows, window_labels, batch),
        "about": ABOUT_WEIGHT
        * functional.cross_entropy(scores.about, about, ignore_index=-1, reduction="sum")
        / max(1, int((about >= 0).sum())),
    }


def _shown(window: Window, encoded: Encoded) -> Window:
    """A window without the sentences that had no room."""
    count = len(encoded.spans)
    return Window(window.context, window.sentences[:count], window.labels[:count], window.about[:count])


def _ranking(logits: Tensor, labels: Tensor, batch: Encodings) -> Tensor:
    total, count, at = logits.new_zeros(()), 0, 0
    for example, _ in batch:
        size = len(example.windows)
        if size > 1 and labels[at] > 0:
            total = total - functional.log_softmax(logits[at : at + size], dim=0)[0]
            count += 1
        at += size
    return total / max(1, count)


def optimiser(reader: Reader, rate: float) -> torch.optim.AdamW:
    """AdamW with a quicker rate for the heads and no decay of norms and biases."""
    groups = []
    for is_head in (False, True):
        for decays in (False, True):
            chosen = [
                tensor
                for name, tensor in reader.named_parameters()
                if tensor.requires_grad and ("head" in name) == is_head and (tensor.ndim > 1) == decays
            ]
            scale = HEAD_RATE if is_head else 1
            groups.append({"params": chosen, "lr": rate * scale, "scale": scale, "weight_decay": 0.01 * decays})
    return torch.optim.AdamW(groups, lr=rate)


def scheduled(step: int, steps: int) -> float:
    """What the rate is times at a step: a warm-up, then linear down to a twentieth."""
    return min(1.0, (step + 1) / WARM_UP) * max(0.05, 1 - step / steps)


def main() -> None:
    """Train, or go on training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="the prepared embedding model's folder")
    parser.add_argument("--vocabulary", type=Path, required=True, help="the cut vocabulary; beside it its rows")
    parser.add_argument("--items", type=Path, default=ITEMS)
    parser.add_argument("--public", type=Path, help="folder of public data")
    parser.add_argument("--begin", type=Path, help="weights to begin from instead of the embedding model's")
    parser.add_argument("--judged", type=Path, help="examples of judged questions (training.judged)")
    parser.add_argument("--without", type=int, help="the fold of judged questions that is left out")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="no products in bfloat16")
    parser.add_argument("--processes", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # A file in a fresh folder is where the processes meet.
        spawn(_work, (f"file://{folder}/meet", options), nprocs=options.processes)  # type: ignore[no-untyped-call]


def _work(rank: int, meet: str, options: argparse.Namespace) -> None:
    """What one of the processes does."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=options.processes)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    reader = start(options.model, options.vocabulary.with_suffix(".rows.npy"), options.layers)
    if options.begin:
        reader.load_state_dict(torch.load(options.begin, weights_only=True), strict=False)
    reader.in_bfloat16 = not options.whole and torch.cpu._is_amx_tile_supported()
    encoder = Encoder(options.vocabulary)
    items = list(of_items(read(options.items), rng))
    others = [one for several in public(options.public, rng).values() for one in several] if options.public else []
    judged = read_judged(options.judged, options.without) if options.judged else []
    print(f"written {len(items)}, public {len(others)}, judged {len(judged)}", flush=True)
    made = batches(items, others, judged, encoder, rng, WINDOWS_PER_BATCH)
    run(reader, shares(made, rank, options.processes), options.out, options.steps, options.rate)
    torch.distributed.destroy_process_group()


def run(reader: Reader, made: Iterator[Encodings], out: Path, steps: int, rate: float) -> None:
    """Train for ``steps`` steps, going on from ``out/state.pt`` where there is one."""
    chosen = optimiser(reader, rate)
    state = out / "state.pt"
    first = 0
    if state.is_file():
        known = torch.load(state, weights_only=True)
        reader.load_state_dict(known["weights"], strict=False)
        chosen.load_state_dict(known["optimiser"])
        first = known["step"]
    reader.train()
    shared = DistributedDataParallel(reader, broadcast_buffers=False)
    is_first = torch.distributed.get_rank() == 0
    began, seen, told = time.perf_counter(), 0, dict[str, float]()
    for step, batch in enumerate(made):
        if step < first:
            continue  # what was trained on already
        if step >= steps:
            break
        for group in chosen.param_groups:
            group["lr"] = rate * group["scale"] * scheduled(step, steps)
        scores = shared(batch_of([one for _, several in batch for one in several]))
        losses = loss_of(scores, batch)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        chosen.step()
        chosen.zero_grad(set_to_none=True)
        seen += len(scores.windows)
        # A spread of logits that stays near zero says that the states have run together.
        for name, value in {**losses, "spread": scores.windows.std()}.items():
            told[name] = 0.96 * told.get(name, value.item()) + 0.04 * value.item()
        if is_first and step % TOLD_EVERY == 0:
            pace = seen * torch.distributed.get_world_size() / (time.perf_counter() - began)
            print(step, {name: round(value, 3) for name, value in told.items()}, f"{pace:.1f} windows/s", flush=True)
        if is_first and ((step + 1) % SAVED_EVERY == 0 or step + 1 == steps):
            _save(reader, chosen, step + 1, state)


def _save(reader: Reader, chosen: torch.optim.AdamW, step: int, state: Path) -> None:
    aside = state.with_suffix(".new")
    torch.save({"weights": dict(trained(reader)), "optimiser": chosen.state_dict(), "step": step}, aside)
    aside.replace(state)
    torch.save(dict(trained(reader)), state.with_name("weights.pt"))


if __name__ == "__main__":
    main()
