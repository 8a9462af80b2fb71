"""Readers of published results, one module a format; a module in this folder that registers itself is all it takes."""

from nas_core.bench.importers._architecture_column import Sought
from nas_core.bench.importers._registry import Block, Importer, get, names, recognise, register

__all__ = ["Block", "Importer", "Sought", "get", "names", "recognise", "register"]
