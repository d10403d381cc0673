"""From the description in a file to a Graph: Sequential and functional models, nested ones made flat."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from reportgen.checkpoints.cleaning import clean, plain
from reportgen.checkpoints.connections import Link, Use, ends_of, links, links_in, resolve, shifts_of, uses_of
from reportgen.checkpoints.graph import Call, Graph, Ref, graph_signature
from reportgen.checkpoints.json_text import Json
from reportgen.checkpoints.ordering import Budget, in_order
from reportgen.checkpoints.outline import NESTING_LIMIT, is_model, is_operation, layer_name, layers_of
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError

OUTPUT_LIMIT = 1000

Described = dict[str, Any]


def read_graph(stored: StoredModel) -> Graph:
    """Return the architecture of a stored model.

    Raises CheckpointError where there is none, where the model is neither a Sequential nor functional, or where
    its connections lead nowhere.
    """
    model = stored.config
    if model is None:
        raise CheckpointError(
            "the file holds weights alone",
            expected="an architecture",
            advice="Put a whole model of the same network, or its architecture as JSON, into the folder.",
        )
    if not is_model(model):
        raise CheckpointError(
            f"the model is a subclass of its own, {model.get('class_name')}",
            expected="a Sequential or a functional model",
            advice="How such a model computes is written in Python, not in the file.",
        )
    # A lent description is of the Keras that wrote it, whatever wrote the weights.
    major = str(model.get("keras_version") or stored.keras_version).partition(".")[0]
    calls: list[Call] = []
    ends = _inline(model, None, _Scope(calls, Counter()))
    if not ends:
        raise CheckpointError("the network has no output", expected="at least one layer, and a result of the model")
    if len(ends) > OUTPUT_LIMIT:
        raise CheckpointError(f"the network has {len(ends)} outputs, far too many", expected=f"at most {OUTPUT_LIMIT}")
    return Graph(
        tuple(calls), tuple(ref for _, ref in ends), _output_names(calls, ends), int(major) if major.isdecimal() else 3
    )


def architecture_signature(stored: StoredModel) -> str:
    """Return the sha256 that two checkpoints share when they share architecture, shapes and the user's layer names."""
    try:
        graph = read_graph(stored)
    except CheckpointError:
        graph = None
    return graph_signature(graph, stored)


@dataclass(frozen=True)
class _Scope:
    """Where in nested models the reading is, and the calls it has found so far."""

    calls: list[Call]
    counts: Counter[str]
    budget: Budget = field(default_factory=Budget)
    entries: dict[str, int] = field(default_factory=dict)
    """Display name → identity of the entry it stands for."""
    prefix: str = ""
    trainable: bool | None = None
    depth: int = 0

    def inside(self, model: Described) -> _Scope:
        """Return the scope of a nested model."""
        if self.depth >= NESTING_LIMIT:
            raise CheckpointError("models are nested too deeply", expected=f"at most {NESTING_LIMIT} levels")
        own = model["config"].get("trainable") if isinstance(model["config"], dict) else None
        trainable = False if own is False else self.trainable
        return replace(self, prefix=f"{self.prefix}{layer_name(model)}/", trainable=trainable, depth=self.depth + 1)

    def add(self, call: Call) -> Ref:
        """Append a call under a name of its own."""
        self.counts[call.layer] += 1
        number = self.counts[call.layer]
        self.calls.append(replace(call, name=f"{call.layer} (call {number})" if number > 1 else call.layer))
        return Ref(len(self.calls) - 1)


Ends = list[tuple[str, Ref]]
"""(name, tensor) of each result of a model; the name is empty where the file gives none."""


def _inline(model: Described, given: Json, scope: _Scope) -> Ends:
    """Append the calls of a model, fed with `given` (None: inputs of its own), and return its results."""
    scope.budget.spend(connections=len(layers_of(model)))
    if model["class_name"] == "Sequential" or isinstance(model["config"], list):
        return _sequential(model, given, scope)
    return _functional(model, given, scope)


def _apply(layer: Described, use: Use, scope: _Scope) -> list[Ref]:
    """Append one use of a layer, or all of a nested model, and return its results."""
    scope.budget.spend(uses=1)
    if is_model(layer):
        given = use.args[0] if len(use.args) == 1 else list(use.args)
        return [ref for _, ref in _inline(layer, given, scope.inside(layer))]
    name = scope.prefix + layer_name(layer)
    if scope.entries.setdefault(name, id(layer)) != id(layer):
        raise CheckpointError(f"two layers of the architecture are called {name}", expected="a name for each layer")
    class_name = str(layer.get("class_name"))
    config = layer["config"] if isinstance(layer["config"], dict) else {}
    options = clean(class_name, config)
    if class_name in {"TFOpLambda", "SlicingOpLambda"}:  # TensorFlow's functions have arguments only
        class_name, options = str(config.get("function", class_name)), {}
    own = config.get("trainable")
    trainable = False if scope.trainable is False else own if isinstance(own, bool) else None
    kind: Literal["function", "layer"] = "function" if is_operation(layer) else "layer"
    return [scope.add(Call(name, name, class_name, kind, options, use.args, use.kwargs, trainable))]


def _input(name: str, layer: Described | None, shape: Json, scope: _Scope) -> Ref:
    """Append the call that stands for an input; its shape has no batch axis, and is None where not known."""
    config = layer["config"] if layer is not None and isinstance(layer["config"], dict) else {}
    shape = plain(shape)
    if not (isinstance(shape, list) and all(n is None or (type(n) is int and n > 0) for n in shape[1:])):
        shape = None
    dtype = config.get("dtype") if layer is not None and layer.get("class_name") == "InputLayer" else "float32"
    options = {
        "shape": None if shape is None else shape[1:],
        "dtype": dtype if isinstance(dtype, str) else "float32",
    }
    return scope.add(Call(name, scope.prefix + name, "InputLayer", "input", options))


def input_shape_of(layer: Described) -> Json:
    """Return the input shape an entry gives, batch axis included, or None."""
    config = layer["config"] if isinstance(layer["config"], dict) else {}
    built = layer.get("build_config")
    for place in (config, built if isinstance(built, dict) else {}):
        for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
            if isinstance(plain(place.get(key)), list):
                return place[key]
    return None


def _sequential(model: Described, given: Json, scope: _Scope) -> Ends:
    """Append the calls of a Sequential: each layer takes the result of the one before."""
    layers = layers_of(model)
    head = layers[0] if layers and layers[0].get("class_name") == "InputLayer" else None
    if given is None:
        shape, first = input_shape_of(head or model), head or model
        while shape is None and is_model(first) and layers_of(first):
            first = layers_of(first)[0]
            shape = input_shape_of(first)
        given = _input(layer_name(head) if head else "input", head, shape, scope)
    elif isinstance(given, list | tuple) and len(given) == 1:
        given = given[0]
    for layer in layers[1:] if head else layers:
        results = _apply(layer, Use((given,), {}), scope)
        if not results:
            raise CheckpointError(f"layer {layer_name(layer)} has no result")
        given = results[0] if len(results) == 1 else results
    if not isinstance(given, Ref):
        raise CheckpointError("a Sequential does not end in one tensor", received=repr(given))
    return [("", given)]


def _functional(model: Described, given: Json, scope: _Scope) -> Ends:
    """Append the calls of a functional model in an order in which they can be computed."""
    config = model["config"]
    layers = {layer_name(layer): layer for layer in layers_of(model)}
    if len(layers) < len(config["layers"]):
        raise CheckpointError("two layers of the architecture have the same name")
    starts, ends = links(config.get("input_layers", [])), ends_of(links(config.get("output_layers", [])), layers)
    uses = {name: uses_of(layer) for name, layer in layers.items()}
    taken = [(use.args, use.kwargs) for listed in uses.values() for use in listed]
    scope.budget.spend(connections=len(links_in([starts, ends, taken])))
    shifts = shifts_of(uses, ends)
    known: dict[Link, Ref] = {}
    for link, ref in _bind(starts, given):
        if link.layer not in layers:
            raise CheckpointError(f"the model begins with {link.layer}, which it does not have")
        if ref is None:
            ref = _input(link.layer, layers[link.layer], input_shape_of(layers[link.layer]), scope)
        known[link] = ref
    waiting = [(n, i + shifts.get(n, 0), use) for n, listed in uses.items() for i, use in enumerate(listed)]
    for name, node, use in in_order(waiting, known):
        bound = Use(resolve(use.args, known), resolve(use.kwargs, known))
        for output, ref in enumerate(_apply(layers[name], bound, scope)):
            known[Link(name, node, output)] = ref
    named = ends.items() if isinstance(ends, dict) else [("", end) for end in links_in(ends)]
    return [(str(name), resolve(end, known)) for name, item in named for end in links_in(item)]


def _bind(starts: Json, given: Json) -> list[tuple[Link, Ref | None]]:
    """Pair a model's inputs with the tensors it is fed with; with None where it is to make its own."""
    if given is None:
        return [(link, None) for link in links_in(starts)]
    if isinstance(starts, dict) and isinstance(given, dict):
        return [(links_in(starts[key])[0], given[key]) for key in starts]
    fed = [given] if isinstance(given, Ref) else list(given.values() if isinstance(given, dict) else given)
    wanted = links_in(starts)
    if len(fed) != len(wanted):
        raise CheckpointError(f"a nested model is fed {len(fed)} tensors", expected=str(len(wanted)))
    return list(zip(wanted, fed, strict=True))


def _output_names(calls: list[Call], ends: Ends) -> tuple[str, ...]:
    """Return a name for each output, no two the same: the file's own, else that of the call it comes from."""
    names: dict[str, None] = {}
    numbers: Counter[str] = Counter()
    for name, ref in ends:
        name = name or calls[ref.call].name
        told = name
        while told in names or not numbers[name]:
            numbers[name] += 1
            told = f"{name} (output {numbers[name]})" if numbers[name] > 1 else name
        names[told] = None
    return tuple(names)
