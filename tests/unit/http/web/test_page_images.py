"""The outline stands round the cited words, and what must stay hidden is covered or not shown at all."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image

from kb.core.errors import NotFoundError
from kb.core.privacy import CPR, REPLACEMENTS
from kb.http.web import page_images
from kb.http.web.page_images import FILL, OUTLINE, Place

CPR_NUMBER = "010190-1238"


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """One page in two columns, the second with a CPR number."""
    made = FPDF(format="A4")
    made.add_page()
    made.set_font("helvetica", size=12)
    for column, x in (("venstre", 20), ("hojre", 110)):
        for line in range(20):
            number = f" nr {CPR_NUMBER}" if (column, line) == ("hojre", 10) else ""
            made.text(x, 30 + line * 10, f"linje {line} til {column}{number}")
    path = tmp_path / "side.pdf"
    made.output(str(path))
    return path


def draw(pdf: Path, place: Place, *, contacts: bool = True) -> Image.Image:
    target = io.BytesIO()
    assert page_images.draw(pdf, target, 1, place, contacts=contacts) == 0
    return Image.open(target).convert("RGB")


def area(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """The box round every pixel of about a colour."""
    near = (np.abs(np.asarray(image, dtype=np.int16) - np.array(colour)) < 24).all(axis=2)
    rows, columns = np.nonzero(near)
    if not len(rows):
        return None
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def words_box(pdf: Path, words: str) -> tuple[float, float, float, float]:
    """Where PDFium's own search finds the words, in pixels."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        text = page.get_textpage()
        found = text.search(words).get_next()
        assert found is not None
        text.count_rects(*found)
        left, bottom, right, top = text.get_rect(0)
        scale = page_images.WIDTH / page.get_width()
        return left * scale, (page.get_height() - top) * scale, right * scale, (page.get_height() - bottom) * scale


def test_the_outline_is_round_the_words_and_no_others(pdf: Path) -> None:
    words = "linje 4 til hojre"
    found = area(draw(pdf, Place("", words)), OUTLINE)
    wanted = words_box(pdf, words)
    assert found is not None
    assert found[0] <= wanted[0]
    assert found[1] <= wanted[1]
    assert found[2] >= wanted[2]
    assert found[3] >= wanted[3]
    assert found[3] - found[1] < (wanted[3] - wanted[1]) + 30
    assert found[0] > page_images.WIDTH / 2


def test_nothing_is_marked_without_a_passage(pdf: Path) -> None:
    image = draw(pdf, Place("", ""))
    assert area(image, OUTLINE) is None
    assert area(image, FILL) is None


def test_a_cpr_number_is_covered(pdf: Path) -> None:
    left, top, right, bottom = words_box(pdf, CPR_NUMBER)
    image = draw(pdf, Place(f"linje 10 til hojre nr {REPLACEMENTS[CPR]}", "linje 10 til hojre"))
    inside = image.crop((int(left) + 1, int(top) + 1, int(right) - 1, int(bottom) - 1)).convert("L")
    assert np.asarray(inside).max() < 40
    marked = area(image, OUTLINE)
    assert marked is not None
    assert marked[1] < top < marked[3]


def test_a_page_with_more_cpr_numbers_than_can_be_covered_is_not_shown(pdf: Path, tmp_path: Path) -> None:
    place = Place(f"{REPLACEMENTS[CPR]} og {REPLACEMENTS[CPR]}", "")
    with pytest.raises(NotFoundError, match="personoplysninger"):
        page_images.cached(tmp_path / "cache", pdf, "0" * 64, 1, place, contacts=True)
    assert not (tmp_path / "cache").exists()


def test_an_image_is_made_once_and_anew_for_another_place(pdf: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = page_images.cached(cache, pdf, "0" * 64, 1, Place("", "linje 4"), contacts=True)
    pdf.unlink()
    assert page_images.cached(cache, pdf, "0" * 64, 1, Place("", "linje 4"), contacts=True) == first
    with pytest.raises(NotFoundError):
        page_images.cached(cache, pdf, "0" * 64, 1, Place("", "linje 5"), contacts=True)


@pytest.mark.slow
@pytest.mark.parametrize("there", [False, True])
def test_an_image_is_shown_where_none_can_be_kept(
    pdf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """The superuser, whom tests may run as, writes everywhere: the system's refusal alone is made."""
    cache = tmp_path / "index" / "cache"
    if there:
        cache.mkdir(parents=True)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("kb.http.web.page_images.tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setattr(Path, "mkdir", Path.mkdir if there else refuse)
    assert page_images.cached(cache, pdf, "0" * 64, 1, Place("", "linje 4"), contacts=True).startswith(b"\x89PNG")


def test_a_damaged_file_gives_no_image(tmp_path: Path) -> None:
    broken = tmp_path / "i stykker.pdf"
    broken.write_bytes(b"%PDF-1.7 og ikke mere")
    with pytest.raises(NotFoundError, match="billede"):
        page_images.cached(tmp_path / "cache", broken, "0" * 64, 1, Place("", ""), contacts=True)


@pytest.mark.parametrize(
    ("layer", "passage", "found"),
    [
        ("Kom-\nmunen målte vand.", "Kommunen målte", "Kom-\nmunen målte"),
        ("ABC 010190-1238 var her i går", "ABC [CPR-nummer skjult] var her i går", "ABC 010190-1238 var her i går"),
        ("Noget helt andet", "Vandstanden ved havnen", ""),
        ("", "tekst", ""),
        ("tekst", "", ""),
    ],
)
def test_a_passage_is_found_in_the_text_layer(layer: str, passage: str, found: str) -> None:
    start, end = page_images.locate(layer, passage)
    assert layer[start:end] == found


def test_a_new_column_begins_a_new_outline() -> None:
    left = [(10.0, 100.0, 50.0, 110.0), (10.0, 85.0, 50.0, 95.0)]
    right = [(60.0, 180.0, 90.0, 190.0)]
    assert page_images.groups(left + right) == [left, right]
    assert page_images.union(left) == (10.0, 85.0, 50.0, 110.0)
