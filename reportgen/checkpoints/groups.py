"""Arrays in groups, as `.weights.h5` keeps them: in one HDF5 file, in several parts of one, or in an npz."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.arrays import read_arrays
from reportgen.checkpoints.hdf5 import Node, address, find_hdf5, is_group
from reportgen.checkpoints.text import storable
from reportgen.errors import CheckpointError

Array = NDArray[np.generic]

NAME_LIMIT = 10_000
"""Characters of a name in an attribute; a longer one is none."""


class Groups(Protocol):
    """A tree of groups; paths are joined by slashes, the root is empty."""

    def children(self, path: str) -> list[str] | None:
        """Return the names in a group, or None where there is none."""

    def label(self, path: str) -> str:
        """Return the name that is written on a group of arrays; empty where none is."""

    def identity(self, path: str) -> Hashable:
        """Return what two paths to one group have in common."""

    def arrays(self, paths: Sequence[str], bfloat16: Collection[str] = ()) -> list[Array]:
        """Return arrays, all of them judged before the first is read; opaque ones in `bfloat16` are that."""


@dataclass(frozen=True)
class Hdf5Groups:
    """The groups of an open HDF5 file."""

    file: Node

    def children(self, path: str) -> list[str] | None:
        """Return the names in a group, in the order of the file."""
        found = find_hdf5(self.file, path)
        return list(found) if is_group(found) else None

    def label(self, path: str) -> str:
        """Return the attribute `name`, which Keras 3 writes."""
        found = find_hdf5(self.file, path)
        name = found.attrs.get("name") if is_group(found) else None
        return storable(name) if isinstance(name, str) and len(name) <= NAME_LIMIT else ""

    def identity(self, path: str) -> Hashable:
        """Return where the group lies in the file."""
        return address(find_hdf5(self.file, path))

    def arrays(self, paths: Sequence[str], bfloat16: Collection[str] = ()) -> list[Array]:
        """Return datasets."""
        return read_arrays(self.file, paths, bfloat16=bfloat16)


@dataclass(frozen=True)
class JoinedGroups:
    """Files that together hold what one file could have held."""

    parts: Mapping[str, Hdf5Groups]
    """By the name of the file."""

    def children(self, path: str) -> list[str] | None:
        """Return the names in a group, of all parts together."""
        found = [names for part in self.parts.values() if (names := part.children(path)) is not None]
        return list(dict.fromkeys(name for names in found for name in names)) if found else None

    def label(self, path: str) -> str:
        """Return the label in the first part that has one."""
        return next((label for part in self.parts.values() if (label := part.label(path))), "")

    def identity(self, path: str) -> Hashable:
        """Return the place in each of the parts."""
        return tuple(
            None if part.children(path) is None else part.identity(path) for part in self.parts.values()
        )  # fmt: skip

    def arrays(self, paths: Sequence[str], bfloat16: Collection[str] = ()) -> list[Array]:
        """Return arrays, each out of the part it lies in; raises CheckpointError where two parts have it."""
        owners: dict[str, list[str]] = {name: [] for name in self.parts}
        for path in paths:
            having = [name for name, part in self.parts.items() if find_hdf5(part.file, path) is not None]
            if len(having) != 1:
                raise CheckpointError(
                    f"{path} is in {' and in '.join(having) or 'no part'}", expected="each array in one part"
                )
            owners[having[0]].append(path)
        found: dict[str, Array] = {}
        for name, owned in owners.items():
            found.update(zip(owned, self.parts[name].arrays(owned, bfloat16), strict=True))
        return [found[path] for path in paths]


class ArrayGroups:
    """Arrays in memory, by group: what an npz holds."""

    def __init__(self, arrays: Mapping[str, Mapping[str, Array]]) -> None:
        self.found = {
            f"{group}/vars/{name}".lstrip("/"): a for group, held in arrays.items() for name, a in held.items()
        }
        self.tree: dict[str, dict[str, None]] = {"": {}}
        for group in arrays:
            self._add(f"{group}/vars".lstrip("/"))
        for path in self.found:
            self._add(path)

    def _add(self, path: str) -> None:
        """Note a path and all above it."""
        above, _, name = path.rpartition("/")
        if above not in self.tree:
            self._add(above)
        self.tree[above][name] = None
        if path not in self.found:
            self.tree.setdefault(path, {})

    def children(self, path: str) -> list[str] | None:
        """Return the names in a group."""
        names = self.tree.get(path.strip("/"))
        return None if names is None else list(names)

    def label(self, path: str) -> str:
        """Return nothing: an npz has no names of layers."""
        return ""

    def identity(self, path: str) -> Hashable:
        """Return the path: nothing here has two."""
        return path.strip("/")

    def arrays(self, paths: Sequence[str], bfloat16: Collection[str] = ()) -> list[Array]:
        """Return arrays."""
        return [self.found[path.strip("/")] for path in paths]
