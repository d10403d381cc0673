"""Rules on what a network should not look at: orientation, sky, one band, brightness."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from reportgen.config import VerdictsConfig
from reportgen.diagnostics.attribution import fixed_spot
from reportgen.diagnostics.partial import partial_rank_correlation
from reportgen.extraction import Attribution, Stress
from reportgen.sections.changed import changes, of_attribution, other_sky
from reportgen.sections.section import Unjudged
from reportgen.sections.task import Task
from reportgen.sections.verdicts import shortcuts
from test_verdicts import LIMITS, status

WORDS = {"method": "occlusion"}


def test_orientation_counts_by_variance_and_only_where_it_matters():
    rule, limits = shortcuts.orientation_dependent, LIMITS.orientation_dependent
    rng = np.random.default_rng(0)
    probes = rng.uniform(0, 1, 20)
    steady = probes + rng.normal(0, 0.02, (8, 20))
    turning = np.tile([0.05, 0.95], 4)[:, None] + rng.normal(0, 0.02, (8, 20))
    unsure = 0.5 + rng.normal(0, 0.01, (8, 20))
    assert status(rule(steady, True, limits)) == "pass"
    judged = rule(turning, True, limits)
    assert status(judged) == "warn" and judged.value > 0.95
    assert status(rule(unsure, True, limits)) == "pass" and rule(unsure, True, limits).facts["small"]
    assert status(rule(steady[:, :4], True, limits)) == "not judged"
    total = turning.var(axis=0).mean() + turning.mean(axis=0).var()
    assert judged.value == pytest.approx(turning.var(axis=0).mean() / total)


@pytest.mark.parametrize(
    ("off", "area", "edge", "expected"),
    [
        (0.2, 0.8, 0.1, "pass"),
        (0.7, 0.98, 0.3, "pass"),  # a small galaxy: most of the area, little a pixel
        (0.9, 0.8, 0.3, "warn"),
        (0.4, 0.8, 0.8, "warn"),  # a mark at the border
        (np.nan, 0.8, np.nan, "not judged"),
    ],
)
def test_attribution_off_the_galaxy_is_a_matter_of_area_too(off, area, edge, expected):
    n = 6
    judged = shortcuts.attribution_off_galaxy(
        [off] * n, [area] * n, [edge] * n, 0.36, None, None, WORDS, LIMITS.attribution_off_galaxy
    )
    assert status(judged) == expected
    few = shortcuts.attribution_off_galaxy([0.9], [0.8], [0.3], 0.36, None, None, WORDS, LIMITS.attribution_off_galaxy)
    assert isinstance(few, Unjudged)


def test_the_sky_of_others_shows_what_a_comparison_with_sky_cannot():
    n, limits = 6, LIMITS.attribution_off_galaxy
    for moved, expected in ((0.02, "pass"), (0.6, "warn")):
        sky = np.full(n, moved)
        judged = shortcuts.attribution_off_galaxy([0.0] * n, [0.8] * n, [0.0] * n, 0.36, None, sky, WORDS, limits)
        assert status(judged) == expected and judged.facts["sky"] == moved
    assert judged.facts["where"] == "sky" and judged.value == 0.6
    few = shortcuts.attribution_off_galaxy([0.0] * n, [0.8] * n, [0.0] * n, 0.36, None, sky[:3], WORDS, limits)
    assert status(few) == "pass"


def chosen_method(sanity, field=9, maps=("grad_cam", "gradient", "integrated", "occlusion")):
    """Judge six probes with a galaxy in the middle, on which all of each map lies."""
    regions = np.zeros((6, 32, 32), np.uint8)
    regions[:, 12:20, 12:20] = 1
    whole = (regions == 1).astype("f4")
    made = {"occlusion": whole[:, ::4, ::4], "grad_cam": whole[:, ::4, ::4]}
    found = Attribution(
        probes=np.arange(6), of=9, layer="c", maps={m: made.get(m, whole) for m in maps}, regions=regions,
        weighting=np.ones((6, 1), "f4"), settings={"patch": 4, "stride": 4},
    )  # fmt: skip
    conv = {"kernel_size": [field, field], "strides": [4, 4], "padding": "same"}
    rows = [
        SimpleNamespace(name="i", class_name="InputLayer", inputs=(), config={}, output_shape=(32, 32, 1)),
        SimpleNamespace(name="c", class_name="Conv2D", inputs=("i",), config=conv, output_shape=(8, 8, 1)),
    ]
    one = SimpleNamespace(layers=rows, measured=(), stress=lambda: None)
    return of_attribution(one, found, sanity, Task("regression", (), "x", ""), VerdictsConfig())


def test_where_it_looks_is_judged_by_the_first_method_that_passes_its_check():
    ids = ("integrated", "occlusion", "gradient", "grad_cam")
    all_pass = dict.fromkeys(ids, "passes")
    assert chosen_method(all_pass).facts["method"] == "integrated gradients"
    judged = chosen_method(all_pass | {"integrated": "fails"})
    assert judged.facts["method"] == "occlusion" and judged.facts["grown"] == 2 and judged.facts["n"] == 6
    assert chosen_method(all_pass | {"integrated": "in part", "occlusion": "fails"}).facts["method"] == "gradient"
    judged = chosen_method(dict.fromkeys(ids, "fails") | {"grad_cam": "passes"})
    assert judged.facts["method"] == "Grad-CAM" and status(judged) == "pass" and judged.facts["grown"] == 4
    judged = chosen_method(dict.fromkeys(ids, "in part"))
    assert judged.facts["sanity"] == "in part" and judged.facts["method"] == "integrated gradients"
    none = chosen_method(dict.fromkeys(ids, "fails"))
    assert isinstance(none, Unjudged) and "every method" in none.because
    blurred = chosen_method(dict.fromkeys(ids, "fails") | {"grad_cam": "passes"}, field=25)
    assert isinstance(blurred, Unjudged) and "sees galaxy and sky at once" in blurred.because


def test_a_mark_at_one_place_is_found_and_galaxies_that_lie_about_are_not():
    rng = np.random.default_rng(7)
    maps = rng.normal(0, 0.1, (6, 32, 32)).astype(np.float32)
    galaxy = np.zeros(maps.shape, bool)
    for i in range(6):
        y, x = rng.integers(8, 20, 2)
        galaxy[i, y : y + 6, x : x + 6] = True
        maps[i, y : y + 6, x : x + 6] += 2
    wandering = fixed_spot(maps, galaxy)
    assert wandering is not None and wandering.share < 0.1
    maps[:, 1:4, 1:4] += 20
    spot = fixed_spot(maps, galaxy)
    assert spot is not None and (spot.side, spot.n, spot.area) == (4, 6, 16 / 1024)
    assert spot.y <= 1 and spot.x <= 1 and spot.share == pytest.approx(180 / (180 + 72 + 80), abs=0.05)
    assert fixed_spot(np.zeros((3, 32, 32), np.float32), galaxy[:3]) is None
    assert fixed_spot(maps, np.ones(maps.shape, bool)) is None
    n, limits = 6, LIMITS.attribution_off_galaxy
    judged = shortcuts.attribution_off_galaxy([0.2] * n, [0.8] * n, [0.1] * n, 0.36, spot, None, WORDS, limits)
    assert status(judged) == "warn" and judged.facts["where"] == "spot" and judged.value == spot.share


def test_a_band_dominates_where_blanking_the_others_changes_nothing():
    rule, limits = shortcuts.band_dominated, LIMITS.band_dominated
    said = np.linspace(0.1, 0.9, 8)
    shared = {"g": said - 0.3, "r": said - 0.2, "i": said + 0.1}
    alone = {"g": said - 0.5, "r": said + 0.01, "i": said - 0.01}
    assert status(rule(said, shared, True, limits)) == "pass"
    judged = rule(said, alone, True, limits)
    assert status(judged) == "warn" and judged.facts["band"] == "g" and judged.value == pytest.approx(0.5 / 0.52)
    assert status(rule(said, {"r": said - 0.5}, True, limits)) == "not judged"
    assert status(rule(said, dict.fromkeys("gri", said + 0.001), True, limits)) == "not judged"
    assert status(rule(said[:4], {n: v[:4] for n, v in alone.items()}, True, limits)) == "not judged"


def test_flux_drives_where_answers_follow_it_beyond_the_label_and_change_with_it():
    rule, limits = shortcuts.flux_driven, LIMITS.flux_driven

    def moved(by, flips=None, n=16):
        return [shortcuts.Changed(amount, n, by, by, flips) for amount in ("0.5", "2")]

    assert status(rule(0.9, 1e-6, 20, "label", (), limits)) == "warn"
    assert status(rule(0.9, 1e-6, 20, "label", moved(0.5), limits)) == "warn"
    assert status(rule(0.9, 1e-6, 20, "label", moved(0.01), limits)) == "pass"  # brighter copies get the same answer
    assert status(rule(-0.9, 1e-6, 20, "label", (), limits)) == "warn"
    assert status(rule(0.5, 1e-3, 40, "label", (), limits)) == "pass"
    assert status(rule(0.8, 0.02, 16, "label", (), limits)) == "pass"
    assert status(rule(0.9, 1e-6, 15, "label", (), limits)) == "not judged"
    assert status(rule(None, None, 20, "label", (), limits)) == "not judged"
    # The change itself, also on few probes and without a correlation.
    judged = rule(0.3, 0.1, 32, "target", moved(2.1, n=32), limits)
    assert status(judged) == "warn" and judged.facts["by"] == "change" and judged.value == pytest.approx(2.1)
    assert status(rule(None, None, 10, "label", moved(0.9, 6), limits)) == "warn"  # 6 of 16 classes
    assert status(rule(None, None, 10, "label", moved(0.9, 2), limits)) == "pass"
    assert status(rule(None, None, 5, "label", moved(0.9, 4, 5), limits)) == "not judged"


def test_noise_is_judged_by_as_much_again_as_the_sky_has():
    rule, limits = shortcuts.noise_sensitive, LIMITS.noise_sensitive
    steady = [shortcuts.Changed(a, 16, m, m, f) for a, m, f in (("1", 0.09, 1), ("2", 0.17, 5), ("3", 0.24, 6))]
    assert status(rule(steady, 0, limits)) == "pass" and rule(steady, 0, limits).facts["most"]["flips"] == 6
    judged = rule([shortcuts.Changed("1", 16, 0.4, 0.01, 6)], 0, limits)
    assert status(judged) == "warn" and judged.value == 6 / 16
    assert status(rule([shortcuts.Changed("1", 16, 0.6, 0.6, None)], 0, limits)) == "warn"
    assert status(rule([shortcuts.Changed("1", 4, 0.4, 0.4, 3)], 0, limits)) == "not judged"
    assert status(rule([shortcuts.Changed("1", 16, 0.4, 0.4, None)], 0, limits)) == "pass"  # of a regression, in σ
    assert status(rule((), 0, limits)) == "not judged"


def test_partial_rank_correlation_is_the_published_formula():
    rng = np.random.default_rng(3)
    z = rng.normal(size=40)
    x, y = z + rng.normal(size=40), 2 * z + rng.normal(size=40)
    a, b, c = spearmanr(x, y).statistic, spearmanr(x, z).statistic, spearmanr(y, z).statistic
    found = partial_rank_correlation(x, y, rankdata(z))
    assert found.rho == pytest.approx((a - b * c) / np.sqrt((1 - b**2) * (1 - c**2)))
    plain = partial_rank_correlation(x, y)
    assert (plain.rho, plain.p) == pytest.approx(tuple(spearmanr(x, y)))
    label = np.repeat([0.0, 1.0], 20)
    assert (
        abs(partial_rank_correlation(label * 5 + rng.normal(size=40), label * 5 + rng.normal(size=40), label).rho) < 0.4
    )
    assert partial_rank_correlation(label, y, label).rho is None


def test_what_changed_pictures_do_is_counted_in_classes_and_in_deviations():
    own = np.array([0.2, 0.4, 0.6, 0.8], "f4")[:, None]
    said = np.stack([own, own + 0.25, own - 0.1])
    said[2, 3] = np.nan
    stress = Stress(
        probes=np.arange(4), of=4, kinds=("orientation", "flux", "sky"), amounts=("as it is", "2", "of another"),
        predictions=said, found=np.array([True, True, False, True]),
    )  # fmt: skip
    binary, value = Task("binary", ("a", "b"), "p", ""), Task("regression", (), "x", "")
    (flux,) = changes(stress, binary, "flux", ("0.5", "2"))
    assert (flux.n, flux.flips) == (4, 1) and flux.median == pytest.approx(0.25, abs=1e-6)  # 0.4 becomes 0.65
    assert flux.mean == pytest.approx(0.25 / np.std([0.2, 0.4, 0.6, 0.8]), abs=1e-5)
    (scaled,) = changes(stress, value, "flux", ("2",))
    assert scaled.flips is None and scaled.median == pytest.approx(scaled.mean)
    one = SimpleNamespace(stress=lambda: stress)
    assert other_sky(one, binary) == pytest.approx([0.1, 0.1], abs=1e-6)  # one has no galaxy, one no answer
    assert other_sky(one, value) == pytest.approx([0.1 / np.std([0.2, 0.4, 0.6, 0.8])] * 2, abs=1e-5)
    assert other_sky(SimpleNamespace(stress=lambda: None), value) is None
