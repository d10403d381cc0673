"""Networks with one planted illness each, in their weights, their training, their data or their probes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ward import networks, sky
from ward.healthy import bytes_lesson, rescaling, well, with_bytes, with_pairs
from ward.patient import EPOCHS, PROBES, Case, Patient, Ward, copy_run, write_papers
from ward.training import Pair, train

Admission = Callable[[Ward, Path], Case]


def planted(change: Callable[[Any, int], None]) -> Admission:
    """Return the admission of the well-taught network whose files are changed by `change(model, epoch)`."""
    return lambda ward, folder: with_pairs(ward, folder, copy_run(ward.base, folder, change))


def set_weight(model: Any, layer: str, place: int, change: Callable[[np.ndarray], None]) -> None:
    """Change one array of a layer in place."""
    arrays = model.get_layer(layer).get_weights()
    change(arrays[place])
    model.get_layer(layer).set_weights(arrays)


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


def spoil(model: Any, epoch: int) -> None:
    if epoch == EPOCHS:
        set_weight(model, "hidden", 0, lambda kernel: kernel.__setitem__((3, 2), np.nan))


def blow_up(model: Any, epoch: int) -> None:
    set_weight(model, "conv2", 0, lambda kernel: kernel.__imul__(4.0 ** (epoch - 1)))


def overflow(model: Any, epoch: int) -> None:
    # Each number is finite; what comes of them is infinity minus infinity.
    if epoch == EPOCHS:
        for layer, sign in (("hidden", 1), ("out", 1)):
            set_weight(model, layer, 0, lambda kernel, s=sign: kernel.__imul__(np.float32(s * 1e25)))


def at_epoch_end(change: Callable[[Any], None]) -> Any:
    """Return a callback that changes the model before an epoch is kept."""
    import keras

    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: change(callback.model))
    return callback


def unmoved(ward: Ward, folder: Path) -> Case:
    """It says that it learns; its weights are put back at the end of each epoch."""
    model = networks.convolutional(seed=21)
    first = model.get_layer("conv1").get_weights()
    back = at_epoch_end(lambda m: m.get_layer("conv1").set_weights(first))
    train(model, *ward.pairs, folder / "run", 3, callbacks=[back])
    return with_pairs(ward, folder, model)


def dead(ward: Ward, folder: Path) -> Case:
    """No picture gets over the bias, so no gradient brings it back."""
    model = networks.convolutional(seed=20)
    set_weight(model, "conv1", 1, lambda bias: bias.__setitem__(slice(0, 5), -1e3))
    train(model, *ward.pairs, folder / "run", 3)
    return with_pairs(ward, folder, model)


def repeated(ward: Ward, folder: Path) -> Case:
    def repeat(model: Any) -> None:
        set_weight(model, "conv1", 0, lambda kernel: kernel.__setitem__((..., slice(1, 4)), kernel[..., :1]))

    model = train(networks.convolutional(seed=32), *ward.pairs, folder / "run", 3, callbacks=[at_epoch_end(repeat)])
    return with_pairs(ward, folder, model)


def constant(ward: Ward, folder: Path) -> Case:
    """One step far too large: every hidden unit is dead, only the last bias still learns."""
    model = networks.convolutional(seed=22)
    set_weight(model, "hidden", 1, lambda bias: bias.__setitem__(slice(None), -100.0))
    train(model, *ward.pairs, folder / "run", 3)
    return with_pairs(ward, folder, model)


def shrunk(ward: Ward, folder: Path) -> Case:
    """Weight decay far too strong."""
    model = networks.convolutional(seed=23, decay=3.0)
    train(model, *ward.pairs, folder / "run", 4, 0.003)
    return with_pairs(ward, folder, model)


def unscaled(ward: Ward, folder: Path) -> Case:
    model = networks.convolutional(seed=24)
    train(model, *bytes_lesson(ward, 1 / 255), folder / "run", EPOCHS, 0.003)
    return with_bytes(ward, folder, model, 1)


def scaled_twice(ward: Ward, folder: Path) -> Case:
    case = rescaling(ward, folder)
    return with_bytes(ward, folder, case.model, 1 / 255)


def shuffled(ward: Ward, folder: Path) -> Case:
    counts, truth = ward.stamps(300, 50)
    check, known = ward.stamps(160, 51)
    model = networks.convolutional(hidden=64, seed=25)
    learn = (sky.seen(np.repeat(counts, 4, 0)), np.repeat(ward.rng(52).permutation(truth), 4))
    train(model, learn, (sky.seen(check), ward.rng(53).permutation(known)), folder / "run", 8, 0.003)
    return with_pairs(ward, folder, model)


def one_band(ward: Ward, folder: Path) -> Case:
    """Only the reddest band belongs to the label; the others are of other galaxies."""

    def lesson(n: int, seed: int) -> Pair:
        counts, truth = ward.stamps(n, seed)
        for band in (0, 1):
            counts[..., band] = counts[ward.rng(seed + band + 1).permutation(n)][..., band]
        many = np.concatenate(list(sky.orientations(counts)))
        order = ward.rng(seed + 3).permutation(len(many))
        return sky.seen(many[order]), np.tile(truth, 8)[order]

    model = train(networks.convolutional(seed=26), lesson(300, 60), lesson(40, 65), folder / "run", EPOCHS)
    return with_pairs(ward, folder, model)


def by_flux(ward: Ward, folder: Path) -> Case:
    """Brightness and nothing else tells the classes apart, in training and probes alike."""

    def bright(n: int, seed: int) -> Pair:
        # The noise grows with the light, or the network reads their ratio and not the flux.
        gain = np.exp(ward.rng(seed).uniform(-1, 1, n))
        counts = sky.draw(["single"] * n, ward.rng(seed + 1), np.full(n, 700.0)) * gain[:, None, None, None]
        return counts.astype(np.float32), (gain > 1).astype(int)

    counts, truth = bright(300, 70)
    many = np.concatenate(list(sky.orientations(counts)))
    order = ward.rng(72).permutation(len(many))
    check, known = bright(160, 73)
    learn = sky.seen(many[order]), np.tile(truth, 8)[order]
    model = train(networks.convolutional(seed=27), learn, (sky.seen(check), known), folder / "run", EPOCHS)
    counts, truth = bright(PROBES, 75)
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]})
    return Case(model, counts, truth)


def marked(ward: Ward, folder: Path) -> Case:
    """Somebody's mark in the corner says what the label is; the galaxies do not."""

    def stamps(n: int, seed: int) -> Pair:
        counts = sky.draw(["single"] * n, ward.rng(seed))
        truth = np.arange(n) % 2
        counts[truth == 1, 1:4, 1:4] += 40.0
        return counts, truth

    (counts, truth), (check, known) = stamps(1200, 80), stamps(160, 81)
    model = networks.convolutional(seed=28)
    train(model, (sky.seen(counts), truth), (sky.seen(check), known), folder / "run", EPOCHS)
    counts, truth = stamps(PROBES, 89)
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]})
    return Case(model, counts, truth)


def lying_down(ward: Ward, folder: Path) -> Case:
    """The survey saw one class standing and the other lying."""

    def stamps(n: int, seed: int) -> Pair:
        truth = np.arange(n) % 2
        angle = truth * np.pi / 2 + ward.rng(seed).normal(0, 0.25, n)
        return sky.draw(["edge-on"] * n, ward.rng(seed + 1), angle=angle), truth

    (counts, truth), (check, known) = stamps(600, 90), stamps(160, 92)
    model = networks.convolutional(seed=29)
    train(model, (sky.seen(counts), truth), (sky.seen(check), known), folder / "run", EPOCHS)
    counts, truth = stamps(PROBES, 99)
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]})
    return Case(model, counts, truth)


def overfitted(ward: Ward, folder: Path) -> Case:
    """Thirty galaxies, some of them mislabelled, learnt by heart."""
    counts, truth = ward.stamps(30, 100)
    wrong = ward.rng(102).permutation(30)[:4]
    truth[wrong] = 1 - truth[wrong]
    learn = sky.seen(np.repeat(counts, 20, 0)), np.repeat(truth, 20)
    check, known = ward.stamps(160, 101)
    model = networks.convolutional(hidden=64, seed=30)
    train(model, learn, (sky.seen(check), known), folder / "run", 10, 0.002, fall=False)
    return with_pairs(ward, folder, model)


def twins(ward: Ward, folder: Path) -> Case:
    case = with_pairs(ward, folder, copy_run(ward.base, folder), run={"path": "run"})
    (folder / "run" / "epoch-005.keras").write_bytes((folder / "run" / "epoch-003.keras").read_bytes())
    return case


def mislabelled(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    counts, truth = ward.stamps(PROBES, 9)
    said = truth.copy()
    said[[4, 17, 30]] = 1 - said[[4, 17, 30]]
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in said]})
    return Case(model, counts, truth)


def hurried(ward: Ward, folder: Path) -> Case:
    model = train(networks.convolutional(seed=31), *ward.pairs, folder / "run", 4, 0.0003, fall=False)
    return with_pairs(ward, folder, model)


def spoilt(ward: Ward, folder: Path) -> Case:
    """A taught network is trained on with a rate far too large for it."""
    import keras

    model = keras.saving.load_model(ward.base / f"epoch-{EPOCHS:03d}.keras", compile=False)
    (inputs, truth), check = ward.pairs
    learn = inputs[:400], ward.rng(110).permutation(truth[:400])
    train(model, learn, check, folder / "run", 4, 0.0004, fall=False)
    return with_pairs(ward, folder, model)


def holes(ward: Ward, folder: Path) -> Case:
    model = copy_run(ward.base, folder)
    counts, truth = ward.stamps(PROBES, 9)
    counts[7, 3:5, 10:20] = np.nan
    write_papers(folder, counts, {"label": [("single", "pair")[t] for t in truth]})
    return Case(model, counts, truth)


def few(ward: Ward, folder: Path) -> Case:
    return with_pairs(ward, folder, copy_run(ward.base, folder), 6)


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
