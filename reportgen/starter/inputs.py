"""Networks with several inputs: which gets the image, and what only the user knows of the others."""

from __future__ import annotations

import math

from reportgen.starter.columns import Columns
from reportgen.starter.draft import Draft, in_yaml
from reportgen.starter.network import Network, shape_in_words

MANY = 64
"""An input of more numbers is a picture, flattened or not."""


def draft_inputs(draft: Draft, network: Network, catalogue: Columns | None) -> None:
    """Write the group `inputs`; of several that take pictures only the user knows which gets the image."""
    sizes = {
        name: MANY + 1 if shape is None else math.prod(n or MANY for n in shape)
        for name, shape in network.inputs.items()
    }
    taking = [name for name, size in sizes.items() if size > MANY]
    for name, shape in network.inputs.items():
        if "." in name:  # the draft's keys are dotted
            draft.note("probes.inputs", f"{in_yaml(name)}: {{images: other/*.png}}  # or another source, to be added")
        elif taking == [name]:
            draft.guess(f"probes.inputs.{name}", {"image": True}, "the only one that takes pictures")
        else:
            options = _pictures(name) if name in taking else _numbers(name, shape[0] if shape else 1, catalogue)
            draft.choose(
                f"probes.inputs.{name}", f"what does this input get? It takes {shape_in_words(shape)}.", options
            )


def _pictures(name: str) -> list[tuple[str, str]]:
    return [
        (f"{name}: {{image: true}}", "the image, prepared as above"),
        (f"{name}: {{images: other/*.png}}", "another picture of each probe, in the same order"),
        (f"{name}: {{column: other_file}}", "the same, by a column of the catalogue with file names"),
        (f"{name}: {{prepare: {{resize: 100}}}}", "the image, prepared otherwise"),
    ]


def _numbers(name: str, count: int | None, catalogue: Columns | None) -> list[tuple[str, str]]:
    known = {column for column, _ in catalogue.meaning.values()} if catalogue else set()
    free = [column for column in catalogue.header if column not in known] if catalogue else []
    columns = [*free, *(f"column_{i + 1}" for i in range(count or 1))][: count or 1]
    return [
        (f"{name}: {{columns: {in_yaml(columns)}}}", "numbers of the catalogue, in the order of the training"),
        (f"{name}: {{columns: {in_yaml(columns)}, scale: 0.01}}", "likewise; or mean_std: [[means], [deviations]]"),
    ]
