"""The rows of a tensor in a safetensors file, read as they are asked for: word vectors without 384 MB of memory.

A file begins with the length of its header (u64, little-endian) and the header, JSON that gives each tensor's type,
shape and place after it. Rows are read with pread and not through a memory map: a map's pages count as this process's
memory once touched, sixteen at a time, and after some hundred questions that would be the most of the table. The
system's page cache keeps what is used and shares it between processes either way.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kb.core.errors import ModelDamagedError
from kb.embedding.runtimes.base import Vectors

TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}


class Rows:
    """The rows of the matrix ``tensor`` in ``file``, as float32; raises :class:`ModelDamagedError` without it."""

    def __init__(self, file: Path, tensor: str) -> None:
        self._handle = -1
        try:
            header, begin = _header(file)
            described = header[tensor]
            _, self.width = described["shape"]
            self._type = TYPES[described["dtype"]]
            self._begin = begin + described["data_offsets"][0]
            self._handle = os.open(file, os.O_RDONLY)
        except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
            raise ModelDamagedError(f"Sprogmodellens fil {file.name} mangler {tensor}.") from error
        self._bytes = self.width * self._type.itemsize

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)

    def take(self, rows: Sequence[int]) -> Vectors:
        """The rows asked for, shape ``(len(rows), width)``."""
        raw = b"".join(os.pread(self._handle, self._bytes, self._begin + row * self._bytes) for row in rows)
        values = np.frombuffer(raw, dtype=self._type).reshape(len(rows), self.width)
        return np.asarray(values, dtype=np.float32)


def holds(file: Path, tensor: str) -> bool:
    """Whether the file has the matrix in a type that :class:`Rows` reads."""
    try:
        Rows(file, tensor)
    except ModelDamagedError:
        return False
    return True


def _header(file: Path) -> tuple[dict[str, Any], int]:
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        if length > file.stat().st_size:
            raise ValueError("hovedet er længere end filen")
        return json.loads(opened.read(length)), 8 + length
