"""The engine: takes runs from the store and carries them through, generation by generation.

Strategies, proxies and spaces are other rooms; nothing here draws or serves.
"""

from nas_core.engine._engine import Engine

__all__ = ["Engine"]
