"""What a configuration names on other machines, fetched before anything looks at it."""

from __future__ import annotations

from functools import partial

from reportgen.config import Config
from reportgen.remote import fetch_files, fetch_pattern, fetch_run
from reportgen.store.inputs import image_patterns, wanted_names


def fetch_run_files(config: Config) -> None:
    """Have the files of the training run here; nothing where they are."""
    fetch_run(config.run.path, partial(wanted_names, patterns=config.run.checkpoints))
    if config.run.history is not None:
        fetch_files(config.run.history)


def fetch_inputs(config: Config) -> None:
    """Have the training run, the images and the catalogue here; raises RemoteError where a server does not answer."""
    fetch_run_files(config)
    for pattern in image_patterns(config.probes):
        fetch_pattern(pattern)
    if config.probes.catalogue is not None:
        fetch_files(config.probes.catalogue)
