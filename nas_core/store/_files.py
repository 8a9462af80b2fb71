"""What a run keeps beside its rows: the weights of its training with their loss curve, and exports."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from nas_core.store._database import Database
from nas_core.store._json import jsonable
from nas_core.store._tables import files

WEIGHTS = "weights"
"""The file of a run that holds the checkpoint of its training."""


class FileRecords(Database):
    """Files of runs."""

    def trained(
        self,
        identifier: str,
        weights: bytes,
        losses: Sequence[Mapping[str, float]],
        strategy_state: Mapping[str, Any],
        message: str,
        *,
        engine: str,
        step: int = 0,
    ) -> None:
        """Keep a checkpoint with the new points of its loss curve and the state behind it, in one transaction.

        `step` is how many updates the weights have seen.

        Raises:
            LeaseLost: `engine` does not hold the run.
        """
        with self._locked(identifier, engine) as run:
            run.keep_state(strategy_state)
            _keep(run.connection, identifier, WEIGHTS, weights)
            run.append("loss", [jsonable(body) for body in losses], time.time())
            run.set(weights_step=step)
            if run.row["state"] == "running":
                run.set(message=message)

    def keep_file(self, identifier: str, name: str, data: bytes) -> None:
        """Keep a file with a run; one of the same name is replaced."""
        with self._writing() as connection:
            _keep(connection, identifier, name, data)

    def file(self, identifier: str, name: str = WEIGHTS) -> bytes | None:
        """A file of a run; None where there is none."""
        with self._reading() as connection:
            return connection.scalar(select(files.c.data).where(files.c.run == identifier, files.c.name == name))


def _keep(connection: Connection, identifier: str, name: str, data: bytes) -> None:
    connection.execute(delete(files).where(files.c.run == identifier, files.c.name == name))
    connection.execute(files.insert(), {"run": identifier, "name": name, "data": data})
