"""Attributions against tf-keras-vis, analytic cases, and twins of the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import Input, Model, Sequential, layers

import networks
from reportgen.diagnostics.attribution import (
    completeness,
    covered,
    grad_cam,
    layer_cam,
    rank_similarity,
    saliency,
    sanity,
    share,
    spread_evenly,
    structural_similarity,
    to_pixels,
)
from reportgen.network import open_network
from reportgen.network.attribute import Case, attribute, integrated_gradients, occlusion, patches, smooth_grad
from reportgen.network.live import open_live
from reportgen.network.plan import Sizes
from reportgen.network.sanity import cascade, read
from reportgen.network.viewed import view_of

SHAPE = (16, 16, 2)
FEW = Sizes(16, 16, 2, 4, 4, False, 2, 2)


def images(count: int = 3, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(count, *shape)).astype("f4")


def view(model: Any, folder: Path, x: np.ndarray, shape: tuple[int, int, int] = SHAPE, layer: str | None = None) -> Any:
    path = folder / "m.keras"
    model.save(path)
    stored = networks.stored(path)
    network = open_network(stored, x.shape[1:])
    network.measure(stored, x)
    return view_of(network, {"": x}, ("",), shape, layer)


def case(x: np.ndarray, weights: Any, sky: float = 0.0) -> Case:
    n = len(x)
    return Case(x, np.full((n, 1, 1, x.shape[-1]), sky, "f4"), np.arange(n), np.tile(np.array(weights, "f4"), (n, 1)))


def body() -> list[Any]:
    return [
        layers.Conv2D(4, 3, activation="relu", name="c1"), layers.MaxPooling2D(2, name="pool"),
        layers.Conv2D(5, 3, activation="relu", name="c2"), layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(6, activation="tanh", name="d"),
    ]  # fmt: skip


def functional(units: int, activation: str) -> Any:
    image = Input(SHAPE, name="image")
    x = image
    for layer in body():
        x = layer(x)
    return Model(image, layers.Dense(units, activation=activation, name="out")(x))


def nested() -> Any:
    inner = Input(SHAPE)
    x = inner
    for layer in body():
        x = layer(x)
    return Sequential([Input(SHAPE), Model(inner, x, name="backbone"), layers.Dense(2, activation="softmax")])


@pytest.mark.filterwarnings("ignore:The structure of")
def test_grad_cam_and_saliency_equal_tf_keras_vis(tmp_path: Path) -> None:
    gradcam = pytest.importorskip("tf_keras_vis.gradcam")
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear

    model, x = networks.fill(functional(3, "softmax")), images()

    seen, peaks = view(model, tmp_path, x), []
    for unit in range(3):

        def score(output: Any, unit: int = unit) -> list[Any]:
            return [row[unit] for row in output]

        own = attribute(seen, case(x, np.eye(3)[unit]), Sizes(16, 16, 0, 0, 0, False, 0, 0)).maps
        theirs = gradcam.Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)(
            score, x, penultimate_layer="c2", expand_cam=False, normalize_cam=False
        )
        np.testing.assert_allclose(own["grad_cam"], theirs, atol=1e-6)
        slopes = Saliency(model, model_modifier=ReplaceToLinear(), clone=True)(score, x, normalize_map=False)
        np.testing.assert_allclose(own["gradient"], slopes, atol=1e-6)
        peaks.append(own["grad_cam"].max())
    assert max(peaks) > 0.01


@pytest.mark.parametrize("twin", ["sequential", "without_input", "nested", "sigmoid", "live", "flat"])
def test_twins_of_the_same_weights_have_the_same_maps(twin: str, tmp_path: Path) -> None:
    """Also reloaded Sequential networks, on which graph slicing gives no gradient at all."""
    reference, x = networks.fill(functional(2, "softmax")), images()
    expected = attribute(view(reference, tmp_path, x), case(x, [-1, 1]), FEW).maps
    weights, shape = [-1.0, 1.0], SHAPE
    given = x
    if twin == "sigmoid":
        model = functional(1, "sigmoid")
        values = reference.get_weights()
        model.set_weights([*values[:-2], values[-2][:, 1:] - values[-2][:, :1], values[-1][1:] - values[-1][:1]])
        weights = [1.0]
    elif twin == "nested":
        model = nested()
    elif twin == "flat":
        given = x.reshape(3, -1)
        model = Sequential([Input((512,)), layers.Reshape(SHAPE), *body(), layers.Dense(2, activation="softmax")])
    else:
        start = [] if twin == "without_input" else [Input(SHAPE)]
        model = Sequential([*start, *body(), layers.Dense(2, activation="softmax", name="out")])
        model.build((None, *SHAPE))
    if twin != "sigmoid":
        model.set_weights(reference.get_weights())
    if twin == "live":
        model.save(tmp_path / "l.keras")
        stored = networks.stored(tmp_path / "l.keras")
        live = open_live(keras.models.load_model(tmp_path / "l.keras", compile=False), stored, SHAPE)
        live.measure(stored, x)
        seen = view_of(live, {"": x}, ("",), SHAPE)
    else:
        seen = view(model, tmp_path, given, shape)
    found = attribute(seen, case(x, weights), FEW).maps
    assert seen.layer.endswith("c2") and set(found) == set(expected)
    for name, maps in expected.items():
        np.testing.assert_allclose(found[name], maps, atol=1e-5, err_msg=name)


def test_channels_first_networks_give_maps_in_the_order_of_the_picture(tmp_path: Path) -> None:
    last = Sequential([Input(SHAPE), layers.Conv2D(3, 3, name="c"), layers.GlobalMaxPooling2D(), layers.Dense(1)])
    first = Sequential([
        Input((2, 16, 16)), layers.Conv2D(3, 3, data_format="channels_first", name="c"),
        layers.GlobalMaxPooling2D(data_format="channels_first"), layers.Dense(1),
    ])  # fmt: skip
    networks.fill(last)
    first.set_weights(last.get_weights())
    x = images()
    small = Sizes(16, 16, 0, 2, 2, False, 0, 0)
    a, b = (attribute(view(m, tmp_path, x), case(x, [1.0]), small).maps for m in (last, first))
    for name in a:
        np.testing.assert_allclose(b[name], a[name], atol=1e-5, err_msg=name)


def test_minus_z_turns_every_gradient_about_and_the_cam_is_rectified_after_the_sign(tmp_path: Path) -> None:
    x = images()
    seen = view(networks.fill(functional(1, "sigmoid")), tmp_path, x)
    up, down = (seen.slope(x, np.arange(3), np.full((3, 1), sign, "f4")) for sign in (1, -1))
    np.testing.assert_array_equal(up.image, -down.image)
    np.testing.assert_array_equal(up.score, -down.score)
    both = grad_cam(up.maps, up.slopes) - grad_cam(down.maps, down.slopes)
    np.testing.assert_allclose(both, (up.slopes.mean((1, 2), keepdims=True) * up.maps).sum(-1), atol=1e-6)


def linear(weights: np.ndarray) -> Any:
    model = Sequential([Input(weights.shape), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.set_weights([weights.reshape(-1, 1), np.array([0.5], "f4")])
    return model


def test_on_a_linear_network_every_method_is_what_algebra_says(tmp_path: Path) -> None:
    w, x = images(1)[0] * 0.1, images(3)
    seen, here = view(linear(w), tmp_path, x), case(x, [1.0], sky=0.25)
    assert seen.layer == ""
    np.testing.assert_allclose(smooth_grad(seen, here, 3), np.broadcast_to(w, x.shape), atol=1e-6)
    whole = integrated_gradients(seen, here, 2)
    np.testing.assert_allclose(whole, (x - 0.25) * w, atol=1e-6)
    rows, columns = patches(SHAPE, FEW)
    score = (x * w).sum((1, 2, 3)) + 0.5
    patched = ((x - 0.25) * w).reshape(3, 4, 4, 4, 4, 2).sum((2, 4, 5))
    np.testing.assert_allclose(occlusion(seen, here, score, rows, columns), patched, atol=1e-5)
    found = attribute(seen, here, FEW)
    np.testing.assert_allclose(found.score, score, atol=1e-5)
    np.testing.assert_allclose(completeness(found.integrated, found.score, found.baseline), 0, atol=1e-5)
    assert set(found.maps) == {"gradient", "integrated", "smooth_grad", "occlusion"}


def test_integrated_gradients_are_complete_and_more_steps_are_better(tmp_path: Path) -> None:
    x = images(4)
    seen, here = view(networks.fill(functional(1, "sigmoid")), tmp_path, x), case(x, [1.0])
    errors = []
    for steps in (2, 64):
        found = attribute(seen, here, Sizes(16, 16, 0, steps, 0, False, 0, 0))
        errors.append(np.abs(completeness(found.integrated, found.score, found.baseline)).max())
    assert errors[1] < 0.01 * np.abs(found.score - found.baseline).max() and errors[1] < errors[0] / 5


def test_patches_cover_every_pixel_also_where_the_side_is_no_multiple() -> None:
    for overlap in (False, True):
        rows, columns = patches((19, 33, 1), Sizes(1, 1, 1, 1, 8, overlap, 1, 1))
        for slices, n in ((rows, 19), (columns, 33)):
            seen = np.zeros(n, int)
            for part in slices:
                seen[part] += 1
            assert seen.min() >= 1 and (overlap or seen.max() == 1)


def test_formulas_on_planted_arrays() -> None:
    a = np.zeros((1, 2, 2, 2), "f4")
    a[0, :, :, 0], a[0, :, :, 1] = [[1, 2], [3, 4]], [[5, 0], [0, 5]]
    g = np.zeros_like(a)
    g[0, :, :, 0], g[0, :, :, 1] = [[1, 1], [-1, 3]], [[-1, -1], [-1, -1]]
    assert grad_cam(a, g)[0].tolist() == [[0, 2], [3, 0]]  # mean weights 1 and -1
    assert layer_cam(a, g)[0].tolist() == [[1, 2], [0, 12]]
    assert saliency(-g)[0].tolist() == [[1, 1], [1, 3]]
    up = to_pixels(np.array([[[0.0, 4.0]]], "f4"), (1, 4), spread_evenly((1, 2), (1, 4)))
    assert up[0, 0].tolist() == [0, 1, 3, 4]
    half = np.zeros((2, 2), bool)
    half[0] = True
    assert share(np.array([[1.0, -2.0], [1.0, 0.0]]), half) == 0.75 and np.isnan(share(np.zeros((2, 2)), half))


def test_cells_lie_where_they_look_and_nothing_is_invented_beyond_them() -> None:
    """Two cells at 3 and 7 of 12 pixels reach from 1 to 9; stretched over the picture they would fill it."""
    at = np.array([3.0, 7.0])
    up = to_pixels(np.array([[[2.0, 4.0], [2.0, 4.0]]], "f4"), (12, 12), (at, at))[0]
    assert up[3].tolist() == [0, 2, 2, 2, 2.5, 3, 3.5, 4, 4, 4, 0, 0]
    assert not up[0].any() and not up[10:].any() and (up[1:10] == up[3]).all()
    assert covered((12, 12), (at, at)) == (slice(1, 10), slice(1, 10))
    same = np.arange(16, dtype="f4").reshape(1, 4, 4)
    pixels = np.arange(4.0)
    np.testing.assert_array_equal(to_pixels(same, (4, 4), (pixels, pixels)), same)
    assert (to_pixels(np.ones((1, 1, 1), "f4"), (5, 7), (np.array([2.0]), np.array([3.0]))) == 1).all()


def squares() -> Any:
    """A network whose gradient is the picture itself times a number: its saliency knows no weights."""
    image = Input(SHAPE)
    x = layers.Multiply()([image, image])
    x = layers.GlobalAveragePooling2D()(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return Model(image, layers.Dense(1, activation="sigmoid")(layers.Dense(3)(x)))


def test_a_map_that_depends_on_the_picture_only_fails_and_one_of_weights_passes(tmp_path: Path) -> None:
    y, x_ = np.mgrid[:16, :16]
    blob = np.exp(-((y - 8) ** 2 + (x_ - 7) ** 2) / 12)[None, ..., None]
    x = (blob * np.array([1, 0.5]) * np.array([1, 2, 3])[:, None, None, None]).astype("f4")
    verdicts = []
    for model in (networks.fill(squares()), linear(images(1)[0])):
        seen, here = view(model, tmp_path, x), case(x, [1.0])
        before = [read(v).tobytes() for own in seen.variables for v in own]
        answers = seen.predict(x, np.arange(3))[0]
        sizes = Sizes(16, 16, 0, 0, 0, False, 3, 9)
        found = cascade(seen, here, attribute(seen, here, sizes), sizes)
        assert found.stages[-1] == len(seen.variables)
        assert [read(v).tobytes() for own in seen.variables for v in own] == before
        np.testing.assert_array_equal(seen.predict(x, np.arange(3))[0], answers)
        verdicts.append(sanity(found.spearman["gradient"][-1], found.ssim["gradient"][-1]).verdict)
    assert verdicts == ["fails", "passes"]


def test_weights_come_back_where_the_check_breaks_off(tmp_path: Path) -> None:
    x = images()
    seen = view(networks.fill(functional(1, "sigmoid")), tmp_path, x)
    here = case(x, [1.0])
    original = attribute(seen, here, FEW)
    before = [read(v).tobytes() for own in seen.variables for v in own]
    broken = Case(x[:, :4], here.sky, here.probes, here.weighting)
    with pytest.raises((ValueError, TypeError)):
        cascade(seen, broken, original, FEW)
    assert [read(v).tobytes() for own in seen.variables for v in own] == before


def test_similarities_equal_scipy_and_scikit_image() -> None:
    from scipy.stats import spearmanr
    from skimage.metrics import structural_similarity as ssim

    a, b = images(2, (12, 12)), images(4, (12, 12))[2:]
    for i in range(2):
        one, two = np.abs(a[i]), np.abs(b[i])
        assert rank_similarity(a, b)[i] == pytest.approx(spearmanr(one.ravel(), two.ravel()).statistic, abs=1e-6)
        signed = spearmanr(a[i].ravel(), b[i].ravel()).statistic
        assert rank_similarity(a, b, signed=True)[i] == pytest.approx(signed, abs=1e-6)
        expected = ssim(one / one.max(), two / two.max(), data_range=1.0)
        assert structural_similarity(a, b)[i] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(rank_similarity(np.zeros((1, 8, 8)), a[:1, :8, :8])).all()
    assert np.isnan(structural_similarity(np.zeros((1, 8, 8)), a[:1, :8, :8])).all()
    assert sanity(np.array([np.nan]), np.array([np.nan])).verdict == "not known"
    assert sanity(np.array([0.9]), np.array([0.1])).verdict == "in part"
