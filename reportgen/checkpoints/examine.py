"""What an entry of a run folder is: opened, recognised, hashed; each in one go, in whatever process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.formats import FOREIGN, head_of, parts_of, recognise
from reportgen.checkpoints.kinds import refusal
from reportgen.checkpoints.limits import FILE_LIMIT, regular, size
from reportgen.checkpoints.walk import Found
from reportgen.checkpoints.wording import in_words
from reportgen.errors import CheckpointError, ReportgenError


class Call(Protocol):
    """How functions that open a user's file are called: here, or in a process that may die of it."""

    def __call__(self, function: Callable[..., Any], *args: object, size: int = 0) -> Any:
        """Return `function(*args)`, which reads a file of `size` [byte]."""
        ...


def here(function: Callable[..., Any], *args: object, size: int = 0) -> Any:
    """Call a function in this process."""
    return function(*args)


@dataclass(frozen=True)
class Examined:
    """What is known of an entry before it is read."""

    format: str | None
    """A key of FORMATS; None for something else than a checkpoint."""
    problem: ReportgenError | None = None
    """Why it cannot be used, where it was meant to be a checkpoint."""
    size: int = 0
    """Of all its files [byte]."""
    sha256: str = ""
    parts: tuple[str, ...] = ()
    """Other files that belong to it and are no checkpoints of their own; paths."""
    modified: int = 0
    """When the newest of its files was changed [ns]."""
    steps: int | None = None
    """Training steps its optimiser counted."""


def examine(found: Found, root: Path) -> Examined:
    """Return what an entry is; the errors of its format are in the answer."""
    try:
        if found.kind == "link":
            target = Path(os.path.realpath(found.path))
            if target.is_relative_to(os.path.realpath(root)) and target.exists():
                return Examined(None)  # what it points at is here too
        if found.kind not in ("file", "model folder") or (found.kind == "file" and not found.size):
            return Examined(None, refusal(found, b""))
        head = head_of(found.path)
        key = recognise(found.path, head)
        if key is None:
            return Examined(None, refusal(found, head))
        parts = parts_of(found.path, key)
        total = sum(regular(part) for part in parts)
        if total > FILE_LIMIT:  # hashing it would take minutes, to refuse it when it is read
            raise CheckpointError(
                f"the checkpoint has {size(total)}", expected=f"at most {size(FILE_LIMIT)}",
                advice="Save the weights without the optimiser's state, or leave it out with run.checkpoints.",
            )  # fmt: skip
        modified = last_change(parts)
        return Examined(
            key, None, total, _digest(parts, found.path), tuple(str(part) for part in parts if part != found.path),
            modified, iterations(found.path, key),
        )  # fmt: skip
    except CheckpointError as error:
        return Examined(None, error)
    except FOREIGN as error:
        return Examined(None, CheckpointError(
            "cannot be opened", received=in_words(error), advice="Copy it again, or leave it out with run.checkpoints."
        ))  # fmt: skip


def last_change(parts: Sequence[Path]) -> int:
    """Return when the newest of some files was changed [ns]."""
    return max(part.stat().st_mtime_ns for part in parts)


def _digest(parts: Sequence[Path], path: Path) -> str:
    """Return the sha256 of a file; of several, that of their names and sums."""
    sums = []
    for part in parts:
        with part.open("rb") as file:
            sums.append((part.name if part.parent == path.parent else str(part.relative_to(path)),
                         hashlib.file_digest(file, "sha256").hexdigest()))  # fmt: skip
    if len(sums) == 1 and parts[0] == path:
        return sums[0][1]
    return hashlib.sha256(
        "".join(f"{digest}  {name}\n" for name, digest in sums).encode("utf-8", "surrogateescape")
    ).hexdigest()
