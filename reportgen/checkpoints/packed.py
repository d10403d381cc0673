"""Chunks of HDF5 arrays: whether they unpack to what their header says, found out without unpacking more than that."""

from __future__ import annotations

import math
import zlib
from typing import Any

from reportgen.errors import CheckpointError

FILTERS = {2: "shuffle", 1: "deflate", 3: "fletcher32"}
"""HDF5 filters that are part of the library itself, in the order in which they are applied; any other would load a
plugin."""
CHUNK_FLOOR = 2**20
"""A chunk may be so much larger than its array [byte]."""
CHUNK_COUNT = 100_000
CHECKSUM = 4
"""What fletcher32 puts behind a chunk [byte]."""


def check_chunks(path: str, dataset: Any) -> None:
    """Raise CheckpointError where an array's chunks are too large, too many, or unpack to more than they should.

    HDF5 itself unpacks a chunk to whatever its stream gives, and allocates it.
    """
    if dataset.chunks is None:
        return
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if foreign := [number for number in filters if number not in FILTERS]:
        raise CheckpointError(f"{path} is compressed by filter {foreign[0]}", expected=", ".join(FILTERS.values()))
    if filters != [number for number in FILTERS if number in filters]:
        raise CheckpointError(f"{path} is compressed in an order that h5py never writes")
    itemsize = dataset.dtype.itemsize
    length = math.prod(dataset.chunks) * itemsize
    whole = math.prod(dataset.shape) * itemsize
    if length > max(CHUNK_FLOOR, whole):
        raise CheckpointError(
            f"{path} is stored in pieces of {length:,} byte and has {whole:,}",
            expected="pieces no larger than the array",
        )
    if 1 not in filters:
        return
    count = dataset.id.get_num_chunks()
    if count > CHUNK_COUNT:
        raise CheckpointError(f"{path} is stored in {count:,} pieces", expected=f"at most {CHUNK_COUNT:,}")
    for number in range(count):
        _check(path, dataset, dataset.id.get_chunk_info(number), filters, length)


def _check(path: str, dataset: Any, about: Any, filters: list[int], length: int) -> None:
    """Raise CheckpointError where a piece unpacks to more than `length` byte."""
    skipped, packed = dataset.id.read_direct_chunk(about.chunk_offset)
    if skipped & 1 << filters.index(1):
        return  # stored as it is
    if 3 in filters and not skipped & 1 << filters.index(3):
        packed = packed[:-CHECKSUM]
    stream = zlib.decompressobj()
    unpacked, left = 0, packed
    while left and not stream.eof and unpacked <= length:
        unpacked += len(stream.decompress(left, CHUNK_FLOOR))
        left = stream.unconsumed_tail
    if unpacked > length:
        raise CheckpointError(
            f"a piece of {path} unpacks to more than the {length:,} byte it should have",
            expected="pieces of one size",
            advice="Keras writes no such file; do not trust this one.",
        )
