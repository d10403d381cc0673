"""Attribution and stress of one checkpoint, with what they may cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import completeness
from reportgen.diagnostics.regions import Scene
from reportgen.diagnostics.transforms import SEED, variants, vary
from reportgen.errors import NetworkError
from reportgen.extraction.explained import GALAXY, OTHER, OUTSKIRTS, Attribution, Stress
from reportgen.extraction.measurement import Measurement
from reportgen.network.attribute import SMOOTH_SD, Case, Explained, attribute, patches
from reportgen.network.plan import Amount, Plan
from reportgen.network.sanity import NOTHING, cascade
from reportgen.network.view import Images, View
from reportgen.network.weighing import choose, weigh

Scenes = Callable[[int], Scene]
FOREIGN = (ValueError, TypeError, RuntimeError, ArithmeticError, LookupError, AttributeError, MemoryError)
"""What a foreign network may raise when it is differentiated, beside TensorFlow's own."""


def explained(
    view: View, images: Images, measurement: Measurement, plan: Plan, loss: str, scenes: Scenes,
    amount: Amount,
) -> Attribution:  # fmt: skip
    """Return the attributions of the chosen probes; what stops them is said in it and costs nothing else.

    `images` are those of the whole set, `(probe, y, x, channel)`; the network has the checkpoint's weights.
    """
    if view.why:
        return Attribution(absent=view.why)
    try:
        return _explained(view, images, measurement, plan, loss, scenes, amount)
    except _foreign() as error:
        return Attribution(absent=_said(error))


def stressed(view: View, images: Images, measurement: Measurement, plan: Plan, scenes: Scenes) -> Stress:
    """Return the answers to changed probes; as `explained`."""
    try:
        return _stressed(view, images, measurement, plan, scenes)
    except _foreign() as error:
        return Stress(absent=_said(error))


def _explained(
    view: View, images: Images, measurement: Measurement, plan: Plan, loss: str, scenes: Scenes, amount: Amount
) -> Attribution:
    sizes = plan.sizes_of(amount)
    finite = np.asarray(np.isfinite(measurement.predictions).all(axis=1))
    if not finite.any():
        return Attribution(absent="no prediction is finite")
    chosen, fixed = choose(plan, _answers(measurement.predictions), plan.sizes.probes, sizes.probes)
    chosen = chosen[finite[chosen]]
    weighting, word = weigh(measurement.predictions, measurement.output_activation, loss, plan)
    parts = [scenes(int(i)) for i in chosen]
    case = Case(images[chosen], _sky(parts), chosen, weighting[chosen])
    checked = np.unique(np.linspace(0, len(chosen) - 1, min(sizes.checked, len(chosen))).round().astype(int))
    notes = []
    rows, columns = patches(view.shape, sizes)
    stages = min(sizes.stages, max(1, len(view.variables)))
    view.slope(case.images[:1], case.probes[:1], case.weighting[:1])  # the first call traces
    one = _seconds(lambda: view.slope(case.images[:1], case.probes[:1], case.weighting[:1]))
    # An occluded image costs about a third of one that is differentiated.
    each = one * (1 + sizes.smooth + sizes.steps + len(rows) * len(columns) / 3)
    if each * (len(chosen) + stages * len(checked)) > plan.seconds / 3:
        sizes = replace(sizes, smooth=0, steps=0, cells=0)
        notes.append(
            "SmoothGrad, integrated gradients and occlusion were left out: together they would take more than a third "
            f"of the time a checkpoint is given (limits.seconds: {plan.seconds:g})."
        )
    if not view.layer:
        notes.append("There is no Grad-CAM and no LayerCAM, because no convolution of this network gives a map.")
    found = attribute(view, case, sizes)
    subset = Explained({k: m[checked] for k, m in found.maps.items()}, *[found.score[:0]] * 3)
    random = cascade(view, case.take(checked), subset, sizes) if stages else NOTHING
    return Attribution(
        probes=chosen, of=len(images), fixed=fixed, explained=word, weighting=case.weighting, score=found.score,
        baseline=found.baseline, layer=view.layer, maps=found.maps,
        bands=np.abs(found.integrated).sum(axis=(1, 2)),
        completeness=completeness(found.integrated, found.score, found.baseline) if sizes.steps else found.score[:0],
        regions=np.stack([_codes(s) for s in parts]),
        settings={
            "smooth_n": sizes.smooth, "smooth_sd": SMOOTH_SD, "steps": sizes.steps, "seed": SEED,
            "patch": rows[0].stop if rows else 0, "stride": rows[1].start if len(rows) > 1 else 0,
        },
        stages=random.stages, weighted=len(view.variables), checked=chosen[checked], spearman=random.spearman,
        signed=random.signed, ssim=random.ssim, notes=tuple(notes),
    )  # fmt: skip


def _stressed(view: View, images: Images, measurement: Measurement, plan: Plan, scenes: Scenes) -> Stress:
    chosen, _ = choose(plan, _answers(measurement.predictions), plan.sizes.stressed)
    own, parts = images[chosen], [scenes(int(i)) for i in chosen if plan.depth != "quick"]
    wanted, notes = variants(view.shape, plan.channels, plan.depth), []
    view.predict(own[:1], chosen[:1])  # the first call traces
    one = _seconds(lambda: view.predict(own[:1], chosen[:1]))
    for less in ("quick", "none"):
        if one * len(wanted) * len(chosen) <= plan.seconds / 3:
            break
        if less == "none":
            raise NetworkError("it would take more than a third of the time a checkpoint is given (limits.seconds)")
        wanted = variants(view.shape, plan.channels, "quick")
        notes.append("Only rotations and mirror images were tried: the rest would take too long (limits.seconds).")
    answers = [view.predict(vary(variant, own, parts), chosen)[0] for variant in wanted]
    return Stress(
        probes=chosen, of=len(images), kinds=tuple(v.kind for v in wanted), amounts=tuple(v.amount for v in wanted),
        predictions=np.stack([a.reshape(len(chosen), -1) for a in answers]),
        found=np.array([s.found for s in parts], np.bool_),
        settings={"seed": SEED, "quiet": int(sum((s.noise == 0).any() for s in parts))}, notes=tuple(notes),
    )  # fmt: skip


def pictures(inputs: Mapping[str, Images], plan: Plan) -> Images:
    """Return the prepared images `(probe, y, x, channel)` out of what the network gets."""
    given = np.asarray(inputs[plan.image[0]])
    return given.reshape(len(given), *plan.shape)


def _answers(predictions: NDArray[np.float32]) -> NDArray[np.float32]:
    units = predictions.shape[1]
    return predictions[:, 0] if units == 1 else predictions[:, 1] if units == 2 else predictions.max(axis=1)


def _sky(scenes: Sequence[Scene]) -> NDArray[np.float32]:
    return np.stack([s.sky for s in scenes]).astype(np.float32)[:, None, None]


def _codes(scene: Scene) -> NDArray[np.uint8]:
    codes = GALAXY * scene.galaxy + OUTSKIRTS * scene.outskirts + OTHER * scene.other
    return np.asarray(codes, np.uint8)


def _seconds(task: Callable[[], object]) -> float:
    start = perf_counter()
    task()
    return perf_counter() - start


def _foreign() -> tuple[type[BaseException], ...]:
    from tensorflow.errors import OpError

    return (NetworkError, OpError, *FOREIGN)


def _said(error: BaseException) -> str:
    """Return the reason in one line."""
    if isinstance(error, NetworkError):
        return error.problem + (f": {error.received}" if error.received else "")
    lines = str(error).strip().splitlines() or [""]
    return f"the network cannot be differentiated ({type(error).__name__}: {lines[0][:200]})"
