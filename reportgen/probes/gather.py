"""From files to images in a fixed order, each with its place even where it cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from reportgen.config import ProbesConfig
from reportgen.errors import ConfigError, ProbeError
from reportgen.places import name_of
from reportgen.probes.files import find_files
from reportgen.probes.raw import MOST_PROBES, Found, RawImage, Unreadable, stem
from reportgen.probes.readers import read_file


def gather(config: ProbesConfig, base: Path) -> list[Found]:
    """Return every image the configuration asks for, in its order.

    Raises ConfigError where the files of the bands do not pair up, or where there are far too many images.
    """
    if isinstance(config.images, dict):
        found = _one_file_a_band(config.images, config, base)
    else:
        found = [item for file in find_files(config.images, base) for item in _read(file, config, base)]
    if len(found) > MOST_PROBES:
        raise ConfigError(
            "The probe set is too large",
            where="probes.images",
            expected=f"at most {MOST_PROBES:,} images",
            received=f"{len(found):,}",
            advice="Choose some with a narrower pattern or probes.arrays.rows.",
        )
    return found


def _read(file: Path | ProbeError, config: ProbesConfig, base: Path) -> list[Found]:
    """Return the images of one file; an image without a place in a file is named after the file."""
    if isinstance(file, ProbeError):
        return [Unreadable(file.where, file.where, file.failure("probe", file.where))]
    name = name_of(file, base)
    items = read_file(file, name, config)
    return [_unreadable(item, stem(file), name) if isinstance(item, ProbeError) else item for item in items]


def _unreadable(error: ProbeError, name: str, source: str) -> Unreadable:
    return Unreadable(name, error.where or source, error.failure("probe", error.where or source))


def _one_file_a_band(files: dict[str, tuple[str, ...]], config: ProbesConfig, base: Path) -> list[Found]:
    """Put together galaxies whose bands lie in files of their own, matched in order."""
    lists = {band: find_files(patterns, base) for band, patterns in files.items()}
    if len({len(paths) for paths in lists.values()}) != 1:
        raise ConfigError(
            "The bands have different numbers of files",
            where="probes.images",
            expected="one file a galaxy in each band, in the same order",
            received=", ".join(f"{band}: {len(paths)}" for band, paths in lists.items()),
        )
    galaxies: list[Found] = []
    for together in zip(*lists.values(), strict=True):
        of_bands = [_read(file, config, base) for file in together]
        names = " + ".join(file.where if isinstance(file, ProbeError) else name_of(file, base) for file in together)
        if len({len(images) for images in of_bands}) != 1:
            error = ProbeError(
                "The files of the bands hold different numbers of galaxies",
                where=names,
                expected="the same galaxies in the same order",
                received=", ".join(f"{band}: {len(items)}" for band, items in zip(files, of_bands, strict=True)),
            )
            galaxies.append(_unreadable(error, of_bands[0][0].id, names))
        else:
            galaxies += [_galaxy(items, tuple(files)) for items in zip(*of_bands, strict=True)]
    return galaxies


def _galaxy(items: tuple[Found, ...], bands: tuple[str, ...]) -> Found:
    """Return one galaxy with all its bands; name, labels and sky are those of the first."""
    images = [item for item in items if isinstance(item, RawImage)]
    if len(images) < len(items):
        return next(item for item in items if isinstance(item, Unreadable))
    source = " + ".join(image.source for image in images)
    shapes = [image.pixels.shape for image in images]
    if len({shape[:2] for shape in shapes}) > 1 or any(shape[2] != 1 for shape in shapes):
        error = ProbeError(
            "The bands of this galaxy do not fit together",
            where=source,
            expected="one band a file, all of the same size",
            received=", ".join(
                f"{band}: {' × '.join(map(str, shape))}" for band, shape in zip(bands, shapes, strict=True)
            ),
        )
        return _unreadable(error, images[0].id, source)
    pixels = np.concatenate([image.pixels for image in images], axis=-1)
    return replace(images[0], pixels=pixels, source=source, bands=bands)
