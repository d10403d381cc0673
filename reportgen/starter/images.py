"""What the images say: where they are, their sizes, bands and numbers."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from reportgen.config import ProbesConfig
from reportgen.config.probes import FitsConfig
from reportgen.errors import ConfigError, ProbeError, ReportgenError
from reportgen.probes.files import SUFFIXES, find_files
from reportgen.probes.raw import RawImage
from reportgen.probes.readers import READERS, recognise

FILES, IMAGES = 12, 24
"""How many files, and images of one file, are looked into: a guess need not read a survey."""


@dataclass(frozen=True)
class Images:
    """A sample of the images."""

    patterns: tuple[str, ...]
    """As they go into the configuration."""
    files: tuple[Path, ...]
    """All of them."""
    shapes: tuple[tuple[int, int, int], ...]
    """`(y, x, band)` of the sample, the most frequent first."""
    bands: tuple[str, ...] | None = None
    """Their names, where the format knows them."""
    dtype: str = ""
    low: float = 0.0
    high: float = 0.0
    hdus: str = "bands"
    """How FITS files can be read: bands or galaxies."""
    labels: tuple[str, ...] = ()
    """Different labels inside the files, sorted."""
    targets: bool = False
    """Whether there are targets inside the files."""


def look_at_images(given: Sequence[str], base: Path) -> Images:
    """Look at the images that were given; their paths become relative to `base`, the configuration's folder.

    Raises ConfigError where there is none that can be read.
    """
    here = Path()
    patterns = tuple(_collapse(given))
    found = find_files(patterns, here)
    errors = [file for file in found if isinstance(file, ProbeError)]
    if errors and len(patterns) == 1 and Path(patterns[0]).is_dir():
        patterns = (f"{patterns[0].rstrip('/')}/*/*",)
        found = find_files(patterns, here)  # one folder a class
    files = tuple(file for file in found if isinstance(file, Path))
    if not files:
        error = errors[0]
        raise ConfigError(error.problem, where=error.where, expected=error.expected, advice=error.advice)
    images, errors_by_band = _sample(files, ProbesConfig(images=patterns))
    hdus = "bands"
    if errors_by_band:
        config = ProbesConfig(images=patterns, fits=FitsConfig(hdus="galaxies"))
        galaxies, errors_by_galaxy = _sample(files, config)
        if errors_by_galaxy < errors_by_band:
            images, hdus = galaxies, "galaxies"
    if not images:
        raise ConfigError("none of the images can be read", where=", ".join(given), expected=", ".join(READERS))
    written = tuple(relative(pattern, base) for pattern in patterns)
    return _describe(Images(written, files, (), hdus=hdus), images)


def relative(path: str | Path, base: Path) -> str:
    """Write a path as seen from `base`; one that was given absolute stays so."""
    return str(path) if Path(path).is_absolute() else Path(os.path.relpath(path, base)).as_posix()


def _collapse(given: Sequence[str]) -> Sequence[str]:
    """Turn what a shell made of `folder/*_model.png` back into a pattern, where one stands for just these files."""
    paths = {Path(name) for name in given}
    folders, names = {path.parent for path in paths}, [path.name for path in paths]
    suffix = Path(names[0]).suffix
    if len(paths) < 2 or len(folders) > 1 or suffix.lower() not in SUFFIXES:
        return given
    folder = folders.pop()
    start = os.path.commonprefix(names)  # noqa: RUF071 - letter by letter is what is wanted
    end = os.path.commonprefix([name[::-1] for name in names])[::-1]  # noqa: RUF071
    head, tail = re.sub(r"[^_.-]*$", "", start), re.sub(r"^[^_.-]*", "", end)
    for pattern in dict.fromkeys((f"*{suffix}", f"*{tail}", f"{head}*{suffix}", f"{head}*{tail}")):
        if set(folder.glob(pattern)) == paths:
            return [str(folder / pattern)]
    return given


def _sample(files: Sequence[Path], config: ProbesConfig) -> tuple[list[RawImage], int]:
    """Return images out of files spread over the whole list, and how many files cannot be read.

    `run` will say what is wrong with those; here they only say nothing.
    """
    images, errors = [], 0
    step = max(1, len(files) // FILES)
    for file in files[::step][:FILES]:
        try:
            kind = recognise(file)
            found = list(islice(READERS[kind](file, file.name, config), IMAGES)) if kind else []
        except (ReportgenError, OSError, ValueError, TypeError, KeyError, RuntimeError):
            found = []
        readable = [item for item in found if isinstance(item, RawImage)]
        images += readable
        errors += len(readable) < max(len(found), 1)
    return images, errors


def _describe(known: Images, images: Sequence[RawImage]) -> Images:
    shapes: Counter[tuple[int, int, int]] = Counter()
    for image in images:
        height, width, bands = image.pixels.shape
        shapes[height, width, bands] += 1
    finite = [image.pixels[np.isfinite(image.pixels)] for image in images]
    return replace(
        known,
        shapes=tuple(shape for shape, _ in shapes.most_common()),
        bands=images[0].bands,
        dtype=str(images[0].pixels.dtype),
        low=float(min((values.min() for values in finite if values.size), default=0)),
        high=float(max((values.max() for values in finite if values.size), default=0)),
        labels=tuple(sorted({image.label for image in images if image.label is not None})),
        targets=any(image.target is not None for image in images),
    )
