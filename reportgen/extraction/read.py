"""Read extractions, lazily and only that; everything after the waist starts here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.errors import ExtractionError, Failure
from reportgen.extraction.about import About
from reportgen.extraction.measurement import Layer
from reportgen.extraction.schema import PROBES_FILE, RUN_FILE, SCHEMA
from reportgen.probes.probeset import Probe, ProbeSet


@dataclass(frozen=True)
class Channels:
    """Statistics of the channels of one layer on every probe, `(probe, channel)` each."""

    minimum: NDArray[np.float32]
    maximum: NDArray[np.float32]
    mean: NDArray[np.float32]
    zeros: NDArray[np.float32]
    """Fraction of exact zeros."""


class Extraction:
    """One checkpoint as measured: weights, activations and predictions, read when asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _open(path)
        self.about = About(**json.loads(self._file.attrs["about"]))
        self.name = self.about.name
        self.epoch = self.about.epoch

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every call of every layer in the order of computation; empty where the network could not be rebuilt."""
        rows = json.loads(self._file["layers"].asstr()[()])
        return tuple(
            Layer(**{**row, "inputs": tuple(row["inputs"]), "output_shape": tuple(row["output_shape"])}) for row in rows
        )

    @cached_property
    def _weights(self) -> dict[str, h5py.Group]:
        return {group.attrs["layer"]: group for _, group in sorted(self._file["weights"].items())}

    @property
    def weighted(self) -> tuple[str, ...]:
        """Names of the layers that have arrays, in the order of the checkpoint."""
        return tuple(self._weights)

    def variables(self, layer: str) -> tuple[str, ...]:
        """Return the names of a layer's arrays without reading them; none for a layer without."""
        group = self._weights.get(layer)
        return () if group is None else tuple(group[str(i)].attrs["variable"] for i in range(len(group)))

    def arrays(self, layer: str) -> dict[str, NDArray[np.generic]]:
        """Return a layer's arrays by variable: kernel, bias, …"""
        group = self._weights[layer]
        return {group[str(i)].attrs["variable"]: group[str(i)][()] for i in range(len(group))}

    @cached_property
    def _activations(self) -> dict[str, h5py.Group]:
        return {group.attrs["layer"]: group for _, group in sorted(self._file.get("activations", {}).items())}

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the layers whose activations are stored."""
        return tuple(self._activations)

    def layer(self, name: str) -> Layer:
        """Return the row of the layer table with this name."""
        return next(layer for layer in self.layers if layer.name == name)

    def shape(self, layer: str) -> tuple[int, ...]:
        """Return the shape of a layer's activations, `(probe, …, channel)`, without reading them."""
        return tuple(self._activations[layer]["maps"].shape)

    def maps(self, layer: str, probe: int | None = None) -> NDArray[np.float32]:
        """Return a layer's activations, `(probe, …, channel)`; of one probe `(…, channel)`."""
        maps = self._activations[layer]["maps"]
        return np.asarray(maps[()] if probe is None else maps[probe], np.float32)

    def channels(self, layer: str) -> Channels:
        """Return the statistics of a layer's channels over the probe set."""
        group = self._activations[layer]
        return Channels(*(group[name][()] for name in ("minimum", "maximum", "mean", "zeros")))

    @cached_property
    def predictions(self) -> NDArray[np.float32] | None:
        """Output of the network, `(probe, unit)`; None where it could not be run."""
        return self._file["predictions"][()] if "predictions" in self._file else None

    @cached_property
    def scores(self) -> NDArray[np.float32] | None:
        """Output before the last activation function, `(probe, unit)`."""
        return self._file["scores"][()] if "scores" in self._file else None

    @property
    def output_activation(self) -> str:
        """Name of the last activation function."""
        return str(self._file.attrs.get("output_activation", ""))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_probes(folder: Path) -> ProbeSet:
    """Return the probe set as it was when it was measured."""
    with _open(folder / PROBES_FILE) as file:
        about = json.loads(file.attrs["about"])
        images = tuple(file["images"][name][()] for name in sorted(file["images"]))
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


def _open(path: Path) -> h5py.File:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ExtractionError(
            "the extraction cannot be opened",
            where=str(path),
            received=str(error),
            advice="run the report again",
        ) from error
    _check_schema(path, file.attrs.get("schema"))
    return file


def _check_schema(path: Path, schema: object) -> None:
    if schema != SCHEMA:
        raise ExtractionError(
            "the extraction has another schema", where=str(path), expected=f"schema {SCHEMA}", received=f"{schema}",
            advice="open it with the version of reportgen that wrote it, or a newer one",
        )  # fmt: skip
