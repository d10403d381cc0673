"""The sorted table of keys and values that the index of a TensorFlow checkpoint is, in LevelDB's layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import google_crc32c

from reportgen.checkpoints.limits import MIB, size
from reportgen.checkpoints.wire import read_varint
from reportgen.errors import CheckpointError

MAGIC = bytes.fromhex("57fb808b247547db")
"""The last bytes of every table."""
_FOOTER, _TRAILER = 48, 5
ENTRY_LIMIT = 200_000
KEY_LIMIT = 4096
KEYS_LIMIT = 64 * MIB
"""All keys together; they are stored as differences, so that a small file could hold very many long ones."""


def masked(checksum: int) -> int:
    """Return a CRC-32C as LevelDB and TensorFlow store it: rotated by 15 bits, plus a constant."""
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return every key and value of a table, each block held against its checksum.

    Raises CheckpointError for a table that is cut, damaged, compressed or not in order.
    """
    if len(data) < _FOOTER or not data.endswith(MAGIC):
        raise CheckpointError(
            "the index is cut or damaged",
            expected="the 8 bytes that end every TensorFlow checkpoint index",
            received=f"{size(len(data))} that end otherwise",
            advice="Copy it again, with its .data files.",
        )
    footer = data[-_FOOTER:]
    _, place = _handle(footer, 0)
    where, _ = _handle(footer, place)
    table: dict[bytes, bytes] = {}
    end, last, keys = 0, None, 0
    for _, handle in _entries(_block(data, *where)):
        (start, length), _ = _handle(handle, 0)
        if start < end:
            raise CheckpointError("blocks of the index overlap", expected="one after the other")
        end = start + length
        for key, value in _entries(_block(data, start, length)):
            if last is not None and key <= last:
                raise CheckpointError("the index is not in order", received=repr(key))
            last, keys = key, keys + len(key)
            table[key] = value
            if len(table) > ENTRY_LIMIT or keys > KEYS_LIMIT:
                raise CheckpointError("the index lists far too many arrays", expected=f"at most {ENTRY_LIMIT:,}")
    return table


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Return (offset, length) of a block, and where the handle that says so ends."""
    offset, place = read_varint(data, place)
    length, place = read_varint(data, place)
    return (offset, length), place


def _block(data: bytes, offset: int, length: int) -> bytes:
    """Return the contents of a block."""
    end = offset + length
    if end + _TRAILER > len(data):
        raise CheckpointError(
            "the index is cut or damaged",
            expected=f"a block that ends at {end + _TRAILER}",
            received=f"{len(data)} byte",
        )
    kind, checksum = struct.unpack_from("<BI", data, end)
    if masked(google_crc32c.value(data[offset : end + 1])) != checksum:
        raise CheckpointError(
            "a checksum in the index is wrong", expected="the file as TensorFlow wrote it", advice="Copy it again."
        )
    if kind:
        raise CheckpointError(
            "the index is compressed" + (" by snappy" if kind == 1 else ""),
            expected="an index as TensorFlow writes it by default, not compressed",
            advice="Save the checkpoint again with TensorFlow 2.",
        )
    return data[offset:end]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; a key is stored as what differs from the one before."""
    if len(block) < 4:
        raise CheckpointError("a block of the index is too short", received=f"{len(block)} byte")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise CheckpointError("a block of the index is damaged", received=f"{restarts} restarts in {len(block)} byte")
    place, key = 0, b""
    while place < end:
        shared, place = read_varint(block, place)
        own, place = read_varint(block, place)
        length, place = read_varint(block, place)
        if shared > len(key) or own + length > end - place or shared + own > KEY_LIMIT:
            raise CheckpointError("an entry of the index is damaged", expected="a key and a value inside its block")
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length
