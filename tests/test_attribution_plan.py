"""Which layer, score and probes are explained, and how much of it at which depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import Input, Sequential, layers

import networks
from reportgen.errors import NetworkError
from reportgen.network.plan import SIZES, Plan
from reportgen.network.weighing import choose, weigh
from test_attribution import SHAPE, images, view


def test_the_layer_of_the_cam_is_the_last_convolution_behind_its_activation(tmp_path: Path) -> None:
    x = images()
    model = networks.fill(Sequential([
        Input(SHAPE), layers.Conv2D(3, 3, name="first"), layers.Conv2D(3, 3, name="last"),
        layers.BatchNormalization(name="norm"), layers.ReLU(name="act"), layers.MaxPooling2D(name="pool"),
        layers.Flatten(), layers.Dense(1, activation="sigmoid"),
    ]))  # fmt: skip
    assert view(model, tmp_path, x).layer == "act"
    assert view(model, tmp_path, x, layer="first").layer == "first"
    with pytest.raises(NetworkError, match="no layer nowhere"):
        view(model, tmp_path, x, layer="nowhere")


def plan(**changes: Any) -> Plan:
    known = {"labels": ("a", "b") * 20, "targets": (float("nan"),) * 40}
    return Plan("standard", SHAPE, ("g", "r"), ("",), **(known | changes))


def test_the_score_that_is_explained() -> None:
    one = np.array([[0.9], [0.2]], "f4")
    assert weigh(one, "sigmoid", "", plan())[0].tolist() == [[1], [-1]]
    assert weigh(one, "sigmoid", "", plan(targets=(0.5,) * 40))[1] == "output"
    assert weigh(one, "sigmoid", "", plan(kind="binary", targets=(0.5,) * 40))[1] == "signed"
    assert weigh(np.array([[2.0], [-1.0]], "f4"), "linear", "BinaryCrossentropy", plan())[0].tolist() == [[1], [-1]]
    assert weigh(np.array([[2.0], [-1.0]], "f4"), "linear", "mse", plan())[0].tolist() == [[1], [1]]
    three = np.array([[0.2, 0.5, 0.3]], "f4")
    weights, word = weigh(three, "softmax", "", plan())
    assert (weights.tolist(), word) == ([[0, 1, -1]], "contrast")
    assert weigh(three, "sigmoid", "", plan())[0].tolist() == [[0, 1, 0]]


def test_the_chosen_probes_hold_all_labels_and_both_extremes_and_half_of_them_stay() -> None:
    first, second = np.random.default_rng(0).uniform(size=(2, 40))
    a, fixed = choose(plan(), first, 16)
    b, _ = choose(plan(), second, 16)
    light, all_fixed = choose(plan(), second, 16, 8)
    assert len(a) == 16 and fixed == 8 and len(set(a)) == 16 and len(light) == all_fixed == 8
    assert set(light) <= set(a) & set(b)
    assert {first.argmin(), first.argmax()} <= set(a)
    assert sum(i % 2 for i in light) == 4
    assert choose(plan(), first[:10], 16)[0].tolist() == list(range(10))


def test_full_does_more_of_everything_than_standard() -> None:
    more, less = SIZES["full"], SIZES["standard"]
    assert all(getattr(more, name) >= getattr(less, name) for name in vars(less)) and more != less
