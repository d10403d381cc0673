"""Layers with weights of 8 or 4 bits: Keras' own, made of what the file holds and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from reportgen.checkpoints.cleaning import quantization
from reportgen.errors import NetworkError
from reportgen.network.allocate import FromFile
from reportgen.network.engine import Option, Tensor

CLASSES = frozenset({"Dense", "EinsumDense", "Embedding"})
CONFIGS: dict[str, Any] = {
    "int8": keras.quantizers.Int8QuantizationConfig,
    "int4": keras.quantizers.Int4QuantizationConfig,
    "float8": keras.quantizers.Float8QuantizationConfig,
}
"""Mode → what Keras describes it by; gptq and awq need a calibration that is not in the file."""


def is_quantized(class_name: str, config: dict[str, Option]) -> bool:
    """Return whether a layer of this class and these options holds quantised weights."""
    return class_name in CLASSES and bool(quantization(config.get("dtype")))


def sized(make: Callable[..., Any], initial: FromFile | None) -> Callable[..., Any]:
    """Return a class whose every weight is made by `initial`: quantised layers choose initialisers of their own."""
    if initial is None:
        return make

    class Sized(make):  # type: ignore[misc, valid-type]
        """A quantised layer whose weights have shapes that are in the file."""

        def add_weight(self, *args: Any, **options: Any) -> Tensor:
            """Return a weight in zeros; raises ValueError for a shape the file does not have."""
            return super().add_weight(*args, **{**options, "initializer": initial})

    return Sized


def quantization_config(config: dict[str, Option], shown: str) -> Option:
    """Return how a layer is quantised, made of the allowed parts alone; None where the file does not say.

    Raises NetworkError, naming the layer, for a way that cannot be rebuilt.
    """
    mode, described = quantization(config.get("dtype")), config.get("quantization_config")
    if mode not in CONFIGS:
        raise NetworkError(
            f"layer {shown} is quantised by {mode}, which cannot be rebuilt",
            where=shown,
            expected=", ".join(CONFIGS),
            received=mode,
            advice="Its arrays can still be read.",
        )
    if not isinstance(described, dict):
        return None
    options = described.get("config")
    options = options if isinstance(options, dict) else {}
    if mode == "float8":
        return CONFIGS[mode]()
    chosen: dict[str, Any] = {
        f"{of}_quantizer": _quantizer(options.get(f"{of}_quantizer"), shown) for of in ("weight", "activation")
    }
    if mode == "int4":
        chosen["block_size"] = options.get("block_size")
    try:
        return CONFIGS[mode](**chosen)
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"layer {shown} is quantised in a way Keras refuses", where=shown, received=str(error)
        ) from error


def _quantizer(described: Option, shown: str) -> Option:
    """Return the quantiser of weights or of what goes in: AbsMaxQuantizer, the only one Keras has for these modes."""
    if described is None:
        return None
    options = described.get("config") if isinstance(described, dict) else None
    if not isinstance(options, dict) or described.get("class_name") != "AbsMaxQuantizer":
        raise NetworkError(
            f"layer {shown} is quantised by something that is not built in",
            where=shown,
            expected="AbsMaxQuantizer",
            received=str(described)[:200],
        )
    known = ("axis", "value_range", "epsilon", "output_dtype")
    try:
        return keras.quantizers.AbsMaxQuantizer(**{key: options[key] for key in known if key in options})
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"the quantiser of layer {shown} cannot be made", where=shown, received=str(error)
        ) from error
