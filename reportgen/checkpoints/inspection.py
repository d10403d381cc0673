"""What a checkpoint holds, in plain values: for `reportgen inspect`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.checkpoints.architecture import read_graph
from reportgen.checkpoints.discovery import find_run
from reportgen.checkpoints.formats import FORMATS, read_checkpoint
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig
from reportgen.errors import CheckpointError, ConfigError, Failure, NothingToReport, printable


def inspect(path: Path) -> dict[str, Any]:
    """Return what a checkpoint, or each checkpoint of a folder, holds: {"checkpoints": […], "failures": […]}.

    Values are those of JSON; names out of files are printable. Raises CheckpointError where nothing is at `path`.
    """
    try:
        run = find_run(RunConfig(path=path), Path())
    except NothingToReport as error:
        return {
            "checkpoints": [],
            "failures": [asdict(replace(error.failure("checkpoint", error.where), name=str(path)))],
        }
    except ConfigError as error:
        raise CheckpointError("there is no such file", expected="a checkpoint, or a folder of them") from error
    found, failures = [], [asdict(failure) for failure in run.failures if failure.kind == "checkpoint"]
    for checkpoint in run.checkpoints:
        try:
            found.append(_about(checkpoint))
        except CheckpointError as error:
            failures.append(asdict(_told(error, checkpoint)))
    return {"checkpoints": found, "failures": failures}


def _told(error: CheckpointError, checkpoint: Checkpoint) -> Failure:
    return error.failure("checkpoint", checkpoint.file)


def _about(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what one checkpoint holds."""
    stored = read_checkpoint(checkpoint)
    try:
        graph, problem = read_graph(stored), ""
    except CheckpointError as error:
        graph, problem = None, error.problem
        if checkpoint.unclear:
            problem = f"{problem}; {checkpoint.unclear} fit and differ"
    changed = (
        datetime.fromtimestamp(checkpoint.path.stat().st_mtime, UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    )
    arrays = list(_arrays(stored, graph))
    return {
        "file": printable(checkpoint.file),
        "format": FORMATS[checkpoint.format].title,
        "size": checkpoint.size,
        "sha256": checkpoint.sha256,
        "epoch": checkpoint.epoch,
        "keras_version": printable(stored.keras_version, 40),
        "saved": printable(stored.saved, 40),
        "changed": changed,
        "model": printable((stored.config or {}).get("class_name") or "", 60),
        "architecture_from": checkpoint.lender,
        "no_architecture": problem,
        "inputs": [] if graph is None else [_input(call.name, call.config["shape"]) for call in graph.inputs],
        "outputs": [] if graph is None else [printable(name, 80) for name in graph.output_names],
        "layers": 0 if graph is None else len({call.layer for call in graph.calls}),
        "parameters": sum(array["parameters"] for array in arrays),
        "optimizer": printable(stored.optimizer, 60),
        "loss": printable(stored.loss, 80),
        "other": stored.other,
        "nan": sum(array["nan"] for array in arrays),
        "inf": sum(array["inf"] for array in arrays),
        "arrays": arrays,
    }


def _input(name: str, shape: list[int | None] | None) -> dict[str, Any]:
    return {"name": printable(name, 80), "shape": shape}


def _arrays(stored: StoredModel, graph: Graph | None) -> Iterator[dict[str, Any]]:
    """Yield a row for each array."""
    classes = {call.layer: call.class_name for call in graph.calls} if graph else {}
    for layer in stored.layers:
        for variable in layer.variables:
            value = variable.value
            floating = value.dtype.kind == "f"
            yield {
                "layer": printable(layer.name, 80),
                "class": printable(classes.get(layer.name, ""), 40),
                "array": printable(variable.name, 80),
                "shape": list(value.shape),
                "dtype": str(value.dtype),
                "parameters": int(value.size),
                "nan": int(np.isnan(value).sum()) if floating else 0,
                "inf": int(np.isinf(value).sum()) if floating else 0,
            }
