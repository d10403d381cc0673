"""Protocol-buffer messages, field by field: the bytes are split, and nothing is made from them."""

from __future__ import annotations

from collections.abc import Iterator

from reportgen.errors import CheckpointError

Field = int | bytes
"""A number (of any width), or the bytes of a text, of a message or of packed numbers."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_LENGTH = 10


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the unsigned number of variable length that begins at `place`, and where it ends."""
    value = 0
    for length, byte in enumerate(data[place : place + _VARINT_LENGTH]):
        value |= (byte & 0x7F) << 7 * length
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + length + 1
    raise CheckpointError("a number does not end", expected=f"at most {_VARINT_LENGTH} bytes")


def fields(data: bytes) -> Iterator[tuple[int, Field]]:
    """Yield (number, value) of each field of a message, in the order of the bytes."""
    place = 0
    while place < len(data):
        tag, place = read_varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = read_varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = read_varint(data, place)
        elif kind in {_FIXED32, _FIXED64}:
            length = 4 if kind == _FIXED32 else 8
        else:
            raise CheckpointError(f"a field is of the unknown kind {kind}", expected="a protocol-buffer message")
        if length > len(data) - place:
            raise CheckpointError(f"a field of {length} byte is cut", received=f"{len(data) - place} byte")
        piece = data[place : place + length]
        place += length
        yield number, piece if kind == _BYTES else int.from_bytes(piece, "little")


def number(value: Field) -> int:
    """Return a field that must be a number, signed as int64."""
    if not isinstance(value, int):
        raise CheckpointError("a field that should be a number is none", received=f"{len(value)} byte")
    return value - (1 << 64) if value >> 63 else value


def message(value: Field) -> bytes:
    """Return a field that must be bytes."""
    if not isinstance(value, bytes):
        raise CheckpointError("a field that should be text or a message is a number", received=str(value))
    return value


def text(value: Field) -> str:
    """Return a field that must be text."""
    return message(value).decode("utf-8", "replace")
