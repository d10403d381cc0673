"""Write what was measured; a file appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.run import Run
from reportgen.checkpoints.stored import StoredModel
from reportgen.disk import cannot_write, whole, write_text
from reportgen.errors import ExtractionError, Failure
from reportgen.extraction.about import About
from reportgen.extraction.explained_file import write_group
from reportgen.extraction.measurement import Measurement
from reportgen.extraction.outline import outline
from reportgen.extraction.schema import PROBES_FILE, RUN_FILE, SCHEMA
from reportgen.extraction.statistics import channel_statistics
from reportgen.probes.probeset import ProbeSet

PACKED: dict[str, Any] = {"compression": "gzip", "compression_opts": 1}
"""How HDF5 unpacks it; it is packed by zlib-ng, which makes the same format at half the cost of zlib."""
CHUNK = 2**22
"""Packed at once [byte], by whole rows."""
FOREIGN = (OSError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError, MemoryError)
"""What h5py, NumPy and json raise on a full disk, and on values that cannot be stored."""


def write_extraction(
    folder: Path, about: About, stored: StoredModel, measurement: Measurement | None, graph: Graph | None = None
) -> Path:
    """Write one checkpoint's extraction; without a measurement (the network could not be run) its weights alone.

    The layer table then is what `graph`, or the arrays, say of it. Raises ExtractionError where it cannot be written.
    """
    path = folder / f"{about.name}.h5"
    try:
        _write(path, about, stored, measurement, graph)
    except FOREIGN as error:
        if isinstance(error, RuntimeError | OSError) and "errno = " in str(error):  # HDF5 tells of the disk in words
            raise cannot_write(OSError(str(error)), path) from error
        raise ExtractionError(
            "what was measured cannot be written", where=about.file, expected=f"a file {path.name}",
            received=f"{type(error).__name__}: {error}", advice="Is the disk full, or the archive read-only?",
        ) from error  # fmt: skip
    return path


def _write(path: Path, about: About, stored: StoredModel, measurement: Measurement | None, graph: Graph | None) -> None:
    with _whole(path) as file:
        file.attrs["about"] = json.dumps(asdict(about), sort_keys=True)
        layers = measurement.layers if measurement else outline(stored, graph)
        file.create_dataset("layers", data=json.dumps([asdict(layer) for layer in layers], sort_keys=True))
        weights = file.create_group("weights")
        for i, layer in enumerate(stored.layers):
            group = weights.create_group(f"{i:04d}")
            group.attrs["layer"] = layer.name
            for j, variable in enumerate(layer.variables):
                # As it is: numbers of trained weights are as good as random, packing saves a twelfth of them.
                group.create_dataset(str(j), data=variable.value).attrs["variable"] = variable.name
        if measurement is not None:
            _write_activations(file, measurement)


def _write_activations(file: h5py.File, measurement: Measurement) -> None:
    activations = file.create_group("activations")
    functions = {layer.name: layer.activation for layer in measurement.layers}
    for i, (name, maps) in enumerate(measurement.activations.items()):
        group = activations.create_group(f"{i:04d}")
        group.attrs["layer"] = name
        _store(group, "maps", maps, rows=1)  # pages read them probe by probe
        counted = measurement.statistics.get(name) or channel_statistics(maps, functions.get(name, ""))
        for statistic, values in counted.items():
            _store(group, statistic, values)
        if name in measurement.grams:
            _store(group, "gram", measurement.grams[name])
    if measurement.shown is not None:
        _store(file, "shown", measurement.shown)
        _store(file, "compared", measurement.compared)
    _store(file, "predictions", measurement.predictions)
    if measurement.scores is not None:
        _store(file, "scores", measurement.scores)
    file.attrs["output_activation"] = measurement.output_activation
    file.attrs["other_outputs"] = json.dumps(measurement.other_outputs)
    file.attrs["notes"] = json.dumps(measurement.notes)
    if measurement.attribution is not None:
        write_group(file, "attribution", measurement.attribution)
    if measurement.stress is not None:
        write_group(file, "stress", measurement.stress)


def write_probes(folder: Path, probes: ProbeSet) -> Path:
    """Write the probe set, pixels and all."""
    path = folder / PROBES_FILE
    about = {
        "probes": [asdict(probe) for probe in probes.probes],
        "failures": [asdict(failure) for failure in probes.failures],
        "bands": probes.bands,
        "channels": probes.channels,
        "input_shape": probes.input_shape,
        "steps": probes.steps,
        "display": probes.display,
        "sha256": probes.sha256,
        "others": [
            {**{key: value for key, value in vars(other).items() if key != "values"}, "name": name}
            for name, other in probes.others.items()
        ],
        "image_inputs": probes.image_inputs,
    }
    with _whole(path) as file:
        file.attrs["about"] = json.dumps(about, sort_keys=True)
        _store(file, "inputs", probes.inputs)
        for i, other in enumerate(probes.others.values()):
            _store(file, f"others/{i:04d}", other.values)
        for i, image in enumerate(probes.images):
            _store(file, f"images/{i:06d}", image)
    return path


def write_run(
    folder: Path, run: Run, config: dict[str, Any], provenance: dict[str, Any], failures: tuple[Failure, ...]
) -> Path:
    """Write what is known of the run as a whole: all that the sections need beside arrays."""
    path = folder / RUN_FILE
    history = run.history and {
        "file": run.history.file,
        "epochs": run.history.epochs.tolist(),
        "columns": {name: [None if np.isnan(v) else v for v in c.tolist()] for name, c in run.history.columns.items()},
    }
    content = {
        "schema": SCHEMA,
        "name": run.name,
        "checkpoints": [
            {key: value for key, value in asdict(checkpoint).items() if not isinstance(value, Path)}
            for checkpoint in run.checkpoints
        ],
        "history": history,
        "record": run.record,
        "config": config,
        "provenance": provenance,
        "failures": [asdict(failure) for failure in failures],
    }
    write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return path


@contextmanager
def _whole(path: Path) -> Iterator[h5py.File]:
    with whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["schema"] = SCHEMA
        yield file


def _store(group: h5py.Group, name: str, values: NDArray[np.generic], rows: int | None = None) -> h5py.Dataset:
    """Write an array, packed so many entries of its first axis at a time where it is worth it."""
    if values.size <= 64:
        return group.create_dataset(name, data=values)
    rows = rows or min(len(values), max(1, CHUNK // values[:1].nbytes))
    shape = (rows, *values.shape[1:])
    made = group.create_dataset(name, values.shape, values.dtype, chunks=shape, **PACKED)
    for start in range(0, len(values), rows):
        part = np.ascontiguousarray(values[start : start + rows])
        if len(part) < rows:  # chunks are whole
            part = np.concatenate([part, np.zeros((rows - len(part), *shape[1:]), part.dtype)])
        made.id.write_direct_chunk((start, *[0] * (values.ndim - 1)), zlib_ng.compress(part.tobytes(), 1))
    return made
