"""What a worker takes seconds to import, imported once: workers are forked from a process that has imported this.

Nothing here may start a thread: a fork would not have it.
"""

import gc

import torch

import nas_core.engine._training
import nas_core.scoring
from nas_core import proxies, spaces

__all__ = ["nas_core", "torch"]

proxies.load_ours()
spaces.load_ours()
gc.collect()
gc.freeze()  # or the first collection in each fork walks through, and so copies, everything above: .2 s a worker
