"""The engine: takes runs from the store and carries them through, generation by generation.

Strategies, proxies and spaces are other rooms; nothing here draws or serves.
"""

from nas_core.engine._engine import Engine
from nas_core.engine._pool import follow, start_worker

__all__ = ["Engine", "follow", "start_worker"]
