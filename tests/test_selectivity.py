"""Selectivity, similarity and embeddings against reference implementations and planted channels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, mannwhitneyu, spearmanr
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from reportgen.diagnostics.embedding import embed, principal_components
from reportgen.diagnostics.selectivity import class_auc, extremes, false_discovery, rank_correlation
from reportgen.diagnostics.similarity import cka, cka_matrix, gram


def test_auc_with_ties_equals_sklearn_and_its_p_value_scipy():
    rng = np.random.default_rng(0)
    values = np.stack([rng.integers(0, 5, 40), rng.normal(size=40), np.zeros(40)], axis=1).astype("f4")
    member = rng.random(40) < 0.4
    found = class_auc(values, member)
    for channel in (0, 1):
        assert found.effect[channel] == pytest.approx(roc_auc_score(member, values[:, channel]))
        test = mannwhitneyu(
            values[member, channel], values[~member, channel], method="exact" if channel else "asymptotic"
        )
        assert found.p[channel] == pytest.approx(test.pvalue)
    assert np.isnan(found.effect[2]) and np.isnan(found.p[2])


def test_a_channel_that_is_the_class_reaches_the_smallest_p_there_is():
    member = np.arange(13) < 7
    found = class_auc((member + np.linspace(0, 0.1, 13))[:, None], member)
    assert found.effect[0] == 1 and found.p[0] == pytest.approx(found.least_p) == pytest.approx(2 / 1716)
    assert np.isnan(class_auc(np.ones((4, 1)), np.ones(4, bool)).effect[0])


def test_rank_correlation_equals_scipy_leaves_unknown_probes_out_and_never_claims_more_than_n_allows():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 8, (30, 5)).astype(float)
    values[:, 4] = 3
    numbers = values[:, 1] + rng.normal(size=30)
    numbers[[3, 9]] = np.nan
    found = rank_correlation(values, numbers)
    known = np.isfinite(numbers)
    for channel in range(4):
        expected = spearmanr(values[known, channel], numbers[known])
        assert found.effect[channel] == pytest.approx(expected.statistic, abs=1e-12)
        assert found.p[channel] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.n == 28 and np.isnan(found.effect[4])
    perfect = rank_correlation(np.arange(5.0)[:, None], np.arange(5.0))
    assert perfect.effect[0] == 1 and perfect.p[0] == pytest.approx(2 / 120)


def test_false_discovery_equals_scipy_where_there_are_tests_and_counts_no_other():
    p = np.random.default_rng(2).random((6, 7)) ** 3
    p[1, 2] = np.nan
    q = false_discovery(p)
    assert np.isnan(q[1, 2])
    assert q[np.isfinite(p)] == pytest.approx(false_discovery_control(p[np.isfinite(p)]))
    assert np.isnan(false_discovery(np.full(3, np.nan))).all()


def test_noise_gives_no_discoveries():
    rng = np.random.default_rng(3)
    found = class_auc(rng.normal(size=(60, 300)), np.arange(60) < 30)
    assert (false_discovery(found.p) <= 0.05).sum() == 0 and (found.p <= 0.05).sum() > 3


def test_extremes_never_name_a_probe_twice_nor_one_that_is_not_finite():
    assert extremes(np.array([1, 5, np.nan, 3, 3.0]), 2, 3) == ([1, 3], [0, 4])
    assert extremes(np.array([2.0]), 4, 3) == ([0], [])


def unbiased_hsic_cka(x, y):
    """Song et al. 2012, written out: zero diagonals and the three terms."""

    def hsic(k, m):
        n = len(k)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        ones = np.ones(n)
        return (
            np.trace(k @ m)
            + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (ones @ k @ m @ ones)
        )

    k, m = x @ x.T, y @ y.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


@pytest.mark.parametrize("n", [4, 9, 40])
def test_debiased_cka_equals_unbiased_hsic(n):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 7)) + 2
    y = x @ rng.normal(size=(7, 5)) + rng.normal(size=(n, 5))
    assert cka(gram(x), gram(y)) == pytest.approx(unbiased_hsic_cka(x, y), abs=1e-10)


def test_gram_matrices_give_the_plain_cka_of_repsim_and_the_debiased_one_agrees_for_many_probes():
    import repsim

    rng = np.random.default_rng(5)
    x = rng.normal(size=(800, 6))
    y = x @ rng.normal(size=(6, 9)) + rng.normal(size=(800, 9))
    plain = repsim.cka([x, y], kernel_type="linear", estimator="gretton")[0, 1]
    k, m = gram(x), gram(y)
    assert (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum()) == pytest.approx(plain, abs=1e-10)
    assert cka(k, m) == pytest.approx(plain, abs=0.01)


def test_cka_of_itself_rotated_and_scaled_is_one_and_of_noise_about_zero_however_many_features():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(20, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert cka(gram(x), gram(3 * x @ rotation + 5)) == pytest.approx(1)
    wide = [gram(rng.normal(size=(50, 20000)).astype("f4")) for _ in range(2)]
    assert abs(cka(*wide)) < 0.15


def test_cka_is_not_defined_for_three_probes_constants_and_nan():
    x = np.random.default_rng(7).normal(size=(6, 3))
    assert cka(gram(x[:3]), gram(x[:3])) is None
    assert cka(gram(np.ones((6, 4))), gram(x)) is None
    assert cka(gram(np.where(x > 1e9, 0, np.nan)), gram(x)) is None
    table = cka_matrix([gram(x), gram(np.ones((6, 4)))])
    assert table[0, 0] == pytest.approx(1) and np.isnan(table[0, 1]) and np.isnan(table[1, 1])


def test_principal_components_equal_sklearn_up_to_a_sign_that_does_not_depend_on_the_order():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(12, 30)) * np.linspace(3, 0.1, 30)
    found = principal_components(x)
    reference = PCA(11).fit(x)
    assert found.shares == pytest.approx(reference.explained_variance_ratio_)
    assert np.abs(found.scores) == pytest.approx(np.abs(reference.transform(x)[:, :2]))
    order = rng.permutation(12)
    assert principal_components(x[order]).scores == pytest.approx(found.scores[order])
    assert principal_components(np.ones((5, 3))) is None


def test_tsne_separates_two_groups_and_is_the_same_for_the_same_seed():
    rng = np.random.default_rng(9)
    x = np.concatenate([rng.normal(0, 0.1, (12, 5)), rng.normal(8, 0.1, (12, 5))])
    places = embed(x, "tsne", 3)
    assert np.array_equal(places, embed(x, "tsne", 3))
    within = np.linalg.norm(places[:12] - places[:12].mean(axis=0), axis=1).max()
    assert np.linalg.norm(places[:12].mean(axis=0) - places[12:].mean(axis=0)) > 2 * within


def test_umap_is_the_same_for_the_same_seed():
    pytest.importorskip("umap", reason="umap-learn is an optional extra")
    x = np.random.default_rng(10).normal(size=(20, 4))
    assert np.array_equal(embed(x, "umap", 1), embed(x, "umap", 1))
