"""Watching: anybody's network, its scores, layers and modules put into the store, once or while it trains.

`nas_core.watch(model, batches, name="mine")` is the whole of it; the Layers page shows what it keeps.
"""

from nas_core.watching._watcher import FILM, SCORES, Watcher, watch

__all__ = ["FILM", "SCORES", "Watcher", "watch"]
