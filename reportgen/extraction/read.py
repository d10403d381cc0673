"""Read extractions, lazily and only that; everything after the waist starts here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, overload

import h5py
import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.errors import ExtractionError, Failure
from reportgen.extraction.about import About
from reportgen.extraction.explained import Attribution, Stress
from reportgen.extraction.explained_file import read_group
from reportgen.extraction.measurement import Layer
from reportgen.extraction.schema import PROBES_FILE, RUN_FILE, SCHEMA
from reportgen.extraction.statistics import channel_statistics, places_of_maxima
from reportgen.probes.probeset import OtherInput, Probe, ProbeSet


@dataclass(frozen=True)
class Channels:
    """Statistics of the channels of one layer on every probe, `(probe, channel)` each."""

    minimum: NDArray[np.float32]
    maximum: NDArray[np.float32]
    mean: NDArray[np.float32]
    zeros: NDArray[np.float32]
    """Fraction of exact zeros."""
    magnitude: NDArray[np.float32]
    """Mean of the magnitudes."""
    saturated: NDArray[np.float32] | None
    """Fraction of values where the layer's function is flat; None where it is nowhere so."""


_STATISTICS = frozenset(field.name for field in fields(Channels))


class Extraction:
    """One checkpoint as measured: weights, activations and predictions, read when asked for.

    The file is open only while something is read from it: a run may have more checkpoints than a process may have
    open files. Whatever cannot be read raises ExtractionError.
    """

    def __init__(self, path: Path, checkpoint: Checkpoint | None = None) -> None:
        """Open a file; it may be shared by reports, in which `checkpoint` has other names and epochs."""
        self.path = path
        with _open(path) as file:
            self.about = About(**json.loads(file.attrs["about"]))
            if checkpoint is not None:
                self.about = replace(
                    self.about, name=checkpoint.name, file=checkpoint.file, epoch=checkpoint.epoch,
                    architecture_from=checkpoint.lender or self.about.architecture_from,
                )  # fmt: skip
            rows = json.loads(file["layers"].asstr()[()])
            self._arrays = {
                group.attrs["layer"]: {group[str(i)].attrs["variable"]: group[str(i)].name for i in range(len(group))}
                for _, group in sorted(file["weights"].items())
            }
            groups = sorted(file.get("activations", {}).items())
            self._groups = {group.attrs["layer"]: group.name for _, group in groups}
            self._shapes = {
                group.attrs["layer"]: (len(group["minimum"]), *group["maps"].shape[1:]) for _, group in groups
            }
            self.output_activation = str(file.attrs.get("output_activation", ""))
            self.other_outputs: tuple[str, ...] = tuple(json.loads(file.attrs.get("other_outputs", "[]")))
            self.notes: tuple[str, ...] = tuple(json.loads(file.attrs.get("notes", "[]")))
            self.predictions: NDArray[np.float32] | None = _get(file, "predictions")
            self.scores: NDArray[np.float32] | None = _get(file, "scores")
            every = range(0 if self.predictions is None else len(self.predictions))
            self.shown: Sequence[int] = tuple(file["shown"][()].tolist()) if "shown" in file else every
            self.compared: Sequence[int] = tuple(file["compared"][()].tolist()) if "shown" in file else every
        self.layers = tuple(
            Layer(**{**row, "inputs": tuple(row["inputs"]), "output_shape": tuple(row["output_shape"])}) for row in rows
        )
        self.name = self.about.name
        self.epoch = self.about.epoch

    @property
    def weighted(self) -> tuple[str, ...]:
        """Names of the layers that have arrays, in the order of the checkpoint."""
        return tuple(self._arrays)

    def variables(self, layer: str) -> tuple[str, ...]:
        """Return the names of a layer's arrays without reading them; none for a layer without."""
        return tuple(self._arrays.get(layer, ()))

    def arrays(self, layer: str) -> dict[str, NDArray[np.generic]]:
        """Return a layer's arrays by variable: kernel, bias, …"""
        with _open(self.path) as file:
            return {name: file[place][()] for name, place in self._arrays[layer].items()}

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the layers whose activations are stored."""
        return tuple(self._groups)

    def layer(self, name: str) -> Layer:
        """Return the row of the layer table with this name."""
        return next(layer for layer in self.layers if layer.name == name)

    def shape(self, layer: str) -> tuple[int, ...]:
        """Return the shape of a layer's activations, `(probe, …, channel)`, without reading them."""
        return self._shapes[layer]

    @property
    def whole(self) -> bool:
        """Whether the maps of all probes are stored, not of those in `shown` alone."""
        return self.predictions is None or len(self.shown) == len(self.predictions)

    def maps(self, layer: str, probe: int | None = None) -> NDArray[np.float32]:
        """Return a layer's activations for the probes in `shown`, `(shown, …, channel)`; for one `(…, channel)`."""
        if probe is not None and probe not in self.shown:
            raise ExtractionError(
                f"the feature maps of probe {probe} are not stored", where=self.path.name,
                expected=f"one of {', '.join(map(str, self.shown))}",
                advice="Name its id in probes.shown and run the report again.",
            )  # fmt: skip
        with _open(self.path) as file:
            maps = file[self._groups[layer]]["maps"]
            return np.asarray(maps[()] if probe is None else maps[self.shown.index(probe)], np.float32)

    def place(self, layer: str, probe: int, channel: int) -> tuple[int, int]:
        """Return where `(y, x)` in its map a channel of a layer is largest for any probe, the first of equals."""
        height, width = self._shapes[layer][1:3]
        with _open(self.path) as file:
            group = file[self._groups[layer]]
            if "place" in group:
                at = int(group["place"][probe, channel])
            else:
                at = int(places_of_maxima(group["maps"][probe][None, ..., channel, None])[0, 0])
        return divmod(at, width) if height else (0, 0)

    def gram(self, layer: str) -> NDArray[np.float64] | None:
        """Return the Gram matrix of a layer's centred features for the probes in `compared`; None where not stored."""
        with _open(self.path) as file:
            group = file[self._groups[layer]]
            return np.asarray(group["gram"][()], np.float64) if "gram" in group else None

    def attribution(self) -> Attribution | None:
        """Return which pixels made the answers; None in files that do not have it."""
        with _open(self.path) as file:
            return read_group(file, "attribution", Attribution)

    def stress(self) -> Stress | None:
        """Return the answers to changed probes; None in files that do not have them."""
        with _open(self.path) as file:
            return read_group(file, "stress", Stress)

    def channels(self, layer: str) -> Channels:
        """Return the statistics of a layer's channels over the probe set."""
        with _open(self.path) as file:
            group = file[self._groups[layer]]
            stored: dict[str, Any] = {name: group[name][()] for name in group if name in _STATISTICS}
            if "magnitude" not in stored:  # written before these two were: the maps have them
                stored = dict(channel_statistics(group["maps"][()], self.layer(layer).activation))
            stored.setdefault("saturated", None)
            return Channels(**{field.name: stored[field.name] for field in fields(Channels)})


class _Images(Sequence[NDArray[np.generic]]):
    """The pictures of a probe set, each read when asked for: of thousands, only those shown are."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self._path, self._names = path, names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> NDArray[np.generic]: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[NDArray[np.generic], ...]: ...

    def __getitem__(self, place: int | slice) -> NDArray[np.generic] | tuple[NDArray[np.generic], ...]:
        names = self._names[place]
        with _open(self._path) as file:
            images = file["images"]
            return images[names][()] if isinstance(names, str) else tuple(images[name][()] for name in names)

    def __iter__(self) -> Iterator[NDArray[np.generic]]:
        for start in range(0, len(self), 64):
            yield from self[start : start + 64]


def read_probes(path: Path) -> ProbeSet:
    """Return the probe set as it was when it was measured; of a folder, that of its run."""
    path = path / PROBES_FILE if path.is_dir() else path
    with _open(path) as file:
        about = json.loads(file.attrs["about"])
        images = _Images(path, sorted(file["images"]))
        return ProbeSet(
            probes=tuple(Probe(**probe) for probe in about["probes"]),
            images=images,
            inputs=file["inputs"][()],
            bands=tuple(about["bands"]),
            channels=tuple(about["channels"]),
            input_shape=tuple(about["input_shape"]),
            steps=tuple(about["steps"]),
            display=about["display"],
            sha256=about["sha256"],
            failures=tuple(Failure(**failure) for failure in about["failures"]),
            others={
                other["name"]: OtherInput(
                    file[f"others/{i:04d}"][()],
                    other["source"],
                    tuple(other["steps"]),
                    tuple(other["channels"]),
                    tuple(other["shape"]),
                    other["bottom_up"],
                )
                for i, other in enumerate(about.get("others", ()))  # files of the first versions have none
            },
            image_inputs=tuple(about.get("image_inputs", ())),
        )


def read_run(folder: Path) -> tuple[Run, dict[str, Any]]:
    """Return the run, and the rest of its file: config and provenance. Paths of the run are those of the folder."""
    path = folder / RUN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExtractionError(
            "the record of the run cannot be read", where=str(path), received=str(error),
            advice="give the folder of a report, with its extraction folder",
        ) from error  # fmt: skip
    _check_schema(path, content.get("schema"))
    history = content["history"]
    return Run(
        name=content["name"],
        path=folder,
        checkpoints=tuple(Checkpoint(path=folder / c["file"], **c) for c in content["checkpoints"]),
        history=history
        and History(
            history["file"],
            np.array(history["epochs"], np.int64),
            {name: np.array([np.nan if v is None else v for v in c]) for name, c in history["columns"].items()},
        ),
        record=content["record"],
        failures=tuple(Failure(**failure) for failure in content["failures"]),
    ), {"config": content["config"], "provenance": content["provenance"]}


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            _check_schema(path, file.attrs.get("schema"))
            yield file
    except (OSError, KeyError, ValueError) as error:
        raise ExtractionError(
            "the extraction cannot be read", where=path.name, received=str(error),
            advice="it is damaged or missing: run the report again",
        ) from error  # fmt: skip


def _get(file: h5py.File, name: str) -> NDArray[np.float32] | None:
    return file[name][()] if name in file else None


def _check_schema(path: Path, schema: object) -> None:
    if schema not in range(1, SCHEMA + 1):
        newer = isinstance(schema, int | np.integer) and schema > SCHEMA
        raise ExtractionError(
            f"the extraction has another schema{', of a newer reportgen' if newer else ''}", where=path.name,
            expected=f"schema 1 to {SCHEMA}" if SCHEMA > 1 else "schema 1", received=f"schema {schema}",
            advice="update reportgen" if newer else "run the report again",
        )  # fmt: skip
