"""The log of acts as a task reads it: acts that a script, an analyst or a strategy makes are appended, once each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas_core.config import RunConfig
from nas_core.engine import _analyst as analyst
from nas_core.engine.tasks._session import SessionScript
from nas_core.spaces import Act, Steering
from nas_core.store import LogEntry, RunRow, Store


class SteeringLog:
    """Acts of one run, and the steering they fold to."""

    def __init__(self, store: Store, identifier: str, config: RunConfig, script: SessionScript) -> None:
        self._store, self._identifier, self._config, self._script = store, identifier, config, script
        self._reported: set[int] = set()

    def read(self, run: RunRow, step: int | None = None, proposed: Sequence[Act] = ()) -> list[LogEntry]:
        """The log, with whatever a script, the analyst or the strategy (`proposed`) does before this ask appended.

        While weights are trained, `step` says how far they are. A kill in between repeats none.
        """
        acts = self._store.log(self._identifier, kind="act")
        added = self._due(run, acts, step)
        known = sum(entry.body.get("proposed") == run.asked for entry in acts)
        added += [{**act.to_dict(), "proposed": run.asked} for act in list(proposed)[known:]]
        for body in added:
            self._store.append(self._identifier, "act", {**body, "scored": run.scored})
        return self._store.log(self._identifier, kind="act") if added else acts

    def _due(self, run: RunRow, acts: list[LogEntry], step: int | None) -> list[dict[str, Any]]:
        made = sum("scripted" in entry.body for entry in acts)
        due = self._script.due(run.asked, step)[made:]
        if self._config.analyst and step is None and made < run.asked // self._config.batch:
            space = self._config.known_space
            steering, _ = Steering.fold_compatible(space, [Act.from_dict(entry.body) for entry in acts])
            higher = self._config.rank_by not in self._config.lower_is_better
            act = analyst.next_act(self._store, self._identifier, space, steering, self._config.rank_by, higher)
            due = due + ([] if act is None else [act.to_dict()])
        return [{**body, "scripted": number} for number, body in enumerate(due, start=made)]

    def fold(self, entries: Sequence[LogEntry]) -> Steering:
        """Every act in force; an act that cannot hold together with earlier ones is left out and reported."""
        acts = [Act.from_dict(entry.body) for entry in entries]
        steering, refused = Steering.fold_compatible(self._config.known_space, acts)
        for position, reason in refused.items():
            entry = entries[position]
            if entry.id not in self._reported:
                self._reported.add(entry.id)
                body = {"refused": entry.id, "act": acts[position].describe(), "message": reason}
                self._store.append(self._identifier, "event", body)
        return steering
