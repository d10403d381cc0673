"""The probe set: gathered, named, prepared and fingerprinted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.config.display import find_band
from reportgen.errors import ConfigError, Failure, NothingToReport, ProbeError, printable
from reportgen.probes.catalogue import Row, read_catalogue
from reportgen.probes.gather import gather
from reportgen.probes.join import join
from reportgen.probes.naming import name_images, select_images
from reportgen.probes.prepare import channel_names, preparation_in_words, prepare
from reportgen.probes.probeset import Probe, ProbeSet
from reportgen.probes.raw import RawImage, Unreadable


def load_probes(config: ProbesConfig, base: Path) -> ProbeSet:
    """Read, join with the catalogue, select, and prepare; paths are relative to `base`.

    A probe that cannot be read or prepared becomes a Failure of the set. Raises ConfigError where the options
    do not fit the files, and NothingToReport where no probe is left.
    """
    words = preparation_in_words(config.prepare)
    found = gather(config, base)
    rows: list[Row | None] = [None] * len(found)
    failures: list[Failure] = []
    if config.catalogue is not None and any(isinstance(image, RawImage) for image in found):
        catalogue = read_catalogue(config.catalogue, config.columns, base)
        rows, unpaired = join(found, catalogue, base, config.select)
        failures += [*catalogue.failures, *unpaired]
    chosen, unknown = select_images(name_images(found, rows), config.select)
    failures += unknown + [image.failure for image in chosen if isinstance(image, Unreadable)]
    readable = [image for image in chosen if isinstance(image, RawImage)]
    bands = _band_names(config, readable)
    images, inputs, unprepared = _prepare_all(readable, bands, config)
    failures += unprepared
    if not images:
        raise _nothing(failures)
    probes = tuple(_probe(image, array, config) for image, array in zip(images, inputs, strict=True))
    stacked = np.stack(inputs)
    return ProbeSet(
        probes=probes,
        images=tuple(image.pixels[::-1] if image.bottom_up else image.pixels for image in images),
        inputs=stacked.reshape(len(probes), -1) if config.prepare.flatten else stacked,
        bands=bands,
        channels=channel_names(bands, config.prepare),
        input_shape=(stacked.shape[1], stacked.shape[2], stacked.shape[3]),
        steps=words,
        display=_display_in_words(config, bands, images),
        sha256=_hash(json.dumps([[probe.id, probe.sha256] for probe in probes]).encode()),
        failures=tuple(failures),
    )


def _band_names(config: ProbesConfig, images: Sequence[RawImage]) -> tuple[str, ...]:
    """Return the names of the bands of the set: those of most of its images.

    Raises ConfigError where an option names a band there is not.
    """
    if not images:
        return ()
    count = Counter(image.pixels.shape[-1] for image in images).most_common(1)[0][0]
    known = next((image.bands for image in images if image.bands and len(image.bands) == count), None)
    bands = config.bands or known or tuple(f"band {number + 1}" for number in range(count))
    if len(bands) != count:
        raise ConfigError(
            "The images have another number of bands than names are given",
            where="probes.bands",
            expected=f"{count} names",
            received=", ".join(bands),
        )
    channel_names(bands, config.prepare)
    for band in (*(config.display.rgb or ()), config.display.band or 0):
        find_band(band, bands)
    return bands


def _prepare_all(
    images: Sequence[RawImage], bands: tuple[str, ...], config: ProbesConfig
) -> tuple[list[RawImage], list[NDArray[np.generic]], list[Failure]]:
    """Prepare each image; those whose prepared shape is not that of most become failures."""
    done: list[tuple[RawImage, NDArray[np.generic]]] = []
    failures: list[Failure] = []
    for image in images:
        try:
            done.append((image, prepare(image.pixels, bands, config.prepare)))
        except ProbeError as error:
            failures.append(error.failure("probe", image.id))
    shapes = Counter(array.shape for _, array in done)
    usual = shapes.most_common(1)[0][0] if shapes else ()
    failures += [_other_shape(image.id, array.shape, usual) for image, array in done if array.shape != usual]
    fitting = [(image, array) for image, array in done if array.shape == usual]
    return [image for image, _ in fitting], [array for _, array in fitting], failures


def _other_shape(name: str, shape: tuple[int, ...], usual: tuple[int, ...]) -> Failure:
    sizes = shape[:2] != usual[:2]
    return Failure(
        "probe",
        name,
        "The probe has another shape than the others",
        expected=" × ".join(map(str, usual)) + " (height × width × channels), as most",
        received=" × ".join(map(str, shape)),
        advice="Set probes.prepare.resize or crop." if sizes else "Set probes.prepare.grey or bands.",
    )


def _probe(image: RawImage, array: NDArray[Any], config: ProbesConfig) -> Probe:
    height, width = image.pixels.shape[:2]
    not_finite = array.size - int(np.isfinite(array).sum())
    metadata = {"width": str(width), "height": str(height)}
    if config.pixel_scale is not None:
        metadata["pixel_scale"] = f"{config.pixel_scale:.4g}"
    if image.bottom_up:
        metadata["row_0"] = "bottom"
    if not_finite:
        metadata["non_finite"] = str(not_finite)
    return Probe(
        id=image.id,
        label=image.label,
        target=image.target,
        group=image.group,
        metadata=metadata | image.metadata,
        source=printable(image.source),
        sha256=_fingerprint(array),
    )


def _fingerprint(array: NDArray[np.generic]) -> str:
    """Return the sha256 of dtype, shape and values, the same on machines of either byte order."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return _hash(f"{little.dtype.str} {little.shape}\n".encode() + little.tobytes())


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _display_in_words(config: ProbesConfig, bands: tuple[str, ...], images: Sequence[RawImage]) -> str:
    kinds = dict.fromkeys(image.pixels.dtype == np.uint8 for image in images)
    words = [config.display.in_words(bands, bool(eight_bit)) for eight_bit in kinds]
    return (
        words[0]
        if len(words) == 1
        else "; ".join(
            f"{'8-bit' if eight_bit else 'other'} images: {text}" for eight_bit, text in zip(kinds, words, strict=True)
        )
    )


def _nothing(failures: Sequence[Failure]) -> NothingToReport:
    if not failures:
        return NothingToReport("No probe is left", where="probes.images", expected="at least one image")
    first = failures[0]
    return NothingToReport(
        f"No probe is left. The first problem: {first.name}: {first.problem}",
        where="probes",
        expected=first.expected,
        received=first.received,
        advice=first.advice,
    )
