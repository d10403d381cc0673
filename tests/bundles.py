"""TensorFlow checkpoints taken apart and put together again, with right checksums: what TensorFlow never writes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import google_crc32c

from reportgen.checkpoints.formats import HEAD, read_checkpoint, recognise
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.table import MAGIC, read_table


def opened(path: Path, config: Path | None = None) -> StoredModel:
    """Read a checkpoint as a run does: recognised by content, through the door of the room."""
    key = recognise(path, b"" if path.is_dir() else path.read_bytes()[:HEAD])
    assert key is not None
    return read_checkpoint(Checkpoint(path.name, path.name, path, key, None, 0, "", config))


def arrays(model: StoredModel) -> dict[str, Any]:
    """Return layer|variable → array."""
    return {f"{layer.name}|{v.name}": v.value for layer in model.layers for v in layer.variables}


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def checksum(data: bytes) -> int:
    """Return the masked CRC-32C of LevelDB."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def _block(entries: dict[bytes, bytes], kind: int = 0) -> bytes:
    """Write a block with whole keys, its trailer included."""
    body = b"".join(b"\0" + _varint(len(k)) + _varint(len(v)) + k + v for k, v in entries.items())
    body += struct.pack("<II", 0, 1) + bytes([kind])
    return body + struct.pack("<I", checksum(body))


def write_table(path: Path, entries: dict[bytes, bytes], kind: int = 0) -> None:
    """Write a table of one block."""
    data = _block(dict(sorted(entries.items())), kind)
    index = _block({max(entries, default=b"") + b"\xff": _varint(0) + _varint(len(data) - 5)})
    footer = _varint(0) + _varint(0) + _varint(len(data)) + _varint(len(index) - 5)
    path.write_bytes(data + index + footer.ljust(40, b"\0") + MAGIC)


def rewrite(path: Path, change: Any) -> None:
    """Rewrite an index after `change` altered the entries {key: message of TensorFlow}."""
    from tensorflow.core.protobuf import tensor_bundle_pb2

    raw = read_table(path.read_bytes())
    kinds = {key: tensor_bundle_pb2.BundleEntryProto if key else tensor_bundle_pb2.BundleHeaderProto for key in raw}
    entries = {key: kinds[key].FromString(value) for key, value in raw.items()}
    change(entries)
    write_table(path, {key: value.SerializeToString() for key, value in entries.items()})


def plant_graph(path: Path, text: bytes) -> None:
    """Put another object graph into a checkpoint of one data file, behind what is in there."""
    data = path.with_name(path.name.removesuffix("index") + "data-00000-of-00001")
    length = len(text).to_bytes(4, "little")
    stored = _varint(len(text)) + struct.pack("<I", checksum(length)) + text
    held = data.read_bytes()

    def change(entries: dict[bytes, Any]) -> None:
        entry = entries[b"_CHECKPOINTABLE_OBJECT_GRAPH"]
        entry.offset, entry.size = len(held), len(stored)
        entry.crc32c = checksum(length + stored[len(_varint(len(text))) :])

    data.write_bytes(held + stored)
    rewrite(path, change)
