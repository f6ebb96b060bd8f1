"""Images of PDF pages with the cited passage outlined and personal data blacked out, cached on disk.

    png = page_images.cached(folder, file, sha256, 4, Place(page_text, passage_text), contacts=True)

*Finding the place.* The index's text and the text layer PDFium gives of the same page differ in spaces, hyphens and
line breaks, so both are reduced to letters and digits. The passage is looked up exactly; where masking or a reader's
repair has changed it, by its beginning and end, or by the best local alignment. The characters found give rectangles,
one a line; lines below one another form an outline, and a jump upwards (the next column) begins another.

*Blacking out.* What ``kb.core.privacy`` finds in the page's own text layer is covered before anything is written.
When the index has masked more CPR numbers on the page than were found here (a scanned page has no text layer), there
is no image at all: a hidden number must not come back as a picture.

*Where it runs.* PDFium parses files that people upload, so it runs in a process of its own with a limit of time and
memory; a damaged file costs the image and not the server.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kb.core.errors import NotFoundError
from kb.core.privacy import CPR, REPLACEMENTS, find

log = logging.getLogger(__name__)
PDF = "application/pdf"
WIDTH = 1000
COLOURS = 64
SECONDS = 20
MEMORY_BYTES = 1 << 30
# A few megabytes of the images last made; the oldest go first.
KEPT_IMAGES = 400
# Changes when the same file would give another image.
VERSION = 1
PADDING = 3
OUTLINE = (11, 79, 108)
FILL = (255, 225, 115)
HIDDEN = "Siden vises ikke som billede, fordi den indeholder personoplysninger, der ikke kan dækkes."
UNREADABLE = "Siden kan ikke vises som billede."

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """What the index holds of a page, and of the part of the passage that stands on it (empty: nothing to outline)."""

    page_text: str
    passage_text: str


def cached(folder: Path, file: Path, sha256: str, number: int, place: Place, *, contacts: bool) -> bytes:
    """The image of page ``number`` (from 1) as a PNG; made if it is not in ``folder``, and kept there if possible.

    Raises :class:`NotFoundError` when the page cannot be shown.
    """
    job = {"page": number, "version": VERSION, "contacts": contacts, **asdict(place)}
    key = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:16]
    target = folder / f"{sha256}-{number}-{key}.png"
    with suppress(OSError):  # not there, or not to be read
        return target.read_bytes()
    png = _drawn(file, job)
    try:
        _keep(png, target)
    except OSError as error:  # reading goes on where nothing can be written
        log.info("Sidebilledet blev ikke gemt: %s", error)
    return png


def _drawn(file: Path, job: dict[str, Any]) -> bytes:
    """Run this module on one page in a process of its own."""
    command = [sys.executable, "-m", "kb.http.web.page_images", str(file.resolve())]
    try:
        done = subprocess.run(
            command, input=json.dumps(job).encode(), timeout=SECONDS, check=False, capture_output=True
        )
    except subprocess.TimeoutExpired:
        raise NotFoundError(UNREADABLE) from None
    if done.returncode:
        raise NotFoundError(HIDDEN if done.returncode == _HIDDEN_STATUS else UNREADABLE)
    return done.stdout


def _keep(png: bytes, target: Path) -> None:
    """Write the image whole or not at all, and remove the oldest beyond those kept."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".new", delete=False) as aside:
        try:
            aside.write(png)
            aside.close()
            # A temporary file is its writer's alone; another user's server is to read it as it reads the folder.
            Path(aside.name).chmod(target.parent.stat().st_mode & 0o666)
            Path(aside.name).replace(target)
        except OSError:
            Path(aside.name).unlink(missing_ok=True)
            raise
    _prune(target.parent)


def _prune(folder: Path) -> None:
    images = sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime)
    for path in images[:-KEPT_IMAGES]:
        path.unlink(missing_ok=True)


# --- In the process of its own --------------------------------------------------------------------------------------

_HIDDEN_STATUS = 3


def main() -> int:
    """Draw one page on standard output: the file as argument, the job as JSON on standard input."""
    parser = argparse.ArgumentParser(description="Draw one page of a PDF as PNG.")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    _limit_memory()
    job = json.load(sys.stdin)
    place = Place(job["page_text"], job["passage_text"])
    return draw(arguments.file, sys.stdout.buffer, job["page"], place, contacts=job["contacts"])


def _limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def draw(file: Path, target: BinaryIO, number: int, place: Place, *, contacts: bool) -> int:
    """Write the image; returns 0, or the status that says it must stay hidden."""
    import pypdfium2

    with pypdfium2.PdfDocument(file) as pdf:
        page = pdf[number - 1]
        layer = _Layer.read(page)
        private = find(layer.text, contacts=contacts)
        if sum(kind == CPR for _, _, kind in private) < place.page_text.count(REPLACEMENTS[CPR]):
            return _HIDDEN_STATUS
        scale = WIDTH / page.get_width()
        image = page.render(scale=scale, may_draw_forms=True).to_pil().convert("RGB")
        boxes = _Scaled(page.get_height(), scale)
        outline = groups(layer.boxes(*locate(layer.text, place.passage_text)))
        covered = [box for start, end, _ in private for box in layer.boxes(start, end)]
        finished = _painted(image, [boxes.to_pixels(box) for group in outline for box in group],
                            [boxes.to_pixels(union(group)) for group in outline],
                            [boxes.to_pixels(box) for box in covered])  # fmt: skip
        finished.quantize(COLOURS).save(target, format="PNG", optimize=True)
    return 0


@dataclass(frozen=True)
class _Layer:
    """A page's text layer: ``indexes[i]`` is PDFium's number of the character ``text[i]``."""

    text: str
    indexes: tuple[int, ...]
    textpage: Any

    @classmethod
    def read(cls, page: Any) -> _Layer:
        from pypdfium2 import raw

        textpage = page.get_textpage()
        characters = [(i, chr(raw.FPDFText_GetUnicode(textpage, i) or 32)) for i in range(textpage.count_chars())]
        # U+0002 and U+FFFE are PDFium's marks for a hyphen at a line's end.
        shown = [(i, "-" if char in "\x02\ufffe" else char) for i, char in characters if char != "\r"]
        return cls("".join(char for _, char in shown), tuple(i for i, _ in shown), textpage)

    def boxes(self, start: int, end: int) -> list[Box]:
        """One rectangle a line (left, bottom, right, top in points) for the characters ``[start, end)``."""
        if start >= end:
            return []
        first, last = self.indexes[start], self.indexes[end - 1]
        count = self.textpage.count_rects(first, last - first + 1)
        return [self.textpage.get_rect(i) for i in range(count)]


@dataclass(frozen=True, slots=True)
class _Scaled:
    height: float
    scale: float

    def to_pixels(self, box: Box) -> Box:
        left, bottom, right, top = box
        return (
            left * self.scale - PADDING, (self.height - top) * self.scale - PADDING,
            right * self.scale + PADDING, (self.height - bottom) * self.scale + PADDING,
        )  # fmt: skip


def _painted(image: Any, lines: Sequence[Box], outlines: Sequence[Box], covered: Sequence[Box]) -> Any:
    from PIL import Image, ImageChops, ImageDraw

    marker = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(marker)
    for box in lines:
        pen.rectangle(box, fill=FILL)
    image = ImageChops.multiply(image, marker)
    pen = ImageDraw.Draw(image)
    for box in outlines:
        left, top, right, bottom = box
        pen.rectangle((left - PADDING, top - PADDING, right + PADDING, bottom + PADDING), outline=OUTLINE, width=3)
    for box in covered:
        pen.rectangle(box, fill="black")
    return image


def locate(layer: str, passage: str) -> tuple[int, int]:
    """Where ``passage`` stands in ``layer``, as ``[start, end)``; ``(0, 0)`` when it does not."""
    places = [match.start() for match in re.finditer(r"[^\W_]", layer)]
    reduced = _reduced("".join(layer[place] for place in places))
    # What masking took out stands unreduced in the page's own text, between the parts.
    parts = [part for part in map(_reduced, _MASKED.split(passage)) if part]
    if not parts or not places:
        return 0, 0
    start, end = _between(reduced, parts) or _aligned(reduced, "".join(parts))
    return (places[start], places[end - 1] + 1) if start < end else (0, 0)


_MASKED = re.compile("|".join(re.escape(marker) for marker in REPLACEMENTS.values()))
# So many letters and digits at each end tell where a passage begins and ends when something inside it differs.
END_CHARACTERS = 32
LONGEST_DIFFERENCE = 200


def _reduced(text: str) -> str:
    """Letters and digits alone, one for one."""
    return "".join(char.casefold()[:1] for char in text if char.isalnum())


def _between(reduced: str, parts: Sequence[str]) -> tuple[int, int] | None:
    """From the passage's first characters to its last, if both stand there at about its length."""
    whole = "".join(parts)
    if len(parts) == 1 and (start := reduced.find(whole)) >= 0:
        return start, start + len(whole)
    head, tail = parts[0][:END_CHARACTERS], parts[-1][-END_CHARACTERS:]
    start = reduced.find(head)
    last = reduced.find(tail, start + len(head))
    end = last + len(tail)
    fits = start >= 0 and last >= 0 and abs(end - start - len(whole)) <= LONGEST_DIFFERENCE
    return (start, end) if fits else None


def _aligned(reduced: str, whole: str) -> tuple[int, int]:
    from rapidfuzz.fuzz import partial_ratio_alignment

    best = partial_ratio_alignment(whole, reduced, score_cutoff=70)
    return (best.dest_start, best.dest_end) if best else (0, 0)


def groups(boxes: Sequence[Box]) -> list[list[Box]]:
    """Lines below one another together; a line that stands higher than the one before it begins a new group."""
    grouped: list[list[Box]] = []
    for box in boxes:
        middle = (box[1] + box[3]) / 2
        if grouped and middle <= grouped[-1][-1][3] + 1:
            grouped[-1].append(box)
        else:
            grouped.append([box])
    return grouped


def union(boxes: Sequence[Box]) -> Box:
    """The rectangle round several."""
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


if __name__ == "__main__":
    sys.exit(main())
