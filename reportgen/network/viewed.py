"""Views of both kinds of network: rebuilt from its description, and live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import NetworkError
from reportgen.network.network import Network
from reportgen.network.view import Floats, Images, Slopes, View, batch_size, cam_layer, derivative, unturned

if TYPE_CHECKING:
    from reportgen.network.live import LiveNetwork

Shape = tuple[int, int, int]
_FLOATS = "the input takes whole numbers, by which there is no derivative"


def view_of(
    network: Network | LiveNetwork, inputs: Mapping[str, Images], image: Sequence[str], shape: Shape,
    layer: str | None = None,
) -> View:  # fmt: skip
    """Return the view of a network whose `inputs` are by name, of which `image` get the prepared picture.

    Two functions are traced, each when it is first asked. Raises NetworkError where no input gets the picture.
    """
    if isinstance(network, Network):
        return _rebuilt(network, inputs, image, shape, layer)
    return _live(network, shape, layer)


def _rebuilt(
    network: Network, inputs: Mapping[str, Images], image: Sequence[str], shape: Shape, layer: str | None
) -> View:
    import keras
    import tensorflow as tf

    symbols = network.symbols
    scores = symbols.prediction if symbols.scores is None else symbols.scores
    names = network.input_names(inputs)
    pictured = [i for i, name in enumerate(names) if name in image]
    if not pictured:
        raise NetworkError("no input of the network gets the prepared image")
    entries = list(symbols.entries)
    kinds = [tf.as_dtype(entry.dtype) for entry in entries]
    chosen = cam_layer(network.layers, [name for name, _ in network.kept], layer)
    turned = dict(network.kept)
    answers = keras.Model(entries, [symbols.prediction, scores])
    inner = keras.Model(entries, [scores, *([symbols.kept[chosen]] if chosen else [])])
    signature = [tf.TensorSpec((None, *entry.shape[1:]), kind) for entry, kind in zip(entries, kinds, strict=True)]
    units = int(np.prod([n or 1 for n in scores.shape[1:]]))

    def answer(*batches: Any) -> list[Any]:
        return [_flat(result) for result in answers(list(batches), training=False)]

    def slope(weighting: Any, *batches: Any) -> list[Any]:
        results = inner(list(batches), training=False)
        results = results if isinstance(results, list) else [results]
        score = tf.reduce_sum(weighting * _flat(results[0]), axis=1)
        found = derivative(score, [*(batches[i] for i in pictured), *results[1:]])
        return [score, *found[: len(pictured)], *(tf.cast(r, tf.float32) for r in results[1:]), *found[len(pictured) :]]

    answer = tf.function(answer, input_signature=signature, jit_compile=symbols.compiled, autograph=False)
    weights = tf.TensorSpec((None, units), tf.float32)
    slope = tf.function(slope, input_signature=[weights, *signature], jit_compile=symbols.compiled, autograph=False)

    def fed(images: Images, probes: NDArray[np.int64]) -> list[Any]:
        return [
            tf.cast(tf.constant(fit.turn(flattened(images) if i in pictured else inputs[name][probes])), kind)
            for i, (fit, name, kind) in enumerate(zip(network.fits, names, kinds, strict=True))
        ]

    def predicted(images: Images, probes: NDArray[np.int64]) -> tuple[Floats, Floats]:
        prediction, scores = (np.asarray(result) for result in answer(*fed(images, probes)))
        return prediction, scores

    def sloped(images: Images, probes: NDArray[np.int64], weighting: Floats) -> Slopes:
        if not all(kinds[i].is_floating for i in pictured):
            raise NetworkError(_FLOATS)
        score, *rest = (np.asarray(r) for r in slope(tf.constant(weighting), *fed(images, probes)))
        by_image = np.sum([unturned(g, network.fits[i], shape) for i, g in zip(pictured, rest, strict=False)], axis=0)
        maps = [np.moveaxis(r, 1, -1) if turned[chosen] else r for r in rest[len(pictured) :]]
        return Slopes(score, by_image, *(maps or (None, None)))

    given = np.asarray(inputs[names[pictured[0]]])

    def flattened(images: Images) -> Images:
        return images.reshape(len(images), *given.shape[1:])

    own: dict[str, tuple[Any, ...]] = {}
    for call in network.graph.calls:
        if call.layer in network.pairing.layers and network.pairing.layers[call.layer].weights:
            own.setdefault(call.layer, tuple(network.pairing.layers[call.layer].weights))
    why = "" if symbols.scores is not None else _hidden(network.head.activation)
    return View(shape, chosen, tuple(own.values()), batch_size(network.bytes_per_probe), predicted, sloped, why)


def _live(network: LiveNetwork, shape: Shape, layer: str | None) -> View:
    import tensorflow as tf

    from reportgen.network.live_input import input_dtype
    from reportgen.network.trace import Trace, run

    kept = [name for name, _ in network.kept]
    chosen = cam_layer(network.layers, kept, layer)
    before, fit = network.trace, network.fit
    kind = input_dtype(before.model)

    def slope(x: Any, weighting: Any) -> list[Any]:
        trace = Trace(before.model, before.tree, before.lives, before.names)
        results = trace(x)
        score = tf.reduce_sum(weighting * _flat(results[-1]), axis=1)
        maps = [tensor for name, _, tensor in trace.tapped if name == chosen]
        found = derivative(score, [x, *maps])
        return [score, found[0], *(tf.cast(m, tf.float32) for m in maps), *found[1:]]

    traced = tf.function(
        slope,
        input_signature=[
            tf.TensorSpec((network.batch, *fit.shape), kind), tf.TensorSpec((network.batch, None), tf.float32)
        ],
        jit_compile=network.compiled, autograph=False,
    )  # fmt: skip

    def predicted(images: Images, probes: NDArray[np.int64]) -> tuple[Floats, Floats]:
        ends = run(network.function, fit.turn(images))[len(kept) :]
        prediction, *scores = (end.reshape(len(images), -1) for end in ends)
        return prediction, scores[0] if scores else prediction

    def sloped(images: Images, probes: NDArray[np.int64], weighting: Floats) -> Slopes:
        if not kind.is_floating:
            raise NetworkError(_FLOATS)
        score, by_image, *maps = run(
            lambda x: traced(tf.cast(x, kind), tf.constant(weighting)), fit.turn(images)
        )  # fmt: skip
        maps = [np.moveaxis(m, 1, -1) if dict(network.kept)[chosen] else m for m in maps]
        return Slopes(score, unturned(by_image, fit, shape), *(maps or (None, None)))

    own = tuple(tuple(live.own) for live in before.lives if live.own)
    why = "" if network.scored else _hidden(network.output_activation)
    return View(shape, chosen, own, network.batch or batch_size(network.bytes_per_probe), predicted, sloped, why)


def _hidden(activation: str) -> str:
    return f"the value before the last activation function ({activation}) cannot be had of this network"


def _flat(tensor: Any) -> Any:
    """Return a result as `(image, unit)` in float32."""
    import tensorflow as tf

    return tf.reshape(
        tf.cast(tensor, tf.float32), (tf.shape(tensor)[0], int(np.prod([n or 1 for n in tensor.shape[1:]])))
    )
