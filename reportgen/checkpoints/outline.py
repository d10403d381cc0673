"""The layers a model's description lists, nested models included, without reading how they are connected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reportgen.errors import CheckpointError

MODELS = frozenset({"Sequential", "Functional", "Model"})
NESTING_LIMIT = 12
LAYER_LIMIT = 5000


def is_model(layer: dict[str, Any]) -> bool:
    """Return whether a description is one of a model made of layers; a subclassed model is not."""
    config = layer.get("config")
    if layer.get("class_name") not in MODELS:
        return False
    return isinstance(config, list) or (isinstance(config, dict) and isinstance(config.get("layers"), list))


def is_operation(layer: dict[str, Any]) -> bool:
    """Return whether an entry is a bare function, such as x + y, and no layer."""
    if layer.get("class_name") in {"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"}:
        return True
    module = layer.get("module")
    if isinstance(module, str):
        return module.startswith(("keras.ops", "keras.src.ops"))
    config = layer.get("config")
    # Whole-model HDF5 of Keras 3 leaves the module out; but layers say of what type they are, and functions do not.
    known = {"trainable", "dtype", "batch_shape", "batch_input_shape", "layers"}
    return isinstance(config, dict) and (layer.get("class_name") == "Cast" or not known & set(config))


def layers_of(model: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a model's own layers; Keras up to 2.1 wrote those of a Sequential as a bare list."""
    config = model["config"]
    layers = config if isinstance(config, list) else config["layers"]
    if len(layers) > LAYER_LIMIT:
        raise CheckpointError(f"the architecture has {len(layers)} layers", expected=f"at most {LAYER_LIMIT}")
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("config"), dict | list):
            raise CheckpointError("the architecture lists something that is no layer", received=repr(layer))
    return layers


def layer_name(layer: dict[str, Any]) -> str:
    """Return the user's name of a layer."""
    config = layer["config"]
    name = layer.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return str(name) if name else str(layer.get("class_name", "layer"))


def leaves(model: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (display name, entry) of each layer that is no model, in the order of the file; `backbone/conv1`."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
    for layer in layers_of(model):
        name = prefix + layer_name(layer)
        if is_model(layer):
            yield from leaves(layer, name + "/", depth + 1)
        else:
            yield name, layer


def with_names(model: dict[str, Any], names: Sequence[str] = ()) -> dict[str, Any]:
    """Return a model whose nested models all have names; `names` are those of its own layers, where there is one each.

    Keras up to 2.1 wrote no name for a Sequential; what files of weights call it is known by its place alone.
    """
    if not is_model(model):
        return model
    layers = layers_of(model)
    given = names if len(names) == len(layers) else ()
    renewed = []
    for number, layer in enumerate(layers):
        if is_model(layer):
            layer = with_names(layer)
            if layer_name(layer) == "Sequential":
                layer = {**layer, "name": given[number] if given else f"sequential_{number + 1}"}
        renewed.append(layer)
    config = model["config"]
    return {**model, "config": renewed if isinstance(config, list) else {**config, "layers": renewed}}


def count_layers(model: dict[str, Any]) -> int:
    """Return how many layers a model and those inside it list; raises CheckpointError as soon as they are too many."""
    total, pending = 0, [(model, 0)]
    while pending:
        here, depth = pending.pop()
        if depth > NESTING_LIMIT:
            raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
        layers = layers_of(here)
        total += len(layers)
        if total > LAYER_LIMIT:
            raise CheckpointError(f"the architecture has {total} layers", expected=f"at most {LAYER_LIMIT}")
        pending.extend((layer, depth + 1) for layer in layers if is_model(layer))
    return total
