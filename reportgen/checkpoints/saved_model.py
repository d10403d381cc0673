"""SavedModel folders: the architecture Keras 2 describes beside the graph, and the weights; the graph is never run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.checkpoints.bundle import parts_of, read_bundle
from reportgen.checkpoints.json_text import Json, parse_json
from reportgen.checkpoints.limits import CONFIG_LIMIT, METADATA_LIMIT, size
from reportgen.checkpoints.outline import is_model
from reportgen.checkpoints.stored import StoredModel
from reportgen.checkpoints.tensors import open_regular
from reportgen.checkpoints.training import class_of, loss_of
from reportgen.checkpoints.wire import fields, message, number, text
from reportgen.errors import CheckpointError

GRAPH, METADATA, INDEX = "saved_model.pb", "keras_metadata.pb", "variables/variables.index"
NESTING_LIMIT = 200
NODE_LIMIT = 100_000


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a folder is a SavedModel in which Keras 2 described a model made of layers."""
    return (path / GRAPH).is_file() and _root(_nodes(path)) is not None


def recognise_exported(path: Path, head: bytes) -> bool:
    """Return whether a folder is a SavedModel, of whatever origin."""
    return (path / GRAPH).is_file()


def parts_of_folder(path: Path) -> list[Path]:
    """Return the files a SavedModel is made of: its graph, Keras' description, index and data files."""
    own = [path / name for name in (GRAPH, METADATA) if (path / name).is_file()]
    return own + (parts_of(path / INDEX) if (path / INDEX).is_file() else [])


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return architecture and weights of a folder that Keras 2 wrote."""
    nodes = _nodes(path)
    root = _root(nodes)
    if root is None:
        raise CheckpointError(
            f"{METADATA} describes no model made of layers", expected="a Sequential or functional one"
        )
    described = {"class_name": root["class_name"], "config": root["config"]}
    if isinstance(root.get("build_input_shape"), list):
        described["build_config"] = {"input_shape": root["build_input_shape"]}
    return _read(path, described, nodes)


def read_exported(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return the weights of a folder; names are those of `config`, a borrowed architecture, where there is one."""
    return _read(path, config, _nodes(path))


def _read(path: Path, config: dict[str, Any] | None, nodes: dict[int, Json]) -> StoredModel:
    """Return weights under their names, and what Keras wrote down about their training."""
    index = path / INDEX
    if not index.is_file():
        raise CheckpointError(
            f"{INDEX} is missing",
            expected=f"{GRAPH} and the folder variables beside it",
            advice="A SavedModel is a folder; copy all of it.",
        )
    if Path(os.path.realpath(index.parent)).parent != Path(os.path.realpath(path)):
        raise CheckpointError("the folder variables is a link that leads elsewhere", expected="the folder itself")
    known = {at: node["name"] for at, node in nodes.items() if at and isinstance(node.get("name"), str)}
    stored = read_bundle(index, config, known)
    root = nodes.get(0, {})
    training = root.get("training_config")
    training = training if isinstance(training, dict) else {}
    optimizer = class_of(training["optimizer_config"]) if "optimizer_config" in training else stored.optimizer
    version = root.get("keras_version")
    return StoredModel(
        stored.layers,
        stored.config,
        keras_version=version if isinstance(version, str) else "",
        optimizer=optimizer if "optimizer" in stored.other else "",
        loss=loss_of(training.get("loss")),
        other=stored.other,
    )


def _nodes(path: Path) -> dict[int, Json]:
    """Return what Keras 2 wrote about the objects of the graph, by their numbers in it; the model's is 0."""
    nodes: dict[int, Json] = {}
    for at, kind, said in _described(path):
        if kind.startswith("_tf_keras_") and kind != "_tf_keras_metric":
            metadata = parse_json(said, METADATA, CONFIG_LIMIT if at == 0 else METADATA_LIMIT)
            if isinstance(metadata, dict):
                nodes[at] = _unwrapped(metadata, 0) if at == 0 else {"name": metadata.get("name")}
        if len(nodes) > NODE_LIMIT:
            raise CheckpointError("Keras' description is far too long", expected=f"at most {NODE_LIMIT:,} objects")
    return nodes


def _described(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Yield (number, kind, JSON) of each object Keras described, wherever its description lies."""
    beside = path / METADATA
    try:
        yield from _described_by_keras(beside) if beside.is_file() else _described_inside(path / GRAPH)
    except CheckpointError as error:
        raise CheckpointError(
            f"the SavedModel's description is damaged: {error.problem}",
            expected=f"{GRAPH} and {METADATA} as Keras writes them",
            received=error.received, advice=error.advice or "Copy the whole folder again, or leave it out.",
        ) from error  # fmt: skip


def _described_by_keras(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Yield (number, kind, JSON) of each object of which keras_metadata.pb speaks: TensorFlow 2.5 and later."""
    for _, value in fields(_contents(path)):
        said = dict(fields(message(value)))
        yield number(said.get(2, 0)), text(said.get(4, b"")), message(said.get(5, b"{}"))


def _described_inside(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Yield the same out of the object graph in saved_model.pb, where TensorFlow 2.0 to 2.4 put it."""
    for meta_graph in _all(_contents(path), 2):
        for objects in _all(meta_graph, 7):
            for at, described in enumerate(_all(objects, 1)):
                for user_object in _all(described, 4):
                    said = dict(fields(user_object))
                    yield at, text(said.get(1, b"")), message(said.get(3, b"{}"))


def _all(data: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the messages in the field `wanted` of a message."""
    return (message(value) for field, value in fields(data) if field == wanted)


def _contents(path: Path) -> bytes:
    """Return the bytes of a file that must not be large."""
    with open_regular(path) as file:
        found = os.fstat(file.fileno()).st_size
        if found > CONFIG_LIMIT:
            raise CheckpointError(f"{path.name} has {size(found)}", expected=f"at most {size(CONFIG_LIMIT)}")
        return file.read(CONFIG_LIMIT)


def _root(nodes: dict[int, Json]) -> Json | None:
    """Return what is said of the model itself, where it is made of layers."""
    root = nodes.get(0)
    return root if root is not None and is_model(root) else None


def _unwrapped(value: Json, depth: int) -> Json:
    """Return a JSON value with Keras' wrappers of shapes and tuples turned to lists."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"{METADATA} is nested too deeply", expected=f"at most {NESTING_LIMIT} levels")
    if isinstance(value, list):
        return [_unwrapped(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in {"TensorShape", "__tuple__"} and isinstance(value.get("items"), list):
        return _unwrapped(value["items"], depth + 1)
    return {key: _unwrapped(item, depth + 1) for key, item in value.items()}
