"""The arrays of a TensorFlow checkpoint: where the index says they lie, and their bytes out of the data files."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.limits import CONFIG_LIMIT, FILE_LIMIT, TENSOR_LIMIT, TOTAL_LIMIT, size
from reportgen.checkpoints.table import masked, read_table
from reportgen.checkpoints.wire import fields, message, number, read_varint
from reportgen.errors import CheckpointError

STRING, _BFLOAT16 = 7, 14
_DTYPES = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "|u1", 5: "<i2", 6: "|i1", 9: "<i8", 10: "|b1", _BFLOAT16: "<u2", 17: "<u2",
    19: "<f2", 22: "<u4", 23: "<u8",
}  # fmt: skip
"""TensorFlow's number of a dtype → NumPy's name; bfloat16, which NumPy does not know, as the bits it is made of."""
_OTHERS = {STRING: "text", 8: "complex64", 18: "complex128", 20: "resource", 21: "variant"}
RANK_LIMIT = 32
SHARD_LIMIT = 10_000


@dataclass(frozen=True)
class Entry:
    """What the index says of one array."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    """[byte]"""
    checksum: int
    sliced: bool
    """Whether it is cut into parts that are stored each on its own."""


@dataclass(frozen=True)
class Index:
    """What an index file says: its arrays, and in how many data files they lie."""

    path: Path
    shards: int
    entries: dict[str, Entry]


def read_index(path: Path) -> Index:
    """Return what an index file says of its arrays; the data files are not opened.

    Raises CheckpointError where it is cut, damaged, big-endian, compressed or too large.
    """
    with open_regular(path) as file:
        found = os.fstat(file.fileno()).st_size
        if found > CONFIG_LIMIT:
            raise CheckpointError(f"the index has {size(found)}", expected=f"at most {size(CONFIG_LIMIT)}")
        table = read_table(file.read(CONFIG_LIMIT))
    header = dict(fields(table.pop(b"", b"")))
    shards = number(header.get(1, 1))
    if header.get(2, 0) != 0:
        raise CheckpointError("the arrays are stored big-endian", expected="little-endian, as PCs write them")
    if not 0 < shards <= SHARD_LIMIT:
        raise CheckpointError(f"the index speaks of {shards} data files", expected=f"1 to {SHARD_LIMIT:,}")
    # Parts of sliced arrays have keys that are no text; the whole array's entry says that it is sliced.
    return Index(path, shards, {k.decode(): _entry(v) for k, v in table.items() if not k.startswith(b"\0")})


def _entry(data: bytes) -> Entry:
    """Read what the index says of one array."""
    said: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    sliced = False
    for field, value in fields(data):
        if field == 2:
            shape = _shape(message(value))
        elif field == 7:
            sliced = True
        else:
            said[field] = number(value)
    dtype, shard, offset, length, checksum = (said.get(field, 0) for field in (1, 3, 4, 5, 6))
    return Entry(dtype, shape, shard, offset, length, checksum, sliced)


def _shape(data: bytes) -> tuple[int, ...]:
    """Read a shape: a list of axes, each with its length."""
    shape = tuple(number(dict(fields(message(axis))).get(1, 0)) for field, axis in fields(data) if field == 2)
    if len(shape) > RANK_LIMIT or any(length < 0 for length in shape):
        raise CheckpointError("an array has no possible shape", received=str(shape))
    return shape


def shard_path(index: Index, shard: int) -> Path:
    """Return the data file of a number."""
    stem = index.path.name.removesuffix(".index")
    return index.path.with_name(f"{stem}.data-{shard:05d}-of-{index.shards:05d}")


def read_tensors(index: Index, keys: Sequence[str]) -> list[NDArray[np.generic]]:
    """Return the arrays of numbers of these keys, all of them judged by the index before the first is read."""
    sizes: dict[int, int] = {}
    with ExitStack() as stack:
        files: dict[int, IO[bytes]] = {}
        for key in keys:
            shard = index.entries[key].shard
            if shard not in files:
                files[shard], sizes[shard] = _open_shard(index, shard, stack)
        for key in keys:
            _judge(key, index.entries[key], sizes)
        total, there = sum(index.entries[key].size for key in keys), sum(sizes.values())
        if total > min(TOTAL_LIMIT, there):
            raise CheckpointError(
                f"the arrays take {size(total)}", expected=f"at most the {size(there)} of the data files"
            )
        return [_values(key, index.entries[key], files) for key in keys]


def read_text(index: Index, key: str) -> bytes:
    """Return the one text stored under a key; raises CheckpointError where there is another number of them."""
    entry = index.entries[key]
    if entry.dtype != STRING or entry.shape != () or entry.size > CONFIG_LIMIT:
        raise CheckpointError(f"{key} is no text", expected=f"one text of at most {size(CONFIG_LIMIT)}")
    with ExitStack() as stack:
        file, there = _open_shard(index, entry.shard, stack)
        _inside(key, entry, {entry.shard: there})
        data = _stored(entry, file)
    # The length, a checksum of it, and the text; the checksum of all counts the length as a plain number.
    length, start = read_varint(data, 0)
    value = data[start + 4 :]
    counted = length.to_bytes(4 if length < 2**32 else 8, "little")
    if len(value) != length or masked(google_crc32c.value(counted + data[start:])) != entry.checksum:
        raise _damaged(key)
    return value


def _open_shard(index: Index, shard: int, stack: ExitStack) -> tuple[IO[bytes], int]:
    """Open a data file and return it with its size [byte]."""
    if not 0 <= shard < index.shards:
        raise CheckpointError(f"an array lies in data file {shard}", expected=f"one of {index.shards}, counted from 0")
    path = shard_path(index, shard)
    try:
        file = stack.enter_context(open_regular(path))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path.name} is missing",
            expected=f"{index.shards} data file{'s' if index.shards > 1 else ''} beside the index",
            advice="A TensorFlow checkpoint is several files; copy all of them.",
        ) from None
    found = os.fstat(file.fileno()).st_size
    if found > FILE_LIMIT:
        raise CheckpointError(f"{path.name} has {size(found)}", expected=f"at most {size(FILE_LIMIT)}")
    return file, found


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file of the folder itself; what leads out of it, or is a pipe, is refused."""
    real = Path(os.path.realpath(path))
    if path.is_symlink() and real.parent != Path(os.path.realpath(path.parent)):
        raise CheckpointError(
            f"{path.name} is a link that leads elsewhere",
            expected="the file itself",
            advice="Copy the file into the folder of its index.",
        )
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write.
    file = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise CheckpointError(f"{path.name} is no regular file", expected="a file of data")
    return file


def _judge(key: str, entry: Entry, sizes: Mapping[int, int]) -> None:
    """Raise CheckpointError for an array that must not, or cannot, be read."""
    if entry.dtype not in _DTYPES:
        raise CheckpointError(
            f"{key} holds no plain numbers",
            expected="float, integer or bool",
            received=_OTHERS.get(entry.dtype, f"dtype number {entry.dtype}"),
        )
    if entry.sliced:
        raise CheckpointError(
            f"{key} is a partitioned variable, stored in slices",
            expected="variables stored whole",
            advice="Load it where it was trained, without a partitioner, and save it again.",
        )
    declared = math.prod(entry.shape) * np.dtype(_DTYPES[entry.dtype]).itemsize
    if declared != entry.size or declared > TENSOR_LIMIT:
        raise CheckpointError(
            f"{key} declares {size(declared)} and stores {size(entry.size)}",
            expected=f"the same, and at most {size(TENSOR_LIMIT)}",
        )
    _inside(key, entry, sizes)


def _inside(key: str, entry: Entry, sizes: Mapping[int, int]) -> None:
    """Raise CheckpointError for an array that does not lie inside its data file."""
    if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > sizes[entry.shard]:
        raise CheckpointError(
            f"{key} lies outside its data file",
            expected=f"at most {sizes[entry.shard]} byte",
            received=f"{entry.size} byte at {entry.offset}",
            advice="The data file is cut, or belongs to another index. Copy both again.",
        )


def _values(key: str, entry: Entry, files: Mapping[int, IO[bytes]]) -> NDArray[np.generic]:
    """Return an array's numbers; bfloat16 as float32."""
    data = _stored(entry, files[entry.shard])
    if masked(google_crc32c.value(data)) != entry.checksum:
        raise _damaged(key)
    flat: NDArray[np.generic] = np.frombuffer(data, _DTYPES[entry.dtype])
    if entry.dtype == _BFLOAT16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    elif flat.dtype == bool:
        flat = flat.view(np.uint8) != 0  # any other byte than 0 and 1 is no bool to NumPy
    return flat.reshape(entry.shape)


def _stored(entry: Entry, file: IO[bytes]) -> bytes:
    """Return the bytes of an array."""
    file.seek(entry.offset)
    data = file.read(entry.size)
    if len(data) != entry.size:
        raise CheckpointError("a data file ends early", expected=f"{entry.size} byte", received=f"{len(data)} byte")
    return data


def _damaged(key: str) -> CheckpointError:
    """Return the error for bytes that are not those that were written."""
    return CheckpointError(
        f"the checksum of {key} is wrong",
        expected="the bytes that TensorFlow wrote",
        advice="The data file is damaged, or belongs to another index. Copy both again.",
    )
