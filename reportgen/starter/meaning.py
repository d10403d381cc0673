"""What the outputs of the network mean."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.starter.draft import Draft, in_yaml
from reportgen.starter.network import Network

REGRESSION = ("mean_squared", "mean_absolute", "mse", "mae", "huber", "log_cosh", "logcosh", "msle", "mape")


def draft_task(draft: Draft, network: Network | None, labels: Sequence[str], targets: bool) -> None:
    """Write the group `task` from the output layer, the loss, and what the probes are labelled with."""
    kind, why = _kind(network, labels, targets)
    if kind:
        draft.guess("task.kind", kind, why)
    else:
        draft.choose(
            "task.kind",
            f"what does the network return? {why}",
            [
                ("kind: regression", "a number of its own: a score, a redshift, …"),
                ("kind: binary", "one number: the probability of one of two classes"),
                ("kind: classes", "one number a class"),
            ],
        )
    if kind != "regression":
        _draft_classes(draft, labels, network.units if network else None)
    if network and len(network.outputs) > 1:
        names = ", ".join(network.outputs)
        draft.note("task.prediction", f"prediction: {network.outputs[0]}  # of {names}; by default the first vector")
    draft.note("task.output", 'output: ""  # what captions call it: merger probability, human score, …')


def _kind(network: Network | None, labels: Sequence[str], targets: bool) -> tuple[str, str]:
    """Return the kind of task and why, or an empty kind and what is known."""
    if network is None or network.units is None:
        return "", "The checkpoints do not say."
    units = f"{network.units} unit{'s' if network.units > 1 else ''}"
    known = f"{units}, {network.activation or 'unknown activation'}, loss {network.loss or 'unknown'}"
    loss = network.loss.lower()
    if network.units > 1 and (network.activation == "softmax" or "crossentropy" in loss):
        return "classes", known
    if network.units == 1 and "binary_crossentropy" in loss:
        return "binary", known
    if any(word in loss for word in REGRESSION):
        return "regression", known
    if network.units == 1 and targets != bool(labels):
        return ("regression", f"{known}; the probes have targets") if targets else ("binary", f"{known}; labels")
    return "", f"It has {known}."


def _draft_classes(draft: Draft, labels: Sequence[str], units: int | None) -> None:
    if not labels:
        draft.note("task.classes", "classes: []  # their names, in the order of the outputs")
        return
    if all(label.isdecimal() for label in labels):
        draft.note("task.classes", f"classes: []  # names of the classes {', '.join(labels)}, in this order")
        return
    wanted = max(units or 2, 2)
    said = "" if len(labels) == wanted else f" ({len(labels)} labels, {wanted} classes: some are not among the probes?)"
    options = [
        (
            f"classes: {in_yaml(list(labels))}",
            "alphabetical, as image_dataset_from_directory numbers folders",
        ),
        (
            f"classes: {in_yaml(list(reversed(labels)))}",
            "the other way round" if len(labels) == 2 else "or any other order",
        ),
    ]
    order = "(negative, positive)" if units == 1 else "the order of the outputs"
    draft.choose("task.classes", f"which output means which class? {order}{said}", options)
