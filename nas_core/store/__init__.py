"""The store: the only channel between app and engine. SQLite in WAL mode by default, PostgreSQL for teams.

Commands, steering acts and events are one append-only log read by cursor. Neither torch nor Dash lives here.
"""

from nas_core.store._database import DEFAULT_URL
from nas_core.store._errors import LeaseLost, LogMoved, StoreError
from nas_core.store._files import WEIGHTS
from nas_core.store._leases import LEASE_SECONDS
from nas_core.store._log import RESCORED
from nas_core.store._rows import Asked, CandidateRow, LogEntry, Outcome, Pulse, RunRow, StoreInfo
from nas_core.store._session import replay, session_script, twin, twin_of
from nas_core.store._store import Store

__all__ = [
    "DEFAULT_URL",
    "LEASE_SECONDS",
    "RESCORED",
    "WEIGHTS",
    "Asked",
    "CandidateRow",
    "LeaseLost",
    "LogEntry",
    "LogMoved",
    "Outcome",
    "Pulse",
    "RunRow",
    "Store",
    "StoreError",
    "StoreInfo",
    "replay",
    "session_script",
    "twin",
    "twin_of",
]
