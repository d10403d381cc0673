"""A configuration with some of its sections only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reportgen.config.load import Loaded
from reportgen.config.problems import Problem, WrongConfig
from reportgen.config.suggest import did_you_mean


def narrow(loaded: Loaded, *, only: Sequence[str] = (), skip: Sequence[str] = ()) -> Loaded:
    """Keep the sections `only`, if there are any, without those in `skip`; the order stays that of the file.

    Raises WrongConfig where one of them is not in the configuration.
    """
    here = [section.id for section in loaded.config.sections]
    wrong = [
        Problem(flag, "", f"no section {name} in the configuration", did_you_mean(name, here))
        for flag, names in (("--only", only), ("--skip", skip))
        for name in names
        if name not in here
    ]
    if wrong:
        raise WrongConfig(str(loaded.file), wrong)
    kept = tuple(s for s in loaded.config.sections if (not only or s.id in only) and s.id not in skip)
    if len(kept) == len(here):
        return loaded
    flags = " ".join(flag for flag, names in (("--only", only), ("--skip", skip)) if names)
    return replace(
        loaded,
        config=loaded.config.model_copy(update={"sections": kept}),
        origins=loaded.origins | {"sections": f"{loaded.origins['sections']}, {flags}"},
    )
