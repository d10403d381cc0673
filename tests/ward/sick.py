"""Networks with one illness each: the verdict that must name it, and the proof that it is there."""

from __future__ import annotations

import numpy as np

from ward.healthy import well
from ward.misled import by_flux, hurried, lying_down, marked, noisy, one_band, overfitted, shuffled, spoilt
from ward.patient import Case, Patient
from ward.planted import (
    blow_up,
    constant,
    dead,
    few,
    holes,
    mislabelled,
    overflow,
    planted,
    repeated,
    scaled_twice,
    shrunk,
    spoil,
    twins,
    unmoved,
    unscaled,
)


def weight(case: Case, layer: str, place: int = 0) -> np.ndarray:
    return case.model.get_layer(layer).get_weights()[place]


def maps(case: Case, layer: str) -> np.ndarray:
    """Return the outputs of a layer of a Sequential on the probes."""
    x = case.see(case.counts)
    for one in case.model.layers:
        x = one(x, training=False)
        if one.name == layer:
            break
    return np.asarray(x)


def worse_by_half(case: Case) -> bool:
    return bool(0.3 < case.accuracy() < 0.7)


def follows_flux(case: Case) -> bool:
    from scipy.stats import spearmanr

    total = case.counts.sum(axis=(1, 2, 3))
    return bool(spearmanr(case.answers(), total).statistic > 0.9 and case.change(case.counts * 3) > 0.2)


def reads_one_band(case: Case) -> bool:
    def without(band: int) -> float:
        counts = case.counts.copy()
        counts[..., band] = 0
        return case.change(counts)

    return bool(case.accuracy() > 0.8 and without(2) > 5 * max(without(0), without(1)))


def reads_the_mark(case: Case) -> bool:
    counts = case.counts.copy()
    counts[:, 1:4, 1:4] = 0
    return bool(case.accuracy() > 0.95 and case.change(counts) > 0.4)


def heeds_noise(case: Case) -> bool:
    calm = case.counts[case.truth == 0]
    noise = np.random.default_rng(2).normal(0, 1, calm.shape).astype(np.float32)
    return bool(case.accuracy() > 0.9 and (case.answers(calm + noise) > 0.5).mean() > 0.5)


def turns_over(case: Case) -> bool:
    turned = np.ascontiguousarray(np.rot90(case.counts, axes=(1, 2)))
    return bool(case.accuracy() > 0.95 and case.change(turned) > 0.8)


def sure(case: Case) -> float:
    """Return the fraction of answers that are as good as 0 or 1."""
    return float((np.abs(case.answers() - 0.5) > 0.5 - 1e-4).mean())


def loses(case: Case) -> bool:
    return bool(0.5 < case.accuracy() < 0.95)


SICK = (
    Patient("dead channels", "bias of -1000 on 5 of 8 filters", dead, ("dead_channels",),
            lambda c: int((maps(c, "conv1").max(axis=(0, 1, 2)) == 0).sum()) == 5),
    Patient("frozen layer", "says trainable, is put back each epoch", unmoved, ("layer_unmoved",), well),
    Patient("duplicated kernels", "3 filters are copies of the first", repeated, ("duplicate_kernels",),
            lambda c: len(np.unique(weight(c, "conv1").reshape(-1, 8), axis=1).T) == 5),
    Patient("NaN", "in one number of one tensor", planted(spoil), ("weights_not_finite",),
            lambda c: int(np.isnan(weight(c, "hidden")).sum()) == 1),
    Patient("overflow", "finite weights, infinite answers", planted(overflow), ("predictions_not_finite",),
            lambda c: not np.isfinite(c.answers()).all() and bool(np.isfinite(weight(c, "out")).all())),
    Patient("exploded", "one kernel grows sixfold each epoch", planted(blow_up), ("weights_exploded",),
            lambda c: float(np.abs(weight(c, "conv2")).max()) > 100),
    Patient("collapsed", "weight decay far too strong", shrunk, ("weights_collapsed",),
            lambda c: float(np.abs(weight(c, "conv1")).max()) < 0.05),
    Patient("constant", "every hidden unit dead", constant, ("predictions_constant",),
            lambda c: float(np.ptp(c.answers())) == 0),
    Patient("not scaled", "taught 0 to 1, asked 0 to 255", unscaled, ("input_range", "predictions_saturated"),
            lambda c: sure(c) > 0.9 and sure(Case(c.model, c.counts, c.truth, lambda x: x / np.float32(255))) < 0.3),
    Patient("scaled twice", "taught 0 to 255, asked 0 to 1", scaled_twice,
            ("input_range", "predictions_constant", "score_at_chance"),
            lambda c: c.accuracy() < 0.9 <= Case(c.model, c.counts, c.truth, lambda x: x.astype("f4")).accuracy()),
    Patient("shuffled labels", "learnt by heart", shuffled, ("score_at_chance",), worse_by_half),
    Patient("one band", "two bands were of other galaxies", one_band, ("band_dominated",), reads_one_band),
    Patient("total flux", "brightness tells the classes apart", by_flux, ("flux_driven",), follows_flux),
    Patient("mark", "in the corner of one class", marked, ("attribution_off_galaxy",), reads_the_mark),
    Patient("noise", "one class was exposed half as long", noisy, ("noise_sensitive",), heeds_noise),
    Patient("orientation", "one class stood, the other lay", lying_down, ("orientation_dependent",), turns_over),
    Patient("overfitted", "thirty galaxies learnt by heart", overfitted, ("overfitting",), loses),
    Patient("twins", "one epoch's file is another's", twins, ("identical_checkpoints",), well),
    Patient("mislabelled", "3 probes have the wrong label", mislabelled, ("labels_contradicted",), well),
    Patient("hurried", "stopped while it was learning", hurried, ("best_is_last",)),
    Patient("spoilt", "trained on with noise for labels", spoilt, ("best_is_first",)),
    Patient("holes", "NaN in the pixels of one probe", holes, ("inputs_not_finite",),
            lambda c: bool(np.isnan(c.counts).any())),
    Patient("few probes", "three of each class", few, ("probe_set_small",), lambda c: len(c.counts) == 6),
)  # fmt: skip
