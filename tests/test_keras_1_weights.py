"""Weights of Keras 1: names spelled anew, axes and gates turned as Keras 2 does it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.checkpoints.keras_1_weights import converted, spelled
from reportgen.checkpoints.stored import StoredLayer, Variable

KERAS_2 = Path(__file__).parents[1] / ".keras2" / "bin" / "python"


def test_names_are_spelled_anew_only_where_they_are_of_keras_1() -> None:
    cases = {
        "dense_1_W:0": "dense_1/kernel:0", "conv_b": "conv/bias", "lstm_1_U_f": "lstm_1/recurrent_kernel_f",
        "dense/kernel:0": "dense/kernel:0", "kernel:0": "kernel:0", "W": "kernel",
        "bn_running_std": "bn/moving_variance",
    }  # fmt: skip
    assert {name: spelled(name) for name in cases} == cases


REFERENCE = """
import sys, numpy as np
from keras.src import layers
from keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading
given, out = np.load(sys.argv[1]), {}
for name, make, shape in (
    ("Conv1D", lambda: layers.Conv1D(4, 3), (5, 2)),
    ("Conv2D", lambda: layers.Conv2D(4, (3, 5)), (9, 9, 2)),
    ("Conv2D-first", lambda: layers.Conv2D(4, (3, 5), data_format="channels_first"), (2, 9, 9)),
    ("Conv2DTranspose", lambda: layers.Conv2DTranspose(4, (3, 5)), (9, 9, 2)),
    ("Conv2DTranspose-first", lambda: layers.Conv2DTranspose(4, (3, 5), data_format="channels_first"), (2, 9, 9)),
    ("Conv3D-first", lambda: layers.Conv3D(4, (3, 5, 2), data_format="channels_first"), (2, 9, 9, 9)),
    ("LSTM", lambda: layers.LSTM(4), (5, 2)), ("GRU", lambda: layers.GRU(4, reset_after=False), (5, 2)),
):
    layer = make(); layer.build((None, *shape))
    held = [given[f"{name}/{i}"] for i in range(sum(k.startswith(name + "/") for k in given.files))]
    for i, w in enumerate(preprocess_weights_for_loading(layer, held, "1", None)): out[f"{name}/{i}"] = w
np.savez(sys.argv[2], **out)
"""


@pytest.mark.skipif(not KERAS_2.exists(), reason="the environment with Keras 2.15 is not there")
def test_axes_and_gates_are_turned_as_keras_2_turns_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first = {"data_format": "channels_first"}
    kernels: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
        "Conv1D": ({"kernel_size": [3], "filters": 4}, (4, 2, 3, 1)),
        "Conv2D": ({"kernel_size": [3, 5], "filters": 4}, (3, 5, 2, 4)),
        "Conv2D-first": ({"kernel_size": [3, 5], "filters": 4, **first}, (4, 2, 3, 5)),
        "Conv2DTranspose": ({"kernel_size": [3, 5], "filters": 4}, (3, 5, 2, 4)),
        "Conv2DTranspose-first": ({"kernel_size": [3, 5], "filters": 4, **first}, (4, 2, 3, 5)),
        "Conv3D-first": ({"kernel_size": [3, 5, 2], "filters": 4, **first}, (4, 2, 3, 5, 2)),
    }
    given = {f"{name}/0": rng.normal(size=shape).astype("f4") for name, (_, shape) in kernels.items()}
    given |= {f"{name}/1": np.zeros(4, "f4") for name in kernels}
    gates = {"LSTM": "icfo", "GRU": "zrh"}
    parts = {"kernel": (2, 4), "recurrent_kernel": (4, 4), "bias": (4,)}
    listed: dict[str, list[Variable]] = {}
    for name, order in gates.items():
        listed[name] = [Variable(f"{w}_{g}", rng.normal(size=s).astype("f4")) for g in order for w, s in parts.items()]
        given |= {f"{name}/{i}": variable.value for i, variable in enumerate(listed[name])}
    np.savez(tmp_path / "given.npz", **given)  # type: ignore[arg-type]
    script = tmp_path / "reference.py"
    script.write_text(REFERENCE)
    subprocess.run([KERAS_2, script, tmp_path / "given.npz", tmp_path / "out.npz"], check=True, capture_output=True)
    expected = np.load(tmp_path / "out.npz")
    for name, (config, _) in kernels.items():
        held = (Variable("kernel", given[f"{name}/0"]), Variable("bias", given[f"{name}/1"]))
        layer = converted(StoredLayer("x", held), {"class_name": name.partition("-")[0], "config": config})
        np.testing.assert_array_equal(layer.variables[0].value, expected[f"{name}/0"])
    for name in gates:
        layer = converted(StoredLayer("x", tuple(listed[name])), {"class_name": name, "config": {}})
        assert [v.name for v in layer.variables] == ["kernel", "recurrent_kernel", "bias"]
        for number, variable in enumerate(layer.variables):
            np.testing.assert_array_equal(variable.value, expected[f"{name}/{number}"])
