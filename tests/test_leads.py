"""Every section opens with what it found, and the numbers it says are those of the arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest

from extractions import write_folder
from reportgen.extraction import open_run
from reportgen.report.html import as_html
from reportgen.sections.picked import picked_channels
from reportgen.sections.scoring import objects, trained
from reportgen.sections.settling import settled
from test_sections import report_of

OPEN = (
    "kernels", "weight_evolution", "activations", "activation_evolution", "selectivity", "attribution", "symmetry",
    "representation",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Report, its HTML by section, and the run."""
    folder = write_folder(tmp_path_factory.mktemp("leads") / "e")
    report = report_of(folder)
    return report, dict(re.findall(r'<section id="(\w+)"(.*?)</section>', as_html(report, {}), re.S)), open_run(folder)


@pytest.mark.parametrize("id", OPEN)
def test_a_section_opens_with_its_finding(made, id):
    text = made[1][id]
    first = re.search(r'<p class="finding">(.*?)</p>', text, re.S)
    assert first and re.search(r"\d", first[1]) and not re.search(r"\bNone\b|\bnan\b", first[1])
    assert "<figure" not in text[: first.start()], "it stands before every picture"


def test_the_layer_that_moved_most_is_that_of_the_arrays(made):
    report, _, run = made
    network = next(s for s in report.sections if s.id == "weight_evolution").content.networks[0]
    first, last = run.extractions[0], run.extractions[-1]
    moved = {}
    for layer in last.weighted:
        a, b = (
            np.concatenate([v.ravel() for k, v in e.arrays(layer).items() if "moving" not in k]) for e in (first, last)
        )
        if any("kernel" in name for name in last.arrays(layer)):
            moved[layer] = np.linalg.norm(b - a) / np.linalg.norm(a)
    assert network.most.layer == max(moved, key=moved.get)
    assert network.most.from_first[-1].relative == pytest.approx(max(moved.values()))
    assert network.last_step[0] <= network.last_step[1]


def test_it_settled_where_it_never_falls_below_again(made):
    shown = made[2].extractions
    found = settled("x", [0.95, 0.2, 1.0], 0.9, shown)
    assert (found.place, found.at_end) == (2, True)
    assert settled("x", [0.2, 0.95, 1.0], 0.9, shown).place == 1
    assert settled("x", [0.9, 0.95, 1.0], 0.9, shown).place == 0


def test_other_changes_are_told_by_their_strongest(made):
    network = next(s for s in made[0].sections if s.id == "symmetry").content.networks[0]
    best = next(a for a in network.over if a.checkpoint == network.checkpoint)
    medians = [r.median for r in network.strongest]
    assert medians == sorted(medians, reverse=True) and len({r.kind for r in network.strongest}) == len(medians) > 0
    for r in network.strongest:
        assert r.median == max(o.median for o in best.responses if o.kind == r.kind)


def test_one_choice_of_channels_before_and_after_activation_and_pooling(made):
    e = made[2].extractions[-1]
    layers = [e.layer(name) for name in e.measured if len(e.shape(name)) == 4]
    kept = picked_channels(e, layers, 2)
    for layer in layers:
        handed = len(layer.inputs) == 1 and any(w in layer.class_name for w in ("Pool", "ReLU", "Activation", "Norm"))
        if handed and layer.inputs[0] in kept:
            assert kept[layer.name] == kept[layer.inputs[0]], layer.name
        assert kept[layer.name] == sorted(kept[layer.name]) and len(kept[layer.name]) <= 2


def test_images_of_one_object_are_counted_once_and_training_is_said(made):
    run = made[2]
    probes = run.probes.probes
    assert objects(run, range(len(probes))) == len(probes) and trained(run, range(len(probes))) is None
    for probe, name, word in zip(probes, ("a", "a", "b"), ("yes", "no", ""), strict=False):
        probe.metadata["object"], probe.metadata["trained"] = name, word
    assert objects(run, range(3)) == 2 and objects(run, range(len(probes))) == len(probes) - 1
    assert trained(run, range(len(probes))) == (1, 2)


def test_moving_statistics_are_not_trainable(made):
    group = next(s for s in made[0].sections if s.id == "architecture").content.groups[0]
    e = made[2].extractions[-1]
    moving = sum(
        v.size for layer in e.weighted for name, v in e.arrays(layer).items() if "moving_" in name
    )  # fmt: skip
    assert group.moving == moving
    assert group.trainable is None or group.trainable <= group.parameters - moving
