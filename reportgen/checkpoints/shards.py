"""Weights in several files: JSON that says where each group lies, and the parts beside it; Keras 3."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from reportgen.checkpoints.groups import Hdf5Groups, JoinedGroups
from reportgen.checkpoints.hdf5 import open_hdf5
from reportgen.checkpoints.json_text import parse_json
from reportgen.checkpoints.limits import CONFIG_LIMIT, FILE_LIMIT, TOTAL_LIMIT, size
from reportgen.checkpoints.members import read_regular
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.v3_weights import read_weights
from reportgen.errors import CheckpointError

PART_LIMIT = 1000
_PART = re.compile(r"[^/\\\0:]+\.weights\.h5")
"""The name of a file beside the JSON, and of nothing else."""


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a file is JSON that says which part holds which group."""
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head and b'.weights.h5"' in head


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return the weights of all parts; names are those of `config`, a borrowed architecture, where there is one."""
    with open_shards(path) as groups:
        return read_weights(groups, config)


def shards_of(path: Path) -> list[Path]:
    """Return the files a JSON of weights owns, in order; none of them need be there.

    Raises CheckpointError where the JSON is damaged or names anything but files beside it.
    """
    listed = parse_json(read_regular(path, CONFIG_LIMIT), path.name, CONFIG_LIMIT)
    weight_map = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(weight_map, dict):
        raise CheckpointError("the JSON maps no weights", where=path.name, expected="weight_map: group to files")
    names: dict[str, None] = {}
    for files in weight_map.values():
        for name in files if isinstance(files, list) else [files]:
            if not isinstance(name, str) or not _PART.fullmatch(name):
                raise CheckpointError(
                    "the JSON names a part that is no file beside it",
                    where=path.name,
                    expected="names such as model_00000.weights.h5, without folders",
                    received=repr(name)[:100],
                    advice="Keras writes no such file; do not trust this one.",
                )
            names[name] = None
    if not names or len(names) > PART_LIMIT:
        raise CheckpointError(f"the JSON names {len(names)} parts", where=path.name, expected=f"1 to {PART_LIMIT}")
    return [path.with_name(name) for name in sorted(names)]


def parts(path: Path) -> list[Path]:
    """Return the JSON and those of its parts that are there."""
    return [path, *(part for part in shards_of(path) if os.path.lexists(part))]


@contextmanager
def open_shards(path: Path) -> Iterator[JoinedGroups]:
    """Open all parts for reading; the file that is judged is the file that is read."""
    total = 0
    with ExitStack() as opened:
        parts = {}
        for part in shards_of(path):
            data = read_regular(part, FILE_LIMIT)
            total += len(data)
            if total > TOTAL_LIMIT:
                raise CheckpointError("the parts are too large together", expected=f"at most {size(TOTAL_LIMIT)}")
            parts[part.name] = Hdf5Groups(opened.enter_context(open_hdf5(io.BytesIO(data))))
        yield JoinedGroups(parts)
