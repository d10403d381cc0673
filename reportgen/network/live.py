"""A network as a live Keras model, from the user's code or from Keras itself: measured without taking it apart.

Imports Keras, as `build` does: import it after `start_tensorflow`, which sets how TensorFlow runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError
from reportgen.extraction.measurement import Layer, Measurement
from reportgen.network.engine import KerasLayer, Tensor, start_tensorflow
from reportgen.network.inputs import Fit
from reportgen.network.live_input import build_live, fit_live, input_dtype, leaves
from reportgen.network.live_weights import match, named, put
from reportgen.network.network import checked
from reportgen.network.streaming import Keep, Stream, streamed
from reportgen.network.sublayers import Live, open_up, walk
from reportgen.network.taps import origins
from reportgen.network.trace import Trace, run
from reportgen.network.words import activation_of, hands_on, shown_options


@dataclass(frozen=True)
class LiveNetwork:
    """A live model, traced once, ready to measure every checkpoint whose arrays are its own."""

    tree: Live
    layers: tuple[Layer, ...]
    """The layer table; `weights` are the names that `named` gives the arrays."""
    names: Mapping[int, str]
    """id of a Live → its name, in the order of the first calls."""
    kept: tuple[tuple[str, bool], ...]
    """(name, channels first) of the results that are handed over."""
    function: Callable[[Tensor], list[Tensor]]
    """From a batch of inputs to the kept results, the prediction and, where it can be had, the scores."""
    fit: Fit
    batch: int | None
    """Probes that must go in at once; None for any number."""
    bytes_per_probe: int
    output_activation: str
    scored: bool
    other_outputs: tuple[str, ...]
    notes: tuple[str, ...]
    """What is not shown, and why."""
    trace: Trace
    """Of what further functions are traced, when asked for."""
    compiled: bool

    def measure(self, stored: StoredModel, inputs: NDArray[np.generic], keep: Keep | None = None) -> Measurement:
        """Return activations and predictions of the probes under a checkpoint's weights, in inference mode.

        `inputs` is `(probe, …)` as prepared, `keep` as in `Network.measure`. Raises NetworkError where the weights
        are not this network's; nothing has been changed then.
        """
        found = match(self.tree, stored)
        put(found)
        names = [*(name for name, _ in self.kept), "the output", "the scores"]

        def results(places: NDArray[np.int64]) -> list[NDArray[np.float32]]:
            batch = inputs[places]
            batch = np.moveaxis(batch, -1, 1) if self.fit.channels_first else batch
            given = run(self.function, np.ascontiguousarray(batch.reshape(len(batch), *self.fit.shape)))
            return checked(given, names, len(places))

        table = {layer.name: layer for layer in self.layers}
        seen = streamed(
            Stream(len(inputs), results, self.kept, table, self.bytes_per_probe, self.batch), keep
        )  # fmt: skip
        return Measurement(
            layers=self.layers,
            activations=seen.activations,
            predictions=seen.ends[0],
            scores=seen.ends[1] if self.scored else None,
            output_activation=self.output_activation,
            other_outputs=self.other_outputs,
            notes=(*found.notes, *self.notes),
            shown=seen.shown,
            statistics=seen.statistics,
            compared=seen.compared,
            grams=seen.grams,
        )

    def named(self, stored: StoredModel) -> StoredModel:
        """Return a checkpoint with its arrays under the names of the layer table: what is to be written of it.

        Files keep the arrays of all layers inside a custom layer in one heap; here each layer has its own. Raises
        NetworkError as `measure` does.
        """
        return named(self.tree, self.names, stored)


def open_live(model: KerasLayer, stored: StoredModel, input_shape: tuple[int, ...]) -> LiveNetwork:
    """Return a live model ready to measure checkpoints such as `stored`, for probes of `input_shape`.

    Every leaf layer is listened to inside one trace; custom layers and models of the user's are looked into, and a
    custom layer made of layers gets a row of its own behind theirs. Bare functions between layers are computed but
    not shown. The model's weights become those of the checkpoint measured last; nothing else about it changes.

    Raises NetworkError where the model cannot be run on the probes or its arrays are not those of the file.
    """
    start_tensorflow()
    import tensorflow as tf

    formats = [layer.data_format for layer in leaves(model) if hasattr(layer, "data_format")]
    compiled = "channels_first" in formats  # on a CPU such convolutions exist only when compiled
    turned = formats[:1] == ["channels_first"]
    fit = fit_live(model, tuple(int(n) for n in input_shape), channels_first=turned)
    build_live(model, fit, compiled=compiled)
    tree = open_up(model)
    found = match(tree, stored)
    put(found)
    lives = [live for live in walk(tree) if _shown(live, tree)]
    names = _names(tree, found.words)
    dtype = input_dtype(model)
    batch, error = None, None
    for batch in (None, 1):
        trace = Trace(model, tree, lives, names)
        function = tf.function(
            trace, input_signature=[tf.TensorSpec((batch, *fit.shape), dtype)], jit_compile=compiled, autograph=False
        )
        try:
            # Code that asks for the number of images as a number gets them one by one.
            results = run(function, np.zeros((batch or 2, *fit.shape), dtype.as_numpy_dtype))
            break
        except NetworkError as failed:
            error = error or failed
    else:
        raise error or NetworkError("the model cannot be run")
    return _network(tree, trace, results, function, fit, batch, compiled)


def _shown(live: Live, tree: Live) -> bool:
    """Return whether a layer gets a row: models made of layers are flat, inputs are one row of their own."""
    if live.is_model or type(live.layer).__name__ == "InputLayer":
        return False
    return live is not tree or bool(live.own)


def _names(tree: Live, words: dict[int, tuple[str, ...]]) -> dict[int, str]:
    """Return a display name for each layer, no two the same: as in the file, else as Keras calls it."""
    names: dict[int, str] = {id(tree): str(tree.layer.name)}
    taken = set(names.values())

    def name(live: Live, path: tuple[str, ...]) -> None:
        for held in live.inner:
            if id(held.live) in names:
                continue
            own = words.get(id(held.live)) or (*path, held.name)
            shown, number = "/".join(own), 2
            while shown in taken:
                shown, number = f"{'/'.join(own)} ({number})", number + 1
            taken.add(shown)
            names[id(held.live)] = shown
            name(held.live, own)

    name(tree, ())
    return names


def _network(
    tree: Live,
    trace: Trace,
    results: list[NDArray[np.float32]],
    function: Any,
    fit: Fit,
    batch: int | None,
    compiled: bool,
) -> LiveNetwork:
    """Return the network of a trace and what it gave for empty images."""
    import tensorflow as tf

    count = batch or 2
    entry = _entry(tree)
    known = {tensor.name: name for name, _, tensor in trace.tapped}
    shape = (*fit.shape[1:], fit.shape[0]) if fit.channels_first else fit.shape
    table = [Layer(entry, "", "InputLayer", (), shape, 0, None, "linear")]
    turned = {entry: fit.channels_first}
    kept: list[int] = []
    names: dict[int, str] = {}
    for i, (name, tapped, tensor) in enumerate(trace.tapped):
        # What a custom layer made of layers takes is told by what its result was computed from.
        sources = tapped.given if tapped.live.leaf else tuple(tensor.op.inputs)
        inputs = origins(sources, known | {trace.entry.name: entry})
        said = tapped.call.config.get("data_format")
        turned[name] = said == "channels_first" or (
            not said and tapped.call.class_name != "Permute" and any(turned.get(before) for before in inputs)
        )
        shape = tuple(int(n) for n in results[i].shape[1:]) or (1,)
        table.append(
            Layer(
                name=name,
                weights=trace.names[id(tapped.live)] if tapped.live.own else "",
                class_name=tapped.call.class_name,
                inputs=inputs,
                output_shape=(*shape[1:], shape[0]) if turned[name] and len(shape) > 1 else shape,
                parameters=0 if id(tapped.live) in names else sum(int(np.prod(w.shape)) for w in tapped.live.own),
                trainable=tapped.call.trainable,
                activation=activation_of(tapped.call),
                config=shown_options(tapped.call),
            )
        )
        names[id(tapped.live)] = trace.names[id(tapped.live)]
        if not hands_on(tapped.call) and results[i].ndim and len(results[i]) == count:
            kept.append(i)
    chosen = [*kept, *range(len(trace.tapped), len(results))]

    def measured(x: Tensor) -> list[Tensor]:
        everything = function(tf.cast(x, trace.entry.dtype))
        return [everything[i] for i in chosen]

    return LiveNetwork(
        tree=tree,
        layers=tuple(table),
        names=names | {key: name for key, name in trace.names.items() if key not in names},
        kept=tuple((trace.tapped[i][0], turned[trace.tapped[i][0]]) for i in kept),
        function=measured,
        fit=fit,
        batch=batch,
        bytes_per_probe=4 * sum(result.size // count for result in results),
        output_activation=trace.activation,
        scored=trace.scored,
        other_outputs=trace.others,
        notes=_notes(trace),
        trace=trace,
        compiled=compiled,
    )


def _notes(trace: Trace) -> tuple[str, ...]:
    """Return a sentence on the layers that ran and are not in the table, if there are any."""
    if not trace.hidden:
        return ()
    more = f" and {len(trace.hidden) - 3} more" if len(trace.hidden) > 3 else ""
    return (
        f"{', '.join(trace.hidden[:3])}{more} ran inside a loop or a tf.function of the model's own code, which hands "
        "out no results of its layers: they are not shown.",
    )


def _entry(tree: Live) -> str:
    """Return a name for the input that no layer has."""
    own = [held.name for held in tree.inner if type(held.live.layer).__name__ == "InputLayer"]
    return own[0] if len(own) == 1 else "input"
