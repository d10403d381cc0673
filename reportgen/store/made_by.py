"""The software that makes things, as parts of keys: versions, and sums of this package's own code."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from reportgen.templating import resource_folder
from reportgen.versions import installed, versions

MEASURING = ("tensorflow", "keras", "numpy", "scipy", "photutils", "h5py")
"""Packages that what is measured depends on."""
READING = ("numpy", "pillow", "astropy", "scipy", "h5py")
"""Packages that prepared probes depend on."""
ROOMS = {
    "measuring": ("checkpoints", "diagnostics", "extraction", "isolation", "network", "probes"),
    "reading": ("probes",),
}
"""Rooms of this package whose code that is."""


def makers(of: str) -> dict[str, str]:
    """Return the versions that `of` (measuring, reading, or drawing a whole report) depends on, as parts of a key.

    The code counts beside the version: whoever works on a clone does not raise it with each change.
    """
    here = Path(__file__).parents[1]
    if of == "drawing":
        parts = dict(versions()) | {"templates": _sum((resource_folder("templates"),))}
        return {f"version {name}": value for name, value in (parts | {"reportgen's code": _sum((here,))}).items()}
    packages = MEASURING if of == "measuring" else READING
    code = _sum(tuple(here / room for room in ROOMS[of]))
    parts = {"reportgen": versions()["reportgen"], **{p: installed(p) for p in packages}, "reportgen's code": code}
    return {f"version {name}": value for name, value in parts.items()}


@functools.cache
def _sum(folders: Sequence[Path]) -> str:
    """Return the sha256 of the files below some folders, by name and content."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".pyc"):
                digest.update(f"{path.relative_to(folder)}\n".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
