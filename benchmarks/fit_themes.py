"""Fits the weights of the proposed themes on the themes that editors gave the shipped reports, and measures them.

    python -m benchmarks.fit_themes [--write]

Prints precision, recall and F1 at each bound, of reports that the weights were not fitted on (ten folds), beside what
the mere frequency of the themes gives. ``--write`` writes the weights of all reports to
``kb/proposals/theme_weights.toml``. The reports are those of the build in use.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import KFold, cross_val_predict  # type: ignore[import-untyped]

from kb.core.fields import THEMES
from kb.core.models import Document
from kb.core.settings import load_settings
from kb.index import builds
from kb.index.store import Store
from kb.proposals import subjects

FOLDS = 10
# scikit-learn's C.
STRENGTH = 3.0
# The shipped reports are of one kind: how many of them have a theme says nothing of how many others do.
WEIGHTED = "balanced"
TARGET = Path(subjects.__file__).with_name(subjects.WEIGHTS_FILE)
Marks = NDArray[np.bool_]


def reports() -> list[Document]:
    """The reports of the build in use that have themes."""
    index_dir = load_settings().index_dir
    folder = builds.builds_dir(index_dir) / builds.current_id(index_dir)
    with closing(Store(folder / builds.DATABASE_FILE)) as store:
        read = (store.stored_document(stored.record.id).document for stored in store.records())
        return [document for document in read if document.metadata.temaer]


def features(documents: Sequence[Document], theme: str) -> NDArray[np.float64]:
    """A row of features for each report."""
    return np.array([subjects.features_of(document, theme) for document in documents])


def marks(documents: Sequence[Document], theme: str) -> Marks:
    """Which reports editors gave a theme."""
    return np.array([theme in document.metadata.temaer for document in documents])


def unseen(documents: Sequence[Document], theme: str) -> NDArray[np.float64]:
    """Each report's probability by weights that were fitted without it."""
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    rows, labels = features(documents, theme), marks(documents, theme)
    found: NDArray[np.float64] = cross_val_predict(
        LogisticRegression(C=STRENGTH, class_weight=WEIGHTED), rows, labels, cv=folds, method="predict_proba"
    )[:, 1]
    spoken_of = np.array([subjects.is_spoken_of(document, theme) for document in documents])
    return np.where(spoken_of, found, 0.0)


def weights(documents: Sequence[Document], theme: str) -> str:
    """A theme's weights as a table of TOML."""
    fitted = LogisticRegression(C=STRENGTH, class_weight=WEIGHTED).fit(
        features(documents, theme), marks(documents, theme)
    )
    values = (float(fitted.intercept_[0]), *map(float, fitted.coef_[0]))
    lines = (f"{name} = {value:.4f}" for name, value in zip(("bias", *subjects.FEATURES), values, strict=True))
    return "\n".join((f'["{theme}"]', *lines, ""))


def row(name: str, given: Marks, wanted: Marks) -> str:
    """Precision, recall and F1 as a line."""
    right = int((given & wanted).sum())
    precision, recall = right / max(1, given.sum()), right / max(1, wanted.sum())
    f1 = 2 * right / max(1, given.sum() + wanted.sum())
    return f"{name:24}{int(wanted.sum()):8}{int(given.sum()):8}{precision:11.2f}{recall:8.2f}{f1:7.2f}"


def main() -> None:
    """Print the figures; with ``--write`` write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    write = parser.parse_args().write
    documents = reports()
    wanted = np.array([marks(documents, theme) for theme in THEMES])
    found = np.array([unseen(documents, theme) for theme in THEMES])
    print(f"{'':24}{'wanted':>8}{'given':>8}{'precision':>11}{'recall':>8}{'F1':>7}")
    often = np.repeat(wanted.mean(axis=1, keepdims=True) >= subjects.POSSIBLE, len(documents), axis=1)
    print(row("the frequent ones to all", often, wanted))
    for bound in (subjects.POSSIBLE, subjects.LIKELY):
        print(row(f"from {bound}", found >= bound, wanted))
    for theme, own, probabilities in zip(THEMES, wanted, found, strict=True):
        print(row(theme, probabilities >= subjects.LIKELY, own))
    if write:
        heading = "# Written by `python -m benchmarks.fit_themes --write`.\n\n"
        TARGET.write_text(heading + "\n".join(weights(documents, theme) for theme in THEMES), encoding="utf-8")


if __name__ == "__main__":
    main()
