"""A space under check and the architectures that its promises are checked on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_core.spaces import Architecture, SearchSpace

_SAMPLES = 24


@dataclass(frozen=True)
class Sampled:
    """A space under check, with architectures drawn from it."""

    space: SearchSpace
    seed: int

    @cached_property
    def archs(self) -> list[Architecture]:
        """Different random architectures; fewer than `_SAMPLES` in a tiny space."""
        rng = np.random.default_rng(self.seed)
        return list(dict.fromkeys(self.space.sample(rng) for _ in range(_SAMPLES)))
