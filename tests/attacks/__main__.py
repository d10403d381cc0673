"""Write every attack into a folder, and say what is to come of each."""

from __future__ import annotations

import sys
from pathlib import Path

from attacks.write import write_all

if len(sys.argv) != 2:
    sys.exit("usage: PYTHONPATH=tests python -m attacks FOLDER")
home = Path(sys.argv[1])
for name, attack in write_all(home / "run", home / "markers").items():
    print(f"{name!r:60} {' or '.join(attack.ends):28} {attack.words}")
