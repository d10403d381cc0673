"""A network built once; the weights of each checkpoint are swapped in and the probes run through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.architecture import architecture_signature, read_graph
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.renaming import renamed
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.suggest import did_you_mean
from reportgen.errors import CheckpointError, NetworkError, printable
from reportgen.extraction.measurement import Layer, Measurement
from reportgen.network.engine import Tensor, start_tensorflow
from reportgen.network.head import Head, find_head
from reportgen.network.inputs import Fit, assign, fit_input
from reportgen.network.pairing import Pairing, meant_inputs
from reportgen.network.streaming import Keep, Stream, streamed
from reportgen.network.table import channels_first_calls, layer_table
from reportgen.network.wording import in_words
from reportgen.network.words import hands_on

log = logging.getLogger(__name__)

INPUT_LIMIT = 65536
"""Pixels a side."""


@dataclass(frozen=True)
class Symbols:
    """The symbolic tensors of a built network: further functions are traced from them when asked for."""

    entries: tuple[Tensor, ...]
    kept: dict[str, Tensor]
    """Results of the layers that are handed over, by name."""
    prediction: Tensor
    scores: Tensor
    """None where they cannot be had."""
    compiled: bool
    """Whether functions must be compiled."""


@dataclass(frozen=True)
class Network:
    """One architecture, ready to measure every checkpoint that has it."""

    signature: str
    """Of the architecture; equal to `architecture_signature` of each checkpoint it can measure."""
    graph: Graph
    fits: tuple[Fit, ...]
    """Of each of `graph.inputs`."""
    head: Head
    other_outputs: tuple[str, ...]
    """Names of the outputs that are not the prediction."""
    layers: tuple[Layer, ...]
    """The layer table."""
    kept: tuple[tuple[str, bool], ...]
    """(name, channels first) of the results that are handed over."""
    pairing: Pairing
    """Its variables, and whose array goes into which."""
    function: Callable[..., list[Tensor]]
    """From a batch for each input to the results."""
    bytes_per_probe: int
    symbols: Symbols

    def input_names(self, given: Mapping[str, object]) -> list[str]:
        """Return under which name of `given` each input finds what it gets."""
        return assign(meant_inputs(self.graph, self.graph), {name: name for name in given})

    def measure(
        self,
        stored: StoredModel,
        inputs: NDArray[np.generic] | Mapping[str, NDArray[np.generic]],
        keep: Keep | None = None,
    ) -> Measurement:
        """Return activations and predictions of the probes under a checkpoint's weights, in inference mode.

        `inputs` is `(probe, …)` as prepared; for several inputs one array for each, by name, and under no name what
        the one without a name gets. With `keep`, not all activations are kept, and statistics of all are counted.
        Raises NetworkError where the weights are not this network's.
        """
        entries = self.pairing.swap(stored)
        return _measurement(self, assign(entries, inputs if isinstance(inputs, Mapping) else {"": inputs}), keep)


def open_network(
    stored: StoredModel,
    input_shape: tuple[int, ...] | Mapping[str, tuple[int, ...]],
    first: Graph | None = None,
    prediction: str | None = None,
) -> Network:
    """Return the network of a checkpoint for probes of `input_shape`, `(y, x, channel)` or `(feature,)`.

    For several inputs these are by name, as in `Network.measure`. Its layers have the names of `first`, the graph of
    another checkpoint of the same architecture, where given. `prediction` names the output that is the answer.

    Raises NetworkError where the architecture is not in the file, holds something that is not built in, takes
    other inputs or lacks the output.
    """
    try:
        own = read_graph(stored)
    except CheckpointError as error:
        raise NetworkError(
            error.problem, expected=error.expected, received=error.received, advice=error.advice
        ) from error
    graph, signature = first or own, architecture_signature(stored)
    stored = renamed(stored, own, graph)
    entries = meant_inputs(own, graph)
    shapes = assign(entries, input_shape if isinstance(input_shape, Mapping) else {"": input_shape})
    chosen = _named(graph, prediction)

    start_tensorflow()
    from reportgen.network.build import build

    turned = channels_first_calls(graph)
    fits = tuple(
        fit_input(
            call.config["shape"],
            tuple(int(n) for n in shape),
            channels_first=graph.calls.index(call) in turned,
            limit=INPUT_LIMIT,
            name=entry.layer if isinstance(input_shape, Mapping) and entry.layer in input_shape else "",
        )
        for call, entry, shape in zip(graph.inputs, entries, shapes, strict=True)
    )
    head = find_head(graph, chosen or 0)
    built = build(graph, stored, fits, head)
    if chosen is None:
        chosen = _answer([built.results[ref.call][ref.output] for ref in graph.outputs])
        if chosen:  # scores are built in, so that another answer is another build
            head = find_head(graph, chosen)
            built = build(graph, stored, fits, head)
    answer = graph.outputs[chosen]
    others = tuple(name for i, name in enumerate(graph.output_names) if i != chosen)
    if others and prediction is None:
        log.warning(
            "%s is taken for the prediction; of %s only the activations are shown",
            printable(graph.output_names[chosen]), printable(", ".join(others)),
        )  # fmt: skip
    # A result of one number a probe is a vector of length one.
    results_of = [tuple(tensors[0].shape[1:]) or (1,) for tensors in built.results]
    kept = [i for i, call in enumerate(graph.calls) if not hands_on(call)]
    prediction = built.results[answer.call][answer.output]
    results = [*(built.results[i][0] for i in kept), prediction]
    if head.known:
        results.append(built.scores)
    return Network(
        signature=signature,
        graph=graph,
        fits=fits,
        head=head,
        other_outputs=others,
        layers=layer_table(graph, stored, results_of, turned),
        kept=tuple((graph.calls[i].name, i in turned) for i in kept),
        pairing=Pairing(signature, graph, built.layers),
        function=_traced(built.inputs, results, compiled=bool(turned)),
        symbols=Symbols(
            tuple(built.inputs),
            {graph.calls[i].name: built.results[i][0] for i in kept},
            prediction,
            built.scores if head.known else None,
            bool(turned),
        ),
        bytes_per_probe=4 * sum(int(np.prod([n or 1 for n in r.shape[1:]])) for r in results),
    )


def _named(graph: Graph, prediction: str | None) -> int | None:
    """Return which output has this name; None where there is only one, or none was named."""
    if prediction is None or len(graph.outputs) == 1:
        return None
    if prediction not in graph.output_names:
        raise NetworkError(
            f"the network has no output called {prediction}", expected=", ".join(graph.output_names),
            received=f"task.prediction: {prediction}", advice=did_you_mean(prediction, graph.output_names),
        )  # fmt: skip
    return graph.output_names.index(prediction)


def _answer(outputs: list[Tensor]) -> int:
    """Return which output is the prediction: the first that is a vector, or the first where all are images."""
    return next((i for i, tensor in enumerate(outputs) if len(tensor.shape) <= 2), 0)


def _traced(entries: Sequence[Tensor], results: list[Tensor], *, compiled: bool) -> Callable[..., list[Tensor]]:
    """Return the function from a batch for each input to the list of results, in inference mode and float32."""
    import keras
    import tensorflow as tf

    model = keras.Model(list(entries), results)
    # Convolutions over (channel, y, x) exist on a CPU only when compiled.
    function: Callable[..., list[Tensor]] = tf.function(
        lambda *batches: [tf.cast(result, tf.float32) for result in model(list(batches), training=False)],
        input_signature=[tf.TensorSpec((None, *entry.shape[1:]), tf.as_dtype(entry.dtype)) for entry in entries],
        jit_compile=compiled,
        autograph=False,
    )
    return function


def _measurement(network: Network, inputs: Sequence[NDArray[np.generic]], keep: Keep | None) -> Measurement:
    """Return the results of all probes, computed in batches that fit into memory, channels last."""
    table = {layer.name: layer for layer in network.layers}
    stream = Stream(
        len(inputs[0]), lambda places: _results(network, inputs, places), network.kept, table, network.bytes_per_probe
    )
    found = streamed(stream, keep)
    return Measurement(
        layers=network.layers,
        activations=found.activations,
        predictions=found.ends[0],
        scores=found.ends[1] if network.head.known else None,
        output_activation=network.head.activation,
        other_outputs=network.other_outputs,
        shown=found.shown,
        statistics=found.statistics,
        compared=found.compared,
        grams=found.grams,
    )


def _results(
    network: Network, inputs: Sequence[NDArray[np.generic]], places: NDArray[np.int64]
) -> list[NDArray[np.float32]]:
    """Return what the network gives for some probes, as its function does."""
    import tensorflow as tf

    try:
        tensors = [
            tf.cast(tf.constant(fit.turn(array[places])), tf.as_dtype(call.config["dtype"]))
            for array, fit, call in zip(inputs, network.fits, network.graph.inputs, strict=True)
        ]
        results = [np.asarray(result) for result in network.function(*tensors)]
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise NetworkError("the network cannot be run on the probes", received=in_words(error)) from error
    return checked(results, [*(name for name, _ in network.kept), "the output", "the output"], len(places))


def checked(results: list[NDArray[np.float32]], names: Sequence[str], count: int) -> list[NDArray[np.float32]]:
    """Return results, `(probe, …)` each and two axes at least; raises NetworkError where one is not by probe."""
    for name, result in zip(names, results, strict=False):
        if 0 in result.shape[1:]:  # where the size of an axis is known only now
            raise NetworkError(f"{name} gives no number at all", where=name, received=str(result.shape[1:]))
        if result.shape[:1] != (count,):
            raise NetworkError(
                f"{name} has no result for each probe by itself", where=name, expected=f"({count}, …)",
                received=str(result.shape), advice="It mixes the images of a batch, or drops their axis.",
            )  # fmt: skip
    return [result[:, None] if result.ndim == 1 else result for result in results]
