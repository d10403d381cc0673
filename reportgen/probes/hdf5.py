"""HDF5 files of many images, such as Galaxy10's `images` and `ans`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.config import ProbesConfig
from reportgen.errors import ProbeError
from reportgen.probes.raw import RawImage, stem
from reportgen.probes.stacks import read_stack


def read(path: Path, name: str, config: ProbesConfig) -> Iterator[RawImage | ProbeError]:
    """Yield the images of an HDF5 file; only the rows that are asked for are read."""
    import h5py

    with h5py.File(path, "r") as file:
        datasets: dict[str, Any] = {}

        def collect(key: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                datasets[key] = item

        file.visititems(collect)
        yield from read_stack(datasets, name, stem(path), config)
