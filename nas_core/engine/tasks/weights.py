"""Shared weights trained by themselves, to be searched on later or ranked with from the command line."""

from __future__ import annotations

from collections.abc import Iterator

from nas_core.engine.tasks import register
from nas_core.engine.tasks._scoring import Scoring
from nas_core.engine.tasks._session import SessionNotes, SessionScript
from nas_core.engine.tasks._steering import SteeringLog
from nas_core.engine.tasks._training import WeightsTraining
from nas_core.engine.tasks.base import Step, Task, TaskContext


@register("weights")
class Weights(Task):
    """Trains the shared weights of `supernet` to the end of their epochs, under the steering."""

    summary = "trains shared weights"

    def __init__(self, context: TaskContext) -> None:
        super().__init__(context)
        notes, script = SessionNotes(self.saved.get("course")), SessionScript(self.config.script)
        self._steering = SteeringLog(context.store, context.identifier, self.config, script)
        self._training = WeightsTraining(self, Scoring(self), notes, script)

    def steps(self) -> Iterator[Step]:
        """Moment by moment."""
        while True:
            self.context.store.set_state(self.context.identifier, "running", expected=("queued",))
            run = self.context.run()
            if run.state != "running":
                return
            if not self._training.due(run):
                if self.context.finish(f"trained for {run.config.epochs:g} epochs"):
                    return
                continue
            yield from self._training.moment(run, self._steering, {})
            yield Step.MOVED
