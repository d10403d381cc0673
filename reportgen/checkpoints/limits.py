"""What is too large, too deep, or points out of its file is refused before it is read."""

from __future__ import annotations

import json
import logging
import math
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.packed import check_chunks
from reportgen.checkpoints.text import all_storable
from reportgen.checkpoints.wording import in_words
from reportgen.errors import CheckpointError

log = logging.getLogger(__name__)

MIB, GIB = 2**20, 2**30
FILE_LIMIT = 4 * GIB
CONFIG_LIMIT = 16 * MIB
JSON_DEPTH, JSON_VALUES = 200, 2_000_000
"""Of any JSON text: what is parsed takes up to thirty times the memory of the text."""
METADATA_LIMIT = MIB
TENSOR_LIMIT = 2 * GIB
TOTAL_LIMIT = 6 * GIB
RATIO_LIMIT = 100
"""Declared size over stored size; not looked at below 1 MiB."""
ROOM, SWELL = 256 * MIB, 4
"""Arrays take at most ROOM, or SWELL times their file: weights hardly shrink when they are packed."""
MEMBER_ROOM, MEMBER_SWELL = 64 * MIB, 10
"""The same for a member of a zip file."""
MEMBER_LIMIT, DIRECTORY_LIMIT = 10_000, 4 * MIB
DEPTH_LIMIT = 24

Json = Any
"""A value out of a JSON text: nothing is known of it yet."""
Node = Any
"""An HDF5 file, group or dataset; h5py has no types of its own."""


def is_hdf5(head: bytes) -> bool:
    """Return whether a file with these first bytes is HDF5, perhaps behind a block of the user's own."""
    return any(head.startswith(b"\x89HDF\r\n\x1a\n", place) for place in (0, 512, 1024, 2048))


def size(number: int) -> str:
    """Return a number of bytes in words: 3.4 MiB."""
    if number >= 2**70:
        return "far more than any disk holds"
    for unit, step in (("GiB", GIB), ("MiB", MIB), ("KiB", 1024)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} byte"


def regular(path: Path) -> int:
    """Return the size of a regular file [byte]; refuse links, pipes and devices before they are opened."""
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        raise CheckpointError(
            f"{path.name} is {'a link' if stat.S_ISLNK(about.st_mode) else 'no regular file'}",
            expected="a file of its own",
            advice="Copy the file itself to where the link is.",
        )
    return about.st_size


@contextmanager
def open_hdf5(source: Path | IO[bytes]) -> Iterator[Node]:
    """Open an HDF5 file for reading, and say what is wrong where that fails.

    Raises CheckpointError for a file that is truncated, damaged, or open in the process that writes it.
    """
    import h5py

    try:
        file = h5py.File(source, "r")
    except (OSError, ValueError, RuntimeError) as error:
        log.debug("%s: %s", source, error)
        text = str(error)
        problem, advice = "damaged HDF5 file", "Copy it again, or leave it out with run.checkpoints."
        if "truncated" in text:
            problem, advice = "truncated HDF5 file", "Wait until it is written, or copy it again."
        elif "open for write" in text or "lock file" in text:
            problem, advice = "the file is still being written", "Run again when training has closed it."
        raise CheckpointError(problem, expected="a whole HDF5 file", received=in_words(error), advice=advice) from error
    with file:
        try:
            yield file
        except (OSError, RuntimeError) as error:  # h5py, somewhere inside
            log.debug("%s: %s", source, error)
            raise CheckpointError(
                "damaged HDF5 file", expected="a whole HDF5 file", received=in_words(error),
                advice="Copy it again, or leave it out with run.checkpoints.",
            ) from error  # fmt: skip


def find_hdf5(file: Node, path: str) -> Node:
    """Return the group or dataset at `path`, or None; only hard links inside the file are followed."""
    import h5py

    parts = [part for part in path.split("/") if part]
    if len(parts) > DEPTH_LIMIT:
        raise CheckpointError(f"a group lies {len(parts)} deep", expected=f"at most {DEPTH_LIMIT} levels")
    found = file
    for part in parts:
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise CheckpointError(
                f"{path} points to another place by a {type(link).__name__}",
                expected="arrays stored in the file itself",
                advice="Files of weights hold no links; do not trust this one.",
            )
        found = found[part]
    return found


def is_group(found: Node) -> TypeGuard[Node]:
    """Return whether `found` is an HDF5 group."""
    import h5py

    return isinstance(found, h5py.Group)


def address(group: Node) -> int:
    """Return where a group lies in its file; two links to one group have the same."""
    import h5py

    found: int = h5py.h5o.get_info(group.id).addr
    return found


def read_arrays(file: Node, paths: Sequence[str]) -> list[NDArray[np.generic]]:
    """Return the arrays at `paths`, all of them judged by their headers before the first is read."""
    found = [(path, find_hdf5(file, path)) for path in paths]
    total = sum(_declared(path, dataset) for path, dataset in found)
    stored = int(file.file.id.get_filesize())
    if total > min(TOTAL_LIMIT, max(ROOM, SWELL * stored)):
        raise CheckpointError(
            f"the arrays take {size(total)} and the file that holds them has {size(stored)}",
            expected=f"at most {size(min(TOTAL_LIMIT, max(ROOM, SWELL * stored)))}",
        )
    for path, dataset in found:
        check_chunks(path, dataset)
    return [_values(dataset) for _, dataset in found]


def _declared(path: str, dataset: Node) -> int:
    """Return the size of a dataset [byte] as its header says it; refuse what must not be read."""
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise CheckpointError(f"no array at {path}", expected="an array there, as the file's own list says")
    if dataset.external or dataset.is_virtual:
        raise CheckpointError(
            f"the numbers of {path} lie in another file",
            expected="arrays stored in the file itself",
            advice="Files of weights hold no external storage; do not trust this one.",
        )
    dtype = dataset.dtype
    if dtype.kind not in "fiub" and not _is_bfloat16(dtype):
        raise CheckpointError(f"{path} holds no plain numbers", expected="float, integer or bool", received=str(dtype))
    if dataset.shape is None:
        raise CheckpointError(f"{path} is an empty dataspace", expected="an array")
    declared: int = math.prod(dataset.shape) * dtype.itemsize
    stored = dataset.id.get_storage_size()
    if declared > TENSOR_LIMIT or (declared > MIB and declared > RATIO_LIMIT * stored):
        raise CheckpointError(
            f"{path} declares {size(declared)} and stores {size(stored)}",
            expected=f"at most {size(TENSOR_LIMIT)}, and {RATIO_LIMIT} times what is stored",
        )
    return declared


def _values(dataset: Node) -> NDArray[np.generic]:
    """Return a dataset's numbers; bfloat16, which NumPy does not know, as float32."""
    if not _is_bfloat16(dataset.dtype):
        return np.asarray(dataset[()])
    halves = np.frombuffer(np.ascontiguousarray(dataset[()]).tobytes(), dtype="<u2")
    widened: NDArray[np.generic] = (halves.astype(np.uint32) << 16).view(np.float32).reshape(dataset.shape)
    return widened


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is the two opaque bytes Keras stores bfloat16 as."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None


def check_directory(path: Path) -> None:
    """Raise CheckpointError where a zip file's list of members is too long to be read; zipfile reads it whole."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        start = file.seek(max(0, end - 2**16 - 98))
        tail = file.read()
        place = tail.rfind(b"PK\x05\x06")
        length = struct.unpack_from("<I", tail, place + 12)[0] if 0 <= place <= len(tail) - 22 else 0
        wide = tail.rfind(b"PK\x06\x06", 0, max(place, 0))
        if wide >= 0 and start + wide + 56 <= end:
            length = max(length if length < 2**32 - 1 else 0, struct.unpack_from("<Q", tail, wide + 40)[0])
    if min(length, end) > DIRECTORY_LIMIT:
        raise CheckpointError(
            f"the zip file's list of members takes {size(min(length, end))}",
            expected=f"at most {size(DIRECTORY_LIMIT)}",
        )


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are named once each."""
    try:
        check_directory(path)
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, struct.error) as error:
        raise CheckpointError(
            "truncated or damaged zip file",
            expected="a whole .keras file",
            received=in_words(error),
            advice="Wait until it is written, or copy it again.",
        ) from error
    with archive:
        if len(archive.filelist) > MEMBER_LIMIT:
            raise CheckpointError(
                f"the zip file has {len(archive.filelist):,} members", expected=f"at most {MEMBER_LIMIT:,}"
            )
        name, times = max(Counter(archive.namelist()).items(), key=lambda item: item[1], default=("", 0))
        if times > 1:
            raise CheckpointError(
                f"the zip file holds {name} {times} times",
                expected="each member once",
                advice="Keras writes no such file; do not trust this one.",
            )
        yield archive


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return one member of a zip file of at most `limit` bytes, judged by its header first."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise CheckpointError(f"the zip file has no {name}", received=", ".join(archive.namelist()[:8])) from None
    if info.flag_bits & 1:
        raise CheckpointError(f"{name} is encrypted", expected="a .keras file as Keras writes it")
    swollen = info.file_size > max(MEMBER_ROOM, MEMBER_SWELL * info.compress_size)
    if info.file_size > limit or swollen or info.file_size > max(MIB, RATIO_LIMIT * info.compress_size):
        raise CheckpointError(
            f"{name} unpacks to {size(info.file_size)} from {size(info.compress_size)}",
            expected=f"at most {size(limit)}, and {RATIO_LIMIT} times what is stored",
        )
    try:
        with archive.open(info) as member:
            data = member.read(info.file_size + 1)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{name} in the zip file is damaged", received=in_words(error)) from error
    if len(data) != info.file_size:
        raise CheckpointError(
            f"{name} has not the size its header says", expected=size(info.file_size), received=size(len(data))
        )
    return data


def parse_json(data: bytes | str, what: str, limit: int) -> Json:
    """Return the value of a JSON text of at most `limit` bytes."""
    if len(data) > limit:
        raise CheckpointError(f"{what} is {size(len(data))} long", expected=f"at most {size(limit)}")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        if text.count(",") + text.count(":") > JSON_VALUES:
            raise CheckpointError(f"{what} holds far too many values", expected=f"at most {JSON_VALUES:,}")
        value = json.loads(text)
    except RecursionError:
        raise CheckpointError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise CheckpointError(
            f"{what} is no JSON", expected="JSON text as Keras writes it", received=str(error)
        ) from error
    layer, depth = [value], 0
    while layer := [item for held in layer for item in _held(held)]:
        depth += 1
        if depth > JSON_DEPTH:
            raise CheckpointError(f"{what} is nested too deeply", expected=f"at most {JSON_DEPTH} levels")
    odd = any(escape in text for escape in ("\\u0000", "\\ud", "\\uD", "\0"))
    return all_storable(value) if odd else value


def _held(value: Json) -> Iterable[Json]:
    """Return the lists and objects a JSON value holds."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]
