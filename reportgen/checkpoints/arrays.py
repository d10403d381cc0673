"""The arrays of HDF5 files, judged by their headers before they are read."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.hdf5 import Node, find_id
from reportgen.checkpoints.limits import MIB, RATIO_LIMIT, TENSOR_LIMIT, room, size
from reportgen.checkpoints.packed import check_chunks
from reportgen.errors import CheckpointError

ALIGNMENT = 64
"""[byte]"""


def read_arrays(file: Node, paths: Sequence[str], *, bfloat16: Collection[str] = ()) -> list[NDArray[np.generic]]:
    """Return the arrays at `paths`, all of them judged by their headers before the first is read.

    Two opaque bytes are bfloat16 where the array itself says so, or its path is in `bfloat16`.
    """
    opened: dict[str, Node] = {}
    found = [(path, find_id(file.id, path, opened)) for path in paths]
    declared = [_declared(path, dataset, short=path in bfloat16) for path, dataset in found]
    total = sum(math.prod(shape) * dtype.itemsize for shape, dtype in declared)
    stored = int(file.file.id.get_filesize())
    if total > room(stored):
        raise CheckpointError(
            f"the arrays take {size(total)} and the file that holds them has {size(stored)}",
            expected=f"at most {size(room(stored))}",
        )
    return [_values(dataset, *kind) for (_, dataset), kind in zip(found, declared, strict=True)]


def _declared(path: str, dataset: Node, *, short: bool) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of a dataset as its header says them; refuse what must not be read."""
    import h5py

    if not isinstance(dataset, h5py.h5d.DatasetID):
        raise CheckpointError(f"no array at {path}", expected="an array there, as the file's own list says")
    plan = dataset.get_create_plist()
    layout = plan.get_layout()
    if plan.get_external_count() or layout == h5py.h5d.VIRTUAL:
        raise CheckpointError(
            f"the numbers of {path} lie in another file",
            expected="arrays stored in the file itself",
            advice="Files of weights hold no external storage; do not trust this one.",
        )
    dtype = dataset.dtype
    if _is_bfloat16(dtype) and not short and h5py.Dataset(dataset).attrs.get("dtype") not in {"bfloat16", b"bfloat16"}:
        raise CheckpointError(
            f"{path} holds two bytes a number, and nothing says of what kind",
            expected="an architecture that says bfloat16 beside it",
            received=str(dtype),
        )
    if dtype.kind not in "fiub" and not _is_bfloat16(dtype):
        raise CheckpointError(f"{path} holds no plain numbers", expected="float, integer or bool", received=str(dtype))
    shape: tuple[int, ...] = dataset.shape
    if not shape and dataset.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        raise CheckpointError(f"{path} is an empty dataspace", expected="an array")
    declared = math.prod(shape) * dtype.itemsize
    stored = dataset.get_storage_size()
    if declared > TENSOR_LIMIT or (declared > MIB and declared > RATIO_LIMIT * stored):
        raise CheckpointError(
            f"{path} declares {size(declared)} and stores {size(stored)}",
            expected=f"at most {size(TENSOR_LIMIT)}, and {RATIO_LIMIT} times what is stored",
        )
    if layout == h5py.h5d.CHUNKED:
        check_chunks(path, h5py.Dataset(dataset))
    return shape, dtype


def _values(dataset: Node, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[np.generic]:
    """Return a dataset's numbers where TensorFlow can use them as they lie; bfloat16, which NumPy lacks, as float32."""
    import h5py

    length = math.prod(shape) * dtype.itemsize
    memory = np.empty(length + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    values = memory[first : first + length].view(dtype).reshape(shape)
    if values.size:
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return widened(values.view("<u2")) if _is_bfloat16(dtype) else values


def widened(halves: NDArray[np.uint16]) -> NDArray[np.generic]:
    """Return the float32 numbers whose upper halves these are: bfloat16 is the same number without its lower half."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is the two opaque bytes Keras stores bfloat16 as."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None
