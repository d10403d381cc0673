"""From a layer's configuration of any era to the options its arithmetic depends on."""

from __future__ import annotations

from typing import Any

from reportgen.checkpoints.json_text import Json
from reportgen.checkpoints.outline import is_model, leaves
from reportgen.errors import CheckpointError

STRING_LIMIT = 2000
DEPTH_LIMIT = 12
_TRAINING_ONLY = frozenset({
    "name", "trainable", "batch_input_shape", "batch_shape", "build_input_shape", "build_config", "compile_config",
    "module", "registered_name", "shared_object_id", "inbound_nodes", "input_shape", "input_dtype", "input_dim",
    "input_length", "autocast", "momentum", "renorm", "renorm_clipping", "renorm_momentum", "synchronized", "fused",
    "virtual_batch_size", "adjustment", "seed", "noise_shape", "sparse", "ragged", "optional", "rng_type",
    "quantization_config", "gptq_unquantized_layers", "lora_rank", "lora_alpha",
    "implementation", "unroll", "use_cudnn", "dynamic", "trainable_weights", "force_generator", "l1", "l2",
})  # fmt: skip
"""Options that do not bear on a forward pass in inference mode."""
_SUFFIXES = ("_initializer", "_regularizer", "_constraint", "_dropout", "dropout")
_PARTS = frozenset({"layer", "backward_layer", "cell"})
"""Options that are layers themselves."""


def clean(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a layer that bear on its results, as plain values."""
    options = {
        key: _value(key, value)
        for key, value in config.items()
        if (key not in _TRAINING_ONLY or (class_name, key) == ("Embedding", "input_dim"))
        and not key.endswith(_SUFFIXES)
    }
    if class_name == "Embedding" and "input_dim" in config:
        options["input_dim"] = config["input_dim"]  # in every other layer it only repeats the shape of the input
    if class_name in {"GRU", "GRUCell"}:
        options.setdefault("reset_after", False)  # Keras before 2.1.3 knew nothing else, and did not write it
    if "dtype" in options:
        options["dtype"] = policy(config["dtype"])
        if quantization(config["dtype"]):
            options["quantization_config"] = plain(config.get("quantization_config"))
    axis = options.get("axis")
    if "BatchNormalization" in class_name and isinstance(axis, list) and len(axis) == 1:
        options["axis"] = axis[0]  # Keras 2 writes a list, Keras 3 takes only a number
    return options


def plain(value: Json, depth: int = 0) -> Json:
    """Return a JSON value with Keras' wrappers of tuples, arrays and shapes taken off."""
    if depth > DEPTH_LIMIT:
        raise CheckpointError("a layer's configuration is nested too deeply", expected=f"at most {DEPTH_LIMIT} levels")
    if isinstance(value, str) and len(value) > STRING_LIMIT:
        raise CheckpointError("a layer's configuration holds an overlong text", expected=f"at most {STRING_LIMIT}")
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if value.get("class_name") in {"TensorShape", "__tuple__"} and isinstance(value.get("items"), list):
            return plain(value["items"], depth + 1)
        if value.get("class_name") in {"__numpy__", "__tensor__"} and isinstance(value.get("config"), dict):
            return plain(value["config"].get("value"), depth + 1)
        if value.get("type") == "ndarray" and "value" in value:
            return plain(value["value"], depth + 1)
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    return value


def _value(key: str, value: Json) -> Json:
    """Return one option; a layer inside a layer keeps its class and its own cleaned options."""
    if "activation" in key:
        return activation(value)
    if key == "cells" and isinstance(value, list):
        return [_value("cell", item) for item in value]
    if key in _PARTS and isinstance(value, dict) and isinstance(value.get("config"), dict):
        name, own = str(value.get("class_name")), value["config"].get("name")
        # Arrays of a layer inside a layer are found by its name.
        named = {"name": own} if isinstance(own, str) and own and "/" not in own else {}
        return {"class_name": name, "config": clean(name, value["config"]), **named}
    return plain(value)


def activation(value: Json) -> Json:
    """Return an activation as a name, or as {class_name, config} where it is a layer.

    A function of the user's gets a name no built-in one has, whatever its own is.
    """
    if value is None or isinstance(value, str):
        return value or "linear"
    if not isinstance(value, dict):
        return f"unreadable {value!r}"
    name, config, module = value.get("class_name"), value.get("config"), str(value.get("module") or "")
    if name == "function" or isinstance(config, str):
        return config if module.startswith("keras") else f"custom {config}"
    if isinstance(config, dict):
        if set(config) <= {"name"}:  # a function written like an object
            return str(config.get("name") or name)
        return {"class_name": str(name), "config": clean(str(name), config)}
    return f"custom {name}"


def policy(value: Json) -> str:
    """Return the name of a dtype policy, such as mixed_float16 or int8_from_float32."""
    if isinstance(value, dict):
        config = value.get("config")
        config = config if isinstance(config, dict) else {}
        default = config.get("default_policy")
        if default is not None:
            return policy(default)
        if isinstance(config.get("mode"), str):
            return f"{config['mode']}_from_{config.get('source_name') or 'float32'}"
        return str(config.get("name") or "float32")
    return str(value or "float32")


def in_bfloat16(model: dict[str, Any] | None) -> frozenset[str] | None:
    """Return the display names of the layers whose weights are bfloat16, or None where no description says it.

    Keras 2 writes these numbers as two opaque bytes each, and not of what kind they are.
    """
    if model is None or not is_model(model):
        return None
    known = ((name, layer["config"]) for name, layer in leaves(model))
    return frozenset(
        name for name, options in known if isinstance(options, dict) and policy(options.get("dtype")) == "bfloat16"
    )


def quantization(value: Json) -> str:
    """Return how a dtype policy quantises: int8, int4, float8, gptq, awq; empty where it does not."""
    mode, joined, _ = policy(value).partition("_from_")
    return mode.partition("/")[0] if joined else ""
