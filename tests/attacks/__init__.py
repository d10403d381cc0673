"""One file, or folder, for each class of attack and breakage: `PYTHONPATH=tests python -m attacks FOLDER` writes them.

Nothing here is harmful by itself: what would run if a reader ran it makes an empty marker file.
"""

from attacks.attack import SECRET, Attack, Place
from attacks.write import ATTACKS, write_all

__all__ = ["ATTACKS", "SECRET", "Attack", "Place", "write_all"]
