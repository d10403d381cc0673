"""`python -m ward [NAME …]`: report on every patient, or on these, and print the table of illness and verdict."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path


def main(names: list[str]) -> int:
    """Print the table; return 1 where a patient is not judged as it should be."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from ward.healthy import HEALTHY
    from ward.patient import Ward
    from ward.round import examine, one_network_process
    from ward.sick import SICK
    from ward.table import table

    begun, findings = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="ward-") as root, one_network_process():
        ward = Ward(Path(root))
        for patient in (*SICK, *HEALTHY):
            if not names or patient.name in names:
                before = time.process_time()
                found = examine(patient, ward)
                findings.append(found)
                said = ", ".join(f"{id} {found.verdicts[id]}" for id in found.spoken) or "nothing"
                print(
                    f"{patient.name}: {patient.about}{'' if found.proved else ' (NOT PROVED)'}: {said}"
                    f" [{time.process_time() - before:.1f} s]", file=sys.stderr, flush=True,
                )  # fmt: skip
                for failure in found.failures:
                    print("   ", failure, file=sys.stderr)
    print(table(findings))
    own, children = (sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{time.monotonic() - begun:.0f} s, {own + children:.0f} s of processor time", file=sys.stderr)
    return int(not all(f.right and f.proved for f in findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
