"""The sick ward: each planted illness is named by its own verdict, and no healthy network is called ill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from reportgen.config import EVIDENCE
from ward.healthy import HEALTHY
from ward.patient import Patient, Ward
from ward.round import Finding, examine, one_network_process
from ward.sick import SICK
from ward.table import table


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Patient], Finding]]:
    """Examine a patient, once."""
    with one_network_process():
        ward = Ward(tmp_path_factory.mktemp("ward"))
        yield cache(lambda patient: examine(patient, ward))


def by_name(patient: Patient) -> str:
    return patient.name


def test_every_verdict_has_an_illness_of_its_own_and_ten_networks_are_healthy():
    assert {id for patient in SICK for id in patient.own} == set(EVIDENCE)
    assert len(HEALTHY) >= 10 and not any(patient.own for patient in HEALTHY)
    names = [patient.name for patient in (*SICK, *HEALTHY)]
    assert len(set(names)) == len(names)


@pytest.mark.slow
@pytest.mark.parametrize("patient", SICK, ids=by_name)
def test_an_illness_is_named_by_its_own_verdict(patient, found):
    finding = found(patient)
    assert finding.proved, "the illness is not there"
    assert not finding.failures
    assert finding.right, f"{patient.own} expected, received {finding.spoken}\n{table([finding])}"


@pytest.mark.slow
@pytest.mark.parametrize("patient", HEALTHY, ids=by_name)
def test_a_healthy_network_has_no_fail_and_one_warning_at_most(patient, found):
    finding = found(patient)
    assert finding.proved, "it did not learn what it should"
    assert not finding.failures
    assert finding.right, f"received {[finding.checks[id] for id in finding.spoken]}\n{table([finding])}"
