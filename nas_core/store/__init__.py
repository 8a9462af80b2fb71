"""The store: the only channel between app and engine. SQLite in WAL mode by default, any SQLAlchemy URL for teams.

Commands, steering acts and events are one append-only log read by cursor. Neither torch nor Dash lives here.
"""

from nas_core.store._session import replay, session_script, twin, twin_of
from nas_core.store._store import (
    DEFAULT_URL,
    LEASE_SECONDS,
    RESCORED,
    WEIGHTS,
    CandidateRow,
    LeaseLost,
    LogEntry,
    LogMoved,
    RunRow,
    Store,
    StoreError,
)

__all__ = [
    "DEFAULT_URL",
    "LEASE_SECONDS",
    "RESCORED",
    "WEIGHTS",
    "CandidateRow",
    "LeaseLost",
    "LogEntry",
    "LogMoved",
    "RunRow",
    "Store",
    "StoreError",
    "replay",
    "session_script",
    "twin",
    "twin_of",
]
