"""The arrays of HDF5 files, judged by their headers before they are read."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.hdf5 import Node, find_hdf5
from reportgen.checkpoints.limits import MIB, RATIO_LIMIT, TENSOR_LIMIT, room, size
from reportgen.checkpoints.packed import check_chunks
from reportgen.errors import CheckpointError


def read_arrays(file: Node, paths: Sequence[str], *, bfloat16: Collection[str] = ()) -> list[NDArray[np.generic]]:
    """Return the arrays at `paths`, all of them judged by their headers before the first is read.

    Two opaque bytes are bfloat16 where the array itself says so, or its path is in `bfloat16`.
    """
    found = [(path, find_hdf5(file, path)) for path in paths]
    total = sum(_declared(path, dataset, short=path in bfloat16) for path, dataset in found)
    stored = int(file.file.id.get_filesize())
    if total > room(stored):
        raise CheckpointError(
            f"the arrays take {size(total)} and the file that holds them has {size(stored)}",
            expected=f"at most {size(room(stored))}",
        )
    for path, dataset in found:
        check_chunks(path, dataset)
    return [_values(dataset) for _, dataset in found]


def _declared(path: str, dataset: Node, *, short: bool) -> int:
    """Return the size of a dataset [byte] as its header says it; refuse what must not be read."""
    import h5py

    if not isinstance(dataset, h5py.Dataset):
        raise CheckpointError(f"no array at {path}", expected="an array there, as the file's own list says")
    plan = dataset.id.get_create_plist()
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
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
    import h5py

    if not _is_bfloat16(dataset.dtype):
        values = np.empty(dataset.shape, dataset.dtype)
        if values.size:
            dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
        return values
    halves = np.frombuffer(np.ascontiguousarray(dataset[()]).tobytes(), dtype="<u2")
    return widened(halves).reshape(dataset.shape)


def widened(halves: NDArray[np.uint16]) -> NDArray[np.generic]:
    """Return the float32 numbers whose upper halves these are: bfloat16 is the same number without its lower half."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype is the two opaque bytes Keras stores bfloat16 as."""
    return dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None
