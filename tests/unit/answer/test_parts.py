"""What an answer to a question for several things leaves open is said."""

import pytest

from kb.answer.parts import left_open

STOPPED = "Projektet blev stoppet i maj 2022."
BECAUSE = "Det skete, fordi hjemlen manglede."


@pytest.mark.parametrize(
    ("question", "sentences", "told"),
    [
        ("Hvornår og hvorfor blev projektet stoppet?", [STOPPED], "Svaret siger hvornår, men ikke hvorfor."),
        ("Hvorfor og hvornår blev projektet stoppet?", [BECAUSE], "Svaret siger hvorfor, men ikke hvornår."),
        ("Hvornår og hvorfor blev projektet stoppet?", [STOPPED, BECAUSE], ""),
        ("Hvornår blev projektet stoppet?", [BECAUSE], ""),
        ("Hvad gik galt, og hvem betalte?", [STOPPED], "Svaret siger hvad, men ikke hvem."),
        ("Hvornår og hvorfor blev projektet stoppet?", ["Det gik galt."], ""),
        (
            "Hvor lang tid tager et forløb, og hvad koster det?",
            ["Et forløb varer op til seks måneder."],
            "Svaret siger hvor længe, men ikke hvad det koster.",
        ),
        ("Hvor lang tid tager et forløb, og hvad koster det?", ["Et forløb på seks måneder er gratis."], ""),
        (
            "Hvad har det kostet, og hvor længe varede det?",
            ["Det kostede 2 mio. kr."],
            "Svaret siger hvad det koster, men ikke hvor længe.",
        ),
    ],
)
def test_what_is_left_open(question: str, sentences: list[str], told: str) -> None:
    assert left_open(question, sentences) == told
