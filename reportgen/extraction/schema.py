"""The schema of the extraction files: names of groups, datasets and attributes, and its version.

A run's extraction folder holds `_run.json` (run, history, configuration, provenance), `_probes.h5` (the probe set) and
one `<checkpoint>.h5` for each checkpoint:

    /                     attributes schema, about (JSON of About), layers (JSON of the layer table), notes (JSON list)
    /weights/0000         attribute layer; datasets 0, 1, …, each with the attribute variable
    /activations/0000     attribute layer; maps (shown, …, channel); minimum, maximum, mean, magnitude, zeros, and
                          saturated where the layer's function is flat somewhere (probe, channel); where not all probes
                          are shown, of a layer with maps also place (probe, channel), that of the maximum in its map,
                          row by row, and gram (compared, compared), the Gram matrix of centred features
    /shown                (shown,) places in the probe set of the probes that maps are of; missing where of all
    /compared             (compared,) likewise, of the probes of gram; beside shown only
    /predictions          (probe, unit)
    /scores               (probe, unit), where they can be had
    /attribution          attribute plain (JSON of its words and numbers); the arrays of Attribution under their names,
                          those of a dict in a group; only at checkpoints that were chosen for it
    /stress               likewise, of Stress

In `_probes.h5`: attribute about (JSON); images/000000 (y, x, band); inputs (probe, …); others/0000 (probe, …) for each
further input of the network, where there are any.
"""

SCHEMA = 2
"""Raised when a reader of the previous version could no longer read the files. Of schema 1, maps are of all probes."""

RUN_FILE = "_run.json"
PROBES_FILE = "_probes.h5"
