"""HDF5 files, opened so that every way in which they can be damaged ends in words; only hard links are followed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeGuard

from reportgen.checkpoints.wording import in_words
from reportgen.errors import CheckpointError

log = logging.getLogger(__name__)

DEPTH_LIMIT = 24

_LINKS = {1: "a SoftLink", 64: "an ExternalLink"}
"""HDF5's number of a kind of link → its name in h5py."""

Node = Any
"""An HDF5 file, group or dataset; h5py has no types of its own."""


def is_hdf5(head: bytes) -> bool:
    """Return whether a file with these first bytes is HDF5, perhaps behind a block of the user's own."""
    return any(head.startswith(b"\x89HDF\r\n\x1a\n", place) for place in (0, 512, 1024, 2048))


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

    if not is_group(file):
        return None if path.strip("/") else file
    found = find_id(file.id, path, {})
    kinds = {h5py.h5g.GroupID: h5py.Group, h5py.h5d.DatasetID: h5py.Dataset, h5py.h5t.TypeID: h5py.Datatype}
    return next((make(found) for kind, make in kinds.items() if isinstance(found, kind)), None)


def find_id(group: Node, path: str, opened: dict[str, Node]) -> Node:
    """Return what lies at `path` below a group, all by HDF5's own identifiers, or None.

    An object of h5py's for each step costs more than to read most arrays. `opened` keeps the groups on the way for
    the next path.
    """
    import h5py

    parts = [part for part in path.split("/") if part]
    if len(parts) > DEPTH_LIMIT:
        raise CheckpointError(f"a group lies {len(parts)} deep", expected=f"at most {DEPTH_LIMIT} levels")
    found, here = group, ""
    for part in parts:
        here += f"/{part}"
        if here in opened:
            found = opened[here]
            continue
        name = part.encode("utf-8", "surrogateescape")
        if not isinstance(found, h5py.h5g.GroupID) or not found.links.exists(name):
            return None
        kind = found.links.get_info(name).type
        if kind != h5py.h5l.TYPE_HARD:
            raise CheckpointError(
                f"{path} points to another place by {_LINKS.get(kind, 'a link of its own kind')}",
                expected="arrays stored in the file itself",
                advice="Files of weights hold no links; do not trust this one.",
            )
        found = h5py.h5o.open(found, name)
        if isinstance(found, h5py.h5g.GroupID):
            opened[here] = found
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
