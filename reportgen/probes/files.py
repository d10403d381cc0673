"""From files, folders and patterns in the configuration to paths."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from reportgen.config.suggest import did_you_mean
from reportgen.errors import ProbeError
from reportgen.places import name_of
from reportgen.probes.readers import recognise

SUFFIXES = {".png", ".jpg", ".jpeg", ".fits", ".fit", ".fts", ".fz", ".h5", ".hdf5", ".npy", ".npz"}
"""Names that promise an image: such a file that holds none is an error, not something to pass over."""


def find_files(patterns: Sequence[str], base: Path) -> list[Path | ProbeError]:
    """Return the files of each pattern in turn, sorted within a pattern, each once.

    A folder means the files in it. What is found by a folder or a pattern and is no image, by name or
    content, is passed over. An error stands for a pattern without files.
    """
    found: list[Path | ProbeError] = []
    seen: set[Path] = set()
    for pattern in patterns:
        paths = _expand(pattern, base)
        for path in paths:
            key = Path(os.path.abspath(path))  # noqa: PTH100 (follows no links: two names are two probes)
            if key not in seen:
                seen.add(key)
                found.append(path)
        if not paths:
            found.append(_nothing(pattern, base))
    return found


def _expand(pattern: str, base: Path) -> list[Path]:
    exact = base / Path(pattern).expanduser()
    if exact.is_file():
        return [exact]
    if exact.is_dir():
        candidates = [path for path in exact.iterdir() if not path.name.startswith(".")]
    else:
        matches = glob.glob(  # noqa: PTH207 (Path.glob takes no absolute pattern)
            str(Path(pattern).expanduser()), root_dir=base, recursive=True
        )
        candidates = [base / match for match in matches]
    return sorted(path for path in candidates if not path.is_dir() and _may_be_image(path))


def _may_be_image(path: Path) -> bool:
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    if name.suffix.lower() in SUFFIXES:
        return True
    try:
        return recognise(path) is not None
    except OSError:
        return False


def _nothing(pattern: str, base: Path) -> ProbeError:
    wanted = base / pattern
    nearby = [path.name for path in wanted.parent.iterdir()] if wanted.parent.is_dir() else []
    return ProbeError(
        "There is no such file" if not glob.has_magic(pattern) else "No image matches this pattern",
        where=pattern,
        expected="a file, a folder with images, or a pattern such as images/*.png",
        received="a folder without images" if wanted.is_dir() else f"nothing at {name_of(wanted, base)}",
        advice=did_you_mean(wanted.name, nearby),
    )
