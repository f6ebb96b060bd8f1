"""Whether a font is bold, by its name or else by its own program (pure functions).

Printers to PDF name their fonts "CIDFont+F7", or all weights of a face alike, which says nothing. The program that is
set into the file still does: TrueType and OpenType have the style in the table ``head`` and the weight in ``OS/2``,
Type 1 and CFF begin with their name in plain letters.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from kb.extract.pdf.raw_page import Run

_BOLD = re.compile(rb"bold|black|heavy|semib|demi", re.IGNORECASE)
_SFNT = (b"\x00\x01\x00\x00", b"true", b"OTTO")
_TABLES = 64
_HEAD_STYLE, _OS2_WEIGHT = 44, 4
_SEMIBOLD = 600
_BEGINNING = 2000
_ONE_LINE = 1.5


def is_named_bold(name: bytes) -> bool:
    """Whether a font's name says that it is bold."""
    return _BOLD.search(name) is not None


def is_bold_program(program: bytes) -> bool:
    """Whether a font's program says that it is bold; not when it is damaged or of an unknown kind."""
    if program[:4] not in _SFNT:
        return is_named_bold(program[:_BEGINNING])
    style = _number(program, b"head", _HEAD_STYLE)
    weight = _number(program, b"OS/2", _OS2_WEIGHT)
    return bool(style & 1) or _SEMIBOLD <= weight <= 1000


def _number(program: bytes, table: bytes, offset: int) -> int:
    """The 16-bit number at an offset of a table; 0 where there is none."""
    count = min(int.from_bytes(program[4:6], "big"), _TABLES)
    for entry in range(12, 12 + 16 * count, 16):
        if program[entry : entry + 4] == table and len(program) >= entry + 16:
            start = struct.unpack(">I", program[entry + 8 : entry + 12])[0] + offset
            return int.from_bytes(program[start : start + 2], "big")
    return 0


def with_weight(runs: Sequence[Run], told: Sequence[Run]) -> tuple[Run, ...]:
    """The runs, in bold where most of what stands in their place in another reading of the page is."""
    in_order = sorted(told, key=lambda run: run.y)
    heights = [run.y for run in in_order]

    def is_bold(run: Run) -> bool:
        near = in_order[bisect_left(heights, run.y - _ONE_LINE) : bisect_right(heights, run.y + _ONE_LINE)]
        shared = [(other.bold, min(run.x1, other.x1) - max(run.x0, other.x0)) for other in near]
        bold = sum(width for is_bold, width in shared if is_bold and width > 0)
        return bold > 0.5 * sum(width for _, width in shared if width > 0)

    return tuple(run if run.bold or not is_bold(run) else replace(run, bold=True) for run in runs)
