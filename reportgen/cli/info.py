"""What a bug report needs to say about the machine."""

from __future__ import annotations

import platform
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, version

from reportgen import __version__

PACKAGES = (
    "keras", "tensorflow", "numpy", "h5py", "scipy", "scikit-image", "astropy", "matplotlib", "pillow",
    "weasyprint", "jinja2", "pydantic", "pyyaml", "click", "rich",
)  # fmt: skip
LIBRARIES = {"pango": "pango-1.0", "pangoft2": "pangoft2-1.0", "harfbuzz-subset": "harfbuzz-subset"}
"""Shared libraries that WeasyPrint needs and pip does not install."""


def versions() -> dict[str, str]:
    """Return the version of everything that matters, without importing it."""
    found = {"reportgen": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed" if name != "tensorflow" else _tensorflow()
    return found | {name: find_library(soname) or "not found" for name, soname in LIBRARIES.items()}


def _tensorflow() -> str:
    """Return the version of TensorFlow's other distribution, which is the same library without GPU code."""
    try:
        return f"{version('tensorflow-cpu')} (cpu)"
    except PackageNotFoundError:
        return "not installed"
