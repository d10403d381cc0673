"""Attacks on the zip file that a `.keras` file is."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

import checkpoint_files as files
from attacks.attack import Attack, Place, refused, reported
from attacks.disk import Payload

MIB = 2**20


def members_of(seed: int = 0, config: Any = files.MODEL) -> dict[str, bytes]:
    """Return the members of a healthy file."""
    data = io.BytesIO()
    files.write_v3(data, seed)
    metadata = {"keras_version": "3.15.1", "date_saved": "2026-11-22@18:02:45"}
    return {
        "metadata.json": json.dumps(metadata).encode(), "config.json": json.dumps(config).encode(),
        "model.weights.h5": data.getvalue(),
    }  # fmt: skip


def zipped(changed: dict[str, bytes | None] | None = None, seed: int = 0) -> Callable[[Place], None]:
    """Return what writes a file with some members in place of its own, deflated; None leaves one out."""

    def write(place: Place) -> None:
        with zipfile.ZipFile(place.path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {**members_of(seed), **(changed or {})}.items():
                if data is not None:
                    archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    return write


def zeros(count: int, byte: bytes = b"\0") -> tuple[bytes, int]:
    """Return a deflate stream of `count` MiB of one byte, and its CRC, without holding them."""
    packer, block, crc = zlib.compressobj(9, zlib.DEFLATED, -15), byte * MIB, 0
    parts = [packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)]
    parts.append(packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH))
    parts += [parts[1]] * (count - 2) + [packer.flush()]
    for _ in range(count):
        crc = zlib.crc32(block, crc)
    return b"".join(parts), crc


def bomb(name: str, mib: int, byte: bytes = b"\0", said: int | None = None) -> Callable[[Place], None]:
    """Return what writes a file one of whose members unpacks to that much; the header says `said` byte."""

    def write(place: Place) -> None:
        stream, crc = zeros(mib, byte)
        raw(place, {**members_of(), name: b""}, {name: (8, stream, crc, mib * MIB if said is None else said)})

    return write


def raw(place: Place, members: dict[str, bytes], odd: dict[str, tuple[int, bytes, int, int]]) -> None:
    """Write a zip file by hand; `odd` members are (method, stream, crc, size as the headers say it)."""
    data, directory = bytearray(), bytearray()
    for name, plain in members.items():
        method, stream, crc, size = odd.get(name, (0, plain, zlib.crc32(plain), len(plain)))
        head = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, crc, len(stream), size, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, len(data))
        directory += name.encode()
        data += b"PK\x03\x04" + head + name.encode() + stream
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(data), 0)
    place.path.write_bytes(bytes(data + directory) + b"PK\x05\x06" + end)


def quoted(place: Place) -> None:
    """Write a bomb of members that overlap: each directory entry points at the same megabyte of stream."""
    stream, crc = zeros(16)
    members = members_of()
    raw(place, {**members, "assets/0": b""}, {"assets/0": (8, stream, crc, 16 * MIB)})
    data = place.path.read_bytes()
    start = data.rindex(b"PK\x01\x02")
    entry, end = data[start : data.rindex(b"PK\x05\x06")], data[data.rindex(b"PK\x05\x06") :]
    more = b"".join(entry[:-1] + bytes([48 + n]) for n in range(1, 10))
    counts = struct.unpack("<HHHHIIH", end[4:])
    end = struct.pack("<HHHHIIH", 0, 0, counts[2] + 9, counts[3] + 9, counts[4] + len(more), counts[5], 0)
    place.path.write_bytes(data[: data.rindex(b"PK\x05\x06")] + more + b"PK\x05\x06" + end)


def overlapping(place: Place) -> None:
    """Write a file whose config.json and metadata.json are one and the same stretch of it."""
    raw(place, members_of(), {})
    data = bytearray(place.path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", directory + 4)
    data[second + 42 : second + 46] = data[directory + 42 : directory + 46]
    place.path.write_bytes(data)


def twice(place: Place) -> None:
    """Write two members config.json, the second with a Lambda."""
    zipped()(place)
    with warnings.catch_warnings(), zipfile.ZipFile(place.path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", json.dumps({"class_name": "Lambda", "config": {}}))


def encrypted(place: Place) -> None:
    """Write a file whose members are marked as encrypted."""
    zipped()(place)
    data = bytearray(place.path.read_bytes())
    for mark, spot in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            data[start + spot] |= 1
    place.path.write_bytes(data)


def many(place: Place) -> None:
    """Write a file of 100,000 members."""
    zipped()(place)
    with zipfile.ZipFile(place.path, "a") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"a/{number}"), b"")


def pickled(place: Place) -> None:
    """Write a file whose weights are an npz of pickled objects."""
    data = io.BytesIO()
    np.savez(data, x=np.array([Payload(place.marker)], dtype=object))
    zipped({"model.weights.h5": None, "model.weights.npz": data.getvalue()})(place)


def zip64_lies(place: Place) -> None:
    """Write a member whose zip64 field says 2⁶² byte."""
    zipped()(place)
    data = bytearray(place.path.read_bytes())
    start = data.index(b"PK\x01\x02")
    data[start + 24 : start + 28] = b"\xff" * 4
    name = struct.unpack_from("<H", data, start + 28)[0]
    extra = struct.pack("<HHQ", 1, 8, 2**62)
    data[start + 30 : start + 32] = struct.pack("<H", len(extra))
    data[start + 46 + name : start + 46 + name] = extra
    end = data.rindex(b"PK\x05\x06")
    size = struct.unpack_from("<I", data, end + 12)[0] + len(extra)
    data[end + 12 : end + 16] = struct.pack("<I", size)
    place.path.write_bytes(data)


def escaping(place: Place) -> None:
    """Write members that would land outside, were they unpacked."""
    outside = {"../../escaped.txt": b"x", str(place.marker): b"x", "..\\..\\escaped.txt": b"x"}
    zipped(outside, seed=101)(place)


def metadata(**said: Any) -> bytes:
    return json.dumps({"keras_version": "3.15.1", "date_saved": "2026-11-22@18:02:45", **said}).encode()


SCRIPT = "<script>alert(1)</script>\u202e\x07"

ATTACKS: tuple[Attack, ...] = (
    refused("zip-config-bomb.keras", "unpacks to 2.0 GiB", bomb("config.json", 2048, b" ")),
    refused("zip-weights-bomb.keras", "unpacks to 1.5 GiB", bomb("model.weights.h5", 1536)),
    refused("zip-size-lies.keras", "damaged|size", bomb("config.json", 1024, b" ", said=4000)),
    refused("zip-weights-size-lies.keras", "damaged|size", bomb("model.weights.h5", 1024, said=900_000)),
    reported("zip-assets-bomb.keras", lambda p: raw(p, {**members_of(102), "assets/a": b"", "assets/b": b""}, {
        f"assets/{n}": (8, *zeros(200), 200 * MIB) for n in "ab"})),
    Attack("zip-quoted-bomb.keras", quoted, ("reported", "refused"), "overlap|times"),
    refused("zip-overlapping.keras", "overlap|damaged", overlapping),
    refused("zip-config-twice.keras", "2 times", twice),
    refused("zip-encrypted.keras", "encrypted", encrypted),
    refused("zip-hundred-thousand-members.keras", "members", many),
    refused("zip64-lies.keras", r"unpacks to|damaged", zip64_lies),
    reported("zip-escaping-names.keras", escaping),
    refused("zip-no-weights.keras", "no model.weights.h5", zipped({"model.weights.h5": None})),
    refused("zip-pickled-weights.keras", "one dictionary of arrays", pickled),
    refused("zip-config-no-json.keras", "no JSON", zipped({"config.json": b"{'a': 1}"})),
    refused("zip-config-a-list.keras", "describes no model", zipped({"config.json": b"[1]"})),
    refused("zip-config-nested-lists.keras", "nested", zipped({"config.json": b"[" * 100_000 + b"]" * 100_000})),
    refused("zip-config-swollen.keras", "unpacks", zipped({"config.json": b"[" + b"[]," * 5_000_000 + b"1]"})),
    refused("zip-config-many-values.keras", "far too many values", lambda p: raw(
        p, {**members_of(), "config.json": b"[" + b"[]," * 5_000_000 + b"1]"}, {})),
    refused("zip-config-long-number.keras", "no JSON|number", zipped(
        {"config.json": b'{"class_name":' + b"1" * 9000 + b"}"})),
    refused("zip-metadata-bomb.keras", "metadata.json", zipped({"metadata.json": metadata(x="y" * 2_000_000)})),
    reported("zip-version-hostile.keras", zipped({"metadata.json": metadata(keras_version=SCRIPT + "v" * 9000)}, 103)),
    reported("zip-date-hostile.keras", zipped({"metadata.json": metadata(date_saved=SCRIPT + "d" * 9000)}, 104)),
    reported("zip-version-an-object.keras", zipped({"metadata.json": metadata(keras_version={"a": [1]})}, 105)),
    refused("zip-weights-text.keras", "damaged", zipped({"model.weights.h5": b"hello" * 100})),
)  # fmt: skip
