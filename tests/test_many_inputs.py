"""Networks of several inputs and outputs, nested ones, dictionaries, slashes in names: outputs equal Keras' own.

The graph is computed with NumPy alone, layer by layer, so that a connection read wrongly gives other numbers.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reportgen.checkpoints import read_checkpoint, read_graph
from reportgen.checkpoints.graph import Call, Graph, Ref
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel

Arrays = dict[str, np.ndarray]
KERAS_2 = Path(__file__).parents[1] / ".keras2" / "bin" / "python"

WRITER = """
import os, sys, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import keras, numpy as np, tensorflow as tf
from keras import layers
folder, slash = sys.argv[1], "" if keras.__version__[0] == "3" else "scope/"
rng = np.random.default_rng(0)

def ends():
    a, b = keras.Input((6,), name="image"), keras.Input((4,), name="catalogue")
    x, y = layers.Dense(3, name=slash + "left")(a), layers.Dense(3, name=slash + "right")(b)
    z = layers.Subtract(name="difference")([x, y])
    kind, size = layers.Dense(2, name="kind"), layers.Dense(2, name="size")
    return [a, b], [kind(z), size(layers.Concatenate(name="joined")([y, z]))]

models = {}
(a, b), (kind, size) = ends()
models["lists"] = keras.Model([b, a], [size, kind])
(a, b), (kind, size) = ends()
models["dictionaries"] = keras.Model({"image": a, "catalogue": b}, {"kind": kind, "size": size})
inner = keras.Model(*ends(), name="inner")
p, q = keras.Input((6,), name="p"), keras.Input((4,), name="q")
one, other = inner([p, q])
models["nested"] = keras.Model([q, p], [layers.Subtract(name="s")([one, other]), other])
inner = keras.Model(*ends(), name="inner")
p, q, r = keras.Input((6,), name="p"), keras.Input((4,), name="q"), keras.Input((6,), name="r")
first, second = inner([p, q]), inner([r, q])
models["nested twice"] = keras.Model([p, q, r], [layers.Subtract(name="s")([first[0], second[0]]), second[1]])
given = {size: rng.normal(size=(5, size)).astype("f4") for size in (4, 6)}
given["r"] = rng.normal(size=(5, 6)).astype("f4")
for name, model in models.items():
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    feed = lambda t: given["r"] if t.name.startswith("r") else given[t.shape[-1]]
    named = isinstance(model.input, dict)
    fed = {k: feed(t) for k, t in model.input.items()} if named else [feed(t) for t in model.inputs]
    out = model(fed)
    out = out if isinstance(out, dict) else {str(i): value for i, value in enumerate(out)}
    names = ",".join(t.name.split(":")[0] for t in model.inputs)
    np.savez(f"{folder}/{name}.npz", order=names, in_4=given[4], in_6=given[6], in_r=given["r"],
             **{f"out_{k}": np.asarray(v) for k, v in out.items()})
    for suffix in ("keras", "h5"):
        model.save(f"{folder}/{name}.{suffix}")
"""


def compute(graph: Graph, stored: StoredModel, given: Arrays) -> Arrays:
    """Return the outputs of a graph of dense and merging layers by name."""
    weights = {layer.name: {v.name: v.value for v in layer.variables} for layer in stored.layers}
    results: list[np.ndarray] = []

    def result(ref: Ref) -> np.ndarray:
        assert ref.output == 0
        return results[ref.call]

    def run(call: Call) -> np.ndarray:
        if call.kind == "input":
            return given[call.name]
        values = [result(ref) for ref in call.inputs]
        match call.class_name:
            case "Dense":
                (value,) = values
                return np.asarray(value @ weights[call.layer]["kernel"] + weights[call.layer]["bias"])
            case "Subtract":
                return np.asarray(values[0] - values[1])
            case "Concatenate":
                return np.concatenate(values, axis=-1)
        raise AssertionError(call.class_name)

    for call in graph.calls:
        results.append(run(call))  # noqa: PERF401 - each call takes the results of those before it
    return {name: result(ref) for name, ref in zip(graph.output_names, graph.outputs, strict=True)}


@pytest.fixture(scope="module", params=["3", "2.15"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of files written by Keras 3 or 2.15, in a process of its own."""
    python = Path(sys.executable) if request.param == "3" else KERAS_2
    if not python.exists():
        pytest.skip("the environment with Keras 2.15 is not there")
    folder = tmp_path_factory.mktemp("keras")
    (folder / "write.py").write_text(WRITER)
    done = subprocess.run([python, folder / "write.py", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", ["lists", "dictionaries", "nested", "nested twice"])
def test_inputs_and_outputs_are_those_of_keras(name: str, suffix: str, written: Path) -> None:
    path = written / f"{name}.{suffix}"
    key = {"keras": "keras", "h5": "hdf5"}[suffix]
    stored = read_checkpoint(Checkpoint(path.name, path.name, path, key, None, 1, ""))
    graph = read_graph(stored)
    with np.load(written / f"{name}.npz") as kept:
        order, held = str(kept["order"]).split(","), {key: kept[key] for key in kept.files if key != "order"}
    assert sorted(call.name for call in graph.inputs) == sorted(order)
    given = {
        call.name: held["in_r"] if call.name == "r" else held[f"in_{call.config['shape'][0]}"] for call in graph.inputs
    }
    found = compute(graph, stored, given)
    expected = {key.removeprefix("out_"): value for key, value in held.items() if key.startswith("out_")}
    assert len(found) == len(expected)
    for number, (output, value) in enumerate(found.items()):
        wanted = expected[output] if output in expected else expected[str(number)]
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
