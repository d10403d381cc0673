"""NumPy's .npy and .npz; nothing pickled is ever opened."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reportgen.config import ProbesConfig
from reportgen.errors import ProbeError
from reportgen.probes.raw import RawImage, stem
from reportgen.probes.stacks import read_stack

LARGEST_ARCHIVE = 2**32
"""[byte] in all arrays of a .npz together, unpacked."""


def read_npy(path: Path, name: str, config: ProbesConfig) -> Iterator[RawImage | ProbeError]:
    """Yield the images of a .npy file."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise _unloadable(error, name) from error
    yield from read_stack({"": array}, name, stem(path), config)


def read_npz(path: Path, name: str, config: ProbesConfig) -> Iterator[RawImage | ProbeError]:
    """Yield the images of a .npz file."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    size = sum(member.file_size for member in members)
    if not members or size > LARGEST_ARCHIVE:
        raise ProbeError(
            "This ZIP file holds no NumPy array" if not members else "The arrays are too large for probes",
            where=name,
            expected=f"at most {LARGEST_ARCHIVE:,} bytes of .npy arrays",
            received=f"{size:,} bytes",
        )
    with np.load(path, allow_pickle=False) as archive:
        arrays, refused = {}, {}
        for key in archive.files:
            try:
                arrays[key] = archive[key]
            except ValueError as error:
                refused[key] = error
    # A pickled array beside the images does no harm; in their place it does.
    for key in [config.arrays.images or "images"] if arrays else list(refused):
        if key in refused:
            raise _unloadable(refused[key], name)
    yield from read_stack(arrays, name, stem(path), config)


def _unloadable(error: ValueError, name: str) -> ProbeError:
    pickled = "pickle" in str(error) or "Python objects" in str(error)
    return ProbeError(
        "The array holds pickled Python objects, which are not opened" if pickled else f"Cannot be read: {error}",
        where=name,
        expected="an array of plain numbers",
        received="dtype object" if pickled else "",
        advice="Store the images as one array of numbers, all of one size." if pickled else "",
    )
