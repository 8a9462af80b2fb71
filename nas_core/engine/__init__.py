"""The engine: takes runs from the store and carries them through, generation by generation.

Strategies, proxies and spaces are other rooms; nothing here draws or serves.
"""

from typing import TYPE_CHECKING, Any

from nas_core.engine._pool import follow, interrupts_held, start_worker

if TYPE_CHECKING:
    from nas_core.engine._engine import Engine

__all__ = ["Engine", "follow", "interrupts_held", "start_worker"]


def __getattr__(name: str) -> Any:
    if name == "Engine":  # a worker starts half a second sooner without the store and what else an engine needs
        from nas_core.engine._engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
