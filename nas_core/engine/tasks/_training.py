"""The training of a task's weights: moments on a worker, each kept with its loss curve before the next begins."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from nas_core.engine._training import Moment, Trained, train
from nas_core.engine.tasks._scoring import Scoring
from nas_core.engine.tasks._session import SessionNotes, SessionScript
from nas_core.engine.tasks._steering import SteeringLog
from nas_core.engine.tasks.base import Step, Task
from nas_core.store import RunRow
from nas_core.workers import Limits, Reference

_TRIES = 3
"""Workers that may be lost over one moment before the run fails."""
_LEAST_SECONDS = 120.0


class WeightsTraining:
    """Weights of a run: how far they are, and how they get further.

    `progress` is `{"step": updates, "epochs": budgets finished, "told": the step whose scores the strategy knows}`;
    `settings` what they are trained with, defaults written out: a replay trains by them whatever they are then.
    """

    def __init__(self, task: Task, scoring: Scoring, notes: SessionNotes, script: SessionScript) -> None:
        self._task, self._scoring, self._notes, self._script = task, scoring, notes, script
        self.progress: dict[str, Any] = dict(task.saved.get("training") or {"step": 0, "epochs": 0.0})
        self.settings: dict[str, Any] = dict(task.saved.get("supernet") or {})
        self.weights: Reference | None = None
        kept = task.context.store.file(task.context.identifier)
        if kept is not None:
            self.weights = task.context.workers.keep(kept)

    @property
    def step(self) -> int:
        """Updates made so far."""
        return int(self.progress["step"])

    def epochs(self, run: RunRow) -> float:
        """Epochs in all that the weights are to see at this point of the run."""
        return self._script.epochs(run.asked, self.step, run.config.epochs)

    def due(self, run: RunRow) -> bool:
        """Whether there is more to train."""
        return float(self.progress["epochs"]) < self.epochs(run)

    def moment(self, run: RunRow, steering: SteeringLog, state: Mapping[str, Any]) -> Generator[Step, None, None]:
        """Train a moment further, under the acts in force, and keep the weights with their loss curve.

        `state` is what the task keeps beside.

        Raises:
            JobFailed: it diverged, or cannot be carried out.
        """
        yield from self._scoring.set_up()
        epochs = self.epochs(run)
        acts = steering.read(run, self.step)
        self._notes.note_training(run.asked, self.step, len(acts), epochs)
        in_force = [act.to_dict() for act in steering.fold(acts).acts]
        until = self._script.next_step(run.asked, self.step)
        wanted = Moment(run.config.supernet_settings(), epochs, in_force, self.weights, until)
        limits = Limits(max(_LEAST_SECONDS, run.config.limits.seconds), run.config.limits.memory_mib)
        found = yield from self._task.call(train, wanted, limits=limits, tries=_TRIES)
        self._keep(found, epochs, state)

    def _keep(self, found: Trained, epochs: float, state: Mapping[str, Any]) -> None:
        context = self._task.context
        self.settings = {name: value for name, value in found.settings.items() if name not in ("space", "template")}
        self.progress["step"] = found.step
        if found.finished:
            self.progress["epochs"] = epochs
        message = f"trained {found.epoch:.3g} of {epochs:g} epochs"
        if found.losses:
            message += f", validation loss {found.losses[-1]['validation']:.3g}"
        context.store.trained(
            context.identifier,
            found.weights,
            found.losses,
            {**state, **self.state()},
            "" if found.finished else message,
            engine=context.engine,
            step=found.step,
        )
        before, self.weights = self.weights, context.workers.keep(found.weights)
        if before is not None and before != self.weights:
            context.workers.release(before)

    def state(self) -> dict[str, Any]:
        """What the task keeps of it, beside the weights themselves."""
        return {"training": self.progress, "supernet": self.settings, "course": self._notes.lists}
