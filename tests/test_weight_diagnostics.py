"""Numbers of weights against reference implementations and planted values."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import scipy.linalg
from sklearn.metrics.pairwise import cosine_similarity

from reportgen.diagnostics.composition import by_chance, composition
from reportgen.diagnostics.drift import drift, filter_drift, learned, motion
from reportgen.diagnostics.matrices import Matrix, as_matrix
from reportgen.diagnostics.normalisation import norm_health
from reportgen.diagnostics.redundancy import ALIKE, chance, redundancy
from reportgen.diagnostics.spectra import power_law, spectrum
from reportgen.diagnostics.weights import array_health


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_an_array_in_numbers_by_numpy():
    values = random(5, 5, 3, 8).astype("f4")
    values[0, 0, 0, :3] = 0
    values[0, 0, 1, 0] = 1e-6
    health = array_health(values)
    assert health.count == 600 and health.zeros == 3 and health.problem == ""
    assert health.norm == pytest.approx(np.linalg.norm(values.astype(float).ravel()), rel=1e-12)
    assert (health.mean, health.spread) == pytest.approx((values.mean(), values.std()), rel=1e-5)
    assert health.near_zero == int((np.abs(values) <= 1e-3 * np.abs(values).max()).sum()) >= 4


def test_what_is_not_finite_is_counted_and_nothing_else_is_claimed():
    values = random(4, 4)
    values[0, :3], values[1, 0], values[1, 1] = np.nan, np.inf, -np.inf
    health = array_health(values)
    assert (health.nan, health.infinite, health.norm, health.largest) == (3, 2, None, None)
    assert health.problem == "3 values are NaN and 2 values are infinite"
    found = spectrum(values)
    assert found.stable_rank is found.effective_rank is found.law is None and "3 values are NaN" in found.problem
    assert "NaN" in redundancy(Matrix(values, "dense", True)).problem
    assert drift(values, random(4, 4)).problem.startswith("before, 3 values are NaN")


@pytest.mark.parametrize("n", [1, 7, 60])
def test_an_identity_has_full_rank_and_a_product_of_vectors_rank_one(n):
    full = spectrum(3 * np.eye(n))
    assert (full.stable_rank, full.effective_rank) == pytest.approx((n, n))
    one = spectrum(np.outer(random(n), random(9, seed=1)))
    assert (one.stable_rank, one.effective_rank) == pytest.approx((1, 1), abs=1e-6)


def test_ranks_against_the_singular_values_of_scipy():
    matrix = random(75, 16)
    s = scipy.linalg.svdvals(matrix)
    p = s / s.sum()
    found = spectrum(matrix)
    assert found.stable_rank == pytest.approx(np.linalg.norm(matrix) ** 2 / s[0] ** 2, rel=1e-10)
    assert found.effective_rank == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-10)
    assert found.law is None and found.no_law == "it has 16 of the 50 eigenvalues it takes"


def test_ranks_do_not_depend_on_the_scale_even_where_squares_overflow():
    matrix = random(20, 10)
    for scale in (1e-200, 1e200):
        assert spectrum(scale * matrix).effective_rank == pytest.approx(spectrum(matrix).effective_rank)
    assert spectrum(np.zeros((4, 4))).problem == "all its weights are zero"
    assert spectrum(matrix, largest=100).problem == "it has 200 numbers, more than 100"


def pareto(n, alpha, seed=0):
    return (1 - np.random.default_rng(seed).random(n)) ** (-1 / (alpha - 1))


@pytest.mark.parametrize("alpha", [2.0, 3.5])
def test_a_planted_exponent_is_found(alpha):
    assert power_law(pareto(4000, alpha)).alpha == pytest.approx(alpha, rel=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_the_exponent_is_that_of_the_powerlaw_package(seed):
    """As weightwatcher computes it: of the squared singular values of a Dense kernel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import powerlaw

        matrix = random(120, 64, seed=seed) @ np.diag(pareto(64, 3, seed))
        eigenvalues = scipy.linalg.svdvals(matrix) ** 2
        fit = powerlaw.Fit(eigenvalues, verbose=False)
    law = spectrum(matrix).law
    assert law.alpha == pytest.approx(fit.power_law.alpha, rel=1e-6)
    assert law.xmin == pytest.approx(fit.xmin / eigenvalues.max(), rel=1e-9)
    assert law.distance == pytest.approx(fit.power_law.D, rel=1e-6)


def test_ranks_and_exponent_of_a_dense_kernel_as_weightwatcher_gave_them():
    """What analyze() of weightwatcher 0.7.7 said of a Keras 3.15.1 Dense layer with this kernel, stored as float32."""
    found = spectrum(random(64, 64, seed=7).astype("f4").astype(float))
    assert found.stable_rank == pytest.approx(17.039053832869037, rel=1e-5)
    assert found.law.alpha == pytest.approx(4.769894097975217, rel=1e-5)
    assert found.law.distance == pytest.approx(0.13708666565519106, rel=1e-5)
    assert found.law.xmin == pytest.approx(131.3478913563043 / 235.735109, rel=1e-5)


def test_cosines_between_filters_are_those_of_scikit_learn():
    kernel = random(3, 3, 4, 12)
    found = redundancy(as_matrix("kernel", kernel))
    cosines = np.abs(np.triu(cosine_similarity(kernel.reshape(-1, 12).T), 1))
    assert found.highest == pytest.approx(cosines.max(), abs=1e-12)
    assert found.pair == tuple(np.argwhere(cosines == cosines.max())[0])
    assert (found.pairs, found.alike) == (66, int((cosines > ALIKE).sum()))
    sizes = np.abs(kernel.reshape(-1, 12)).sum(axis=0)
    assert found.weakest == pytest.approx(sizes.min() / np.median(sizes))


def test_planted_copies_are_found_scaled_ones_are_alike_and_zero_filters_are_left_out():
    kernel = random(3, 3, 4, 10)
    kernel[..., 7] = kernel[..., 2]
    kernel[..., 9] = kernel[..., 2]
    kernel[..., 4] = -2 * kernel[..., 1]
    kernel[..., 5] = 0
    found = redundancy(as_matrix("kernel", kernel))
    assert found.duplicates == ((2, 7, 9),) and found.zero == (5,)
    assert found.alike == 4 and found.highest == pytest.approx(1) and found.pairs == 36


@pytest.mark.parametrize("numbers", [2, 3, 9, 20])
def test_the_share_of_pairs_alike_by_chance(numbers):
    filters = random(numbers, 1500)
    found = redundancy(Matrix(filters, "dense", True))
    assert found.by_chance == pytest.approx(found.pairs * chance(numbers))
    assert found.alike == pytest.approx(found.by_chance, rel=0.15, abs=3)


def test_what_cannot_be_compared_says_why():
    assert redundancy(as_matrix("kernel", random(1, 1, 1, 8))).problem == "a filter is a single number"
    assert redundancy(as_matrix("kernel", random(9, 1))).problem == "it has a single filter"
    assert redundancy(as_matrix("kernel", np.zeros((9, 4)))).problem == "all its filters are zero"
    assert "inputs of its own" in redundancy(as_matrix("depthwise_kernel", random(3, 3, 8, 1))).problem


@pytest.mark.parametrize(
    ("variable", "shape", "class_name", "config", "kind", "matrix"),
    [
        ("kernel", (320, 10), "Dense", {}, "dense", (320, 10)),
        ("kernel", (5, 3, 2, 7), "Conv2D", {}, "convolution", (30, 7)),
        ("kernel", (5, 2, 7), "Conv1D", {}, "convolution", (10, 7)),
        ("kernel", (5, 3, 2, 8), "Conv2D", {"groups": 2}, "convolution", (30, 8)),
        ("kernel", (5, 3, 7, 2), "Conv2DTranspose", {}, "transposed", (30, 7)),
        ("kernel", (3, 3, 8, 2), "DepthwiseConv2D", {}, "depthwise", (9, 16)),
        ("depthwise_kernel", (3, 3, 8, 2), "SeparableConv2D", {}, "depthwise", (9, 16)),
        ("pointwise_kernel", (1, 1, 16, 5), "SeparableConv2D", {}, "convolution", (16, 5)),
        ("recurrent_kernel", (6, 24), "LSTM", {}, "recurrent", (6, 24)),
        ("lstm_cell/kernel", (9, 24), "LSTM", {}, "recurrent", (9, 24)),
        ("embeddings", (100, 8), "Embedding", {}, "embedding", (8, 100)),
        ("query/kernel", (16, 2, 8), "MultiHeadAttention", {}, "attention", (16, 16)),
        ("attention_output/kernel", (2, 8, 20), "MultiHeadAttention", {}, "attention", (16, 20)),
    ],
)
def test_which_matrix_is_meant(variable, shape, class_name, config, kind, matrix):
    array = random(*shape).astype("f4")
    found = as_matrix(variable, array, class_name, config)
    assert (found.kind, found.values.shape) == (kind, matrix)
    assert found.alike == (kind != "depthwise" and not config)
    assert np.sort(found.values.ravel()) == pytest.approx(np.sort(array.ravel()))


def test_the_columns_of_a_transposed_convolution_are_its_output_channels():
    """A layer whose kernel only writes output channel 1 has one column that is not zero."""
    kernel = np.zeros((3, 3, 4, 5))
    kernel[:, :, 1, :] = random(3, 3, 5)
    found = as_matrix("kernel", kernel, "Conv2DTranspose")
    assert np.flatnonzero(np.abs(found.values).sum(axis=0)).tolist() == [1]


@pytest.mark.parametrize("name", ["bias", "gamma", "moving_variance"])
def test_vectors_are_no_matrix(name):
    assert as_matrix(name, random(8)) is None


def test_planted_illnesses_of_a_batch_normalisation():
    n = 8
    arrays = {"gamma": np.ones(n), "beta": np.zeros(n), "moving_mean": np.zeros(n), "moving_variance": np.ones(n)}
    healthy = norm_health(arrays, 1e-3, n)
    assert (healthy.off, healthy.floored, healthy.negative, healthy.far, healthy.wrong_axis) == (0, 0, 0, 0, False)
    arrays["gamma"][[1, 4]] = [0.005, -0.001]
    arrays["moving_variance"][2] = 1e-9
    arrays["moving_mean"][2] = 5.0
    arrays["moving_mean"][3] = 50.0
    sick = norm_health(arrays, 1e-3, n)
    assert (sick.off, sick.floored, sick.negative, sick.far) == (2, 1, 0, 2)
    assert norm_health(arrays, 1e-3, 3).wrong_axis
    arrays["gamma"][0] = np.nan
    assert norm_health(arrays).problem == "gamma: 1 value is NaN" and norm_health(arrays).off is None
    assert norm_health({"kernel": np.ones((3, 3))}) is None
    assert norm_health({"moving_variance": np.ones(4), "beta": np.zeros(4)}).off is None


def test_drift_of_planted_moves():
    w = random(6, 5)
    assert (drift(w, w).relative, drift(w, w).cosine) == (0, 1)
    doubled = drift(w, 2 * w)
    assert (doubled.relative, doubled.cosine) == pytest.approx((1, 1))
    turned = drift(w, -w)
    assert (turned.relative, turned.cosine) == pytest.approx((2, -1))
    other = random(6, 5, seed=1)
    found = drift(w, other)
    assert found.relative == pytest.approx(np.linalg.norm(other - w) / np.linalg.norm(w))
    assert found.cosine == pytest.approx(cosine_similarity(w.reshape(1, -1), other.reshape(1, -1))[0, 0])


def test_drift_that_cannot_be_computed_says_why():
    assert drift(np.zeros(3), np.ones(3)).problem == "all its weights were zero"
    assert drift(np.ones(3), np.ones(4)).problem == "its shape is another one"
    gone = drift(np.ones(3), np.zeros(3))
    assert (gone.relative, gone.cosine, gone.problem) == (1, None, "all its weights are zero")


def test_drift_of_one_filter_is_its_own():
    before = random(9, 4)
    after = before.copy()
    after[:, 2] *= 3
    found = filter_drift(before, after)
    assert [d.relative for d in found] == pytest.approx([0, 0, 2, 0])


def test_a_layer_that_never_moved_is_told_apart_by_what_the_file_says():
    w = random(10)
    assert motion([w, w, w], False) == "frozen"
    assert motion([w, w, w], True) == "not learning"
    assert motion([w, w, w], None) == "still"
    assert motion([w, w, np.nextafter(w, 9)], True) == "moved"
    assert motion([w], True) == "not known"
    broken = np.where(np.arange(10) == 3, np.nan, w)
    assert motion([broken, broken], True) == "not learning"


def test_moving_statistics_do_not_count_as_learning():
    arrays = {"gamma": np.ones(3), "beta": np.zeros(3), "moving_mean": random(3), "moving_variance": random(3) ** 2}
    assert learned(arrays).tolist() == [1, 1, 1, 0, 0, 0]


def test_a_kernel_is_made_of_brightness_colour_and_pattern():
    """Planted kernels of one part each, and random ones against the degrees of freedom."""
    rng = np.random.default_rng(1)
    flat = np.ones((5, 5, 3, 4)) * np.array([1, -2, 0.5, 3])
    assert composition(flat).brightness == pytest.approx(1)
    colour = flat * np.array([1, 0, -1])[:, None]
    assert composition(colour).colour == pytest.approx(1)
    shape = rng.normal(size=(5, 5, 1, 4))
    shape = np.repeat(shape - shape.mean(axis=(0, 1)), 3, axis=2)
    assert composition(shape).pattern == pytest.approx(1)
    assert composition(shape * np.array([1, 0, -1])[:, None]).mixed == pytest.approx(1)
    # Orthogonal: squares of a sum of parts are the sum of their squares.
    both = composition(3 * flat + 4 * shape)
    squares = 9 * (flat**2).sum(), 16 * (shape**2).sum()
    assert both.brightness == pytest.approx(squares[0] / sum(squares)) and both.mixed == pytest.approx(0, abs=1e-12)
    chance, drawn = by_chance(25, 3), composition(rng.normal(size=(5, 5, 3, 4000)))
    assert dataclasses.astuple(drawn) == pytest.approx(dataclasses.astuple(chance), abs=0.005)
    assert sum(dataclasses.astuple(chance)) == pytest.approx(1)
    assert composition(np.zeros((3, 3, 1, 2))) is None and composition(np.full((3, 3, 1, 2), np.nan)) is None
