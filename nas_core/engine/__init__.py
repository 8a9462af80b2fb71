"""The engine: takes runs from the store and advances their tasks, several at a time, on workers that they share.

Strategies, proxies and spaces are other rooms; nothing here draws or serves.
"""

from typing import TYPE_CHECKING, Any

from nas_core.engine._work import CandidateGroup, local_workers, score_candidates

if TYPE_CHECKING:
    from nas_core.engine._engine import Engine

__all__ = ["CandidateGroup", "Engine", "local_workers", "score_candidates"]


def __getattr__(name: str) -> Any:
    if name == "Engine":  # a worker starts half a second sooner without the store and what else an engine needs
        from nas_core.engine._engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
