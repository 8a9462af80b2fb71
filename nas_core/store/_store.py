"""The store as others see it: its parts, one a subject, on one database."""

from __future__ import annotations

from nas_core.store._candidates import CandidateRecords
from nas_core.store._files import FileRecords
from nas_core.store._leases import Leases
from nas_core.store._log import LogRecords
from nas_core.store._networks import NetworkRecords
from nas_core.store._runs import RunRecords
from nas_core.store._scores import ScoreCache
from nas_core.store._templates import TemplateRecords
from nas_core.store._upkeep import Upkeep


class Store(
    RunRecords,
    Leases,
    LogRecords,
    CandidateRecords,
    FileRecords,
    TemplateRecords,
    NetworkRecords,
    ScoreCache,
    Upkeep,
):
    """Runs, log, candidates, watched networks and the score cache behind one SQLAlchemy URL.

    Every method is one short transaction.

    Example:
        store = Store("sqlite:///runs.db")
        run = store.create_run(RunConfig(space="nb201", scores=("zico",), budget=200))
        store.command(run, "start")

    `url` is that of SQLite or PostgreSQL, None for the default. `busy_seconds` is how long a write waits for another
    program's write on SQLite. With `create=False`, a store that does not exist is an error.

    Raises:
        StoreError: the URL is malformed, the store is newer than this program, or the database is locked, full,
            corrupt or out of reach.
    """
