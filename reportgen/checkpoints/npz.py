"""The arrays of an npz as Keras writes weights into it: a dictionary of arrays for each group, pickled."""

from __future__ import annotations

import ast
import io

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.limits import FILE_LIMIT, room, size
from reportgen.checkpoints.pickled import arrays_in
from reportgen.checkpoints.zip_files import open_zip, read_member
from reportgen.errors import CheckpointError

_MAGIC = b"\x93NUMPY"
_HEADER_LIMIT = 10_000


def read_npz(data: bytes) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Return group → name → array; what is pickled is read by symbol, and nothing in it is ever run."""
    found: dict[str, dict[str, NDArray[np.generic]]] = {}
    total = 0
    with open_zip(io.BytesIO(data), "npz of weights", "a whole npz as Keras writes it") as archive:
        for name in archive.namelist():
            held = _group(read_member(archive, name, FILE_LIMIT), name)
            total += sum(array.nbytes for array in held.values())
            if total > room(len(data)):
                raise CheckpointError(
                    f"the arrays take {size(total)} or more and the npz that holds them has {size(len(data))}",
                    expected=f"at most {size(room(len(data)))}",
                )
            group = name.removesuffix(".npy")
            found["" if group == "__root__" else group] = held
    return found


def _group(data: bytes, name: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays in one member: an npy of one object, which is a dictionary."""
    if not data.startswith(_MAGIC) or len(data) < 12:
        raise CheckpointError(f"{name} is no npy", expected="arrays as Keras writes them")
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    if length > _HEADER_LIMIT:
        raise CheckpointError(f"the header of {name} is {size(length)} long", expected=f"at most {_HEADER_LIMIT} byte")
    try:
        header = ast.literal_eval(data[8 + width : 8 + width + length].decode("latin-1").strip())
        one_object = header["shape"] == () and header["descr"] in {"|O", "O"}
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        raise CheckpointError(f"the header of {name} is damaged", received=str(error)) from error
    if not one_object:
        raise CheckpointError(
            f"{name} holds {header['descr']} of shape {header['shape']}",
            expected="one dictionary of arrays, as Keras writes a layer",
        )
    return arrays_in(data[8 + width + length :], name)
