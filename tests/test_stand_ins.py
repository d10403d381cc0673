"""A number that goes with the answer, found with label or target taken out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from reportgen.sections.confounders import Column
from reportgen.sections.stand_ins import Told, stand_ins


def test_a_planted_stand_in_is_found_and_a_bystander_is_not():
    rng = np.random.default_rng(3)
    n = 60
    label = (np.arange(n) % 2).astype(float)
    label[:4] = np.nan
    scale, idle = label + 0.3 * rng.normal(size=n), rng.normal(size=n)
    scale[:4] = rng.normal(size=4)
    answers = scale + 0.1 * rng.normal(size=n)
    columns = [Column("idle", "catalogue", idle), Column("scale", "catalogue", scale)]
    first, second = stand_ins(Told(answers, "label", label), columns)
    known = np.isfinite(label)
    assert first.name == "scale" and first.n == n - 4 and first.followed
    assert first.rho == pytest.approx(spearmanr(answers[known], scale[known]).statistic)
    assert first.alone == pytest.approx(roc_auc_score(label[known], scale[known]))
    assert first.network == pytest.approx(roc_auc_score(label[known], answers[known]))
    assert first.beyond > 0.8 and first.beyond_q < 1e-6
    assert second.name == "idle" and not second.followed


def test_what_goes_with_the_target_alone_is_no_suspect():
    """A network that tells the target follows whatever the target follows, and no further."""
    rng = np.random.default_rng(5)
    n = 200
    target = rng.normal(size=n)
    mass = target + rng.normal(size=n)
    answers = target + 0.2 * rng.normal(size=n)
    (found,) = stand_ins(Told(answers, "target", rankdata(target)), [Column("mass", "catalogue", mass)])
    assert found.q < 1e-6 and found.network > found.alone and not found.as_good and not found.followed


def test_without_labels_only_the_plain_correlation_is_known():
    values = np.arange(12.0)
    (found,) = stand_ins(Told(values**2, "nothing", None), [Column("x", "measured", values)])
    assert found.rho == pytest.approx(1) and (found.beyond, found.alone, found.network) == (None, None, None)
    assert not found.followed
