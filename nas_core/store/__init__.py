"""The store: the only channel between app and engine. SQLite in WAL mode by default, PostgreSQL for teams.

Commands, steering acts and events are one append-only log read by cursor. Neither torch nor Dash lives here.
"""

from nas_core.store._database import DEFAULT_URL
from nas_core.store._errors import LeaseLost, LogMoved, StoreError
from nas_core.store._files import WEIGHTS
from nas_core.store._leases import LEASE_SECONDS
from nas_core.store._log import RESCORED
from nas_core.store._networks import MOST_LAYERS, MOST_SNAPSHOTS
from nas_core.store._rows import (
    Asked,
    CandidateRow,
    Layers,
    LogEntry,
    NetworkRow,
    Outcome,
    Pulse,
    RunRow,
    Snapshot,
    StoreInfo,
    Structure,
)
from nas_core.store._session import replay, session_script, twin, twin_of
from nas_core.store._store import Store

__all__ = [
    "DEFAULT_URL",
    "LEASE_SECONDS",
    "MOST_LAYERS",
    "MOST_SNAPSHOTS",
    "RESCORED",
    "WEIGHTS",
    "Asked",
    "CandidateRow",
    "Layers",
    "LeaseLost",
    "LogEntry",
    "LogMoved",
    "NetworkRow",
    "Outcome",
    "Pulse",
    "RunRow",
    "Snapshot",
    "Store",
    "StoreError",
    "StoreInfo",
    "Structure",
    "replay",
    "session_script",
    "twin",
    "twin_of",
]
