"""The layer table of a built network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.stored import StoredModel
from reportgen.extraction.measurement import Layer
from reportgen.extraction.outline import outline
from reportgen.network.words import activation_of, shown_options

SPATIAL = ("Conv", "Pool", "UpSampling", "ZeroPadding", "Cropping", "SpatialDropout")


def channels_first_calls(graph: Graph) -> frozenset[int]:
    """Return the calls whose results are `(channel, y, x)`: layers told so, and what takes input from such."""
    said = {i: c.config["data_format"] for i, c in enumerate(graph.calls) if _says_format(c.class_name, c.config)}
    found = {number for number, word in said.items() if word == "channels_first"}
    if not found:
        return frozenset()
    for number, call in enumerate(graph.calls):
        if number in said:
            continue
        if call.kind == "input":
            # An input is laid out as the first layer with a word on it takes it.
            first = next((said[i] for i in sorted(said) if i > number), "")
            if first == "channels_first":
                found.add(number)
        elif call.class_name != "Permute" and any(ref.call in found for ref in call.inputs):
            found.add(number)
    return frozenset(found)


def _says_format(class_name: str, config: Mapping[str, object]) -> bool:
    """Return whether a layer is one over pixels and says where its channels are."""
    return any(word in class_name for word in SPATIAL) and config.get("data_format") is not None


def layer_table(
    graph: Graph, stored: StoredModel, shapes: list[tuple[int | None, ...]], channels_first: frozenset[int]
) -> tuple[Layer, ...]:
    """Return one Layer a call; `shapes` are those of the results, without the batch axis."""
    table = []
    for number, (call, row, shape) in enumerate(zip(graph.calls, outline(stored, graph), shapes, strict=True)):
        if number in channels_first and len(shape) > 1:
            shape = (*shape[1:], shape[0])
        table.append(replace(row, output_shape=shape, activation=activation_of(call), config=shown_options(call)))
    return tuple(table)
