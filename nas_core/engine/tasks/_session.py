"""A session as it goes: when acts took effect, which asks were no whole batch, and what a script replays of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SessionNotes:
    """What a session script is made of later; lists of numbers, kept with the state of the task.

    `acts` [candidates asked, acts in the log], `asks` [candidates asked, size of an ask that was no whole batch],
    `steps` [training step, acts in the log], `trainings` [candidates asked, training step, epochs in all].
    """

    def __init__(self, stored: Mapping[str, Any] | None) -> None:
        empty: dict[str, list[list[float]]] = {"acts": [], "asks": [], "steps": [], "trainings": []}
        self.lists: dict[str, list[list[float]]] = empty | dict(stored or {})

    def note_ask(self, asked: int, size: int, acts: int, batch: int) -> None:
        """An ask of `size` after `asked` candidates, under the first `acts` acts of the log."""
        held = self.lists["acts"][-1][1] if self.lists["acts"] else 0
        if acts != held:
            self.lists["acts"].append([asked, acts])
        if size != batch:
            self.lists["asks"].append([asked, size])

    def note_training(self, asked: int, step: int, acts: int, epochs: float) -> None:
        """A stretch of training from `step` on, under the first `acts` acts, for a budget of `epochs` in all."""
        held = self.lists["steps"][-1][1] if self.lists["steps"] else 0
        if acts != held:
            self.lists["steps"].append([step, acts])
        budgets = self.lists["trainings"]
        if not budgets or budgets[-1][-1] != epochs:  # the learning rate follows the budget
            budgets.append([asked, step, epochs])


class SessionScript:
    """The script of a run that repeats a session; empty for any other."""

    def __init__(self, script: Mapping[str, Any] | None) -> None:
        script = script or {}
        self.acts: list[dict[str, Any]] = script.get("acts") or []
        self._asks = {int(at): int(size) for at, size in script.get("asks") or []}
        trainings = script.get("trainings") or []  # of two numbers where written before steps were kept
        self._trainings = [(int(at), int(rest[0]) if rest[1:] else 0, float(rest[-1])) for at, *rest in trainings]

    def size_of_ask(self, asked: int, usual: int) -> int:
        """How many candidates the session asked for after `asked` of them."""
        return self._asks.get(asked, usual)

    def due(self, asked: int, step: int | None) -> list[dict[str, Any]]:
        """Acts that have taken effect once `asked` candidates are asked, and in training `step` updates are made."""
        return [
            entry["act"]
            for entry in self.acts
            if int(entry["at"]) <= asked
            and (step is None or (entry.get("step") is not None and int(entry["step"]) <= step))
        ]

    def epochs(self, asked: int, step: int, wanted: float) -> float:
        """Epochs in all that weights are to see at this point; what the run wants itself comes after the script."""
        begun = [epochs for at, from_step, epochs in self._trainings if at <= asked and from_step <= step]
        return begun[-1] if 0 < len(begun) < len(self._trainings) else wanted

    def next_step(self, asked: int, step: int) -> int | None:
        """The training step at which the next act, or the next budget, of the session takes effect."""
        acts = [int(entry["step"]) for entry in self.acts if int(entry["at"]) <= asked and entry.get("step")]
        budgets = [from_step for at, from_step, _ in self._trainings if at <= asked]
        return min((other for other in acts + budgets if other > step), default=None)
