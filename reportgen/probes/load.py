"""The probe set: gathered, named, prepared and fingerprinted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.config.display import find_band
from reportgen.errors import ConfigError, Failure, NothingToReport, printable
from reportgen.probes.catalogue import Row, read_catalogue
from reportgen.probes.gather import gather
from reportgen.probes.join import join
from reportgen.probes.naming import name_images, select_images
from reportgen.probes.others import Place, read_others
from reportgen.probes.prepare import channel_names, name_bands, preparation_in_words, prepare_all
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
        catalogue = read_catalogue(config.catalogue, config, base)
        rows, unpaired = join(found, catalogue, base, config.select)
        failures += [*catalogue.failures, *unpaired]
    named = name_images(found, rows)
    chosen, unknown = select_images(named, config.select)
    failures += unknown + [image.failure for image in chosen if isinstance(image, Unreadable)]
    readable = [image for image in chosen if isinstance(image, RawImage)]
    bands = _band_names(config, readable)
    prepared, arrays, unprepared = prepare_all(readable, bands, config.prepare)
    places = {image.id: Place(number, row) for number, (image, row) in enumerate(zip(named, rows, strict=True))}
    others, missing = read_others(prepared, bands, places, config, base)
    failures += unprepared + missing
    whole = [all(image.id in other.values for other in others.values()) for image in prepared]
    images, inputs = list(compress(prepared, whole)), list(compress(arrays, whole))
    if not images:
        raise _nothing(failures)
    probes = tuple(
        _probe(image, array, {name: other.values[image.id] for name, other in others.items()}, config)
        for image, array in zip(images, inputs, strict=True)
    )
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
        others={name: other.of([image.id for image in images]) for name, other in others.items()},
        image_inputs=tuple(name for name, option in config.inputs.items() if option.image),
    )


def _band_names(config: ProbesConfig, images: Sequence[RawImage]) -> tuple[str, ...]:
    """Return the names of the bands of the set: those of most of its images.

    Raises ConfigError where an option names a band there is not.
    """
    if not images:
        return ()
    bands = name_bands(images, config.bands)
    if config.bands and bands != config.bands:
        raise ConfigError(
            "The images have another number of bands than names are given",
            where="probes.bands",
            expected=f"{len(bands)} names",
            received=", ".join(config.bands),
        )
    channel_names(bands, config.prepare)
    for band in (*(config.display.rgb or ()), config.display.band or 0):
        find_band(band, bands)
    return bands


def _probe(image: RawImage, array: NDArray[Any], others: dict[str, NDArray[np.generic]], config: ProbesConfig) -> Probe:
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
        sha256=_of_all(_fingerprint(array), {name: _fingerprint(other) for name, other in others.items()}),
    )


def _of_all(image: str, others: dict[str, str]) -> str:
    """Return the sha256 of a probe: its image's, or where the network sees more of it that of all."""
    return _hash(json.dumps([image, others], sort_keys=True).encode()) if others else image


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
