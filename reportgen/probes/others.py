"""What the other inputs of a network get: further pictures of each probe, and numbers of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reportgen.config import InputConfig, PrepareConfig, ProbesConfig
from reportgen.errors import ConfigError, Failure, ProbeError, printable
from reportgen.places import name_of, told
from reportgen.probes.catalogue import Row, picture_of
from reportgen.probes.gather import gather
from reportgen.probes.prepare import channel_names, name_bands, preparation_in_words, prepare_all
from reportgen.probes.probeset import OtherInput
from reportgen.probes.raw import RawImage, Unreadable
from reportgen.probes.readers import read_file


@dataclass(frozen=True)
class Place:
    """Where a probe stood before some were chosen, which is how other pictures and numbers are joined to it."""

    number: int
    row: Row | None


@dataclass(frozen=True)
class Source:
    """One input's values for the probes that have them."""

    values: dict[str, NDArray[np.generic]]
    """By id: `(y, x, channel)` or `(feature,)`, all of one shape."""
    words: str
    """Where they come from."""
    channels: tuple[str, ...]
    steps: tuple[str, ...] = ()
    flatten: bool = False
    bottom_up: bool = False

    def of(self, ids: Sequence[str]) -> OtherInput:
        """Return the values of these probes, stacked."""
        stacked = np.stack([self.values[name] for name in ids])
        given = stacked.reshape(len(ids), -1) if self.flatten else stacked
        return OtherInput(given, self.words, self.steps, self.channels, stacked.shape[1:], self.bottom_up)


def read_others(
    images: Sequence[RawImage], bands: tuple[str, ...], places: Mapping[str, Place], config: ProbesConfig, base: Path
) -> tuple[dict[str, Source], list[Failure]]:
    """Return the values of each named input that does not get the prepared image, and what is missing.

    `places` has every probe there was before some were chosen. Raises ConfigError where pictures and probes differ
    in number.
    """
    sources: dict[str, Source] = {}
    failures: list[Failure] = []
    for name, option in config.inputs.items():
        if option.image:
            continue
        try:
            if option.columns:
                sources[name], missing = _numbers(images, places, option)
            else:
                found, words = _pictures(images, places, name, option, config, base)
                sources[name], missing = _prepared(found, bands, words, option, config)
        except ConfigError as error:
            where = error.where.removeprefix("probes")
            raise ConfigError(
                error.problem, where=f"probes.inputs.{name}{where if where.startswith('.') else ''}",
                expected=error.expected, received=error.received, advice=error.advice,
            ) from error  # fmt: skip
        failures += [_of_input(failure, name) for failure in missing]
    return sources, failures


def _of_input(failure: Failure, name: str) -> Failure:
    """Return a failure that names the input and its own options."""
    advice = failure.advice.replace("probes.prepare", f"probes.inputs.{name}.prepare")
    return replace(failure, problem=f"Input {printable(name)}: {failure.problem}", advice=advice)


def _numbers(
    images: Sequence[RawImage], places: Mapping[str, Place], option: InputConfig
) -> tuple[Source, list[Failure]]:
    """Return a vector a probe out of the catalogue; a cell that is no number costs its probe."""
    columns = option.columns or ()
    values: dict[str, NDArray[np.generic]] = {}
    failures = []
    for image in images:
        row = places[image.id].row
        written = {column: row.values.get(column, "") if row else "" for column in columns}
        numbers = {column: _number(text) for column, text in written.items()}
        wrong = [column for column, number in numbers.items() if not np.isfinite(number)]
        if wrong:
            failures.append(
                Failure(
                    "probe", image.id,
                    f"column {wrong[0]} holds no number" if row else "it has no row in the catalogue",
                    expected=f"numbers in {', '.join(columns)}",
                    received=", ".join(f"{column}: {printable(written[column]) or 'nothing'}" for column in wrong),
                    advice="Correct the catalogue, or leave the probe out with probes.select.",
                )
            )  # fmt: skip
            continue
        vector = np.array(list(numbers.values()), np.float64)
        if option.mean_std:
            vector = (vector - np.array(option.mean_std[0])) / np.array(option.mean_std[1])
        values[image.id] = (vector * (1 if option.scale is None else option.scale)).astype(np.float32)
    words = "minus ({}), divided by ({})".format(
        *(", ".join(f"{value:.6g}" for value in values) for values in option.mean_std)
    ) if option.mean_std else "" if option.scale is None else f"× {option.scale:.6g}"  # fmt: skip
    told = "numbers of the catalogue: " + ", ".join(columns)
    return Source(values, told, columns, (words,) if words else ()), failures


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _pictures(
    images: Sequence[RawImage], places: Mapping[str, Place], name: str, option: InputConfig, config: ProbesConfig,
    base: Path,
) -> tuple[list[RawImage | Failure], str]:  # fmt: skip
    """Return the picture each probe has for an input, under the probe's id, and where they come from, in words."""
    find: Callable[[RawImage], RawImage | Failure]
    if option.images is not None:
        others = gather(config.model_copy(update={"images": option.images}), base)
        if len(others) != len(places):
            raise ConfigError(
                "There is not one picture a probe", where="probes.images", expected=f"{len(places)}, one a probe",
                received=f"{len(others)}", advice="They are joined in order, before any are selected.",
            )  # fmt: skip
        listed = option.images.values() if isinstance(option.images, dict) else (option.images,)
        words = "another picture: " + "; ".join(", ".join(map(told, patterns)) for patterns in listed)

        def find(image: RawImage) -> RawImage | Failure:
            found = others[places[image.id].number]
            return found.failure if isinstance(found, Unreadable) else found
    elif option.column is not None:
        column, words = option.column, f"another picture: column {option.column} of the catalogue"

        def find(image: RawImage) -> RawImage | Failure:
            return _named(places[image.id].row, column, config, base)
    else:
        words = "the same picture, prepared otherwise"

        def find(image: RawImage) -> RawImage | Failure:
            return image

    found: list[RawImage | Failure] = []
    for image in images:
        other = find(image)
        found.append(replace(other, id=image.id) if isinstance(other, RawImage) else replace(other, name=image.id))
    return found, words


def _named(row: Row | None, column: str, config: ProbesConfig, base: Path) -> RawImage | Failure:
    """Return the picture a row names: a file, or `stack.h5[17]`, beside the catalogue or the configuration."""
    written = row.values.get(column, "") if row else ""
    path, file, number = picture_of(written, config, base)
    expected = f"the name of a file in column {column}"
    if path is None:
        return Failure(
            "probe", "", "There is no such picture", expected=expected, received=printable(written) or "nothing"
        )
    found = read_file(path, name_of(path, base), config)
    if (number or 0) >= len(found) or (len(found) > 1 and number is None):
        return Failure(
            "probe", "", "It is not clear which picture of the file is meant", expected=f"{expected}, as {file}[0]",
            received=f"{printable(written)}, which holds {len(found)}",
        )  # fmt: skip
    other = found[number or 0]
    return other.failure("probe", "") if isinstance(other, ProbeError) else other


def _prepared(
    found: Sequence[RawImage | Failure], bands: tuple[str, ...], words: str, option: InputConfig, config: ProbesConfig
) -> tuple[Source, list[Failure]]:
    """Return prepared pictures; the bands are those of the first picture where it has as many."""
    preparation: PrepareConfig = option.prepare or config.prepare
    pictures = [picture for picture in found if isinstance(picture, RawImage)]
    failures = [failure for failure in found if isinstance(failure, Failure)]
    names = name_bands(pictures, bands)
    done, arrays, unprepared = prepare_all(pictures, names, preparation)
    source = Source(
        {picture.id: array for picture, array in zip(done, arrays, strict=True)}, words,
        channel_names(names, preparation) if pictures else (), preparation_in_words(preparation), preparation.flatten,
        bool(pictures) and pictures[0].bottom_up,
    )  # fmt: skip
    return source, failures + unprepared
