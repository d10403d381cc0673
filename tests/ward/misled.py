"""Illnesses that a network learns from what it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ward import networks, sky
from ward.healthy import with_pairs
from ward.patient import EPOCHS, PROBES, Case, Ward, write_papers
from ward.training import Pair, train


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


def noisy(ward: Ward, folder: Path) -> Case:
    """One class was exposed half as long; the galaxies are the same."""

    def stamps(n: int, seed: int) -> Pair:
        counts = sky.draw(["single"] * n, ward.rng(seed))
        truth = np.arange(n) % 2
        counts[truth == 1] += ward.rng(seed + 1).normal(0, 1.1, counts[truth == 1].shape)
        return counts, truth

    (counts, truth), (check, known) = stamps(1200, 120), stamps(160, 122)
    model = networks.normalised()
    train(model, (sky.seen(counts), truth), (sky.seen(check), known), folder / "run", EPOCHS, 0.01)
    counts, truth = stamps(PROBES, 129)
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
