"""NAS Helm's engine room: a library for steerable neural architecture search that works without the app."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`watch`, imported when it is first asked for: it stands on most of the library, which needs the version above."""
    if name == "watch":
        return import_module("nas_core.watching").watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
