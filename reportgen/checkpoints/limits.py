"""What is too large, too deep, or points out of its file is refused before it is read."""

from __future__ import annotations

import json
import math
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import CheckpointError

MIB, GIB = 2**20, 2**30
FILE_LIMIT = 4 * GIB
CONFIG_LIMIT = 64 * MIB
METADATA_LIMIT = MIB
TENSOR_LIMIT = 2 * GIB
TOTAL_LIMIT = 6 * GIB
RATIO_LIMIT = 100
"""Declared size over stored size; not looked at below 1 MiB."""
DEPTH_LIMIT = 24
JSON_DEPTH_LIMIT = 200
_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
"""A string of a JSON text; one that never ends takes the rest, so that the search never begins anew inside it."""
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
"""HDF5 filters that are part of the library itself; any other would load a plugin."""


Json = Any
"""A value out of a JSON text: nothing is known of it yet."""
Node = Any
"""An HDF5 file, group or dataset; h5py has no types of its own."""


def is_hdf5(head: bytes) -> bool:
    """Return whether a file with these first bytes is HDF5, perhaps behind a block of the user's own."""
    return any(head.startswith(b"\x89HDF\r\n\x1a\n", place) for place in (0, 512, 1024, 2048))


def size(number: int) -> str:
    """Return a number of bytes in words: 3.4 MiB."""
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
        text = str(error)
        problem, advice = "damaged HDF5 file", "Copy it again, or leave it out with run.checkpoints."
        if "truncated" in text:
            problem, advice = "truncated HDF5 file", "Wait until it is written, or copy it again."
        elif "open for write" in text or "lock file" in text:
            problem, advice = "the file is still being written", "Run again when training has closed it."
        raise CheckpointError(problem, expected="a whole HDF5 file", received=text, advice=advice) from error
    with file:
        yield file


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


def read_arrays(file: Node, paths: Sequence[str], *, bfloat16: Collection[str] = ()) -> list[NDArray[np.generic]]:
    """Return the arrays at `paths`, all of them judged by their headers before the first is read.

    Two opaque bytes are bfloat16 where the array itself says so, or its path is in `bfloat16`.
    """
    found = [(path, find_hdf5(file, path)) for path in paths]
    total = sum(_declared(path, dataset, short=path in bfloat16) for path, dataset in found)
    if total > TOTAL_LIMIT:
        raise CheckpointError(f"the arrays take {size(total)}", expected=f"at most {size(TOTAL_LIMIT)}")
    return [_values(dataset) for _, dataset in found]


def _declared(path: str, dataset: Node, *, short: bool) -> int:
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
    if _is_bfloat16(dtype) and not short and dataset.attrs.get("dtype") not in {"bfloat16", b"bfloat16"}:
        raise CheckpointError(
            f"{path} holds two bytes a number, and nothing says of what kind",
            expected="an architecture that says bfloat16 beside it",
            received=str(dtype),
        )
    if dtype.kind not in "fiub" and not _is_bfloat16(dtype):
        raise CheckpointError(f"{path} holds no plain numbers", expected="float, integer or bool", received=str(dtype))
    if dataset.shape is None:
        raise CheckpointError(f"{path} is an empty dataspace", expected="an array")
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if foreign := [number for number in filters if number not in FILTERS]:
        raise CheckpointError(f"{path} is compressed by filter {foreign[0]}", expected=", ".join(FILTERS.values()))
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
    return widened(halves).reshape(dataset.shape)


def widened(halves: NDArray[np.uint16]) -> NDArray[np.generic]:
    """Return the float32 numbers whose upper halves these are: bfloat16 is the same number without its lower half."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is the two opaque bytes Keras stores bfloat16 as."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are named once each."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise CheckpointError(
            "truncated or damaged zip file",
            expected="a whole .keras file",
            received=str(error),
            advice="Wait until it is written, or copy it again.",
        ) from error
    with archive:
        unique_members(archive)
        yield archive


def unique_members(archive: zipfile.ZipFile) -> None:
    """Raise CheckpointError where a zip file holds two members of one name."""
    name, times = max(Counter(archive.namelist()).items(), key=lambda item: item[1], default=("", 0))
    if times > 1:
        raise CheckpointError(
            f"the zip file holds {name} {times} times",
            expected="each member once",
            advice="Keras writes no such file; do not trust this one.",
        )


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return one member of a zip file of at most `limit` bytes, judged by its header first."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise CheckpointError(f"the zip file has no {name}", received=", ".join(archive.namelist()[:8])) from None
    if info.flag_bits & 1:
        raise CheckpointError(f"{name} is encrypted", expected="a .keras file as Keras writes it")
    if info.file_size > limit or info.file_size > max(MIB, RATIO_LIMIT * info.compress_size):
        raise CheckpointError(
            f"{name} unpacks to {size(info.file_size)} from {size(info.compress_size)}",
            expected=f"at most {size(limit)}, and {RATIO_LIMIT} times what is stored",
        )
    try:
        with archive.open(info) as member:
            data = member.read(limit + 1)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{name} in the zip file is damaged", received=str(error)) from error
    if len(data) > limit:
        raise CheckpointError(f"{name} is larger than its header says", expected=f"at most {size(limit)}")
    return data


def parse_json(data: bytes | str, what: str, limit: int) -> Json:
    """Return the value of a JSON text of at most `limit` bytes, its depth judged before it is parsed."""
    if len(data) > limit:
        raise CheckpointError(f"{what} is {size(len(data))} long", expected=f"at most {size(limit)}")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        if (depth := _depth(text)) > JSON_DEPTH_LIMIT:
            raise CheckpointError(
                f"{what} is nested too deeply", expected=f"at most {JSON_DEPTH_LIMIT} levels", received=str(depth)
            )
        return json.loads(text)
    except RecursionError:
        raise CheckpointError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise CheckpointError(
            f"{what} is no JSON", expected="JSON text as Keras writes it", received=str(error)
        ) from error


def _depth(text: str) -> int:
    """Return how deep the brackets of a JSON text are nested; those inside strings are none."""
    bare = _STRINGS.sub("", text).encode("utf-8", "replace")
    steps = np.frombuffer(bare, np.uint8)
    # The codes of brackets and braces differ in bit 0x20 alone.
    opened = ((steps | 0x20) == ord("{")).astype(np.int8) - ((steps | 0x20) == ord("}"))
    return int(np.cumsum(opened, dtype=np.int64).max(initial=0))
