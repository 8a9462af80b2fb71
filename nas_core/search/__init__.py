"""Who asks next: strategies on ask/tell, one module each. Third parties register through `nas_helm.strategies`."""

from nas_core.search._registry import factory, get, names, register
from nas_core.search.base import Ask, Result, Strategy, generator
from nas_core.search.random import draw_unseen

__all__ = ["Ask", "Result", "Strategy", "draw_unseen", "factory", "generator", "get", "names", "register"]
