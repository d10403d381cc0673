"""What the network process is asked: the probes once, then one checkpoint after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.reading import Reading
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError
from reportgen.extraction.explained import Attribution, Stress
from reportgen.extraction.measurement import Measurement
from reportgen.isolation.limits import given_memory
from reportgen.network.choose import Ways, network_for
from reportgen.network.engine import start_tensorflow
from reportgen.network.explain import explained, pictures, stressed
from reportgen.network.network import Network
from reportgen.network.plan import Amount, Plan
from reportgen.network.streaming import Keep
from reportgen.network.user_model import described, user_model

if TYPE_CHECKING:
    from reportgen.diagnostics.regions import Scene
    from reportgen.network.live import LiveNetwork
    from reportgen.network.view import View

_networks: dict[str, Network | LiveNetwork] = {}
"""Those built in this process, by signature and names."""
NETWORKS = 2
"""As many are kept; of a run with more architectures the oldest is built again."""
_inputs: dict[str, NDArray[np.generic]] = {}
_ways: list[Ways] = []
_plans: list[Plan | None] = []
_views: dict[str, View] = {}
"""Of the networks that are kept; each holds on to its own."""
_scenes: dict[int, Scene] = {}
"""Those taken apart already, by probe."""


@dataclass(frozen=True)
class Measured:
    """A checkpoint's measurement, and its weights as they are to be written."""

    measurement: Measurement
    shown: StoredModel | None
    """Under the names of a live network's layers; None where those of the reading hold."""


def prepare(inputs: dict[str, NDArray[np.generic]], ways: Ways, plan: Plan | None = None) -> None:
    """Start TensorFlow and keep the prepared probes, `(probe, …)` for each input, and how networks are opened.

    Without a plan activations and predictions are all that is measured.
    """
    start_tensorflow()
    if plan is not None and plan.depth != "quick":
        import photutils.segmentation  # noqa: F401 - a large import belongs before the limits
    for kept in (_networks, _views, _scenes, _inputs):
        kept.clear()  # made of what was given before, where something was
    _plans[:] = [plan]
    _inputs.update(inputs)
    _ways[:] = [ways]


def measure(reading: Reading, checkpoint: Checkpoint, amount: Amount = "") -> Measured:
    """Return activations and predictions of the probes under a checkpoint's weights, and what the plan asks for.

    Raises NetworkError where its network cannot be built or run.
    """
    key = _key(reading)
    network = _networks.get(key)
    if network is None:
        shapes = {name: array.shape[1:] for name, array in _inputs.items()}
        try:
            network = network_for(reading.stored, shapes, _ways[0], checkpoint.path, checkpoint.format, reading.graph)
        except NetworkError as error:
            if reading.stored.config is None and checkpoint.unclear:
                raise _undescribed(checkpoint) from error
            raise
        while len(_networks) >= NETWORKS:
            oldest = next(iter(_networks))
            del _networks[oldest]
            _views.pop(oldest, None)  # it looks at that network's weights, which are nobody's from now on
        _networks[key] = network
    plan = _plans[0] if _plans else None
    keep = Keep(plan.shown, given_memory()) if plan is not None and plan.shown else None
    if isinstance(network, Network):
        measurement, shown = network.measure(reading.stored, _inputs, keep), None
    else:
        (alone,) = _inputs.values()
        measurement, shown = network.measure(reading.stored, alone, keep), network.named(reading.stored)
    return Measured(_more(measurement, network, reading, amount), shown)


def _key(reading: Reading) -> str:
    """Return what a network is known by: its layers bear the names of the first checkpoint of its signature."""
    return "\n".join([reading.signature, *(call.name for call in (reading.graph.calls if reading.graph else ()))])


def _undescribed(checkpoint: Checkpoint) -> NetworkError:
    """Return the error for weights that several different networks could have."""
    return NetworkError(
        f"the file holds weights alone, and different networks fit them: {checkpoint.unclear}",
        expected="one description, or one under the name of the weights",
        advice=f"Put the right one beside {checkpoint.file} under the same name, or leave the others out.",
    )


def _more(measurement: Measurement, network: Network | LiveNetwork, reading: Reading, amount: Amount) -> Measurement:
    """Return a measurement with attribution and stress; a network without them has the reason."""
    plan = _plans[0] if _plans else None
    if plan is None:
        return measurement
    from reportgen.network.viewed import view_of

    try:
        view = _views.get(_key(reading))
        if view is None:
            view = view_of(network, _inputs, plan.image, plan.shape, plan.layer)
            _views[_key(reading)] = view
    except NetworkError as error:
        return replace(measurement, attribution=Attribution(absent=error.problem), stress=Stress(absent=error.problem))
    images = pictures(_inputs, plan)

    def scene(probe: int) -> Scene:
        from reportgen.diagnostics.regions import take_apart

        if probe not in _scenes:
            _scenes[probe] = take_apart(images[probe])
        return _scenes[probe]

    stress = stressed(view, images, measurement, plan, scene)
    if not amount:
        return replace(measurement, stress=stress)
    loss = reading.stored.loss
    return replace(
        measurement, stress=stress, attribution=explained(view, images, measurement, plan, loss, scene, amount)
    )


def describe() -> dict[str, Any] | None:
    """Return the description of the user's own model, as a file would hold it; None for one that has none."""
    model = _ways[0].model
    return None if model is None else described(user_model(model, _ways[0].base))
