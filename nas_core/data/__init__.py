"""Images to score and train on: embedded, local files. Untrusted files never reach an unrestricted unpickler."""

from nas_core.data._batches import batches
from nas_core.data._sources import SOURCES, ImageData, check_source, load

__all__ = ["SOURCES", "ImageData", "batches", "check_source", "load"]
