"""Keep what a report needs while a network trains: `model.fit(..., callbacks=[GetWeights("runs/mine")])`."""

from reportgen.callbacks.getweights import GetWeights
from reportgen.callbacks.restore import Restored, restore_best

__all__ = ["GetWeights", "Restored", "restore_best"]
