from __future__ import annotations

import numpy as np

from kb.retrieval.duplicates import fold_duplicates


def test_near_duplicates_fold_under_the_best() -> None:
    texts = [
        "Projektet blev forsinket, fordi data først kom i august 2021.",
        "Leverandøren trak sig.",
        "projektet blev forsinket, fordi data først kom i august 2021. Ja.",
        "Projektet blev ikke forsinket af data.",
        "Leverandøren trak sig.",
    ]
    meanings = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert fold_duplicates(texts, meanings) == [[0, 2], [1, 4], [3]]


def test_texts_far_in_meaning_are_not_compared() -> None:
    apart = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert fold_duplicates(["Det samme står her.", "Det samme står her."], apart) == [[0], [1]]
