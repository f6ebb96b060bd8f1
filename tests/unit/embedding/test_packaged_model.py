from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kb.core.errors import ModelDamagedError
from kb.embedding.packaged_model import BLOCK, BLOCK_BYTES, DTYPE_F32, DTYPE_Q4, FILE_NAME, find, read, unpack_q4


def pack_q4(weights: NDArray[np.float32]) -> bytes:
    """Four-bit blocks of weights that are whole multiples, from -8 to 7, of their block's scale."""
    packed = b""
    for block in weights.reshape(-1, BLOCK):
        scale = float(np.abs(block).max()) / 8 or 1.0
        steps = np.rint(block / scale).astype(int) + 8
        nibbles = [int(steps[j]) | int(steps[j + BLOCK // 2]) << 4 for j in range(BLOCK // 2)]
        packed += struct.pack("<e", scale) + bytes(nibbles)
    return packed


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(-4, 4), st.lists(st.integers(-8, 7), min_size=31, max_size=31)), max_size=5))
@settings(max_examples=60)
def test_unpacking_undoes_packing(blocks: list[tuple[int, list[int]]]) -> None:
    weights = np.array([[-8, *steps] for _, steps in blocks], dtype=np.float32).reshape(-1, BLOCK)
    scales = np.array([2.0**power for power, _ in blocks], dtype=np.float32).reshape(-1, 1)
    expected = (weights * scales).reshape(-1)
    np.testing.assert_array_equal(unpack_q4(pack_q4(expected), expected.size), expected)


@pytest.mark.parametrize(("length", "elements"), [(BLOCK_BYTES, 31), (BLOCK_BYTES - 1, 32), (BLOCK_BYTES, 64)])
def test_blocks_of_a_wrong_length_are_refused(length: int, elements: int) -> None:
    with pytest.raises(ValueError, match="længde"):
        unpack_q4(bytes(length), elements)


def _small_file(dtype: int = DTYPE_F32) -> bytes:
    """A file of two pieces and two tensors, in the layout the module describes."""
    head = b"E5S1" + struct.pack("<I7ifi", 1, 2, 1, 1, 4, 2, 8, 1, 1e-12, BLOCK)
    blob = "<s>▁æ".encode()
    pieces = struct.pack("<5iQ", 2, 0, 0, 0, 1, len(blob)) + struct.pack("<3I2f", 0, 3, len(blob), 0.0, -1.5) + blob
    table = struct.pack("<iI", 1, 9) + struct.pack("<IB1I", ord("\u00a0"), 1, ord(" "))
    plain = np.array([1.0, -2.0], dtype="<f4").tobytes()
    packed = pack_q4(np.tile(np.arange(-8, 8, dtype=np.float32), 2) / np.float32(4))
    names = [("a.b", dtype, 2, plain), ("a.w", DTYPE_Q4, BLOCK, packed)]
    length = sum(2 + len(name) + struct.calcsize("<BIQQ") for name, *_ in names)
    offset = len(head + pieces + table) + 4 + length
    index, data = struct.pack("<i", len(names)), b""
    for name, kind, elements, raw in names:
        index += struct.pack("<H", len(name)) + name.encode()
        index += struct.pack("<BIQQ", kind, elements, offset + len(data), len(raw))
        data += raw
    return head + pieces + table + index + data


def _read(folder: Path, data: bytes) -> object:
    path = folder / FILE_NAME
    path.write_bytes(data)
    return read(path, expected_sha256=hashlib.sha256(data).hexdigest())


def test_a_file_is_read_by_its_layout(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(_small_file())
    model = read(path, expected_sha256=hashlib.sha256(_small_file()).hexdigest())
    assert model.config["hidden_size"] == 2
    assert [piece for piece, _ in model.pieces] == ["<s>", "▁æ"]
    assert model.special == {"bos": 0, "eos": 0, "pad": 0, "unk": 1}
    assert model.normalisation == {"\u00a0": " "}
    np.testing.assert_array_equal(model.tensors["a.b"], [1.0, -2.0])
    assert model.tensors["a.w"].shape == (BLOCK,)


@pytest.mark.parametrize("cut", [0, 3, 40, 60, 90, -100, -10, -1])
def test_a_file_that_is_cut_short_is_damaged(tmp_path: Path, cut: int) -> None:
    with pytest.raises(ModelDamagedError, match="format"):
        _read(tmp_path, _small_file()[:cut])


def test_a_file_of_another_kind_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError, match="begyndelse"):
        _read(tmp_path, b"GGUF" + _small_file()[4:])
    with pytest.raises(ModelDamagedError, match="taltype"):
        _read(tmp_path, _small_file(dtype=9))


def test_a_wrong_checksum_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(_small_file())
    with pytest.raises(ModelDamagedError, match="kontrolsum") as caught:
        read(path)
    assert "pip install" in caught.value.advice


def test_one_changed_byte_of_the_real_file_is_noticed(tmp_path: Path) -> None:
    data = bytearray(find().read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / FILE_NAME
    path.write_bytes(data)
    with pytest.raises(ModelDamagedError, match="kontrolsum"):
        read(path)
