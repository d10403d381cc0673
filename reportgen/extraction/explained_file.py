"""Attributions and stress in a checkpoint's HDF5 file: a group each, that older files lack."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from reportgen.extraction.explained import Attribution, Stress

Kind = TypeVar("Kind", Attribution, Stress)


def write_group(file: h5py.File, name: str, value: Attribution | Stress) -> None:
    """Write a dataclass of arrays, dicts of arrays, numbers and words as one group."""
    group = file.create_group(name)
    plain = {}
    for part in fields(value):
        content = getattr(value, part.name)
        if isinstance(content, np.ndarray):
            _array(group, part.name, content)
        elif isinstance(content, dict) and any(isinstance(v, np.ndarray) for v in content.values()):
            for key, array in content.items():
                _array(group, f"{part.name}/{key}", array)
        else:
            plain[part.name] = content
    group.attrs["plain"] = json.dumps(plain, sort_keys=True)


def read_group(file: h5py.File, name: str, kind: type[Kind]) -> Kind | None:
    """Return what `write_group` wrote; None where the file has no such group."""
    if name not in file:
        return None
    group = file[name]
    known = {part.name for part in fields(kind)}
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in json.loads(group.attrs["plain"]).items()
    }
    for key, item in group.items():
        values[key] = {k: v[()] for k, v in item.items()} if isinstance(item, h5py.Group) else item[()]
    return kind(**{key: value for key, value in values.items() if key in known})


def _array(group: h5py.Group, name: str, values: NDArray[Any]) -> None:
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if values.size > 64 else {}
    group.create_dataset(name, data=values, **packed)
