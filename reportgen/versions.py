"""What made a report: versions of the software and the state of the user's repository."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reportgen import __version__
from reportgen.config.load import Loaded

PACKAGES = (
    "tensorflow", "keras", "numpy", "scipy", "h5py", "matplotlib", "astropy", "photutils", "statmorph", "pillow",
    "jinja2", "weasyprint",
)  # fmt: skip
"""What a report's numbers and pictures depend on."""


def provenance(loaded: Loaded) -> dict[str, Any]:
    """Return command, versions, and commit of the repository the configuration lies in.

    Nothing in it depends on the clock, the user or the folder: the same input gives the same bytes.
    """
    commit, dirty = git_state(loaded.base)
    return {
        "command": f"reportgen run {loaded.file.name}",
        "versions": versions(),
        "commit": commit,
        "dirty": dirty,
    }


def versions() -> dict[str, str]:
    """Return the version of Python, of reportgen and of every package that matters."""
    found = {"reportgen": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        found[package] = installed(package)
    return found


def installed(package: str) -> str:
    """Return the version of a package, or "not installed"; TensorFlow comes under two names."""
    for name, note in ((package, ""), (f"{package}-cpu", " (cpu)")):
        try:
            return version(name) + note
        except PackageNotFoundError:
            continue
    return "not installed"


def git_state(folder: Path) -> tuple[str, bool]:
    """Return the commit of the repository a folder lies in, and whether anything tracked was changed since."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                ["git", "-C", str(folder), *words],  # noqa: S607 - the user's own git
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "HEAD") or ""
    return commit, bool(commit and git("status", "--porcelain", "--untracked-files=no"))
