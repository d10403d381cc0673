"""What a bug report needs to say about the machine."""

from __future__ import annotations

import platform
from ctypes.util import find_library

from reportgen import __version__
from reportgen.versions import installed

PACKAGES = (
    "keras", "tensorflow", "numpy", "h5py", "scipy", "scikit-image", "astropy", "matplotlib", "pillow",
    "weasyprint", "jinja2", "pydantic", "pyyaml", "click", "rich",
)  # fmt: skip
LIBRARIES = {"pango": "pango-1.0", "pangoft2": "pangoft2-1.0", "harfbuzz-subset": "harfbuzz-subset"}
"""Shared libraries that WeasyPrint needs and pip does not install."""


def versions() -> dict[str, str]:
    """Return the version of everything that matters, without importing it."""
    found = {"reportgen": __version__, "python": platform.python_version(), "platform": platform.platform()}
    found |= {name: installed(name) for name in PACKAGES}
    return found | {name: find_library(soname) or "not found" for name, soname in LIBRARIES.items()}
